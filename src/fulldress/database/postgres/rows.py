"""Rows of a table as sums of hashes, and, where the sums differ, which rows and columns it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from fulldress.database.postgres.wire import Connection

#: Types whose hash tells apart whatever their text tells apart; all others are hashed as text.
_EXACT = {
    "bool", "int2", "int4", "int8", "oid", "uuid", "date", "time", "timestamp", "timestamptz", "bytea", "char", "name",
}  # fmt: skip
_BUCKETS = 65536
#: Rows that are compared one by one on either side; above, columns are told but not rows.
LIMIT = 4_000_000
_SAMPLE = 500


class Column(NamedTuple):
    name: str
    type: str
    key: bool  #: part of the primary key

    @property
    def quoted(self) -> str:
        return '"' + self.name.replace('"', '""') + '"'

    @property
    def value(self) -> str:
        """The expression that is hashed."""
        if self.type in _EXACT:
            return f"t.{self.quoted}"
        return f't.{self.quoted}::text COLLATE "C"'


@dataclass
class Told:
    """How a table differs."""

    count_before: int = 0
    count_after: int = 0
    lost: int = 0
    added: int = 0
    changed: int = 0
    changed_columns: tuple[str, ...] = ()
    lost_columns: dict[str, tuple[int, str]] = field(default_factory=dict)
    new_columns: tuple[str, ...] = ()
    example_lost: str = ""
    example_added: str = ""
    detail: str = ""


def tables(line: Connection) -> dict[str, list[Column]]:
    """Every table that holds rows itself (partitions, not their parents; materialised views, too), columns by name."""
    found: dict[str, list[Column]] = {}
    for table, column, type_, key in line.rows(
        """SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname, t.typname,
                  coalesce(a.attnum = ANY (i.indkey), false)
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             LEFT JOIN pg_type t ON t.oid = a.atttypid
             LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
            WHERE c.relkind IN ('r', 'm') AND (c.relkind <> 'm' OR c.relispopulated) AND c.relpersistence <> 't'
              AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
            ORDER BY 1, a.attname COLLATE "C" """
    ):
        columns = found.setdefault(str(table), [])
        if column is not None:
            columns.append(Column(str(column), str(type_), bool(key)))
    return found


def row_hash(columns: list[Column], major: int) -> str:
    """The expression of a row's 64-bit hash. Before 14 the server hashes no records, and their text has to do."""
    if not columns:
        return "0"
    values = ", ".join(column.value for column in columns)
    return f"hash_record_extended(ROW({values}), 0)" if major >= 14 else f"hashtextextended(ROW({values})::text, 0)"


def total(line: Connection, table: str, columns: list[Column]) -> tuple[int, str]:
    """Number of rows and the exact sum of their hashes."""
    row = line.rows(f"SELECT count(*), coalesce(sum({row_hash(columns, line.major)}), 0)::text FROM ONLY {table} t")[0]
    return int(str(row[0])), str(row[1])


def compare(before: Connection, after: Connection, table: str) -> Told:
    """Which columns and how many rows differ between two databases."""
    old = {column.name: column for column in tables(before).get(table, [])}
    new = {column.name: column for column in tables(after).get(table, [])}
    told = Told()
    told.new_columns = tuple(name for name in new if name not in old)
    shared = [name for name in old if name in new]
    was = _column_sums(before, table, list(old.values()))
    is_ = _column_sums(after, table, list(new.values()))
    told.count_before, told.count_after = was[""][0], is_[""][0]
    for name in old:
        if name not in new:
            told.lost_columns[name] = (was[name][0], "the column is gone")
        elif was[name][0] and not is_[name][0] and told.count_after:
            told.lost_columns[name] = (was[name][0], "the column is there, and empty in every row")
    differing = [name for name in shared if was[name] != is_[name] and name not in told.lost_columns]
    if told.count_before == told.count_after and not differing:
        return told
    kept = [name for name in shared if name not in told.lost_columns]
    if max(told.count_before, told.count_after) > LIMIT:
        told.changed_columns = tuple(differing)
        told.lost = max(told.count_before - told.count_after, 0)
        told.added = max(told.count_after - told.count_before, 0)
        told.detail = f"more than {LIMIT:,} rows: columns were compared, rows were not counted one by one"
        return told
    _one_by_one(before, after, table, [old[n] for n in kept], [new[n] for n in kept], told, differing)
    return told


def _column_sums(line: Connection, table: str, columns: list[Column]) -> dict[str, tuple[int, str]]:
    """Non-null values and the sum of hashes per column; rows of the table under the empty name."""
    parts = ["count(*)"]
    for column in columns:
        parts += [f"count(t.{column.quoted})", f"coalesce(sum({row_hash([column], line.major)}), 0)::text"]
    row = line.rows(f"SELECT {', '.join(parts)} FROM ONLY {table} t")[0]
    sums = {"": (int(str(row[0])), "")}
    for index, column in enumerate(columns):
        sums[column.name] = (int(str(row[1 + 2 * index])), str(row[2 + 2 * index]))
    return sums


