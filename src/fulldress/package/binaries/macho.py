"""Mach-O: unique id, libraries, and the version of a library. It has no build date that is meant as one.

Format: Apple, <mach-o/loader.h> and <mach-o/fat.h>. Of a file for several processors the first part is read.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from fulldress.package.binaries.said import NotThis, Said

_UUID, _LOAD, _ID, _SOURCE, _MINIMUM, _BUILD = 0x1B, 0xC, 0xD, 0x2A, 0x24, 0x32
_MACHINES = {0x01000007: "x86_64", 7: "i686", 0x0100000C: "arm64", 12: "arm"}
_LIMIT = 1 << 20


def read(file: BinaryIO) -> Said:
    """What a Mach-O file says. Raises :class:`NotThis`."""
    base = _first_part(file)
    file.seek(base)
    head = file.read(32)
    if len(head) < 28:
        raise NotThis("it is cut off in its header")
    order = {
        b"\xce\xfa\xed\xfe": "<",
        b"\xcf\xfa\xed\xfe": "<",
        b"\xfe\xed\xfa\xce": ">",
        b"\xfe\xed\xfa\xcf": ">",
    }.get(head[:4])
    if order is None:
        raise NotThis("its header is none of Mach-O")
    wide = 0xCF in (head[0], head[3])
    count, size = struct.unpack_from(f"{order}LL", head, 16)
    file.seek(base + (32 if wide else 28))
    commands = file.read(min(size, _LIMIT))
    said = Said(format="macho", machine=_MACHINES.get(struct.unpack_from(f"{order}L", head, 4)[0], ""))
    needed: list[str] = []
    at = 0
    for _ in range(count):
        if at + 8 > len(commands):
            break
        kind, length = struct.unpack_from(f"{order}LL", commands, at)
        if length < 8:
            break
        _command(kind & 0x7FFFFFFF, commands[at : at + length], order, said, needed)
        at += length
    said.needed = tuple(needed)
    return said


def _first_part(file: BinaryIO) -> int:
    file.seek(0)
    head = file.read(8 + 20)
    if head[:4] not in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"):
        return 0
    if len(head) < 28:
        raise NotThis("it is cut off in its header")
    wide = head[3] == 0xBF  # 64-bit offsets
    return int(struct.unpack_from(">Q" if wide else ">L", head, 16)[0])


def _dotted(packed: int) -> str:
    return f"{packed >> 16}.{packed >> 8 & 0xFF}"


def _command(kind: int, body: bytes, order: str, said: Said, needed: list[str]) -> None:
    if kind == _UUID and len(body) >= 24:
        said.build_id = body[8:24].hex()
    elif kind in (_LOAD, _ID, 0x18) and len(body) >= 24:
        name, _, version = struct.unpack_from(f"{order}LLL", body, 8)
        if kind == _ID:
            if version:
                said.version = f"{_dotted(version)}.{version & 0xFF}"
                said.version_from = "macho library version"
        else:
            needed.append(body[name:].split(b"\0")[0].decode("utf-8", "replace"))
    elif kind == _MINIMUM and len(body) >= 12:
        said.requires = (f"macOS {_dotted(struct.unpack_from(f'{order}L', body, 8)[0])}",)
    elif kind == _BUILD and len(body) >= 16:
        platform, minimum = struct.unpack_from(f"{order}LL", body, 8)
        if platform == 1:
            said.requires = (f"macOS {_dotted(minimum)}",)
    elif kind == _SOURCE and len(body) >= 16 and not said.version:
        packed = struct.unpack_from(f"{order}Q", body, 8)[0]
        if packed:
            said.version = f"{packed >> 40}.{packed >> 30 & 0x3FF}.{packed >> 20 & 0x3FF}"
            said.version_from = "macho source version"
