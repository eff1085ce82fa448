"""Which 16-bit encoding a text without a byte-order mark has: Windows programs export scripts and settings that way."""

from __future__ import annotations

import unicodedata

_SAMPLE = 4096  #: bytes that are looked at
_PLAIN = frozenset("\t\n\r\f\v")


def sixteen(raw: bytes) -> str:
    """``utf-16-le`` or ``utf-16-be`` where these bytes are text of 16-bit units without a mark, else the empty string.

    Believed only of bytes that decode to assigned characters without controls, a quarter of them ASCII: machine code and
    tables of numbers hold unassigned characters or NULs soon. A half of a surrogate pair (a broken export) is let pass.
    """
    sample = raw[:_SAMPLE]
    if b"\0" not in sample or len(sample) < 4 or (len(raw) % 2 and len(raw) < _SAMPLE):
        return ""
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if max(low, high) * 4 < len(sample) // 2:
        return ""  # every ASCII character has a zero on one side
    codec = "utf-16-le" if high > low else "utf-16-be"
    text = sample[: len(sample) & ~1].decode(codec, "surrogatepass")
    ascii_ones = sum(char < "\x7f" for char in text)
    broken = sum("\ud800" <= char <= "\udfff" for char in text)
    if ascii_ones * 4 < len(text) or broken * 5 > len(text):
        return ""
    odd = any(unicodedata.category(char) in ("Cc", "Cn", "Co") and char not in _PLAIN for char in set(text))
    return "" if odd else codec
