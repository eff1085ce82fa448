"""Signatures: every branch of the verdict on real certificates and CMS structures made here."""

from __future__ import annotations

import base64
import hashlib
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from casefolders import check, folders
from fulldress.checks.escalation import call_script
from fulldress.facts import Advisory, AnyFact, Integrity, Schedule, Signature, Trust
from fulldress.package import read as read_package
from fulldress.package import signatures
from fulldress.package.reader import Options
from fulldress.package.signatures import certificates, cms
from openfolder import FolderPackage, member, open_folder
from signing import CODE, NOW, STAMP, Identity, identity, sign

CASES = Path(__file__).parent / "cases" / "signatures"
DATA = b"the bytes of the payload\n" * 40
ROOT = identity("Vendor Root CA G2", ca=True)
MIDDLE = identity("Vendor Signing CA 3", ROOT, ca=True)
LEAF = identity("Vendor Releases", MIDDLE, purposes=(CODE,))
TSA_ROOT = identity("Stamp Root", ca=True)
TSA = identity("Stamp Authority", TSA_ROOT, purposes=(STAMP,))


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    check(case, signatures.read(open_folder(case)))


def package(files: dict[str, bytes], trust: Path | None = None, **options: object) -> FolderPackage:
    given = Options(trust=trust, **{"at": NOW, **options})  # type: ignore[arg-type]
    return FolderPackage({path: member(path, data) for path, data in files.items()}, options=given)


def trusting(folder: Path, *roots: Identity) -> Path:
    trust = folder / "trust"
    trust.mkdir(exist_ok=True)
    for number, root in enumerate(roots):
        (trust / f"{number}.pem").write_bytes(root.pem)
    return trust


def only(facts: list[AnyFact]) -> Signature:
    found = [fact for fact in facts if isinstance(fact, Signature)]
    assert len(found) == 1, found
    return found[0]


def judged(signed: bytes, tmp_path: Path, *roots: Identity, data: bytes = DATA, **options: object) -> Signature:
    trust = trusting(tmp_path, *roots)
    return only(list(signatures.read(package({"a.zip": data, "a.zip.p7s": signed}, trust, **options))))


def test_intact_and_trusted(tmp_path: Path) -> None:
    fact = judged(sign(DATA, LEAF, MIDDLE, at=NOW), tmp_path, ROOT)
    assert (fact.integrity, fact.trust, fact.covers) == (Integrity.INTACT, Trust.TRUSTED, ("a.zip",))
    assert [item.sha256 for item in fact.chain] == [LEAF.sha256, MIDDLE.sha256, ROOT.sha256]
    assert fact.words == 'bytes intact; chain ends at "Vendor Root CA G2", which trust/ holds'
    assert fact.signed_at == NOW
    assert fact.stamped_at is None


@pytest.mark.parametrize("kind", ["rsa2048", "ec", "ed25519"])
@pytest.mark.parametrize("attributes", [True, False])
def test_key_kinds(tmp_path: Path, kind: str, attributes: bool) -> None:
    leaf = identity("Leaf", ROOT, kind=kind, purposes=(CODE,))
    hash = "sha512" if kind == "ed25519" else "sha256"
    good = judged(sign(DATA, leaf, attributes=attributes, hash=hash), tmp_path, ROOT)
    bad = judged(sign(DATA, leaf, attributes=attributes, hash=hash), tmp_path, ROOT, data=DATA + b"!")
    assert (good.integrity, good.trust) == (Integrity.INTACT, Trust.TRUSTED)
    assert bad.integrity is Integrity.BROKEN


def test_pss(tmp_path: Path) -> None:
    leaf = identity("Leaf", ROOT, kind="rsa2048", purposes=(CODE,))
    assert judged(sign(DATA, leaf, pss=True), tmp_path, ROOT).integrity is Integrity.INTACT


def test_one_changed_byte_is_said(tmp_path: Path) -> None:
    fact = judged(sign(DATA, LEAF, MIDDLE), tmp_path, ROOT, data=b"T" + DATA[1:])
    assert fact.integrity is Integrity.BROKEN
    assert "not intact" in fact.words


