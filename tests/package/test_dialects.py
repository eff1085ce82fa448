"""tar and ZIP in all their dialects: what an honest writer makes is read without a word, and the bytes are right."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make
import hostile
from hostile import END, header, member, padded, pax

from fulldress.facts import Unread
from fulldress.package.reader import Member, Options
from fulldress.package.walk import Budget, Opened


def opened(path: Path, data: bytes) -> tuple[dict[str, Member], list[Unread]]:
    path.write_bytes(data)
    with Opened(path, Budget(), Options()) as package:
        return dict(package.members), package.unread


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


SPARSE = b"AAAA" + bytes(1020) + b"B" * 512 + bytes(512)
PIECES = b"A" * 4 + b"B" * 512  # at 0 and at 1024 of 2048


def _old_sparse(more: int = 0) -> bytes:
    """GNU's own member, with ``more`` blocks of map after the header."""
    rows = [(0, 4), (1024, 512)] if not more else [(0, 1), (1, 1), (2, 1), (3, 1)]
    tail = bytes(41) + b"".join(b"%011o\0%011o\0" % row for row in rows)
    tail = tail.ljust(137, b"\0") + bytes([more > 0]) + b"%011o\0" % 2048
    block = header(b"s.bin", len(PIECES), b"S", magic=b"ustar  \0", tail=tail)
    rest = b""
    if more:
        rest = (b"%011o\0%011o\0" % (1024, 512)).ljust(504, b"\0") + b"\0" * 8
    return block + rest + padded(PIECES) + member(b"after", b"1") + END


HONEST: dict[str, tuple[bytes, dict[str, bytes]]] = {
    "v7": (header(b"f", 2, b"\0", magic=bytes(8)) + padded(b"hi") + END, {"f": b"hi"}),
    "v7 folder by its slash": (header(b"d/", 0, b"\0", magic=bytes(8)) + member(b"d/f", b"1") + END, {"d/f": b"1"}),
    "ustar with a prefix": (member(b"f", b"1", tail=b"long/way") + END, {"long/way/f": b"1"}),
    "star, whose prefix ends in times": (
        member(b"f", b"1", tail=b"p".ljust(131, b"\0") + b"14726355146\0" * 2 + bytes(8) + b"tar\0") + END,
        {"p/f": b"1"},
    ),
    "GNU, whose prefix is times": (
        member(b"f", b"1", magic=b"ustar  \0", tail=b"14726355146\0") + END,
        {"f": b"1"},
    ),
    "GNU long name and long link": (make.tarred({"d/" * 80 + "f": b"1"}, tarfile.GNU_FORMAT), {"d/" * 80 + "f": b"1"}),
    "size with blanks": (header(b"f", b"          2 ") + padded(b"hi") + END, {"f": b"hi"}),
    "size with leading NUL": (header(b"f", b"\0         2\0") + padded(b"hi") + END, {"f": b"hi"}),
    "size in binary": (header(b"f", b"\x80" + bytes(10) + b"\2") + padded(b"hi") + END, {"f": b"hi"}),
    "time before 1970 in binary": (member(b"f", b"1", mtime=b"\xff" * 12) + END, {"f": b"1"}),
    "time that is no number": (member(b"f", b"1", mtime=b"yesterday\0\0\0") + END, {"f": b"1"}),
    "pax path": (pax({"path": "real/näme"}) + member(b"short", b"1") + END, {"real/näme": b"1"}),
    "pax size beyond octal is believed": (pax({"size": "2"}) + header(b"f", 2) + padded(b"hi") + END, {"f": b"hi"}),
    "pax value with an end of line": (pax({"comment": "a\nb\n", "path": "q"}) + member(b"f", b"1") + END, {"q": b"1"}),
    "pax global comment": (pax({"comment": "4f1c"}, b"g") + member(b"f", b"1") + END, {"f": b"1"}),
    "pax global path taken back": (
        pax({"path": "all"}, b"g") + pax({"path": ""}) + member(b"f", b"1") + END,
        {"f": b"1"},
    ),
    "pax hdrcharset": (pax({"hdrcharset": "BINARY", "path": "f"}) + member(b"x", b"1") + END, {"f": b"1"}),
    "SCHILY and LIBARCHIVE attributes": (
        pax({"SCHILY.xattr.user.a": "b", "LIBARCHIVE.xattr.user.a": "Yg", "ctime": "1.5"}) + member(b"f", b"1") + END,
        {"f": b"1"},
    ),
    "Solaris X and A": (
        pax({"path": "real"}, b"X") + header(b"acl", 3, b"A") + padded(b"acl") + member(b"f", b"1") + END,
        {"f": b"1"},
    ),
    "a volume's label": (header(b"backup", 0, b"V") + member(b"f", b"1") + END, {"f": b"1"}),
    "incremental folder": (
        header(b"d/", 4, b"D", magic=b"ustar  \0") + padded(b"Yf\0\0") + member(b"d/f", b"1") + END,
        {"d/f": b"1"},
    ),
    "contiguous file": (header(b"f", 1, b"7") + padded(b"1") + END, {"f": b"1"}),
    "old sparse": (_old_sparse(), {"s.bin": SPARSE, "after": b"1"}),
    "old sparse, map in two blocks": (_old_sparse(1), {"s.bin": SPARSE, "after": b"1"}),
    "sparse 0.1": (
        pax({"GNU.sparse.map": "0,4,1024,512", "GNU.sparse.size": "2048", "GNU.sparse.name": "s.bin"})
        + member(b"GNUSparseFile.1/s.bin", PIECES) + member(b"after", b"1") + END,
        {"s.bin": SPARSE, "after": b"1"},
    ),
    "sparse 1.0": (
        pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s.bin", "GNU.sparse.realsize": "2048"})
        + member(b"GNUSparseFile.1/s.bin", b"2\n0\n4\n1024\n512\n".ljust(512, b"\0") + PIECES) + member(b"after", b"1") + END,
        {"s.bin": SPARSE, "after": b"1"},
    ),
    "a link and a hard link after it": (
        make.tar_of(make.file("f", b"1"), make.link("l", "f"), make.link("h", "f", tarfile.LNKTYPE)),
        {"f": b"1"},
    ),
    "zero blocks to the end of a tape record": (member(b"f", b"1") + END + bytes(9000), {"f": b"1"}),
    "only one block of zeros": (member(b"f", b"1") + bytes(512), {"f": b"1"}),
}  # fmt: skip
SPARSE_0_0 = (
    b"".join(
        (lambda row: b"%d %s" % (len(row) + 3, row))(row)
        for row in (b"GNU.sparse.size=2048\n", b"GNU.sparse.numblocks=2\n", b"GNU.sparse.offset=0\n", b"GNU.sparse.numbytes=4\n")
    )
    + b"26 GNU.sparse.offset=1024\n" + b"27 GNU.sparse.numbytes=512\n"
)  # fmt: skip
HONEST["sparse 0.0, whose keys repeat"] = (
    header(b"x", len(SPARSE_0_0), b"x") + padded(SPARSE_0_0) + member(b"s.bin", PIECES) + member(b"after", b"1") + END,
    {"s.bin": SPARSE, "after": b"1"},
)


