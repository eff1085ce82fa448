"""Containers: what is offered, and what is said of bytes that are not as they should be."""

from __future__ import annotations

import bz2
import hashlib
import io
import lzma
import random
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make

from fulldress.errors import PackageUnreadable
from fulldress.facts import Reason, Unread
from fulldress.package.archives import behind
from fulldress.package.reader import Member, Options
from fulldress.package.walk import Budget, Opened

FILES = {"a/b.sh": b"#!/bin/sh\necho hello\n", "c.sql": b"SELECT 1;\n" * 5000, "empty": b""}


def opened(path: Path, data: bytes, **budget: float) -> tuple[dict[str, Member], list[Unread]]:
    path.write_bytes(data)
    with Opened(path, Budget(**budget), Options()) as package:  # type: ignore[arg-type]
        return dict(package.members), package.unread


def said(unread: list[Unread]) -> list[tuple[str, str]]:
    return [(gap.what, gap.reason.value) for gap in unread]


PACKED = {
    "p.zip": make.zipped(FILES),
    "stored.zip": make.zipped(FILES, zipfile.ZIP_STORED),
    "bzip2.zip": make.zipped(FILES, zipfile.ZIP_BZIP2),
    "lzma.zip": make.zipped(FILES, zipfile.ZIP_LZMA),
    "p.tar": make.tarred(FILES),
    "gnu.tar": make.tarred(FILES, tarfile.GNU_FORMAT),
    "p.tar.gz": make.gzipped(make.tarred(FILES)),
    "p.tar.xz": lzma.compress(make.tarred(FILES)),
    "p.tar.bz2": bz2.compress(make.tarred(FILES)),
    "p.tar.zst": zstandard.compress(make.tarred(FILES)),
    "p.ar": make.ar({name.replace("/", "-"): data for name, data in FILES.items()}),
}


@pytest.mark.parametrize("name", PACKED)
def test_every_format_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    members, unread = opened(tmp_path / name, PACKED[name])
    assert unread == []
    wanted = {n.replace("/", "-") if name == "p.ar" else n: d for n, d in FILES.items()}
    assert {path: member.sha256 for path, member in members.items()} == {
        path: hashlib.sha256(data).hexdigest() for path, data in wanted.items()
    }
    assert members["c.sql"].data == FILES["c.sql"]


