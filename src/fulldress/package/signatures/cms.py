"""CMS signatures (RFC 5652): reading one, and checking it over given bytes.

No library at hand verifies CMS through a public interface, so the steps of RFC 5652, 5.4 and 5.6, are taken here:
the digest of the content against the attribute ``messageDigest``, then the signature over the signed attributes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from asn1crypto import cms, core, pem, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa

from fulldress.facts import Integrity
from fulldress.package.signatures.certificates import parse as certificates_of

HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha3_256": hashes.SHA3_256,
    "sha3_384": hashes.SHA3_384,
    "sha3_512": hashes.SHA3_512,
}
#: Gives the digest of the covered bytes by the name of a hash.
Digest = Callable[[str], bytes]


class NotCms(ValueError):
    """The bytes are no CMS signed data; the message says what they are instead."""


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """One signature of a CMS file, not yet checked."""

    certificate: x509.Certificate | None
    wanted: str  #: issuer and serial number, or key identifier, that the signature names
    hash: str
    digest: bytes | None  #: messageDigest; None where there are no signed attributes
    signed_at: datetime | None  #: by the signer's own clock
    info: Any  #: asn1crypto's SignerInfo
    content_type: str = ""  #: the signed attribute contentType; empty where there is none


class SignedData(msgspec.Struct, frozen=True, kw_only=True):
    content: bytes | None  #: None: the signature is detached
    certificates: tuple[x509.Certificate, ...]
    signers: tuple[Signer, ...]
    content_type: str = ""
    raw: bytes = b""  #: the file, as it came: what a time stamp beside it is over
    revocations: tuple[bytes, ...] = ()  #: lists and answers that the signer put in, in DER


def parse(data: bytes) -> SignedData:
    """Reads DER, PEM or bare base64. Raises :class:`NotCms`."""
    try:
        info = cms.ContentInfo.load(_der(data))
        kind = info["content_type"].native
        if kind != "signed_data":
            raise NotCms(f"it holds {str(kind).replace('_', ' ')}, no signature")
        return msgspec.structs.replace(signed_data(info["content"]), raw=data)
    except NotCms:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise NotCms(f"it is no CMS structure ({str(error).split(chr(10), 1)[0][:80]})") from error


def signed_data(signed: Any, more: tuple[x509.Certificate, ...] = ()) -> SignedData:
    """The same for asn1crypto's SignedData; ``more``: certificates that are known beside those in it."""
    content = signed["encap_content_info"]["content"]
    certificates = list(more)
    for choice in signed["certificates"] or ():
        if choice.name == "certificate":
            try:
                certificates.extend(certificates_of(choice.chosen.dump()))
            except ValueError:
                continue  # a damaged one; if it is needed, the signer's certificate or the chain is said to be missing
    return SignedData(
        content=_octets(content),
        certificates=tuple(certificates),
        signers=tuple(_signer(info, certificates) for info in signed["signer_infos"]),
        content_type=signed["encap_content_info"]["content_type"].dotted,
        revocations=tuple(_revocations(signed)),
    )


#: CAdES' revocation-values (RFC 5126, 6.3.4).
_VALUES = "1.2.840.113549.1.9.16.2.24"
_MOST_VALUES = 50


def _revocations(signed: Any) -> Iterator[bytes]:
    """Lists (CRL) and answers (OCSP) in the signature: in the field for them (RFC 5652, 10.2.1; RFC 5940), and in the
    attribute of long-lived signatures. One that is damaged is passed over: it can prove nothing."""
    try:
        for choice in list(signed["crls"] or ())[:_MOST_VALUES]:
            # the field may hold anything: a list itself, or an answer behind its type
            yield choice.chosen["other_rev_info"].dump() if choice.name == "other" else choice.chosen.dump()
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        pass
    try:
        for info in signed["signer_infos"]:
            for attribute in info["unsigned_attrs"] or ():
                if attribute["type"].dotted == _VALUES:
                    yield from _values(attribute["values"].contents or b"")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return


def _values(data: bytes) -> Iterator[bytes]:
    """``SEQUENCE { [0] lists, [1] basic answers }``; an answer is given its outer part back."""
    from asn1crypto import ocsp, parser

    for _, _, _, _, contents, _ in _pieces(parser.parse(data)[4]):
        for piece in _pieces(parser.parse(contents)[4]):
            der = piece[3] + piece[4] + piece[5]
            try:
                basic = ocsp.BasicOCSPResponse.load(der, strict=True)
                _ = basic["tbs_response_data"]["responses"].native
            except (ValueError, TypeError, KeyError):
                yield der
                continue
            answer = {"response_type": "basic_ocsp_response", "response": core.ParsableOctetString(der)}
            yield ocsp.OCSPResponse({"response_status": "successful", "response_bytes": answer}).dump()


