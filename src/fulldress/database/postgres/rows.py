"""Rows of a table as one sum of hashes: independent of the order of rows and of columns, at the speed of a scan.

Two equalities. ``byte``: of the text that a client reads, for which types whose hash is blind to spelling (numeric 1.0 and
1.00, jsonb, float -0 and 0, interval '1 day' and '24 hours', arrays) are hashed as text. ``semantic``: of values, by the
types' own hashes, about three times as fast on such types. Types without a hash (json, xml, point …) are hashed as text
in both, and so are enums, whose hash is that of a number that another CREATE TYPE gives anew.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from fulldress.database.postgres.wire import Connection

Equality = Literal["byte", "semantic"]
#: Types whose hash tells apart whatever their text tells apart. Text itself is hashed by its bytes.
_EXACT = (
    "bool", "int2", "int4", "int8", "oid", "uuid", "date", "time", "timestamp", "timestamptz", "bytea", "char", "name",
    "text", "varchar", "xid8", "pg_lsn", "tid", "macaddr", "macaddr8",
)  # fmt: skip


class Column(NamedTuple):
    name: str
    type: str
    key: bool  #: part of the primary key, or of the first unique index that knows no NULL and no condition
    form: str  #: exact, semantic (has a hash that is blind to spelling), text

    @property
    def quoted(self) -> str:
        return '"' + self.name.replace('"', '""') + '"'

    def value(self, equality: Equality) -> str:
        """The expression that is hashed."""
        if self.form == "exact" or (self.form == "semantic" and equality == "semantic"):
            return f"t.{self.quoted}"
        return f't.{self.quoted}::text COLLATE "C"'


def tables(line: Connection, only: str = "") -> dict[str, list[Column]]:
    """Every table that holds rows itself (partitions, not their parents; materialised views, too), columns by name.

    ``only``: this table alone, quoted and qualified as the keys of the answer are."""
    which = f"AND c.oid = to_regclass({_literal(only)})" if only else ""
    found: dict[str, list[Column]] = {}
    for table, column, type_, key, form in line.rows(
        f"""WITH hashed AS (
             SELECT o.opcintype AS type FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod AND m.amname = 'hash'
               JOIN pg_amproc p ON p.amprocfamily = o.opcfamily AND p.amproclefttype = o.opcintype AND p.amprocnum = 2
              WHERE o.opcdefault)
           SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname, t.typname,
                  coalesce(a.attnum = ANY (i.key), false),
                  CASE WHEN b.typtype = 'b' AND b.typname IN ({", ".join(map(_literal, _EXACT))}) AND b.typnamespace = 11 THEN 'exact'
                       WHEN b.typtype = 'b' AND b.typcategory <> 'A' AND b.oid IN (SELECT type FROM hashed) THEN 'semantic'
                       WHEN b.typcategory = 'A' AND e.typtype = 'b' AND (e.oid IN (SELECT type FROM hashed) OR e.typname = 'varchar') THEN 'semantic'
                       ELSE 'text' END
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             LEFT JOIN pg_type t ON t.oid = a.atttypid
             LEFT JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
             LEFT JOIN pg_type e ON e.oid = b.typelem AND b.typelem <> 0
             LEFT JOIN LATERAL (
               SELECT (x.indkey::int2[])[0:x.indnkeyatts - 1] AS key FROM pg_index x
                WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
                  AND NOT EXISTS (SELECT 1 FROM pg_attribute k WHERE k.attrelid = c.oid AND k.attnum = ANY (x.indkey) AND NOT k.attnotnull)
                ORDER BY x.indisprimary DESC, x.indnatts, x.indkey::text LIMIT 1) i ON true
            WHERE c.relkind IN ('r', 'm') AND (c.relkind <> 'm' OR c.relispopulated) AND c.relpersistence <> 't' {which}
              AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
            ORDER BY 1, a.attname COLLATE "C" """
    ):
        columns = found.setdefault(str(table), [])
        if column is not None:
            columns.append(Column(str(column), str(type_), bool(key), str(form)))
    return found


def proven(columns: list[Column], equality: Equality, major: int) -> Equality:
    """Which equality the sum of a table proves: its bytes, too, where no column is of a type that is blind to them."""
    blind = equality == "semantic" and major >= 14 and any(column.form == "semantic" for column in columns)
    return "semantic" if blind else "byte"


def row_hash(columns: list[Column], major: int, equality: Equality = "byte") -> str:
    """The expression of a row's 64-bit hash. Before 14 the server hashes no records, and their text has to do."""
    if not columns:
        return "0"
    values = ", ".join(column.value(equality) for column in columns)
    return f"hash_record_extended(ROW({values}), 0)" if major >= 14 else f"hashtextextended(ROW({values})::text, 0)"


def total(line: Connection, table: str, columns: list[Column], equality: Equality = "byte") -> tuple[int, str]:
    """Number of rows and the exact sum of their hashes."""
    hashed = row_hash(columns, line.major, equality)
    row = line.rows(f"SELECT count(*), coalesce(sum({hashed}), 0)::text FROM ONLY {table} t")[0]
    return int(str(row[0])), str(row[1])


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
