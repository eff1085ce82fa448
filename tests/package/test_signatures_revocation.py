"""Revocation as far as it can be known offline: lists and answers in the trust folder and within a signature."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import cms, core
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from fulldress.facts import Integrity, Signature, Trust, Unread
from judging import DATA, LEAF, ROOT, TSA, TSA_ROOT, facts, read, trusting
from signing import CODE, NOW, Identity, identity, sign


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


def answer(
    who: Identity,
    issuer: Identity,
    *,
    by: Identity | None = None,
    revoked: bool = False,
    days: int | None = 30,
    brings: bool = True,
) -> bytes:
    """What a server says of one certificate, signed by its issuer or by one named for that."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=who.certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA256(),
        cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=NOW - timedelta(days=1),
        next_update=None if days is None else NOW + timedelta(days=days),
        revocation_time=NOW - timedelta(days=5) if revoked else None,
        revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
    )
    signer = by or issuer
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    if by is not None and brings:
        builder = builder.certificates([by.certificate])
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


FILES = {"a.bin": DATA, "a.bin.p7s": sign(DATA, LEAF)}
SERVER = identity("Answers", ROOT, purposes=(ExtendedKeyUsageOID.OCSP_SIGNING,))
STRANGER = identity("Answers", TSA_ROOT, purposes=(ExtendedKeyUsageOID.OCSP_SIGNING,))
NOT_NAMED = identity("Answers", ROOT, purposes=(CODE,))


def judged(tmp_path: Path, given: bytes, **options: object) -> Signature:
    trust = trusting(tmp_path, ROOT)
    (trust / "vendor.ocsp").write_bytes(given)
    (fact,) = read(FILES, trust, **options)
    return fact


def test_an_answer_that_it_was_revoked(tmp_path: Path) -> None:
    fact = judged(tmp_path, answer(LEAF, ROOT, revoked=True))
    assert fact.trust is Trust.UNTRUSTED
    assert fact.weaknesses == ('"Vendor Releases" was revoked on 2026-11-20 (key compromise)',)


def test_an_answer_that_it_was_not(tmp_path: Path) -> None:
    fact = judged(tmp_path, answer(LEAF, ROOT))
    assert (fact.trust, fact.revocation_known) == (Trust.TRUSTED, True)
    said = [one for one in facts(FILES, tmp_path / "trust") if isinstance(one, Unread)]
    assert not [one for one in said if "revoked" in one.what], "nothing is left to be said of it"
    (tmp_path / "trust" / "vendor.ocsp").unlink()
    said = [one for one in facts(FILES, tmp_path / "trust") if isinstance(one, Unread)]
    assert [one.what for one in said] == ["whether a certificate was revoked"]


@pytest.mark.parametrize(("days", "known"), [(30, True), (10, False), (None, False)])
def test_an_answer_is_good_for_its_days(tmp_path: Path, days: int | None, known: bool) -> None:
    window = NOW + timedelta(days=20)
    assert judged(tmp_path, answer(LEAF, ROOT, days=days), at=window).revocation_known is known


def test_an_old_answer_still_shows_a_revocation(tmp_path: Path) -> None:
    fact = judged(tmp_path, answer(LEAF, ROOT, revoked=True, days=1), at=NOW + timedelta(days=20))
    assert fact.trust is Trust.UNTRUSTED


@pytest.mark.parametrize(("by", "counts"), [(SERVER, True), (STRANGER, False), (NOT_NAMED, False)])
def test_who_may_answer(tmp_path: Path, by: Identity, counts: bool) -> None:
    fact = judged(tmp_path, answer(LEAF, ROOT, by=by, revoked=True))
    assert (fact.trust is Trust.UNTRUSTED) is counts


def test_an_answer_of_another_certificate_says_nothing(tmp_path: Path) -> None:
    other = identity("Vendor Releases", ROOT, purposes=(CODE,))
    fact = judged(tmp_path, answer(other, ROOT, revoked=True))
    assert (fact.trust, fact.revocation_known) == (Trust.TRUSTED, False)


def with_values(signed: bytes, *, crls: tuple[bytes, ...] = (), answers: tuple[bytes, ...] = ()) -> bytes:
    """The signature with lists and answers in the field that CMS has for them."""
    info = cms.ContentInfo.load(signed)
    rows = [cms.RevocationInfoChoice.load(der) for der in crls]
    for der in answers:
        whole = bytes.fromhex("06082b06010505071002") + der  # id-ri-ocsp-response
        other = core.Any.load(b"\xa1" + length(whole) + whole)
        rows.append(cms.RevocationInfoChoice.load(other.dump()))
    info["content"]["crls"] = cms.RevocationInfoChoices(rows)
    return info.dump(force=True)


def length(data: bytes) -> bytes:
    return bytes([len(data)]) if len(data) < 128 else b"\x82" + len(data).to_bytes(2, "big")


def test_a_list_within_the_signature(tmp_path: Path) -> None:
    trust = trusting(tmp_path, ROOT)
    plain = sign(DATA, LEAF)
    (good,) = read({"a.bin": DATA, "a.bin.p7s": with_values(plain, crls=(revoking(ROOT),))}, trust)
    assert (good.trust, good.revocation_known) == (Trust.TRUSTED, True)
    (bad,) = read({"a.bin": DATA, "a.bin.p7s": with_values(plain, crls=(revoking(ROOT, (LEAF, "superseded")),))}, trust)
    assert bad.trust is Trust.UNTRUSTED
    (strange,) = read({"a.bin": DATA, "a.bin.p7s": with_values(plain, crls=(revoking(TSA_ROOT),))}, trust)
    assert (strange.trust, strange.revocation_known) == (Trust.TRUSTED, False)


def test_an_answer_within_the_signature(tmp_path: Path) -> None:
    trust = trusting(tmp_path, ROOT)
    for revoked, wanted in ((False, Trust.TRUSTED), (True, Trust.UNTRUSTED)):
        signed = with_values(sign(DATA, LEAF), answers=(answer(LEAF, ROOT, revoked=revoked),))
        (fact,) = read({"a.bin": DATA, "a.bin.p7s": signed}, trust)
        assert (fact.integrity, fact.trust) == (Integrity.INTACT, wanted)
        assert fact.revocation_known


def test_values_of_a_signature_for_the_long_run(tmp_path: Path) -> None:
    """CAdES keeps basic answers in an attribute (RFC 5126, 6.3.4)."""
    trust = trusting(tmp_path, ROOT)
    for revoked, wanted in ((False, Trust.TRUSTED), (True, Trust.UNTRUSTED)):
        whole = asn1_ocsp.OCSPResponse.load(answer(LEAF, ROOT, revoked=revoked))
        basic = whole["response_bytes"]["response"].parsed.dump()
        rows = b"\x30" + length(basic) + basic
        held = b"\xa1" + length(rows) + rows
        values = b"\x30" + length(held) + held
        info = cms.ContentInfo.load(sign(DATA, LEAF))
        attribute = bytes.fromhex("060b2a864886f70d010910") + b"\x02\x18"
        body = attribute + b"\x31" + length(values) + values
        row = cms.CMSAttribute.load(b"\x30" + length(body) + body)
        info["content"]["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes([row])
        (fact,) = read({"a.bin": DATA, "a.bin.p7s": info.dump(force=True)}, trust)
        assert (fact.integrity, fact.trust, fact.revocation_known) == (Integrity.INTACT, wanted, True)
