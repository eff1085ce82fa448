"""Packages that no honest vendor makes, built here byte by byte: shapes of traversal, bombs, lies and deep nests.

The shapes are those of jwilk's traversal-archives, of zip-slip and tar-slip generators, of CPython's tarfile
advisories (CVE-2007-4559, CVE-2025-4517 and later), of guarddog's archive tests and of bamsoftware's overlapping
bombs; the bytes are ours.
"""

from __future__ import annotations

import bz2
import lzma
import tarfile
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
