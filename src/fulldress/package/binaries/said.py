"""What a compiled file says of itself, before it becomes a fact."""

from __future__ import annotations

from datetime import datetime

import msgspec

from fulldress.facts import Evidence


class NotThis(Exception):
    """The file is not what its first bytes promise. The message says what is wrong."""


class Also(msgspec.Struct, frozen=True, kw_only=True):
    """A second place in the same file that says a version."""

    version: str
    place: str
    evidence: Evidence


class Said(msgspec.Struct, kw_only=True):
    format: str
    built: datetime | None = None
    built_from: str = ""
    version: str = ""
    version_from: str = ""
    build_id: str = ""
    needed: tuple[str, ...] = ()
    machine: str = ""
    requires: tuple[str, ...] = ()
    bundled: tuple[str, ...] = ()
    soname: str = ""
    exports: tuple[str, ...] = ()
    product: str = ""
    packed: str = ""  #: the packer that hides what is inside
    also: tuple[Also, ...] = ()
    quote: str = ""  #: the words it was read from
