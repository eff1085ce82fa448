"""Packages that no honest vendor makes, built here byte by byte: shapes of traversal, bombs, lies and deep nests.

The shapes are those of jwilk's traversal-archives, of zip-slip and tar-slip generators, of CPython's tarfile
advisories (CVE-2007-4559, CVE-2025-4517 and later), of guarddog's archive tests and of bamsoftware's overlapping
bombs; the bytes are ours.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import tarfile
import zlib
from collections.abc import Mapping

import archivemaking as make
import zstandard

BLOCK = 512


def header(
    name: bytes,
    size: bytes | int = 0,
    flag: bytes = b"0",
    link: bytes = b"",
    magic: bytes = b"ustar\x0000",
    **fields: bytes,
) -> bytes:
    """One tar header with fields as given, its check sum right. ``fields``: mode, uid, mtime, prefix, tail (from 345)."""
    stated = b"%011o\0" % size if isinstance(size, int) else size
    block = bytearray(BLOCK)
    block[0 : len(name[:100])] = name[:100]
    block[100:108] = fields.get("mode", b"0000644\0")
    block[108:124] = b"0000000\0" * 2
    block[124:136] = stated.ljust(12, b"\0")[:12]
    block[136:148] = fields.get("mtime", b"14726355146\0")
    block[148:156] = b" " * 8
    block[156:157] = flag
    block[157 : 157 + len(link[:100])] = link[:100]
    block[257:265] = magic
    tail = fields.get("tail", b"")
    block[345 : 345 + len(tail)] = tail
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def member(name: bytes, data: bytes = b"", **fields: bytes) -> bytes:
    """A plain file in a tar."""
    return header(name, len(data), **fields) + padded(data)  # type: ignore[arg-type]


def pax(records: Mapping[str, str], flag: bytes = b"x") -> bytes:
    """An extended header; the length of a record counts itself."""
    body = b""
    for key, value in records.items():
        rest = f" {key}={value}\n".encode()
        length = len(rest) + len(str(len(rest)))
        length += len(str(length)) - len(str(len(rest)))
        body += str(length).encode() + rest
    return header(b"PaxHeaders/x", len(body), flag) + padded(body)


END = bytes(2 * BLOCK)


def containers() -> dict[str, bytes]:
    """One of every container that is opened, as seeds."""
    files = {
        "a/run.sh": b"#!/bin/sh\nset -e\nsystemctl restart app\n",
        "c.sql": b"ALTER TABLE t ADD c int;\n",
        "empty": b"",
    }
    tar = make.tarred(files)
    return {
        "p.zip": make.zipped(files),
        "stored.zip": make.zipped(files, 0),
        "lzma.zip": make.zipped(files, 14),
        "p.tar": tar,
        "gnu.tar": make.tarred({"d/" * 60 + "f": b"1"}, tarfile.GNU_FORMAT),
        "sparse.tar": pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s", "GNU.sparse.realsize": "1024"})
        + member(b"s", b"1\n512\n512\n".ljust(BLOCK, b"\0") + b"x" * BLOCK) + END,
        "p.tar.gz": make.gzipped(tar),
        "p.tar.xz": lzma.compress(tar),
        "p.tar.bz2": bz2.compress(tar),
        "p.tar.zst": zstandard.compress(tar),
        "p.deb": make.deb({"./control": b"Package: a\nVersion: 1\n", "./postinst": b"#!/bin/sh\n"}, {"./etc/a": b"1\n"}),
        "p.ar": make.ar({"a": b"1", "b": b"22"}),
        "links.tar": make.tar_of(make.file("f"), make.link("l", "f"), make.link("h", "f", tarfile.LNKTYPE)),
    }  # fmt: skip


def overlapping(files: int, size: int) -> bytes:
    """Many directory entries that share one stream, as bamsoftware's zbsm does: a little file, hundreds of times."""
    content = bytes(size)
    rows = [(f"{number}", "0", make.deflated(content), size, zlib.crc32(content)) for number in range(files)]
    return make.raw_zip(rows, shared=0)


def nested(depth: int, files: int = 1, payload: bytes = b"x") -> bytes:
    """Archives in archives; with several ``files`` each level holds so many copies of the one below, as 42.zip does."""
    data = payload
    for level in range(depth):
        data = make.zipped({f"{level}-{number}.zip" if level else "x.txt": data for number in range(files)})
    return data


def empty_entries(count: int) -> bytes:
    """A ZIP of very many empty files."""
    body, table = bytearray(), bytearray()
    for number in range(count):
        name = b"%x" % number
        table += (
            struct.pack(
                "<4s4B4H3L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, len(body)
            )
            + name
        )
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(table), len(body))
    wide += struct.pack("<4sLQL", b"PK\6\7", 0, len(body) + len(table), 1)
    return (
        bytes(body + table) + wide + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    )


