"""cpio: the "new" ASCII forms with and without a check sum, the POSIX form ("odc"), the old binary form of either byte
order, and the stripped form of RPM for files that are too large for eight hexadecimal digits.

Formats: cpio(5) of libarchive's manual; the kernel's ``initramfs buffer format`` for archives that follow each other;
rpm's ``lib/cpio.h`` for ``07070X``. Nothing is extracted.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

from fulldress.facts import Reason
from fulldress.package.archives import Damage, Gap, Offer
from fulldress.package.archives.streams import Forward

_TRAILER = b"TRAILER!!!"
_LONGEST_NAME = 1 << 16  #: bytes; PATH_MAX of Linux is 4 KiB
_LINKS = 10_000  #: names of one file that are held until its bytes come
_SHAPES = {0o10: "file", 0o04: "folder", 0o12: "link", 0o02: "device", 0o06: "device", 0o01: "device", 0o14: "device"}
_NEW = (b"070701", b"070702")
_ODC = b"070707"
_STRIPPED = b"07070X"
_BINARY = {b"\xc7\x71": "<", b"\x71\xc7": ">"}


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """One member's header, whatever its form."""

    name: bytes
    size: int
    mode: int
    modified: int = 0
    inode: tuple[int, int] = (0, 0)
    links: int = 1
    check: int | None = None  #: sum of all bytes, modulo 2**32
    padding: int = 1  #: what the content is padded to


#: Size, mode, time and name of the file with this index, for the stripped form
Files = Callable[[int], Header]


def is_header(head: bytes) -> bool:
    """Whether these bytes begin an old binary cpio; its magic of two bytes alone would be found in any data."""
    order = _BINARY.get(head[:2])
    if order is None or len(head) < 28:
        return False
    fields = struct.unpack(f"{order}13H", head[:26])
    name = head[26 : 26 + fields[10]]
    known = fields[3] >> 12 in _SHAPES and 1 < fields[10] <= 1024
    return known and (len(head) < 26 + fields[10] or (name[-1:] == b"\0" and b"\0" not in name[:-1]))


def members(source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]:
    """The members of a cpio archive."""
    return walk(Forward(source))


def walk(forward: Forward, files: Files | None = None) -> Iterator[Offer | Gap]:
    """The members of a cpio that is read forwards; hard links are offered after the name that carries the bytes."""
    waiting: dict[tuple[int, int], list[Header]] = {}
    while True:
        header = _header(forward, files)
        if header is None:
            yield Gap(reason=Reason.DAMAGED, detail="it has no end mark; it may have been cut off between two members")
            break
        if header.name == _TRAILER and header.size == 0:
            if not _another(forward):
                yield from _after(forward)
                break
            yield from _empty(waiting)
            continue
        shape = _SHAPES.get(header.mode >> 12, "file")
        key = header.inode
        if shape == "file" and header.links > 1 and header.size == 0 and len(waiting.get(key, ())) < _LINKS:
            waiting.setdefault(key, []).append(header)
            continue
        end = forward.position + header.size
        if shape == "link":
            if header.size > _LONGEST_NAME:
                raise Damage(f"a link of {header.size:,} bytes")
            target = b"".join(forward.chunks(header.size)).rstrip(b"\0")
            yield _offer(header, shape, link=_text(target))
        else:
            offer = _offer(header, shape)
            if shape == "file":
                offer.chunks = lambda header=header: _content(forward, header)  # type: ignore[misc]
            yield offer
            if shape == "file" and header.links > 1:
                for other in waiting.pop(key, ()):
                    yield _offer(other, "hardlink", link=offer.name)
        for _ in forward.chunks(end - forward.position):
            pass
        forward.take(-header.size % header.padding)
    yield from _empty(waiting)


def _empty(waiting: dict[tuple[int, int], list[Header]]) -> Iterator[Offer]:
    """Names of files whose bytes never came: they are empty."""
    for headers in waiting.values():
        for header in headers:
            yield _offer(header, "file")
    waiting.clear()


def _offer(header: Header, shape: str, link: str = "") -> Offer:
    size = header.size if shape == "file" else 0
    return Offer(
        name=_text(header.name),
        shape=shape,
        size=size,
        packed=size,
        modified=datetime.fromtimestamp(header.modified, UTC) if 0 < header.modified < 1 << 34 else None,
        mode=header.mode & 0o7777,
        link=link,
    )