@pytest.mark.parametrize("name", HONEST)
def test_tar(tmp_path: Path, name: str) -> None:
    data, wanted = HONEST[name]
    members, unread = opened(tmp_path / "p.tar", data)
    assert unread == []
    assert {path: m.sha256 for path, m in members.items() if m.kind not in ("folder", "link")} == {
        path: digest(content) for path, content in wanted.items()
    }


DISHONEST = {
    "pax size that is not the header's": (
        pax({"size": "512"}) + header(b"f", 0) + member(b"hidden.sh", b"") + END,
        "its header says 0 bytes, its extended header 512",
    ),
    "a second archive": (member(b"f", b"1") + END + member(b"more.sh", b"2") + END, "another archive follows its end mark"),
    "bytes after the end": (member(b"f", b"1") + END + b"#!/bin/sh\n" * 60, "about 600 bytes stand after its end mark"),
    "a name twice": (member(b"f", b"1") + member(b"./f", b"2") + END, "two members of this name"),
    "below a link that leads out": (
        make.tar_of(make.link("d", "/etc"), make.file("d/cron.d/x")),
        "may write it outside the folder",
    ),
    "below a link inside": (make.tar_of(make.link("d", "e"), make.file("d/x")), "may write it there"),
    "a hard link to nothing": (make.tar_of(make.link("h", "f", tarfile.LNKTYPE), make.file("f")), "does not stand before it"),
    "another volume": (header(b"f", 1, b"M") + padded(b"1") + END, "begins in another volume"),
    "an unknown type": (header(b"f", 1, b"Q") + padded(b"1") + END, "unknown type"),
    "a negative size": (header(b"f", b"\xff" * 12) + END, "negative size"),
    "an octal negative size": (header(b"f", b"-0000000001\0") + END, "negative size"),
    "a size that is no number": (header(b"f", b"0x10\0") + END, "where a number belongs"),
    "pax records that lie about their length": (
        header(b"x", 12, b"x") + padded(b"99 path=evil\n"[:12]) + member(b"f", b"1") + END,
        "extended header is damaged",
    ),
    "a huge header": (pax({"comment": "x" * (2 << 20)}) + member(b"f", b"1") + END, "what follows was not read"),
    "a sparse map that overlaps": (
        pax({"GNU.sparse.map": "0,4,2,512", "GNU.sparse.size": "2048"}) + member(b"s", PIECES) + END,
        "overlap or lie beyond",
    ),
    "a sparse map beyond the end": (
        pax({"GNU.sparse.map": "0,4,1024,512", "GNU.sparse.size": "1025"}) + member(b"s", PIECES) + END,
        "overlap or lie beyond",
    ),
    "a sparse map of a million pieces": (
        pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"})
        + member(b"s", b"99999999\n".ljust(512, b"\0")) + END,
        "99,999,999 pieces",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DISHONEST)
def test_tar_that_is_not_what_it_says(tmp_path: Path, name: str) -> None:
    data, words = DISHONEST[name]
    members, unread = opened(tmp_path / "p.tar", member(b"first", b"1") + data)
    assert any(words in gap.detail for gap in unread), unread
    assert "first" in members


def test_the_second_archive_of_a_tar_is_read(tmp_path: Path) -> None:
    data, _ = DISHONEST["a second archive"]
    members, _ = opened(tmp_path / "p.tar.gz", make.gzipped(data))
    assert members["more.sh"].data == b"2"


def test_streams_of_several_pieces(tmp_path: Path) -> None:
    tar = make.tarred({"a": b"1" * 5000, "b": b"2"})
    members, unread = opened(tmp_path / "p.tgz", gzip.compress(tar[:700]) + gzip.compress(tar[700:]) + bytes(100))
    assert unread == [] and members["b"].data == b"2"


# ZIP


def zip_of(
    files: list[dict[str, object]], comment: bytes = b"", before: bytes = b"", between: bytes = b"", end64: bool = False
) -> bytes:
    """A ZIP of members whose every field may be set for the header (``here_``) and the directory (``there_``) alone."""
    body, table = b"", b""
    for file in files:
        data = bytes(file.get("data", b"content"))  # type: ignore[arg-type]
        base: dict[str, object] = {
            "name": file.get("name", b"f"), "flags": 0, "method": 0, "crc": zlib.crc32(data), "packed": len(data), "size": len(data),
            "extra": b"",
        }  # fmt: skip
        base |= {key: value for key, value in file.items() if key in base}
        here = base | {key[5:]: value for key, value in file.items() if key.startswith("here_")}
        there = base | {key[6:]: value for key, value in file.items() if key.startswith("there_")}
        place = len(body)
        body += struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, here["flags"], here["method"], 0, 0, here["crc"], here["packed"], here["size"],
            len(here["name"]), len(here["extra"]),  # type: ignore[arg-type]
        ) + here["name"] + here["extra"] + data + bytes(file.get("after", b"")) + between  # type: ignore[operator,arg-type] # fmt: skip
        table += struct.pack(
            "<4s4B4H3L5H2L", b"PK\1\2", 20, 3, 20, 0, there["flags"], there["method"], 0, 0, there["crc"], there["packed"], there["size"],
            len(there["name"]), len(there["extra"]), 0, 0, 0, int(file.get("mode", 0)) << 16, file.get("offset", place),  # type: ignore[arg-type,call-overload]
        ) + there["name"] + there["extra"]  # type: ignore[operator] # fmt: skip
    count, size, offset = len(files), len(table), len(body)
    wide = b""
    if end64:
        wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
        wide += struct.pack("<4sLQL", b"PK\6\7", 0, len(before) + offset + size, 1)
        count, size, offset = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, offset, len(comment))
    return before + body + table + wide + end + comment


