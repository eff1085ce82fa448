"""Values of the text format into Python's, by the server's type identifiers (``pg_type.dat``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


_READERS: dict[int, Callable[[str], object]] = {
    16: lambda text: text == "t",  # bool
    17: _bytes,  # bytea
    20: int,  # int8
    21: int,  # int2
    23: int,  # int4
    26: int,  # oid
    28: int,  # xid
    700: float,  # float4
    701: float,  # float8
    1700: Decimal,  # numeric
    1082: date.fromisoformat,  # date
    1114: datetime.fromisoformat,  # timestamp
    1184: datetime.fromisoformat,  # timestamptz
}


def decode(oid: int, raw: bytes | None) -> object:
    """A column's value. Types without a reader, and values outside Python's range (``infinity``), stay text."""
    if raw is None:
        return None
    text = raw.decode("utf-8", "replace")
    reader = _READERS.get(oid)
    if reader is None:
        return text
    try:
        return reader(text)
    except (ValueError, ArithmeticError):
        return text
