"""What of a container lies elsewhere: further volumes, bytes that were cut off, a second file system on the same disc.

libarchive lists what is there and says nothing of the rest. Formats: RAR 4 and 5 (technotes of the archiver, "Main archive
header"), 7-Zip ("SignatureHeader"), Microsoft Cabinet (CFHEADER), ECMA-119 8.4, ECMA-167 part 2 (the recognition sequence
of UDF).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from fulldress.facts import Reason
from fulldress.package.archives import Gap

_SECTOR = 2048
_DESCRIPTORS = 16 * _SECTOR  #: place of the first volume descriptor
_JOIN = "put its parts together and inspect that"


def missing(source: BinaryIO, kind: str) -> Iterator[Gap]:
    """What a container of this kind says that it lacks."""
    size = source.seek(0, io.SEEK_END)
    reader = {"iso": _disc, "7z": _seven, "rar": _rar, "cab": _cabinet}.get(kind)
    if reader is not None:
        yield from reader(source, size)


def _at(source: BinaryIO, place: int, length: int) -> bytes:
    source.seek(place)
    return source.read(length)


def _disc(source: BinaryIO, size: int) -> Iterator[Gap]:
    head = _at(source, _DESCRIPTORS, 132)
    if len(head) == 132 and head[:6] == b"\x01CD001":
        stated = int.from_bytes(head[80:84], "little") * int.from_bytes(head[128:130], "little")
        if stated > size:
            detail = f"it states {stated:,} bytes and has {size:,}: it was cut off"
            yield Gap(reason=Reason.DAMAGED, detail=detail)
    for number in range(64):
        word = _at(source, _DESCRIPTORS + number * _SECTOR + 1, 5)
        if word in (b"NSR02", b"NSR03"):
            detail = "it also holds a UDF file system, which systems prefer; only its ISO 9660 side was read"
            yield Gap(reason=Reason.FORMAT, detail=detail)
        if word not in (b"CD001", b"BEA01", b"BOOT2", b"NSR02", b"NSR03"):
            return


def _seven(source: BinaryIO, size: int) -> Iterator[Gap]:
    head = _at(source, 0, 32)
    if len(head) < 32:
        return
    stated = 32 + int.from_bytes(head[12:20], "little") + int.from_bytes(head[20:28], "little")
    if stated > size:
        detail = f"it states {stated:,} bytes and has {size:,}: the first of several volumes, or cut off; {_JOIN}"
        yield Gap(reason=Reason.MISSING, detail=detail)
    elif stated < size:
        yield Gap(reason=Reason.DISPUTED, detail=f"{size - stated:,} bytes follow the archive")


def _rar(source: BinaryIO, _: int) -> Iterator[Gap]:
    head = _at(source, 0, 64)
    if head.startswith(b"Rar!\x1a\x07\x00"):
        parted = head[9:10] == b"\x73" and head[10:11] and head[10] & 1
    else:
        fields = list(_numbers(head[12:], 5))  # its size, type, flags, then the size of an extra area if flag 1 is set
        place = 4 if len(fields) > 2 and fields[2] & 1 else 3
        parted = len(fields) > place and fields[1] == 1 and fields[place] & 1
    if parted:
        yield Gap(reason=Reason.MISSING, detail=f"it is one of several volumes; {_JOIN}")


def _numbers(raw: bytes, count: int) -> Iterator[int]:
    """Numbers of seven bits a byte, the lowest first; the top bit says that another follows."""
    value = shift = given = 0
    for byte in raw:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield value
            value = shift = 0
            given += 1
            if given == count:
                return


def _cabinet(source: BinaryIO, _: int) -> Iterator[Gap]:
    head = _at(source, 0, 36)
    if len(head) == 36 and head[30] & 3:
        words = " and ".join(word for bit, word in ((1, "the one before"), (2, "the next")) if head[30] & bit)
        detail = (
            f"a part of a set of cabinets: it goes on in {words}, and files that are cut in two cannot be read here"
        )
        yield Gap(reason=Reason.MISSING, detail=detail)
