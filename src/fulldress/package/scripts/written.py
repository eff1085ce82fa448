"""Files that a script writes: kept with the lines their text came from, to be read as what they will be.

A script that is written by another one acts later; what it then does is said with ``when``.
"""

from __future__ import annotations

import re

import msgspec

from fulldress.package.reader import Member
from fulldress.package.scripts.values import without
from fulldress.patterns import regex

_MOST = 256 * 1024  #: characters kept of what one script writes into one file
#: Folders in which any text is a script, whatever its name and first line say.
_SCRIPTS = regex(
    r"/(?:cron\.(?:hourly|daily|weekly|monthly)|init\.d|if-(?:up|down|pre-up|post-down)\.d|system-(?:sleep|shutdown)|"
    r"post(?:inst|rm)\.d|dispatcher\.d|profile\.d|apm\.d)/[^/]+$|\.(?:sh|bash|ksh)$|/rc\.local$"
)
_UNIT = regex(r"/systemd/(?:system|user)/[^/]+\.service(?:\.d/[^/]+\.conf)?$")
_INTERPRETERS = {"python": "python", "perl": "perl", "node": "javascript"}


class Row(msgspec.Struct, frozen=True):
    """A row of a written file, and the place in the script that it comes from."""

    text: str
    member: Member
    line: int


class Written:
    """What one file holds after the writes seen so far. Unknown as soon as one write is."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.known = True
        self.read = False  #: it was followed already, where the script runs it
        self.size = 0

    def add(self, member: Member, content: str | None, line: int, first: int) -> None:
        """``first`` is the line at which a here-document begins; 0 where all rows come from ``line``."""
        if content is None or self.size + len(content) > _MOST:
            self.known = False
            return
        self.size += len(content)
        for number, text in enumerate(content.removesuffix("\n").split("\n")):
            self.rows.append(Row(text, member, first + number if first else line))

    @property
    def text(self) -> str:
        return "\n".join(row.text for row in self.rows) + "\n"

    def kind(self, path: str) -> str:
        """As :func:`kind_of`."""
        return kind_of(path, self.rows[0].text if self.rows else "")


def kind_of(path: str, first: str) -> str:
    """``shell``, ``python``, ``perl``, ``javascript``, ``unit``, or empty for what is no script, by its first row."""
    first = without(first)
    if first.startswith("#!"):
        for name, kind in _INTERPRETERS.items():
            if name in first:
                return kind
        return "shell" if re.search(r"\b(?:ba|da|k|z|a)?sh\b", first) else ""
    if _UNIT.search(path):
        return "unit"
    return "shell" if _SCRIPTS.search(path) else ""
