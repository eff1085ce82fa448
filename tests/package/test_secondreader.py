"""The second reader: silent on good packages, and not fooled."""

from __future__ import annotations

import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make
import rpmmaking as rpms

from fulldress.facts import Disagreement, Unread
from fulldress.package import read

FILES = {"a/b.sh": b"#!/bin/sh\necho hello\n", "c.sql": b"SELECT 1;\n" * 500, "empty": b"", "ä.txt": b"x"}
ZIP = make.zipped(FILES)
TREE = [("./a", 0o040755, b""), ("./a/b", 0o100644, b"b"), ("./a/l", 0o120777, b"b")]


def told(path: Path, data: bytes) -> list[tuple[str, str, str, str]]:
    path.write_bytes(data)
    found = [fact for fact in read(path).facts if isinstance(fact, Disagreement)]
    return [(fact.container, fact.member, fact.first, fact.second) for fact in found]


import bz2  # noqa: E402
import lzma  # noqa: E402

GOOD = {
    "p.zip": ZIP,
    "stored.zip": make.zipped(FILES, zipfile.ZIP_STORED),
    "lzma.zip": make.zipped(FILES, zipfile.ZIP_LZMA),
    "bzip2.zip": make.zipped(FILES, zipfile.ZIP_BZIP2),
    "cp437.zip": make.zipped({"axb.txt": b"1"}).replace(b"axb.txt", b"a\x84b.txt"),
    "p.jar": make.zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n", "x/": b""}),
    "ustar.tar": make.tarred({"a": b"1", "b/c": b"2"}, tarfile.USTAR_FORMAT),
    "pax.tar": make.tarred(FILES),
    "gnu.tar": make.tarred({**FILES, "long/" * 40 + "x": b"1"}, tarfile.GNU_FORMAT),
    "links.tar": make.tar_of(make.file("a"), make.link("l", "a"), make.link("h", "a", tarfile.LNKTYPE)),
    "twice.tar": make.tar_of(make.file("a", b"1"), make.file("a", b"22")),
    "p.tgz": make.gzipped(make.tarred(FILES)),
    "p.tar.xz": lzma.compress(make.tarred(FILES)),
    "p.tar.bz2": bz2.compress(make.tarred(FILES)),
    "one.sql.gz": make.gzipped(b"SELECT 1;\n"),
    "p.deb": make.deb({"./control": b"Package: p\nVersion: 1\n"}, {"./usr/bin/p": b"#!/bin/sh\n", "./etc/p": b""}),
    "p.cpio": rpms.newc(TREE),
    "hard.cpio": rpms.newc(
        [("a", 0o100644, b""), ("b", 0o100644, b"x")], links={"a": (5, 2), "b": (5, 2)}
    ),
    "p.rpm": rpms.rpm(rpms.listed(TREE), make.gzipped(rpms.newc(TREE))),
    "nested.zip": make.zipped({"i.zip": ZIP, "i.tgz": make.gzipped(make.tarred(FILES)), "x.gz": make.gzipped(b"x")}),
    "i.tar": make.tarred({"i.zip": ZIP, "j.deb": make.deb({"./control": b"Package: p\nVersion: 1\n"}, {"./x": b"1"})}),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_silent_on_a_good_package(tmp_path: Path, name: str) -> None:
    assert told(tmp_path / name, GOOD[name]) == []


def _hidden() -> bytes:
    at = ZIP.find(b"PK\1\2")
    hidden = make.zipped({"hidden.sh": b"#!/bin/sh\nrm -r /opt\n"})
    hidden = hidden[: hidden.find(b"PK\1\2")]
    data = bytearray(ZIP[:at] + hidden + ZIP[at:])
    end = data.rfind(b"PK\5\6")
    data[end + 16 : end + 20] = struct.pack("<L", at + len(hidden))
    return bytes(data)


TEXT = b"hello" * 20
FOOLED = {
    "concatenated": (ZIP + make.zipped({"other.sh": b"x"}), "", "c.sql", "file, 5,000 bytes", "not there"),
    "hidden between members and table": (_hidden(), "", "hidden.sh", "file, 21 bytes", "not there"),
    "another name in the table": (
        make.raw_zip([("C.txt", "A.txt", make.deflated(TEXT), 100, zlib.crc32(TEXT))]), "", "A.txt", "not there", "file, 100 bytes",
    ),
    "a NUL in a name": (make.zipped({"aXb.sh": b"x"}).replace(b"aXb.sh", b"a\0b.sh"), "", "a\\x00b.sh", "file, 1 bytes", "not there"),
    "inside another": (make.zipped({"i.zip": _hidden()}), "i.zip", "hidden.sh", "file, 21 bytes", "not there"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOOLED)
def test_readers_that_see_different_things(tmp_path: Path, name: str) -> None:
    data, *wanted = FOOLED[name]
    assert tuple(wanted) in told(tmp_path / "p.zip", data)


def test_without_the_library_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fulldress.package.archives import child

    def missing() -> str:
        raise child.Unable("the package archi, which brings libarchive, is not installed")

    monkeypatch.setattr(child, "library", missing)
    path = tmp_path / "p.zip"
    path.write_bytes(ZIP)
    gaps = [fact for fact in read(path).facts if isinstance(fact, Unread) and fact.what.startswith("a second reading")]
    assert [(gap.needed, gap.detail) for gap in gaps] == [
        (False, "the package archi, which brings libarchive, is not installed")
    ]
