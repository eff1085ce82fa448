"""The two tables of a ZIP: the directory at its end and the header before each member (APPNOTE 4.3)."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import BinaryIO, cast

import msgspec

from fulldress.facts import Reason
from fulldress.package.archives import MOST_ENTRIES, Damage, Gap
from fulldress.package.archives.streams import CHUNK, Inflated, Slice
from fulldress.package.archives.zipends import ending

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_TABLE = 1 << 26  #: bytes of a directory that are read
ENCRYPTED = 0x2041  #: flags: the member, strongly, or what its header says
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
    raw: bytes | None = None  #: the name as the directory writes it
    #: the header before it up to the length of the name, if it says the same as the directory; empty where more has to be asked
    likely: bytes = b""
    differences: list[tuple[str, str, str]] = []


class Directory(msgspec.Struct, kw_only=True):
    """The directory. ``shift`` bytes stand before the archive, so that every stated offset is that much too small."""

    records: list[Record]
    start: int
    shift: int
    gaps: list[Gap]
    sealed: bool = False  #: it is encrypted
    cut: bool = False  #: it lists more than is read; the rest of the file cannot be judged


def directory(source: BinaryIO) -> Directory | None:
    """The directory of a ZIP, or None where there is none."""
    found = ending(source)
    if found is None:
        return None
    gaps, size = found.gaps, found.size
    shift = found.close - size - found.offset
    if shift < 0 and any(gap.reason is Reason.MISSING for gap in gaps):
        return Directory(records=[], start=found.close, shift=0, gaps=gaps)  # its directory begins in another part
    if shift < 0 or size > found.close:
        gaps.append(Gap(reason=Reason.DAMAGED, detail="its directory does not lie where it states"))
        return Directory(records=[], start=found.close, shift=0, gaps=gaps)
    start = found.offset + shift
    source.seek(start)
    table = source.read(min(size, _TABLE))
    if found.encrypted or table.startswith(b"PK\6\x08"):
        gaps.append(Gap(reason=Reason.ENCRYPTED, detail="its directory is encrypted: not even the names can be read"))
        return Directory(records=[], start=start, shift=shift, gaps=gaps, sealed=True)
    records = list(islice(_records(table, shift, found.count, gaps), MOST_ENTRIES))
    cut = len(table) < size or (len(records) == MOST_ENTRIES and found.count != MOST_ENTRIES)
    if cut:
        detail = f"its directory states {found.count:,} members; those after the first {len(records):,} were not read"
        gaps.append(Gap(reason=Reason.BUDGET, detail=detail))
    return Directory(records=records, start=start, shift=shift, gaps=gaps, cut=cut)


def stands_in(source: BinaryIO) -> bool:
    """Whether a ZIP stands at the end of these bytes, as in self-extracting programs, or behind a picture."""
    try:
        found = directory(source)
    except (Damage, struct.error, ValueError, OverflowError, IndexError, EOFError):
        return False
    return bool(found and found.records)


def _records(table: bytes, shift: int, count: int, gaps: list[Gap]) -> Iterator[Record]:
    at = found = 0
    while at + _CENTRAL.size <= len(table) and table.startswith(b"PK\1\2", at):
        (
            _, _, system, _, _, flags, method, stamp, day, crc, packed, size, name_size, extra_size, comment_size, _, _,
            attributes, offset,
        ) = _CENTRAL.unpack_from(table, at)  # fmt: skip
        body = at + 46
        end = body + name_size
        raw_name = table[body:end]
        extra = table[end : end + extra_size] if extra_size else b""
        likely = b"" if flags & 8 else b"PK\3\4" + table[at + 6 : at + 30]  # the same fields in the same order
        if packed == _WIDE or size == _WIDE or offset == _WIDE:
            size, packed, offset = _wide(extra, size, packed, offset)
            likely = b""
        if len(raw_name) < name_size:
            break
        name = _text(raw_name, flags)
        modified = None
        if extra:
            name, disputed = _unicode_name(extra, raw_name, name)
            if disputed:
                gaps.append(disputed)
            modified = _stamped(extra)
        yield Record(
            name=name,
            raw=raw_name,
            likely=likely,
            method=method,
            flags=flags,
            crc=crc,
            packed=packed,
            size=size,
            offset=offset + shift,
            attributes=attributes,
            system=system,
            modified=modified or _dos(day, stamp),
        )
        found += 1
        at = end + extra_size + comment_size
    if at != len(table) or found & _WIDE_COUNT != count & _WIDE_COUNT:
        gaps.append(
            Gap(
                reason=Reason.DAMAGED,
                detail=f"its directory states {count:,} members and {found:,} could be read in it",
            )
        )


def local(source: BinaryIO, record: Record) -> int:
    """Where a member's bytes begin; notes in the record where its own header says other things than the directory."""
    if record.likely and record.raw is not None and isinstance(source, Slice):
        length = len(record.raw) + 30
        held, at = source.window(record.offset, length)
        if held.startswith(record.likely, at) and held.startswith(record.raw, at + 30) and at + length <= len(held):
            record.data = data = record.offset + length + held[at + 28] + (held[at + 29] << 8)
            record.end = data + record.packed
            return data
    likely = _LOCAL.size + (len(record.name) * 4 if record.raw is None else len(record.raw)) + 64
    raw = _part(source, record.offset, likely)
    if len(raw) < _LOCAL.size or not raw.startswith(b"PK\3\4"):
        raise Damage("no header stands where the directory says it begins")
    _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack_from(raw)
    needed = _LOCAL.size + name_size + extra_size
    if len(raw) < needed:
        raw = _part(source, record.offset, needed)
    here_name = raw[_LOCAL.size : _LOCAL.size + name_size]
    if _WIDE in (packed, size):
        extra = raw[_LOCAL.size + name_size : needed]
        size, packed, _ = _wide(extra, size, packed, 0)
    record.data = record.offset + needed
    record.end = record.data + record.packed
    same = (record.raw, record.flags & 1, record.method, record.crc, record.packed, record.size)
    if same == (here_name, flags & 1, method, crc, packed, size) and not flags & 8:
        return record.data
    pairs: list[tuple[str, object, object]] = [("method", record.method, method)]
    if here_name != record.raw and (record.raw is not None or _text(here_name, flags) != record.name):
        pairs.insert(0, ("name", record.name, _text(here_name, flags)))
    figures = [("size", record.size, size), ("packed size", record.packed, packed), ("CRC", record.crc, crc)]
    # With a descriptor they may be zero here; bit 13 hides them where the directory is encrypted.
    pairs += [row for row in figures if not flags & 0x2000 and (not flags & 8 or row[2] not in (0, _WIDE))]
    record.differences = [(what, repr(there), repr(here)) for what, there, here in pairs if there != here]
    if bool(flags & 1) != bool(record.flags & 1):
        record.differences.append(("encrypted", str(bool(record.flags & 1)), str(bool(flags & 1))))
    if flags & 8:
        _descriptor(source, record)
    return record.data


