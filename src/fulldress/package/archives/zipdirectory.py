"""The two tables of a ZIP: the directory at its end and the header before each member (APPNOTE 4.3)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO, cast

import msgspec

from fulldress.facts import Reason
from fulldress.package.archives import Damage, Gap
from fulldress.package.archives.streams import CHUNK, Inflated, Slice

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_WIDE, _WIDE_COUNT = 0xFFFFFFFF, 0xFFFF


class Record(msgspec.Struct, kw_only=True):
    """One member, as the directory (or, where there is none, its own header) describes it."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    offset: int  #: of its header, in the file
    attributes: int = 0
    system: int = 0  #: 3: made on Unix
    modified: datetime | None = None
    checked: bool = True  #: whether size and CRC are known
    data: int = 0  #: where its bytes begin, in the file
    end: int = 0
    differences: list[tuple[str, str, str]] = []

    @property
    def encrypted(self) -> bool:
        return bool(self.flags & 0x2041)


class Directory(msgspec.Struct, kw_only=True):
    """The directory. ``shift`` bytes stand before the archive, so that every stated offset is that much too small."""

    records: list[Record]
    start: int
    shift: int
    gaps: list[Gap]


def directory(source: BinaryIO) -> Directory | None:
    """The directory of a ZIP, or None where there is none."""
    length = source.seek(0, os.SEEK_END)
    tail_at = max(0, length - (1 << 16) - _END.size)
    source.seek(tail_at)
    tail = source.read()
    place = tail.rfind(b"PK\5\6")
    if place < 0 or len(tail) - place < _END.size:
        return None
    gaps: list[Gap] = []
    _, disk, first, _, count, size, offset, comment = _END.unpack_from(tail, place)
    end = tail_at + place
    start_of_end = end
    after = length - end - _END.size - comment
    if after:
        what = f"{after:,} bytes follow the archive" if after > 0 else f"its comment is cut off by {-after:,} bytes"
        gaps.append(Gap(reason=Reason.REFUSED if after > 0 else Reason.DAMAGED, detail=what))
    if disk or first:
        gaps.append(Gap(reason=Reason.DAMAGED, detail="it is one part of an archive of several parts"))
    if _WIDE in (size, offset) or count == _WIDE_COUNT:
        wide = _end64(source, end)
        if wide is not None:
            count, size, offset, start_of_end = wide
    shift = start_of_end - size - offset
    if shift < 0:
        gaps.append(Gap(reason=Reason.DAMAGED, detail="its directory does not lie where it states"))
        return Directory(records=[], start=end, shift=0, gaps=gaps)
    start = offset + shift
    source.seek(start)
    records = list(_records(source.read(size), shift, count, gaps))
    return Directory(records=records, start=start, shift=shift, gaps=gaps)


def _end64(source: BinaryIO, end: int) -> tuple[int, int, int, int] | None:
    """Count, size and offset of the directory, and where its 64-bit end record begins."""
    if end < _LOCATOR.size + _END64.size:
        return None
    source.seek(end - _LOCATOR.size)
    mark, _, place, _ = _LOCATOR.unpack(source.read(_LOCATOR.size))
    if mark != b"PK\6\7":
        return None
    for where in (place, end - _LOCATOR.size - _END64.size):  # the second one, where bytes stand before the archive
        source.seek(where)
        raw = source.read(_END64.size)
        if len(raw) == _END64.size and raw.startswith(b"PK\6\6"):
            fields = _END64.unpack(raw)
            return fields[7], fields[8], fields[9], where
    return None


def _records(table: bytes, shift: int, count: int, gaps: list[Gap]) -> Iterator[Record]:
    at = found = 0
    while at + _CENTRAL.size <= len(table) and table.startswith(b"PK\1\2", at):
        fields = _CENTRAL.unpack_from(table, at)
        flags, method, stamp, day = fields[5:9]
        crc, packed, size, name_size, extra_size, comment_size = fields[9:15]
        attributes, offset = fields[17:19]
        body = at + _CENTRAL.size
        raw_name = table[body : body + name_size]
        extra = table[body + name_size : body + name_size + extra_size]
        if _WIDE in (packed, size, offset):
            size, packed, offset = _wide(extra, size, packed, offset)
        if len(raw_name) < name_size:
            break
        yield Record(
            name=_text(raw_name, flags),
            method=method,
            flags=flags,
            crc=crc,
            packed=packed,
            size=size,
            offset=offset + shift,
            attributes=attributes,
            system=fields[2],
            modified=_stamped(extra) or _dos(day, stamp),
        )
        found += 1
        at = body + name_size + extra_size + comment_size
    if at != len(table) or found & _WIDE_COUNT != count & _WIDE_COUNT:
        gaps.append(
            Gap(
                reason=Reason.DAMAGED,
                detail=f"its directory states {count:,} members and {found:,} could be read in it",
            )
        )