def _pieces(data: bytes) -> Iterator[tuple[int, int, int, bytes, bytes, bytes]]:
    from asn1crypto import parser

    at = 0
    for _ in range(_MOST_VALUES):
        if at >= len(data):
            return
        piece = parser.parse(data[at:])
        at += len(piece[3]) + len(piece[4]) + len(piece[5])
        yield piece


def _octets(content: Any) -> bytes | None:
    """The bytes that are digested: of an OCTET STRING its value, of any other type its contents (RFC 2315, 9.3)."""
    if content is None or isinstance(content, core.Void):
        return None
    if isinstance(content, core.Any):
        content = content.parse()
    if isinstance(content, core.ParsableOctetString | core.OctetString):
        return None if content.native is None else bytes(content)
    return bytes(content.contents or b"")


def _der(data: bytes) -> bytes:
    if b"-----BEGIN" in data[:4096]:
        _, _, der = pem.unarmor(data)
        return bytes(der)
    if data[:1] == b"\x30":
        return data
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotCms("it is neither DER, PEM nor base64") from error


def _signer(info: Any, certificates: list[x509.Certificate]) -> Signer:
    sid = info["sid"]
    if sid.name == "issuer_and_serial_number":
        issuer, serial = sid.chosen["issuer"].dump(), sid.chosen["serial_number"].native
        wanted = f"{sid.chosen['issuer'].human_friendly}, serial {serial:x}"
        found = next(
            (c for c in certificates if c.serial_number == serial and c.issuer.public_bytes() == issuer),
            next((c for c in certificates if c.serial_number == serial), None),
        )
    else:
        wanted = f"key identifier {sid.chosen.native.hex()}"
        found = next((c for c in certificates if _key_identifier(c) == sid.chosen.native), None)
    attributes = {item["type"].native: item["values"] for item in info["signed_attrs"] or ()}
    digest = attributes["message_digest"][0].native if "message_digest" in attributes else None
    time = attributes["signing_time"][0].native if "signing_time" in attributes else None
    return Signer(
        certificate=found,
        wanted=wanted,
        hash=str(info["digest_algorithm"]["algorithm"].native),
        digest=digest,
        signed_at=time if isinstance(time, datetime) else None,
        info=info,
        content_type=attributes["content_type"][0].dotted if "content_type" in attributes else "",
    )


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        return None


def verify(signer: Signer, digest: Digest, content: Callable[[], bytes] | None = None) -> tuple[Integrity, str]:
    """Whether the signature is over the bytes that ``digest`` speaks of, and why not.

    ``content`` gives the bytes themselves; only needed where a signature has no signed attributes."""
    if signer.certificate is None:
        return Integrity.UNVERIFIED, f"the signer's certificate ({signer.wanted}) is not in the signature"
    if signer.hash not in HASHES:
        return Integrity.UNVERIFIED, f'the hash "{signer.hash}" is not one that fulldress knows'
    attributes = signer.info["signed_attrs"]
    if attributes:
        if signer.digest is None:
            return Integrity.BROKEN, "the signed attributes hold no digest"
        if not signer.content_type:
            return Integrity.BROKEN, "the signed attributes do not say what kind of content was signed"
        if digest(signer.hash) != signer.digest:
            return Integrity.BROKEN, "the bytes are not those that were signed"
        try:
            signed = attributes.untag().dump(force=True)
        except (ValueError, TypeError, KeyError) as error:
            return Integrity.UNVERIFIED, f"its signed attributes are damaged ({str(error).splitlines()[0][:80]})"
    elif content is None:
        return Integrity.UNVERIFIED, "it signs the bytes directly, and they are too large to be held"
    else:
        signed = content()
    try:
        _check(signer, signed)
    except InvalidSignature:
        return Integrity.BROKEN, "the signature does not fit the signer's key"
    except (UnsupportedAlgorithm, ValueError, TypeError, KeyError) as error:
        return Integrity.UNVERIFIED, f"its algorithm could not be used ({str(error)[:80]})"
    return Integrity.INTACT, ""


