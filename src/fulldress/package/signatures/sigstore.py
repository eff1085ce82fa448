"""sigstore bundles and attestations, verified offline against a trusted root that the team keeps in its trust folder.

Sources: the bundle and trusted-root messages of sigstore's protobuf-specs (0.1 to 0.3); PEP 740 for Python's attestations;
DSSE 1.0 for the envelope; RFC 6962 for the inclusion proof. What no trusted root was given for is said, not assumed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from fulldress.facts import Evidence, Integrity, Signature, Trust, Witness
from fulldress.package.signatures import certificates as certs
from fulldress.package.signatures.judged import Ground, quoted

_ISSUER_V2, _ISSUER_V1 = "1.3.6.1.4.1.57264.1.8", "1.3.6.1.4.1.57264.1.1"
_PREHASHED: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_MOST = 200  #: bundles or proof hashes in one file


class NotBundle(ValueError):
    """The bytes are no bundle; the message says why."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a transparency log."""

    at: datetime | None
    index: int
    log: bytes  #: log id
    body: bytes
    promise: bytes  #: the log's signature over the entry
    proof: dict[str, Any]


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    certificates: tuple[x509.Certificate, ...]
    signature: bytes
    signed: bytes | None  #: what is signed, where it stands in the bundle: the envelope
    digest: tuple[str, bytes] | None  #: of the file, where the signature is over the file itself
    subjects: tuple[tuple[str, dict[str, str]], ...] = ()  #: names and digests that a statement is about
    statement: str = ""  #: predicate type
    entries: tuple[Entry, ...] = ()


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """A trusted root: authorities, and keys of logs."""

    name: str
    folder: certs.Folder
    logs: dict[bytes, Any]


def looks(data: bytes) -> bool:
    head = data.lstrip()[:1]
    return head == b"{" and (
        b"dev.sigstore.bundle" in data
        or b"verification_material" in data
        or b'"attestation_bundles"' in data
        or (b'"attestations"' in data and b"verificationMaterial" in data)
    )


def parse(data: bytes) -> list[Bundle]:
    """Every bundle of a file. Raises :class:`NotBundle`."""
    try:
        whole = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotBundle(f"it is no JSON ({str(error)[:80]})") from error
    try:
        found = [_bundle(item) for item in _items(whole)]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise NotBundle(f"a part of it is missing or damaged ({str(error)[:80]})") from error
    if not found:
        raise NotBundle("it holds no signature")
    return found[:_MOST]


def _items(whole: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(whole, dict):
        return
    if "attestation_bundles" in whole:
        for group in whole["attestation_bundles"]:
            yield from group["attestations"]
    elif "attestations" in whole:
        for item in whole["attestations"]:
            yield item.get("bundle", item)
    else:
        yield whole


def _b64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("base64") from error


def _bundle(item: dict[str, Any]) -> Bundle:
    if "verification_material" in item:  # PEP 740
        material, envelope = item["verification_material"], item["envelope"]
        payload = _b64(envelope["statement"])
        entries = tuple(_entry(row) for row in material.get("transparency_entries", ()))
        chain = certs.parse(_b64(material["certificate"]))
        return _stated(chain, "application/vnd.in-toto+json", payload, _b64(envelope["signature"]), entries)
    material = item["verificationMaterial"]
    entries = tuple(_entry(row) for row in material.get("tlogEntries") or ())
    raw = [material["certificate"]["rawBytes"]] if "certificate" in material else []
    raw = raw or [row["rawBytes"] for row in (material.get("x509CertificateChain") or {}).get("certificates", ())]
    chain = [one for text in raw for one in certs.parse(_b64(text))]
    if "dsseEnvelope" in item:
        envelope = item["dsseEnvelope"]
        signature = _b64(envelope["signatures"][0]["sig"])
        return _stated(chain, envelope["payloadType"], _b64(envelope["payload"]), signature, entries)
    message = item["messageSignature"]
    said = message.get("messageDigest") or {}
    name = str(said.get("algorithm", "SHA2_256")).lower().replace("sha2_", "sha")
    return Bundle(
        certificates=tuple(chain),
        signature=_b64(message["signature"]),
        signed=None,
        digest=(name, _b64(said["digest"])) if said else None,
        entries=entries,
    )


def _stated(
    chain: list[x509.Certificate], kind: str, payload: bytes, signature: bytes, entries: tuple[Entry, ...]
) -> Bundle:
    """A signed statement; DSSE's encoding of what is signed keeps kind and payload apart."""
    signed = b"DSSEv1 %d %b %d %b" % (len(kind.encode()), kind.encode(), len(payload), payload)
    statement = msgspec.json.decode(payload)
    subjects = tuple(
        (str(row.get("name", "")), {str(k): str(v) for k, v in row["digest"].items()})
        for row in statement.get("subject", ())[:1000]
    )
    return Bundle(
        certificates=tuple(chain),
        signature=signature,
        signed=signed,
        digest=None,
        subjects=subjects,
        statement=str(statement.get("predicateType", "")),
        entries=entries,
    )


def _entry(row: dict[str, Any]) -> Entry:
    at = int(row.get("integratedTime") or row.get("integrated_time") or 0)
    promise = row.get("inclusionPromise") or row.get("inclusion_promise") or {}
    return Entry(
        at=datetime.fromtimestamp(at, UTC) if at else None,
        index=int(row.get("logIndex") or row.get("log_index") or 0),
        log=_b64((row.get("logId") or row.get("log_id") or {}).get("keyId", "")),
        body=_b64(row.get("canonicalizedBody") or row.get("canonicalized_body") or ""),
        promise=_b64(promise.get("signedEntryTimestamp") or promise.get("signed_entry_timestamp") or ""),
        proof=row.get("inclusionProof") or row.get("inclusion_proof") or {},
    )


def root(name: str, data: bytes) -> Root | None:
    """A trusted root; None for one that cannot be read."""
    try:
        whole = msgspec.json.decode(data)
        roots: list[x509.Certificate] = []
        others: list[x509.Certificate] = []
        for authority in whole.get("certificateAuthorities", ()):
            for row in authority["certChain"]["certificates"]:
                for one in certs.parse(_b64(row["rawBytes"])):
                    (roots if certs.signs_itself(one) else others).append(one)
        logs = {}
        for log in whole.get("tlogs", ()):
            logs[_b64(log["logId"]["keyId"])] = serialization.load_der_public_key(_b64(log["publicKey"]["rawBytes"]))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError, UnsupportedAlgorithm, RecursionError):
        return None
    return Root(name=name, folder=certs.Folder(name, tuple(roots), tuple(others)), logs=logs)


