"""How much room the migrations need at their worst moment, from the trace and from the sizes of what they rewrote.

A rewrite keeps the old file until its transaction ends, and whether two statements share one is not asked: what all
statements of one migration write anew is added up, an upper bound that is reached where it is one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from fulldress.database.postgres.clone import Clone
from fulldress.facts import Evidence, Fact, Room, Witness, Work

_SIZES = """SELECT c.oid::regclass::text AS name, c.relkind::text AS kind,
       CASE WHEN c.relkind = 'i' THEN pg_relation_size(c.oid) ELSE pg_total_relation_size(c.oid) END AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm', 'i') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"""


class Sizes(NamedTuple):
    """Bytes by name: of tables with their indexes and long values, and of indexes by themselves."""

    tables: dict[str, int]
    indexes: dict[str, int]


def sizes(clone: Clone) -> Sizes:
    with clone.session() as line:
        rows = [(str(name), str(kind), int(str(size))) for name, kind, size in line.rows(_SIZES)]
    return Sizes(
        {name: size for name, kind, size in rows if kind != "i"},
        {name: size for name, kind, size in rows if kind == "i"},
    )


def room(
    facts: Iterable[Fact],
    before: Sizes,
    after: Sizes,
    *,
    free: int | None = None,
    temp_limit: int | None = None,
    scale: float = 1.0,
    basis: str = "the sizes on the copy",
) -> list[Room]:
    """``scale``: production's size divided by the copy's. ``free``: bytes free where production's data lies."""
    works = [fact for fact in facts if isinstance(fact, Work)]
    anew: dict[str, list[tuple[int, str]]] = defaultdict(list)
    rewritten: set[str] = set()
    grown: list[tuple[int, str]] = []
    for work in works:
        for table in work.rewritten:
            anew[work.migration].append((after.tables.get(table, before.tables.get(table, 0)), work.statement))
            rewritten.add(table)
        for built in work.built:
            index, _, table = built.partition(" on ")
            if table in work.rewritten:
                continue  # its size is in the table's
            if index in before.indexes:  # built anew beside itself
                anew[work.migration].append((after.indexes.get(index, 0), work.statement))
            else:
                grown.append((after.indexes.get(index, 0), work.statement))
    growth = sum(
        max(size - before.tables.get(name, 0), 0) for name, size in after.tables.items() if name not in rewritten
    )
    totals = {migration: sum(size for size, _ in parts) for migration, parts in anew.items()}
    worst = max(totals, key=lambda one: totals[one], default="")
    wal = [(work.wal_bytes or 0, work.statement) for work in works]
    temp = [(work.temp_bytes or 0, work.statement) for work in works]
    needed = int((totals.get(worst, 0) + growth) * scale)
    found = [
        _room("data", needed, free, worst, basis, anew.get(worst, []) + grown),
        _room("wal", int(sum(size for size, _ in wal) * scale), free, "", basis, wal),
    ]
    if any(size for size, _ in temp):
        limit = min((one for one in (free, temp_limit) if one is not None), default=None)
        found.append(_room("temp", int(max(temp)[0] * scale), limit, "", basis, temp))
    return found


def _room(what: str, needed: int, free: int | None, migration: str, basis: str, spent: list[tuple[int, str]]) -> Room:
    largest = sorted(((size, text) for size, text in spent if size), reverse=True)[:3]
    return Room(
        witness=Witness.OBSERVED,
        evidence=Evidence(path=migration, step="space"),
        what=what,
        needed=needed,
        free=free,
        migration=migration,
        basis=basis,
        largest=tuple(dict.fromkeys(text for _, text in largest)),
    )
