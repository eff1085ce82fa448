"""Authenticode, sigstore, revocation, the product's anchors, continuity: made in memory, and parsers under damage."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from fulldress.facts import Certificate, Integrity, Key, Signature, Trust, Unread
from fulldress.package import signatures
from fulldress.package.reader import Options
from fulldress.package.signatures import (
    checksums,
    keys,
    keystores,
    minisign,
    openpgp,
    packets,
    pesig,
    pgpkeys,
    rpmsig,
    sigstore,
    sshsig,
)
from fulldress.package.signatures.continuity import continued
from openfolder import FolderPackage, member
from signing import CODE, NOW, STAMP, Identity, identity, portable, sign, signed_portable

ROOT = identity("Vendor Root", ca=True)
LEAF = identity("Vendor Releases", ROOT, purposes=(CODE,))
TSA_ROOT = identity("Stamp Root", ca=True)
TSA = identity("Stamp Authority", TSA_ROOT, purposes=(STAMP,))
DATA = b"the payload\n" * 30
CASES = Path(__file__).parent / "cases" / "signed"


def read(
    files: dict[str, bytes], trust: Path | None = None, kinds: dict[str, str] | None = None, **given: object
) -> list[Signature]:
    rows = {path: member(path, data, (kinds or {}).get(path, "")) for path, data in files.items()}
    options = Options(trust=trust, **{"at": NOW, "today": NOW, **given})  # type: ignore[arg-type]
    return [fact for fact in signatures.read(FolderPackage(rows, options=options)) if isinstance(fact, Signature)]


def trusting(folder: Path, *roots: Identity, below: str = "x509") -> Path:
    place = folder / "trust" / below
    place.mkdir(parents=True, exist_ok=True)
    for root in roots:
        (place / f"{root.sha256[:8]}.pem").write_bytes(root.pem)
    return folder / "trust"


# -- Authenticode


def test_a_signed_program(tmp_path: Path) -> None:
    trust = trusting(tmp_path, ROOT)
    (fact,) = read({"a.exe": signed_portable(LEAF)}, trust, {"a.exe": "pe"})
    assert (fact.scheme, fact.integrity, fact.trust, fact.covers) == (
        "Authenticode",
        Integrity.INTACT,
        Trust.TRUSTED,
        ("a.exe",),
    )
    assert fact.of_a_part


def test_a_program_changed_after_signing(tmp_path: Path) -> None:
    whole = bytearray(signed_portable(LEAF))
    whole[0x300] ^= 1
    (fact,) = read({"a.exe": bytes(whole)}, trusting(tmp_path, ROOT), {"a.exe": "pe"})
    assert fact.integrity is Integrity.BROKEN
    assert "not the one that was signed" in fact.words


def test_the_checksum_of_a_program_is_left_out(tmp_path: Path) -> None:
    whole = bytearray(signed_portable(LEAF))
    struct.pack_into("<I", whole, 0x80 + 24 + 64, 0xDEADBEEF)
    (fact,) = read({"a.exe": bytes(whole)}, trusting(tmp_path, ROOT), {"a.exe": "pe"})
    assert fact.integrity is Integrity.INTACT


def test_bytes_after_the_signature_of_a_program(tmp_path: Path) -> None:
    whole = signed_portable(LEAF) + b"added later"
    (fact,) = read({"a.exe": whole}, trusting(tmp_path, ROOT), {"a.exe": "pe"})
    assert fact.integrity is Integrity.BROKEN


def test_an_expired_certificate_under_a_trusted_stamp(tmp_path: Path) -> None:
    short = identity("Three Days", ROOT, purposes=(CODE,), start=NOW - timedelta(days=16), end=NOW - timedelta(days=13))
    when = NOW - timedelta(days=15)
    whole = signed_portable(short, stamp=(TSA, when))
    (good,) = read({"a.exe": whole}, trusting(tmp_path / "1", ROOT, TSA_ROOT), {"a.exe": "pe"})
    assert (good.integrity, good.trust, good.stamped_at) == (Integrity.INTACT, Trust.TRUSTED, when)
    assert "after the stamp" in good.words
    (unproven,) = read({"a.exe": whole}, trusting(tmp_path / "2", ROOT), {"a.exe": "pe"})
    assert unproven.trust is Trust.UNTRUSTED
    assert "not trusted here" in unproven.words


def test_an_unsigned_program_has_no_signature() -> None:
    assert read({"a.exe": portable()}, None, {"a.exe": "pe"}) == []


# -- revocation and the product's own anchors


def revoking(issuer: Identity, *revoked: tuple[Identity, str]) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(NOW - timedelta(days=1)).next_update(NOW + timedelta(days=30))
    for who, why in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(who.certificate.serial_number)
        entry = entry.revocation_date(NOW - timedelta(days=5))
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags[why]), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_revoked_certificate(tmp_path: Path) -> None:
    files = {"a.bin": DATA, "a.bin.p7s": sign(DATA, LEAF)}
    trust = trusting(tmp_path, ROOT)
    (trust / "crls").mkdir()
    (trust / "crls" / "vendor.crl").write_bytes(revoking(ROOT, (LEAF, "superseded")))
    (fact,) = read(files, trust)
    assert fact.trust is Trust.UNTRUSTED
    assert any("was revoked on 2026-11-20 (superseded)" in word for word in fact.weaknesses)
    (trust / "crls" / "vendor.crl").write_bytes(revoking(TSA_ROOT, (LEAF, "superseded")))
    assert read(files, trust)[0].trust is Trust.TRUSTED, "a list of another authority says nothing"


def test_revoked_after_the_stamp(tmp_path: Path) -> None:
    files = {"a.bin": DATA, "a.bin.p7s": sign(DATA, LEAF, stamp=(TSA, NOW - timedelta(days=30)))}
    trust = trusting(tmp_path, ROOT, TSA_ROOT)
    (trust / "a.crl").write_bytes(revoking(ROOT, (LEAF, "superseded")))
    assert read(files, trust)[0].trust is Trust.TRUSTED
    (trust / "a.crl").write_bytes(revoking(ROOT, (LEAF, "key_compromise")))
    assert read(files, trust)[0].trust is Trust.UNTRUSTED


def test_the_installed_products_own_anchor(tmp_path: Path) -> None:
    """Scene 3c: the product's anchor ends on a day; an update signed under the new root needs another one first."""
    old = identity("Product CA 1", ca=True, end=NOW + timedelta(days=36))
    new = identity("Product CA 2", ca=True)
    leaf = identity("Updates", new, purposes=(CODE,))
    older = identity("Updates", old, purposes=(CODE,), end=NOW + timedelta(days=400))
    trust = trusting(tmp_path, old, new)
    trusting(tmp_path, old, below="product")
    (other,) = read({"u.bin": DATA, "u.bin.p7s": sign(DATA, leaf)}, trust)
    assert "this is not signed under it" in other.product
    files = {"u.bin": DATA, "u.bin.p7s": sign(DATA, older)}
    assert read(files, trust)[0].product == ""
    (later,) = read(files, trust, at=NOW + timedelta(days=39))
    assert later.product == f'"Product CA 1" in the installed product ends on {NOW + timedelta(days=36):%Y-%m-%d}'