@pytest.mark.parametrize("name", PACKED)
def test_cut_off_anywhere_is_said_and_what_stands_is_read(tmp_path: Path, name: str) -> None:
    data = PACKED[name]
    for length in (len(data) // 2, len(data.rstrip(b"\0")) - 30):  # a tar is padded
        try:
            _, unread = opened(tmp_path / name, data[:length])
        except PackageUnreadable as error:
            assert str(tmp_path / name) in str(error)
            continue
        assert any(gap.needed and gap.reason is Reason.DAMAGED for gap in unread), length


def test_cut_off_zip_gives_the_members_before_the_cut(tmp_path: Path) -> None:
    data = make.zipped({"first.sh": b"#!/bin/sh\n", "second.bin": random.Random(1).randbytes(4000)})
    members, unread = opened(tmp_path / "x.zip", data[:2000])
    assert members["first.sh"].sha256 == hashlib.sha256(b"#!/bin/sh\n").hexdigest()
    assert members["second.bin"].sha256 == ""
    assert ("second.bin", "damaged") in said(unread)


def test_members_inside_members_inside_members(tmp_path: Path) -> None:
    inner = make.deb({"postinst": b"#!/bin/sh\n"}, {"./etc/x.conf": b"a=1\n"})
    data = make.zipped({"out/pack.tgz": make.gzipped(make.tarred({"d/p.deb": inner}))})
    members, unread = opened(tmp_path / "x.zip", data)
    path = "out/pack.tgz!/d/p.deb!/data.tar.gz!/etc/x.conf"
    assert members[path].data == b"a=1\n"
    assert members[path].inner == "etc/x.conf"
    assert members["out/pack.tgz!/d/p.deb"].kind == "deb"
    assert unread == []


def test_depth_beyond_the_budget_is_said(tmp_path: Path) -> None:
    data = b"x"
    for level in range(6):
        data = make.zipped({f"{level}.zip" if level else "x.txt": data})
    members, unread = opened(tmp_path / "x.zip", data, depth=3)
    assert "5.zip!/4.zip" in members and "5.zip!/4.zip!/3.zip!/2.zip" not in members
    assert said(unread) == [("5.zip!/4.zip!/3.zip", "budget")]


def test_encrypted_members_are_listed_and_said(tmp_path: Path) -> None:
    data = bytearray(make.zipped({"a.sh": b"echo", "b.sh": b"echo"}))
    data[6] |= 1
    place = data.index(b"PK\1\2")
    data[place + 8] |= 1
    members, unread = opened(tmp_path / "x.zip", bytes(data))
    assert members["a.sh"].sha256 == "" and members["b.sh"].sha256
    assert said(unread) == [("a.sh", "encrypted")] and unread[0].needed


def test_bombs_are_cut(tmp_path: Path) -> None:
    bomb = make.gzipped(bytes(30 << 20))
    members, unread = opened(tmp_path / "x.gz", bomb, free=1 << 20, ratio=10)
    assert ("x", "budget") in said(unread)
    assert members["x"].sha256 == "" and members["x"].size <= 4 << 20
    _, unread = opened(tmp_path / "y.tar.gz", make.gzipped(make.tarred({"a": b"1"}) + bytes(30 << 20)), free=1 << 20)
    assert ("y.tar.gz", "budget") in said(unread)


def test_one_stream_for_many_members_is_refused(tmp_path: Path) -> None:
    content = bytes(100_000)
    rows = [(f"{n}", "0", make.deflated(content), len(content), zlib.crc32(content)) for n in range(50)]
    data = make.raw_zip(rows, shared=0)
    members, unread = opened(tmp_path / "x.zip", data)
    assert sum(1 for member in members.values() if member.sha256) <= 1
    assert sum("overlap" in gap.detail for gap in unread) == 49


def test_names_that_differ_between_the_tables_are_said(tmp_path: Path) -> None:
    content = b"echo hello\n"
    row = ("shown.sh", "other.sh", make.deflated(content), len(content), zlib.crc32(content))
    _, unread = opened(tmp_path / "x.zip", make.raw_zip([row]))
    assert "the directory says name 'shown.sh', the header before the member 'other.sh'" in unread[0].detail


def test_members_that_the_directory_hides_are_read(tmp_path: Path) -> None:
    rows = [(n, n, make.deflated(n.encode()), len(n), zlib.crc32(n.encode())) for n in ("hidden.sh", "seen.sh")]
    full = make.raw_zip(rows)
    table = full.index(b"PK\1\2")
    second = full.index(b"PK\1\2", table + 4)
    end = full.index(b"PK\5\6")
    entry = full[second:end]
    tail = bytearray(full[end:])
    tail[8:12] = b"\1\0\1\0"
    tail[12:16] = len(entry).to_bytes(4, "little")
    members, unread = opened(tmp_path / "x.zip", full[:table] + entry + bytes(tail))
    assert members["hidden.sh"].data == b"hidden.sh"
    assert ("hidden.sh", "programs differ") in said(unread)


def test_a_directory_of_no_bytes_is_not_an_empty_package(tmp_path: Path) -> None:
    data = make.zipped({"setup.py": b"import os\n"})
    end = data.index(b"PK\5\6")
    tail = bytearray(data[end:])
    tail[8:16] = bytes(8)
    tail[16:20] = end.to_bytes(4, "little")
    members, unread = opened(tmp_path / "x.zip", data[:end] + bytes(tail))
    assert "setup.py" in members
    assert any(gap.what == "setup.py" and gap.needed for gap in unread)


def test_bytes_before_and_after_an_archive_are_said(tmp_path: Path) -> None:
    data = b"#!/bin/sh\nexit 1\n" + make.zipped({"a.sh": b"#!/bin/sh\n"}) + b"trailer"
    members, unread = opened(tmp_path / "x.zip", data)
    assert "a.sh" in members
    details = " ".join(gap.detail for gap in unread)
    assert "17 bytes stand before the archive (shell)" in details and "7 bytes follow the archive" in details


def test_two_members_of_one_name_are_both_read(tmp_path: Path) -> None:
    rows = [("a.sh", "a.sh", make.deflated(d), len(d), zlib.crc32(d)) for d in (b"one", b"two")]
    members, unread = opened(tmp_path / "x.zip", make.raw_zip(rows))
    assert {members["a.sh"].data, members["a.sh#2"].data} == {b"one", b"two"}
    assert any("two members of this name" in gap.detail for gap in unread)


def test_a_wrong_check_sum_is_damage(tmp_path: Path) -> None:
    _, unread = opened(tmp_path / "x.zip", make.raw_zip([("a", "a", make.deflated(b"abc"), 3, 1)]))
    assert ("a", "damaged") in said(unread)


def test_a_lying_size_is_damage_and_is_not_believed(tmp_path: Path) -> None:
    content = bytes(5 << 20)
    _, unread = opened(tmp_path / "x.zip", make.raw_zip([("a", "a", make.deflated(content), 10, zlib.crc32(content))]))
    assert any("more than the 10 bytes" in gap.detail for gap in unread)


def test_names_are_escaped_for_the_screen(tmp_path: Path) -> None:
    data = make.tarred({"a\nb": b"1", "c\u202egnp.sh": b"2", "d\x1b[31m": b"3"})
    members, _ = opened(tmp_path / "x.tar", data)
    assert set(members) == {r"a\x0ab", r"c\u202egnp.sh", r"d\x1b[31m"}


def test_links_are_facts(tmp_path: Path) -> None:
    data = make.tar_of(make.link("out", "/etc/passwd"), make.file("f"), make.link("hard", "f", tarfile.LNKTYPE))
    members, unread = opened(tmp_path / "x.tar", data)
    assert (members["out"].kind, members["out"].link) == ("link", "/etc/passwd")
    assert (members["hard"].kind, members["hard"].link) == ("link", "f")
    assert unread == []


def test_names_that_lead_out_are_said(tmp_path: Path) -> None:
    members, unread = opened(tmp_path / "x.tar", make.tar_of(make.file("../../etc/cron.d/x"), make.file("/abs")))
    assert "../../etc/cron.d/x" in members
    assert said(unread) == [("/abs", "refused for safety")]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.zip", b"", "it is empty"),
        ("x.bin", b"\0\1\2\3" * 100, "its format is unknown"),
        ("x.rpm", b"\xed\xab\xee\xdb" + bytes(100), "no member of this rpm archive could be read"),
        ("x.txt", b"just words\n", "not a package"),
        ("x.zip", b"PK\3\4" + bytes(10), "no member"),
    ],
)
def test_what_is_no_package_is_one_clear_line(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    with pytest.raises(PackageUnreadable, match=words) as raised:
        opened(tmp_path / name, data)
    assert "\n" not in str(raised.value) and raised.value.exit_code == 3


def test_every_member_can_be_opened_again(tmp_path: Path) -> None:
    files = {"lib.so": b"\x7fELF" + bytes(3 << 20), "i.png": b"\x89PNG\r\n" + bytes(9), "t.sh": b"#!/bin/sh\n"}
    for name, data in (("x.zip", make.zipped(files)), ("x.tgz", make.gzipped(make.tarred(files)))):
        path = tmp_path / name
        path.write_bytes(data)
        with Opened(path, Budget(), Options()) as package:
            for member, wanted in files.items():
                with package.open(member) as file:
                    assert file.read() == wanted
                    file.seek(2)
                    assert file.read(2) == wanted[2:4]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(PACKED)), seed=st.integers(0, 1 << 32), flips=st.integers(1, 12))
