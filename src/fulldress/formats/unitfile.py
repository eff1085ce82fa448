"""Unit files of systemd: assignments with their lines, continuation and comments as systemd.syntax(7) has them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

#: A stop or restart of one of these takes the unit down with it (systemd.unit(5)).
_TAKEN_ALONG = ("Requires", "BindsTo", "PartOf")


class Assignment(msgspec.Struct, frozen=True):
    """``line`` is where it begins, from 1; ``value`` has its continuation lines joined by a blank."""

    line: int
    section: str
    key: str
    value: str


def assignments(text: str) -> Iterator[Assignment]:
    """All assignments in their order; lines that are none are passed over, as systemd does."""
    section, begun, start = "", "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith(("#", ";")):
            continue  # also between the lines of one assignment
        if not begun and line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        start = start if begun else number
        begun = f"{begun} {line}".strip() if begun else line
        if begun.endswith("\\"):
            begun = begun[:-1].rstrip() or " "
            continue
        key, equals, value = begun.partition("=")
        begun = ""
        if equals and key.strip():
            yield Assignment(start, section, key.strip(), value.strip())


def depends(text: str) -> tuple[str, ...]:
    """Units whose stop takes this one down, without ``.service``; an empty assignment takes back those before it."""
    found: dict[str, list[str]] = {}
    for one in assignments(text):
        if one.section == "Unit" and one.key in _TAKEN_ALONG:
            units = [unit.removesuffix(".service") for unit in one.value.split()]
            found[one.key] = found.get(one.key, []) + units if units else []
    names = [unit for key in _TAKEN_ALONG for unit in found.get(key, [])]
    return tuple(dict.fromkeys(name for name in names if not name.endswith((".target", ".slice", ".mount", ".device"))))
