"""Whether a MariaDB or MySQL database is what it was before: schema, every row, every counter.

DDL is not transactional here, so a rollback is only as good as its scripts, or a copy: this is the way to know.
A table's rows are summed up by the server as 64 bits of an MD5 of every column's text, independent of the order of rows
and columns; of tables whose sums differ, the rows of the differing buckets are fetched. Both copies lie on one server.
"""

from __future__ import annotations

from fulldress.database import differences
from fulldress.database.differences import ByKey, Fingerprint, Row, Table, Told
from fulldress.database.mysql import schema
from fulldress.database.mysql.clone import Clone, quote
from fulldress.database.mysql.wire import Connection
from fulldress.facts import Difference

_BUCKETS = 65536
_TEXT = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json"}


class Column:
    """A column and the expression of its bytes as a client sees them. ``key``: part of the primary key."""

    def __init__(self, name: str, kind: str, key: bool) -> None:
        self.name = name
        self.kind = kind
        self.key = key

    @property
    def value(self) -> str:
        quoted = quote(self.name)
        if self.kind in _TEXT:
            return f"CAST(CONVERT({quoted} USING utf8mb4) AS BINARY)"  # its letters, in whichever set they are stored
        if self.kind == "float":
            return f"CAST({quoted} + 0e0 AS BINARY)"  # its text is shorter than its value
        if self.kind == "bit":
            return f"CAST({quoted} + 0 AS BINARY)"
        return f"CAST({quoted} AS BINARY)"


def fingerprint(clone: Clone) -> Fingerprint:
    """Read every row once."""
    with clone.session() as line:
        line.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        found = {}
        for table in schema.tables(line):
            listed = columns(line, table)
            ((count, total),) = line.texts(f"SELECT count(*), coalesce(sum({_hash(listed)}), 0) FROM {quote(table)}")
            found[table] = Table(count=int(count), total=total, columns=tuple(column.name for column in listed))
        return Fingerprint(schema=schema.read(line, clone.name), tables=found, sequences=schema.sequences(line))


def compare(before: Clone | Fingerprint, after: Clone | Fingerprint) -> list[Difference]:
    """What is not as it was. Two clones give columns and counts of rows; a fingerprint on either side gives less."""
    old = before if isinstance(before, Fingerprint) else fingerprint(before)
    new = after if isinstance(after, Fingerprint) else fingerprint(after)
    if isinstance(before, Clone) and isinstance(after, Clone):
        clones = (before, after)

        def look(table: str) -> Told:
            if old.tables[table] == new.tables[table]:
                return Told(count_before=old.tables[table].count, count_after=new.tables[table].count)
            return _look(table, *clones)

        return differences.compare(old, new, look)
    return differences.compare(old, new)


def columns(line: Connection, table: str) -> list[Column]:
    """Columns of a table by name."""
    quoted = table.replace("\\", "\\\\").replace("'", "''")
    return [
        Column(name, kind.lower(), key == "PRI")
        for name, kind, key in line.texts(
            "SELECT column_name, data_type, column_key FROM information_schema.columns"
            f" WHERE table_schema = database() AND table_name = '{quoted}' ORDER BY CAST(column_name AS BINARY)"
        )
    ]


def _hash(listed: list[Column]) -> str:
    """64 bits of a row: each value with its length, so that values do not run into each other; NULL is no length."""
    parts = [f"coalesce(concat(length({c.value}), ':', {c.value}), 'N')" for c in listed] or ["''"]
    return f"CAST(conv(left(md5(concat({', '.join(parts)})), 16), 16, 10) AS DECIMAL(20, 0))"


def _look(table: str, before: Clone, after: Clone) -> Told:
    told = Told()
    with before.session() as left, after.session() as right:
        old, new = columns(left, table), columns(right, table)
        was, is_ = _values(left, table, old), _values(right, table, new)
        told.count_before, told.count_after = was.pop(""), is_.pop("")
        kept = differences.columns(told, was, is_)
        sides = [[column for column in listed if column.name in kept] for listed in (old, new)]
        keys = [[column for column in side if column.key] for side in sides]
        keyed = bool(keys[0]) and [c.name for c in keys[0]] == [c.name for c in keys[1]]
        keyed = keyed and all(column.name in kept for column in [*old, *new] if column.key)
        names = [column.name for column in sides[0]]
        if not keyed:
            keys = sides
        sums = [
            _buckets(line, table, *one) for line, one in zip((left, right), zip(keys, sides, strict=True), strict=True)
        ]
        wanted = sorted(b for b in sums[0].keys() | sums[1].keys() if sums[0].get(b) != sums[1].get(b))
        if sum(one.get(b, (0, ""))[0] for one in sums for b in wanted) > 2 * differences.LIMIT:
            told.lost = max(told.count_before - told.count_after, 0)
            told.added = max(told.count_after - told.count_before, 0)
            told.detail = f"more than {differences.LIMIT:,} rows differ: they were not compared one by one"
            return told
        rows = [
            _fetch(line, table, key, side, wanted) for line, key, side in zip((left, right), keys, sides, strict=True)
        ]
    if not keyed:
        differences.by_content(told, names, rows[0], rows[1])
        return told
    matched = ByKey(told, [column.name for column in keys[0]], names)
    matched.add(rows[0], rows[1])
    return matched.finish()


def _values(line: Connection, table: str, listed: list[Column]) -> dict[str, int]:
    """Values that are not null per column; rows of the table under the empty name."""
    counts = ", ".join(["count(*)", *(f"count({quote(column.name)})" for column in listed)])
    (row,) = line.texts(f"SELECT {counts} FROM {quote(table)}")
    return dict(zip(["", *(column.name for column in listed)], map(int, row), strict=True))


def _buckets(line: Connection, table: str, key: list[Column], listed: list[Column]) -> dict[int, tuple[int, str]]:
    words = f"SELECT mod({_hash(key)}, {_BUCKETS}) AS b, count(*), sum({_hash(listed)}) FROM {quote(table)} GROUP BY 1"
    return {int(bucket): (int(count), total) for bucket, count, total in line.texts(words)}


def _fetch(line: Connection, table: str, key: list[Column], listed: list[Column], wanted: list[int]) -> list[Row]:
    if not wanted:
        return []
    dense = len(wanted) > _BUCKETS // 2
    where = "" if dense else f" WHERE mod({_hash(key)}, {_BUCKETS}) IN ({', '.join(map(str, wanted))})"
    values = ", ".join(column.value for column in listed) or "1"
    return list(line.rows(f"SELECT {values} FROM {quote(table)}{where}"))
