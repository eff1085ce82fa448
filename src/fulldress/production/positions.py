"""On which line of a TOML file a table or key stands; tomllib does not say."""

from __future__ import annotations

import re

from fulldress.patterns import regex

Path = tuple[str | int, ...]

_KEY = r'(?:[A-Za-z0-9_\-]+|"(?:[^"\\]|\\.)*"|\'[^\']*\')'
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_TABLE = regex(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]\]?")
_ASSIGNMENT = regex(rf"\s*({_DOTTED})\s*=(.*)", re.DOTALL)
_INLINE = regex(rf"[{{,]\s*({_DOTTED})\s*=")
_ONE_KEY = regex(_KEY)
_STRING = regex(r'"""|\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]')


def _names(dotted: str) -> Path:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in _ONE_KEY.findall(dotted))


class _Value:
    """Follows a value over its lines: is it still open after this text?"""

    def __init__(self) -> None:
        self.quote = ""
        self.depth = 0

    def feed(self, text: str) -> bool:
        at = 0
        while at < len(text):
            if self.quote:
                end = text.find(self.quote, at)
                if end < 0:
                    return True
                at, self.quote = end + 3, ""
                continue
            token = _STRING.search(text, at)
            if token is None:
                break
            at = token.end()
            if token[0] in ('"""', "'''"):
                self.quote = token[0]
            elif token[0] in "[{":
                self.depth += 1
            elif token[0] in "]}":
                self.depth -= 1
        return bool(self.quote) or self.depth > 0


def positions(text: str) -> dict[Path, int]:
    """Path of every table, key and key of an inline table -> line, from 1. Elements of arrays of tables are numbered."""
    found: dict[Path, int] = {}
    arrays: dict[Path, int] = {}
    table: Path = ()
    value: _Value | None = None

    def resolve(names: Path) -> Path:
        path: Path = ()
        for name in names:
            path = (*path, name)
            if path in arrays:
                path = (*path, arrays[path])
        return path

    for number, line in enumerate(text.splitlines(), start=1):
        if value is not None:
            if not value.feed(line + "\n"):
                value = None
            continue
        if header := _TABLE.match(line):
            names = _names(header[2])
            if header[1] == "[[":
                path = (*resolve(names[:-1]), names[-1])
                arrays[path] = arrays.get(path, -1) + 1
                table = (*path, arrays[path])
                found.setdefault(path, number)
            else:
                table = resolve(names)
            found.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            path = (*table, *_names(assignment[1]))
            found.setdefault(path, number)
            for inner in _INLINE.finditer(assignment[2]):
                found.setdefault((*path, *_names(inner[1])), number)
            value = _Value()
            if not value.feed(assignment[2] + "\n"):
                value = None
    return found


def line_of(found: dict[Path, int], path: Path) -> int:
    """The line of ``path``, or of the nearest thing around it that has one."""
    while path and path not in found:
        path = path[:-1]
    return found.get(path, 1)