def _content(forward: Forward, header: Header) -> Iterator[bytes]:
    total = 0
    for chunk in forward.chunks(header.size):
        if header.check is not None:
            total = (total + sum(chunk)) & 0xFFFFFFFF
        yield chunk
    if header.check is not None and total != header.check:
        raise Damage(f"its check sum is {total:08x}, and its header says {header.check:08x}")


def _header(forward: Forward, files: Files | None) -> Header | None:
    head = forward.peek(6)
    if not head:
        return None
    if head in _NEW:
        return _new(forward, head)
    if head == _ODC:
        return _odc(forward)
    if head[:2] in _BINARY:
        return _binary(forward, _BINARY[head[:2]])
    if head == _STRIPPED and files is not None:
        raw = _exactly(forward, 14)
        forward.take(2)
        return files(_integer(raw[6:14], 16))
    raise Damage(f"no header at byte {forward.position:,}; what follows was not read")


def _new(forward: Forward, magic: bytes) -> Header:
    raw = _exactly(forward, 110)
    field = [_integer(raw[at : at + 8], 16) for at in range(6, 110, 8)]
    name = _name(forward, field[11])
    forward.take(-(110 + field[11]) % 4)
    return Header(
        name=name,
        size=field[6],
        mode=field[1],
        modified=field[5],
        inode=(field[7] << 32 | field[8], field[0]),
        links=field[4],
        check=field[12] if magic == b"070702" and field[1] >> 12 == 0o10 else None,
        padding=4,
    )


def _odc(forward: Forward) -> Header:
    raw = _exactly(forward, 76)
    number = [_integer(raw[at : at + 6], 8) for at in range(6, 48, 6)]
    name = _name(forward, _integer(raw[59:65], 8))
    return Header(
        name=name,
        size=_integer(raw[65:76], 8),
        mode=number[2],
        modified=_integer(raw[48:59], 8),
        inode=(number[0], number[1]),
        links=number[5],
    )


def _binary(forward: Forward, order: str) -> Header:
    field = struct.unpack(f"{order}13H", _exactly(forward, 26))
    name = _name(forward, field[10])
    forward.take(field[10] % 2)
    return Header(
        name=name,
        size=field[11] << 16 | field[12],
        mode=field[3],
        modified=field[8] << 16 | field[9],
        inode=(field[1], field[2]),
        links=field[6],
        padding=2,
    )


def _name(forward: Forward, length: int) -> bytes:
    if not 0 < length <= _LONGEST_NAME:
        raise Damage(f"a header says that its name has {length:,} bytes")
    raw = _exactly(forward, length)
    if raw[-1:] != b"\0":
        raise Damage("a name does not end with a NUL")
    return raw[:-1].rstrip(b"\0")  # NULs inside stay, and are said


def _exactly(forward: Forward, size: int) -> bytes:
    raw = forward.take(size)
    if len(raw) < size:
        raise Damage("it is cut off in a header")
    return raw


def _integer(field: bytes, base: int) -> int:
    try:
        text = field.decode("ascii")
        if not text.isalnum():
            raise ValueError
        return int(text, base)
    except ValueError:
        raise Damage(f"a header holds {field!r} where a number belongs") from None


def _another(forward: Forward) -> bool:
    """Whether a further archive follows, as in an initial RAM disk; zeros between them are skipped."""
    while (ahead := forward.peek(512)) and not ahead.strip(b"\0"):
        forward.take(len(ahead))
    ahead = forward.peek(512)
    zeros = len(ahead) - len(ahead.lstrip(b"\0"))
    if ahead[zeros : zeros + 6] in (*_NEW, _ODC) and zeros % 4 == 0:
        forward.take(zeros)
        return True
    return False


def _after(forward: Forward) -> Iterator[Gap]:
    hidden = 0
    while data := forward.take(1 << 16):
        if hidden or data.strip(b"\0"):
            hidden += len(data)
    if hidden:
        yield Gap(
            reason=Reason.REFUSED,
            detail=f"about {hidden:,} bytes stand after its end mark; most programs don't show them",
        )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
