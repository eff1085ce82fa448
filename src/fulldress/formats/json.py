"""JSON with positions; comments and trailing commas are tolerated, as settings files have them (JSON5's habit)."""

from __future__ import annotations

import json as strict
import re

from fulldress.formats.place import Broken, Place
from fulldress.patterns import regex

_SPACE = regex(r"(?:[\s\ufeff]+|//[^\n]*|/\*.*?\*/|#[^\n]*)*", re.S)
_STRING = regex(r'"(?:[^"\\\n]|\\.)*"')
_WORD = regex(r"[^\s,:\[\]{}\"]+")
_LITERAL = regex(r"-?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Infinity)|NaN|true|false|null")
_DEEPEST = 200


def scan(text: str) -> list[Place]:
    """Leaves, and the objects and lists that hold them; an empty object or list is a leaf of value ``{}`` or ``[]``."""
    scanner = _Scanner(text)
    at = scanner.value(scanner.space(0), "", None, 0)
    at = scanner.space(at)
    if at < len(text):
        raise scanner.broken(at, "more text behind the end of the document")
    return scanner.places


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.places: list[Place] = []

    def broken(self, at: int, problem: str) -> Broken:
        return Broken(self.text.count("\n", 0, at) + 1, problem)

    def space(self, at: int) -> int:
        char = self.text[at : at + 1]
        if '"' <= char <= "~" and char != "#" and char != "/":  # nothing to pass over, which is most often so
            return at
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def string(self, at: int) -> tuple[str, int]:
        match = _STRING.match(self.text, at)
        if match is None:
            raise self.broken(at, "a string is not closed")
        if "\\" not in match[0]:
            return match[0][1:-1], match.end()
        try:
            return str(strict.loads(match[0], strict=False)), match.end()
        except ValueError:
            raise self.broken(at, "a string with a bad escape") from None

    def value(self, at: int, name: str, start: int | None, depth: int) -> int:
        """Read the value at ``at``; returns the offset behind it. ``start`` is where its key stands."""
        if depth > _DEEPEST:
            raise self.broken(at, f"nested more than {_DEEPEST} deep")
        char = self.text[at : at + 1]
        begin = at if start is None else start
        if char in ("{", "["):
            mark = len(self.places)
            end = self.items(at, name, depth, "}" if char == "{" else "]")
            leaf = len(self.places) == mark
            written = ("{}" if char == "{" else "[]") if leaf else ""
            self.places.append(
                Place(
                    name=name,
                    value=written,
                    start=begin,
                    end=end,
                    value_start=at,
                    value_end=end,
                    leaf=leaf and bool(name),
                    style=char,
                )
            )
            return end
        if char == '"':
            value, end = self.string(at)
        else:
            match = _WORD.match(self.text, at)
            if match is None or not _LITERAL.fullmatch(match[0]):
                raise self.broken(
                    at, f"unexpected {self.text[at : at + 12]!r}" if char else "the document ends too early"
                )
            value, end = match[0], match.end()
        if name:
            self.places.append(
                Place(name=name, value=value, start=begin, end=end, value_start=at, value_end=end, style=char)
            )
        return end

    def items(self, at: int, name: str, depth: int, close: str) -> int:
        at, count = self.space(at + 1), 0
        while True:
            if self.text[at : at + 1] == close:
                return at + 1
            start = at
            if close == "}":
                if self.text[at : at + 1] != '"':
                    raise self.broken(
                        at, "a key or } is expected" if at < len(self.text) else "an object is not closed"
                    )
                key, at = self.string(at)
                at = self.space(at)
                if self.text[at : at + 1] != ":":
                    raise self.broken(at, "a colon is expected")
                inner = f"{name}.{key}" if name else key
                at = self.value(self.space(at + 1), inner, start, depth + 1)
            else:
                if at >= len(self.text):
                    raise self.broken(at, "a list is not closed")
                at = self.value(at, f"{name}[{count}]", start, depth + 1)
            count += 1
            at = self.space(at)
            if self.text[at : at + 1] == ",":
                at = self.space(at + 1)
            elif self.text[at : at + 1] != close:
                raise self.broken(
                    at, f"a comma or {close} is expected" if at < len(self.text) else "the document ends too early"
                )


def write(value: str, old: str) -> str:
    """A number, truth value or null stays one; a string stays a string."""
    if old.startswith('"') or not (_LITERAL.fullmatch(value) or value in ("{}", "[]")):
        return strict.dumps(value, ensure_ascii=False)
    return value


def remove(text: str, place: Place, places: list[Place]) -> str:
    """The member with one of the commas around it."""
    start, end = place.start, place.end
    before = re.search(r",\s*$", text[:start])
    after = re.match(r"\s*,", text[end:])
    if after:
        end += after.end()
        head = text[:start].rstrip(" \t")
        if head.endswith("\n") and text[end : end + 1] in ("\n", "\r"):
            return head[: -2 if head.endswith("\r\n") else -1] + text[end:]
        return text[:start] + text[end:].lstrip(" ")
    if before:
        start = before.start()
    return text[:start] + text[end:]


def insert(text: str, places: list[Place], key: str, value: str) -> str:
    """As last member of the deepest object that its name leads to; objects that are missing are made."""
    objects = [p for p in places if p.style == "{" and (not p.name or key.startswith(f"{p.name}."))]
    if not objects:
        if not text.strip():
            return strict.dumps(_nested(key.split("."), value), indent=2, ensure_ascii=False) + "\n"
        raise Broken(1, "the document is no object, so no key can be added")
    home = max(objects, key=lambda p: len(p.name))
    rest = key[len(home.name) + 1 :] if home.name else key
    first, *deeper = rest.split(".")
    body = text[home.value_start + 1 : home.value_end - 1]
    raw = strict.dumps(first, ensure_ascii=False) + ": "
    raw += strict.dumps(_nested(deeper, value), ensure_ascii=False) if deeper else write(value, "")
    if "\n" in body:
        indent = re.search(r"\n([ \t]*)\S", body)
        spaces = indent[1] if indent else "  "
        trimmed = body.rstrip()
        lead = "," if trimmed and not trimmed.endswith(",") else ""
        new = f"{trimmed}{lead}\n{spaces}{raw}{body[len(trimmed) :]}"
    else:
        new = f"{body.rstrip()}, {raw}" if body.strip() else raw
    return text[: home.value_start + 1] + new + text[home.value_end - 1 :]


def _nested(path: list[str], value: str) -> object:
    result: object = strict.loads(value) if _LITERAL.fullmatch(value) else value
    for part in reversed(path):
        result = {part: result}
    return result
