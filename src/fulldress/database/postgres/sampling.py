"""A smaller copy of a clone in which every foreign key still holds.

Rows are chosen by a hash of their primary key, so the same seed chooses the same rows. A table whose every row belongs to one
of another (a foreign key over columns that are never NULL) follows it: lines of the orders that are kept, not a tenth of the
lines of all orders. Rows that a kept row refers to are then kept too, until nothing is missing. Tables of up to ``SMALL`` rows
(lists of countries, records of migrations) stay whole. How much of each table is left is measured, not assumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fulldress.database.postgres.clone import Clone, quote
from fulldress.database.postgres.wire import Connection

SMALL = 1000  #: rows
_GRAIN = 1_000_000  #: parts that the hash divides rows into
_UNITS = """SELECT c.oid::int8, c.oid::regclass::text, coalesce((SELECT string_agg(a.attname::text, E'\\n' ORDER BY a.attnum)
        FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
       WHERE i.indrelid = c.oid AND i.indisprimary), '')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid)
 ORDER BY 1"""
_KEYS = """SELECT o.conrelid::int8, o.confrelid::int8,
       (SELECT string_agg(a.attname::text, E'\\n' ORDER BY k.n) FROM unnest(o.conkey) WITH ORDINALITY k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.attnum),
       (SELECT string_agg(a.attname::text, E'\\n' ORDER BY k.n) FROM unnest(o.confkey) WITH ORDINALITY k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.attnum),
       (SELECT bool_and(a.attnotnull) FROM pg_attribute a WHERE a.attrelid = o.conrelid AND a.attnum = ANY (o.conkey))
  FROM pg_constraint o WHERE o.contype = 'f' AND o.conparentid = 0 ORDER BY o.oid"""


@dataclass
class _Unit:
    oid: int
    name: str
    keys: list[str]
    rows: int = 0
    follows: _Key | None = None

    @property
    def kept(self) -> str:
        return f"pg_temp.fulldress_kept_{self.oid}"


@dataclass
class _Key:
    child: _Unit
    parent: _Unit
    columns: list[str]
    others: list[str]
    never_null: bool

    def joined(self, child: str, parent: str) -> str:
        pairs = zip(self.columns, self.others, strict=True)
        return " AND ".join(f"{parent}.{quote(o)} = {child}.{quote(c)}" for c, o in pairs)


@dataclass
class _Plan:
    units: dict[int, _Unit]
    keys: list[_Key] = field(default_factory=list)

    @property
    def large(self) -> list[_Unit]:
        return [unit for unit in self.units.values() if unit.rows > SMALL]


def shrink(clone: Clone, share: float, seed: int = 1) -> dict[str, int]:
    """Leave about ``share`` of the rows of ``clone``, which is changed: give a copy. Rows left, by table."""
    with clone.session("fulldress-sampling") as line:
        line.query("SET session_replication_role = replica")  # no trigger of the product's, no check of a foreign key
        plan = _plan(line)
        for unit in _in_order(plan):
            _choose(line, unit, share, seed)
        _complete(line, plan)
        for unit in plan.large:
            gone = f"NOT EXISTS (SELECT FROM {unit.kept} k WHERE k.part = t.tableoid AND k.place = t.ctid)"
            line.query(f"DELETE FROM {unit.name} t WHERE {gone}")
            line.query(f"VACUUM (FULL) {unit.name}")
        line.query("ANALYZE")
        return rows(line)


def rows(line: Connection) -> dict[str, int]:
    """Rows of every table, counted."""
    return {str(name): _count(line, str(name)) for _, name, _ in line.rows(_UNITS)}


def _count(line: Connection, name: str) -> int:
    return int(str(line.rows(f"SELECT count(*) FROM {name}")[0][0]))


def _plan(line: Connection) -> _Plan:
    plan = _Plan(
        {
            int(str(oid)): _Unit(int(str(oid)), str(name), [key for key in str(keys).split("\n") if key])
            for oid, name, keys in line.rows(_UNITS)
        }
    )
    for unit in plan.units.values():
        unit.rows = _count(line, unit.name)
    for child, parent, columns, others, never_null in line.rows(_KEYS):
        one, other = plan.units.get(int(str(child))), plan.units.get(int(str(parent)))
        if one is not None and other is not None:
            plan.keys.append(_Key(one, other, str(columns).split("\n"), str(others).split("\n"), bool(never_null)))
    for unit in plan.large:
        able = [
            k for k in plan.keys if k.child is unit and k.never_null and k.parent.rows > SMALL and k.parent is not unit
        ]
        for key in sorted(able, key=lambda k: -k.parent.rows):
            if unit not in _ancestors(key.parent):
                unit.follows = key
                break
    return plan


def _ancestors(unit: _Unit) -> list[_Unit]:
    found = [unit]
    while found[-1].follows is not None:
        found.append(found[-1].follows.parent)
    return found


def _in_order(plan: _Plan) -> Iterator[_Unit]:
    """Whom others follow first."""
    yield from sorted(plan.large, key=lambda unit: len(_ancestors(unit)))


def _choose(line: Connection, unit: _Unit, share: float, seed: int) -> None:
    if unit.follows is not None:
        key = unit.follows
        condition = (
            f"EXISTS (SELECT FROM {key.parent.name} p JOIN {key.parent.kept} k ON k.part = p.tableoid AND k.place = p.ctid"
            f" WHERE {key.joined('t', 'p')})"
        )
    else:
        named = ", ".join(f"t.{quote(key)}" for key in unit.keys) or "t.ctid"
        hashed = f"hashtextextended(ROW({named})::text, {seed})"
        condition = f"({hashed} % {_GRAIN} + {_GRAIN}) % {_GRAIN} < {int(share * _GRAIN)}"
    line.query(
        f"CREATE TEMP TABLE fulldress_kept_{unit.oid} AS"
        f" SELECT t.tableoid AS part, t.ctid AS place FROM {unit.name} t WHERE {condition}"
    )
    line.query(f"ANALYZE {unit.kept}")


def _complete(line: Connection, plan: _Plan) -> None:
    """Keep what kept rows refer to. Each round adds rows or ends, so it ends."""
    keys = [key for key in plan.keys if key.parent.rows > SMALL]
    while True:
        added = 0
        for key in keys:
            child = key.child
            among = f"JOIN {child.kept} ck ON ck.part = c.tableoid AND ck.place = c.ctid" if child.rows > SMALL else ""
            reply = line.simple(
                f"INSERT INTO {key.parent.kept} SELECT DISTINCT p.tableoid, p.ctid FROM {key.parent.name} p"
                f" JOIN {child.name} c ON {key.joined('c', 'p')} {among}"
                f" WHERE NOT EXISTS (SELECT FROM {key.parent.kept} k WHERE k.part = p.tableoid AND k.place = p.ctid)"
            )
            if reply.error is not None:
                from fulldress.errors import QueryFailed

                raise QueryFailed(reply.error)
            added += reply.counted or 0
        if not added:
            return
