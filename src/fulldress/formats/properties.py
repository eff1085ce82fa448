"""Java properties: escapes, continuation lines and all three separators (java.util.Properties, ``load``)."""

from __future__ import annotations

import re

import javaproperties

from fulldress.formats.place import Broken, Place, append_line
from fulldress.patterns import regex

_HEAD = regex(r"\s*(?:\\(?:\r\n|.|\n)|[^\s=:\\])+(?:[ \t\f]*[=:]|[ \t\f]+|)[ \t\f]*", re.S)


def scan(text: str) -> list[Place]:
    """Keys by their unescaped names."""
    places, offset = [], 0
    try:
        for element in javaproperties.parse(text):
            source = str(element.source)
            if isinstance(element, javaproperties.KeyValue):
                head = _HEAD.match(source)
                at = offset + (head.end() if head else 0)
                end = offset + len(source.rstrip("\r\n"))
                places.append(
                    Place(
                        name=str(element.key),
                        value=str(element.value),
                        start=offset,
                        end=offset + len(source),
                        value_start=min(at, end),
                        value_end=end,
                    )
                )
            offset += len(source)
    except javaproperties.InvalidUEscapeError as error:
        raise Broken(text.count("\n", 0, offset) + 1, f"bad escape: {error}") from None
    return places


def write(value: str, old: str) -> str:
    return str(javaproperties.escape(value)).replace("\\=", "=").replace("\\:", ":").replace("\\#", "#")


def insert(text: str, places: list[Place], key: str, value: str) -> str:
    return append_line(text, f"{javaproperties.escape(key)}={write(value, '')}")
