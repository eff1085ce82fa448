"""Texts of which a part may be unknown.

A *hole* stands for a part that only a run would know: a variable, a command's output. It is kept inside the text
between two private code points, so that texts can be joined and cut like any other. :func:`show` turns holes back into
the shell's own writing.
"""

from __future__ import annotations

import re
from itertools import product

from fulldress.patterns import regex

_OPEN, _CLOSE = "\ue000", "\ue001"
_HOLE = regex(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")

HERE = f"{_OPEN}@here{_CLOSE}"  #: the folder of the script
TEMPORARY = f"{_OPEN}@temporary{_CLOSE}"  #: what mktemp made

#: More alternatives than this of one word are not followed; the rest becomes a hole, and so is reported.
ALTERNATIVES = 8
#: Characters of one text that are known; a longer one is a hole. ``A=$A$A`` forty times would fill any memory.
LONGEST = 256 * 1024


def hole(name: str) -> str:
    """A hole that reads as ``name`` (``HOST``, ``$(hostname)``, ``1``)."""
    return f"{_OPEN}{name.replace(_OPEN, '').replace(_CLOSE, '')}{_CLOSE}"


def holes(text: str) -> list[str]:
    """The names of the holes in ``text``, in order."""
    return _HOLE.findall(text)


def is_full(name: str) -> bool:
    """Whether the hole of this name surely stands for something: what a caller is known to give, though not its value."""
    return name.startswith("<the ")


def is_constant(text: str) -> bool:
    """Whether nothing in ``text`` is unknown."""
    return _OPEN not in text


def show(text: str) -> str:
    """``text`` as a person reads it: ``$HOST``, ``$(hostname)``; the script's folder as a dot."""

    def written(match: re.Match[str]) -> str:
        name = match[1]
        if name == "@here":
            return "."
        if name == "@temporary":
            return "$(mktemp)"
        if name.startswith(("$", "<", "%")):
            return name
        return f"${name}" if re.fullmatch(r"\w|[A-Za-z_]\w*|[@*#?!-]", name) else f"${{{name}}}"

    return _HOLE.sub(written, text).replace(_OPEN, "").replace(_CLOSE, "")  # also the halves of one that was cut


def without(text: str) -> str:
    """``text`` as it reads when every hole is empty."""
    return _HOLE.sub("", text)


def combine(parts: list[list[str]]) -> list[str]:
    """Every joining of one alternative of each part, at most :data:`ALTERNATIVES`; the first ones win."""
    found: list[str] = []
    for choice in product(*parts):
        text = "".join(choice) if sum(map(len, choice)) <= LONGEST else hole("a text too long to follow")
        if text not in found:
            found.append(text)
        if len(found) == ALTERNATIVES:
            break
    return found


def clean(text: str) -> str:
    """``text`` without code points that stand for holes; for input, which may hold them."""
    return text.replace(_OPEN, "\ufffd").replace(_CLOSE, "\ufffd")
