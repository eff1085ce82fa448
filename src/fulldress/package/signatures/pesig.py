"""Authenticode in programs for Windows (PE): the table of signatures, the digest, and the digests of single pages.

Source: PE format, "Attribute certificate table"; "Windows Authenticode Portable Executable Signature Format". Left out of
the digest are the checksum, the directory entry of the certificate table, and that table.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec

from fulldress.facts import AnyFact
from fulldress.package.signatures import authenticode
from fulldress.package.signatures.carriers import Held
from fulldress.package.signatures.judged import Ground

KINDS = frozenset({"pe"})
MAGIC = (b"MZ",)
_LARGEST_TABLE = 16_000_000
_CHUNK = 1 << 20
#: SpcPeImagePageHashes, versions 1 (SHA-1) and 2 (SHA-256), as they stand in DER.
_PAGES = {
    "sha1": bytes.fromhex("060a2b060104018237020301"),
    "sha256": bytes.fromhex("060a2b060104018237020302"),
}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a program things lie, in bytes from its start."""

    checksum: int
    directory: int  #: entry of the certificate table
    table: int
    size: int
    end: int  #: length of the file
    page: int = 4096  #: bytes of a page (SectionAlignment)
    headers: int = 0  #: bytes of all headers


def place(stream: BinaryIO) -> Place | None:
    """The certificate table of a PE file, or None where it has none."""
    try:
        stream.seek(0, 2)
        end = stream.tell()
        stream.seek(0x3C)
        (header,) = struct.unpack("<I", stream.read(4))
        stream.seek(header)
        raw = stream.read(24 + 64)
        if raw[:4] != b"PE\0\0":
            return None
        (kind,) = struct.unpack_from("<H", raw, 24)
        (page,) = struct.unpack_from("<I", raw, 24 + 32)
        (headers,) = struct.unpack_from("<I", raw, 24 + 60)
        base = header + 24
        directories = {0x10B: 96, 0x20B: 112}.get(kind)
        if directories is None:
            return None
        stream.seek(base + directories - 4)
        (count,) = struct.unpack("<I", stream.read(4))
        if count < 5:
            return None
        entry = base + directories + 4 * 8
        stream.seek(entry)
        table, size = struct.unpack("<II", stream.read(8))
    except (struct.error, OSError, ValueError):
        return None
    if not table or size < 8:
        return None
    return Place(checksum=base + 64, directory=entry, table=table, size=size, end=end, page=page, headers=headers)


def digest(stream: BinaryIO, where: Place, name: str) -> bytes:
    """The digest of a program without what a signature may change."""
    state = hashlib.new(name, usedforsecurity=False)
    stop = min(where.table, where.end)
    for start, end in ((0, where.checksum), (where.checksum + 4, where.directory), (where.directory + 8, stop)):
        _feed(stream, state, start, end)
    after = where.table + where.size
    if after < where.end:  # whatever follows the table is hashed, too
        _feed(stream, state, after, where.end)
    return state.digest()


def _feed(stream: BinaryIO, state: Any, start: int, end: int) -> None:
    stream.seek(start)
    left = end - start
    while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
        state.update(chunk)
        left -= len(chunk)


def judge(held: Held, ground: Ground) -> Iterator[AnyFact]:
    """Every signature of one program."""
    stream = held.stream
    where = place(stream)
    if where is None:
        return
    if where.table + where.size > where.end or where.size > _LARGEST_TABLE:
        beyond = where.size <= _LARGEST_TABLE
        yield authenticode.cannot(held, "its certificate table lies beyond its end" if beyond else "it is too large")
        return
    stream.seek(where.table)
    table = stream.read(where.size)
    tail = where.end - where.table - where.size
    for raw, hidden in _blobs(table):

        def remarks(content: bytes, hidden: int = hidden) -> Sequence[str]:
            said = [f"{tail} bytes follow the signature"] if tail else []
            if hidden:
                # No signature is over the table, so that anything may be put there: Microsoft's advisory MS13-098.
                said.append(f"{hidden} bytes that nobody signed lie hidden beside the signature")
            return [*said, *_pages(stream, where, content)]

        yield from authenticode.judged(raw, lambda name: digest(stream, where, name), held, ground, remarks)


def _blobs(table: bytes) -> Iterator[tuple[bytes, int]]:
    """The PKCS #7 entries of a certificate table, and how many bytes that are no padding follow each in its entry.

    Every entry is padded to eight bytes with zeros."""
    at = 0
    while at + 8 <= len(table):
        length, _, kind = struct.unpack_from("<IHH", table, at)
        if length < 8:
            return
        if kind == 2:
            raw = table[at + 8 : at + length]
            yield raw, len(raw[_der(raw) :].strip(b"\0"))
        at += (length + 7) // 8 * 8


def _der(raw: bytes) -> int:
    """The length of the DER value at the start; all of ``raw`` where there is none."""
    if len(raw) < 2 or raw[0] != 0x30:
        return len(raw)
    if raw[1] < 0x80:
        return 2 + raw[1]
    count = raw[1] & 0x7F
    return 2 + count + int.from_bytes(raw[2 : 2 + count], "big") if 0 < count <= 4 else len(raw)


def _pages(stream: BinaryIO, where: Place, content: bytes) -> Iterator[str]:
    """What to say of the digests of single pages, by which Windows may check a program while it loads it."""
    for name, mark in _PAGES.items():
        at = content.find(mark)
        if at < 0:
            continue
        listed = _octets(content[at + len(mark) :])
        size = hashlib.new(name, usedforsecurity=False).digest_size
        rows = [
            (int.from_bytes(listed[row : row + 4], "little"), listed[row + 4 : row + 4 + size])
            for row in range(0, len(listed) - size - 3, size + 4)
        ]
        if not rows:
            yield "its digests of single pages could not be read"
            continue
        ends = [start for start, _ in rows[1:]]
        # the last row only says where the last section ends
        wrong = sum(
            _page(stream, where, start, end, name) != wanted
            for (start, wanted), end in zip(rows[:-1], ends, strict=True)
        )
        if wrong:
            yield f"{wrong} of {len(rows) - 1} digests of single pages do not fit"


def _page(stream: BinaryIO, where: Place, start: int, end: int, name: str) -> bytes:
    """The digest of one page, filled up with zeros; the headers are the first, without checksum and directory entry."""
    state = hashlib.new(name, usedforsecurity=False)
    page = min(where.page, 1 << 20)
    if start == 0:
        stop = min(where.headers, page)
        for begin, close in ((0, where.checksum), (where.checksum + 4, where.directory), (where.directory + 8, stop)):
            _feed(stream, state, begin, close)
        state.update(b"\0" * (page - stop))
        return state.digest()
    length = max(0, min(page, end - start))
    _feed(stream, state, start, start + length)
    state.update(b"\0" * (page - length))
    return state.digest()


def _octets(data: bytes) -> bytes:
    """The OCTET STRING in the SET that follows; empty where it is not there."""
    from asn1crypto import core

    try:
        inner = core.SetOf.load(data, spec=core.OctetString)
        return bytes(inner[0])
    except (ValueError, TypeError, IndexError):
        return b""
