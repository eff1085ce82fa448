"""A transparency log's word on a signature: its promise, the proof that it holds the entry, and the time that it gives.

Sources: RFC 6962, 2.1.1 for the path to the root; sigstore's protobuf-specs for the fields; the signed note that a log's
checkpoint is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

_PREHASHED: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
MOST = 200  #: entries of one signature, or hashes of one proof


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a transparency log."""

    at: datetime | None
    index: int
    log: bytes  #: log id
    body: bytes
    promise: bytes  #: the log's signature over the entry
    proof: dict[str, Any]


def unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("base64") from error


def entry(row: dict[str, Any]) -> Entry:
    at = int(row.get("integratedTime") or row.get("integrated_time") or 0)
    promise = row.get("inclusionPromise") or row.get("inclusion_promise") or {}
    return Entry(
        at=datetime.fromtimestamp(at, UTC) if at else None,
        index=int(row.get("logIndex") or row.get("log_index") or 0),
        log=unbase64((row.get("logId") or row.get("log_id") or {}).get("keyId", "")),
        body=unbase64(row.get("canonicalizedBody") or row.get("canonicalized_body") or ""),
        promise=unbase64(promise.get("signedEntryTimestamp") or promise.get("signed_entry_timestamp") or ""),
        proof=row.get("inclusionProof") or row.get("inclusion_proof") or {},
    )


def check(key: Any, signature: bytes, data: bytes | None, digest: tuple[str, bytes] | None = None) -> None:
    """Raises :class:`InvalidSignature` unless ``key`` signed the bytes, or the bytes of that digest."""
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    chosen: Any = hashes.SHA256()
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size > 256:
        chosen = hashes.SHA384() if key.curve.key_size <= 384 else hashes.SHA512()
    if data is None and digest is not None:
        chosen = Prehashed(_PREHASHED[digest[0]]())
        data = digest[1]
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data or b"", ec.ECDSA(chosen))
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data or b"", padding.PKCS1v15(), chosen)
    elif isinstance(key, ed25519.Ed25519PublicKey) and digest is None:
        key.verify(signature, data or b"")
    else:
        raise ValueError(f"{type(key).__name__}")


def when(
    entries: Iterable[Entry], logs: Mapping[bytes, Any], signature: bytes, *, proven: bool = False
) -> tuple[bool, datetime | None, str]:
    """Whether a log holds the signature, when it took it in where it promises that, and else what is wrong.

    ``proven``: the proof that the log holds the entry has to be there; since version 2 a log only proves, and its entries
    have no time."""
    problem = "no log says that it holds it"
    for entry in list(entries)[:MOST]:
        key = logs.get(entry.log)
        if key is None:
            problem = "its log is not one of the trusted root"
        elif not _is_of(entry, signature):
            problem = "the log's entry is of another signature"
        elif entry.promise and entry.at is None:
            problem = "the log's entry has no time"
        elif entry.promise and not _promised(entry, key):
            problem = "the log did not sign that entry"
        elif entry.proof and not _included(entry, key, bare=bool(entry.promise) and not proven):
            problem = "the proof that the log holds the entry does not hold"
        elif not entry.proof and (proven or not entry.promise):
            problem = "the proof that the log holds the entry is not there"
        else:
            return True, entry.at if entry.promise else None, ""
    return False, None, problem


def _is_of(entry: Entry, signature: bytes) -> bool:
    """Whether the entry of the log holds this signature, whatever its kind (hashedrekord, dsse, intoto)."""
    try:
        text = json.dumps(msgspec.json.decode(entry.body))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return False
    spelt = base64.b64encode(signature).decode()
    return spelt in text or base64.b64encode(spelt.encode()).decode() in text


def _promised(entry: Entry, key: Any) -> bool:
    said = {
        "body": base64.b64encode(entry.body).decode(),
        "integratedTime": int(entry.at.timestamp()) if entry.at else 0,
        "logID": entry.log.hex(),
        "logIndex": entry.index,
    }
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    try:
        check(key, entry.promise, canonical)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _included(entry: Entry, key: Any, *, bare: bool) -> bool:
    """The path from the entry to the log's root (RFC 6962, 2.1.1), and the log's signature under that root.

    ``bare``: bundles of the first version may have no such signature; their promise is what counts."""
    proof = entry.proof
    try:
        index = int(proof.get("logIndex") or proof.get("log_index") or 0)
        size = int(proof.get("treeSize") or proof.get("tree_size") or 0)
        path = [unbase64(text) for text in proof.get("hashes", ())][:MOST]
        wanted = unbase64(proof.get("rootHash") or proof.get("root_hash") or "")
        checkpoint = (proof.get("checkpoint") or {}).get("envelope", "")
    except (ValueError, TypeError, AttributeError):
        return False
    if not 0 <= index < size:
        return False
    node, last = hashlib.sha256(b"\0" + entry.body).digest(), size - 1
    for sibling in path:
        if not last:
            return False
        if index & 1 or index == last:
            node = hashlib.sha256(b"\1" + sibling + node).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\1" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    signed = _signed_root(checkpoint, wanted, key, entry.log[:4]) if checkpoint else bare
    return not last and node == wanted and signed


def _signed_root(text: str, wanted: bytes, key: Any, hint: bytes) -> bool:
    """A signed note: name, size and root in three lines or more, a blank one, and lines of signatures: a name, and in base64
    four bytes of the log's number before the signature. Witnesses may have signed it, too."""
    body, blank, below = text.partition("\n\n")
    rows = body.split("\n")
    if not blank or len(rows) < 3 or rows[2] != base64.b64encode(wanted).decode() or not rows[0]:
        return False
    for row in below.splitlines():
        mark = row.removeprefix("\u2014 ").split(" ")
        try:
            raw = unbase64(mark[-1])
            # logs of version 1 put the number of their tree behind the name
            if len(mark) != 2 or mark[0] != rows[0].split(" - ")[0] or raw[:4] != hint:
                continue
            check(key, raw[4:], (body + "\n").encode())
        except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
            continue
        return True
    return False