def _one_by_one(
    before: Connection,
    after: Connection,
    table: str,
    old: list[Column],
    new: list[Column],
    told: Told,
    differing: list[str],
) -> None:
    """Only rows of those buckets whose sums differ travel."""
    keyed = any(column.key for column in old) and all(a.key == b.key for a, b in zip(old, new, strict=True))
    key_old = [column for column in old if column.key] if keyed else old
    key_new = [column for column in new if column.key] if keyed else new
    sums = [_buckets(before, table, key_old, old), _buckets(after, table, key_new, new)]
    buckets = sorted(b for b in sums[0].keys() | sums[1].keys() if sums[0].get(b) != sums[1].get(b))
    left = _fetch(before, table, key_old, old, buckets)
    right = _fetch(after, table, key_new, new, buckets)
    if not keyed:
        gone, come = Counter(left.values()), Counter(right.values())
        told.lost, told.added = (gone - come).total(), (come - gone).total()
        if told.lost == told.added and told.lost:
            told.changed, told.lost, told.added = told.lost, 0, 0
            told.changed_columns = tuple(differing)
            told.detail = "no primary key: rows are told apart by their content"
        return
    lost, added = left.keys() - right.keys(), right.keys() - left.keys()
    told.lost, told.added = len(lost), len(added)
    changed = [key for key in left.keys() & right.keys() if left[key] != right[key]]
    told.changed = len(changed)
    if lost or added:  # sums over all rows then differ everywhere: look at the changed rows alone
        told.changed_columns = _columns_of(before, after, table, key_old, key_new, old, new, changed[:_SAMPLE])
        if len(changed) > _SAMPLE:
            told.detail = f"columns seen in {_SAMPLE} of the rows"
    elif changed:
        told.changed_columns = tuple(differing)
    names = ", ".join(column.name for column in key_old)
    told.example_lost = f"e.g. {names} = {min(lost)}" if lost else ""
    told.example_added = f"e.g. {names} = {min(added)}" if added else ""


def _columns_of(
    before: Connection,
    after: Connection,
    table: str,
    key_old: list[Column],
    key_new: list[Column],
    old: list[Column],
    new: list[Column],
    keys: list[str | int],
) -> tuple[str, ...]:
    """Columns that differ in the rows with these keys."""
    if not keys:
        return ()
    wanted = ", ".join("'" + str(key).replace("'", "''") + "'" for key in keys)
    sides = []
    for line, key, columns in ((before, key_old, old), (after, key_new, new)):
        hashes = ", ".join(row_hash([column], line.major) for column in columns)
        found = line.rows(f"SELECT {_shown(key)}, {hashes} FROM ONLY {table} t WHERE {_shown(key)} IN ({wanted})")
        sides.append({row[0]: row[1:] for row in found})
    pairs = [(values, sides[1][key]) for key, values in sides[0].items() if key in sides[1]]
    return tuple(column.name for i, column in enumerate(old) if any(a[i] != b[i] for a, b in pairs))


def _shown(key: list[Column]) -> str:
    """The key as a person reads it."""
    return " || ', ' || ".join(f"coalesce(t.{column.quoted}::text, 'null')" for column in key)


def _buckets(line: Connection, table: str, key: list[Column], columns: list[Column]) -> dict[int, tuple[int, str]]:
    found = line.rows(
        f"SELECT mod({row_hash(key, line.major)}, {_BUCKETS}) AS b, count(*), sum({row_hash(columns, line.major)})::text"
        f" FROM ONLY {table} t GROUP BY 1"
    )
    return {int(str(b)): (int(str(count)), str(hashed)) for b, count, hashed in found}


def _fetch(
    line: Connection, table: str, key: list[Column], columns: list[Column], buckets: list[int]
) -> dict[str | int, object]:
    """Rows of ``buckets`` as ``key -> hash``; numbered where the key is the whole row."""
    if not buckets:
        return {}
    named = key is not columns
    shown = _shown(key) if named else "''"
    dense = len(buckets) > _BUCKETS // 2
    where = "" if dense else f" WHERE mod({row_hash(key, line.major)}, {_BUCKETS}) IN ({', '.join(map(str, buckets))})"
    found = line.lines(f"SELECT {row_hash(columns, line.major)}, {shown} FROM ONLY {table} t{where}")
    if named:
        pairs = (row.partition(b"\t") for row in found)
        return {key.decode("utf-8", "replace"): hashed for hashed, _, key in pairs}
    return dict(enumerate(found))
