"""Environment files: ``NAME=value``, with or without ``export``, quotes as in a shell."""

from __future__ import annotations

import re

from fulldress.formats.place import Broken, Place, append_line
from fulldress.patterns import regex

_LINE = regex(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.\-]*)[ \t]*=[ \t]*
        (?P<value>"(?:\\.|[^"\\])*"|'[^']*'|[^\n]*)""",
    re.X | re.S,
)
_SKIP = regex(r"[ \t]*(?:#[^\n]*|(?:set|umask|ulimit|unset|export)\b[^\n=]*)?\r?(?:\n|$)")


def scan(text: str) -> list[Place]:
    places, at = [], 0
    while at < len(text):
        if (match := _SKIP.match(text, at)) and match.end() > at:
            at = match.end()
            continue
        match = _LINE.match(text, at)
        if match is None:
            raise Broken(text.count("\n", 0, at) + 1, "not of the form NAME=value")
        raw = match["value"].rstrip()
        if raw[:1] not in ("'", '"'):
            raw = re.split(r"\s#", raw, maxsplit=1)[0].rstrip()
        start, value_start = at, match.start("value")
        stop = text.find("\n", match.end())
        at = len(text) if stop < 0 else stop + 1
        places.append(
            Place(
                name=match["name"],
                value=_value(raw),
                start=start,
                end=at,
                value_start=value_start,
                value_end=value_start + len(raw),
            )
        )
    return places


def _value(raw: str) -> str:
    if raw[:1] == '"' and raw.endswith('"') and len(raw) > 1:
        return re.sub(r'\\(["\\$`])', r"\1", raw[1:-1])
    if raw[:1] == "'" and raw.endswith("'") and len(raw) > 1:
        return raw[1:-1]
    return raw


def write(value: str, old: str) -> str:
    if re.fullmatch(r"[\w./:@%+,\-]*", value) and old[:1] not in ("'", '"'):
        return value
    if "'" not in value and old[:1] != '"':
        return f"'{value}'"
    return '"' + re.sub(r'(["\\$`])', r"\\\1", value) + '"'


def insert(text: str, places: list[Place], key: str, value: str) -> str:
    export = "export " if re.search(r"(?m)^\s*export\s+\w+=", text) else ""
    return append_line(text, f"{export}{key}={write(value, '')}")
