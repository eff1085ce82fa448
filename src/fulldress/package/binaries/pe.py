"""PE: the link time, unless it is a hash, and the version resource.

Format: Microsoft, "PE Format". The time stamp of the header is a hash of the content where the debug directory holds
an entry of type REPRO (16), and a constant where Delphi wrote it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from fulldress.package.binaries.said import NotThis, Said

_REPRO = 16
_VERSION = 16  #: RT_VERSION
_DELPHI = 0x2A425E19
_IMPORTS, _RESOURCES, _DEBUG = 1, 2, 6
_LIMIT = 1 << 16
_MACHINES = {0x8664: "x86_64", 0x14C: "i686", 0xAA64: "aarch64", 0x1C4: "armv7l"}


class _Image:
    """The parts of a PE file that lead from an address to a place in the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        head = self.at(0, 64)
        if head[:2] != b"MZ" or len(head) < 64:
            raise NotThis("it is too short for a program")
        new = int.from_bytes(head[60:64], "little")
        coff = self.at(new, 24)
        if coff[:4] != b"PE\0\0":
            raise NotThis("it has no PE header")
        self.machine = struct.unpack_from("<H", coff, 4)[0]
        sections, self.stamp, size = struct.unpack_from("<H", coff, 6)[0], *struct.unpack_from("<L8xH", coff, 8)
        optional = self.at(new + 24, size)
        wide = optional[:2] == b"\x0b\x02"
        first = 112 if wide else 96
        count = struct.unpack_from("<L", optional, first - 4)[0] if len(optional) >= first else 0
        self._directories = [
            struct.unpack_from("<LL", optional, first + 8 * place)
            for place in range(min(count, 16))
            if first + 8 * place + 8 <= len(optional)
        ]
        table = self.at(new + 24 + size, 40 * min(sections, 96))
        self._sections = [struct.unpack_from("<8xLLLL", table, at) for at in range(0, len(table) - 39, 40)]

    def at(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size)

    def directory(self, number: int) -> tuple[int, int]:
        """Address and size of a data directory; zeros where there is none."""
        return self._directories[number] if number < len(self._directories) else (0, 0)

    def bytes(self, address: int, size: int) -> bytes:
        """The bytes at an address of the loaded image."""
        for virtual_size, virtual, raw_size, raw in self._sections:
            if virtual <= address < virtual + max(virtual_size, raw_size):
                return self.at(raw + address - virtual, min(size, raw_size))
        return b""


def read(file: BinaryIO) -> Said:
    """What a PE file says. Raises :class:`NotThis`."""
    image = _Image(file)
    said = Said(format="pe", needed=tuple(_imports(image)), machine=_MACHINES.get(image.machine, ""))
    if image.stamp not in (0, 0xFFFFFFFF, _DELPHI) and not _reproducible(image):
        said.built, said.built_from = datetime.fromtimestamp(image.stamp, UTC), "pe time stamp"
    words = _version_words(image)
    for name in ("ProductVersion", "FileVersion"):
        if found := re.match(r"[vV]?(\d+(?:[., ]+\d+)*[\w.+\-]*)", words.get(name, "").strip()):
            said.version, said.version_from = re.sub(r"[, ]+", ".", found[1]), f"pe {name}"
            break
    said.product = words.get("ProductName", "")
    said.quote = ", ".join(f"{name} {words[name]}" for name in ("ProductName", "ProductVersion") if words.get(name))
    return said


def _reproducible(image: _Image) -> bool:
    address, size = image.directory(_DEBUG)
    table = image.bytes(address, min(size, _LIMIT))
    return any(struct.unpack_from("<L", table, at + 12)[0] == _REPRO for at in range(0, len(table) - 27, 28))


def _imports(image: _Image) -> Iterator[str]:
    address, size = image.directory(_IMPORTS)
    table = image.bytes(address, min(max(size, 20), _LIMIT))
    for at in range(0, len(table) - 19, 20):
        name = struct.unpack_from("<L", table, at + 12)[0]
        if not name:
            return
        yield image.bytes(name, 256).split(b"\0")[0].decode("latin-1")


def _version_words(image: _Image) -> dict[str, str]:
    """The strings of the version resource: ProductName, ProductVersion, CompanyName …"""
    root, _ = image.directory(_RESOURCES)
    for address, size in _leaves(image, root):
        raw = image.bytes(address, min(size, _LIMIT))
        return dict(_strings(raw))
    return {}


def _leaves(image: _Image, root: int) -> Iterator[tuple[int, int]]:
    """Address and size of the version resources: type, name and language are three levels of one table."""
    if not root:
        return
    level = [(root, 0)]
    for depth in range(3):
        deeper: list[tuple[int, int]] = []
        for table, _ in level:
            head = image.bytes(table, 16)
            if len(head) < 16:
                return
            count = min(sum(struct.unpack_from("<HH", head, 12)), 256)
            rows = image.bytes(table + 16, 8 * count)
            for at in range(0, len(rows) - 7, 8):
                number, offset = struct.unpack_from("<LL", rows, at)
                if depth or number == _VERSION:
                    deeper.append((root + (offset & 0x7FFFFFFF), offset >> 31))
        level = deeper[:256]
    for leaf, _ in level:
        entry = image.bytes(leaf, 8)
        if len(entry) == 8:
            yield struct.unpack("<LL", entry)


def _strings(raw: bytes) -> Iterator[tuple[str, str]]:
    """Key and value of every String structure (length, value length, type, key, padding, value; UTF-16)."""
    for name in ("CompanyName", "ProductName", "ProductVersion", "FileVersion", "FileDescription"):
        key = name.encode("utf-16-le") + b"\0\0"
        place = raw.find(key)
        while place >= 6:
            length, _, text = struct.unpack_from("<HHH", raw, place - 6)
            if text == 1 and length >= len(key) + 6:
                begin = place + len(key)
                begin += -begin % 4
                value = raw[begin : place - 6 + length]
                yield name, value.decode("utf-16-le", "replace").split("\0")[0].strip()
                break
            place = raw.find(key, place + 1)