def test_good_today_and_not_in_the_window(tmp_path: Path) -> None:
    leaf = identity("Ends", ROOT, purposes=(CODE,), end=NOW + timedelta(days=5))
    files = {"u.bin": DATA, "u.bin.p7s": sign(DATA, leaf)}
    (fact,) = read(files, trusting(tmp_path, ROOT), at=NOW + timedelta(days=10))
    assert (fact.today, fact.trust) == (Trust.TRUSTED, Trust.UNTRUSTED)
    assert "good today (2026-11-25), not good on 2026-12-05" in fact.words
    assert fact.weaknesses == ('"Ends" will have expired, on 2026-11-30',)


# -- sigstore

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

    def entry(self, signature: bytes) -> dict[str, object]:
        body = json.dumps({"kind": "hashedrekord", "spec": {"signature": {"content": b64(signature)}}}).encode()
        at = int((NOW - timedelta(days=9, minutes=-5)).timestamp())
        said = {"body": b64(body), "integratedTime": at, "logID": self.id.hex(), "logIndex": 41}
        promise = self.key.sign(
            json.dumps(said, sort_keys=True, separators=(",", ":")).encode(), ec.ECDSA(hashes.SHA256())
        )
        other = hashlib.sha256(b"\0other").digest()
        root = hashlib.sha256(b"\1" + other + hashlib.sha256(b"\0" + body).digest()).digest()
        note = f"log.example\n2\n{b64(root)}\n"
        signed = self.key.sign(note.encode(), ec.ECDSA(hashes.SHA256()))
        return {
            "logIndex": "41",
            "logId": {"keyId": b64(self.id)},
            "integratedTime": str(at),
            "inclusionPromise": {"signedEntryTimestamp": b64(promise)},
            "inclusionProof": {
                "logIndex": "1",
                "treeSize": "2",
                "rootHash": b64(root),
                "hashes": [b64(other)],
                "checkpoint": {"envelope": f"{note}\n\u2014 log.example {b64(self.id[:4] + signed)}\n"},
            },
            "canonicalizedBody": b64(body),
        }

    def trusted(self, *roots: Identity) -> bytes:
        chains = [{"certChain": {"certificates": [{"rawBytes": b64(der(root))}]}} for root in roots]
        logs = [{"logId": {"keyId": b64(self.id)}, "publicKey": {"rawBytes": b64(self.public)}}]
        kind = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
        return json.dumps({"mediaType": kind, "tlogs": logs, "certificateAuthorities": chains}).encode()


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


