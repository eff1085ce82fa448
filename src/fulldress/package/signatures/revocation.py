"""Revocation as far as it can be known offline: lists (CRL) and answers (OCSP) that lie in the trust folder or the package.

A list counts only where the issuer of the certificate signed it; an old list can show that a certificate was revoked, and
never that it was not. Sources: RFC 5280, 5 and 6.3; RFC 6960, 4.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import ocsp

if TYPE_CHECKING:
    from fulldress.package.signatures.certificates import Chain

_LARGEST = 32_000_000


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Every list and answer at hand."""

    lists: tuple[x509.CertificateRevocationList, ...] = ()
    answers: tuple[ocsp.OCSPResponse, ...] = ()


def load(folder: Path | None, brought: Iterable[bytes] = ()) -> Known:
    """Lists and answers of a folder and the folders in it, and of given bytes. What is neither is passed over."""
    found = sorted(folder.rglob("*")) if folder is not None and folder.is_dir() else []
    files = [p for p in found if p.suffix.lower() in (".crl", ".ocsp", ".ors", ".pem", ".der") and p.is_file()]
    return more(Known(), (*(p.read_bytes() for p in files if p.stat().st_size <= _LARGEST), *brought))


def more(known: Known, brought: Iterable[bytes]) -> Known:
    """The same with further lists and answers. What is neither is passed over: it proves nothing."""
    lists, answers = list(known.lists), list(known.answers)
    for data in brought:
        try:
            if b"BEGIN X509 CRL" in data:
                lists.append(x509.load_pem_x509_crl(data))
            elif data[:1] == b"\x30":
                lists.append(x509.load_der_x509_crl(data))
        except (ValueError, TypeError, UnsupportedAlgorithm):
            try:
                answers.append(ocsp.load_der_ocsp_response(data))
            except (ValueError, TypeError, UnsupportedAlgorithm):
                continue
    return Known(lists=tuple(lists), answers=tuple(answers))


def faults(chain: Chain, known: Known, stamped: datetime | None) -> list[str]:
    """Certificates of a chain that are revoked. One revoked after a trusted stamp, and not for a lost key, still counts
    for what it signed before."""
    from fulldress.package.signatures.certificates import common_name

    found = []
    for certificate, issuer in zip(chain.certificates, chain.certificates[1:], strict=False):
        for when, why in (*_listed(certificate, issuer, known), *_answered(certificate, issuer, known)):
            if stamped is not None and when > stamped and why not in ("key_compromise", "ca_compromise"):
                continue
            reason = f" ({why.replace('_', ' ')})" if why else ""
            found.append(f'"{common_name(certificate.subject)}" was revoked on {when:%Y-%m-%d}{reason}')
            break
    return found


def checked(chain: Chain, known: Known, at: datetime) -> bool:
    """Whether every certificate below the root was looked up in a list or answer that was current on that day."""
    for certificate, issuer in zip(chain.certificates, chain.certificates[1:], strict=False):
        current = any(
            _by(item, issuer) and (item.next_update_utc is None or item.next_update_utc >= at) for item in known.lists
        )
        if not current and not any(_is_for(item, certificate, issuer) and _current(item, at) for item in known.answers):
            return False
    return len(chain.certificates) > 1


def _current(item: ocsp.OCSPResponse, at: datetime) -> bool:
    """An answer without an end is of its moment only (RFC 6960, 2.4); "unknown" is no answer."""
    end = item.next_update_utc
    return item.certificate_status is not ocsp.OCSPCertStatus.UNKNOWN and end is not None and end >= at


def _by(item: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return item.issuer == issuer.subject and item.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        return False


def _listed(certificate: x509.Certificate, issuer: x509.Certificate, known: Known) -> list[tuple[datetime, str]]:
    found = []
    for item in known.lists:
        if not _by(item, issuer):
            continue
        entry = item.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is None:
            continue
        try:
            why = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name
        except (x509.ExtensionNotFound, ValueError):
            why = ""
        if why != "remove_from_crl":
            found.append((entry.revocation_date_utc, why))
    return found


def _answered(certificate: x509.Certificate, issuer: x509.Certificate, known: Known) -> list[tuple[datetime, str]]:
    found = []
    for item in known.answers:
        if not _is_for(item, certificate, issuer) or item.certificate_status is not ocsp.OCSPCertStatus.REVOKED:
            continue
        when, why = item.revocation_time_utc, item.revocation_reason
        if when is not None:
            found.append((when, why.name if why is not None else ""))
    return found


def _is_for(item: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether an answer is about this certificate, and the issuer, or one that it named for that, gave it."""
    try:
        if item.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return False
        if item.serial_number != certificate.serial_number:
            return False
        return any(_gave(item, signer) for signer in (issuer, *_named(item, issuer)))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _named(item: ocsp.OCSPResponse, issuer: x509.Certificate) -> Iterator[x509.Certificate]:
    """Those whom the issuer named to answer for it (RFC 6960, 4.2.2.2)."""
    from cryptography.x509.oid import ExtendedKeyUsageOID

    for other in item.certificates:
        try:
            uses = other.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            other.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
            continue
        if ExtendedKeyUsageOID.OCSP_SIGNING in uses:
            yield other


def _gave(item: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    """Whether this key signed the answer."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

    key = signer.public_key()
    try:
        if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(item.signature, item.tbs_response_bytes)
            return True
        chosen = item.signature_hash_algorithm
        if chosen is None:
            return False
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(item.signature, item.tbs_response_bytes, padding.PKCS1v15(), chosen)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(item.signature, item.tbs_response_bytes, ec.ECDSA(chosen))
        else:
            return False
    except InvalidSignature:
        return False
    return True
