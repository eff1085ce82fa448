"""One direction of one migration, as statements: read from SQL, or translated from a program's calls."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from fulldress.package.migrations.sql import Statement, statements
from fulldress.package.reader import Member
from fulldress.patterns import regex

#: Stands behind a change of type whose call has to name the type again even where only a default or NULL is new.
REPEATED = "/* named again */"
#: Direction of a script that is understood, and that says nothing which others do not say.
PASSED_OVER = "passed over"


@dataclass
class Script:
    """``other`` is the path of the other direction (the same file's, where both are in one).

    ``unread`` holds lines whose effect cannot be told. ``never`` says that the author forbids the way back."""

    member: Member
    direction: str
    statements: list[Statement] = field(default_factory=list)
    other: str = ""
    name: str = ""
    line: int = 1
    wrapped: bool | None = None  #: the tool puts a transaction around it
    locks: bool = False  #: the tool keeps a second runner out
    tool: str = ""
    language: str = ""
    version: str = ""
    parents: tuple[str, ...] = ()
    unread: list[tuple[int, str]] = field(default_factory=list)
    acts: bool = False  #: it calls something, and none of its statements shows what: not empty
    disorder: str = ""
    standalone: bool = True  #: False: counts only when it changes a schema


def translated(text: str, line: int, shown: str) -> list[Statement]:
    """Statements that a program's call stands for; each points at the call."""
    flat = " ".join(shown.split())
    return [one._replace(line=line, shown=flat) for one in statements(text)]


def embedded(text: str, line: int) -> list[Statement]:
    """SQL that stands as a literal in a program, its first character in ``line``."""
    return [one._replace(line=one.line + line - 1) for one in statements(text)]


_IDENTIFIER = regex(r"[A-Za-z_][\w$]*\Z")


def quoted(name: str) -> str:
    """A name as an SQL identifier; what is only known at run time is shown as it is called there."""
    parts = name.split(".") if re.fullmatch(r"[\w$.]+", name) else [name]
    return ".".join(
        part
        if _IDENTIFIER.match(part) and part.lower() == part and part not in _RESERVED
        else f'"{part.replace(chr(34), "")}"'
        for part in parts
    )


_RESERVED = frozenset(
    [
        "all",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "both",
        "case",
        "cast",
        "check",
        "collate",
        "column",
        "constraint",
        "create",
        "default",
        "desc",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "false",
        "fetch",
        "for",
        "foreign",
        "from",
        "grant",
        "group",
        "having",
        "in",
        "initially",
        "into",
        "leading",
        "limit",
        "not",
        "null",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "primary",
        "references",
        "returning",
        "select",
        "some",
        "table",
        "then",
        "to",
        "trailing",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "when",
        "where",
        "window",
        "with",
    ]
)


def listed(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)
