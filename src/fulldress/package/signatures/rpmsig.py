"""Signatures of an RPM package: over its header, and over header and payload (RPM file format, versions 4 and 6).

A signature over the header alone covers the payload, too, where the header holds the payload's digest and it fits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

import msgspec

from fulldress.facts import AnyFact, Evidence, Integrity, Reason, Signature, Trust, Witness
from fulldress.package.signatures import bykey, cms, openpgp, packets
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Covered, Ground

_MAGIC = b"\x8e\xad\xe8\x01"
_LEAD = 96
_LARGEST_HEADER = 256_000_000  #: rpm's own limit
_CHUNK = 1 << 20
#: Tags of the signature header (lib/rpmtag.h): over the header, and over header and payload.
_OVER_HEADER = {267: "DSA", 268: "RSA", 278: "OpenPGP"}
_OVER_ALL = {1002: "PGP", 1005: "GPG"}
_SHA1, _SHA256, _MD5 = 269, 273, 1004
_PAYLOAD_DIGEST, _PAYLOAD_ALGORITHM, _NAME = 5092, 5093, 1000


class NotRpm(ValueError):
    """The bytes are no RPM package; the message says why."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    start: int
    end: int
    tags: dict[int, tuple[int, int, bytes]]  #: type, count, bytes from where the value begins

    def blob(self, tag: int) -> bytes:
        kind, count, raw = self.tags.get(tag, (0, 0, b""))
        return raw[:count] if kind == 7 else b""

    def strings(self, tag: int) -> list[str]:
        kind, count, raw = self.tags.get(tag, (0, 0, b""))
        return [part.decode("utf-8", "replace") for part in raw.split(b"\0")[:count]] if kind in (6, 8, 9) else []

    def number(self, tag: int) -> int:
        kind, _, raw = self.tags.get(tag, (0, 0, b""))
        return int.from_bytes(raw[:4], "big") if kind == 4 else 0


def _header(stream: BinaryIO, at: int) -> Header:
    stream.seek(at)
    head = stream.read(16)
    if head[:4] != _MAGIC:
        raise NotRpm("a header does not begin where it should")
    count, size = struct.unpack(">II", head[8:16])
    if count > 100_000 or size > _LARGEST_HEADER:
        raise NotRpm("a header is larger than rpm itself allows")
    index, data = stream.read(16 * count), stream.read(size)
    if len(index) < 16 * count or len(data) < size:
        raise NotRpm("a header is cut off")
    tags = {}
    for row in range(count):
        tag, kind, place, number = struct.unpack_from(">IIII", index, 16 * row)
        if place <= size and tag in (*_OVER_HEADER, *_OVER_ALL, _SHA1, _SHA256, _MD5, 5092, 5093, 1000):
            tags[tag] = (kind, number, data[place : place + 4_000_000])
    return Header(start=at, end=at + 16 + 16 * count + size, tags=tags)


def read(
    stream: BinaryIO, ground: Ground, evidence: Evidence, path: str, covers: tuple[str, ...], whole: bool
) -> Iterator[AnyFact]:
    """Every signature of one package, and whether its digests fit where nobody signed it."""
    try:
        own = _header(stream, _LEAD)
        main = _header(stream, own.end + -own.end % 8)
    except (NotRpm, struct.error, OSError) as error:
        yield unread(evidence, f"signature of {path.rsplit('/', 1)[-1]}", Reason.DAMAGED, str(error))
        return
    end = stream.seek(0, 2)
    problem, covered_payload = _payload(stream, main, end)
    only_header = Covered(
        entries=covers if covered_payload else (),
        whole=whole and covered_payload,
        digest=lambda name: b"",
        feed=partial(_feed, stream, main.start, main.end),
    )
    everything = Covered(
        entries=covers, whole=whole, digest=lambda name: b"", feed=partial(_feed, stream, main.start, end)
    )
    found = 0
    told: list[tuple[object, bool]] = []
    for raw, over, what in _blobs(own):
        try:
            message = openpgp.parse(raw)
        except packets.NotOpenPgp as error:
            yield unread(evidence, f"{what} of {path.rsplit('/', 1)[-1]}", Reason.DAMAGED, str(error))
            continue
        for packet in message.signatures:
            if (packet, over) in told:
                continue  # one may stand there twice: as it is, and in base64
            told.append((packet, over))
            found += 1
            target = everything if over else only_header
            made = openpgp.check(packet, target, ground, f"RPM {what}", "rpm")
            if made.integrity is Integrity.INTACT and not over:
                if problem:
                    made = msgspec.structs.replace(made, integrity=Integrity.BROKEN, problem=problem)
                elif not covered_payload:
                    made = msgspec.structs.replace(
                        made,
                        remarks=(*made.remarks, "it is over the header only, and that names no digest of the contents"),
                    )
            yield bykey.signature(made, target, ground, evidence, path)
    if not found:
        yield from _digests(stream, own, main, end, problem, evidence, path, covers)


def _blobs(own: Header) -> Iterator[tuple[bytes, bool, str]]:
    for tag in (268, 267):
        if raw := own.blob(tag):
            yield raw, False, "header signature"
    for text in own.strings(278):  # version 6: base64, several are allowed
        try:
            yield base64.b64decode(text, validate=True), False, "header signature"
        except (binascii.Error, ValueError):
            yield b"", False, "header signature"
    for tag in _OVER_ALL:
        if raw := own.blob(tag):
            yield raw, True, "signature"


def _payload(stream: BinaryIO, main: Header, end: int) -> tuple[str, bool]:
    """Why the payload is not the one that the header speaks of, and whether the header speaks of one."""
    said = main.strings(_PAYLOAD_DIGEST)
    # packages of rpm 6 name no algorithm, since it is always SHA-256 there
    stated = _PAYLOAD_ALGORITHM in main.tags
    name = packets.HASHES.get(main.number(_PAYLOAD_ALGORITHM), "") if stated else "sha256"
    if not said or name not in cms.HASHES:
        return "", False
    state = hashlib.new(name, usedforsecurity=False)
    _feed(stream, main.end, end, state)
    if state.hexdigest() != said[0].lower():
        return "the contents are not those that the signed header names", True
    return "", True


def _digests(
    stream: BinaryIO,
    own: Header,
    main: Header,
    end: int,
    problem: str,
    evidence: Evidence,
    path: str,
    covers: tuple[str, ...],
) -> Iterator[AnyFact]:
    """Nobody signed it: its digests still show damage."""
    for tag, name in ((_SHA256, "sha256"), (_SHA1, "sha1")):
        said = own.strings(tag)
        if not said:
            continue
        state = hashlib.new(name, usedforsecurity=False)
        _feed(stream, main.start, main.end, state)
        if state.hexdigest() != said[0].lower():
            problem = "the header is not the one that its digest is of"
        words = (
            f"bytes not intact: {problem}"
            if problem
            else "the package's own digests fit; a checksum does not say who made it"
        )
        yield Signature(
            witness=Witness.READ,
            evidence=evidence,
            scheme="checksums",
            path=path,
            covers=covers,
            integrity=Integrity.BROKEN if problem else Integrity.INTACT,
            trust=Trust.UNKNOWN,
            words=words,
        )
        return


def _feed(stream: BinaryIO, start: int, end: int, state: Any) -> None:
    stream.seek(start)
    left = end - start
    while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
        state.update(chunk)
        left -= len(chunk)
