"""SQL text for SQLite into statements, as SQLite itself tells where one ends (``sqlite3_complete``)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from fulldress.patterns import regex

_TOKEN = regex(
    r"""--[^\n]* | /\*.*?(?:\*/|\Z) | '[^']*(?:''[^']*)*(?:'|\Z) | "[^"]*(?:""[^"]*)*(?:"|\Z) | `[^`]*(?:`|\Z)
      | \[[^\]]*(?:\]|\Z) | (?P<end>;) | (?P<dot>^\.[^\n]*) | (?P<word>[^\s;'\"`\[/.-][^;'\"`\[/.\n-]*|[^\s;]) | \s+""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
#: Commands of the program ``sqlite3`` that only change what is shown, or are how it runs here anyway.
_HARMLESS = {
    "bail", "changes", "echo", "eqp", "explain", "headers", "header", "mode", "nullvalue", "print", "separator", "show",
    "stats", "timer", "timeout", "width", "output", "once", "exit", "quit",
}  # fmt: skip
_DEPTH = 16


class Piece(NamedTuple):
    """One statement. ``refused``: why the script cannot run here as it would elsewhere."""

    text: str
    file: str
    line: int
    refused: str = ""


def split(text: str, file: str, siblings: Mapping[str, str] | None = None, depth: int = 0) -> list[Piece]:
    """The statements of a script in order; ``.read FILE`` is followed to ``siblings``."""
    found: list[Piece] = []
    position, start, line, counted = 0, -1, 1, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            position += 1
            continue
        kind, end = match.lastgroup, match.end()
        if kind == "dot" and start >= 0:
            end = position + 1  # a number such as .5, at the beginning of a line
        elif kind == "dot":
            line, counted = line + text.count("\n", counted, position), position
            found += _dot(match.group(), file, line, siblings or {}, depth)
        elif kind == "end":
            if start >= 0 and sqlite3.complete_statement(text[start:end]):
                found.append(Piece(text[start:end], file, line))
                start = -1
        elif start < 0 and not match.group().isspace() and not match.group().startswith(("--", "/*")):
            line, counted = line + text.count("\n", counted, position), position
            start = position
        position = end
    if start >= 0:
        found.append(Piece(text[start:].rstrip(), file, line))
    return found


def _dot(command: str, file: str, line: int, siblings: Mapping[str, str], depth: int) -> list[Piece]:
    words = command[1:].split()
    name = words[0].lower() if words else ""
    if name == "read" and len(words) == 2:
        wanted = words[1].strip("'\"").rpartition("/")[2]
        if wanted not in siblings:
            return [Piece(command, file, line, f"{words[1]} is not beside it")]
        if depth >= _DEPTH:
            return [Piece(command, file, line, f"files read each other {_DEPTH} deep")]
        return split(siblings[wanted], wanted, siblings, depth + 1)
    if name in _HARMLESS:
        return []
    return [Piece(command, file, line, f".{name} is a command of the program sqlite3: trace that program itself")]
