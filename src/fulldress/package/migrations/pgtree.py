"""One statement as libpg_query's tree, and what is known when it is judged.

One statement is parsed at a time, so that one which the grammar does not know blinds nobody to the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from fulldress.package.migrations.columntypes import Type
from fulldress.patterns import regex

LONGEST = 20_000  #: characters of a statement; libpg_query walks its tree by recursion and has no limit of its own
DEEPEST = 60  #: parentheses in one another
MOST_SIGNS = 800  #: operators: ``1+1+1…`` nests as deep as it is long
_SIGN = regex(r"[:\-+*/<>=~!@#%^&|?]+|\b(?:AND|OR|NOT|IN|LIKE|UNION|CASE|JOIN)\b", re.I)
_PLACEHOLDER = regex(r"\$\{[\w.\-]+\}|\{\{\s*[\w.\-]+\s*\}\}|@[\w.\-]+@|(?<![:\w]):[\"']?[A-Za-z_]\w*[\"']?")


@dataclass
class State:
    """What is known when a statement is reached: of this script, and of those before it."""

    created: set[str] = field(default_factory=set)  #: tables of this script: empty, nobody waits for them
    types: dict[tuple[str, str], Type] = field(default_factory=dict)  #: (table, column), over all scripts
    checks: dict[tuple[str, str], str] = field(default_factory=dict)  #: (table, constraint) -> column IS NOT NULL
    proven: set[tuple[str, str]] = field(default_factory=set)  #: columns of which a valid CHECK says NOT NULL
    wrapped: bool | None = None  #: whether a transaction is around the statement
    values: set[str] = field(default_factory=set)  #: enum values added in this transaction


@dataclass
class Said:
    """One consequence. ``kind`` as in :class:`fulldress.facts.database.Effect`."""

    kind: str
    table: str
    says: str


@dataclass
class Judged:
    said: list[Said] = field(default_factory=list)
    preflight: list[str] = field(default_factory=list)

    def add(self, kind: str, table: str, says: str) -> None:
        self.said.append(Said(kind, table, says))


@cache
def library() -> Any:
    """libpg_query. A tenth of a second, and only packages with migrations need it."""
    return import_module("postgast")


@cache
def nodes() -> Any:
    return import_module("postgast.pg_query_pb2")


def parse(text: str) -> Any | None:
    """The tree of one statement, or None: beyond the grammar, or too large to be parsed safely."""
    if len(text) > LONGEST or _deepest(text) > DEEPEST or len(_SIGN.findall(text)) > MOST_SIGNS or "\0" in text:
        return None
    postgast = library()
    from google.protobuf.message import DecodeError

    for attempt in (text, _PLACEHOLDER.sub(lambda m: re.sub(r"\W", "", m[0]) or "x", text)):
        try:
            found = postgast.parse(attempt)
        except (postgast.PgQueryError, DecodeError, UnicodeEncodeError):
            continue
        if found.stmts:
            return found.stmts[0].stmt
    return None


def _deepest(text: str) -> int:
    depth = deepest = 0
    for sign in re.findall(r"[()\[\]]", text):
        depth += 1 if sign in "([" else -1
        deepest = max(deepest, depth)
    return deepest


def table_of(relation: Any) -> str:
    return str(relation.relname)


def names_of(items: Any) -> list[str]:
    return [part.string.sval for part in items if part.HasField("string")]
