"""What the shell makes of a text: ``printf``, ``${X:1:2}``, ``${X%.sh}``, ``${X/a/b}``, and escapes between double quotes."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

from fulldress.package.scripts.texttools import unescaped
from fulldress.package.scripts.values import hole, is_constant

_TRIMMED = 4096  #: characters of a value whose ends are cut by a pattern; each length is tried


def unquoted(data: bytes) -> str:
    return re.sub(r"\\([\"$`\\\n])", lambda m: "" if m[1] == "\n" else m[1], data.decode("utf-8", "replace"))


def formatted(words: tuple[str, ...]) -> str:
    """``printf`` with its arguments put in where they are plain; the format is used again while arguments are left."""
    arguments = list(words[1:])
    if words[0] == "--" and len(words) > 1:
        return formatted(words[1:])
    printed = ""
    for _ in range(64):
        used: list[Any] = []

        def put(match: re.Match[str], used: list[Any] = used) -> str:
            if match[0] == "%%":
                return "%"
            used.append(match)
            text = arguments.pop(0) if arguments else ""
            return unescaped(text) if match[0][-1] == "b" else text

        printed += re.sub(r"%%|%[-0-9.]*[sdibqxu]", put, unescaped(words[0]))
        if not arguments or not used:
            break
    return printed


def cut(text: str, place: str, unknown: str) -> str:
    """``${X:offset:length}``."""
    match = re.fullmatch(r"\s*\(?(-?\d{1,4})\)?\s*(?::\s*\(?(-?\d{1,4})\)?)?", place)
    if match is None or not is_constant(text):
        return unknown
    start = int(match[1])
    rest = text[start:] if start >= 0 or -start <= len(text) else ""
    if match[2] is None:
        return rest
    return rest[: int(match[2])]


def trimmed(value: str, operator: str, pattern: str, name: str) -> str:
    if not is_constant(value) or len(value) > _TRIMMED:
        return value if operator[0] in "^," else hole(name)
    if operator[0] in "#%":
        from_start = operator[0] == "#"
        cuts = range(len(value) + 1)
        lengths = cuts if len(operator) == 1 else reversed(cuts)
        for length in lengths:
            piece = value[:length] if from_start else value[len(value) - length :]
            if fnmatch.fnmatchcase(piece, pattern):
                return value[length:] if from_start else value[: len(value) - length]
        return value
    if operator[0] == "/":
        old, _, new = pattern.partition("/")
        if re.search(r"[*?\[]", old) or not old:
            return hole(name)
        return value.replace(old, new) if operator == "//" else value.replace(old, new, 1)
    if operator[0] in "^,":
        return value.upper() if operator[0] == "^" else value.lower()
    return hole(name)


def cut_tabs(text: str) -> str:
    """The text of ``<<-``: without leading tabs."""
    return re.sub(r"(?m)^\t+", "", text)
