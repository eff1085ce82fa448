"""ZIP, read by both of its tables: the directory at its end and the header before each member.

Programs differ in which of the two they believe; where the two differ, so would the programs, and that is said.
Format: PKWARE APPNOTE 6.3.10. An overlap check is needed because one compressed stream may serve many members
(CVE-2024-0450).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from typing import BinaryIO, cast

from isal import igzip_lib, isal_zlib

from fulldress.facts import Reason
from fulldress.package.archives import Damage, Gap, Offer
from fulldress.package.archives.streams import CHUNK, Inflated, Slice
from fulldress.package.archives.zipdirectory import ENCRYPTED, Directory, Record, directory, local, scattered

_METHODS = {
    1: "shrink",
    6: "implode",
    9: "Deflate64",
    12: "bzip2",
    14: "LZMA",
    93: "Zstandard",
    95: "xz",
    98: "PPMd",
    99: "AES",
}
_INFLATED = {8: "deflate", 12: "bz2", 93: "zst", 95: "xz"}
_SMALL = 1 << 20
_SLIP = 2  #: bytes
_WHOLE = 1 << 24  #: larger members are streamed
_FAULT = cast(type[Exception], isal_zlib.IsalError)

#: Name under which what stands before the archive is offered: the program or script that unpacks it.
BEFORE = "(before the archive)"


def members(source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]:
    """The members of the directory in the order in which they stand in the file, then what the directory hides."""
    found = directory(source)
    if found is None:
        source.seek(0)
        part = source.read(4) in (
            b"PK\7\x08",
            b"PK00",
        )  # the mark of a split archive's first part (APPNOTE 8.5.3, 8.5.4)
        why = "it is the first of several parts" if part else "it was cut off"
        yield Gap(
            reason=Reason.MISSING if part else Reason.DAMAGED,
            detail=f"its directory is missing: {why}; members were read by their own headers",
        )
        for record in scattered(source, 4 if part else 0, None):
            yield record if isinstance(record, Gap) else _offer(source, record, record.data)
        return
    yield from found.gaps
    if found.sealed:
        return
    seen: set[str] = set()
    end = 0
    for record in sorted(found.records, key=attrgetter("offset")):
        if record.name in seen:
            yield Gap(
                reason=Reason.DISPUTED,
                name=record.name,
                detail="the archive holds two members of this name; programs differ in which one they unpack",
            )
        seen.add(record.name)
        try:
            start = local(source, record)
        except Damage as damage:
            yield Gap(reason=Reason.DAMAGED, name=record.name, detail=str(damage))
            yield _closed(record, Reason.DAMAGED, str(damage))
            continue
        if record.differences:
            yield from _disagreements(record)
        # Two bytes too many are a known slip of writers and harmless (Cisco-Talos/clamav#561).
        offset = record.offset
        if offset + _SLIP < end:
            detail = "its bytes overlap with those of the member before it; it was not read"
            yield _closed(record, Reason.REFUSED, detail)
            continue
        if start + record.packed > end:
            end = start + record.packed
        if end > found.start + _SLIP:
            yield _closed(record, Reason.REFUSED, "its bytes overlap with the directory; it was not read")
            continue
        if record.size and record.name.endswith("/"):
            yield Gap(
                reason=Reason.DISPUTED,
                name=record.name,
                detail=f"a folder by its name that holds {record.size:,} bytes; programs differ in what they make of it",
            )
        yield _offer(source, record, start)
    if not found.cut:
        yield from _hidden(source, found)


def _offer(source: BinaryIO, record: Record, start: int) -> Offer:
    name, size, packed, attributes = record.name, record.size, record.packed, record.attributes
    if (
        size <= _WHOLE
        and packed <= _WHOLE
        and record.checked
        and record.method in (0, 8)
        and not record.flags & ENCRYPTED
        and name[-1:] != "/"
        and (record.system != 3 or attributes >> 28 in (0, 0o10))
    ):  # as nearly all of them are: described at once
        content = partial(_content, source, record, start)
        return Offer(
            name=name,
            size=size,
            packed=packed,
            modified=record.modified,
            mode=attributes >> 16 & 0o7777 if record.system == 3 and attributes >> 16 else None,
            chunks=content,
            again=content,
            whole=partial(_whole, source, record, start),
        )
    offer = _described(record)
    if offer.shape == "folder":
        return offer
    if record.flags & ENCRYPTED:
        offer.closed = (Reason.ENCRYPTED, "it needs a password")
    elif record.method not in (0, 8, 12, 14, 93, 95):
        offer.closed = (Reason.FORMAT, f"packed with {_METHODS.get(record.method, f'method {record.method}')}")
    elif offer.shape == "link":
        try:
            target = b"".join(_content(source, record, start)) if record.size <= 4096 else b""
        except Damage as damage:
            offer.shape, offer.closed = "file", (Reason.DAMAGED, f"a link whose target cannot be read: {damage}")
            return offer
        offer.link = target.decode("utf-8", "surrogateescape")
    else:
        offer.chunks = offer.again = partial(_content, source, record, start)
    return offer


def _closed(record: Record, reason: Reason, detail: str) -> Offer:
    offer = _described(record)
    offer.closed = (reason, detail)
    return offer


def _described(record: Record) -> Offer:
    shape = "folder" if record.name.endswith("/") else "file"
    mode = None
    if record.system == 3 and record.attributes >> 16:  # made on Unix: the upper half is st_mode
        mode = record.attributes >> 16 & 0o7777
        kind = record.attributes >> 28
        shape = {0o04: "folder", 0o12: "link", 0o02: "device", 0o06: "device", 0o01: "device"}.get(kind, shape)
    return Offer(
        name=record.name, shape=shape, size=record.size, packed=record.packed, modified=record.modified, mode=mode
    )


def _content(source: BinaryIO, record: Record, start: int) -> Iterator[bytes]:
    """The bytes of a member, checked against the size and the CRC that the directory states."""
    given, crc = 0, 0
    for chunk in _unpacked(source, record, start):
        given += len(chunk)
        crc = isal_zlib.crc32(chunk, crc)
        if given > record.size and record.checked:
            raise Damage(f"it holds more than the {record.size:,} bytes that the directory states")
        yield chunk
    if record.checked and given != record.size:
        raise Damage(f"it holds {given:,} bytes; the directory states {record.size:,}")
    if record.checked and crc != record.crc:
        raise Damage("its check sum (CRC-32) is wrong")


def _whole(source: BinaryIO, record: Record, start: int) -> bytes:
    """The same of a small member, without a stream."""
    packed, size = record.packed, record.size
    raw = source.part(start, packed) if isinstance(source, Slice) else Slice(source, start, packed).read()
    if len(raw) < packed:
        raise Damage("it is cut off")
    data = _inflated(raw, size) if record.method == 8 else raw
    if len(data) != size or isal_zlib.crc32(data) != record.crc:
        raise Damage("its size or its check sum is wrong")
    return data


def _inflated(raw: bytes, size: int) -> bytes:
    """A deflate stream of a known size in one call. One byte more shows a lying size."""
    decoder = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    try:
        data = decoder.decompress(raw, size + 1)
    except _FAULT as fault:
        raise Damage(f"its deflate stream is damaged ({fault})") from fault
    if not decoder.eof and len(data) <= size:
        raise Damage("its deflate stream ends in the middle")
    if decoder.unused_data:
        raise Damage(f"{len(decoder.unused_data):,} bytes follow its deflate stream")
    return data


def _unpacked(source: BinaryIO, record: Record, start: int) -> Iterator[bytes]:
    packed = Slice(source, start, record.packed)
    if record.method == 8 and record.packed <= _SMALL and record.size <= _SMALL:
        yield _inflated(packed.read(), record.size)  # one call instead of a stream
        return
    if record.method == 0:
        while chunk := packed.read(CHUNK):
            yield chunk
        if packed.tell() < record.packed:
            raise Damage("it is cut off")
    elif record.method == 14:
        yield from _lzma(packed)
    else:
        stream = Inflated(cast(BinaryIO, packed), _INFLATED[record.method])
        while chunk := stream.read(CHUNK):
            yield chunk
        if stream.trailing:
            raise Damage(f"{stream.trailing:,} bytes follow its compressed stream")


def _lzma(packed: Slice) -> Iterator[bytes]:
    """Raw LZMA with the properties before it (APPNOTE 5.8.8)."""
    import lzma

    head = packed.read(9)
    if len(head) < 9 or head[2:4] != b"\5\0" or head[4] >= 225:
        raise Damage("its LZMA properties are damaged")
    lc, rest = head[4] % 9, head[4] // 9
    filters = [
        {
            "id": lzma.FILTER_LZMA1,
            "dict_size": min(max(int.from_bytes(head[5:9], "little"), 4096), 1 << 28),
            "lc": lc,
            "lp": rest % 5,
            "pb": rest // 5,
        }
    ]
    try:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        while not decoder.eof:
            raw = packed.read(1 << 16) if decoder.needs_input else b""
            if not raw and decoder.needs_input:
                return  # a stream without an end mark; the size is checked by the caller
            yield decoder.decompress(raw, CHUNK)
    except lzma.LZMAError as fault:
        raise Damage(f"its LZMA stream is damaged ({fault})") from fault


def _disagreements(record: Record) -> Iterator[Gap]:
    """Where the header before a member says other things than the directory."""
    for what, there, here in record.differences:
        yield Gap(
            reason=Reason.DISPUTED,
            name=record.name,
            detail=f"the directory says {what} {there}, the header before the member {here}; programs differ in what they read",
        )


def _hidden(source: BinaryIO, found: Directory) -> Iterator[Offer | Gap]:
    """Bytes between, before and after the members that no directory entry claims."""
    claimed = sorted((record.offset, record.end) for record in found.records)
    first = claimed[0][0] if claimed else found.start
    yield from _before(source, first)
    at = first
    for start, end in [*claimed, (found.start, found.start)]:
        if start > at and not _signing_block(source, start):
            yield from _between(source, at, start)
        at = max(at, end)


def _before(source: BinaryIO, length: int) -> Iterator[Offer | Gap]:
    """What stands before the first member: the program that unpacks it, or another archive."""
    if not length:
        return
    ahead = Slice(source, 0, length)
    if ahead.read(4) == b"PK\3\4":
        ahead.seek(max(0, length - (1 << 16)))
        if b"PK\5\6" in ahead.read():
            detail = f"the {length:,} bytes before it are an archive of their own; programs differ in which they open"
            yield Gap(reason=Reason.DISPUTED, detail=detail)
        yield from _between(source, 0, length)
        return
    yield Gap(
        reason=Reason.DISPUTED,
        needed=False,
        detail=f"{length:,} bytes stand before the archive{_kind_of(source, length)}; the archive's own tools pass over them",
    )
    part = Offer(name=BEFORE, size=length, packed=length)
    part.chunks = part.again = lambda: _pieces(ahead.another())
    yield part


def _pieces(part: Slice) -> Iterator[bytes]:
    while chunk := part.read(CHUNK):
        yield chunk


def _between(source: BinaryIO, at: int, stop: int) -> Iterator[Offer | Gap]:
    """Members that only their own headers tell of, and bytes that belong to none."""
    for record in scattered(source, at, stop):
        if isinstance(record, Gap):
            rest = Slice(source, at, min(stop - at, CHUNK)).read()
            if rest.strip(b"\0") and not rest.startswith((b"PK\1\2", b"PK\5\6")):
                yield Gap(
                    reason=Reason.DISPUTED,
                    needed=stop - at > 64,
                    detail=f"{stop - at:,} bytes at byte {at:,} belong to no member",
                )
            return
        yield Gap(
            reason=Reason.DISPUTED,
            name=record.name,
            detail="the directory does not list this member, so that most programs don't show it",
        )
        yield _offer(source, record, record.data)
        at = record.end


def _signing_block(source: BinaryIO, end: int) -> bool:
    """Whether Android's signing block ends here (APK Signature Scheme v2): known bytes in a known place."""
    return end >= 16 and Slice(source, end - 16, 16).read() == b"APK Sig Block 42"


def _kind_of(source: BinaryIO, length: int) -> str:
    from fulldress.package.identify import identify

    source.seek(0)
    kind = identify("", source.read(min(length, 4096)))
    return f" ({kind})" if kind != "data" else ""
