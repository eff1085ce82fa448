"""Certificates, CMS signatures and time-stamp tokens for tests, made in memory without an openssl program."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CODE = ExtendedKeyUsageOID.CODE_SIGNING
STAMP = ExtendedKeyUsageOID.TIME_STAMPING


class Identity:
    """A key with its certificate."""

    def __init__(self, key: Any, certificate: x509.Certificate) -> None:
        self.key = key
        self.certificate = certificate

    @property
    def sha256(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def key(kind: str = "ec") -> Any:
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:] or 2048))
    return ec.generate_private_key(ec.SECP192R1() if kind == "ec192" else ec.SECP256R1())


def identity(
    name: str,
    issuer: Identity | None = None,
    *,
    kind: str = "ec",
    ca: bool = False,
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
    start: datetime = NOW - timedelta(days=400),
    end: datetime = NOW + timedelta(days=400),
    old_hash: bool = False,
) -> Identity:
    """A certificate; signs itself without an ``issuer``."""
    own = key(kind)
    signer = issuer.key if issuer else own
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=STAMP in purposes)
    chosen = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    made = builder.sign(signer, chosen)
    return Identity(own, _signed_again(made, signer) if old_hash else made)


def _signed_again(certificate: x509.Certificate, signer: Any) -> x509.Certificate:
    """The certificate signed with SHA-1, which no library of today does by itself."""
    raw = asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
    raw["tbs_certificate"]["signature"] = {"algorithm": "sha1_ecdsa"}
    raw["signature_algorithm"] = {"algorithm": "sha1_ecdsa"}
    raw["signature_value"] = signer.sign(raw["tbs_certificate"].dump(force=True), ec.ECDSA(hashes.SHA1()))  # noqa: S303
    return x509.load_der_x509_certificate(raw.dump(force=True))


def _sign(who: Identity, data: bytes, hash: str, pss: bool) -> bytes:
    chosen = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha512": hashes.SHA512}[hash]()
    if isinstance(who.key, rsa.RSAPrivateKey):
        scheme: Any = padding.PSS(padding.MGF1(chosen), chosen.digest_size) if pss else padding.PKCS1v15()
        return bytes(who.key.sign(data, scheme, chosen))
    if isinstance(who.key, ed25519.Ed25519PrivateKey):
        return who.key.sign(data)
    return bytes(who.key.sign(data, ec.ECDSA(chosen)))


def _algorithm(who: Identity, hash: str, pss: bool) -> algos.SignedDigestAlgorithm:
    if isinstance(who.key, rsa.RSAPrivateKey):
        if pss:
            digest = algos.DigestAlgorithm({"algorithm": hash})
            parameters = {
                "hash_algorithm": digest,
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": digest},
                "salt_length": hashlib.new(hash).digest_size,
            }
            return algos.SignedDigestAlgorithm(
                {"algorithm": "rsassa_pss", "parameters": algos.RSASSAPSSParams(parameters)}
            )
        return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15"})
    if isinstance(who.key, ed25519.Ed25519PrivateKey):
        return algos.SignedDigestAlgorithm({"algorithm": "ed25519"})
    return algos.SignedDigestAlgorithm({"algorithm": f"{hash}_ecdsa"})


def sign(
    data: bytes,
    who: Identity,
    *others: Identity,
    attached: bool = False,
    attributes: bool = True,
    hash: str = "sha256",
    pss: bool = False,
    at: datetime | None = None,
    stamp: tuple[Identity, datetime] | None = None,
    stamp_hash: str = "sha256",
    content_type: str = "data",
) -> bytes:
    """A CMS signature in DER with the certificates of ``who`` and ``others`` in it."""
    own = asn1_x509.Certificate.load(who.certificate.public_bytes(serialization.Encoding.DER))
    pool = [own, *(asn1_x509.Certificate.load(o.certificate.public_bytes(serialization.Encoding.DER)) for o in others)]
    info: dict[str, Any] = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            {"issuer_and_serial_number": {"issuer": own.issuer, "serial_number": own.serial_number}}
        ),
        "digest_algorithm": {"algorithm": hash},
        "signature_algorithm": _algorithm(who, hash, pss),
    }
    signed = data
    if attributes:
        rows = [
            {"type": "content_type", "values": [content_type]},
            {"type": "message_digest", "values": [hashlib.new(hash, data).digest()]},
        ]
        if at:
            rows.append({"type": "signing_time", "values": [cms.Time({"utc_time": at})]})
        info["signed_attrs"] = cms.CMSAttributes([cms.CMSAttribute(row) for row in rows])
        signed = info["signed_attrs"].dump()
    info["signature"] = _sign(who, signed, hash, pss)
    if stamp:
        stamped = token(info["signature"], *stamp, stamp_hash)
        info["unsigned_attrs"] = cms.CMSAttributes(
            [cms.CMSAttribute({"type": "signature_time_stamp_token", "values": [stamped]})]
        )
    content: dict[str, Any] = {"content_type": content_type}
    if attached:
        content["content"] = core.OctetString(data) if content_type == "data" else core.ParsableOctetString(data)
    whole = cms.SignedData(
        {
            "version": "v1" if content_type == "data" else "v3",
            "digest_algorithms": [{"algorithm": hash}],
            "encap_content_info": content,
            "certificates": pool,
            "signer_infos": [cms.SignerInfo(info)],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": whole}).dump())


def token(signature: bytes, authority: Identity, at: datetime, hash: str) -> cms.ContentInfo:
    """A time stamp of RFC 3161 over given bytes."""
    info = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3.4",
            "message_imprint": {
                "hash_algorithm": {"algorithm": hash},
                "hashed_message": hashlib.new(hash, signature).digest(),
            },
            "serial_number": 7,
            "gen_time": at,
        }
    )
    return cms.ContentInfo.load(sign(info.dump(), authority, attached=True, content_type="tst_info"))


def portable(table: bytes = b"") -> bytes:
    """The smallest program for Windows that has a certificate table: headers, 512 bytes of code, the table."""
    optional = bytearray(struct.pack("<H", 0x20B) + b"\0" * 238)
    struct.pack_into("<I", optional, 108, 16)
    if table:
        struct.pack_into("<II", optional, 112 + 32, 0x400, len(table))
    head = b"MZ" + b"\0" * 58 + struct.pack("<I", 0x80) + b"\0" * 64
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 0, 0, 0, 0, len(optional), 0x22)
    body = (head + coff + bytes(optional)).ljust(0x200, b"\0")
    return body + b"\x90" * 0x200 + table


def signed_portable(who: Identity, *others: Identity, stamp: tuple[Identity, datetime] | None = None) -> bytes:
    """The same with an Authenticode signature."""
    blank = portable(b"\0" * 8)  # the place of the table is known before its size is
    digest = hashlib.sha256(
        blank[: 0x80 + 24 + 64] + blank[0x80 + 24 + 68 : 0x80 + 24 + 144] + blank[0x80 + 24 + 152 : 0x400]
    )
    data = core.Sequence.load(bytes.fromhex("3017060a2b06010401823702010f3009030100a004a20280 00".replace(" ", "")))
    info = algos.DigestInfo({"digest_algorithm": {"algorithm": "sha256"}, "digest": digest.digest()})
    content = data.dump() + info.dump()
    blob = sign(content, who, *others, stamp=stamp, content_type="1.3.6.1.4.1.311.2.1.4", attached=True)
    # the content is no OCTET STRING but a SEQUENCE, with the same length; what is signed are its contents either way
    place = blob.index(content) - (2 if len(content) < 128 else 3)
    blob = blob[:place] + b"\x30" + blob[place + 1 :]
    blob = blob.replace(b"\x02\x01\x03", b"\x02\x01\x01", 1)  # Authenticode is of PKCS #7's version
    entry = struct.pack("<IHH", 8 + len(blob), 0x200, 2) + blob
    return portable(entry + b"\0" * (-len(entry) % 8))
