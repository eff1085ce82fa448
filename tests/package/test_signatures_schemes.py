"""Authenticode, the product's anchors, continuity: made in memory, and parsers under damage."""

from __future__ import annotations

import base64
import struct
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fulldress.facts import Certificate, Integrity, Key, Signature, Trust, Unread
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
    stampfile,
)
from fulldress.package.signatures.continuity import continued
from judging import DATA, LEAF, ROOT, TSA, TSA_ROOT, facts, read, trusting
from openfolder import member
from signing import CODE, NOW, identity, portable, sign, signed_portable

CASES = Path(__file__).parent / "cases" / "signed"

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


# -- the product's own anchors, and two days


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
    if path.is_file()
    and path.suffix in (".asc", ".sig", ".minisig", ".gpg", ".rpm", ".jks", ".msi", ".cab", ".exe", ".tsr")
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
        (stampfile.token, ValueError),
    ):
        try:
            parse(data)  # type: ignore[operator]
        except refusal as error:
            assert str(error)
    for kind in ("pe", "msi", "cab", "macho", "apk", "rpm"):  # what carries its signature: damage is a fact
        facts({"a": data}, None, {"a": kind})
    list(keys.minisign(data))
    list(keys.ssh(data))
    pesig.place(io.BytesIO(data))
    checksums.parse(member("SHA256SUMS", data))
    with_stream = rpmsig.read(io.BytesIO(data), ground(), member("a", data).evidence(), "a", ("a",), whole=True)
    assert all(isinstance(fact, Signature | Unread) for fact in with_stream)


def ground() -> object:
    from fulldress.package.signatures.judged import Ground

    return Ground(trust=None, advisories=(), at=NOW, previous=())
