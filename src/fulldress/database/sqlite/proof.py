"""Whether a SQLite database is what it was before: schema, every row, every counter.

Two copies are compared row by row, in blocks that are equal as a whole as a rule, by columns' names and primary key, in
whatever order rows and columns stand. A fingerprint, which outlives its copy, sums up 64-bit hashes of the rows. A value
counts with its storage class, so ``1``, ``1.0`` and ``'1'`` differ as they differ to a client.
"""

from __future__ import annotations

import itertools
import marshal
import sqlite3
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import zip_longest

from fulldress.database import differences
from fulldress.database.differences import ByKey, Exact, Fingerprint, Row, Table, Told
from fulldress.database.sqlite import schema
from fulldress.database.sqlite.clone import Clone
from fulldress.facts import Difference

_BLOCK = 1000


def fingerprint(clone: Clone) -> Fingerprint:
    """Read every row once."""
    return _fingerprint(clone, lambda line, table, names: str(sum(map(_hash, rows(line, table, names)))))


def compare(before: Clone | Fingerprint, after: Clone | Fingerprint) -> list[Difference]:
    """What is not as it was. Two clones give columns and counts of rows; a fingerprint on either side gives less."""
    if isinstance(before, Clone) and isinstance(after, Clone):
        clones = (before, after)
        old, new = (_fingerprint(clone, lambda *_: "") for clone in clones)
        return differences.compare(old, new, lambda table: _look(table, *clones))
    old = before if isinstance(before, Fingerprint) else fingerprint(before)
    new = after if isinstance(after, Fingerprint) else fingerprint(after)
    return differences.compare(old, new)


def _fingerprint(clone: Clone, total: Callable[[sqlite3.Connection, str, list[str]], str]) -> Fingerprint:
    with clone.session() as line:
        line.execute("BEGIN")
        found = {}
        for table in tables(line):
            names = sorted(columns(line, table))
            (count,) = line.execute(f"SELECT count(*) FROM {quote(table)}").fetchone()
            found[table] = Table(count=count, total=total(line, table, names), columns=tuple(names))
        return Fingerprint(schema=schema.read(line), tables=found, sequences=schema.sequences(line))


def tables(line: sqlite3.Connection) -> list[str]:
    """Tables that hold rows themselves: virtual ones do so in tables of their own."""
    found = line.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite#_%' ESCAPE '#'"
        " AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    )
    return [str(name) for (name,) in found.fetchall()]


def columns(line: sqlite3.Connection, table: str) -> dict[str, int]:
    """Columns of a table, generated ones included, each with its place in the primary key, or 0."""
    return {str(row[1]): int(row[5]) for row in line.execute(f"PRAGMA table_xinfo({quote(table)})")}


def rows(line: sqlite3.Connection, table: str, names: list[str]) -> Iterator[Row]:
    """Every row."""
    return itertools.chain.from_iterable(_blocks(line, table, names))


def _blocks(line: sqlite3.Connection, table: str, names: list[str]) -> Iterator[list[Row]]:
    """Rows, many at a time; where some text is no UTF-8, which SQLite lets anybody store, they are read once more."""
    listed = ", ".join(quote(name) for name in names) or "1"
    words = f"SELECT {listed} FROM {quote(table)} NOT INDEXED"
    done = 0
    line.text_factory = str
    try:
        cursor = line.execute(words)
        while block := cursor.fetchmany(_BLOCK):
            done += 1
            yield block
    except sqlite3.OperationalError as error:
        if "Could not decode" not in str(error):
            raise
        line.text_factory = _text
        cursor = line.execute(words)
        for _ in range(done):
            cursor.fetchmany(_BLOCK)
        while block := cursor.fetchmany(_BLOCK):
            yield block


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _hash(row: Row) -> int:
    # version 2 of marshal writes equal values as equal bytes, and values of two classes as different ones
    return int.from_bytes(blake2b(marshal.dumps(row, 2), digest_size=8).digest(), "little")  # type: ignore[arg-type]


def _exact(value: object) -> object:
    kind = type(value)
    if kind is float:
        return Exact("real", float.hex(value))  # type: ignore[arg-type]
    return value if kind in (str, bytes) or value is None else Exact("integer", value)


def _look(table: str, before: Clone, after: Clone) -> Told:
    with before.session() as left, after.session() as right:
        old, new = columns(left, table), columns(right, table)
        told = Told()
        was, is_ = _values(left, table, list(old)), _values(right, table, list(new))
        told.count_before, told.count_after = was.pop(""), is_.pop("")
        kept = differences.columns(told, was, is_)
        key = [name for name in kept if old[name]]
        keyed = bool(key) and [n for n, at in old.items() if at] == [n for n, at in new.items() if at] == key
        matched = ByKey(told, key if keyed else [], kept)
        loose: tuple[list[Row], list[Row]] = ([], [])
        one: list[Row]
        other: list[Row]
        for one, other in zip_longest(_blocks(left, table, kept), _blocks(right, table, kept), fillvalue=[]):
            if one == other and marshal.dumps(one, 2) == marshal.dumps(other, 2):
                continue
            sides = [[tuple(map(_exact, row)) for row in block] for block in (one, other)]
            if keyed:
                full = not matched.add(*sides)
            else:
                loose[0].extend(sides[0])
                loose[1].extend(sides[1])
                full = len(loose[0]) > differences.LIMIT
            if full:
                told.detail = f"more than {differences.LIMIT:,} rows stand in another order: not compared to the end"
                return told
        if not keyed:
            differences.by_content(told, kept, *loose)
            return told
        return matched.finish()


def _values(line: sqlite3.Connection, table: str, names: list[str]) -> dict[str, int]:
    """Values that are not null per column; rows of the table under the empty name."""
    counts = ", ".join(["count(*)", *(f"count({quote(name)})" for name in names)])
    (row,) = line.execute(f"SELECT {counts} FROM {quote(table)} NOT INDEXED").fetchall()
    return dict(zip(["", *names], row, strict=True))
