"""A process list, as ``ps -ef``, ``ps aux`` or ``ps -eo pid,args`` print it: what runs, with versions that paths tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.patterns import regex
from fulldress.production.inventory.row import Row

_HEADER = regex(r"^\s*(?=.*\bPID\b)(?:\S+\s+)*(CMD|COMMAND|ARGS)\s*$")
_VERSION = regex(r"[-_/]v?(\d+(?:\.\d+)+(?:[-+~][0-9A-Za-z.+~\-]+)?)(?=[/.]|$)")
_INTERPRETERS = regex(r"^(?:python[\d.]*|java|node|ruby|perl|php[\d.]*|bash|sh)$")


def recognise(name: str, text: str) -> bool:
    return bool(_HEADER.match(text.lstrip("\n").partition("\n")[0]))


def read(text: str) -> Iterator[Row]:
    """A row per process. The name is that of the program, or of the script that an interpreter runs, without version."""
    lines = text.split("\n")
    begins = next((n for n, line in enumerate(lines) if line.strip()), 0)
    width = len(lines[begins].split()) - 1
    for number, line in enumerate(lines[begins + 1 :], start=begins + 2):
        cells = line.split(None, width)
        if len(cells) <= width:
            continue
        words = cells[width].split()
        program = next(
            (word for word in words if not _INTERPRETERS.match(_base(word)) and not word.startswith("-")), words[0]
        )
        name = re.sub(r"[-_]v?\d+(?:\.\d+)+.*$", "", _base(program)).removesuffix(":")
        version = match[1] if (match := _VERSION.search(program)) else ""
        yield Row(
            component=re.sub(r"\.(?:py|jar|js|rb|pl|sh)$", "", name), version="", installed=False, running=version,
            line=number, note=cells[width], problem="" if version else "it runs; its path does not tell its version",
        )  # fmt: skip


def _base(word: str) -> str:
    return word.rpartition("/")[2]
