"""The vendor's two authorities, the same bytes on every machine: keys are derived from a fixed seed.

They protect nothing. They exist so that the demo's package is signed under a root that nobody has seen before.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from asn1crypto import algos, cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_ORDER = int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16)


def key(name: str) -> ec.EllipticCurvePrivateKey:
    """A P-256 key that depends on ``name`` alone."""
    secret = int.from_bytes(hashlib.sha256(f"fulldress demo {name}".encode()).digest()) % (_ORDER - 1) + 1
    return ec.derive_private_key(secret, ec.SECP256R1())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "DTEN Systems"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def certificate(common: str, issuer: str, *, ca: bool, start: datetime, end: datetime, serial: int) -> x509.Certificate:
    """A certificate for ``common``, signed by ``issuer`` (itself, where they are the same)."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(_name(issuer))
        .public_key(key(common).public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key(common).public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key(issuer).public_key()), critical=False)
    )
    if not ca:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(key(issuer), hashes.SHA256(), ecdsa_deterministic=True)


def authority(generation: str) -> tuple[x509.Certificate, x509.Certificate, str]:
    """Root, signer's certificate and the signer's name of one generation: ``G1`` or ``G2``."""
    root = "DTEN Root CA" if generation == "G1" else "DTEN Root CA G2"
    signer = f"DTEN Release Engineering {generation}"
    year = 2021 if generation == "G1" else 2026
    top = certificate(root, root, ca=True, start=_day(year, 1), end=_day(year + 10, 1), serial=year)
    leaf = certificate(signer, root, ca=False, start=_day(year, 2), end=_day(year + 3, 2), serial=year * 10 + 1)
    return top, leaf, signer


def _day(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)


def sign(content: bytes, generation: str, at: datetime) -> bytes:
    """A detached CMS signature over ``content`` (RFC 5652), with the signer's certificate and its root."""
    root, leaf, signer = authority(generation)
    loaded, top = (asn1_x509.Certificate.load(c.public_bytes(serialization.Encoding.DER)) for c in (leaf, root))
    attributes = cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [hashlib.sha256(content).digest()]}),
            cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": core.UTCTime(at)})]}),
        ]
    )
    signature = key(signer).sign(attributes.dump(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {"content_type": "data"},
            "certificates": [loaded, top],
            "signer_infos": [
                cms.SignerInfo(
                    {
                        "version": "v1",
                        "sid": cms.SignerIdentifier(
                            {
                                "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                                    {"issuer": loaded.issuer, "serial_number": loaded.serial_number}
                                )
                            }
                        ),
                        "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                        "signed_attrs": attributes,
                        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
                        "signature": signature,
                    }
                )
            ],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256, in the pairs that people read out on the phone."""
    digest = certificate.fingerprint(hashes.SHA256()).hex().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
