"""minisign and signify signatures (https://jedisct1.github.io/minisign/, signify(1) of OpenBSD)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from fulldress.facts import Integrity, Key
from fulldress.package.signatures import bykey
from fulldress.package.signatures.judged import Covered, Ground

PUBLIC = "it is a public key"


class NotMinisign(ValueError):
    """The bytes are no such signature; the message says why."""


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    number: bytes
    signature: bytes
    hashed: bool  #: over the BLAKE2b-512 of the bytes, not over the bytes
    comment: str = ""  #: minisign's trusted comment
    over_comment: bytes = b""
    content: bytes | None = None  #: signify -e: the message follows in the same file


def looks(data: bytes) -> bool:
    return data.startswith(b"untrusted comment:")


def parse(data: bytes) -> Parsed:
    """Raises :class:`NotMinisign`."""
    rows = data.split(b"\n", 2)
    if len(rows) < 2:
        raise NotMinisign("its second line is missing")
    raw = _decoded(rows[1])
    if len(raw) == 42:
        raise NotMinisign(PUBLIC)
    if len(raw) != 74 or raw[:2] not in (b"Ed", b"ED"):
        raise NotMinisign("its second line is not a signature")
    rest = rows[2] if len(rows) > 2 else b""
    base: dict[str, Any] = {"number": raw[2:10], "signature": raw[10:], "hashed": raw[:2] == b"ED"}
    if rest.startswith(b"trusted comment: "):
        lines = rest.split(b"\n")
        comment = lines[0].removeprefix(b"trusted comment: ").rstrip(b"\r")
        if len(lines) < 2:
            raise NotMinisign("the signature over its comment is missing")
        over = _decoded(lines[1])
        return Parsed(**base, comment=comment.decode("utf-8", "replace"), over_comment=over)
    return Parsed(**base, content=rest or None)


def _decoded(row: bytes) -> bytes:
    try:
        return base64.b64decode(row.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotMinisign("a line of it is not base64") from error


def check(parsed: Parsed, covered: Covered, ground: Ground) -> bykey.Made:
    """The signature against the trust folder's keys of the same number."""
    scheme = "minisign" if parsed.over_comment else "signify"
    keys = [item for item in ground.keys.plain if item.scheme == "minisign" and item.number == parsed.number]
    number = parsed.number[::-1].hex().upper()
    remarks = (f"its comment, signed too: {parsed.comment[:100]}",) if parsed.comment else ()
    if not keys:
        return bykey.Made(
            scheme=scheme,
            integrity=Integrity.UNVERIFIED,
            problem=covered.doubt or "the key that made it is not here",
            key=Key(scheme=scheme, fingerprint=number),
        )
    key = keys[0]
    integrity, problem = _integrity(parsed, covered, key.material)
    return bykey.Made(
        scheme=scheme,
        integrity=integrity,
        problem=problem,
        key=Key(
            scheme=scheme,
            fingerprint=key.fingerprint,
            name=key.name,
            algorithm="Ed25519",
            held_in=tuple(item.path for item in keys),
        ),
        remarks=remarks if integrity is Integrity.INTACT else (),
    )


def _integrity(parsed: Parsed, covered: Covered, material: bytes) -> tuple[Integrity, str]:
    if covered.doubt or covered.feed is None:
        return Integrity.UNVERIFIED, covered.doubt or "the signed bytes are not here"
    if parsed.hashed:
        state = hashlib.blake2b()
        covered.feed(state)
        signed = state.digest()
    elif covered.content is None:
        return Integrity.UNVERIFIED, "it signs the bytes directly, and they are too large to be held"
    else:
        signed = covered.content()
    public = ed25519.Ed25519PublicKey.from_public_bytes(material)
    try:
        public.verify(parsed.signature, signed)
    except InvalidSignature:
        return Integrity.BROKEN, "the bytes are not those that were signed"
    if parsed.over_comment:
        try:
            public.verify(parsed.over_comment, parsed.signature + parsed.comment.encode())
        except InvalidSignature:
            return Integrity.BROKEN, "its trusted comment is not the one that was signed"
    return Integrity.INTACT, ""
