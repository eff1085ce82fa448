"""Version and date that stand as plain text in a compiled file which says neither in a table.

Both are looked for narrowly. The version has to stand behind the file's own name (``agent 3.6.1``); where several
differ, none is taken. The date is the C preprocessor's ``__DATE__`` (ISO C, 6.10.9: ``Mmm dd yyyy``) as a string of
its own; the youngest one counts, since a program is not older than its youngest part.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from fulldress.patterns import regex

_CHUNK = 4 << 20
_OVERLAP = 256
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_DATE = regex(rb" ((?:19|20)\d\d)\0")  # begins with a literal, which the engine finds fast
_BEHIND = regex(
    rb"(?:[ /_\-]|, |: | - )(?:[vV]ersion[ :]+)?v?(\d{1,4}(?:\.\d{1,5}){1,3}(?:[\-+~][0-9A-Za-z.]{1,20})?)(?![\w.])"
)
_INSIDE = frozenset(bytes([byte]) for byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/")
_GENERIC = frozenset({"main", "test", "app", "tool", "run", "lib", "bin", "core", "init", "start", "daemon"})


def version(file: BinaryIO, stem: str) -> tuple[str, str]:
    """The version that stands behind ``stem``, and the words; empty where there is none or more than one."""
    if len(stem) < 3 or not stem.isascii() or stem.lower() in _GENERIC:
        return "", ""
    forms = [form.encode() for form in sorted({stem, stem.lower(), stem.upper(), stem.capitalize()})]
    found: dict[str, str] = {}
    for block, ends in _blocks(file):
        for form in forms:
            at = block.find(form)
            while 0 <= at < ends:
                end = at + len(form)
                match = _BEHIND.match(block, end)
                if match and block[at - 1 : at] not in _INSIDE:
                    found.setdefault(match[1].decode("ascii"), block[at : match.end()].decode("ascii"))
                at = block.find(form, end)
        if len(found) > 1:
            return "", ""
    return next(iter(found.items()), ("", ""))


def built(file: BinaryIO) -> tuple[datetime | None, str]:
    """Midnight UTC of the youngest ``__DATE__``, and its text."""
    youngest: tuple[datetime | None, str] = (None, "")
    for block, _ in _blocks(file):
        for match in _DATE.finditer(block):
            words = block[max(0, match.start() - 6) : match.end() - 1]
            day = _date(block[match.start() - 7 : match.start() - 6], words[-11:])
            if day is not None and (youngest[0] is None or day > youngest[0]):
                youngest = day, words[-11:].decode("ascii")
    return youngest


def stem(path: str) -> str:
    """The name a program calls itself by: its file name without folder, suffix and a leading ``lib``."""
    name = path.rsplit("/", 1)[-1].split(".", 1)[0]
    return name.removeprefix("lib") if name.startswith("lib") and len(name) > 6 else name


def _blocks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Overlapping pieces, each with the place from which on the next one will show a text whole."""
    file.seek(0)
    kept, chunk = b"", file.read(_CHUNK)
    while chunk:
        block, chunk = kept + chunk, file.read(_CHUNK)
        yield block, len(block) - _OVERLAP // 2 if chunk else len(block)
        kept = block[-_OVERLAP:]


def _date(before: bytes, words: bytes) -> datetime | None:
    month, day, year = words[:3], words[4:6], words[7:11]
    if before != b"\0" or len(words) != 11 or month not in _MONTHS or words[3:4] != b" ":
        return None
    try:
        return datetime(int(year), _MONTHS.index(month) + 1, int(day), tzinfo=UTC)
    except ValueError:
        return None
