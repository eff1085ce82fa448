"""TOML with positions. ``tomllib`` decides what is valid and what a value is; a scanner finds where it stands."""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime, time

from fulldress.formats.place import Broken, Place, newline, whole_lines
from fulldress.patterns import regex

_SPACE = regex(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY = regex(r"""(?P<bare>[A-Za-z0-9_-]+)|"(?P<basic>(?:[^"\\]|\\.)*)"|'(?P<literal>[^'\n]*)'""")
_VALUE = regex(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[^\s,\[\]{}#]+(?: \d\d:[^\s,\]}#]+)?', re.S)  # fmt: skip
_WHERE = regex(r"\(at line (\d+), column \d+\)|\(at end of document\)")


#: More keys in one dotted name than any person writes; ``tomllib`` takes time by their square, and memory.
_DEEP = regex(r"""(?<![\w.-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){200}""")


def scan(text: str) -> list[Place]:
    if (match := _DEEP.search(text)) is not None:
        raise Broken(text.count("\n", 0, match.start()) + 1, "nested more than 200 deep")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _WHERE.search(str(error))
        line = int(match[1]) if match and match[1] else text.count("\n") + 1
        raise Broken(line, _WHERE.sub("", str(error)).strip()) from None
    except RecursionError:
        raise Broken(1, "nested too deep") from None
    return _Scanner(text, data).run()


class _Scanner:
    """Walks a text that is known to be valid."""

    def __init__(self, text: str, data: dict[str, object]) -> None:
        self.text = text
        self.data = data
        self.places: list[Place] = []
        self.counts: dict[str, int] = {}

    def space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def key(self, at: int) -> tuple[list[str], int]:
        parts = []
        while match := _KEY.match(self.text, at):
            basic = match["basic"]
            parts.append(match["bare"] or match["literal"] or (tomllib.loads(f'k="{basic}"')["k"] if basic else ""))
            at = match.end()
            dot = re.compile(r"[ \t]*\.[ \t]*").match(self.text, at)
            if not dot:
                break
            at = dot.end()
        return parts, at

    def run(self) -> list[Place]:
        prefix, at = "", self.space(0)
        table: Place | None = None
        while at < len(self.text):
            if self.text[at] == "[":
                many = self.text.startswith("[[", at)
                parts, end = self.key(self.space(at + (2 if many else 1)))
                start, at = at, self.text.index("]", end) + (2 if many else 1)
                prefix = self.table(parts, many)
                table = Place(
                    name=prefix,
                    start=start,
                    end=at,
                    value_start=at,
                    value_end=at,
                    leaf=False,
                    style="[[" if many else "[",
                )
                self.places.append(table)
            else:
                start = at
                parts, at = self.key(at)
                at = self.value(self.space(self.text.index("=", at) + 1), _join(prefix, *parts), start)
            at = self.space(at)
        return self.places

    def table(self, parts: list[str], many: bool) -> str:
        """The dotted name of a header; parts that are lists of tables get the index of their last element."""
        name = ""
        for number, part in enumerate(parts):
            name = _join(name, part)
            if many and number == len(parts) - 1:
                self.counts[name] = self.counts.get(name, -1) + 1
                for inner in [n for n in self.counts if n.startswith(f"{name}[")]:
                    del self.counts[inner]
            if name in self.counts:
                name = f"{name}[{self.counts[name]}]"
        return name

    def value(self, at: int, name: str, start: int) -> int:
        char = self.text[at]
        if char == "[" or char == "{":
            mark, begin = len(self.places), at
            at, count, close = self.space(at + 1), 0, "]" if char == "[" else "}"
            while self.text[at] != close:
                inner_start = at
                if char == "{":
                    parts, at = self.key(at)
                    at = self.value(self.space(self.text.index("=", at) + 1), _join(name, *parts), inner_start)
                else:
                    at = self.value(at, f"{name}[{count}]", inner_start)
                    count += 1
                at = self.space(at)
                if self.text[at] == ",":
                    at = self.space(at + 1)
            at += 1
            leaf = len(self.places) == mark
            self.places.append(
                Place(
                    name=name,
                    value=char + close if leaf else "",
                    start=start,
                    end=at,
                    value_start=begin,
                    value_end=at,
                    leaf=leaf,
                    style=char,
                )
            )
            return at
        match = _VALUE.match(self.text, at)
        if match is None:
            raise Broken(self.text.count("\n", 0, at) + 1, "a value that is not understood")
        raw = match[0]
        self.places.append(
            Place(name=name, value=_plain(raw), start=start, end=match.end(), value_start=at, value_end=match.end())
        )
        return match.end()


def _plain(raw: str) -> str:
    """A value as one would say it: strings without quotes, everything else as it is written."""
    if raw[:1] not in "\"'":
        return raw
    value = tomllib.loads(f"k={raw}")["k"]
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)


def _join(prefix: str, *parts: str) -> str:
    return ".".join(part for part in (prefix, *parts) if part)


_TYPED = regex(
    r"true|false|[+-]?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?|\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:\d\d)?)?|\[.*\]|\{.*\}"
)


def write(value: str, old: str) -> str:
    """A number, truth value or date stays one; a string stays a string."""
    if old[:1] not in ("'", '"') and _TYPED.fullmatch(value):
        try:
            tomllib.loads(f"k={value}")
            return value
        except tomllib.TOMLDecodeError:
            pass
    escaped = (
        value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    )
    return f'"{escaped}"'


def remove(text: str, place: Place, places: list[Place]) -> str:
    begin = text.rfind("\n", 0, place.start) + 1
    if text[begin : place.start].strip():
        raise Broken(text.count("\n", 0, place.start) + 1, f"{place.name} stands inside an inline table or list")
    start, end = whole_lines(text, place.start, place.end)
    return text[:start] + text[end:]


def insert(text: str, places: list[Place], key: str, value: str) -> str:
    """Behind the last key of the deepest table that its name leads to; before the first table where none does."""
    tables = [p for p in places if p.style in ("[", "[[") and p.value_start == p.end and key.startswith(f"{p.name}.")]
    eol = newline(text)
    headers = [p for p in places if not p.leaf and p.value_start == p.end]
    if not tables:
        line = f"{_spelled(key)} = {write(value, '')}{eol}"
        if not headers:
            return text + ("" if not text or text.endswith("\n") else eol) + line
        table, _, last = key.rpartition(".")
        if table:
            return f"{text}{'' if text.endswith(chr(10)) else eol}{eol}[{_spelled(table)}]{eol}{_spelled(last)} = {write(value, '')}{eol}"
        at = text.rfind("\n", 0, headers[0].start) + 1
        return text[:at] + line + text[at:]
    home = max(tables, key=lambda p: len(p.name))
    end, inside = home.end, False
    for place in places:
        if place in headers:
            inside = place is home
        elif inside:
            end = max(end, place.end)
    _, at = whole_lines(text, home.start, end)
    head = text[:at] if text[:at].endswith("\n") else text[:at] + eol
    return f"{head}{_spelled(key[len(home.name) + 1 :])} = {write(value, '')}{eol}{text[at:]}"


def _spelled(key: str) -> str:
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"' for part in key.split("."))