def test_damage_never_raises_anything_else(tmp_path: Path, name: str, seed: int, flips: int) -> None:
    chance = random.Random(seed)
    data = bytearray(PACKED[name])
    for _ in range(flips):
        data[chance.randrange(len(data))] = chance.randrange(256)
    try:
        members, unread = opened(tmp_path / name, bytes(data), free=1 << 22)
    except PackageUnreadable:
        return
    changed = [path for path, member in members.items() if member.sha256 and member.size and path in FILES]
    assert changed or unread or members


def test_a_zip_of_the_info_zip_programs(tmp_path: Path) -> None:
    """Streamed to a pipe: sizes stand after the members, in descriptors."""
    if subprocess.run(["which", "zip"], capture_output=True, check=False).returncode:
        pytest.skip("this machine has no zip")
    (tmp_path / "a.txt").write_text("words\n" * 100)
    done = subprocess.run(["zip", "-q", "-", "a.txt"], cwd=tmp_path, capture_output=True, check=True)
    members, unread = opened(tmp_path / "x.zip", done.stdout)
    assert unread == [] and members["a.txt"].size == 600


def test_zip64(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive, archive.open("big.txt", "w", force_zip64=True) as member:
        member.write(b"words\n")
    members, unread = opened(tmp_path / "x.zip", held.getvalue())
    assert unread == [] and members["big.txt"].data == b"words\n"


def _program(form: str) -> bytes:
    """The smallest headers of a program: one segment or section that ends where the file does."""
    if form == "elf":
        head = b"\x7fELF\2\1\1" + b"\0" * 9 + struct.pack("<HHLQQQLHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
        return (head + struct.pack("<LLQQQQQQ", 1, 5, 0, 0, 0, 512, 512, 4096)).ljust(512, b"\0")
    head = (
        b"MZ".ljust(0x3C, b"\0") + struct.pack("<L", 64) + b"PE\0\0" + struct.pack("<HHLLLHH", 0x8664, 1, 0, 0, 0, 0, 2)
    )
    return (head + b".text".ljust(8, b"\0") + struct.pack("<LLLLLLHHL", 256, 4096, 256, 256, 0, 0, 0, 0, 0)).ljust(
        512, b"\0"
    )


@pytest.mark.parametrize("form", ["elf", "pe"])
@pytest.mark.parametrize("settings", [b"", b';!@Install@!UTF-8!\nRunProgram="install.sh"\n;!@InstallEnd@!'])
def test_an_archive_behind_a_program_is_opened(tmp_path: Path, form: str, settings: bytes) -> None:
    import lzma

    data = _program(form) + settings + lzma.compress(make.tarred({"install.sh": b"#!/bin/sh\nreboot\n"}))
    members, unread = opened(tmp_path / "setup.bin", data)
    assert members["setup.bin!/install.sh"].kind == "shell" and members["setup.bin"].kind == form
    assert unread == []


@pytest.mark.parametrize("form", ["elf", "pe"])
def test_bytes_behind_a_program_that_are_no_known_archive_are_said(tmp_path: Path, form: str) -> None:
    _, unread = opened(tmp_path / "setup.bin", _program(form) + bytes(range(256)) * 40)
    assert [(gap.reason, gap.needed) for gap in unread] == [(Reason.FORMAT, True)]
    _, unread = opened(tmp_path / "plain.zip", make.zipped({"bin/tool": _program(form) + bytes(range(256)) * 40}))
    assert [(gap.reason, gap.needed) for gap in unread] == [(Reason.FORMAT, False)]
    _, unread = opened(tmp_path / "short", _program(form) + b"padding")
    assert unread == []


@given(st.sampled_from(["elf", "pe"]), st.integers(4, 511), st.binary(min_size=1, max_size=16))
@settings(max_examples=150, deadline=None)
def test_a_damaged_head_of_a_program_tells_an_end_within_it(form: str, at: int, noise: bytes) -> None:
    data = bytearray(_program(form) + b"x" * 100)
    data[at : at + len(noise)] = noise
    assert 0 < behind.end(bytes(data), len(data)) <= len(data)
