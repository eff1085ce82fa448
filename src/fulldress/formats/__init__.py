"""Text formats with positions: line and column of every key, and editing that touches one key and nothing else.

A format is a module with ``scan(text) -> list[Place]``, ``write(value, old) -> str`` (how a value is spelled, in the manner
of the old one), ``insert(text, places, key, value) -> str`` and, where whole lines are not enough, ``remove(text, place,
places) -> str``. It stands in :data:`FORMATS`. Adding one is one new module and one line.
"""

from __future__ import annotations

import importlib
from typing import Any

from fulldress.errors import BadSyntax
from fulldress.formats import constraint
from fulldress.formats.detection import detect
from fulldress.formats.place import Broken, Key, Lines, Place, whole_lines

#: format -> the module that reads it
FORMATS: dict[str, str] = {
    "ini": "fulldress.formats.ini",
    "properties": "fulldress.formats.properties",
    "env": "fulldress.formats.env",
    "json": "fulldress.formats.json",
    "yaml": "fulldress.formats.yaml",
    "toml": "fulldress.formats.toml",
    "xml": "fulldress.formats.xml",
    "nginx": "fulldress.formats.nginx",
    "directives": "fulldress.formats.directives",
}


def parse(name: str, text: str, format: str = "") -> list[Key]:
    """The keys of a text in the order in which they stand. ``name`` is its file name, for detection and messages.

    Raises :class:`~fulldress.errors.BadSyntax` with the line for a text that its format does not allow."""
    text = text.removeprefix("\ufeff")
    _, places = _scan(name, text, format)
    lines = Lines(text)
    keys = sorted((place for place in places if place.leaf), key=lambda place: place.start)
    return [Key(place.name, place.value, *lines.at(place.start)) for place in keys]


def edit(name: str, text: str, key: str, value: str | None, format: str = "") -> str:
    """The text with one key set, or removed where ``value`` is None; comments, order and all other bytes stay.

    A key that stands twice is changed where it stands last, because that one counts; it is removed everywhere. To remove
    a key that is not there changes nothing. Raises :class:`~fulldress.errors.BadSyntax`."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix("\ufeff")
    module, places = _scan(name, text, format)
    found = sorted((p for p in places if p.name == key and (p.leaf or value is None)), key=lambda p: p.start)
    try:
        if value is None:
            return mark + _removed(module, text, found, places, key)
        if any(p.name == key and not p.leaf for p in places) and not found:
            raise Broken(1, f"{key} is a table, not a value")
        if not found:
            return mark + str(module.insert(text, places, key, value))
        place = found[-1]
        if place.value == value and place.style != "bare":
            return mark + text
        old = text[place.value_start : place.value_end]
        lead = {"bare": " = "}.get(place.style, "" if old or text[: place.value_start][-1:] in " =:\"'>\t" else " ")
        return mark + text[: place.value_start] + lead + str(module.write(value, old)) + text[place.value_end :]
    except Broken as broken:
        raise _bad(name, broken, "Edit it by hand, or replace the whole file") from None


def _removed(module: Any, text: str, found: list[Place], places: list[Place], key: str) -> str:
    for place in reversed(found):
        if hasattr(module, "remove"):
            text = module.remove(text, place, places)
        else:
            start, end = whole_lines(text, place.start, place.end)
            alone = not text[start : place.start].strip() and not text[place.end : end].strip(" \t\r\n;")
            text = text[:start] + text[end:] if alone else text[: place.start] + text[place.end :]
    return text


def _scan(name: str, text: str, format: str) -> tuple[Any, list[Place]]:
    format = format or detect(name, text)
    if format not in FORMATS:
        raise BadSyntax(
            file=name, line=1, problem=f'no text format that is known ("{format}")' if format else "no text format that is known",
            remedy=f"Known are {', '.join(FORMATS)}",
        )  # fmt: skip
    module = importlib.import_module(FORMATS[format])
    try:
        return module, module.scan(text)
    except Broken as broken:
        raise _bad(name, broken) from None


def _bad(name: str, broken: Broken, remedy: str = "Mend this line") -> BadSyntax:
    return BadSyntax(file=name, line=broken.line, problem=broken.problem, remedy=remedy)


__all__ = ["FORMATS", "Key", "constraint", "detect", "edit", "parse"]
