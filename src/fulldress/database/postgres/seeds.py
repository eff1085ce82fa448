"""A few rows for every table, made from the schema alone: enough for a way back to lose something.

Rows satisfy the constraints because they are tried: forms of values that constraints speak of come first, then others, each
in a savepoint, until the server takes them or the tries are used up. Triggers fire, so what they fill is filled. The same
schema and seed give the same rows. Which tables stayed empty, and why, is told.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.preflight.migrators import TOOLS
from fulldress.database.postgres.wire import Connection
from fulldress.facts import excerpt
from fulldress.patterns import regex

_TRIES = 40
_STRING = regex(r"'((?:[^']|'')*)'::")
_NUMBER = regex(r"(?<![\w.'])-?\d+(?:\.\d+)?(?![\w.'])")


class _Column(NamedTuple):
    name: str
    type: str  #: of the domain's base, where it is a domain
    kind: str  #: pg_type.typtype
    category: str
    element: str
    length: int  #: greatest number of characters or bits; 0: none
    scale: int
    nullable: bool
    own: bool  #: fills itself: serial, identity
    labels: tuple[str, ...]

    @property
    def quoted(self) -> str:
        return '"' + self.name.replace('"', '""') + '"'


@dataclass
class _Table:
    name: str
    columns: list[_Column] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    keys: list[tuple[tuple[str, ...], str, tuple[str, ...]]] = field(
        default_factory=list
    )  #: columns, table, its columns


class Seeded(NamedTuple):
    """Rows per table, and per table that got none the server's last words."""

    rows: dict[str, int]
    empty: dict[str, str]