def _part(source: BinaryIO, start: int, size: int) -> bytes:
    if isinstance(source, Slice):
        return source.near(start, size)
    source.seek(start)
    return source.read(size)


def _descriptor(source: BinaryIO, record: Record) -> None:
    """The descriptor after a member (APPNOTE 4.3.9): 12 or, with 64-bit sizes, 20 bytes, with or without a mark of 4.

    Some writers set its flag and leave it out; then the next header stands there."""
    source.seek(record.end)
    after = source.read(24)
    forms = [(marked, wide) for marked in (4, 0) for wide in (4, 8)]
    for marked, wide in forms:
        if marked and not after.startswith(b"PK\7\x08"):
            continue
        crc = int.from_bytes(after[marked : marked + 4], "little")
        packed = int.from_bytes(after[marked + 4 : marked + 4 + wide], "little")
        size = int.from_bytes(after[marked + 4 + wide : marked + 4 + 2 * wide], "little")
        if (crc, packed, size) == (record.crc, record.packed, record.size):
            record.end += marked + 4 + 2 * wide
            return
    if after.startswith((b"PK\3\4", b"PK\1\2", b"PK\6\x08")):
        return
    if after.startswith(b"PK\7\x08"):
        crc, packed, size = struct.unpack("<3L", after[4:16].ljust(12, b"\0"))
        said = (
            f"CRC {crc}, {packed:,} packed to {size:,} bytes",
            f"CRC {record.crc}, {record.packed:,} packed to {record.size:,} bytes",
        )
        record.differences.append(("after the member", said[1], said[0]))
        record.end += 16


def _unicode_name(extra: bytes, raw: bytes, name: str) -> tuple[str, Gap | None]:
    """The name that an Info-ZIP Unicode path field (APPNOTE 4.6.9) gives, where its check sum fits the plain name.

    It is there for names that the old code page cannot spell. Beside a plain ASCII name it has no honest use: Info-ZIP
    and 7-Zip would unpack the one, Java and Python the other."""
    for tag, body in _extras(extra):
        if tag == 0x7075 and len(body) > 5 and body[0] == 1 and int.from_bytes(body[1:5], "little") == zlib.crc32(raw):
            said = body[5:].decode("utf-8", "surrogateescape")
            if said != name and raw.isascii():
                detail = f"its Unicode field names it {said!r}; programs differ in which name they unpack"
                return name, Gap(reason=Reason.DISPUTED, name=name, detail=detail)
            return said, None
    return name, None


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


@lru_cache(maxsize=4096)  # files of one release have few stamps
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
