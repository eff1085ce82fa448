"""sigstore's bundles and attestations taken apart: certificates, signature, what is signed, the log's entries, time stamps.

Sources: the bundle messages of sigstore's protobuf-specs (0.1 to 0.3); PEP 740 for Python's attestations; DSSE 1.0 for the
envelope.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from cryptography import x509

from fulldress.package.signatures import certificates as certs
from fulldress.package.signatures.translog import MOST, Entry, entry, unbase64


class NotBundle(ValueError):
    """The bytes are no bundle; the message says why."""


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    certificates: tuple[x509.Certificate, ...]
    signature: bytes
    signed: bytes | None  #: what is signed, where it stands in the bundle: the envelope
    digest: tuple[str, bytes] | None  #: of the file, where the signature is over the file itself
    subjects: tuple[tuple[str, dict[str, str]], ...] = ()  #: names and digests that a statement is about
    statement: str = ""  #: predicate type
    entries: tuple[Entry, ...] = ()
    stamps: tuple[bytes, ...] = ()  #: time stamps over the signature (RFC 3161), in DER
    proven: bool = True  #: of a version that demands the log's proof
    hint: str = ""  #: name of a bare key, where it is signed with one


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
    return found[:MOST]


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


def _bundle(item: dict[str, Any]) -> Bundle:
    if "verification_material" in item:  # PEP 740
        material, envelope = item["verification_material"], item["envelope"]
        payload = unbase64(envelope["statement"])
        entries = tuple(entry(row) for row in material.get("transparency_entries", ()))
        chain = certs.parse(unbase64(material["certificate"]))
        return _stated(chain, "application/vnd.in-toto+json", payload, unbase64(envelope["signature"]), entries)
    material = item["verificationMaterial"]
    entries = tuple(entry(row) for row in material.get("tlogEntries") or ())
    raw = [material["certificate"]["rawBytes"]] if "certificate" in material else []
    raw = raw or [row["rawBytes"] for row in (material.get("x509CertificateChain") or {}).get("certificates", ())]
    chain = [one for text in raw for one in certs.parse(unbase64(text))]
    rows = (material.get("timestampVerificationData") or {}).get("rfc3161Timestamps") or ()
    more: dict[str, Any] = {
        "stamps": tuple(unbase64(row["signedTimestamp"]) for row in rows[:MOST]),
        "proven": not str(item.get("mediaType", "")).endswith("version=0.1"),
        "hint": str((material.get("publicKey") or {}).get("hint", "")),
    }
    if "dsseEnvelope" in item:
        envelope = item["dsseEnvelope"]
        signature = unbase64(envelope["signatures"][0]["sig"])
        made = _stated(chain, envelope["payloadType"], unbase64(envelope["payload"]), signature, entries)
        return msgspec.structs.replace(made, **more)
    message = item["messageSignature"]
    said = message.get("messageDigest") or {}
    name = str(said.get("algorithm", "SHA2_256")).lower().replace("sha2_", "sha")
    return Bundle(
        certificates=tuple(chain),
        signature=unbase64(message["signature"]),
        signed=None,
        digest=(name, unbase64(said["digest"])) if said else None,
        entries=entries,
        **more,
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
