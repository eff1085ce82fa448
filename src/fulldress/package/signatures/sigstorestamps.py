"""What a trusted root says of times: its time-stamp authorities, and the logs that an authority's certificates stand in.

Sources: sigstore's protobuf-specs (``timestampAuthorities``, ``ctlogs``); RFC 3161; RFC 6962, 3.2 for what a log of
certificates signs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fulldress.package.signatures import certificates as certs
from fulldress.package.signatures import cms, stampfile
from fulldress.package.signatures.translog import check, unbase64


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """A time-stamp authority, leaf first, and when its stamps count."""

    chain: tuple[x509.Certificate, ...]
    start: datetime | None = None
    end: datetime | None = None


def authorities(rows: Iterable[Any]) -> Iterator[Authority]:
    """Those of a trusted root. Raises what its root raises for a damaged one."""
    for row in rows:
        held = [certs.parse(unbase64(one["rawBytes"]))[0] for one in row["certChain"]["certificates"]]
        valid = row.get("validFor") or {}
        yield Authority(chain=tuple(held), start=_instant(valid.get("start")), end=_instant(valid.get("end")))


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def stamped(stamps: Iterable[bytes], signature: bytes, known: tuple[Authority, ...]) -> tuple[list[datetime], str]:
    """The times of stamps that hold, and what is wrong with one that does not."""
    times: list[datetime] = []
    problem = ""
    for der in stamps:
        try:
            info = stampfile.token(der)
        except ValueError as error:
            problem = f"a time stamp is damaged: {error}"
            continue
        at, why = _one(info, signature, known)
        if at is not None:
            times.append(at)
        else:
            problem = why
    return times, problem


def _one(info: Any, signature: bytes, known: tuple[Authority, ...]) -> tuple[datetime | None, str]:
    problem = "its time stamp is not of an authority of the trusted root"
    for authority in known:
        stamp = cms.token(info, cms.digest_of(signature), authority.chain)
        if stamp.problem or stamp.certificate is None or stamp.at is None:
            problem = stamp.problem or problem
            continue
        if certs.fingerprint(stamp.certificate) != certs.fingerprint(authority.chain[0]):
            continue
        root = authority.chain[-1]
        chain = certs.build(stamp.certificate, authority.chain, certs.Folder("", (root,), authority.chain[:-1]))
        faults = certs.unfit(chain, stamp.at, certs.STAMPING)
        if not chain.anchored or faults:
            problem = f"its time stamp does not count: {faults[0] if faults else 'its authority is not complete'}"
        elif (authority.start and stamp.at < authority.start) or (authority.end and stamp.at > authority.end):
            problem = "its time stamp is of a time at which that authority did not count"
        else:
            return stamp.at, ""
    return None, problem


def logged(leaf: x509.Certificate, issuer: x509.Certificate, logs: Mapping[bytes, Any]) -> bool:
    """Whether one of these logs promised to hold the certificate (RFC 6962, 3.2)."""
    try:
        promises = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
        body = leaf.tbs_precertificate_bytes
        public = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (x509.ExtensionNotFound, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    for promise in promises:
        key = logs.get(promise.log_id)
        if key is None:
            continue
        at = promise.timestamp.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        extra = promise.extension_bytes
        signed = b"\0\0" + (at // timedelta(milliseconds=1)).to_bytes(8, "big") + b"\0\1"
        signed += hashlib.sha256(public).digest() + len(body).to_bytes(3, "big") + body
        signed += len(extra).to_bytes(2, "big") + extra
        try:
            check(key, promise.signature, signed)
        except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
            continue
        return True
    return False