def test_a_signature_of_another_key_is_broken(tmp_path: Path) -> None:
    other = Identity(identity("Other", ROOT).key, LEAF.certificate)
    fact = judged(sign(DATA, other, MIDDLE), tmp_path, ROOT)
    assert fact.integrity is Integrity.BROKEN
    assert "does not fit the signer's key" in fact.words


def test_unknown_root(tmp_path: Path) -> None:
    fact = judged(sign(DATA, LEAF, MIDDLE, ROOT), tmp_path, TSA_ROOT)
    assert fact.trust is Trust.UNTRUSTED
    assert fact.words == 'bytes intact; chain ends at "Vendor Root CA G2", which trust/ does not hold'


def test_incomplete_chain_and_no_trust_folder(tmp_path: Path) -> None:
    missing = judged(sign(DATA, LEAF), tmp_path, ROOT)
    assert missing.trust is Trust.UNKNOWN
    assert '"Vendor Signing CA 3" is neither in the signature nor in trust/' in missing.words
    none = only(list(signatures.read(package({"a.zip": DATA, "a.zip.p7s": sign(DATA, LEAF, MIDDLE, ROOT)}))))
    assert none.trust is Trust.UNKNOWN
    assert "no trust folder" in none.words


def test_an_intermediate_of_the_trust_folder_completes_the_chain(tmp_path: Path) -> None:
    assert judged(sign(DATA, LEAF), tmp_path, ROOT, MIDDLE).trust is Trust.TRUSTED


def test_a_name_alone_makes_no_chain(tmp_path: Path) -> None:
    forged_root = identity("Vendor Root CA G2", ca=True)
    forged = identity("Vendor Releases", forged_root, purposes=(CODE,))
    assert judged(sign(DATA, forged, forged_root), tmp_path, ROOT).trust is Trust.UNTRUSTED


def test_expired_and_stamped(tmp_path: Path) -> None:
    old = identity("Vendor Releases", ROOT, purposes=(CODE,), end=NOW - timedelta(days=10))
    plain = judged(sign(DATA, old), tmp_path, ROOT)
    assert plain.trust is Trust.UNTRUSTED
    assert any("expired" in item for item in plain.weaknesses)
    when = NOW - timedelta(days=30)
    signed = sign(DATA, old, stamp=(TSA, when))
    stamped = judged(signed, tmp_path, ROOT, TSA_ROOT)
    assert (stamped.trust, stamped.stamped_at, stamped.weaknesses) == (Trust.TRUSTED, when, ())
    assert "expired on 2026-11-15, after the stamp" in stamped.words
    (tmp_path / "trust" / "1.pem").unlink()
    stranger = judged(signed, tmp_path, ROOT)
    assert stranger.trust is Trust.UNTRUSTED
    assert "not trusted here" in stranger.words


def test_a_stamp_over_another_signature_does_not_count(tmp_path: Path) -> None:
    old = identity("Vendor Releases", ROOT, purposes=(CODE,), end=NOW - timedelta(days=10))
    other = sign(b"something else", old, stamp=(TSA, NOW - timedelta(days=30)))
    wanted = sign(DATA, old)
    from asn1crypto import cms as asn1

    stolen = asn1.ContentInfo.load(other)["content"]["signer_infos"][0]["unsigned_attrs"]
    info = asn1.ContentInfo.load(wanted)
    info["content"]["signer_infos"][0]["unsigned_attrs"] = asn1.CMSAttributes(list(stolen))
    fact = judged(info.dump(force=True), tmp_path, ROOT, TSA_ROOT)
    assert fact.stamped_at is None
    assert "over another signature" in fact.words
    assert fact.trust is Trust.UNTRUSTED


