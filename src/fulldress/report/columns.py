"""Text in columns: words break at spaces and punctuation, never inside, and nothing is wider than it may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from fulldress.patterns import regex

#: A long word parts at slashes first, so that a host stays whole; then after any punctuation.
_COARSE = regex(r"[^/]*/+|[^/]+")
_FINE = regex(r"[^.,;:=_@?&-]*[.,;:=_@?&-]+|[^.,;:=_@?&-]+")

#: A word that is cut short tells more than its absence from this many characters on.
_LONG = 14


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width``: at spaces, else after punctuation, else cut where nothing else helps."""
    lines, line = [], ""
    for word in text.split():
        if len(line) + bool(line) + len(word) <= width:
            line = f"{line} {word}".strip()
            continue
        # a word that fits a line of its own goes there; a longer one is parted after punctuation
        if len(word) <= width:
            lines.append(line)
            line = word
            continue
        line = f"{line} " if line else ""
        for piece in _pieces(word, width):
            if len(line) + len(piece) > width and line.strip():
                lines.append(line.rstrip())
                line = ""
            line += piece
    return [found for found in (*lines, line) if found] or [""]


def _pieces(word: str, width: int) -> Iterator[str]:
    for coarse in _COARSE.findall(word):
        for piece in _FINE.findall(coarse) if len(coarse) > width else [coarse]:
            for start in range(0, len(piece), width):
                yield piece[start : start + width]


def middle(text: str, width: int) -> str:
    """``text`` with its middle left out where it is longer than ``width``: both ends of a name tell something."""
    if len(text) <= width:
        return text
    tail = max((width - 1) // 3, 1)
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"


def end(text: str, width: int) -> str:
    """``text`` up to the last word that fits, and an ellipsis; of a long word, a path, the beginning is shown."""
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    short = text[: width - 1]
    at = short.rfind(" ")
    return (short[:at] if at > max(width // 2, len(short) - _LONG) else short).rstrip(" ,;:(") + "…"


def rows(cells: Sequence[str], widths: Sequence[int], gap: int = 2, right: Sequence[int] = ()) -> list[str]:
    """One row of a table as lines; columns in ``right`` are set to the right."""
    parts = [wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for line in zip_longest(*parts, fillvalue=""):
        padded = [
            text.rjust(width) if place in right else text.ljust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append((" " * gap).join(padded).rstrip())
    return lines


def packed(parts: Sequence[str], width: int, between: str = "   ") -> list[str]:
    """Parts side by side, as many to a line as fit; a part is never broken."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(between) + len(part) <= width:
            lines[-1] += between + part
        else:
            lines.append(part)
    return lines
