"""SQL text into statements, as the programs ``mariadb`` and ``mysql`` cut it (their manual, "mysql Client Commands").

A delimiter ends a statement wherever it stands outside of strings, identifiers and comments; bodies with semicolons need
``DELIMITER``, here as there. Backslashes escape in strings, ``#`` and ``--`` with a blank begin comments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from fulldress.patterns import regex

_DEPTH = 16
_COMMAND = regex(
    r"(?im)[ \t]*(delimiter[ \t]+(?P<delimiter>\S+)|(?:source|\\\.)[ \t]+(?P<file>[^\n;]+?))[ \t]*;?[ \t]*\r?(?:\n|\Z)"
)
_REFUSED = regex(r"(?im)[ \t]*(?P<word>\\!|system\b|\\[eTPp]\b|tee\b|pager\b|edit\b)[^\n]*")


class Piece(NamedTuple):
    """One statement, without its delimiter. ``refused``: why the script cannot run here as it would elsewhere."""

    text: str
    file: str
    line: int
    refused: str = ""


@lru_cache(8)
def _token(delimiter: str) -> re.Pattern[str]:
    first = re.escape(delimiter[0])
    return re.compile(
        rf"""(?P<end>{re.escape(delimiter)}|\\[gG])
          | (?P<skip>\s+|\#[^\n]*|--(?=\s|\Z)[^\n]*|/\*(?![!M]).*?(?:\*/|\Z))
          | (?P<part>'[^'\\]*(?:(?:\\.|'')[^'\\]*)*(?:'|\Z) | "[^"\\]*(?:(?:\\.|"")[^"\\]*)*(?:"|\Z) | `[^`]*(?:`|\Z)
              | [^\s'"`\#/\\{first}-]+ | .)""",
        re.VERBOSE | re.DOTALL,
    )


def split(text: str, file: str, siblings: Mapping[str, str] | None = None, depth: int = 0) -> list[Piece]:
    """The statements of a script in order; ``source FILE`` is followed to ``siblings``."""
    found: list[Piece] = []
    delimiter, position, start, end, line, counted = ";", 0, -1, 0, 1, 0
    while position < len(text):
        fresh = start < 0 and (position == 0 or text[position - 1] in "\n \t;")
        command = _COMMAND.match(text, position) if fresh else None
        if command:
            if command["delimiter"]:
                delimiter = command["delimiter"]
            else:
                line, counted = line + text.count("\n", counted, position), position
                found += _source(command["file"], file, line, siblings or {}, depth)
            position = command.end()
            continue
        refused = _REFUSED.match(text, position) if fresh else None
        if refused:
            line, counted = line + text.count("\n", counted, position), position
            word = refused["word"]
            found.append(Piece(refused.group(), file, line, f"{word} is a command of the client program, not SQL"))
            position = refused.end()
            continue
        match = _token(delimiter).match(text, position)
        assert match is not None  # the last alternative takes any character  # noqa: S101
        if match["end"]:
            if start >= 0:
                found.append(Piece(text[start:end], file, line))
            start = -1
        elif match["part"]:
            if start < 0:
                line, counted = line + text.count("\n", counted, position), position
                start = position
            end = match.end()
        position = match.end()
    if start >= 0:
        found.append(Piece(text[start:end], file, line))
    return found


def _source(name: str, file: str, line: int, siblings: Mapping[str, str], depth: int) -> list[Piece]:
    wanted = name.strip("'\" ").rpartition("/")[2]
    if wanted not in siblings:
        return [Piece(name, file, line, f"{name} is not beside it")]
    if depth >= _DEPTH:
        return [Piece(name, file, line, f"files read each other {_DEPTH} deep")]
    return split(siblings[wanted], wanted, siblings, depth + 1)