def _check(signer: Signer, signed: bytes) -> None:
    """Raises :class:`InvalidSignature` unless the signer's key made the signature over ``signed``."""
    if signer.certificate is None:
        raise ValueError("no certificate")
    key, signature = signer.certificate.public_key(), signer.info["signature"].native
    algorithm = signer.info["signature_algorithm"]
    chosen = HASHES[signer.hash]()
    if isinstance(key, rsa.RSAPublicKey):
        if algorithm["algorithm"].native == "rsassa_pss":
            parameters = algorithm["parameters"]
            chosen = HASHES[parameters["hash_algorithm"]["algorithm"].native]()
            mask = HASHES[parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native]()
            scheme = padding.PSS(mgf=padding.MGF1(mask), salt_length=parameters["salt_length"].native)
            key.verify(signature, signed, scheme, chosen)
        else:
            key.verify(signature, signed, padding.PKCS1v15(), chosen)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(chosen))
    elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(signature, signed)
    elif isinstance(key, dsa.DSAPublicKey):
        key.verify(signature, signed, chosen)
    else:
        raise UnsupportedAlgorithm(f"key {type(key).__name__}")


def digest_of(data: bytes) -> Digest:
    return lambda name: hashlib.new(name, data, usedforsecurity=False).digest()


#: What a stamp that is over other bytes has for a problem.
ELSEWHERE = "it is over another signature"


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """A time-stamp token (RFC 3161). ``problem`` is empty where it holds."""

    at: datetime | None
    certificate: x509.Certificate | None = None
    certificates: tuple[x509.Certificate, ...] = ()
    problem: str = ""
    weak: str = ""  #: a hash in it that can be forged


#: Attributes that hold a token of RFC 3161; the second is Microsoft's, in programs for Windows.
_TOKENS = ("signature_time_stamp_token", "microsoft_time_stamp_token")


def stamps(signer: Signer, certificates: tuple[x509.Certificate, ...] = ()) -> Iterator[Stamp]:
    """The time stamps over a signature, each checked cryptographically; trust in its authority is not judged.

    ``certificates``: those of the signature, which the older counter-signatures (RFC 2985, 5.3.7) take theirs from."""
    for attribute in signer.info["unsigned_attrs"] or ():
        name = attribute["type"].native
        if name not in (*_TOKENS, "counter_signature"):
            continue
        for value in attribute["values"]:
            try:
                if name == "counter_signature":
                    counter = _countered(value, signer, certificates)
                    if counter is not None:
                        yield counter
                else:
                    yield token(value, digest_of(signer.info["signature"].native))
            except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
                yield Stamp(at=None, problem=f"it could not be read ({str(error).split(chr(10), 1)[0][:80]})")


def _countered(info: Any, signer: Signer, certificates: tuple[x509.Certificate, ...]) -> Stamp | None:
    """A counter-signature with a time in it; one without is no time stamp, and None."""
    counter = _signer(info, list(certificates))
    if counter.signed_at is None:
        return None
    signature = signer.info["signature"].native
    integrity, problem = verify(counter, digest_of(signature), lambda: signature)
    return Stamp(
        at=counter.signed_at.astimezone(UTC),
        certificate=counter.certificate,
        certificates=certificates,
        weak=_weakest(counter.hash),
        problem="" if integrity is Integrity.INTACT else problem,
    )


def _weakest(*names: str) -> str:
    return next((name.upper() for name in names if name in ("md5", "sha1")), "")


def token(value: Any, digest: Digest, more: tuple[x509.Certificate, ...] = ()) -> Stamp:
    """A time-stamp token over the bytes that ``digest`` speaks of; ``more``: certificates that it may leave out."""
    parsed = signed_data(value["content"], more)
    if parsed.content is None or not parsed.signers:
        return Stamp(at=None, problem="it holds no time")
    info = tsp.TSTInfo.load(parsed.content)
    time = info["gen_time"].native.astimezone(UTC)
    imprint = info["message_imprint"]
    name = imprint["hash_algorithm"]["algorithm"].native
    signer = parsed.signers[0]
    weak = _weakest(name, signer.hash)
    base = {"at": time, "certificate": signer.certificate, "certificates": parsed.certificates, "weak": weak}
    if name not in HASHES or digest(name) != imprint["hashed_message"].native:
        return Stamp(**base, problem=ELSEWHERE)
    content = parsed.content
    integrity, problem = verify(signer, digest_of(content), lambda: content)
    return Stamp(**base, problem="" if integrity is Integrity.INTACT else problem)
