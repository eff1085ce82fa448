"""Rows that the database deletes by itself from a migration on: triggers and rules whose bodies delete more than the row at hand.

A body that deletes where a column of ``OLD`` or ``NEW`` says so keeps a second table in step, which is what triggers are
for; one that does not is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import excerpt
from fulldress.facts.database import Effect
from fulldress.package.migrations.sql import Statement, statements
from fulldress.patterns import regex

_NAME = r"(?:[\w\"`\[\]]+\s*\.\s*)?[\"`\[]?(\w+)[\"`\]]?"
_FUNCTION = regex(rf"(?is)^\s*CREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION\s+{_NAME}.*?\bRETURNS\s+TRIGGER\b")
_TRIGGER = regex(
    rf"(?is)^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:CONSTRAINT\s+|TEMP(?:ORARY)?\s+)?TRIGGER\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}.*?\bON\s+{_NAME}"
)
_RUNS = regex(rf"(?is)\bEXECUTE\s+(?:FUNCTION|PROCEDURE)\s+{_NAME}\s*\(")
_RULE = regex(
    rf"(?is)^\s*CREATE\s+(?:OR\s+REPLACE\s+)?RULE\s+{_NAME}\s+AS\s+ON\s+(?:INSERT|UPDATE|SELECT)\s+TO\s+{_NAME}(.*)$"
)
_DELETES = regex(r"\b(?:DELETE FROM|TRUNCATE|DROP TABLE)\b")
_OF_THE_ROW = regex(r"\b(?:OLD|NEW) \. ")
_LONGEST = 1 << 17  #: characters of a body that are looked into


class Triggers:
    """Goes with one script; the bodies of functions for triggers are kept until a trigger names them."""

    def __init__(self) -> None:
        self._bodies: dict[str, str] = {}

    def read(self, statement: Statement) -> Iterator[Effect]:
        """What ``statement`` makes the database do from here on."""
        if statement.verb != "CREATE" or len(statement.text) > _LONGEST:
            return
        if match := _FUNCTION.match(statement.text):
            self._bodies[match[1].lower()] = statement.body
        elif match := _TRIGGER.match(statement.text):
            runs = _RUNS.search(statement.text)
            begin = re.search(r"(?i)\bBEGIN\b", statement.text)
            inside = statement.text[begin.start() :] if begin else statement.text[match.end() :]
            body = self._bodies.get(runs[1].lower(), "") if runs else inside
            yield from _told(statement, f"trigger {match[1]}", match[2], body)
        elif match := _RULE.match(statement.text):
            yield from _told(statement, f"rule {match[1]}", match[2], match[3])


def _told(statement: Statement, what: str, table: str, body: str) -> Iterator[Effect]:
    for inner in statements(body):
        found = _DELETES.search(inner.bare)
        if found and not _OF_THE_ROW.search(inner.bare):
            yield Effect(
                kind="rows", statement=excerpt(statement.text[:2000], 120), line=statement.line, table=table.lower(),
                says=f"from here on {what} deletes rows whenever {table} is written: {excerpt(inner.text[:2000], 60)}",
            )  # fmt: skip
            return
