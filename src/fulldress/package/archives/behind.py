"""Where a program ends, and the archive behind it that it unpacks: self-extracting 7-Zip, RAR, cabinet and the like.

A loader maps what the headers of an ELF or PE file name; what follows is the program's own affair. A ZIP there is found by
its directory (:mod:`.zip`), any other archive by its first bytes. Sources: System V ABI, "ELF Header"; Microsoft's "PE
Format", section table and certificate table.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from fulldress.package.archives import FORMATS

_MAGIC = (
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"MSCF\0\0\0\0",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"\x1f\x8b\x08",
    b"PK\3\4",
)
_LOOKED_AT = 1 << 16  #: settings of a self-extractor stand before its archive
SLACK = 4096  #: bytes behind a program that are padding, a mark or a small signature


def end(head: bytes, size: int) -> int:
    """Where the program with this beginning ends by its own headers; ``size`` where they do not tell or it is none."""
    try:
        found = _elf(head) if head.startswith(b"\x7fELF") else _pe(head) if head.startswith(b"MZ") else size
    except (struct.error, IndexError, OverflowError):  # headers that point beyond any file
        return size
    return found if 0 < found <= size else size


def archive(source: BinaryIO, start: int, size: int) -> tuple[int, str]:
    """The place and kind of the archive in what is behind a program; kind empty where there is none that is known."""
    from fulldress.package.identify import identify

    source.seek(start)
    raw = source.read(min(size - start, _LOOKED_AT))
    places = [place for magic in _MAGIC if (place := raw.find(magic)) >= 0 and (place == 0 or len(magic) > 4)]
    for place in sorted(places):
        kind = identify("", raw[place:] + b"\0" * 512)
        if kind in FORMATS:
            return start + place, kind
    return start, ""


def _elf(head: bytes) -> int:
    order = ">" if head[5] == 2 else "<"
    wide = head[4] == 2
    if wide:
        segments, sections = struct.unpack_from(f"{order}QQ", head, 32)
        segment, segment_count, section, section_count = struct.unpack_from(f"{order}4H", head, 54)
    else:
        segments, sections = struct.unpack_from(f"{order}LL", head, 28)
        segment, segment_count, section, section_count = struct.unpack_from(f"{order}4H", head, 42)
    last = sections + section * section_count
    for number in range(segment_count):
        at = segments + number * segment
        if wide:
            offset, length = (struct.unpack_from(f"{order}Q", head, at + place)[0] for place in (8, 32))
        else:
            offset, length = (struct.unpack_from(f"{order}L", head, at + place)[0] for place in (4, 16))
        last = max(last, offset + length)
    return int(last)


def _pe(head: bytes) -> int:
    """The end of the last section, or of the certificate table where that follows at once."""
    at = struct.unpack_from("<L", head, 0x3C)[0]
    if head[at : at + 4] != b"PE\0\0":
        return 0
    sections, optional = struct.unpack_from("<H", head, at + 6)[0], struct.unpack_from("<H", head, at + 20)[0]
    last = 0
    for number in range(sections):
        length, offset = struct.unpack_from("<LL", head, at + 24 + optional + 40 * number + 16)
        last = max(last, offset + length)
    wide = struct.unpack_from("<H", head, at + 24)[0] == 0x20B
    table = at + 24 + (112 if wide else 96) + 4 * 8
    place, length = struct.unpack_from("<LL", head, table) if table + 8 <= at + 24 + optional else (0, 0)
    symbols, count = struct.unpack_from("<LL", head, at + 12)
    if symbols:  # a table of names as MinGW leaves it; the strings behind it state their own size
        last = max(last, symbols + 18 * count)
        if symbols + 18 * count + 4 <= len(head):
            last += struct.unpack_from("<L", head, symbols + 18 * count)[0]
    return int(place + length) if last <= place <= last + 16 else int(last)
