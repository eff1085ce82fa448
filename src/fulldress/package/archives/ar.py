"""ar, and the Debian package, which is an ar of a version file and two compressed tars (deb(5))."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from fulldress.facts import Reason
from fulldress.package.archives import Damage, Gap, Offer
from fulldress.package.archives.streams import CHUNK, Forward

_MAGIC = b"!<arch>\n"


def members(source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]:
    """The members, with GNU and BSD long names."""
    forward = Forward(source)
    if forward.take(len(_MAGIC)) != _MAGIC:
        raise Damage("it does not begin as an ar archive")
    names = b""
    while header := forward.take(60):
        if len(header) < 60 or header[58:60] != b"`\n":
            yield Gap(
                reason=Reason.DAMAGED,
                detail=f"no header at byte {forward.position - len(header):,}; what follows was not read",
            )
            return
        size, label = _number(header[48:58]), header[:16].rstrip()
        padding = size % 2
        if label == b"//":  # the table of long names, GNU
            names = b"".join(forward.chunks(min(size, CHUNK)))
            end = forward.position + size - len(names)
        else:
            if label.startswith(b"#1/"):  # BSD: the name stands before the content
                length = _number(label[3:])
                label = forward.take(min(length, 4096)).rstrip(b"\0")
                size -= length
            elif label[:1] == b"/" and label[1:].isdigit():
                label = names[int(label[1:]) :].split(b"\n")[0].rstrip(b"/")
            elif label not in (b"/", b"/SYM64/"):
                label = label.rstrip(b"/")
            end = forward.position + size
            yield Offer(
                name=label.decode("utf-8", "surrogateescape"),
                size=size,
                packed=size,
                modified=_instant(header[16:28]),
                mode=_number(header[40:48], 8) & 0o7777,
                chunks=lambda size=size: forward.chunks(size),  # type: ignore[misc]
            )
        for _ in forward.chunks(end - forward.position):
            pass
        forward.take(padding)


def _number(field: bytes, base: int = 10) -> int:
    digits = field.strip() or b"0"
    try:
        value = int(digits, base)
    except ValueError:
        raise Damage(f"a header holds {digits!r} where a number belongs") from None
    if value < 0:
        raise Damage("a header holds a negative number")
    return value


def _instant(field: bytes) -> datetime | None:
    seconds = min(_number(field), 1 << 34)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
