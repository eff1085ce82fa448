"""Signatures of ``ssh-keygen -Y sign`` (OpenSSH, PROTOCOL.sshsig)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from fulldress.facts import Integrity, Key
from fulldress.package.signatures import bykey
from fulldress.package.signatures.judged import Covered, Ground
from fulldress.package.signatures.keys import Plain
from fulldress.patterns import regex

_BLOCK = regex(rb"-----BEGIN SSH SIGNATURE-----\s*(.*?)\s*-----END SSH SIGNATURE-----", re.S)


class NotSsh(ValueError):
    """The bytes are no SSH signature; the message says why."""


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    public: bytes
    namespace: str
    reserved: bytes
    hash: str
    kind: str
    blob: bytes
    rest: bytes  #: flags and counter of a security key


def looks(data: bytes) -> bool:
    return b"BEGIN SSH SIGNATURE" in data[:4096]


def parse(data: bytes) -> Parsed:
    """Raises :class:`NotSsh`."""
    block = _BLOCK.search(data)
    if block is None:
        raise NotSsh("its armour has no end")
    try:
        raw = base64.b64decode(b"".join(block[1].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotSsh("its armour is damaged") from error
    if raw[:6] != b"SSHSIG" or raw[6:10] != b"\0\0\0\1":
        raise NotSsh("it is not of version 1")
    public, at = _string(raw, 10)
    namespace, at = _string(raw, at)
    reserved, at = _string(raw, at)
    name, at = _string(raw, at)
    signature, at = _string(raw, at)
    kind, inner = _string(signature, 0)
    blob, inner = _string(signature, inner)
    return Parsed(
        public=public,
        namespace=namespace.decode("utf-8", "replace"),
        reserved=reserved,
        hash=name.decode("ascii", "replace"),
        kind=kind.decode("ascii", "replace"),
        blob=blob,
        rest=signature[inner:],
    )


def _string(raw: bytes, at: int) -> tuple[bytes, int]:
    size = int.from_bytes(raw[at : at + 4], "big")
    if at + 4 + size > len(raw):
        raise NotSsh("it is cut off")
    return raw[at + 4 : at + 4 + size], at + 4 + size


def _packed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def check(parsed: Parsed, covered: Covered, ground: Ground) -> bykey.Made:
    """The signature carries its key; whether that is a trusted one is for the trust folder to say."""
    found = [item for item in ground.keys.plain if item.scheme == "SSH" and item.material == parsed.public]
    like = Plain(scheme="SSH", name="", material=parsed.public)
    integrity, problem = _integrity(parsed, covered)
    best = next((item for item in found if _may(item, parsed)), found[0] if found else like)

    def faults(at: datetime) -> list[str]:
        wrong = []
        if found and not _may(best, parsed):
            wrong.append(f'the key is not one for "{parsed.namespace}", only for {", ".join(best.namespaces)}')
        if bykey.sooner(best.expires, at):
            wrong.append(f"the key in {best.path} expired on {best.expires:%Y-%m-%d}")
        if best.after is not None and best.after > at:
            wrong.append(f"the key in {best.path} is not valid before {best.after:%Y-%m-%d}")
        return wrong

    return bykey.Made(
        scheme="SSH",
        integrity=integrity,
        problem=problem,
        key=Key(
            scheme="SSH",
            fingerprint=like.fingerprint,
            name=best.name,
            algorithm=parsed.kind,
            expires=best.expires,
            held_in=tuple(dict.fromkeys(item.path for item in found)),
        ),
        faults=faults,
        remarks=(f'for the purpose "{parsed.namespace}"',),
    )


def _may(item: Plain, parsed: Parsed) -> bool:
    import fnmatch

    return not item.namespaces or any(fnmatch.fnmatchcase(parsed.namespace, form) for form in item.namespaces)


def _integrity(parsed: Parsed, covered: Covered) -> tuple[Integrity, str]:
    if covered.doubt or covered.feed is None:
        return Integrity.UNVERIFIED, covered.doubt or "the signed bytes are not here"
    if parsed.hash not in ("sha256", "sha512"):
        return Integrity.UNVERIFIED, f'the hash "{parsed.hash}" is not one that fulldress knows'
    state = hashlib.new(parsed.hash)
    covered.feed(state)
    signed = b"SSHSIG" + _packed(parsed.namespace.encode(), parsed.reserved, parsed.hash.encode(), state.digest())
    try:
        _verify(parsed, signed)
    except InvalidSignature:
        return Integrity.BROKEN, "the bytes are not those that were signed"
    except (NotSsh, ValueError, TypeError, UnsupportedAlgorithm) as error:
        return Integrity.UNVERIFIED, f"its key could not be used ({str(error)[:80]})"
    return Integrity.INTACT, ""


def _verify(parsed: Parsed, signed: bytes) -> None:
    kind, at = _string(parsed.public, 0)
    key: Any
    if kind.startswith(b"sk-"):  # a security key signs a digest with its flags and counter (PROTOCOL.u2f)
        curve, at = (b"", at) if b"ed25519" in kind else _string(parsed.public, at)
        point, at = _string(parsed.public, at)
        application, _ = _string(parsed.public, at)
        signed = hashlib.sha256(application).digest() + parsed.rest[:5] + hashlib.sha256(signed).digest()
        key = (
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            if curve
            else ed25519.Ed25519PublicKey.from_public_bytes(point)
        )
    else:
        key = serialization.load_ssh_public_key(kind + b" " + base64.b64encode(parsed.public))
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(parsed.blob, signed)
    elif isinstance(key, rsa.RSAPublicKey):
        forms = {"rsa-sha2-256": hashes.SHA256, "rsa-sha2-512": hashes.SHA512}
        if parsed.kind not in forms:
            raise NotSsh(f"{parsed.kind} is not allowed for files")
        key.verify(parsed.blob, signed, padding.PKCS1v15(), forms[parsed.kind]())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        r, at = _string(parsed.blob, 0)
        s, _ = _string(parsed.blob, at)
        size = key.curve.key_size
        chosen = hashes.SHA256() if size <= 256 else hashes.SHA384() if size <= 384 else hashes.SHA512()
        raw = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        key.verify(raw, signed, ec.ECDSA(chosen))
    else:
        raise NotSsh(f"a key of kind {parsed.kind}")
