"""Scripts whose head is the shell's and whose body is another language's: the head starts that language on the file itself.

The ways of writing it are those of the languages' own manuals: ``# \\`` before the line for Tcl (tclsh(1)), ``''':'`` for
Python, ``eval 'exec perl …' if 0`` for Perl (perlrun(1)), a first line ``exec node "$0" "$@"``. A script that starts itself
once more as another user (``exec sudo "$0"``) stays the shell's.
"""

from __future__ import annotations

import re

from fulldress.patterns import regex

_ROWS = 60  #: of the head that are looked at
_EXEC = regex(
    r"""^(?:eval\s+['"])?(?:[^#\n]*;[ \t]*)?(?:''':'[ \t]*)?["']*exec["']*[ \t]+(?P<program>[^\n]+?)[ \t]+"""
    r"""(?:-\w+[ \t]+)*["']?\$\{?0\}?["']?(?:[ \t]|$|["'])"""
)
_LANGUAGES = (
    (regex(r"\b(?:tclsh|wish|jimsh|expect)[\d.]*\b"), "tcl"),
    (regex(r"\b(?:python|pypy)[\d.]*\b"), "python"),
    (regex(r"\bperl[\d.]*\b"), "perl"),
    (regex(r"\b(?:node(?:js)?|deno|bun)\b"), "javascript"),
    (regex(r"\bruby[\d.]*\b"), "ruby"),
    (regex(r"\bphp[\d.]*\b"), "php"),
)
_OPENS = regex(r"^\s*(?:if|case|while|until|for)\b|\{\s*$")


def language(text: str) -> tuple[str, int]:
    """The language that a shell script hands itself over to, and the number of the row that does it; empty and 0 for none."""
    if "exec" not in text:
        return "", 0
    rows = text[: _ROWS * 200].split("\n")[:_ROWS]
    for number, row in enumerate(rows[1:], 2):
        if _OPENS.search(row):
            return "", 0  # what follows depends on something
        match = _EXEC.match(row)
        if match is None:
            continue
        for pattern, kind in _LANGUAGES:
            if pattern.search(match["program"]):
                return kind, number
        if rows[number - 2].startswith("#") and rows[number - 2].endswith("\\"):
            return "tcl", number  # the shell runs the line, and Tcl takes it for a part of the comment
    return "", 0


def head(text: str, row: int) -> str:
    """What the shell runs before the other language begins in ``row``."""
    rows = text.split("\n")[:row]
    before = re.sub(r"(?:eval\s+)?[\"']*$", "", rows[-1].partition("exec")[0])
    quoted = before.count("'") % 2 or before.count('"') % 2
    return "\n".join([*rows[:-1], "" if quoted else before])
