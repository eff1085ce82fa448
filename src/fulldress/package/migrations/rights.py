"""Statements that need more than an ordinary role of the product has, or reach beyond its own tables; by their words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import excerpt
from fulldress.facts.database import Effect
from fulldress.patterns import regex

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (regex(pattern), says)
    for pattern, says in (
        (r"SET (?:GLOBAL|PERSIST|@ ?@ ?GLOBAL)\b", "changes the whole server, for every other database on it, too"),
        (r"CREATE (?:OR REPLACE )?(?:TRUSTED )?(?:PROCEDURAL )?LANGUAGE\b", "creates a language: a superuser's right"),
        (r"(?:CREATE|ALTER|DROP) EVENT TRIGGER\b", "event triggers are a superuser's right"),
        (r"CREATE (?:PUBLICATION|SUBSCRIPTION)\b", "replication needs rights of its own"),
        (r"CREATE DATABASE\b", "creates a database"),
        (r"CREATE TABLESPACE\b", "creates a tablespace: a superuser's right"),
        (r"GRANT ALL (?:PRIVILEGES )?ON \* \. \*", "gives every right on every database of the server"),
        (r"GRANT .*\bON \* \. \*", "gives rights on every database of the server"),
        (r"(?:INSERT INTO|UPDATE|DELETE FROM) (?:PG_CATALOG \. \w+|PG_(?:PROC|ATTRIBUTE|CLASS|ENUM|TYPE|CONSTRAINT|INDEX|DATABASE)\b)",
         "writes into the system catalogue: a superuser's right, and PostgreSQL checks nothing of it"),
        (r"(?:INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO) [`\"]?MYSQL[`\"]? \.", "writes into the server's own tables of users and rights"),
        (r"COPY .* (?:FROM|TO) (?:PROGRAM )?''", "reads or writes a file of the server, or starts a program there: a superuser's right"),
        (r"LOAD DATA (?:LOW_PRIORITY |CONCURRENT )?INFILE\b", "reads a file of the server (the FILE right)"),
    )
)  # fmt: skip


def read(bare: str, text: str, line: int) -> Iterator[Effect]:
    for pattern, says in _RULES:
        if pattern.match(bare):
            yield Effect(kind="rights", statement=excerpt(text[:2000], 120), line=line, says=says)
            return
