"""A runbook is data: these are its steps. How a kind of step is carried out stands in :mod:`fulldress.engine.acts`.

A step has something to do, a probe that tells whether it is done, a way to undo it, an owner and an estimate. The same
frozen bytes are carried out on the stage and in production.
"""

from __future__ import annotations

import msgspec


class Probe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A question to the venue with the answers pass, fail and unknown. Exactly one of the first group is set."""

    # what to look at
    command: tuple[str, ...] = ()  #: pass when it exits with ``exit_code``
    http: str = ""  #: address; pass when it answers with ``status``
    file: str = ""  #: path; pass when it exists (or does not, with ``absent``)
    service: str = ""  #: unit; pass when it is active (or is not, with ``absent``)
    query: str = ""  #: SQL of one value; pass when it equals ``equals``
    # what to expect
    exit_code: int = 0
    status: int = 200
    contains: str = ""  #: the output, the body or the file has to contain it
    sha256: str = ""  #: the file has to have these bytes
    absent: bool = False
    equals: str = ""
    database: str = ""
    user: str = ""  #: who asks a ``command``; empty: root
    within: float = 0.0  #: seconds to keep asking for a pass; 0 asks once


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", forbid_unknown_fields=True):
    """What all kinds share. ``settles`` names findings (``FD301 etc/cron.d/x``) that this step answers."""

    name: str
    why: str = ""
    settles: tuple[str, ...] = ()
    owner: str = ""
    estimate: float = 0.0  #: seconds; from rehearsals where there are any
    phase: str = "upgrade"  #: before, upgrade, verify, after
    gate: bool = True  #: a verify that does not pass stops the run
    verify: tuple[Probe, ...] = ()
    reversible: bool = True  #: False marks the point of no return


class Command(Step, tag="command", frozen=True, kw_only=True):
    """Run a program. ``undo`` is the program that takes it back; empty: none."""

    argv: tuple[str, ...]
    undo: tuple[str, ...] = ()
    user: str = "root"
    cwd: str = "/"
    environment: dict[str, str] = {}
    timeout: float = 3600.0


class Script(Step, tag="script", frozen=True, kw_only=True):
    """Run a package entry, unmodified, found by its digest. ``package_path`` is for people."""

    sha256: str
    package_path: str
    arguments: tuple[str, ...] = ()
    interpreter: tuple[str, ...] = ()  #: empty: by its first line
    undo_sha256: str = ""
    undo_path: str = ""
    user: str = "root"
    environment: dict[str, str] = {}
    timeout: float = 3600.0
    expect_exit: int = 0


class Migrate(Step, tag="migrate", frozen=True, kw_only=True):
    """Run SQL files of the package, in order, over one connection. ``downs`` take them back, in the order given."""

    database: str
    ups: tuple[str, ...]  #: sha256 of package entries
    paths: tuple[str, ...] = ()  #: their names, for people
    downs: tuple[str, ...] = ()
    down_paths: tuple[str, ...] = ()
    lock_timeout: float = 0.0  #: seconds; 0 leaves it as the vendor has it
    advisory_lock: int = 0  #: key of a lock taken around the whole; 0: none


class Setting(Step, tag="setting", frozen=True, kw_only=True):
    """Set (or with ``value`` empty and ``remove`` true, remove) one key of a settings file; comments and order stay."""

    file: str
    key: str
    value: str = ""
    remove: bool = False
    format: str = ""  #: empty: by the file's name


class File(Step, tag="file", frozen=True, kw_only=True):
    """Put a package entry, or ``text``, at ``path``; or with ``remove``, take a file away.

    Undo restores its bytes and metadata."""

    path: str
    sha256: str = ""
    text: str = ""
    mode: int = 0o644
    owner: str = ""
    remove: bool = False


class Snapshot(Step, tag="snapshot", frozen=True, kw_only=True):
    """Keep the bytes and metadata of ``paths`` and the rows of ``databases``; undo puts all of them back.

    Placed before the vendor's scripts, its undo runs last on the way back, and so makes good what their own rollback
    leaves behind. What lies outside (roles of the database server, webhooks at third parties) stays: see the ledger."""

    paths: tuple[str, ...] = ()  #: files and folders at the venue
    databases: tuple[str, ...] = ()  #: names of ``production.toml``


class Service(Step, tag="service", frozen=True, kw_only=True):
    unit: str
    action: str  #: start, stop, restart, reload, enable, disable


class Schedule(Step, tag="schedule", frozen=True, kw_only=True):
    """Disable (or enable) a scheduled job before it can run. ``target`` is the cron file or timer unit on the host.

    A job that a later step would install is disabled by a guard: the file is put aside as soon as it appears, and the
    step is carried out once more right after the step that brings it (``after``)."""

    target: str
    action: str = "disable"
    expression: str = ""
    after: str = ""


class FlagStep(Step, tag="flag", frozen=True, kw_only=True):
    """Set a feature flag in a JSON file. ``expires`` enters it into the ledger."""

    store: str
    flag: str
    value: bool = True
    expires: str = ""


class Webhook(Step, tag="webhook", frozen=True, kw_only=True):
    """Register a webhook by HTTP. Undo deletes it and checks that it is gone."""

    registry: str
    target: str
    events: tuple[str, ...] = ()
    expires: str = ""


class Credential(Step, tag="credential", frozen=True, kw_only=True):
    """Create a PostgreSQL role with an end date. Undo ends its sessions, drops it and checks that it is gone."""

    database: str
    role: str
    grants: tuple[str, ...] = ()
    expires: str = ""


class ProbeStep(Step, tag="probe", frozen=True, kw_only=True):
    """Only ask: a gate of its own."""


class Wait(Step, tag="wait", frozen=True, kw_only=True):
    """Wait until the probes of ``verify`` pass, at most ``seconds``."""

    seconds: float


class Notice(Step, tag="notice", frozen=True, kw_only=True):
    """Write a status text to a channel of ``production.toml`` (a file or a command). The stage only records it."""

    channel: str
    text: str


class Person(Step, tag="person", frozen=True, kw_only=True):
    """Something that a person does and confirms. ``reboot the host`` is one of these."""

    instruction: str
    undo_instruction: str = ""


AnyStep = (
    Command
    | Script
    | Migrate
    | Setting
    | File
    | Snapshot
    | Service
    | Schedule
    | FlagStep
    | Webhook
    | Credential
    | ProbeStep
    | Wait
    | Notice
    | Person
)


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a runbook is for, and which bytes it is bound to."""

    product: str
    version: str
    package: str  #: sha256 of the package
    package_name: str = ""
    from_version: str = ""
    case: str = ""


class Runbook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The whole plan, as it stands in ``runbook.toml``: a table ``[runbook]`` and an array of tables ``[[step]]``."""

    runbook: Header
    step: tuple[AnyStep, ...]