def slips() -> dict[str, bytes]:
    """Every way to name a place outside that unpackers have fallen for."""
    names = {
        "parent": "../evil", "deep-parent": "a/b/../../../evil", "absolute": "/tmp/evil-absolute", "double-slash": "//tmp/evil-absolute",
        "dot-parent": "./../evil", "backslashes": "..\\..\\evil", "mixed": "a\\../..\\../evil", "drive": "C:\\evil", "drive-slash": "C:/evil",
        "unc": "\\\\host.example\\share\\evil", "unicode-dots": "\u2025/evil", "encoded": "%2e%2e/evil", "overlong": "a/" * 2100 + "evil",
        "part-too-long": "n" * 300, "tilde": "~/evil", "device-path": "/dev/shm/evil-absolute", "proc": "/proc/self/cwd/evil",
    }  # fmt: skip
    found = {f"{kind}.tar": make.tar_of(make.file(name), make.file("good")) for kind, name in names.items()}
    found |= {f"{kind}.zip": make.zipped({name: b"evil", "good": b"1"}) for kind, name in names.items()}
    found |= {f"{kind}.ar": make.ar({name[:15]: b"evil"}) for kind, name in names.items() if len(name) < 16}
    link, hard = make.link, tarfile.LNKTYPE
    trees = {
        "link-then-file": [link("d", ".."), make.file("d/evil")],
        "absolute-link-then-file": [link("d", "/tmp"), make.file("d/evil-absolute")],
        "link-over-folder": [make.file("d/x"), link("d", ".."), make.file("d/evil")],
        "chain": [link("a", "."), link("a/b", ".."), make.file("b/evil")],
        "dir-symlink-through": [link("a", "b/.."), link("b", ".."), make.file("a/evil")],
        "hard-link-out": [link("h", "../witness", hard), make.file("h", b"overwritten")],
        "hard-link-to-link": [link("s", "../witness"), link("h", "s", hard), make.file("h", b"overwritten")],
        "file-over-link": [link("f", "../witness"), make.file("f", b"overwritten")],
        "empty-link": [link("e", ""), make.file("e/evil")],
        "self-link": [link("l", "l"), make.file("l/evil")],
        "loop": [link("a", "b"), link("b", "a"), make.file("a/evil")],
        "hard-link-to-itself": [link("h", "h", hard)],
        "case-of-names": [link("D", ".."), make.file("d/evil")],
    }
    found |= {f"{kind}.tar": make.tar_of(*members) for kind, members in trees.items()}
    found["pax-path.tar"] = pax({"path": "../evil"}) + member(b"good", b"evil") + END
    found["pax-linkpath.tar"] = (
        pax({"linkpath": "../witness"}) + header(b"l", 0, b"2", b"good") + member(b"l", b"overwritten") + END
    )
    found["gnu-name.tar"] = header(b"././@LongLink", 8, b"L") + padded(b"../evil\0") + member(b"good", b"evil") + END
    found["sparse-name.tar"] = pax({"GNU.sparse.map": "0,4", "GNU.sparse.size": "4", "GNU.sparse.name": "../evil"}) + member(b"good", b"evil") + END  # fmt: skip
    found["nul-in-name.tar"] = pax({"path": "good\0/../../evil"}) + member(b"good", b"evil") + END
    return found


def texts(size: int = 100_000) -> dict[str, bytes]:
    """Sources that are very deep, very long or very often the same: name and content."""
    deep = size // 2
    lol = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12))
    aliases = [b"a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    aliases += [b"a%d: &a%d [%s]" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)]
    return {
        "manifest.json": b'{"a":' * deep + b"1" + b"}" * deep,
        "list/manifest.json": b"[" * deep + b"]" * deep,
        "upgrade.yaml": b"\n".join(aliases),
        "flow/upgrade.yaml": b"version: " + b"[" * deep + b"]" * deep,
        "block/upgrade.yaml": b"- " * deep + b"x",
        "upgrade.toml": b"a = " + b"[" * deep + b"]" * deep,
        "dotted/upgrade.toml": b"a." * 20_000 + b"a=1\n",
        "table/upgrade.toml": b"[" + b"a." * deep + b"a]\nx=1\n",
        "conf/web.xml": b'<?xml version="1.0"?>' + b"<a>" * deep + b"</a>" * deep,
        "entities/web.xml": b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "lol">' + lol + b"]><l>&l11;</l>",
        "brackets/run.sh": b"#!/bin/sh\n" + b"(" * deep + b"true" + b")" * deep + b"\n",
        "ifs/run.sh": b"#!/bin/sh\n" + b"if true; then " * 20_000 + b"true\n" + b"; fi" * 20_000 + b"\n",
        "substitutions/run.sh": b"#!/bin/sh\nx=" + b"$(" * 30_000 + b"true" + b")" * 30_000 + b"\n",
        "defaults/run.sh": b"#!/bin/sh\necho " + b'"${a:-' * 20_000 + b'}"' * 20_000 + b"\n",
        "brackets/v1__a.sql": b"select " + b"(" * deep + b"1" + b")" * deep + b";",
        "sums/v1__a.sql": b"select " + b"1+" * deep + b"1;",
        "queries/v1__a.sql": b"select * from " + b"(select * from " * 20_000 + b"t" + b") x" * 20_000 + b";",
        "comments/v1__a.sql": b"/*" * deep,
        "brackets/setup.py": b"(" * deep + b")" * deep,
        "minus/setup.py": b"x = " + b"-" * deep + b"1",
        "blocks/setup.py": b"".join(b" " * n + b"if 1:\n" for n in range(1000)),
        "sums/setup.py": b"x=" + b"1+" * deep + b"1",
        "calls/setup.py": b"x" + b"()" * deep,
        "brackets/setup.ps1": b"(" * deep + b")" * deep,
        "ifs/setup.ps1": b"if(1){" * 20_000 + b"}" * 20_000,
        "brackets/setup.bat": b"(" * deep,
        "brackets/setup.pl": b"(" * deep + b")" * deep,
        "a.timer": b"[Timer]\nOnCalendar=" + b"*-*-*," * deep + b"\n",
        "etc/cron.d/list": b"*/1," * deep + b"* * * * root x\n",
        "c.properties": b"a=" + b"\\\n" * deep + b"\n",
        "nginx.conf": b"a {" * deep + b"}" * deep,
        "META-INF/MANIFEST.MF": b"Require-Bundle: " + b'a;b="c,",' * 20_000 + b"\n",
        "a.p7s": b"\x30\x80" * deep,
        "a.pem": b"-----BEGIN CERTIFICATE-----\n" * 5000,
    }