class Seeder:
    """Puts rows into every table that has fewer than ``number``, or, with ``more``, ``number`` into each. What a table took once is tried first the next time:
    from one migration to the next most tables stay as they are.

    ``defaults``: leave columns that have a default to it. Their values then come back with the column, and no way back
    that loses them is found out; only of use to compare with who did so."""

    def __init__(self, number: int = 5, seed: int = 1, *, more: bool = False, defaults: bool = False) -> None:
        self.number = number
        self.more = more
        self.defaults = defaults
        self.seed = seed
        self._taken: dict[str, list[str]] = {}

    def fill(self, clone: Clone) -> Seeded:
        with clone.silent("fulldress-seeds") as line:
            tables = _read(line, self.defaults)
            counts = _counts(line, list(tables))
            # at once, so that a refusal is the statement's and not the COMMIT's
            line.query(
                "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL statement_timeout = '20s'; SET LOCAL lock_timeout = '5s'"
            )
            words: dict[str, str] = {}
            for table in _in_order(tables):
                if bookkeeping(table.name, {column.name for column in table.columns}):
                    continue  # a migration tool would take what is made up for a migration of its own
                words[table.name] = self._fill(line, table, counts[table.name])
            line.query("COMMIT")
            _refresh(line)
            counts = _counts(line, list(tables))
        return Seeded(counts, {name: words[name] for name, count in counts.items() if not count and name in words})

    def _fill(self, line: Connection, table: _Table, there: int) -> str:
        """Rows up to ``number``; returns the server's last refusal."""
        wanted = self.number + there * self.more
        if there >= wanted:
            return ""
        key = f"{table} {there}"
        known = self._taken.get(key)
        if known and _try(line, known) is None:
            return ""
        taken: list[str] = []
        words = ""
        chance = random.Random(f"{self.seed} {table.name}")  # noqa: S311
        rows = range(1 + there, wanted + 1)
        referred = _referred(line, table)
        plain = [_insert(table, _values(table, row, 0, _chosen(referred, row), chance)) for row in rows]
        if _try(line, plain) is None:
            self._taken[key] = plain
            return ""
        for row in rows:
            for attempt in range(_TRIES):
                other = row + (attempt // 4) * 100 * bool(attempt)
                insert = _insert(table, _values(table, other, attempt, _chosen(referred, row), chance))
                refusal = _try(line, [insert])
                if refusal is None:
                    taken.append(insert)
                    break
                words = refusal
                if words.startswith("canceling"):
                    return words
            else:
                return words
            # rows of its own may be referred to by the next
            if any(other == table.name for _, other, _ in table.keys):
                referred = _referred(line, table)
        self._taken[key] = taken
        return words


def _refresh(line: Connection) -> None:
    """Materialised views as they would be with these rows. One that fails keeps what it holds."""
    for (name,) in line.rows(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'm' AND relispopulated ORDER BY oid"
    ):
        line.simple(f"REFRESH MATERIALIZED VIEW {name}")


def _try(line: Connection, inserts: list[str]) -> str | None:
    """All of them or none; the server's refusal, or None."""
    reply = line.simple(f"SAVEPOINT s; {'; '.join(inserts)}; RELEASE s")
    if reply.error is None:
        return None
    line.simple("ROLLBACK TO s; RELEASE s")
    return excerpt(reply.error.message, 160)


def bookkeeping(table: str, columns: Collection[str]) -> str:
    """The tool that records in this table which migrations have run; empty: none."""
    own = table.rpartition(".")[2].strip('"')
    return next((tool.name for tool in TOOLS if tool.table == own and set(tool.needs) <= set(columns)), "")


_TABLES = """SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)' ORDER BY 1"""


def count(clone: Clone) -> dict[str, int]:
    """Rows of every table."""
    with clone.silent() as line:
        return _counts(line, [str(row[0]) for row in line.rows(_TABLES)])


def missing(counts: dict[str, int]) -> bool:
    """Whether there is next to nothing that could be lost: half of the tables are empty, or more."""
    return bool(counts) and sum(not number for number in counts.values()) * 2 >= len(counts)


def _counts(line: Connection, tables: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(tables), 1000):
        some = tables[start : start + 1000]
        row = line.rows("SELECT " + ", ".join(f"(SELECT count(*) FROM {name})" for name in some))[0]
        found |= {name: int(str(count)) for name, count in zip(some, row, strict=True)}
    return found


def _read(line: Connection, defaults: bool = False) -> dict[str, _Table]:
    tables: dict[str, _Table] = {}
    for name, *rest in line.rows(
        """SELECT c.oid::regclass::text, a.attname, coalesce(b.typname, t.typname), coalesce(b.typtype, t.typtype)::text,
             coalesce(b.typcategory, t.typcategory)::text, coalesce(e.typname, ''),
             CASE WHEN m.typmod < 0 THEN 0 WHEN coalesce(b.typname, t.typname) IN ('varchar', 'bpchar') THEN m.typmod - 4
                  WHEN coalesce(b.typname, t.typname) IN ('bit', 'varbit') THEN m.typmod
                  WHEN coalesce(b.typname, t.typname) = 'numeric' THEN (m.typmod - 4) >> 16 ELSE 0 END,
             CASE WHEN m.typmod >= 0 AND coalesce(b.typname, t.typname) = 'numeric' THEN (m.typmod - 4) & 1023 ELSE 0 END,
             NOT a.attnotnull AND NOT t.typnotnull, a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid), '') LIKE 'nextval(%' OR :defaults AND d.oid IS NOT NULL,
             (SELECT string_agg(l.enumlabel, E'\\n' ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid IN (t.oid, b.oid, e.oid))
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
             LEFT JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype
             LEFT JOIN pg_type e ON e.oid = coalesce(b.typelem, t.typelem) AND coalesce(b.typcategory, t.typcategory) = 'A'
             LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             LEFT JOIN LATERAL (SELECT CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod) m ON true
           WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
             AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
           ORDER BY 1, a.attnum""".replace(":defaults", "true" if defaults else "false")
    ):
        table = tables.setdefault(str(name), _Table(str(name)))
        if rest[0] is None:
            continue
        column, type_, kind, category, element, length, scale, nullable, own, labels = rest
        table.columns.append(
            _Column(
                str(column),
                str(type_),
                str(kind),
                str(category),
                str(element),
                int(str(length)),
                int(str(scale)),
                bool(nullable),
                bool(own),
                tuple(str(labels).split("\n")) if labels is not None else (),
            )
        )
    for name, kind, text, columns, other, others in line.rows(
        """SELECT k.conrelid::regclass::text, k.contype::text, pg_get_constraintdef(k.oid),
             (SELECT string_agg(a.attname, E'\\n' ORDER BY x.n) FROM unnest(k.conkey) WITH ORDINALITY x(num, n) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.num),
             nullif(k.confrelid, 0)::regclass::text,
             (SELECT string_agg(a.attname, E'\\n' ORDER BY x.n) FROM unnest(k.confkey) WITH ORDINALITY x(num, n) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.num)
           FROM pg_constraint k WHERE k.contype IN ('c', 'f') AND k.conrelid <> 0
         UNION ALL
         SELECT a.attrelid::regclass::text, 'c', pg_get_constraintdef(k.oid), a.attname, NULL, NULL
           FROM pg_constraint k JOIN pg_attribute a ON a.atttypid = k.contypid WHERE k.contypid <> 0 AND k.contype = 'c'"""
    ):
        if str(name) not in tables:
            continue
        if kind == "f":
            pair = tuple(str(columns).split("\n")), str(other), tuple(str(others).split("\n"))
            tables[str(name)].keys.append(pair)
        else:
            tables[str(name)].checks.append(str(text))
    return tables


def _in_order(tables: dict[str, _Table]) -> Iterator[_Table]:
    """Tables after those that they refer to; where that goes round in a circle, the one with the fewest open ends."""
    waiting = dict(tables)
    while waiting:
        open_ends = {
            name: sum(other in waiting and other != name for _, other, _ in table.keys)
            for name, table in waiting.items()
        }
        least = min(open_ends.values())
        for name in [name for name, count in open_ends.items() if count == least]:
            yield waiting.pop(name)
            if least:
                break


def _insert(table: _Table, values: dict[str, str | None]) -> str:
    if not values:
        return f"INSERT INTO {table.name} DEFAULT VALUES"
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in values)
    texts = ("NULL" if v is None else "'" + v.replace("'", "''") + "'" for v in values.values())
    return f"INSERT INTO {table.name} ({names}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(texts)})"


