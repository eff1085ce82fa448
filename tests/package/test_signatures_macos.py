"""Code signatures of macOS and of Android, made in memory: programs, bundles, blocks of a ZIP."""

from __future__ import annotations

import hashlib
import io
import plistlib
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fulldress.facts import Integrity, Signature, Trust, Unread
from fulldress.package import signatures
from fulldress.package.reader import Options
from fulldress.package.walk import Budget, Opened
from judging import DATA, LEAF, ROOT, TSA_ROOT, facts, read, trusting
from signing import NOW, Identity, sign

PAGE = 4096
BODY = bytes((x * 13) & 255 for x in range(9000))


def macho(
    who: Identity | None,
    *,
    info: bytes = b"",
    resources: bytes = b"",
    hash: str = "sha256",
    entitlements: bytes = b"",
    also: str = "",
) -> bytes:
    """A program of 9,000 bytes with a signature behind them; ``who`` None: ad hoc, as a linker makes it."""
    start = 32 + 16
    head = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 2, 1, 16, 0, 0)
    size = 20_000
    code = head + struct.pack("<IIII", 0x1D, 16, start + len(BODY), size) + BODY
    blob = struct.pack(">II", 0xFADE7171, 8 + len(entitlements)) + entitlements if entitlements else b""
    lists = [listed(code, name, info, resources, blob, ad_hoc=who is None) for name in (hash, also) if name]
    rows = [(0, lists[0])]
    rows += [(0x1000, lists[1])] if also else []
    rows += [(5, blob)] if blob else []
    if who is not None:
        cms = sign(lists[0], who, attributes=not also)
        rows.append((0x10000, struct.pack(">II", 0xFADE0B01, 8 + len(cms)) + cms))
    at, index, bodies = 12 + 8 * len(rows), b"", b""
    for kind, body in rows:
        index += struct.pack(">II", kind, at + len(bodies))
        bodies += body
    whole = struct.pack(">III", 0xFADE0CC0, at + len(bodies), len(rows)) + index + bodies
    return code + whole.ljust(size, b"\0")


def listed(code: bytes, name: str, info: bytes, resources: bytes, entitlements: bytes, *, ad_hoc: bool) -> bytes:
    """A CodeDirectory with five special slots."""

    def digest(data: bytes) -> bytes:
        return hashlib.new(name, data).digest() if data else b"\0" * hashlib.new(name).digest_size

    size = hashlib.new(name).digest_size
    special = b"".join(digest(data) for data in (entitlements, b"", resources, b"", info))
    pages = [digest(code[at : at + PAGE]) for at in range(0, len(code), PAGE)]
    body = b"skiff\0" + special + b"".join(pages)
    hashes = 44 + 6 + len(special)
    return (
        struct.pack(
            ">9I4BI", 0xFADE0C02, 44 + len(body), 0x20001, 2 if ad_hoc else 0, hashes, 44, 5, len(pages), len(code),
            size, {"sha1": 1, "sha256": 2}[name], 0, 12, 0,
        )
        + body
    )  # fmt: skip


def one(tmp_path: Path, program: bytes, *roots: Identity) -> Signature:
    (fact,) = read({"skiff": program}, trusting(tmp_path, *(roots or (ROOT,))), {"skiff": "macho"})
    return fact


def test_a_signed_program(tmp_path: Path) -> None:
    fact = one(tmp_path, macho(LEAF))
    assert (fact.scheme, fact.integrity, fact.trust) == ("macOS", Integrity.INTACT, Trust.TRUSTED)
    assert fact.covers == ("skiff",)
    assert fact.of_a_part


def test_an_authority_that_is_not_held(tmp_path: Path) -> None:
    assert one(tmp_path, macho(LEAF), TSA_ROOT).trust is not Trust.TRUSTED


@pytest.mark.parametrize("place", [60, 5000, 9040])
def test_a_byte_changed(tmp_path: Path, place: int) -> None:
    whole = bytearray(macho(LEAF))
    whole[place] ^= 1
    fact = one(tmp_path, bytes(whole))
    assert fact.integrity is Integrity.BROKEN
    assert "not the one that was signed" in fact.words


