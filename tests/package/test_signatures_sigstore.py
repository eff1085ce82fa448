"""sigstore bundles: a log, an authority and statements made in memory."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fulldress.facts import Integrity, Trust
from judging import DATA, ROOT, TSA, TSA_ROOT, read
from signing import CODE, NOW, Identity, token

WHO = "https://forge.example/skiff/skiff/.github/workflows/release.yml@refs/tags/v7.3"


def keyless(issuer: Identity) -> Identity:
    """A certificate for minutes, with an address instead of a name."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(issuer.certificate.subject)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(NOW - timedelta(days=9)).not_valid_after(NOW - timedelta(days=9, minutes=-10))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(WHO)]), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([CODE]), critical=False)
    own = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8"), b"\x0c\x18https://login.example/id"
    )
    builder = builder.add_extension(own, critical=False)
    return Identity(key, builder.sign(issuer.key, hashes.SHA256()))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Log:
    """A transparency log with one key, that holds two entries."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.public = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.id = hashlib.sha256(self.public).digest()

    def entry(
        self, signature: bytes, *, proof: bool = True, promise: bool = True, hint: bytes = b""
    ) -> dict[str, object]:
        """``hint``: other first bytes than those of the log's own number, under its root."""
        body = json.dumps({"kind": "hashedrekord", "spec": {"signature": {"content": b64(signature)}}}).encode()
        at = int((NOW - timedelta(days=9, minutes=-5)).timestamp())
        said = {"body": b64(body), "integratedTime": at, "logID": self.id.hex(), "logIndex": 41}
        promised = self.key.sign(
            json.dumps(said, sort_keys=True, separators=(",", ":")).encode(), ec.ECDSA(hashes.SHA256())
        )
        other = hashlib.sha256(b"\0other").digest()
        root = hashlib.sha256(b"\1" + other + hashlib.sha256(b"\0" + body).digest()).digest()
        note = f"log.example\n2\n{b64(root)}\n"
        signed = self.key.sign(note.encode(), ec.ECDSA(hashes.SHA256()))
        whole: dict[str, object] = {
            "logIndex": "41",
            "logId": {"keyId": b64(self.id)},
            "canonicalizedBody": b64(body),
        }
        if promise:
            whole["integratedTime"] = str(at)
            whole["inclusionPromise"] = {"signedEntryTimestamp": b64(promised)}
        if proof:
            whole["inclusionProof"] = {
                "logIndex": "1",
                "treeSize": "2",
                "rootHash": b64(root),
                "hashes": [b64(other)],
                "checkpoint": {
                    "envelope": f"{note}\n\u2014 log.example {b64((hint or self.id[:4]) + signed)}\n"
                    "\u2014 witness.example AAAAAAAAAAAA\n"
                },
            }
        return whole

    def trusted(
        self, *roots: Identity, stamps: tuple[Identity, ...] = (), more: dict[str, object] | None = None
    ) -> bytes:
        """``stamps``: a time-stamp authority, leaf first."""
        chains = [{"certChain": {"certificates": [{"rawBytes": b64(der(root))}]}} for root in roots]
        logs = [{"logId": {"keyId": b64(self.id)}, "publicKey": {"rawBytes": b64(self.public)}}]
        kind = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
        whole: dict[str, object] = {"mediaType": kind, "tlogs": logs, "certificateAuthorities": chains}
        if stamps:
            chain = {"certificates": [{"rawBytes": b64(der(one))} for one in stamps]}
            whole["timestampAuthorities"] = [{"certChain": chain, **(more or {})}]
        return json.dumps(whole).encode()


def der(who: Identity) -> bytes:
    return who.certificate.public_bytes(serialization.Encoding.DER)


def message(who: Identity, log: Log, data: bytes) -> bytes:
    signature = who.key.sign(data, ec.ECDSA(hashes.SHA256()))
    said = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(data).digest())}
    return json.dumps(
        {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"certificate": {"rawBytes": b64(der(who))}, "tlogEntries": [log.entry(signature)]},
            "messageSignature": {"messageDigest": said, "signature": b64(signature)},
        }
    ).encode()


def stamp(signature: bytes, at: datetime, by: Identity = TSA) -> bytes:
    return token(signature, by, at, "sha256").dump()


