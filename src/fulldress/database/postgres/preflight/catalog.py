"""What the server's catalogue knows of a table, at the state in which a question is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fulldress.database.postgres.clone import literal, quote
from fulldress.database.postgres.wire import Connection

_COLUMNS = """SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.atttypid::regtype::text, a.attlen::int4,
       a.attnotnull, a.attnum::int4, coalesce(a.attnum = ANY (i.indkey), false), t.typtype::text
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
 WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""


@dataclass(frozen=True)
class Column:
    name: str
    type: str  #: with its size: ``character varying(40)``
    plain: str  #: without
    length: int  #: bytes; -1: varies
    not_null: bool
    number: int
    key: bool  #: part of the primary key
    kind: str  #: b base, d domain, e enum …


@dataclass(frozen=True)
class Table:
    """A table as it is now. ``sql``: its name with its schema, quoted."""

    oid: int
    name: str  #: as the search path lets it be called
    bare: str
    sql: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        return next((one for one in self.columns if one.name == name), None)

    @property
    def keys(self) -> list[str]:
        return [one.name for one in self.columns if one.key]


class Catalog:
    """Asks through the session of the migration, so that its own uncommitted changes are seen."""

    def __init__(self, line: Connection) -> None:
        self.line = line

    def table(self, relation: Any) -> Table | None:
        """Of libpg_query's RangeVar; None: there is none, as yet."""
        parts = [part for part in (relation.schemaname, relation.relname) if part]
        return self.named(".".join(map(quote, parts)))

    def named(self, name: str) -> Table | None:
        found = self.line.rows(
            "SELECT c.oid::int8, c.oid::regclass::text, c.relname::text, n.nspname::text FROM pg_class c"
            f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass({literal(name)})"
            " AND c.relkind IN ('r', 'p', 'm', 'f')"
        )
        if not found:
            return None
        oid, shown, bare, schema = (str(value) for value in found[0])
        columns = tuple(
            Column(str(a), str(b), str(c), int(str(d)), bool(e), int(str(f)), bool(g), str(h))
            for a, b, c, d, e, f, g, h in self.line.rows(_COLUMNS.format(oid=oid))
        )
        return Table(int(oid), shown, bare, f"{quote(schema)}.{quote(bare)}", columns)

    def constraint(self, table: Table, name: str) -> str:
        """Its definition, as it stands behind ``ADD CONSTRAINT name``; empty: unknown, or valid already."""
        found = self.line.rows(
            f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = {table.oid}"
            f" AND conname = {literal(name)} AND NOT convalidated"
        )
        return str(found[0][0]).removesuffix(" NOT VALID") if found else ""

    def unique_indexes(self, table: Table, column: Column) -> list[tuple[str, list[str]]]:
        """Name and columns of the unique indexes over ``column``; those over expressions are left to the server."""
        rows = self.line.rows(
            "SELECT c.relname::text, string_agg(a.attname::text, E'\\n' ORDER BY k.n) FROM pg_index i"
            " JOIN pg_class c ON c.oid = i.indexrelid, unnest(i.indkey[:i.indnkeyatts - 1]) WITH ORDINALITY k(attnum, n)"
            " JOIN pg_attribute a ON a.attnum = k.attnum WHERE a.attrelid = i.indrelid"
            f" AND i.indrelid = {table.oid} AND i.indisunique AND i.indexprs IS NULL AND i.indpred IS NULL"
            f" GROUP BY c.relname HAVING bool_or(k.attnum = {column.number})"
        )
        return [(str(name), str(names).split("\n")) for name, names in rows]

    def domain_columns(self, domain: str) -> list[tuple[str, str]]:
        """Table and column of every column of a domain."""
        rows = self.line.rows(
            "SELECT a.attrelid::regclass::text, a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            f" WHERE a.atttypid = to_regtype({literal(domain)}) AND c.relkind IN ('r', 'm') AND NOT a.attisdropped"
        )
        return [(str(table), str(column)) for table, column in rows]

    def partitioning(self, table: Table) -> tuple[str, list[str], str]:
        """How a table is partitioned (l, r, h), by which columns (none: by an expression), and its default partition."""
        rows = self.line.rows(
            "SELECT partstrat::text, coalesce((SELECT string_agg(a.attname::text, E'\\n' ORDER BY k.n)"
            "   FROM unnest(p.partattrs) WITH ORDINALITY k(attnum, n)"
            "   JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum), ''),"
            " CASE WHEN partdefid <> 0 THEN partdefid::regclass::text ELSE '' END, partexprs IS NULL"
            f" FROM pg_partitioned_table p WHERE partrelid = {table.oid}"
        )
        if not rows:
            return "", [], ""
        how, names, default, plain = rows[0]
        return str(how), str(names).split("\n") if plain else [], str(default)
