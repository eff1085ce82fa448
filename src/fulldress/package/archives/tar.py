"""tar: ustar, GNU and pax, read forwards by our own reader of its 512-byte blocks.

The standard library's ``tarfile`` takes a pax header of any declared size into memory, and its extraction filters are
broken in many versions in use (CVE-2025-4517 and later); here nothing is extracted and a header has a limit.
Format: POSIX.1-2017 "pax Interchange Format", GNU tar manual "Basic Tar Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from fulldress.facts import Reason
from fulldress.package.archives import Damage, Gap, Offer
from fulldress.package.archives.streams import CHUNK, Forward

_BLOCK = 512
_HEADER_LIMIT = 1 << 20  #: a long name or a set of pax records beyond that is refused
_SHAPES = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": "hardlink",
    b"2": "link",
    b"3": "device",
    b"4": "device",
    b"5": "folder",
    b"6": "device",
}
_EMPTY = (b"1", b"2", b"3", b"4", b"5", b"6")


def is_header(block: bytes) -> bool:
    """Whether these 512 bytes are a header: its check sum is right (computed over it with eight blanks in its place)."""
    if len(block) < _BLOCK or not block[0]:
        return False
    try:
        stated = _number(block[148:156])
    except Damage:
        return False
    head, tail = block[:148], block[156:_BLOCK]
    unsigned = sum(head) + 256 + sum(tail)
    if stated == unsigned:
        return True
    negative = sum(byte > 127 for byte in head) + sum(byte > 127 for byte in tail)
    return stated == unsigned - 256 * negative  # as old writers with signed characters summed


def members(source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]:
    """The members of an uncompressed tar."""
    return walk(Forward(source))


def walk(forward: Forward) -> Iterator[Offer | Gap]:
    """The members of a tar that is read forwards."""
    shared: dict[str, str] = {}
    own: dict[str, str] = {}
    while True:
        block = forward.take(_BLOCK)
        if not block:
            yield Gap(reason=Reason.DAMAGED, detail="it has no end mark; it may have been cut off between two members")
            return
        if not block.strip(b"\0"):
            yield from _after(forward)
            return
        if not is_header(block):
            place = forward.position - len(block)
            yield Gap(reason=Reason.DAMAGED, detail=f"no header at byte {place:,}; what follows was not read")
            return
        flag, size = block[156:157], _size(block, own)
        if flag in (b"x", b"g", b"L", b"K"):
            if size > _HEADER_LIMIT:
                yield Gap(reason=Reason.REFUSED, detail=f"a header of {size:,} bytes; what follows was not read")
                return
            body = b"".join(forward.chunks(size))
            forward.take(-size % _BLOCK)
            if flag == b"x":
                own |= _records(body)
            elif flag == b"g":
                shared |= _records(body)
            else:
                own["path" if flag == b"L" else "linkpath"] = _text(body.rstrip(b"\0"))
            continue
        carried = 0 if flag in _EMPTY else size  # links and folders carry nothing, whatever their size says
        end = forward.position + carried
        yield _offer(block, flag, carried, shared | own, forward)
        own = {}
        for _ in forward.chunks(end - forward.position):
            pass
        forward.take(-carried % _BLOCK)


def _size(block: bytes, said: dict[str, str]) -> int:
    size = int(said["size"]) if said.get("size", "").isdigit() else _number(block[124:136])
    if size < 0:
        raise Damage("a header holds a negative size")
    return size


def _offer(block: bytes, flag: bytes, size: int, said: dict[str, str], forward: Forward) -> Offer:
    name = said.get("path") or _name(block)
    shape = _SHAPES.get(flag, "file")
    if shape == "file" and name.endswith("/"):
        shape = "folder"  # as writers before POSIX marked it
    closed = None
    if flag == b"S" or any(key.startswith("GNU.sparse") for key in said):
        closed = (Reason.FORMAT, "a sparse file; its content was not put together")
    elif flag not in _SHAPES:
        closed = (Reason.FORMAT, f"a member of the unknown type {flag!r}")
    offer = Offer(
        name=name,
        shape=shape,
        size=size if shape == "file" else 0,
        packed=size,
        modified=_instant(said.get("mtime", "")) or _instant(str(_number(block[136:148]))),
        mode=_number(block[100:108]) & 0o7777,
        link=said.get("linkpath", _text(block[157:257].split(b"\0")[0])) if shape in ("link", "hardlink") else "",
        closed=closed,
    )
    if shape == "file":
        offer.chunks = lambda: forward.chunks(size)
        if size <= CHUNK:
            offer.whole = lambda: forward.exactly(size)
    return offer


def _after(forward: Forward) -> Iterator[Gap]:
    """What follows the end mark: nothing or zeros; anything else is hidden from most programs."""
    hidden = 0
    while data := forward.take(1 << 16):
        if hidden or data.strip(b"\0"):
            hidden += len(data)
    if hidden:
        yield Gap(
            reason=Reason.REFUSED,
            detail=f"about {hidden:,} bytes stand after its end mark; most programs don't show them",
        )


def _name(block: bytes) -> str:
    name = block[:100].split(b"\0")[0]
    if block[257:263] == b"ustar\0" and (prefix := block[345:500].split(b"\0")[0]):
        name = prefix + b"/" + name
    return _text(name)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    """An octal number, or a binary one where the first bit is set (GNU)."""
    if field[:1] and field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big") if field[0] != 0xFF else -1
    digits = field.split(b"\0")[0].strip() or b"0"
    try:
        return int(digits, 8)
    except ValueError:
        raise Damage(f"a header holds {digits!r} where a number belongs") from None


def _records(body: bytes) -> dict[str, str]:
    """pax records: ``length key=value\\n``."""
    found: dict[str, str] = {}
    while body:
        length = body.partition(b" ")[0]
        if not length.isdigit() or not 0 < int(length) <= len(body):
            raise Damage("its extended header is damaged")
        key, _, value = body[len(length) + 1 : int(length)].rstrip(b"\n").partition(b"=")
        found[_text(key)] = _text(value)
        body = body[int(length) :]
    return found


def _instant(seconds: str) -> datetime | None:
    try:
        value = float(seconds)
        return datetime.fromtimestamp(int(value), UTC) if value > 0 else None
    except (ValueError, OverflowError, OSError):
        return None
