"""``production.toml``: the team's own description of production, kept in their git.

These structs are the whole of its grammar. A key that is not here is an error that names the nearest one that is
(see :mod:`fulldress.production.load`). Paths are relative to the file's folder.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Folders(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    inventory: str = "inventory"
    settings: str = "settings"
    logs: str = "logs"
    trust: str = "trust"
    advisories: str = "advisories"
    matrices: str = "matrices"
    root: str = ""  #: a copy of the hosts' files (``/etc``, ``/opt`` … below it), laid over this machine's on the stage


class Component(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[components.NAME]``. ``packages``: names under which inventories list it."""

    scheme: str = ""  #: deb, rpm, semver, pep440, maven, npm, dotted; empty: guessed, and said to be
    packages: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()  #: files below ``folders.settings`` that are its settings
    edition: str = ""  #: suffix that is an edition, not a pre-release, e.g. ``-ee``


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[databases.NAME.traffic]]``: a statement that production runs, and how often. ``$1`` is drawn from ``draw``."""

    name: str
    sql: str
    per_second: float
    draw: str = ""  #: SQL of one column on the clone, from which parameters are drawn


class Database(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[databases.NAME]``. ``url`` is cloned from and never written to. Give ``dump`` instead for a dump file."""

    url: str = ""
    dump: str = ""
    major: int = 0  #: production's major version; 0: asked of the server
    addresses: tuple[str, ...] = ()  #: ``host:port`` under which programs reach it; led to the clone on the stage
    rehearsal_copy: bool = False
    traffic: tuple[Query, ...] = ()
    free: str = ""  #: free space where its data lies, e.g. ``40 GiB``
    size: str = ""  #: of production's database, e.g. ``80 GiB``, where what is cloned is smaller


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[services.UNIT]``. ``start`` is only needed where no unit file stands in the root tree."""

    start: tuple[str, ...] = ()
    user: str = ""
    environment: dict[str, str] = {}
    health: str = ""  #: address that answers 200 when it is well
    ready_within: float = 30.0  #: seconds


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[endpoints]]``: what production says of a host that is called."""

    host: str
    port: int = 0  #: 0: every port
    policy: str = "live"  #: live, stub, retired
    since: str = ""  #: for retired ones
    answers: str = ""  #: for stubs: a JSON file of scripted answers, a list of {method, path, status, body}
    note: str = ""


class Traffic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[traffic]``: which log to model, and what may be sent to the rehearsal copy."""

    log: str = ""  #: file or glob below ``folders.logs``
    format: str = ""  #: combined, nginx with $request_time, or a log_format string; empty: detected
    target: str = ""  #: address of the service on the stage, e.g. ``http://127.0.0.1:8080``
    methods: tuple[str, ...] = ("GET", "HEAD")
    scale: float = 1.0
    window_minutes: float = 10.0  #: the busiest window of this length is modelled


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[channels.NAME]``: where status goes. Exactly one of the two."""

    file: str = ""
    command: tuple[str, ...] = ()


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[window]``: what was negotiated. Sizes are minutes."""

    starts: datetime | None = None
    minutes: float = 0.0
    decision_minutes: float = 5.0
    buffer_minutes: float = 10.0
    contact: str = ""
    rate_overage: str = ""  #: what an overrun costs, in words


class Cleanup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[cleanup]``: where flags and webhooks live, so that what is left can be seen and removed."""

    flags: tuple[str, ...] = ()  #: JSON files of flags, absolute paths on the host
    webhooks: tuple[str, ...] = ()  #: addresses of registries that list webhooks


class Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    name: str = "production"
    zone: str = "UTC"
    folders: Folders = Folders()
    components: dict[str, Component] = {}
    databases: dict[str, Database] = {}
    services: dict[str, Service] = {}
    endpoints: tuple[Endpoint, ...] = ()
    partitions: dict[str, str] = {}  #: mount point = free space, e.g. ``"2 GiB"``
    channels: dict[str, Channel] = {}
    traffic: Traffic = Traffic()
    window: Window = Window()
    cleanup: Cleanup = Cleanup()
