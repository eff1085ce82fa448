"""What a compiled file says of itself, before it becomes a fact."""

from __future__ import annotations

from datetime import datetime

import msgspec


class NotThis(Exception):
    """The file is not what its first bytes promise. The message says what is wrong."""


class Said(msgspec.Struct, kw_only=True):
    format: str
    built: datetime | None = None
    built_from: str = ""
    version: str = ""
    version_from: str = ""
    build_id: str = ""
    needed: tuple[str, ...] = ()
    product: str = ""
    quote: str = ""  #: the words it was read from