@pytest.mark.parametrize(
    ("authority", "hash", "said"),
    [
        (TSA, "sha1", "its stamp uses SHA1, which can be forged"),
        (identity("Stamp Authority", TSA_ROOT, purposes=(CODE,)), "sha256", "is for signing code, not for time stamps"),
        (identity("Stamp Authority", TSA_ROOT, kind="rsa1024", purposes=(STAMP,)), "sha256", "weak key: RSA 1024"),
        (
            identity("Stamp Authority", TSA_ROOT, purposes=(STAMP,), end=NOW - timedelta(days=40)),
            "sha256",
            "expired on 2026-10-16",
        ),
    ],
)
def test_a_stamp_that_does_not_count(tmp_path: Path, authority: Identity, hash: str, said: str) -> None:
    """The twin of :func:`test_expired_and_stamped`: one thing about the stamp is not fit."""
    old = identity("Vendor Releases", ROOT, purposes=(CODE,), end=NOW - timedelta(days=10))
    signed = sign(DATA, old, stamp=(authority, NOW - timedelta(days=30)), stamp_hash=hash)
    fact = judged(signed, tmp_path, ROOT, TSA_ROOT)
    assert fact.trust is Trust.UNTRUSTED
    assert said in fact.words
    assert "which does not count here" in fact.words


def test_a_stamp_of_after_the_end_does_not_help(tmp_path: Path) -> None:
    old = identity("Vendor Releases", ROOT, purposes=(CODE,), end=NOW - timedelta(days=10))
    for days, wanted in ((11, Trust.TRUSTED), (9, Trust.UNTRUSTED)):
        signed = sign(DATA, old, stamp=(TSA, NOW - timedelta(days=days)))
        assert judged(signed, tmp_path, ROOT, TSA_ROOT).trust is wanted


def test_a_root_that_signed_itself_with_sha1_is_a_root(tmp_path: Path) -> None:
    """As half of the roots in use; a certificate below it that was signed so is weak."""
    old = identity("Old Root", ca=True, old_hash=True)
    fact = judged(sign(DATA, identity("Vendor Releases", old, purposes=(CODE,)), old), tmp_path, old)
    assert fact.trust is Trust.TRUSTED
    weak = identity("Vendor Releases", old, purposes=(CODE,), old_hash=True)
    assert judged(sign(DATA, weak, old), tmp_path, old).trust is Trust.UNTRUSTED
    forged = Identity(old.key, identity("Old Root", ca=True, old_hash=True).certificate)
    leaf = identity("Vendor Releases", forged, purposes=(CODE,))
    assert judged(sign(DATA, leaf), tmp_path, forged).trust is not Trust.TRUSTED, "the key is not that of the root"


def test_judged_at_the_window_and_not_today(tmp_path: Path) -> None:
    leaf = identity("Vendor Releases", ROOT, purposes=(CODE,), end=NOW + timedelta(days=5))
    signed = sign(DATA, leaf)
    assert judged(signed, tmp_path, ROOT).trust is Trust.TRUSTED
    later = judged(signed, tmp_path, ROOT, at=NOW + timedelta(days=6))
    assert later.trust is Trust.UNTRUSTED


