"""What is in a package, and what could not be read of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from fulldress.facts.witness import Fact


class Entry(Fact, tag=True, frozen=True, kw_only=True):
    """A member of a package. ``kind`` is what the bytes are (``elf``, ``shell``, ``sql``, ``zip`` …), not the suffix."""

    path: str
    kind: str
    size: int
    sha256: str = ""
    modified: datetime | None = None
    mode: int | None = None
    link: str = ""
    container: str = ""  #: format of the container that holds it
    role: str = ""  #: what the package says it is for: conffile, config, config(noreplace), doc, license, ghost


class Release(Fact, tag=True, frozen=True, kw_only=True):
    """The release that a manifest, a file name or a binary claims to be.

    ``aspect`` tells which place speaks: ``manifest``, ``file name``, ``control``, ``metadata``, ``binary``."""

    product: str
    version: str
    aspect: str
    released: date | None = None
    vendor: str = ""
    upgrades_from: str = ""  #: range of versions it claims to upgrade from, in the manifest's own words


class Binary(Fact, tag=True, frozen=True, kw_only=True):
    """What a compiled file says of itself."""

    path: str
    format: str  #: elf, pe, macho, go, jar
    built: datetime | None = None
    built_from: str = ""  #: where the date stands: ``go vcs.time``, ``pe time stamp``, ``jar Build-Time`` …
    version: str = ""
    version_from: str = ""
    build_id: str = ""
    needed: tuple[str, ...] = ()
    machine: str = ""  #: processor it is for, in the words of ``uname -m``; empty for every machine's
    requires: tuple[str, ...] = ()  #: what the host must have at least: ``GLIBC 2.38``, ``Java 17``, ``macOS 12.0``
    bundled: tuple[str, ...] = ()  #: components compiled into it, ``name version``
    soname: str = ""  #: name under which others link with this library
    exports: tuple[str, ...] = ()  #: symbols that a library with a soname gives to others


class Reason(StrEnum):
    """Why something was not read, reached or measured."""

    ENCRYPTED = "encrypted"
    BUDGET = "budget"
    GRAMMAR = "beyond its grammar"
    FORMAT = "unknown format"
    DAMAGED = "damaged"
    NO_DATA = "says nothing"
    REFUSED = "refused for safety"
    DISPUTED = "programs differ"  #: read, but other programs read something else there
    MISSING = "missing"
    UNREACHABLE = "unreachable"
    NOT_MEASURED = "not measured"
    CANNOT = "this machine cannot"


class Unread(Fact, tag=True, frozen=True, kw_only=True):
    """Something that was not read, not reached or not measured, and why. Never silent: a line in every report.

    ``needed`` is true when a verdict depends on it: the outcome is then *unknown*, not *go*. ``shows`` is true where a
    rehearsal whose upgrade ran to its end shows what reading could not."""

    what: str
    reason: Reason
    detail: str = ""
    needed: bool = False
    shows: bool = False