CRC = zlib.crc32(b"content")
FAR = 0xFFFFFFFF
HONEST_ZIPS: dict[str, bytes] = {
    "plain": zip_of([{}]),
    "64-bit end record": zip_of([{}], end64=True),
    "64-bit sizes in both tables": zip_of(
        [{"packed": FAR, "size": FAR, "extra": struct.pack("<HHQQ", 1, 16, 7, 7)}], end64=True
    ),
    "a descriptor with a mark": zip_of(
        [{"flags": 8, "here_crc": 0, "here_packed": 0, "here_size": 0, "after": b"PK\7\x08" + struct.pack("<3L", CRC, 7, 7)}]
    ),
    "a descriptor without a mark": zip_of(
        [{"flags": 8, "here_crc": 0, "here_packed": 0, "here_size": 0, "after": struct.pack("<3L", CRC, 7, 7)}]
    ),
    "a descriptor of 64 bits": zip_of(
        [{"flags": 8, "here_crc": 0, "here_packed": FAR, "here_size": FAR, "here_extra": struct.pack("<HHQQ", 1, 16, 0, 0),
          "after": b"PK\7\x08" + struct.pack("<LQQ", CRC, 7, 7)}]
    ),
    "a descriptor that is left out": zip_of([{"flags": 8}, {"name": b"g"}]),
    "a comment": zip_of([{}], comment=b"made by hand"),
    "a comment of 64 KiB": zip_of([{}], comment=b"x" * 65535),
    "padding for alignment": zip_of([{"name": b"a"}, {"name": b"b"}], between=bytes(4)),
    "Android's signing block": zip_of([{}], between=b"\1" * 100 + b"APK Sig Block 42"),
    "a name in the old code page": zip_of([{"name": "Größe".encode("cp437")}]),
    "its true name beside it": zip_of(
        [{"name": b"Gr\x94sse", "there_extra": struct.pack("<HHBL", 0x7075, 5 + 6, 1, zlib.crc32(b"Gr\x94sse")) + "Größ".encode()}]
    ),
    "an archive in an archive, stored": zip_of([{"name": b"i.zip", "data": zip_of([{}])}]),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST_ZIPS)
