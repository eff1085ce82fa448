"""What every format's scanner yields: keys, with the span of text that each of them takes."""

from __future__ import annotations

from bisect import bisect_right

import msgspec


class Key(msgspec.Struct, frozen=True):
    """One key of a text. ``name`` is dotted, with ``[0]`` for elements of lists; line and column count from 1."""

    name: str
    value: str
    line: int
    column: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A key or a table as a scanner found it. Offsets count characters of the text.

    ``start`` to ``end`` is what has to go when the key goes; ``value_start`` to ``value_end`` is the value as it is
    written. ``leaf`` is false for tables, which are no keys of their own."""

    name: str
    value: str = ""
    start: int
    end: int
    value_start: int
    value_end: int
    leaf: bool = True
    style: str = ""  #: how the value or table is written, in the format's own words


class Broken(Exception):
    """A text that is not what its format demands, at a line that counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


class Lines:
    """Offsets to lines and columns, both from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        at = text.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = text.find("\n", at + 1)

    def at(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, offset: int) -> int:
        return self.at(offset)[0]


def unquoted(raw: str) -> str:
    """A value without the quotes that surround all of it."""
    if len(raw) >= 2 and raw[0] == raw[-1] and raw[0] in "\"'" and raw[0] not in raw[1:-1]:
        return raw[1:-1]
    return raw


def like(old: str, value: str) -> str:
    """``value`` in the quotes that ``old`` was written in."""
    if len(old) >= 2 and old[0] == old[-1] and old[0] in "\"'" and old[0] not in value:
        return f"{old[0]}{value}{old[0]}"
    return value


def whole_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """The span widened to whole lines, its newline included."""
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", max(end - 1, start))
    return begin, len(text) if stop < 0 else stop + 1


def newline(text: str) -> str:
    """The line ending that the text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def append_line(text: str, line: str) -> str:
    """``text`` with one more line at its end."""
    end = newline(text)
    return f"{text}{'' if not text or text.endswith(chr(10)) else end}{line}{end}"
