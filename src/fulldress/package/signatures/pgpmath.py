"""Whether an OpenPGP key made a signature: RSA, DSA, ECDSA, EdDSA over the digest (RFC 9580, 5.2.3 and 5.2.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from fulldress.package.signatures.packets import Packet, PublicKey

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha3_256": hashes.SHA3_256,
    "sha3_512": hashes.SHA3_512,
}
#: Object identifiers of curves as they stand in key packets (RFC 9580, 9.2).
_CURVES: dict[bytes, type[ec.EllipticCurve]] = {
    bytes.fromhex("2a8648ce3d030107"): ec.SECP256R1,
    bytes.fromhex("2b81040022"): ec.SECP384R1,
    bytes.fromhex("2b81040023"): ec.SECP521R1,
    bytes.fromhex("2b8104000a"): ec.SECP256K1,
    bytes.fromhex("2b2403030208010107"): ec.BrainpoolP256R1,
    bytes.fromhex("2b240303020801010b"): ec.BrainpoolP384R1,
    bytes.fromhex("2b240303020801010d"): ec.BrainpoolP512R1,
}
_ED25519_LEGACY = bytes.fromhex("2b06010401da470f01")
_NAMES = {1: "RSA", 2: "RSA", 3: "RSA", 17: "DSA", 19: "ECDSA", 22: "EdDSA", 27: "Ed25519", 28: "Ed448"}
#: Writes the signed bytes into a hash.
Feed = Callable[[Any], None]


class Unusable(ValueError):
    """The key or the algorithm is one that cannot be computed here; the message names it."""


def made(packet: Packet, key: PublicKey, feed: Feed) -> bool:
    """Whether ``key`` made the signature over what ``feed`` writes. Raises :class:`Unusable`."""
    if packet.hash not in _HASHES:
        raise Unusable(f"its {packet.hash} is not one that can be computed here")
    state = hashlib.new(packet.hash, usedforsecurity=False)
    state.update(packet.salt)
    feed(state)
    state.update(packet.trailer)
    digest = state.digest()
    if digest[:2] != packet.left:
        return False
    try:
        return _fits(packet, key, digest)
    except InvalidSignature:
        return False
    except (ValueError, TypeError, IndexError, OverflowError, UnsupportedAlgorithm) as error:
        raise Unusable(f"its key could not be used ({str(error)[:80]})") from error


def _fits(packet: Packet, key: PublicKey, digest: bytes) -> bool:
    chosen = Prehashed(_HASHES[packet.hash]())
    kind = key.algorithm
    if kind in (1, 3) and packet.algorithm in (1, 3):
        n, e = _numbers(key.material, 2)
        public = rsa.RSAPublicNumbers(e, n).public_key()
        (number,) = _numbers(packet.numbers, 1)
        public.verify(number.to_bytes((n.bit_length() + 7) // 8, "big"), digest, padding.PKCS1v15(), chosen)
        return True
    if kind == 17 and packet.algorithm == 17:
        p, q, g, y = _numbers(key.material, 4)
        signer = dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key()
        # the leftmost bits as many as q has (FIPS 186-4, 4.6)
        signer.verify(encode_dss_signature(*_numbers(packet.numbers, 2)), digest, chosen)
        return True
    if kind == 19 and packet.algorithm == 19:
        curve, point = _point(key.material)
        if curve not in _CURVES:
            raise Unusable(f"its curve {curve.hex()} is not one that can be computed here")
        signer_ec = ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve](), point)
        signer_ec.verify(encode_dss_signature(*_numbers(packet.numbers, 2)), digest, ec.ECDSA(chosen))
        return True
    if kind == 22 and packet.algorithm == 22:
        curve, point = _point(key.material)
        if curve != _ED25519_LEGACY:
            raise Unusable(f"its curve {curve.hex()} is not one that can be computed here")
        r, s = _numbers(packet.numbers, 2)
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        ed25519.Ed25519PublicKey.from_public_bytes(point[-32:]).verify(raw, digest)
        return True
    if kind == 27 and packet.algorithm == 27:
        ed25519.Ed25519PublicKey.from_public_bytes(key.material[:32]).verify(packet.numbers[:64], digest)
        return True
    if kind == 28 and packet.algorithm == 28:
        ed448.Ed448PublicKey.from_public_bytes(key.material[:57]).verify(packet.numbers[:114], digest)
        return True
    if kind != packet.algorithm:
        return False
    raise Unusable(f"algorithm {kind} is not one that can be computed here")


def described(key: PublicKey) -> tuple[str, bool]:
    """``RSA 4096``, and whether that is too weak."""
    name = _NAMES.get(key.algorithm, f"algorithm {key.algorithm}")
    if name in ("RSA", "DSA"):
        try:
            bits = _numbers(key.material, 1)[0].bit_length()
        except IndexError:
            return name, False
        return f"{name} {bits}", bits < 2048
    return name, False


def _numbers(raw: bytes, wanted: int) -> list[int]:
    """Multi-precision integers: two bytes of length in bits, then the bytes."""
    found, at = [], 0
    for _ in range(wanted):
        size = (int.from_bytes(raw[at : at + 2], "big") + 7) // 8
        if at + 2 + size > len(raw) or at + 2 > len(raw):
            raise IndexError("a number is cut off")
        found.append(int.from_bytes(raw[at + 2 : at + 2 + size], "big"))
        at += 2 + size
    return found


def _point(material: bytes) -> tuple[bytes, bytes]:
    """Curve and point of an elliptic key."""
    size = material[0]
    (point,) = _numbers(material[1 + size :], 1)
    return material[1 : 1 + size], point.to_bytes((point.bit_length() + 7) // 8, "big")
