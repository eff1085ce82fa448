"""Scripts that carry an archive: makeself's ``.run`` and its like, and base64 text that a script unpacks.

The script and what it carries are offered as two members. Where the archive begins is not taken from the script's
arithmetic (``tail -n +N``, ``dd skip=``, a marker): it is looked for by its own first bytes after a line's end, and
proves itself by being opened. A ZIP behind a script is read by :mod:`.zip`, whose directory may count from the script on. The
check sums that a makeself header states are checked (makeself(1), "HEADER")."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from fulldress.facts import Reason
from fulldress.package.archives import Gap, Offer
from fulldress.package.archives.streams import CHUNK, Slice
from fulldress.patterns import regex

SCRIPT = "self-extract.sh"
_LARGEST = 64 << 20  #: bytes of a script with archives in base64
_SCRIPT_LIMIT = 8 << 20  #: bytes of the script before an archive
_BINARY = regex(
    rb"\n(?=\x1f\x8b\x08|\xfd7zXZ\0|BZh[1-9](?:1AY&SY|\x17rE8P\x90)|\x28\xb5\x2f\xfd|7z\xbc\xaf\x27\x1c"
    rb"|\x5d\0\0.{2}\xff{8}|\x04\x22\x4d\x18|MSCF\0\0\0\0|Salted__)",
    re.DOTALL,
)
#: Lines of base64, or one long word of it, as ``base64 -w0`` writes it.
_TEXT = regex(
    rb"\n(?:[A-Za-z0-9+/]{48,76}\r?\n){4,}+(?:[A-Za-z0-9+/=]{1,76}(?:\r?\n|\Z))?"
    rb"|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{160,}+={0,2}"
)
_DECODES = regex(
    rb"\bbase64\s+(?:-\w*[dD]|--decode|-i\s)|\bb64decode\b|openssl\s+(?:enc\s+)?-(?:d\s+-)?(?:base64|a)\b|\buudecode\b"
)
_SUFFIXES = {
    b"\x1f\x8b": "tar.gz", b"\xfd7": "tar.xz", b"BZ": "tar.bz2", b"\x28\xb5": "tar.zst", b"PK": "zip", b"7z": "7z",
    b"\x5d\0": "tar.lzma", b"\x04\x22": "tar.lz4", b"MS": "cab", b"\x7fE": "elf", b"MZ": "exe",
}  # fmt: skip


def is_carrier(head: bytes) -> bool:
    """Whether a shell script with this beginning carries an archive that starts within it."""
    if _behind(head) >= 0:
        return True
    return _DECODES.search(head) is not None and any(_packed(match[0]) for match in _TEXT.finditer(head))


def members(source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]:
    """The script, then what it carries."""
    size = source.seek(0, 2)
    source.seek(0)
    head = source.read(min(size, _SCRIPT_LIMIT))
    start = _behind(head)
    if start < 0:
        yield from _texts(source, size)
        return
    script = head[:start]
    yield _member(SCRIPT, script)
    lengths = _stated(script, size - start)
    at = start
    for number, length in enumerate(lengths):
        part = Slice(source, at, length)
        first = part.read(8)
        yield from _checked(part, script, number)
        label = f"payload{number + 1 if len(lengths) > 1 else ''}.{_SUFFIXES.get(first[:2], 'tar')}"
        closed = (Reason.ENCRYPTED, "openssl encrypted it; it needs a password") if first == b"Salted__" else None
        yield Offer(name=label, size=length, packed=length, chunks=lambda part=part: _bytes(part), closed=closed)  # type: ignore[misc]
        at += length
    if at < size:
        yield Gap(
            reason=Reason.REFUSED,
            detail=f"{size - at:,} bytes follow the archive whose size its script states; they belong to nothing",
        )
    elif at > size:
        yield Gap(reason=Reason.DAMAGED, detail=f"it is cut off: its script states {at - size:,} bytes more")


def _behind(head: bytes) -> int:
    """Where the archive begins, or -1."""
    if match := _BINARY.search(head):
        return match.end()
    nul = head.find(b"\0")  # a plain tar or cpio: a name in plain letters, then NULs
    line = head.rfind(b"\n", 0, nul) + 1
    if (
        nul > 0
        and line > 0
        and (head[line + 257 : line + 262] == b"ustar" or re.match(rb"0707(?:01|02|07)", head[line:]))
    ):
        return line
    return -1


def _stated(script: bytes, there: int) -> list[int]:
    """The sizes that a makeself header states; without one all that is there."""
    match = re.search(rb'(?m)^filesizes="([\d ]+)"', script)
    sizes = [int(word) for word in match[1].split()[:100]] if match else []
    return sizes if sizes and all(0 < size < 1 << 50 for size in sizes) else [there]


def _checked(part: Slice, script: bytes, number: int) -> Iterator[Gap]:
    stated = {
        "CRC": _word(script, rb"CRCsum", number).lstrip("0"),
        "MD5": _word(script, rb"MD5", number).lower(),
        "SHA-256": _word(script, rb"SHA", number).lower(),
    }
    stated = {name: value for name, value in stated.items() if value.strip("0")}
    if not stated:
        return
    md5, sha = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    total, length = 0xFFFFFFFF, 0
    for chunk in _bytes(part):
        md5.update(chunk)
        sha.update(chunk)
        if "CRC" in stated:
            total = zlib.crc32(chunk.translate(_MIRRORED), total)
        length += len(chunk)
    tail = length.to_bytes((length.bit_length() + 7) // 8, "little").translate(_MIRRORED)
    total = zlib.crc32(tail, total) ^ 0xFFFFFFFF
    found = {
        "CRC": str(int(f"{total:032b}"[::-1], 2) ^ 0xFFFFFFFF),
        "MD5": md5.hexdigest(),
        "SHA-256": sha.hexdigest(),
    }
    for name, value in stated.items():
        if found[name] != value:
            yield Gap(reason=Reason.DAMAGED, detail=f"its {name} is {found[name]}, and its script states {value}")


#: Every byte with its bits turned round: cksum's CRC takes them from the other end than zlib's (POSIX cksum)
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _word(script: bytes, name: bytes, number: int) -> str:
    match = re.search(rb"(?m)^" + name + rb'="([0-9A-Fa-f ]*)"', script)
    words = match[1].decode().split() if match else []
    return words[number] if number < len(words) else ""


def _texts(source: BinaryIO, size: int) -> Iterator[Offer | Gap]:
    """Archives in base64: each decoded, and a line in its place in the script, whose lines keep their numbers."""
    source.seek(0)
    text = source.read(min(size, _LARGEST))
    found: list[bytes] = []

    def instead(match: re.Match[bytes]) -> bytes:
        data = _packed(match[0])
        if not data:
            return match[0]
        found.append(data)
        lines = match[0].count(b"\n")
        return b"\n" + b"#\n" * (lines - 1) if lines else b"base64-payload"

    script = _TEXT.sub(instead, text)
    yield _member(SCRIPT, script)
    for number, data in enumerate(found):
        suffix = _SUFFIXES.get(data[:2], "tar" if data[257:262] == b"ustar" else "bin")
        yield _member(f"payload{number + 1 if len(found) > 1 else ''}.{suffix}", data)
    if size > _LARGEST:
        yield Gap(reason=Reason.BUDGET, detail=f"a script of {size:,} bytes; its end was not read")


def _packed(text: bytes) -> bytes:
    """The bytes behind base64 text where they are an archive or a program; else empty."""
    letters = b"".join(text.split())
    try:
        start = base64.b64decode(
            letters[: 352 if len(letters) >= 352 else len(letters) & ~3]
        )  # a tar tells at byte 257
        if (
            not start.startswith((b"PK\3\4", b"\x7fELF", b"0707"))
            and not (start.startswith(b"MZ") and b"\0\0\0" in start)
            and start[257:262] != b"ustar"
            and not _BINARY.match(b"\n" + start + b"\0" * 8)
        ):
            return b""
        return base64.b64decode(letters + b"=" * (-len(letters) % 4))
    except (binascii.Error, ValueError):
        return b""


def _member(name: str, data: bytes) -> Offer:
    return Offer(name=name, size=len(data), packed=len(data), mode=0o755, chunks=lambda: iter((data,)))


def _bytes(part: Slice) -> Iterator[bytes]:
    part.seek(0)
    while chunk := part.read(CHUNK):
        yield chunk