def test_zip(tmp_path: Path, name: str) -> None:
    members, unread = opened(tmp_path / "p.zip", HONEST_ZIPS[name])
    assert unread == []
    assert all(member.sha256 for member in members.values())
    assert any(member.sha256 == digest(b"content") for member in members.values())


def test_the_unicode_field_names_what_the_old_code_page_cannot(tmp_path: Path) -> None:
    members, _ = opened(tmp_path / "p.zip", HONEST_ZIPS["its true name beside it"])
    assert list(members) == ["Größ"]


DISHONEST_ZIPS: dict[str, tuple[bytes, str, str]] = {
    "other name": (zip_of([{"here_name": b"other"}]), "programs differ", "the header before the member 'other'"),
    "other size": (zip_of([{"here_size": 3}]), "programs differ", "says size 7"),
    "other check sum": (zip_of([{"here_crc": 3}]), "programs differ", "says CRC"),
    "other method": (zip_of([{"here_method": 8}]), "programs differ", "says method 0"),
    "encrypted in one table only": (zip_of([{"here_flags": 1}]), "programs differ", "says encrypted False"),
    "a descriptor that says otherwise": (
        zip_of([{"flags": 8, "here_crc": 0, "here_packed": 0, "here_size": 0, "after": b"PK\7\x08" + struct.pack("<3L", CRC, 7, 9)}]),
        "programs differ", "after the member",
    ),
    "encrypted": (zip_of([{"flags": 1}]), "encrypted", "password"),
    "AES": (zip_of([{"flags": 1, "method": 99}]), "encrypted", "password"),
    "two names": (zip_of([{"data": b"1"}, {"data": b"2"}]), "programs differ", "two members of this name"),
    "a Unicode name beside an ASCII one": (
        zip_of([{"name": b"safe.txt", "there_extra": struct.pack("<HHBL", 0x7075, 12, 1, zlib.crc32(b"safe.txt")) + b"evil.sh"}]),
        "programs differ", "'evil.sh'",
    ),
    "an end record in the comment": (
        zip_of([{}], comment=struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)), "programs differ", "two end records",
    ),
    "two archives": (zip_of([{"name": b"a"}]) + zip_of([{"name": b"b"}]), "programs differ", "an archive of their own"),
    "a program before it": (zip_of([{}], before=b"#!/bin/sh\nexit\n"), "programs differ", "15 bytes stand before the archive (shell)"),
    "bytes between members": (zip_of([{"name": b"a"}, {"name": b"b"}], between=b"#!/bin/sh\n" * 9), "programs differ", "belong to no member"),
    "a part of several": (
        zip_of([{}])[:-22] + struct.pack("<4s4H2LH", b"PK\5\6", 2, 1, 1, 1, 47, 900, 0), "missing", "the last of 3 parts",
    ),
    "content in a folder": (zip_of([{"name": b"d/"}, {"name": b"d/f"}]), "programs differ", "a folder by its name that holds 7 bytes"),
    "overlap with the directory": (zip_of([{"packed": 500, "size": 500}]), "refused for safety", "overlap with the directory"),
    "a link whose target is damaged": (zip_of([{"mode": 0o120777, "crc": 5}]), "damaged", "a link whose target"),
    "other counts of members": (
        zip_of([{}], end64=True)[:-22] + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0), "programs differ", "its 64-bit end record",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DISHONEST_ZIPS)
