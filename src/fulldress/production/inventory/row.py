"""What every inventory format yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A component on a host. ``running`` is the version that runs, empty where the source does not tell."""

    component: str
    version: str
    running: str = ""
    installed: bool = True
    host: str = ""
    scheme: str = ""
    line: int = 0
    note: str = ""
    problem: str = ""  #: why the version that runs is not known


class Format(msgspec.Struct, frozen=True):
    """``recognise(name, text)`` whether a file is of this format; ``read(text)`` its rows; ``scheme`` of its versions.

    ``read`` raises :class:`fulldress.errors.InventoryUnreadable`."""

    recognise: Callable[[str, str], bool]
    read: Callable[[str], Iterator[Row]]
    scheme: str


def line_of(text: str, needle: str, start: int = 0) -> tuple[int, int]:
    """(line, offset after it) of the next ``needle`` from ``start``; (0, start) where there is none."""
    at = text.find(needle, start)
    return (text.count("\n", 0, at) + 1, at + len(needle)) if at >= 0 else (0, start)
