"""Claim: whatever a package holds, reading it stays below 512 MiB a process and ends within its budget, with a gap told.

Each input is made by us, read by a process of its own, and that process's peak of resident memory (and that of its
readers' processes) is printed. ``--small`` makes the large inputs a hundredth as large, for the test suite.
"""

from __future__ import annotations

import gzip
import io
import resource
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

LIMIT = 512 << 20
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")


def many_in_zip(path: Path, count: int) -> None:
    """A ZIP64 of ``count`` members, half of them scripts of one line."""
    at, table = 0, []
    with path.open("wb") as file:
        for number in range(count):
            name, body = b"d%03d/f%07d" % (number % 1000, number), b"#!/bin/sh\n" if number % 2 else b""
            crc = zlib.crc32(body)
            sizes = (crc, len(body), len(body), len(name), 0)
            file.write(_LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, 0x5A21, *sizes) + name + body)
            table.append(
                _CENTRAL.pack(b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 0x5A21, *sizes, 0, 0, 0, 0o100644 << 16, at) + name
            )
            at += _LOCAL.size + len(name) + len(body)
        directory = b"".join(table)
        file.write(directory)
        file.write(_END64.pack(b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), at))
        file.write(_LOCATOR.pack(b"PK\6\7", 0, at + len(directory), 1))
        file.write(_END.pack(b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


def many_in_tar(path: Path, count: int) -> None:
    """A tar of ``count`` empty files, compressed."""
    block = bytearray(tarfile.TarInfo("d000/f0000000").tobuf(tarfile.USTAR_FORMAT))
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number in range(count):
            block[:13] = b"d%03d/f%07d" % (number % 1000, number)
            block[148:156] = b" " * 8
            block[148:156] = b"%06o\0 " % sum(block)
            file.write(block)
        file.write(bytes(1024))


def _zip(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()


def deep(path: Path, count: int) -> None:
    """``count`` ZIPs in each other."""
    data = _zip({"install.sh": b"#!/bin/sh\n"})
    for number in range(count):
        data = _zip({f"{number}.zip": data})
    path.write_bytes(data)


def wide(path: Path, count: int) -> None:
    """As a quine unfolds: each ZIP holds the same ZIP many times, eight deep."""
    data = _zip({"install.sh": b"#!/bin/sh\n"})
    for _ in range(8):
        data = _zip({f"{number}.zip": data for number in range(max(2, count))})
    path.write_bytes(data)


def layers(path: Path, size: int) -> None:
    """Zeros, compressed three times: each layer multiplies by a thousand."""
    held = io.BytesIO()
    with gzip.GzipFile(fileobj=held, mode="wb", compresslevel=9) as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
    path.write_bytes(gzip.compress(gzip.compress(held.getvalue())))


def overlapping(path: Path, count: int) -> None:
    """One compressed stream that all entries of the directory share."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(bytes(10 << 20)) + packed.flush()
    crc = zlib.crc32(bytes(10 << 20))
    data = _LOCAL.pack(b"PK\3\4", 20, 0, 8, 0, 0x5A21, crc, len(body), 10 << 20, 1, 0) + b"a" + body
    entry = _CENTRAL.pack(
        b"PK\1\2", 20, 3, 20, 0, 0, 8, 0, 0x5A21, crc, len(body), 10 << 20, 1, 0, 0, 0, 0, 0o100644 << 16, 0
    )
    table = b"".join(entry + bytes([97 + number % 26]) for number in range(count))
    path.write_bytes(data + table + _END.pack(b"PK\5\6", 0, 0, count, count, len(table), len(data), 0))


def texts(path: Path, count: int) -> None:
    """``count`` texts of the largest size that readers look into."""
    line = b"export DTEN_HOST=db.example PORT=5432 # keep this line\n"
    body = (line * ((15 << 20) // len(line) + 1))[: 15 << 20]
    endings = ("sh", "py", "sql", "json", "yaml", "conf", "xml", "txt")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(count):
            archive.writestr(f"t{number}.{endings[number % len(endings)]}", body)


def one_text(path: Path, size: int) -> None:
    """A single text, larger than any reader looks into, compressed alone."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(size >> 20):
            file.write(b"SELECT 1;\n" * 104858)


#: name of the input -> what makes it, how large, how large for the suite
CASES: dict[str, tuple[Callable[[Path, int], None], int, int]] = {
    "million.zip": (many_in_zip, 1_000_000, 3000),
    "million.tar.gz": (many_in_tar, 1_000_000, 3000),
    "deep.zip": (deep, 100, 100),
    "wide.zip": (wide, 10, 2),
    "layers.gz": (layers, 2 << 30, 64 << 20),
    "overlapping.zip": (overlapping, 60_000, 2000),
    "texts.zip": (texts, 32, 2),
    "text.sql.gz": (one_text, 1 << 30, 40 << 20),
}


def read(path: Path, small: bool) -> int:
    """Read one input and print what was told and how much memory it took. Small inputs have small budgets to break."""
    from fulldress.errors import FulldressError
    from fulldress.facts import Unread
    from fulldress.package import Budget
    from fulldress.package import read as whole

    begin = time.monotonic(), time.process_time()
    budget = Budget(seconds=300, entries=2000, free=1 << 20) if small else Budget(seconds=300)
    try:
        said = [fact.detail for fact in whole(path, budget=budget).facts if isinstance(fact, Unread)]
    except FulldressError as error:
        said = [str(error)]
    took = time.monotonic() - begin[0], time.process_time() - begin[1]
    own, children = (
        resource.getrusage(who).ru_maxrss << 10 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    high = max(own, children)
    told = next((one for one in said if "not read" in one or "too large" in one or "containers" in one), "")
    print(
        f"{path.name:16} {own >> 20:5} MiB, readers {children >> 20:5} MiB   {took[0]:6.1f} s, {took[1]:5.1f} s of one core"
        f"   {'ok  ' if high < LIMIT and took[0] < 330 else 'FAIL'} {told[:90]}"
    )
    return 0 if high < LIMIT and took[0] < 330 and said else 1


def main() -> int:
    small, names = "--small" in sys.argv, [name for name in sys.argv[1:] if not name.startswith("--")]
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names or CASES:
            make, large, little = CASES[name]
            make(Path(folder) / name, little if small else large)
            bad += subprocess.run(
                [sys.executable, __file__, "--read", str(Path(folder) / name), *["--small"] * small], check=False
            ).returncode
            (Path(folder) / name).unlink()
    print(f"goal: below {LIMIT >> 20} MiB, an end within the budget, and a gap; missed by {bad}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(read(Path(sys.argv[2]), "--small" in sys.argv) if sys.argv[1:2] == ["--read"] else main())
