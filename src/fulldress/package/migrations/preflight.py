"""Queries that name the rows on which a migration would fail, to be asked of production before the window.

They are plain SQL that every database takes. Nothing of them is executed here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fulldress.package.migrations.columntypes import Type
from fulldress.patterns import regex

_PLAIN = regex(r"[a-z_][a-z0-9_$]*\Z")
_LIMITS = {"int2": (-32768, 32767), "int4": (-2147483648, 2147483647), "int8": (-(2**63), 2**63 - 1)}


def name(word: str) -> str:
    """An identifier, quoted where it needs to be."""
    return word if _PLAIN.match(word) else '"' + word.replace('"', '""') + '"'


def unique(table: str, columns: list[str], *, partial: bool = False) -> str:
    listed = ", ".join(map(name, columns))
    filled = " AND ".join(f"{name(column)} IS NOT NULL" for column in columns)
    note = " -- only rows of the index's own WHERE count" if partial else ""
    return f"SELECT {listed}, count(*) FROM {name(table)} WHERE {filled} GROUP BY {listed} HAVING count(*) > 1{note}"  # noqa: S608


def not_null(table: str, column: str) -> str:
    return f"SELECT count(*) FROM {name(table)} WHERE {name(column)} IS NULL"  # noqa: S608


def foreign(table: str, columns: list[str], other: str, keys: list[str]) -> str:
    """Rows that refer to nothing. Without named keys the other table's primary key is meant, which stands elsewhere."""
    keys = keys or (columns and ["id"] * len(columns))
    filled = " AND ".join(f"t.{name(column)} IS NOT NULL" for column in columns)
    joined = " AND ".join(f"o.{name(k)} = t.{name(c)}" for k, c in zip(keys, columns, strict=False))
    return f"SELECT count(*) FROM {name(table)} t WHERE {filled} AND NOT EXISTS (SELECT 1 FROM {name(other)} o WHERE {joined})"  # noqa: S608


def check(table: str, expression: Any) -> str:
    """Rows that break a CHECK, by libpg_query's own text of its expression."""
    from google.protobuf.message import DecodeError

    postgast: Any = import_module("postgast")
    tree = postgast.parse("SELECT 1 WHERE true")
    tree.stmts[0].stmt.select_stmt.where_clause.CopyFrom(expression)
    try:
        text = postgast.deparse(tree).removeprefix("SELECT 1 WHERE ")
    except (postgast.PgQueryError, DecodeError):
        return ""
    return f"SELECT count(*) FROM {name(table)} WHERE NOT ({text})"  # noqa: S608


def narrow(table: str, column: str, new: Type) -> list[str]:
    if new.name in _LIMITS:
        low, high = _LIMITS[new.name]
        return [f"SELECT count(*) FROM {name(table)} WHERE {name(column)} NOT BETWEEN {low} AND {high}"]  # noqa: S608
    if new.name in ("varchar", "bpchar") and new.size:
        return [f"SELECT count(*) FROM {name(table)} WHERE length({name(column)}) > {new.size[0]}"]  # noqa: S608
    return []
