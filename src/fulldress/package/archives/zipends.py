"""The end of a ZIP: which of the end records counts, and what stands in their place in encrypted and in split archives.

Readers search the end record backwards; some take the last one, some the one whose comment reaches the end of the file
(APPNOTE 4.3.16 allows a comment of 64 KiB, which may hold another end record). Where that makes a difference, it is said.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

import msgspec

from fulldress.facts import Reason
from fulldress.package.archives import Gap

END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_WIDE, _WIDE_COUNT = 0xFFFFFFFF, 0xFFFF


class Ending(msgspec.Struct, kw_only=True):
    """What the end record that counts says. ``close`` is where the directory has to end, in the file."""

    count: int
    size: int
    offset: int
    close: int
    gaps: list[Gap]
    encrypted: bool = False  #: its directory is (APPNOTE 7.3)


def ending(source: BinaryIO) -> Ending | None:
    """The end record that most programs take, or None where there is none."""
    length = source.seek(0, os.SEEK_END)
    tail_at = max(0, length - (1 << 16) - END.size)
    source.seek(tail_at)
    tail = source.read()
    places: list[int] = []
    place = tail.rfind(b"PK\5\6")
    while place >= 0 and len(places) < 1000:
        if len(tail) - place >= END.size:
            places.append(place)
        place = tail.rfind(b"PK\5\6", 0, place)
    if not places:
        return None
    exact = [p for p in places if p + END.size + END.unpack_from(tail, p)[7] == len(tail)]
    place = (exact or places)[0]
    gaps: list[Gap] = []
    _, disk, first, _, count, size, offset, comment = END.unpack_from(tail, place)
    end = tail_at + place
    after = len(tail) - place - END.size - comment
    if after:
        what = f"{after:,} bytes follow the archive" if after > 0 else f"its comment is cut off by {-after:,} bytes"
        gaps.append(Gap(reason=Reason.DISPUTED if after > 0 else Reason.DAMAGED, detail=what))
    for other in places:
        # One in the comment of another that reaches the end just as well, or after the one that does.
        if other != place and (other in exact or other > place):
            gaps.append(
                Gap(
                    reason=Reason.DISPUTED,
                    detail=f"it has two end records, at byte {tail_at + other:,} and at byte {end:,}; "
                    "programs differ in which members they show",
                )
            )
            break
    found = Ending(count=count, size=size, offset=offset, close=end, gaps=gaps)
    wide = _end64(source, end) if _locator(source, end) else None
    if wide is not None and (_WIDE in (size, offset) or count == _WIDE_COUNT):
        fields, found.close = wide
        found.count, found.size, found.offset = fields[7], fields[8], fields[9]
        found.encrypted = fields[1] > 44 + 26 and fields[2] & 0xFF >= 62  # the second version of the record
        disk, first = fields[4], fields[5]
    elif wide is not None and (wide[0][7], wide[0][8], wide[0][9]) != (count, size, offset):
        gaps.append(
            Gap(
                reason=Reason.DISPUTED,
                detail=f"its end record states {count:,} members, its 64-bit end record {wide[0][7]:,}; "
                "programs differ in which they believe",
            )
        )
    elif wide is not None:
        found.close = wide[1]  # a needless one, as some writers add it
    disks = max(0 if disk == _WIDE_COUNT else disk, 0 if first == _WIDE_COUNT else first)
    if disks:
        gaps.append(
            Gap(
                reason=Reason.MISSING,
                detail=f"it is the last of {disks + 1:,} parts (.z01 to .z{disks:02d} come before it); "
                "join them into one file and inspect that",
            )
        )
    return found


def _locator(source: BinaryIO, end: int) -> bool:
    if end < _LOCATOR.size + _END64.size:
        return False
    source.seek(end - _LOCATOR.size)
    return source.read(4) == b"PK\6\7"


def _end64(source: BinaryIO, end: int) -> tuple[tuple[int, ...], int] | None:
    """The fields of the 64-bit end record, and where it begins."""
    source.seek(end - _LOCATOR.size)
    _, _, place, _ = _LOCATOR.unpack(source.read(_LOCATOR.size))
    for where in (place, end - _LOCATOR.size - _END64.size):  # the second one, where bytes stand before the archive
        source.seek(min(where, end))
        raw = source.read(_END64.size)
        if len(raw) == _END64.size and raw.startswith(b"PK\6\6"):
            return _END64.unpack(raw), where
    return None