Find = Callable[[str, dict[str, str]], str]


def judged(
    bundle: Bundle,
    roots: list[Root],
    ground: Ground,
    evidence: Evidence,
    path: str,
    find: Find,
    named: tuple[str, bytes | None],
) -> Signature:
    """The fact. ``find`` gives the entry with one of these digests, or nothing; ``named`` is the entry that the bundle's
    own name points to, and its sha256."""
    covers, integrity, problem = _bytes(bundle, find, named)
    said = [
        "bytes intact"
        if integrity is Integrity.INTACT
        else f"bytes {'not intact' if integrity is Integrity.BROKEN else 'not verified'}: {problem}"
    ]
    leaf = bundle.certificates[0] if bundle.certificates else None
    who, by = _identity(leaf) if leaf is not None else ("", "")
    if who:
        said.append(f"signed by {quoted(who)}" + (f", as {by} knew it" if by else ""))
    trust, words, at, faults = _trusted(bundle, roots, ground)
    said.extend(words)
    said.extend(faults)
    if bundle.statement:
        said.append(f"a statement of the kind {bundle.statement}")
    chain = certs.build(leaf, bundle.certificates[1:], certs.Folder()) if leaf is not None else None
    return Signature(
        witness=Witness.READ,
        evidence=evidence,
        scheme="sigstore",
        path=path,
        covers=covers,
        integrity=integrity,
        trust=trust,
        words="; ".join(said),
        signer=who,
        chain=tuple(certs.described(one) for one in chain.certificates) if chain is not None else (),
        stamped_at=at,
        weaknesses=tuple(faults),
    )


def _bytes(bundle: Bundle, find: Find, named: tuple[str, bytes | None]) -> tuple[tuple[str, ...], Integrity, str]:
    if not bundle.certificates:
        return (), Integrity.UNVERIFIED, "it is signed with a bare key, which it only hints at"
    key = bundle.certificates[0].public_key()
    if bundle.signed is not None:
        try:
            _verify(key, bundle.signature, bundle.signed)
        except InvalidSignature:
            return (), Integrity.BROKEN, "the statement is not the one that was signed"
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            return (), Integrity.UNVERIFIED, f"its key could not be used ({str(error)[:80]})"
        found = tuple(dict.fromkeys(hit for name, digests in bundle.subjects if (hit := find(name, digests))))
        if found:
            return found, Integrity.INTACT, ""
        names = ", ".join(name for name, _ in bundle.subjects[:3])
        if named[0] and any(name.rsplit("/", 1)[-1] == named[0].rsplit("/", 1)[-1] for name, _ in bundle.subjects):
            return (named[0],), Integrity.BROKEN, f"{named[0]} is not the one that the statement is about"
        return (), Integrity.UNVERIFIED, f"the statement is about {names or 'nothing'}, which is not here"
    wanted = bundle.digest
    entry = find("", {wanted[0]: wanted[1].hex()}) if wanted is not None else ""
    digest = wanted if entry else ("sha256", named[1]) if named[1] is not None else None
    if digest is None or digest[1] is None:
        return (), Integrity.UNVERIFIED, "it is over no entry of the package"
    try:
        _verify(key, bundle.signature, None, (digest[0], digest[1]))
    except InvalidSignature:
        return (entry or named[0],), Integrity.BROKEN, "the bytes are not those that were signed"
    except (ValueError, TypeError, KeyError, UnsupportedAlgorithm) as error:
        return (entry or named[0],), Integrity.UNVERIFIED, f"its key could not be used ({str(error)[:80]})"
    return (entry or named[0],), Integrity.INTACT, ""