def with_root(tmp_path: Path, log: Log, *roots: Identity) -> Path:
    place = tmp_path / "trust" / "sigstore"
    place.mkdir(parents=True, exist_ok=True)
    (place / "trusted_root.json").write_bytes(log.trusted(*roots))
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


# -- continuity


def by(name: str, print_: str, **more: object) -> Signature:
    key = Key(scheme="OpenPGP", fingerprint=print_, name=name)
    return read_like(scheme="OpenPGP", key=key, **more)


def read_like(**more: object) -> Signature:
    from fulldress.facts import Evidence, Witness

    base = {"witness": Witness.READ, "evidence": Evidence(), "path": "x", "words": "w"}
    return Signature(**{**base, "integrity": Integrity.INTACT, "trust": Trust.UNKNOWN, **more})  # type: ignore[arg-type]


def under(issuer: str, subject: str, sha: str, public: str = "") -> Signature:
    made = Certificate(
        subject=subject, issuer=issuer, serial="1", not_before=NOW, not_after=NOW, sha256=sha, public=public
    )
    top = Certificate(subject=issuer, issuer=issuer, serial="2", not_before=NOW, not_after=NOW, sha256=f"of {issuer}")
    return read_like(scheme="CMS detached", chain=(made, top))


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        (by("V", "aa"), by("V", "aa"), "same key as the last"),
        (by("V", "bb"), by("V", "aa"), "another key than that of the last, under the same name"),
        (by("W", "bb"), by("V", "aa"), "another key than that of the last (V)"),
        (under("CA", "V", "1"), under("CA", "V", "1"), "same certificate as the last"),
        (under("CA", "V", "2"), under("CA", "V", "1"), "same issuer as the last, and a new certificate"),
        (under("CA", "W", "2"), under("CA", "V", "1"), "another subject than that of the last"),
        (under("CB", "V", "2"), under("CA", "V", "1"), "another issuer than that of the last (CA)"),
        (under("CA", "W", "2", "k"), under("CA", "V", "1", "k"), "same key as the last, in a new certificate, then called V"),
        (by("V", "aa"), under("CA", "V", "1"), ""),
    ],
)  # fmt: skip
def test_continuity(now: Signature, then: Signature, said: str) -> None:
    (fact,) = continued([now], [then], "the last")
    assert isinstance(fact, Signature)
    assert fact.continuity.startswith(said)
    assert bool(fact.continuity) == bool(said)


# -- damage

SEEDS = sorted(
    path
    for path in CASES.rglob("*")
    if path.is_file() and path.suffix in (".asc", ".sig", ".minisig", ".gpg", ".rpm", ".jks")
)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 5000), st.binary(min_size=1, max_size=4), st.booleans())
def test_damage_is_said_in_the_rooms_own_words(seed: Path, place: int, change: bytes, cut: bool) -> None:
    data = bytearray(seed.read_bytes())
    data[place % len(data) :][: len(change)] = change
    data[place % len(data) : place % len(data) + len(change)] = change
    every(bytes(data[: place % len(data)]) if cut else bytes(data))


@settings(max_examples=250, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda b: b"\x99" + b), st.binary(max_size=90).map(
    lambda b: b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + base64.b64encode(b) + b"\n-----END PGP PUBLIC KEY BLOCK-----\n"
)))  # fmt: skip
def test_anything_is_read_or_refused(data: bytes) -> None:
    every(data)


def every(data: bytes) -> None:
    """Every parser over the same bytes; only the room's own refusals may come out."""
    import io

    for parse, refusal in (
        (openpgp.parse, packets.NotOpenPgp),
        (pgpkeys.certificates, packets.NotOpenPgp),
        (minisign.parse, minisign.NotMinisign),
        (sshsig.parse, sshsig.NotSsh),
        (sigstore.parse, sigstore.NotBundle),
        (keystores.certificates, ValueError),
    ):
        try:
            parse(data)  # type: ignore[operator]
        except refusal as error:
            assert str(error)
    list(keys.minisign(data))
    list(keys.ssh(data))
    pesig.place(io.BytesIO(data))
    checksums.parse(member("SHA256SUMS", data))
    with_stream = rpmsig.read(io.BytesIO(data), ground(), member("a", data).evidence(), "a", ("a",), whole=True)
    assert all(isinstance(fact, Signature | Unread) for fact in with_stream)


def ground() -> object:
    from fulldress.package.signatures.judged import Ground

    return Ground(trust=None, advisories=(), at=NOW, previous=())