@pytest.mark.parametrize(
    ("leaf", "said"),
    [
        (identity("Weak", ROOT, kind="rsa1024", purposes=(CODE,)), "weak key: RSA 1024"),
        (identity("Curve", ROOT, kind="ec192", purposes=(CODE,)), "weak key: EC secp192r1"),
        (
            identity("Web", ROOT, purposes=(ExtendedKeyUsageOID.SERVER_AUTH,)),
            "is for TLS servers, not for signing code",
        ),
        (identity("Early", ROOT, purposes=(CODE,), start=NOW + timedelta(days=1)), "not valid before"),
        (identity("Below a leaf", LEAF, purposes=(CODE,)), "is no authority, yet issued"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unfit_certificates(tmp_path: Path, leaf: Identity, said: str) -> None:
    fact = judged(sign(DATA, leaf, LEAF, MIDDLE), tmp_path, ROOT)
    assert fact.integrity is Integrity.INTACT
    assert fact.trust is Trust.UNTRUSTED
    assert any(said in item for item in fact.weaknesses), fact.weaknesses


def test_weak_hashes(tmp_path: Path) -> None:
    leaf = identity("Old", ROOT, purposes=(CODE,), old_hash=True)
    fact = judged(sign(DATA, leaf, hash="sha1"), tmp_path, ROOT)
    assert fact.trust is Trust.UNTRUSTED
    assert len([item for item in fact.weaknesses if "SHA1" in item]) == 2


def advisories(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "advisories"
    folder.mkdir()
    (folder / "2026-07-01-ca-rotation.md").write_text(text)
    return folder


def test_announced_by_fingerprint(tmp_path: Path) -> None:
    spelt = ":".join(ROOT.sha256[i : i + 2] for i in range(0, 64, 2)).upper()
    folder = advisories(tmp_path, f"# We rotate our authorities\n\nNew: Vendor Root CA G2\n\nSHA-256 {spelt}\n")
    trust = trusting(tmp_path, TSA_ROOT)
    facts = list(
        signatures.read(package({"a.zip": DATA, "a.p7s": sign(DATA, LEAF, MIDDLE, ROOT)}, trust, advisories=folder))
    )
    fact = only(facts)
    assert fact.announced_in == "advisories/2026-07-01-ca-rotation.md"
    assert fact.trust is Trust.UNTRUSTED
    assert fact.words.endswith(
        'announced in advisories/2026-07-01-ca-rotation.md ("Vendor Root CA G2", by fingerprint)'
    )
    advisory = next(item for item in facts if isinstance(item, Advisory))
    assert advisory.title == "We rotate our authorities"
    assert advisory.fingerprints == (ROOT.sha256,)
    assert "Vendor Root CA G2" in " ".join(advisory.names)
    assert advisory.published is not None
    assert advisory.published.isoformat() == "2026-07-01"


def test_a_name_without_its_fingerprint_announces_nothing(tmp_path: Path) -> None:
    folder = advisories(tmp_path, "# Rotation\n\nVendor Root CA G2 replaces G1.\n")
    fact = judged(sign(DATA, LEAF, MIDDLE, ROOT), tmp_path, TSA_ROOT, advisories=folder)
    assert fact.announced_in == ""
    assert "without a fingerprint" in fact.words
    other = "ab" * 32
    (folder / "2026-07-01-ca-rotation.md").write_text(f"# Rotation\n\nVendor Root CA G2: {other}\n")
    fact = judged(sign(DATA, LEAF, MIDDLE, ROOT), tmp_path, TSA_ROOT, advisories=folder)
    assert any("with another fingerprint" in item for item in fact.weaknesses)


def test_continuity(tmp_path: Path) -> None:
    signed = sign(DATA, LEAF, MIDDLE)
    spelt = ":".join(MIDDLE.sha256[i : i + 2] for i in range(0, 64, 2)).upper()
    assert judged(signed, tmp_path, ROOT, previous=(spelt,)).continuity.startswith("same issuer")
    assert judged(signed, tmp_path, ROOT, previous=("Vendor Signing CA 3",)).continuity.startswith("same issuer")
    assert "is not that of" in judged(signed, tmp_path, ROOT, previous=("Vendor Signing CA 2",)).continuity
    assert judged(signed, tmp_path, ROOT).continuity == ""


def test_attached_pem_base64_and_by_digest(tmp_path: Path) -> None:
    trust = trusting(tmp_path, ROOT)
    attached = only(list(signatures.read(package({"note.p7m": sign(DATA, LEAF, MIDDLE, attached=True)}, trust))))
    assert (attached.scheme, attached.integrity) == ("CMS attached", Integrity.INTACT)
    der = sign(DATA, LEAF, MIDDLE)
    armoured = b"-----BEGIN PKCS7-----\n" + base64.encodebytes(der) + b"-----END PKCS7-----\n"
    for text in (armoured, base64.encodebytes(der)):
        assert judged(text, tmp_path, ROOT).integrity is Integrity.INTACT
    files = {"deep/payload.bin": DATA, "META/signature.p7s": sign(DATA, LEAF, MIDDLE, hash="sha512"), "x.txt": b"x"}
    assert only(list(signatures.read(package(files, trust)))).covers == ("deep/payload.bin",)
    stray = {"x.txt": b"x", "META/signature.p7s": der}
    fact = only(list(signatures.read(package(stray, trust))))
    assert (fact.integrity, fact.covers) == (Integrity.UNVERIFIED, ())


def test_a_signed_checksum_file_covers_what_it_lists(tmp_path: Path) -> None:
    sums = f"{hashlib.sha256(DATA).hexdigest()}  a.bin\n".encode()
    files = {"a.bin": DATA, "SHA256SUMS": sums, "SHA256SUMS.p7s": sign(sums, LEAF, MIDDLE)}
    facts = list(signatures.read(package(files, trusting(tmp_path, ROOT))))
    found = {fact.scheme: fact for fact in facts if isinstance(fact, Signature)}
    assert found["CMS detached"].covers == ("SHA256SUMS", "a.bin")
    assert found["checksums"].integrity is Integrity.INTACT
    assert found["checksums"].trust is Trust.UNKNOWN


def test_a_signature_beside_the_package(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(DATA)
    (tmp_path / "x.zip.p7s").write_bytes(sign(DATA, LEAF, MIDDLE))
    opened = package({"readme": b"x"}, trusting(tmp_path, ROOT))
    opened.path, opened.name = path, "x.zip"  # type: ignore[attr-defined]
    fact = only(list(signatures.read(opened)))
    assert (fact.integrity, fact.covers) == (Integrity.INTACT, ("x.zip",))


def test_that_nothing_is_signed_is_known_and_no_gap() -> None:
    assert list(signatures.read(package({"a": b"x"}))) == []


def test_call_script(tmp_path: Path) -> None:
    text = call_script(judged(sign(DATA, LEAF, MIDDLE, ROOT), tmp_path, TSA_ROOT))
    spaced = " ".join(ROOT.sha256[i : i + 4] for i in range(0, 64, 4)).upper()
    assert spaced in text
    assert "not on one from the package" in text
    assert all(len(row) <= 110 for row in text.splitlines())
    broken = call_script(judged(sign(DATA, LEAF, MIDDLE), tmp_path, ROOT, data=b"other"))
    assert "Do not install" in broken


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=120), st.integers(0, 400), st.integers(0, 255))
def test_damaged_signatures_never_crash(noise: bytes, place: int, value: int) -> None:
    whole = bytearray(SIGNED)
    whole[place % len(whole)] = value
    for data in (noise, bytes(whole), SIGNED[:place]):
        for fact in signatures.read(package({"a.zip": DATA, "a.zip.p7s": data})):
            assert fact.evidence is not None
    try:
        cms.parse(noise)
    except cms.NotCms as error:
        assert str(error)


SIGNED = sign(DATA, LEAF, MIDDLE)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_no_changed_bit_makes_another_signer_trusted(place: int, change: int) -> None:
    whole = bytearray(SIGNED)
    whole[place] ^= change
    with tempfile.TemporaryDirectory() as folder:
        trust = trusting(Path(folder), ROOT)
        for fact in signatures.read(package({"a.zip": DATA, "a.zip.p7s": bytes(whole)}, trust)):
            if isinstance(fact, Signature) and fact.trust is Trust.TRUSTED and fact.integrity is Integrity.INTACT:
                assert fact.chain[0].sha256 == LEAF.sha256


def test_through_the_walker(tmp_path: Path) -> None:
    """A zip with a signed payload inside and a signature of itself beside it, opened as a user opens it."""
    whole = tmp_path / "vendor.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("payload.bin", DATA)
        archive.writestr("payload.bin.p7s", sign(DATA, LEAF, MIDDLE))
        archive.writestr("scripts/install.sh", "#!/bin/sh\necho '0 3 * * * root /opt/x/run' > /etc/cron.d/x\n")
    whole.with_name("vendor.zip.p7s").write_bytes(sign(whole.read_bytes(), LEAF, MIDDLE))
    reading = read_package(whole, trust=trusting(tmp_path, ROOT), at=NOW)
    found = [fact for fact in reading.facts if isinstance(fact, Signature)]
    assert {fact.covers for fact in found} == {("payload.bin",), ("vendor.zip",)}
    assert {fact.trust for fact in found} == {Trust.TRUSTED}
    assert {fact.integrity for fact in found} == {Integrity.INTACT}
    assert [fact.target for fact in reading.facts if isinstance(fact, Schedule)] == ["/etc/cron.d/x"]


def test_a_certificate_whose_signature_counts_unused_bits_is_damaged() -> None:
    """Half of all keys make a signature that ends in a 0 bit, and then a lenient reader takes these bytes, too."""
    der = bytearray(LEAF.certificate.public_bytes(serialization.Encoding.DER))
    der[-len(LEAF.certificate.signature) - 1] = 1
    with pytest.raises(ValueError):  # ours, or the library's own where the last bit is 1
        certificates.parse(bytes(der))
