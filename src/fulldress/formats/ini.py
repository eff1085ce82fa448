"""INI and its kin: ``[section]``, ``key = value`` or ``key: value``; sections are optional, as in ``*.conf`` files.

A line that is indented below a key continues its value (Python's configparser). A comment starts with ``#`` or ``;`` at
the start of a line or after white space outside quotes.
"""

from __future__ import annotations

import re

from fulldress.formats.place import Broken, Place, append_line, like, newline, unquoted
from fulldress.patterns import regex

_SECTION = regex(r"\s*\[\s*([^\]\r\n]+?)\s*\]\s*(?:[#;].*)?$")
_PAIR = regex(r"(\s*)([^\s=:\[#;][^=:\r\n]*?)(\s*[=:][ \t]*)(.*)$")
_BARE = regex(r"\s*[\w.\-/\\ ]+(?:\s+[#;].*)?$")
_INCLUDE = regex(r"\s*!include")


def scan(text: str) -> list[Place]:
    """Keys as ``section.key``; raises :class:`Broken` for a line that is neither key, section nor comment."""
    places: list[Place] = []
    section, offset, indent = "", 0, 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        body = line.rstrip("\r\n")
        start, offset = offset, offset + len(line)
        if not body.strip() or body.lstrip()[0] in "#;" or _INCLUDE.match(body):
            continue
        if match := _SECTION.match(body):
            section = unquoted(match[1])
            places.append(_table(section, start, offset))
            continue
        depth = len(body) - len(body.lstrip())
        if places and places[-1].leaf and depth > indent and not _PAIR.match(body):
            places[-1] = _continued(places[-1], body, start, offset)
            continue
        if match := _PAIR.match(body):
            indent = depth
            places.append(_pair(section, match, start, offset))
        elif _BARE.match(body):  # a switch without a value, as in my.cnf
            name = re.split(r"\s+[#;]", body)[0].strip()
            at = start + body.index(name) + len(name)
            places.append(
                Place(name=_join(section, name), start=start, end=offset, value_start=at, value_end=at, style="bare")
            )
        else:
            raise Broken(number, "neither a section, a key nor a comment")
    return places


def _pair(section: str, match: re.Match[str], start: int, end: int) -> Place:
    raw = without_comment(match[4])
    at = start + match.start(4)
    return Place(
        name=_join(section, unquoted(match[2].strip())), value=unquoted(raw), start=start, end=end, value_start=at,
        value_end=at + len(raw),
    )  # fmt: skip


def _continued(place: Place, body: str, start: int, end: int) -> Place:
    value = f"{place.value}\n{body.strip()}" if place.value else body.strip()
    return Place(
        name=place.name, value=value, start=place.start, end=end, value_start=place.value_start,
        value_end=start + len(body.rstrip()),
    )  # fmt: skip


def _table(section: str, start: int, end: int) -> Place:
    return Place(name=section, start=start, end=end, value_start=end, value_end=end, leaf=False)


def without_comment(raw: str) -> str:
    """A value without the comment behind it."""
    quote = ""
    for at, char in enumerate(raw):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and (at == 0 or raw[at - 1] in " \t,="):
            quote = char
        elif char in "#;" and (at == 0 or raw[at - 1] in " \t"):
            return raw[:at].rstrip()
    return raw.rstrip()


def _join(section: str, name: str) -> str:
    return f"{section}.{name}" if section else name


def write(value: str, old: str) -> str:
    lines = like(old, value).split("\n")
    return "\n    ".join(lines)


def insert(text: str, places: list[Place], key: str, value: str) -> str:
    """Behind the last key of its section; a new section at the end where there is none of its name."""
    sections = {place.name for place in places if not place.leaf}
    section = max((name for name in sections if key.startswith(f"{name}.")), key=len, default="")
    eol = newline(text)
    if not sections:
        return append_line(text, f"{key} = {value}")
    if not section:
        section, _, name = key.rpartition(".")
        if not section:
            first = next(place for place in places if not place.leaf)
            return f"{text[: first.start]}{key} = {value}{eol}{text[first.start :]}"
        return append_line(append_line(text, f"{eol}[{section}]"), f"{name} = {value}")
    name, end, inside = key[len(section) + 1 :], 0, False
    for place in places:
        if not place.leaf:
            inside = place.name == section
        if inside:
            end = place.end
    head = text[:end] if text[:end].endswith("\n") else text[:end] + eol
    return f"{head}{name} = {value}{eol}{text[end:]}"