def local(source: BinaryIO, record: Record) -> int:
    """Where a member's bytes begin; notes in the record where its own header says other things than the directory."""
    source.seek(record.offset)
    raw = source.read(_LOCAL.size + len(record.name) * 4 + 64)
    if len(raw) < _LOCAL.size or not raw.startswith(b"PK\3\4"):
        raise Damage("no header stands where the directory says it begins")
    _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack_from(raw)
    needed = _LOCAL.size + name_size + extra_size
    if len(raw) < needed:
        raw += source.read(needed - len(raw))
    name = _text(raw[_LOCAL.size : _LOCAL.size + name_size], flags)
    if _WIDE in (packed, size):
        extra = raw[_LOCAL.size + name_size : needed]
        size, packed, _ = _wide(extra, size, packed, 0)
    pairs: list[tuple[str, object, object]] = [("name", record.name, name), ("method", record.method, method)]
    if not flags & 8:
        pairs += [("size", record.size, size), ("packed size", record.packed, packed), ("CRC", record.crc, crc)]
    record.differences = [(what, repr(there), repr(here)) for what, there, here in pairs if there != here]
    if bool(flags & 1) != bool(record.flags & 1):
        record.differences.append(("encrypted", str(bool(record.flags & 1)), str(bool(flags & 1))))
    record.data = record.offset + needed
    record.end = record.data + record.packed
    if flags & 8:  # a descriptor follows: 12 or 20 bytes, with or without a mark of 4
        source.seek(record.end)
        after = source.read(24)
        marked = 4 if after.startswith(b"PK\7\x08") else 0
        here = after[marked + 4 : marked + 12]
        wide = here[:4] != struct.pack("<L", record.packed & _WIDE) or (
            here[4:8] != struct.pack("<L", record.size & _WIDE)
        )
        record.end += marked + (20 if wide else 12)
    return record.data


def scattered(source: BinaryIO, start: int, stop: int | None) -> Iterator[Record | Gap]:
    """Members from ``start`` on by their own headers alone, and a gap where no header stands any more."""
    end = source.seek(0, os.SEEK_END) if stop is None else stop
    at = start
    while at < end:
        source.seek(at)
        raw = source.read(_LOCAL.size)
        if raw.startswith((b"PK\1\2", b"PK\5\6")) and stop is None:
            return
        if len(raw) < _LOCAL.size or not raw.startswith(b"PK\3\4"):
            yield Gap(reason=Reason.DAMAGED, detail=f"no header at byte {at:,}; what follows was not read")
            return
        _, _, flags, method, stamp, day, crc, packed, size, name_size, extra_size = _LOCAL.unpack(raw)
        name, extra = source.read(name_size), source.read(extra_size)
        if _WIDE in (packed, size):
            size, packed, _ = _wide(extra, size, packed, 0)
        record = Record(
            name=_text(name, flags),
            method=method,
            flags=flags,
            crc=crc,
            packed=packed,
            size=size,
            offset=at,
            modified=_stamped(extra) or _dos(day, stamp),
            data=at + _LOCAL.size + name_size + extra_size,
        )
        if flags & 8 and method == 8 and not packed:
            record.packed, record.checked = _measured(source, record.data, end), False
        elif flags & 8 and not packed:
            record.packed, record.checked = end - record.data, False
        record.end = record.data + record.packed
        yield record
        at = record.end
        if flags & 8:
            source.seek(at)
            at += 16 if source.read(4) == b"PK\7\x08" else 12


def _measured(source: BinaryIO, start: int, end: int) -> int:
    """How many bytes a deflate stream takes whose header does not say it."""
    stream = Inflated(cast(BinaryIO, Slice(source, start, end - start)), "deflate")
    try:
        given = 0
        while (chunk := stream.read(CHUNK)) and given < 1 << 32:
            given += len(chunk)
    except Damage:
        return end - start
    return end - start - stream.trailing


def _text(raw: bytes, flags: int) -> str:
    """UTF-8 where the flag says so or where it is; else the code page of the format's first days."""
    if flags & 0x800:
        return raw.decode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        tag, size = struct.unpack_from("<HH", extra, at)
        yield tag, extra[at + 4 : at + 4 + size]
        at += 4 + size


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The 64-bit fields, in this order, each only where the 32-bit field is full."""
    values = [size, packed, offset]
    body = next((body for tag, body in _extras(extra) if tag == 1), b"")
    at = 0
    for place, value in enumerate(values):
        if value == _WIDE and at + 8 <= len(body):
            values[place] = int.from_bytes(body[at : at + 8], "little")
            at += 8
    return values[0], values[1], values[2]


def _stamped(extra: bytes) -> datetime | None:
    """The extended time stamp: seconds of UTC, unlike the DOS one, which is local time of an unknown place."""
    for tag, body in _extras(extra):
        if tag == 0x5455 and len(body) >= 5 and body[0] & 1:
            return datetime.fromtimestamp(int.from_bytes(body[1:5], "little"), UTC)
    return None


def _dos(day: int, stamp: int) -> datetime | None:
    """The DOS time stamp, taken as UTC for want of a zone. 1980-01-01 means "none" to reproducible builds."""
    try:
        moment = datetime(
            1980 + (day >> 9),
            day >> 5 & 15,
            day & 31,
            stamp >> 11,
            stamp >> 5 & 63,
            min((stamp & 31) * 2, 59),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return None if moment.year == 1980 and moment.month == 1 and moment.day == 1 else moment
