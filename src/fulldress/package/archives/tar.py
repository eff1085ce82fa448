"""tar: v7, ustar, GNU, star and pax, read forwards by our own reader of its 512-byte blocks.

The standard library's ``tarfile`` takes a pax header of any declared size into memory, and its extraction filters are
broken in many versions in use (CVE-2025-4517 and later); here nothing is extracted and a header has a limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from fulldress.facts import Reason
from fulldress.package.archives import Damage, Gap, Offer
from fulldress.package.archives.streams import Forward
from fulldress.package.archives.tarheader import (
    BLOCK,
    Records,
    decimal,
    instant,
    is_header,
    lenient,
    map_before,
    name_of,
    number,
    old_sparse,
    pax_sparse,
    records,
    text,
    unfolded,
)
from fulldress.package.archives.tarnames import Names

_HEADER_LIMIT = 1 << 20  #: a long name or a set of pax records beyond that is refused
_OCTAL_LIMIT = 1 << 33  #: sizes from here on do not fit into a header's eleven octal digits
_SHAPES = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"S": "file",  # GNU: sparse
    b"1": "hardlink",
    b"2": "link",
    b"3": "device",
    b"4": "device",
    b"5": "folder",
    b"6": "device",
    b"D": "folder",  # GNU: a folder with the list of what was in it
}
_EMPTY = (b"1", b"2", b"3", b"4", b"5", b"6")
#: Extended headers: pax's own, Solaris'. Of the others the content is not needed: ACLs, a volume's label, star's inodes.
_EXTENDED = (b"x", b"g", b"X", b"L", b"K")
_PASSED = (b"A", b"E", b"I", b"V")


def members(source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]:
    """The members of an uncompressed tar."""
    return walk(Forward(source))


def walk(forward: Forward) -> Iterator[Offer | Gap]:
    """The members of a tar that is read forwards, and of those that follow its end mark."""
    names = Names()
    yield from _archive(forward, names)
    yield from names.at_end()
    while (block := _after(forward)) is not None:
        if isinstance(block, Gap):
            yield block
            return
        yield Gap(
            reason=Reason.DISPUTED,
            detail=f"another archive follows its end mark at byte {forward.position:,}; "
            "tar shows its members with --ignore-zeros only",
        )
        names = Names()
        yield from _archive(forward, names)
        yield from names.at_end()


def _archive(forward: Forward, names: Names) -> Iterator[Offer | Gap]:
    """The members up to the end mark."""
    shared: dict[str, str] = {}
    own: Records = []
    while True:
        block = forward.take(BLOCK)
        if not block:
            yield Gap(reason=Reason.DAMAGED, detail="it has no end mark; it may have been cut off between two members")
            return
        if not block.strip(b"\0"):
            return
        if not is_header(block):
            place = forward.position - len(block)
            yield Gap(reason=Reason.DAMAGED, detail=f"no header at byte {place:,}; what follows was not read")
            return
        flag = block[156:157]
        if flag in _EXTENDED:
            size = _positive(block)
            if size > _HEADER_LIMIT:
                yield Gap(reason=Reason.REFUSED, detail=f"a header of {size:,} bytes; what follows was not read")
                return
            body = b"".join(forward.chunks(size))
            forward.take(-size % BLOCK)
            if flag in (b"L", b"K"):
                own.append(("path" if flag == b"L" else "linkpath", text(body.rstrip(b"\0"))))
                continue
            try:
                found = records(body)
            except Damage as damage:
                yield Gap(reason=Reason.DAMAGED, name=name_of(block), detail=str(damage))
                continue
            if flag == b"g":
                shared |= dict(found)
            else:
                own += found
            continue
        # An empty value takes a record of the global header back (POSIX).
        said = {key: value for key, value in (shared | dict(own)).items() if value}
        size = _positive(block)
        if "size" in said:
            stated = decimal(said["size"])
            if stated is None or (stated != size and max(stated, size) < _OCTAL_LIMIT):
                yield Gap(
                    reason=Reason.DISPUTED,
                    name=said.get("path") or name_of(block),
                    detail=f"its header says {size:,} bytes, its extended header {said['size']}; "
                    "for a program that believes the other one, other members follow",
                )
            size = size if stated is None else stated
        carried = 0 if flag in _EMPTY else size  # links and folders carry nothing, whatever their size says
        if flag in _PASSED:
            own = []
            _skip(forward, carried + -carried % BLOCK)
            continue
        yield from _member(block, flag, carried, said, own, forward, names)
        own = []


def _member(
    block: bytes, flag: bytes, carried: int, said: dict[str, str], own: Records, forward: Forward, names: Names
) -> Iterator[Offer | Gap]:
    try:
        offer = _offer(block, flag, carried, said)
        sparse = flag == b"S" or any(key.startswith("GNU.sparse.") for key in said)
        head = 0
        end = forward.position + carried + -carried % BLOCK
        if offer.shape == "file" and offer.closed is None:
            if flag == b"S":
                pieces, offer.size = old_sparse(block, forward)
                end = forward.position + carried + -carried % BLOCK  # its map has blocks of its own
                offer.chunks = lambda: unfolded(forward, pieces, offer.size, carried)
            elif sparse:
                offer.name = said.get("GNU.sparse.name", offer.name)
                offer.size = decimal(said.get("GNU.sparse.realsize", said.get("GNU.sparse.size", ""))) or 0
                found = pax_sparse(own)
                if found is None:
                    found, head = map_before(forward, carried)
                offer.chunks = lambda: unfolded(forward, found, offer.size, carried - head)
            else:
                offer.chunks = lambda: forward.chunks(carried)
    except Damage as damage:
        offer.closed = (Reason.DAMAGED, str(damage))
    yield from names.seen(offer)
    yield offer
    _skip(forward, end - forward.position)


def _skip(forward: Forward, size: int) -> None:
    for _ in forward.chunks(max(0, size)):
        pass


def _positive(block: bytes) -> int:
    size = number(block[124:136])
    if size < 0:
        raise Damage("a header holds a negative size")
    return size


def _offer(block: bytes, flag: bytes, size: int, said: dict[str, str]) -> Offer:
    name = said.get("path") or name_of(block)
    shape = _SHAPES.get(flag, "file")
    if shape == "file" and name.endswith("/"):
        shape = "folder"  # as writers before POSIX marked it
    closed = None
    if flag == b"M":
        closed = (Reason.MISSING, "the rest of a file that begins in another volume of this archive")
    elif flag not in _SHAPES:
        closed = (Reason.FORMAT, f"a member of the unknown type {flag!r}")
    return Offer(
        name=name,
        shape=shape,
        size=size if shape == "file" else 0,
        packed=size,
        modified=instant(said.get("mtime", "")) or instant(str(lenient(block[136:148]))),
        mode=lenient(block[100:108]) & 0o7777,
        link=said.get("linkpath", text(block[157:257].split(b"\0")[0])) if shape in ("link", "hardlink") else "",
        closed=closed,
    )


def _after(forward: Forward) -> bytes | Gap | None:
    """What follows the end mark: nothing or zeros (None), another archive (its first block, not yet taken), or a gap."""
    hidden = 0
    while data := forward.peek(BLOCK):
        if not hidden and is_header(data):
            return data
        forward.take(len(data))
        if hidden or data.strip(b"\0"):
            hidden += len(data)
            while more := forward.take(1 << 16):
                hidden += len(more)
    if hidden:
        return Gap(
            reason=Reason.DISPUTED,
            detail=f"about {hidden:,} bytes stand after its end mark; most programs don't show them",
        )
    return None


__all__ = ["is_header", "members", "walk"]