def test_zip_that_is_not_what_it_says(tmp_path: Path, name: str) -> None:
    data, reason, words = DISHONEST_ZIPS[name]
    from fulldress.errors import PackageUnreadable

    try:
        _, unread = opened(tmp_path / "p.zip", data)
    except PackageUnreadable as error:
        assert words in str(error)
        return
    assert any(words in gap.detail and gap.reason.value == reason for gap in unread), unread


def test_both_of_two_archives_are_read(tmp_path: Path) -> None:
    members, _ = opened(tmp_path / "p.zip", DISHONEST_ZIPS["two archives"][0])
    assert set(members) == {"a", "b"}


def test_the_program_before_an_archive_is_a_member(tmp_path: Path) -> None:
    members, _ = opened(tmp_path / "p.zip", DISHONEST_ZIPS["a program before it"][0])
    assert members["(before the archive)"].kind == "shell"


def test_a_sealed_directory_is_encrypted(tmp_path: Path) -> None:
    from fulldress.errors import PackageUnreadable

    data = zip_of([{}])
    place = data.index(b"PK\1\2")
    try:
        _, unread = opened(tmp_path / "p.zip", data[:place] + b"PK\6\x08" + data[place + 4 :])
    except PackageUnreadable as error:
        assert "its directory is encrypted" in str(error)
    else:
        assert [gap.reason.value for gap in unread] == ["encrypted"]


def test_what_pythons_own_writer_makes_is_read_without_a_word(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "words\n" * 50)
        archive.mkdir("d") if hasattr(archive, "mkdir") else None
        archive.comment = b"hello"
    _, unread = opened(tmp_path / "p.zip", held.getvalue())
    assert unread == [] and hostile.BLOCK == 512


# streams

SKIPPED = struct.pack("<LL", 0x184D2A50, 4) + b"skip"


def _streams() -> dict[str, tuple[bytes, str]]:
    """Compressed tars as they come, and the words that are said of them; none where all is well."""
    import bz2
    import lzma

    import zstandard

    tar = make.tarred({"a": b"1", "b": b"2" * 5000})
    z = zstandard.compress
    wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=30)
    long = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    dictionary = zstandard.train_dictionary(1000, [b"abcdef%d" % n * 20 for n in range(200)])
    return {
        "skipped-before.tar.zst": (SKIPPED + z(tar), ""),
        "skipped-after.tar.zst": (z(tar) + SKIPPED, ""),
        "skipped-between.tar.zst": (z(tar[:600]) + SKIPPED + z(tar[600:]), ""),
        "garbage.tar.zst": (z(tar) + b"garbage", "7 bytes follow"),
        "skipped-cut.tar.zst": (z(tar) + SKIPPED[:-2], "ends in the middle"),
        "window.tar.zst": (long.compress(tar) + long.flush(), "MiB of memory"),
        "dictionary.tar.zst": (zstandard.ZstdCompressor(dict_data=dictionary).compress(tar), "Dictionary"),
        "garbage.tar.gz": (make.gzipped(tar) + b"garbage", "7 bytes follow"),
        "padded.tar.gz": (gzip.compress(tar[:700]) + bytes(512) + gzip.compress(tar[700:]) + bytes(512), ""),
        "two.tar.bz2": (bz2.compress(tar[:600]) + bz2.compress(tar[600:]), ""),
        "padded.tar.xz": (lzma.compress(tar[:600]) + bytes(8) + lzma.compress(tar[600:]), ""),
    }


@pytest.mark.parametrize("name", _streams())
def test_streams(tmp_path: Path, name: str) -> None:
    from fulldress.errors import PackageUnreadable

    data, words = _streams()[name]
    try:
        members, unread = opened(tmp_path / name, data)
    except PackageUnreadable as error:
        assert words and words in str(error)
        return
    assert members["b"].sha256 == digest(b"2" * 5000)
    assert any(words in gap.detail for gap in unread) if words else unread == []
