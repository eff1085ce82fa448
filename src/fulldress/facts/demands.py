"""What an upgrade asks for and does to a host: requirements, reboots, restarts, privilege, files, downtime."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum

from fulldress.facts.witness import Fact


class Looseness(StrEnum):
    EXACT = "exact"
    BOUNDED = "bounded"  #: an upper and a lower bound
    UNBOUNDED = "unbounded above"
    ANY = "any version"
    FLOATING = "floating tag"  #: ``latest``, a branch name …
    UNREADABLE = "unreadable"


class Requirement(Fact, tag=True, frozen=True, kw_only=True):
    """A dependency and how tightly it is held."""

    component: str
    constraint: str
    looseness: Looseness
    scheme: str = ""  #: version scheme it was read with; empty where it had to be guessed
    admits: str = ""  #: a version that nobody tested and that it lets in
    optional: bool = False
    host: bool = False  #: what the host has to bring, an interpreter: nothing is fetched for it on the day
    alternatives: tuple[str, ...] = ()  #: what would do as well, in the package's own words: ``debconf-2.0``

    @property
    def canonical(self) -> str:
        """The name under which an index knows it: for Python's, ``PyYAML`` and ``pyyaml`` are one (PEP 503)."""
        return re.sub(r"[-_.]+", "-", self.component).lower() if self.scheme == "pep440" else self.component


class Hook(Fact, tag=True, frozen=True, kw_only=True):
    """What a package manager starts by itself at a moment of an installation or an upgrade, because the package says so."""

    manager: str  #: ``npm``, ``Helm``, ``pip`` …
    moment: str  #: in the manager's words: ``postinstall``, ``pre-upgrade`` …
    name: str  #: of the script, job or pod
    command: str = ""  #: masked, on one line
    order: int = 0  #: Helm's weight: lower ones first
    seconds: int = 0  #: after which the manager ends it; 0: it does not
    enabled: bool = True  #: False: a setting of the package leaves it off
    remarks: tuple[str, ...] = ()


class Reboot(Fact, tag=True, frozen=True, kw_only=True):
    claim: str  #: declared: ``required``, ``recommended``, ``not needed``; read / observed: ``performed``
    command: str = ""


class Restart(Fact, tag=True, frozen=True, kw_only=True):
    """A service started, stopped, restarted, enabled … by the upgrade."""

    unit: str  #: without the ``.service`` suffix
    action: str
    command: str = ""
    outcome: str = ""  #: observed: ``ok``, ``no such unit``, ``failed`` …


class Service(Fact, tag=True, frozen=True, kw_only=True):
    """A unit that exists: in production, in the package (``read``), or on the stage."""

    unit: str
    state: str = ""
    start: str = ""
    health: str = ""
    depends: tuple[str, ...] = ()  #: units whose stop takes this one down with it: Requires, BindsTo, PartOf


class Privilege(Fact, tag=True, frozen=True, kw_only=True):
    """Rights that are assumed or taken."""

    how: str  #: ``sudo``, ``su``, ``setuid``, ``sudoers``, ``capability`` …
    command: str = ""


class FileEffect(Fact, tag=True, frozen=True, kw_only=True):
    """A file that is created, changed, deleted … ``left`` is true when rollback did not undo it."""

    path: str
    action: str  #: create, change, delete, mode, owner, link, xattr; lock: taken, so that no second run works at once
    detail: str = ""  #: e.g. a masked unified diff
    before_sha256: str = ""
    after_sha256: str = ""
    size: int = 0
    left: bool = False
    #: read: surely neither one of the package's files nor below a folder of its own or of its name
    outside: bool = False


class Downtime(Fact, tag=True, frozen=True, kw_only=True):
    duration: timedelta
    basis: str = ""  #: the sentence or the measurement


class Command(Fact, tag=True, frozen=True, kw_only=True):
    """A command that ran on the stage through a recording stand-in, or a prompt it waited at."""

    argv: tuple[str, ...]
    exit_code: int | None = None
    note: str = ""