def proven(who: Identity, log: Log, at: datetime | None, **entry: object) -> dict[str, Any]:
    """A bundle of version 2 of the log: a proof instead of a promise, and the time from a stamp."""
    whole = json.loads(message(who, log, DATA))
    signature = base64.b64decode(whole["messageSignature"]["signature"])
    material = whole["verificationMaterial"]
    material["tlogEntries"] = [log.entry(signature, **{"promise": False, **entry})]  # type: ignore[arg-type]
    if at is not None:
        rows = [{"signedTimestamp": b64(stamp(signature, at))}]
        material["timestampVerificationData"] = {"rfc3161Timestamps": rows}
    return whole


def statement(who: Identity, log: Log, data: bytes, *, of: str) -> bytes:
    kind, body = (
        "application/vnd.in-toto+json",
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": of, "digest": {"sha256": hashlib.sha256(data).hexdigest()}}],
            "predicateType": "https://slsa.dev/provenance/v1",
        },
    )
    payload = json.dumps(body).encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    signature = who.key.sign(signed, ec.ECDSA(hashes.SHA256()))
    return json.dumps(
        {
            "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.2",
            "verificationMaterial": {
                "x509CertificateChain": {"certificates": [{"rawBytes": b64(der(who))}]},
                "tlogEntries": [log.entry(signature)],
            },
            "dsseEnvelope": {"payload": b64(payload), "payloadType": kind, "signatures": [{"sig": b64(signature)}]},
        }
    ).encode()


def with_root(tmp_path: Path, log: Log, *roots: Identity, **more: object) -> Path:
    place = tmp_path / "trust" / "sigstore"
    place.mkdir(parents=True, exist_ok=True)
    (place / "trusted_root.json").write_bytes(log.trusted(*roots, **more))  # type: ignore[arg-type]
    return tmp_path / "trust"


def test_a_bundle_over_a_file(tmp_path: Path) -> None:
    log, who = Log(), keyless(ROOT)
    files = {"a.bin": DATA, "a.bin.sigstore.json": message(who, log, DATA)}
    (fact,) = read(files, with_root(tmp_path, log, ROOT))
    assert (fact.integrity, fact.trust, fact.signer, fact.covers) == (Integrity.INTACT, Trust.TRUSTED, WHO, ("a.bin",))
    assert "as https://login.example/id knew it" in fact.words
    assert fact.weaknesses == (), "a certificate for minutes is good where the log had the signature in them"