def test_what_it_may_do_was_changed(tmp_path: Path) -> None:
    whole = macho(LEAF, entitlements=b"<plist>debugger no</plist>")
    assert one(tmp_path, whole).integrity is Integrity.INTACT
    fact = one(tmp_path, whole.replace(b"debugger no", b"debugger ok"))
    assert fact.integrity is Integrity.BROKEN
    assert "entitlements" in fact.words


def test_an_ad_hoc_signature_is_nobodys_word() -> None:
    assert read({"skiff": macho(None)}, None, {"skiff": "macho"}) == []


def test_digests_of_sha1_alone_are_weak(tmp_path: Path) -> None:
    fact = one(tmp_path, macho(LEAF, hash="sha1"))
    assert fact.trust is Trust.UNTRUSTED
    assert any("SHA1" in word for word in fact.weaknesses)
    unnamed = one(tmp_path, macho(LEAF, hash="sha1", also="sha256"))
    assert unnamed.trust is Trust.UNTRUSTED, "nobody signed that second list"


def test_a_program_for_several_processors(tmp_path: Path) -> None:
    part = macho(LEAF)
    other = macho(None)
    bad = bytearray(part)
    bad[5000] ^= 1
    for second, states in (
        (part, [Integrity.INTACT]),
        (other, [Integrity.INTACT]),
        (bytes(bad), [Integrity.INTACT, Integrity.BROKEN]),
    ):
        first = 4096
        rows = struct.pack(">IIIII", 0x0100000C, 0, first, len(part), 12)
        rows += struct.pack(">IIIII", 0x01000007, 3, first + len(part), len(second), 12)
        whole = (struct.pack(">II", 0xCAFEBABE, 2) + rows).ljust(first, b"\0") + part + second
        found = read({"skiff": whole}, trusting(tmp_path, ROOT), {"skiff": "macho"})
        assert [fact.integrity for fact in found] == states


FILES = {"Resources/skiff.conf": b"port = 8443\n", "Resources/en.lproj/a.strings": b"a\n"}


def bundle(**changed: bytes | None) -> dict[str, bytes]:
    """``Skiff.app`` with Info.plist, two resources, one of them optional."""
    rows = {
        "Resources/skiff.conf": {"hash2": hashlib.sha256(FILES["Resources/skiff.conf"]).digest()},
        "Resources/en.lproj/a.strings": {
            "hash2": hashlib.sha256(FILES["Resources/en.lproj/a.strings"]).digest(),
            "optional": True,
        },
    }
    resources = plistlib.dumps({"files": {}, "files2": rows})
    info = plistlib.dumps({"CFBundleIdentifier": "example.vendor.skiff"})
    whole: dict[str, bytes | None] = {
        "Info.plist": info,
        "_CodeSignature/CodeResources": resources,
        "MacOS/skiff": macho(LEAF, info=info, resources=resources),
        **FILES,
        **{name.replace("__", "/"): data for name, data in changed.items()},
    }
    return {f"Skiff.app/Contents/{name}": data for name, data in whole.items() if data is not None}


def in_bundle(tmp_path: Path, files: dict[str, bytes]) -> Signature:
    kinds = {"Skiff.app/Contents/MacOS/skiff": "macho"}
    (fact,) = read(files, trusting(tmp_path, ROOT), kinds)
    return fact


def test_a_bundle_is_covered(tmp_path: Path) -> None:
    fact = in_bundle(tmp_path, bundle())
    assert fact.integrity is Integrity.INTACT
    base = "Skiff.app/Contents/"
    assert set(fact.covers) == {
        base + name for name in ("MacOS/skiff", "Info.plist", "_CodeSignature/CodeResources", *FILES)
    }


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"Info.plist": b"<plist/>"}, "Info.plist of its bundle was changed"),
        ({"_CodeSignature__CodeResources": plistlib.dumps({"files2": {}})}, "CodeResources of its bundle was changed"),
        ({"Resources__skiff.conf": b"port = 1\n"}, "Resources/skiff.conf of its bundle was changed"),
        ({"Resources__skiff.conf": None}, "1 files of its bundle are gone: Resources/skiff.conf"),
    ],
)
def test_a_bundle_that_was_changed(tmp_path: Path, changed: dict[str, bytes | None], words: str) -> None:
    fact = in_bundle(tmp_path, bundle(**changed))
    assert fact.integrity is Integrity.BROKEN
    assert words in fact.words


