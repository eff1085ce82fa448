"""Code signatures of macOS in programs (Mach-O): pages, the list that names their digests, and who signed that list.

Source: Apple, <kern/cs_blobs.h> and <mach-o/loader.h>. A signature without certificates ("ad hoc", as linkers make them)
says nothing of a maker, and is none here. What a bundle's list of files covers is in :mod:`coderesources`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from fulldress.facts import AnyFact, Integrity, Reason, Signature
from fulldress.package.signatures import cms, coderesources
from fulldress.package.signatures.carriers import Held
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Covered, Ground, signature

KINDS = frozenset({"macho"})
MAGIC = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
_LOAD, _SUPER, _DIRECTORY, _WRAPPED = 0x1D, 0xFADE0CC0, 0xFADE0C02, 0xFADE0B01
_CMS = 0x10000
_LARGEST = 32_000_000
_MOST_PARTS = 32
_HASHES = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha256", 20), 4: ("sha384", 48)}
_INFO, _RESOURCES = 1, 3
_OWN = {2: 2, 5: 5, 7: 7}  #: special slots whose bytes lie in the signature itself: slot -> kind of blob


class NotSigned(Exception):
    """No signature, or one that cannot be read: the message says why; empty where there is simply none."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A CodeDirectory: the digests of a program's pages and of what belongs to it."""

    raw: bytes
    hash: str
    size: int  #: bytes of one digest
    page: int  #: bytes of one page; 0: all is one page
    limit: int  #: bytes of the program that are covered
    pages: bytes
    special: tuple[bytes, ...]  #: slot 1, 2, …
    ad_hoc: bool


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A program for one processor in the file."""

    base: int
    blobs: dict[int, bytes]
    directories: tuple[Listed, ...]


def judge(held: Held, ground: Ground) -> Iterator[AnyFact]:
    """The signature of a program; of one for several processors, those that differ."""
    seen: set[object] = set()
    try:
        parts = list(_parts(held.stream))
    except (NotSigned, struct.error, OSError) as problem:
        parts = []
        if isinstance(problem, NotSigned) and str(problem):
            yield unread(held.evidence, f"signature of {held.name}", Reason.CANNOT, str(problem), needed=False)
    for part in parts:
        for fact in _judged(part, held, ground):
            if isinstance(fact, Signature):
                mark = (fact.signer, fact.integrity, fact.trust)
                if mark in seen:
                    continue
                seen.add(mark)
            yield fact


def _parts(stream: BinaryIO) -> Iterator[Part]:
    stream.seek(0)
    head = stream.read(8)
    if head[:4] in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"):
        wide = head[3] == 0xBF
        (count,) = struct.unpack(">I", head[4:8])
        if count > _MOST_PARTS:
            return
        rows = stream.read(count * (32 if wide else 20))
        for index in range(count):
            base = struct.unpack_from(">Q" if wide else ">I", rows, index * (32 if wide else 20) + 8)[0]
            if (part := _part(stream, base)) is not None:
                yield part
    elif (part := _part(stream, 0)) is not None:
        yield part


def _part(stream: BinaryIO, base: int) -> Part | None:
    stream.seek(base)
    head = stream.read(32)
    if len(head) < 32 or head[:4] not in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"):
        return None
    count, size = struct.unpack_from("<II", head, 16)
    stream.seek(base + (32 if head[0] == 0xCF else 28))
    commands = stream.read(min(size, 1 << 20))
    at = 0
    for _ in range(count):
        if at + 16 > len(commands):
            return None
        kind, length = struct.unpack_from("<II", commands, at)
        if length < 8:
            return None
        if kind == _LOAD:
            start, size = struct.unpack_from("<II", commands, at + 8)
            if size > _LARGEST:
                raise NotSigned(f"{size:,} bytes are too many for a signature")
            stream.seek(base + start)
            return _super(stream.read(size), base)
        at += length
    return None


def _super(data: bytes, base: int) -> Part | None:
    if len(data) < 12 or struct.unpack_from(">I", data)[0] != _SUPER:
        return None
    (count,) = struct.unpack_from(">I", data, 8)
    blobs: dict[int, bytes] = {}
    for index in range(min(count, 64)):
        kind, at = struct.unpack_from(">II", data, 12 + index * 8)
        _, length = struct.unpack_from(">II", data, at)
        blobs[kind] = data[at : at + length]
    found = [
        _directory(blob)
        for kind, blob in sorted(blobs.items())
        if (kind == 0 or 0x1000 <= kind < 0x1005) and blob[:4] == _DIRECTORY.to_bytes(4, "big")
    ]
    if not found:
        return None
    return Part(base=base, blobs=blobs, directories=tuple(found))


def _directory(blob: bytes) -> Listed:
    version, flags, hashes, _, special, slots, limit = struct.unpack_from(">7I", blob, 8)
    size, kind, _, page = struct.unpack_from(">4B", blob, 36)
    if version >= 0x20300 and len(blob) >= 64:
        limit = struct.unpack_from(">Q", blob, 56)[0] or limit
    name, wanted = _HASHES.get(kind, ("", 0))
    if not name or wanted != size or page > 20 or hashes + slots * size > len(blob) or special * size > hashes:
        raise NotSigned("its list of digests is of a kind that is not understood, or damaged")
    return Listed(
        raw=blob,
        hash=name,
        size=size,
        page=1 << page if page else 0,
        limit=limit,
        pages=blob[hashes : hashes + slots * size],
        special=tuple(blob[hashes - slot * size : hashes - slot * size + size] for slot in range(1, special + 1)),
        ad_hoc=bool(flags & 2),
    )


def _judged(part: Part, held: Held, ground: Ground) -> Iterator[AnyFact]:
    wrapped = part.blobs.get(_CMS, b"")[8:]
    if len(wrapped) < 16:
        return  # ad hoc: nobody's word
    try:
        data = cms.parse(wrapped)
    except cms.NotCms as error:
        yield unread(held.evidence, f"signature of {held.name}", Reason.CANNOT, str(error), needed=False)
        return
    first = part.directories[0]
    problem = next((wrong for one in part.directories if (wrong := _wrong(held.stream, part, one))), "")
    special = {"info": _special(first, _INFO), "resources": _special(first, _RESOURCES)}
    bundle = coderesources.beside(held, special, first.hash)
    problem = problem or bundle.problem
    for signer in data.signers:
        covered = Covered(entries=(held.path, *bundle.good), digest=cms.digest_of(first.raw), content=lambda: first.raw)
        strongest = any(one.hash != "sha1" and _attested(signer, one) for one in part.directories[1:])
        weak = first.hash == "sha1" and not strongest
        fact = signature(
            signer,
            data,
            covered,
            ground,
            held.evidence,
            held.path,
            scheme="macOS",
            more=["its digests of the program are SHA1, which can be forged"] if weak else [],
            remarks=bundle.remarks,
        )
        if problem and fact.integrity is Integrity.INTACT:
            said = f"bytes not intact: {problem}"
            words = fact.words.replace("bytes intact", said, 1)
            fact = msgspec.structs.replace(fact, integrity=Integrity.BROKEN, words=words)
        yield msgspec.structs.replace(fact, left_out=bundle.left_out)


def _special(listed: Listed, slot: int) -> bytes:
    """The digest in a special slot; empty where there is none."""
    found = listed.special[slot - 1] if slot <= len(listed.special) else b""
    return b"" if not any(found) else found


def _attested(signer: cms.Signer, listed: Listed) -> bool:
    """Whether the signed attributes name the digest of a further list (Apple's attribute 1.2.840.113635.100.9.2)."""
    digest = hashlib.new(listed.hash, listed.raw).digest()
    attributes: Any = signer.info["signed_attrs"]
    return any(
        attribute["type"].dotted == "1.2.840.113635.100.9.2" and digest in attribute.dump() for attribute in attributes
    )


def _wrong(stream: BinaryIO, part: Part, listed: Listed) -> str:
    """Why the program is not the one that the list is of; empty: it is."""
    page = listed.page or listed.limit or 1
    slots = len(listed.pages) // listed.size
    if slots * page < listed.limit:
        return "its list of digests is shorter than the program"
    stream.seek(part.base)
    left = listed.limit
    for index in range(slots):
        take = min(page, left)
        state = hashlib.new(listed.hash, usedforsecurity=False)
        while take > 0 and (chunk := stream.read(min(take, 1 << 20))):
            state.update(chunk)
            take -= len(chunk)
            left -= len(chunk)
        wanted = listed.pages[index * listed.size : (index + 1) * listed.size]
        if take or state.digest()[: listed.size] != wanted:
            return "the program is not the one that was signed"
    for slot, kind in _OWN.items():
        wanted = _special(listed, slot)
        blob = part.blobs.get(kind, b"")
        if wanted and hashlib.new(listed.hash, blob, usedforsecurity=False).digest()[: listed.size] != wanted:
            return "what it may do or be taken for (entitlements, requirements) was changed"
    return ""
