"""Signed wheels of old: ``RECORD.jws``, a JSON Web Signature over the digest of ``RECORD``.

Source: PEP 427, "Signed wheel files" (withdrawn by most tools since). The key stands in the signature itself, so that it
names nobody: it counts where the trust folder holds the same Ed25519 key, be it as an SSH key.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import posixpath
from collections.abc import Iterator
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from fulldress.facts import AnyFact, Integrity, Key, Reason
from fulldress.package.reader import Member, NotRead, Package
from fulldress.package.signatures import bykey, entries
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Covered, Ground

_SSH = b"\0\0\0\x0bssh-ed25519\0\0\0\x20"
_MOST = 20  #: signatures in one file


def claims(member: Member) -> bool:
    return member.path.endswith(".dist-info/RECORD.jws")


def read(package: Package, member: Member, ground: Ground) -> Iterator[AnyFact]:
    """One fact for every signature; what RECORD lists and what fits is covered."""
    try:
        payload, made = _parsed(member)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        detail = f"it is damaged ({str(error).split(chr(10), 1)[0][:80]})"
        yield unread(member.evidence(), member.name, Reason.DAMAGED, detail, needed=False)
        return
    record = package.members.get(posixpath.join(posixpath.dirname(member.path), "RECORD"))
    covers = _covered(package, record) if record is not None and record.kept else ()
    for key, signed, signature in made:
        problem = _problem(key, signed, signature, payload, record)
        spelt = "ed25519:" + base64.b64encode(key).decode()
        fact = bykey.Made(
            scheme="RECORD.jws",
            integrity=Integrity.BROKEN if problem else Integrity.INTACT,
            problem=problem,
            key=Key(scheme="JWS", fingerprint=spelt, algorithm="Ed25519", held_in=_held(key, ground)),
            remarks=("the key stands in the signature itself",),
        )
        covered = Covered(entries=covers, digest=lambda name: b"")
        yield bykey.signature(fact, covered, ground, member.evidence(), member.path)


def _b64(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("base64") from error


def _parsed(member: Member) -> tuple[dict[str, Any], list[tuple[bytes, bytes, bytes]]]:
    """The signed statement, and of every signature: key, signed bytes, signature. Both spellings of JWS in JSON."""
    if not member.kept:
        raise ValueError("too large")
    whole = msgspec.json.decode(member.data)
    raw = str(whole["payload"])
    made = []
    for row in (whole.get("signatures") or whole.get("recipients") or [whole])[:_MOST]:
        head = str(row.get("protected") or row["header"])
        fields = msgspec.json.decode(_b64(head))
        jwk = fields.get("key") or fields["jwk"]
        key = _b64(str(jwk.get("vk") or jwk["x"]))
        if str(fields.get("alg")) not in ("Ed25519", "EdDSA") or len(key) != 32:
            raise ValueError(f"the algorithm {str(fields.get('alg'))[:20]} is not the one of PEP 427")
        made.append((key, f"{head}.{raw}".encode(), _b64(str(row["signature"]))))
    statement = msgspec.json.decode(_b64(raw))
    return statement, made


def _problem(key: bytes, signed: bytes, signature: bytes, payload: dict[str, Any], record: Member | None) -> str:
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        return "the signature does not fit its key"
    name, _, wanted = str(payload.get("hash", "")).partition("=")
    if record is None or not record.kept:
        return "RECORD is not there"
    if name not in ("sha256", "sha384", "sha512"):
        return f'the hash "{name[:20]}" is not one that fulldress accepts'
    try:
        fits = hashlib.new(name, record.data).digest() == _b64(wanted)
    except ValueError:
        fits = False
    return "" if fits else "RECORD is not the one that was signed"


def _covered(package: Package, record: Member) -> tuple[str, ...]:
    """RECORD, and the entries whose bytes are those that it lists."""
    base = record.path[: -len(record.inner)]
    found = [record.path]
    for row in csv.reader(record.text.splitlines()):
        if len(row) < 2 or "=" not in row[1]:
            continue
        member = package.members.get(base + row[0])
        name, _, wanted = row[1].partition("=")
        if member is None or name not in ("sha256", "sha384", "sha512"):
            continue
        try:
            if entries.digest(package, member, name) == _b64(wanted):
                found.append(member.path)
        except (NotRead, OSError, ValueError):
            continue
    return tuple(found)


def _held(key: bytes, ground: Ground) -> tuple[str, ...]:
    return tuple(one.path for one in ground.keys.plain if one.material in (key, _SSH + key) and one.path)