def test_a_language_taken_out_is_no_change(tmp_path: Path) -> None:
    gone = bundle()
    del gone["Skiff.app/Contents/Resources/en.lproj/a.strings"]
    assert in_bundle(tmp_path, gone).integrity is Integrity.INTACT


def test_a_program_that_the_list_does_not_know(tmp_path: Path) -> None:
    assert in_bundle(tmp_path, bundle()).left_out == ()
    assert in_bundle(tmp_path, bundle(Resources__helper=b"#!/bin/sh\n")).left_out == (
        "Skiff.app/Contents/Resources/helper",
    )


def test_a_list_without_its_program() -> None:
    files = {name: data for name, data in bundle().items() if "MacOS" not in name}
    (gap,) = [one for one in facts(files) if isinstance(one, Unread) and one.what.startswith("signature of")]
    assert "the program whose signature vouches for it is not here" in gap.detail


# -- Android


def apk(scheme: int, who: Identity = LEAF) -> bytes:
    """A package with a block of signatures before the list of its entries."""
    from cryptography.hazmat.primitives.serialization import Encoding

    def sized(data: bytes) -> bytes:
        return struct.pack("<I", len(data)) + data

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("AndroidManifest.xml", b"\x03\0\x08\0")
        archive.writestr("classes.dex", DATA)
    whole = buffer.getvalue()
    end = whole.rindex(b"PK\5\6")
    (central,) = struct.unpack_from("<I", whole, end + 16)
    signed = sized(b"") + sized(sized(who.certificate.public_bytes(Encoding.DER))) + sized(b"")
    value = sized(sized(sized(signed) + sized(b"") + sized(b"")))
    pair = struct.pack("<QI", 4 + len(value), scheme) + value
    size = len(pair) + 24
    block = struct.pack("<Q", size) + pair + struct.pack("<Q", size) + b"APK Sig Block 42"
    tail = bytearray(whole[central:])
    struct.pack_into("<I", tail, end - central + 16, central + len(block))
    return whole[:central] + block + bytes(tail)


@pytest.mark.parametrize(("number", "scheme"), [(0x7109871A, "APK 2"), (0xF05368C0, "APK 3"), (0x1B93AD61, "APK 3.1")])
def test_an_android_package_is_named_and_not_judged(tmp_path: Path, number: int, scheme: str) -> None:
    path = tmp_path / "skiff.apk"
    path.write_bytes(apk(number))
    with Opened(path, Budget(), Options(at=NOW, today=NOW)) as package:
        said = list(signatures.read(package))
    (fact,) = [one for one in said if isinstance(one, Signature)]
    assert (fact.scheme, fact.integrity, fact.signer) == (scheme, Integrity.UNVERIFIED, "CN=Vendor Releases")
    assert [one.needed for one in said if isinstance(one, Unread) and "signature of" in one.what] == [True]


def test_a_plain_zip_with_other_bytes_before_its_list(tmp_path: Path) -> None:
    path = tmp_path / "skiff.apk"
    path.write_bytes(apk(0x42726577))  # padding, as Android's tools put it in
    with Opened(path, Budget(), Options(at=NOW, today=NOW)) as package:
        assert not [one for one in signatures.read(package) if isinstance(one, Signature)]


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 30_000), st.binary(min_size=1, max_size=6), st.booleans())
def test_damage_never_raises(place: int, change: bytes, cut: bool) -> None:
    for whole, kind in ((macho(LEAF), "macho"), (apk(0x7109871A), "apk")):
        data = bytearray(whole)
        at = place % len(data)
        data[at : at + len(change)] = change
        facts({"a": bytes(data[:at]) if cut else bytes(data)}, None, {"a": kind})