_Rows = list[tuple[tuple[str, ...], list[tuple[object, ...]]]]


def _referred(line: Connection, table: _Table) -> _Rows:
    """For each of its foreign keys, the widest first: the columns, and rows of the other table that they may name."""
    found: _Rows = []
    for columns, other, others in sorted(table.keys, key=lambda key: -len(key[0])):
        names = ", ".join('"' + name.replace('"', '""') + '"::text' for name in others)
        order = ", ".join(str(i + 1) for i in range(len(others)))
        found.append((columns, line.rows(f"SELECT {names} FROM {other} ORDER BY {order} LIMIT 20")))
    return found


def _chosen(referred: _Rows, row: int) -> dict[str, str | None]:
    """Values of columns that refer to another table: those of its ``row``-th row. None where it has no rows yet."""
    found: dict[str, str | None] = {}
    for columns, rows in referred:
        chosen = rows[(row - 1) % len(rows)] if rows else (None,) * len(columns)
        for column, value in zip(columns, chosen, strict=True):
            if column not in found:
                found[column] = None if value is None else str(value)
    return found


def _values(
    table: _Table, row: int, attempt: int, referred: dict[str, str | None], chance: random.Random
) -> dict[str, str | None]:
    """Attempt 0 fills everything, 1 leaves out what may be empty, later ones try forms at random: first with everything
    filled, then with some left out."""
    values: dict[str, str | None] = {}
    for position, column in enumerate(table.columns):
        empty = column.nullable and (attempt == 1 or (attempt > _TRIES // 3 and chance.random() < 0.4))
        if column.name in referred:
            values[column.name] = None if empty else referred[column.name]
            continue
        if column.own:
            continue
        if empty:
            values[column.name] = None
            continue
        forms = list(_forms(column, row, position))
        said = _said(table.checks, column) if table.checks else []
        if attempt < 2:
            values[column.name] = said[row % len(said)] if said and column.category == "S" else forms[0]
        else:
            values[column.name] = chance.choice(said if said and chance.random() < 0.6 else forms)
    return values


def _said(checks: list[str], column: _Column) -> list[str]:
    """Values that a check of this column names."""
    found: list[str] = []
    for text in checks:
        if re.search(rf"(?<!\w){re.escape(column.name)}(?!\w)", text) and "~" not in text:
            if column.category == "S":
                found += [literal.replace("''", "'") for literal in _STRING.findall(text)]
            elif column.category == "N":
                found += [str(int(float(n)) + d) for n in _NUMBER.findall(text) for d in (0, 1)]
    return list(dict.fromkeys(found))


def _forms(column: _Column, row: int, position: int) -> Iterator[str]:
    """Ways to write a value of this type, the plainest first; each differs from row to row."""
    if column.labels and column.category != "A":
        yield column.labels[row % len(column.labels)]
    elif column.category == "A":
        inner = column._replace(type=column.element, category="S" if column.element in _TEXTS else "", length=0)
        first = next(_forms(inner, row, position)) if not column.labels else column.labels[0]
        yield '{"' + first.replace("\\", "\\\\").replace('"', '\\"') + '"}'
        yield "{}"
    elif column.type in _TEXTS or column.category == "S":
        for text in _texts(column.name, row):
            short = text if not column.length or len(text) <= column.length else text[-column.length :]
            yield short
    else:
        yield from _OF_TYPE.get(column.type, _plain)(column, row, position)


_TEXTS = {"text", "varchar", "bpchar", "citext", "name"}


def _texts(name: str, row: int) -> Iterator[str]:
    digest = hashlib.sha256(f"{name}{row}".encode()).hexdigest()
    yield f"{name} {row}"
    yield f"{name}{row}"
    yield f"https://example.org/{name}/{row}"
    yield f"{name}{row}@example.org"
    yield f"a{row}"
    yield digest
    yield digest[:40]
    yield digest[:32]
    yield f"1.0.{row}"
    yield str(row)
    yield f"2024-01-{row % 28 + 1:02d}"
    yield "{}"
    yield f"en-{row}"
    yield ""


def _numbers(column: _Column, row: int, position: int) -> Iterator[str]:
    whole = 10 ** (column.length - column.scale) if column.type == "numeric" and column.length else 10**9
    fraction = column.type in ("float4", "float8") or (column.type == "numeric" and (column.scale or not column.length))
    yield f"{row % whole}" + (".5" if fraction else "")
    yield from (str(number % whole) for number in (row + 1, 0, 1, 2, 100, 1000))
    yield "-1"


def _json(column: _Column, row: int, position: int) -> Iterator[str]:
    yield f'{{"{column.name}": {row}}}'
    yield "[]"
    yield "{}"
    yield f'"{row}"'
    yield "null"


def _days(column: _Column, row: int, position: int) -> Iterator[str]:
    day = f"2024-{position % 12 + 1:02d}-{row % 28 + 1:02d}"
    yield (
        day
        if column.type == "date"
        else f"{day} 0{row % 10}:00:00.{position:03d}" + "+00" * (column.type == "timestamptz")
    )
    yield f"2030-01-{row % 28 + 1:02d}"
    yield f"2000-01-{row % 28 + 1:02d}"


def _uuid(column: _Column, row: int, position: int) -> Iterator[str]:
    yield hashlib.md5(f"{column.name}{row}".encode(), usedforsecurity=False).hexdigest()


def _bits(column: _Column, row: int, position: int) -> Iterator[str]:
    size = column.length or 1
    yield format(row % 2**size, f"0{size}b")


def _plain(column: _Column, row: int, position: int) -> Iterator[str]:
    """Types of extensions and the rest: forms that many of them read."""
    yield from (
        f"{row}",
        f"a{row}",
        f"0.{row}",
        f"({row},{row})",
        f'"a"=>"{row}"',
        f"[{row}]",
        f"[{row},{row + 1})",
        "",
    )


def _fixed(*patterns: str):  # type: ignore[no-untyped-def]
    def forms(column: _Column, row: int, position: int) -> Iterator[str]:
        for pattern in patterns:
            yield pattern.format(row, row + 1, row % 28 + 1, row % 10)

    return forms


_OF_TYPE = {
    **dict.fromkeys(("int2", "int4", "int8", "numeric", "float4", "float8", "money", "oid"), _numbers),
    **dict.fromkeys(("json", "jsonb"), _json),
    **dict.fromkeys(("date", "timestamp", "timestamptz"), _days),
    **dict.fromkeys(("bit", "varbit"), _bits),
    "uuid": _uuid,
    "bool": lambda column, row, position: iter(("tf"[row % 2], "t", "f")),
    "bytea": _fixed("\\x0{3}ff", "\\x0{3}" + "ab" * 15, "\\x0{3}" + "ab" * 31, ""),
    "time": _fixed("0{3}:00:00"),
    "timetz": _fixed("0{3}:00:00+00"),
    "interval": _fixed("{0} days 0{3}:00:00"),
    "inet": _fixed("10.0.0.{0}"),
    "cidr": _fixed("10.0.{2}.0/24"),
    "macaddr": _fixed("08:00:2b:01:02:0{3}"),
    "macaddr8": _fixed("08:00:2b:01:02:03:04:0{3}"),
    "xml": _fixed("<a>{0}</a>"),
    "tsvector": _fixed("word{0}"),
    "tsquery": _fixed("word{0}"),
    "int4range": _fixed("[{0},{1})"),
    "int8range": _fixed("[{0},{1})"),
    "numrange": _fixed("[{0},{1})"),
    "daterange": _fixed("[2024-01-{2:02d},2024-02-01)"),
    "tsrange": _fixed("[2024-01-{2:02d},2024-02-01)"),
    "tstzrange": _fixed("[2024-01-{2:02d},2024-02-01)"),
    "line": _fixed("{{{0},1,1}}"),
    "lseg": _fixed("[(0,0),({0},1)]"),
    "box": _fixed("(0,0),({0},1)"),
    "path": _fixed("((0,0),({0},1))"),
    "polygon": _fixed("((0,0),({0},1),(1,1))"),
    "circle": _fixed("<(0,0),{0}>"),
    "pg_lsn": _fixed("0/{0}"),
    "char": _fixed("{3}"),
}
