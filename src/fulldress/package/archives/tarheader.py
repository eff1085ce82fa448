"""What the blocks of a tar say: fields, pax records, and the maps of sparse files.

Formats: POSIX.1-2017 "pax Interchange Format", GNU tar manual "Basic Tar Format" and "Storing Sparse Files", star(5).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from fulldress.package.archives import Damage
from fulldress.package.archives.streams import Forward
from fulldress.patterns import regex

BLOCK = 512
_ZEROS = bytes(1 << 16)
_MOST_PIECES = 1 << 16  #: of one sparse file
_OCTAL = regex(rb"-?[0-7]+")

#: Records of an extended header in the order in which they stand; GNU's first sparse format repeats its keys.
Records = list[tuple[str, str]]
#: Offset and length of every piece of a sparse file that is stored.
Pieces = list[tuple[int, int]]


def is_header(block: bytes) -> bool:
    """Whether these 512 bytes are a header: its check sum is right (computed over it with eight blanks in its place)."""
    if len(block) < BLOCK or not block[0]:
        return False
    try:
        stated = number(block[148:156])
    except Damage:
        return False
    head, tail = block[:148], block[156:BLOCK]
    unsigned = sum(head) + 256 + sum(tail)
    if stated == unsigned:
        return True
    negative = sum(byte > 127 for byte in head) + sum(byte > 127 for byte in tail)
    return stated == unsigned - 256 * negative  # as old writers with signed characters summed


def number(field: bytes) -> int:
    """An octal number between blanks and NULs, or a binary one where the first bit is set (GNU, star)."""
    if field[:1] and field[0] & 0x80:
        value = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
        return value if field[0] & 0x40 == 0 else value - (1 << (8 * len(field) - 1))
    digits = field.lstrip(b" \0").split(b"\0")[0].strip() or b"0"
    if not _OCTAL.fullmatch(digits):
        raise Damage(f"a header holds {digits!r} where a number belongs")
    return int(digits, 8)


def lenient(field: bytes) -> int:
    """A number that nothing hangs on; 0 where it is none."""
    try:
        return max(0, number(field))
    except Damage:
        return 0


def name_of(block: bytes) -> str:
    """The name that a header gives itself; only POSIX headers have a prefix there, GNU's have times."""
    name = block[:100].split(b"\0")[0]
    if block[257:263] == b"ustar\0" and (prefix := block[345:500].split(b"\0")[0]):
        if block[508:512] == b"tar\0":  # star: the last bytes of the prefix are times
            prefix = prefix[:131]
        name = prefix + b"/" + name
    return text(name)


def text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def records(body: bytes) -> Records:
    """pax records: ``length key=value\\n``. Raises :class:`Damage` for anything else."""
    found: Records = []
    at = 0
    while at < len(body):
        blank = body.find(b" ", at, at + 20)
        length = body[at:blank] if blank > 0 else b""
        if not length.isdigit() or not blank - at < int(length) <= len(body) - at:
            if not body[at:].strip(b"\0"):
                break  # padded by its writer
            raise Damage("its extended header is damaged")
        end = at + int(length)
        key, _, value = body[blank + 1 : end].removesuffix(b"\n").partition(b"=")
        found.append((text(key), text(value)))
        at = end
    return found


def decimal(said: str) -> int | None:
    """A size in a pax record, or None where it is none."""
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 19 else None


def instant(seconds: str) -> datetime | None:
    try:
        value = float(seconds)
        return datetime.fromtimestamp(int(value), UTC) if value > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def old_sparse(block: bytes, forward: Forward) -> tuple[Pieces, int]:
    """The map of GNU's own sparse member and its real size; further blocks of the map follow the header."""
    real = number(block[483:495])
    found = _pairs(block[386:482])
    more = block[482]
    while more:
        extension = forward.take(BLOCK)
        if len(extension) < BLOCK or len(found) > _MOST_PIECES:
            raise Damage("the map of a sparse file is cut off or too long")
        found += _pairs(extension[:504])
        more = extension[504]
    return found, real


def _pairs(raw: bytes) -> Pieces:
    rows = ((number(raw[at : at + 12]), number(raw[at + 12 : at + 24])) for at in range(0, len(raw) - 23, 24))
    return [(offset, length) for offset, length in rows if length or offset]


def pax_sparse(said: Records) -> Pieces | None:
    """The map of the formats 0.0 and 0.1; None where the map stands before the content (1.0) or there is none."""
    keys = dict(said)
    if "GNU.sparse.map" in keys:
        numbers = [decimal(part) for part in keys["GNU.sparse.map"].split(",")] if keys["GNU.sparse.map"] else []
    elif "GNU.sparse.numblocks" in keys:
        numbers = [decimal(value) for key, value in said if key in ("GNU.sparse.offset", "GNU.sparse.numbytes")]
    else:
        return None
    if None in numbers or len(numbers) % 2:
        raise Damage("the map of a sparse file is damaged")
    whole = [value for value in numbers if value is not None]
    return list(zip(whole[::2], whole[1::2], strict=True))


def map_before(forward: Forward, size: int) -> tuple[Pieces, int]:
    """The map of format 1.0, which stands before the content as decimal lines, and the bytes that it takes."""
    held, taken = b"", 0

    def line() -> int:
        nonlocal held, taken
        while b"\n" not in held:
            if taken + BLOCK > size or len(held) > BLOCK:
                raise Damage("the map of a sparse file is damaged")
            held += forward.take(BLOCK)
            taken += BLOCK
        row, _, held = held.partition(b"\n")
        value = decimal(text(row))
        if value is None:
            raise Damage("the map of a sparse file is damaged")
        return value

    count = line()
    if count > _MOST_PIECES:
        raise Damage(f"a sparse file of {count:,} pieces")
    return [(line(), line()) for _ in range(count)], taken


def unfolded(forward: Forward, pieces: Pieces, real: int, stored: int) -> Iterator[bytes]:
    """The content of a sparse file, its holes as zeros."""
    at = 0
    for offset, length in pieces:
        if offset < at or offset + length > real or length > stored:
            raise Damage("the pieces of a sparse file overlap or lie beyond its end")
        yield from _hole(offset - at)
        yield from forward.chunks(length)
        stored -= length
        at = offset + length
    yield from _hole(real - at)


def _hole(length: int) -> Iterator[bytes]:
    while length > 0:
        yield _ZEROS[:length]
        length -= len(_ZEROS)
