"""Authenticode: the signature inside a program for Windows, its digest computed again from the program's bytes.

Source: Microsoft, "Windows Authenticode Portable Executable Signature Format", 2008; PE format, "Attribute certificate
table". Left out of the digest are the checksum, the directory entry of the certificate table, and that table.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from fulldress.facts import AnyFact, Integrity, Reason
from fulldress.package.reader import Member, NotRead, Package
from fulldress.package.signatures import cms
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Covered, Ground, signature

_SPC_INDIRECT = "1.3.6.1.4.1.311.2.1.4"
_LARGEST_TABLE = 16_000_000
_CHUNK = 1 << 20


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a program things lie, in bytes from its start."""

    checksum: int
    directory: int  #: entry of the certificate table
    table: int
    size: int
    end: int  #: length of the file


def place(stream: BinaryIO) -> Place | None:
    """The certificate table of a PE file, or None where it has none."""
    try:
        stream.seek(0, 2)
        end = stream.tell()
        stream.seek(0x3C)
        (header,) = struct.unpack("<I", stream.read(4))
        stream.seek(header)
        raw = stream.read(24 + 2)
        if raw[:4] != b"PE\0\0":
            return None
        (kind,) = struct.unpack_from("<H", raw, 24)
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
    return Place(checksum=base + 64, directory=entry, table=table, size=size, end=end)


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


def read(package: Package, member: Member, ground: Ground) -> Iterator[AnyFact]:
    """Every signature of one program."""
    try:
        stream = package.open(member.path)
    except (NotRead, OSError):
        return
    with stream:
        where = place(stream)
        if where is None:
            return
        if where.table + where.size > where.end or where.size > _LARGEST_TABLE:
            detail = "its certificate table lies beyond its end" if where.size <= _LARGEST_TABLE else "it is too large"
            yield unread(member.evidence(), f"signature of {member.name}", Reason.CANNOT, detail, needed=False)
            return
        stream.seek(where.table)
        table = stream.read(where.size)
        tail = where.end - where.table - where.size
        for raw in _blobs(table):
            try:
                data = cms.parse(raw)
                yield from _judged(data, stream, where, member, ground, tail, nested=False)
            except cms.NotCms as error:
                yield unread(member.evidence(), f"signature of {member.name}", Reason.CANNOT, str(error), needed=False)


def _blobs(table: bytes) -> Iterator[bytes]:
    """The PKCS #7 entries of a certificate table; every entry is padded to eight bytes."""
    at = 0
    while at + 8 <= len(table):
        length, _, kind = struct.unpack_from("<IHH", table, at)
        if length < 8:
            return
        if kind == 2:
            yield table[at + 8 : at + length]
        at += (length + 7) // 8 * 8


def _judged(
    data: cms.SignedData,
    stream: BinaryIO,
    where: Place,
    member: Member,
    ground: Ground,
    tail: int,
    *,
    nested: bool,
) -> Iterator[AnyFact]:
    name, wanted = _indirect(data)
    if data.content is None or not name:
        detail = "it does not say the digest of the program"
        yield unread(member.evidence(), f"signature of {member.name}", Reason.CANNOT, detail, needed=False)
        return
    content = data.content
    actual = digest(stream, where, name)
    for signer in data.signers:
        covered = Covered(entries=(member.path,), digest=cms.digest_of(content), content=lambda: content)
        more = [f"its digest of the program is {name.upper()}, which can be forged"] if name in ("md5", "sha1") else []
        remarks = [f"{tail} bytes follow the signature"] if tail else []
        fact = signature(
            signer,
            data,
            covered,
            ground,
            member.evidence(),
            member.path,
            scheme="Authenticode",
            more=more,
            remarks=remarks,
        )
        if actual != wanted:
            words = fact.words.replace(
                "bytes intact", "bytes not intact: the program is not the one that was signed", 1
            )
            fact = msgspec.structs.replace(fact, integrity=Integrity.BROKEN, words=words)
        yield fact
        if not nested:
            for attribute in signer.info["unsigned_attrs"] or ():
                if attribute["type"].native != "microsoft_nested_signature":
                    continue
                for value in attribute["values"]:
                    inner = cms.parse(value.dump())
                    yield from _judged(inner, stream, where, member, ground, tail, nested=True)


def _indirect(data: cms.SignedData) -> tuple[str, bytes]:
    """Hash and digest in SpcIndirectDataContent; empty where there is none."""
    from asn1crypto import algos, core

    if data.content_type != _SPC_INDIRECT or data.content is None:
        return "", b""
    try:
        # the content is a SEQUENCE without its own head: the attribute, then DigestInfo
        first = core.Sequence.load(data.content)
        rest = data.content[len(first.dump()) :]
        info = algos.DigestInfo.load(rest)
        name = str(info["digest_algorithm"]["algorithm"].native)
        found = bytes(info["digest"].native)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return "", b""
    return (name, found) if name in cms.HASHES else ("", b"")
