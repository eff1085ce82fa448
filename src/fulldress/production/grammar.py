"""Checks the shape of a ``production.toml`` against the structs of :mod:`fulldress.production.description`.

msgspec would say ``$.databases[...].major`` of a wrong type; people need ``production.toml:14``.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from fulldress.errors import BadSyntax, UnknownKey
from fulldress.production.positions import Path, line_of

_WORDS: dict[type, str] = {
    str: "a string", int: "a whole number", float: "a number", bool: "true or false",
    datetime: "a date and time with its offset", dict: "a table", list: "a list", tuple: "a list",
}  # fmt: skip

_LARGEST = 1_000_000  #: of minutes, seconds and rates; beyond, no calendar can hold it


class Checker:
    """Walks the decoded file. Every error names file and line."""

    def __init__(self, file: str, lines: dict[Path, int]) -> None:
        self.file = file
        self.lines = lines

    def bad(self, path: Path, problem: str, remedy: str) -> BadSyntax:
        return BadSyntax(file=self.file, line=line_of(self.lines, path), problem=problem, remedy=remedy)

    def struct(self, kind: type[msgspec.Struct], data: object, path: Path = ()) -> None:
        """Raises :class:`UnknownKey` for a key that ``kind`` has not, :class:`BadSyntax` for a value of a wrong type."""
        if not isinstance(data, dict):
            raise self._wrong(path, "a table", data)
        hints = get_type_hints(kind)
        for key, value in data.items():
            if key not in hints:
                raise self._unknown(key, path, list(hints))
            self._value(hints[key], value, (*path, key))
        for field in msgspec.structs.fields(kind):
            if field.required and field.name not in data:
                raise self.bad(path, f'"{field.name}" is missing in {_table(path)}', f"Add {field.name} = …")

    def _unknown(self, key: str, path: Path, known: list[str]) -> UnknownKey:
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
        if path and path[0] == "endpoints":
            # People write a policy as if it were a key.
            near = near or difflib.get_close_matches(key, ("live", "stub", "retired"), n=1, cutoff=0.6)
        hint = f'; did you mean "{near[0]}"?' if near else f"; known are {', '.join(known)}"
        line = line_of(self.lines, (*path, key))
        return UnknownKey(file=self.file, line=line, key=key, table=_table(path), hint=hint)

    def _wrong(self, path: Path, wanted: str, value: object) -> BadSyntax:
        got = next((words for kind, words in _WORDS.items() if type(value) is kind), type(value).__name__)
        example = {"a string": '"…"', "a list": "[…]", "true or false": "true"}.get(wanted, "…")
        return self.bad(
            path, f'"{_dotted(path)}" must be {wanted}, not {got}', f"Write {_leaf(path)} = {example} ({wanted})"
        )

    def _value(self, hint: Any, value: object, path: Path) -> None:
        origin, inner = get_origin(hint), get_args(hint)
        if origin in (Union, types.UnionType):
            hint = next(option for option in inner if option is not type(None))
            origin, inner = get_origin(hint), get_args(hint)
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            self.struct(hint, value, path)
        elif origin is dict:
            if not isinstance(value, dict):
                raise self._wrong(path, "a table", value)
            for key, item in value.items():
                self._value(inner[1], item, (*path, key))
        elif origin is tuple:
            if not isinstance(value, list):
                raise self._wrong(path, "a list", value)
            for number, item in enumerate(value):
                self._value(inner[0], item, (*path, number))
        elif hint is float:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise self._wrong(path, "a number", value)
            if not abs(value) <= _LARGEST:  # nan is not, either
                raise self.bad(
                    path, f'"{_dotted(path)}" is {value}', f"Write {_leaf(path)} = … (a number up to {_LARGEST:,})"
                )
        elif hint is datetime:
            if not isinstance(value, datetime):
                wanted = "a date and time with its offset"
                raise self.bad(
                    path,
                    f'"{_dotted(path)}" must be {wanted}' + (", not a date alone" if isinstance(value, date) else ""),
                    "Write 2026-01-31T02:00:00Z",
                )
        elif not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
            raise self._wrong(path, _WORDS[hint], value)

    def each(self, path: Path, values: dict[str, str], parse: Callable[[str], object], remedy: str) -> None:
        """``parse`` every value of a table; a :class:`ValueError` becomes an error with its line."""
        for key, text in values.items():
            self.one((*path, key), text, parse, remedy)

    def one(self, path: Path, text: str, parse: Callable[[str], object], remedy: str) -> None:
        try:
            parse(text)
        except (ValueError, KeyError, OSError) as error:
            raise self.bad(path, f'"{_dotted(path)}": {str(error) or text}', remedy) from None


def _table(path: Path) -> str:
    """``[a.b]`` as it stands in the file; numbers of elements are left out."""
    return f"[{'.'.join(str(part) for part in path if not isinstance(part, int))}]" if path else "the file's top level"


def _dotted(path: Path) -> str:
    return ".".join(f"[{part + 1}]" if isinstance(part, int) else part for part in path).replace(".[", "[")


def _leaf(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "…")