@pytest.mark.parametrize("harm", ["bytes", "log", "authority", "time", "none"])
def test_a_bundle_that_does_not_hold(tmp_path: Path, harm: str) -> None:
    log, who = Log(), keyless(ROOT)
    bundle = json.loads(message(who, log, DATA))
    if harm == "time":
        bundle["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = "1700000000"
    data = DATA + b"!" if harm == "bytes" else DATA
    trust = with_root(tmp_path, Log() if harm == "log" else log, TSA_ROOT if harm == "authority" else ROOT)
    (fact,) = read({"a.bin": data, "a.bin.sigstore": json.dumps(bundle).encode()}, None if harm == "none" else trust)
    if harm == "bytes":
        assert fact.integrity is Integrity.BROKEN
    else:
        assert fact.integrity is Integrity.INTACT
        assert fact.trust is (Trust.UNKNOWN if harm == "none" else Trust.UNTRUSTED)


def test_a_statement_covers_the_entry_of_its_digest(tmp_path: Path) -> None:
    log, who = Log(), keyless(ROOT)
    trust = with_root(tmp_path, log, ROOT)
    files = {"dist/a.bin": DATA, "provenance.sigstore": statement(who, log, DATA, of="a.bin")}
    (fact,) = read(files, trust)
    assert (fact.integrity, fact.trust, fact.covers) == (Integrity.INTACT, Trust.TRUSTED, ("dist/a.bin",))
    (other,) = read({"dist/a.bin": DATA + b"!", "provenance.sigstore": files["provenance.sigstore"]}, trust)
    assert other.integrity is Integrity.UNVERIFIED
    assert "which is not here" in other.words


IN_TIME, LATE = NOW - timedelta(days=9, minutes=-5), NOW - timedelta(days=8)


@pytest.mark.parametrize(
    ("at", "stamps", "more", "entry", "said"),
    [
        (IN_TIME, (TSA, TSA_ROOT), {}, {}, ""),
        (LATE, (TSA, TSA_ROOT), {}, {}, "expired on"),
        (None, (TSA, TSA_ROOT), {}, {}, "nobody says when it was signed"),
        (IN_TIME, (), {}, {}, "its time stamp is not of an authority of the trusted root"),
        (IN_TIME, (TSA, TSA_ROOT), {"validFor": {"end": "2026-01-01T00:00:00Z"}}, {}, "did not count"),
        (IN_TIME, (TSA, TSA_ROOT), {}, {"proof": False}, "the proof that the log holds the entry is not there"),
        (IN_TIME, (TSA, TSA_ROOT), {}, {"hint": b"abcd"}, "the proof that the log holds the entry does not hold"),
    ],
)  # fmt: skip
def test_a_log_that_proves_and_a_stamp_that_says_when(
    tmp_path: Path,
    at: datetime | None,
    stamps: tuple[Identity, ...],
    more: dict[str, object],
    entry: dict[str, object],
    said: str,
) -> None:
    log, who = Log(), keyless(ROOT)
    bundle = json.dumps(proven(who, log, at, **entry)).encode()
    trust = with_root(tmp_path, log, ROOT, stamps=stamps, more=more)
    (fact,) = read({"a.bin": DATA, "a.bin.sigstore.json": bundle}, trust)
    assert fact.integrity is Integrity.INTACT
    assert (fact.trust is Trust.TRUSTED) is (said == "")
    assert said in fact.words


def test_a_promise_without_a_proof_is_of_the_first_version_only(tmp_path: Path) -> None:
    log, who = Log(), keyless(ROOT)
    trust = with_root(tmp_path, log, ROOT)
    for kind, wanted in (
        ("application/vnd.dev.sigstore.bundle+json;version=0.1", Trust.TRUSTED),
        ("application/vnd.dev.sigstore.bundle+json;version=0.2", Trust.UNTRUSTED),
    ):
        bundle = proven(who, log, None, promise=True, proof=False)
        bundle["mediaType"] = kind
        (fact,) = read({"a.bin": DATA, "a.bin.sigstore.json": json.dumps(bundle).encode()}, trust)
        assert fact.trust is wanted


def test_a_proof_without_the_logs_word_is_of_the_first_version_only(tmp_path: Path) -> None:
    log, who = Log(), keyless(ROOT)
    trust = with_root(tmp_path, log, ROOT)
    for version, wanted in (("0.1", Trust.TRUSTED), ("0.2", Trust.UNTRUSTED)):
        bundle = proven(who, log, None, promise=True)
        del bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]
        bundle["mediaType"] = f"application/vnd.dev.sigstore.bundle+json;version={version}"
        (fact,) = read({"a.bin": DATA, "a.bin.sigstore.json": json.dumps(bundle).encode()}, trust)
        assert fact.trust is wanted


def test_a_bundle_that_states_another_digest(tmp_path: Path) -> None:
    log, who = Log(), keyless(ROOT)
    bundle = json.loads(message(who, log, DATA))
    bundle["messageSignature"]["messageDigest"]["digest"] = b64(hashlib.sha256(b"x").digest())
    (fact,) = read({"a.bin": DATA, "a.bin.sigstore.json": json.dumps(bundle).encode()}, with_root(tmp_path, log, ROOT))
    assert fact.integrity is Integrity.BROKEN


def test_a_bundle_of_a_bare_key(tmp_path: Path) -> None:
    log, who, other = Log(), keyless(ROOT), keyless(ROOT)
    bundle = json.loads(message(who, log, DATA))
    del bundle["verificationMaterial"]["certificate"]
    bundle["verificationMaterial"]["publicKey"] = {"hint": "release"}
    files = {"a.bin": DATA, "a.bin.sigstore.json": json.dumps(bundle).encode()}
    trust = with_root(tmp_path, log, ROOT)
    for holder, integrity, wanted in (
        (other, Integrity.UNVERIFIED, Trust.UNKNOWN),
        (who, Integrity.INTACT, Trust.TRUSTED),
    ):
        pem = holder.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (trust / "release.pub").write_bytes(pem)
        (fact,) = read(files, trust)
        assert (fact.integrity, fact.trust) == (integrity, wanted)
    assert "signed with the key that trust/release.pub holds" in fact.words