def _verify(key: Any, signature: bytes, data: bytes | None, digest: tuple[str, bytes] | None = None) -> None:
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


def _identity(leaf: x509.Certificate) -> tuple[str, str]:
    """Who signed, as the authority wrote it into the certificate, and the provider that had checked it."""
    who = by = ""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        who = next((str(name.value) for name in names if isinstance(name.value, str)), "")
    except (x509.ExtensionNotFound, ValueError):
        pass
    for oid, skip in ((_ISSUER_V2, 2), (_ISSUER_V1, 0)):
        try:
            raw = leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier(oid)).value
        except (x509.ExtensionNotFound, ValueError):
            continue
        if isinstance(raw, x509.UnrecognizedExtension):
            by = by or raw.value[skip:].decode("utf-8", "replace")
    return who, by


def _trusted(bundle: Bundle, roots: list[Root], ground: Ground) -> tuple[Trust, list[str], datetime | None, list[str]]:
    """Trust, words for it, the log's time where that holds, and what is wrong."""
    if not bundle.certificates:
        return Trust.UNKNOWN, [], None, []
    if not roots:
        where = (
            f"{ground.keys.name}/ holds no trusted root of sigstore"
            if ground.trust is not None
            else "no trust folder was given"
        )
        return Trust.UNKNOWN, [f"its authority and its log could not be checked: {where}"], None, []
    for one in roots:
        chain = certs.build(bundle.certificates[0], bundle.certificates[1:], one.folder)
        if not chain.anchored:
            continue
        at, problem = _logged(bundle, one)
        if at is None:
            return Trust.UNTRUSTED, [f"chain ends in {one.name}"], None, [problem]
        faults = certs.unfit(chain, at, certs.SIGNING)
        words = [f"chain ends in {one.name}; its log had it on {at:%Y-%m-%d %H:%M} UTC"]
        return (Trust.UNTRUSTED if faults else Trust.TRUSTED), words, at, faults
    return Trust.UNTRUSTED, [f"its authority is in no trusted root of {ground.keys.name}/"], None, []


def _logged(bundle: Bundle, root: Root) -> tuple[datetime | None, str]:
    """When the log took the signature in; the promise or the proof has to hold, and the entry to be of this signature."""
    problem = "no log says when it was signed"
    for entry in bundle.entries[:_MOST]:
        key = root.logs.get(entry.log)
        if key is None:
            problem = "its log is not one of the trusted root"
        elif not _is_of(entry, bundle):
            problem = "the log's entry is of another signature"
        elif entry.at is None:
            problem = "the log's entry has no time"
        elif entry.promise and not _promised(entry, key):
            problem = "the log did not sign that entry"
        elif entry.proof and not _included(entry, key):
            problem = "the proof that the log holds the entry does not hold"
        elif not entry.promise:
            problem = "the log did not sign the time of that entry"
        else:
            return entry.at, ""
    return None, problem


def _is_of(entry: Entry, bundle: Bundle) -> bool:
    """Whether the entry of the log holds this signature, whatever its kind (hashedrekord, dsse, intoto)."""
    try:
        text = json.dumps(msgspec.json.decode(entry.body))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return False
    spelt = base64.b64encode(bundle.signature).decode()
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
        _verify(key, entry.promise, canonical)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _included(entry: Entry, key: Any) -> bool:
    """The path from the entry to the log's root (RFC 6962, 2.1.1), and the log's signature under that root."""
    proof = entry.proof
    try:
        index = int(proof.get("logIndex") or proof.get("log_index") or 0)
        size = int(proof.get("treeSize") or proof.get("tree_size") or 0)
        path = [_b64(text) for text in proof.get("hashes", ())][:_MOST]
        wanted = _b64(proof.get("rootHash") or proof.get("root_hash") or "")
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
    return not last and node == wanted and (not checkpoint or _signed_root(checkpoint, wanted, key))


def _signed_root(text: str, wanted: bytes, key: Any) -> bool:
    """A signed note: three lines or more, a blank one, and lines of signatures."""
    body, blank, below = text.partition("\n\n")
    rows = body.split("\n")
    if not blank or len(rows) < 3 or rows[2] != base64.b64encode(wanted).decode():
        return False
    for row in below.splitlines():
        try:
            _verify(key, _b64(row.rsplit(" ", 1)[-1])[4:], (body + "\n").encode())
        except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
            continue
        return True
    return False
