"""Whether two runs of the same migrations came to the same end, apart from what no two runs have alike.

Bookkeeping tables hold the time at which a migration ran, and some migrations draw random keys. So two runs that nobody
disturbed are compared with each other first: where those two differ, a third is not held to it.
"""

from __future__ import annotations

from collections.abc import Callable

from fulldress.database.postgres import proof
from fulldress.database.postgres.clone import Clone
from fulldress.facts import Difference

#: Kinds that are no difference of what a database means: equal, advanced, only looks otherwise.
_ALIKE = ("none", "sequence", "note")


def effects(before: Clone | proof.Fingerprint, after: Clone | proof.Fingerprint) -> list[Difference]:
    """What is really another: tables, columns, rows, objects of the schema."""
    return [one for one in proof.compare(before, after) if one.kind not in _ALIKE]


class Likeness:
    """``first`` and ``second``: two databases in which the same was done undisturbed. ``first`` has to
    stay; ``end`` is its fingerprint as it was right after its run."""

    def __init__(self, first: Clone, end: proof.Fingerprint, second: Clone) -> None:
        self.first = first
        self._end = end
        self._columns: dict[str, set[str]] = {}
        self._rows: set[str] = set()
        self._others: set[tuple[str, str]] = set()
        quick = {one.object for one in effects(self._end, proof.fingerprint(second))}
        for one in effects(first, second) if quick else ():
            if one.object not in quick:
                continue
            if one.kind == "rows changed" and one.columns:
                self._columns.setdefault(one.object, set()).update(one.columns)
            elif one.kind in ("rows lost", "rows added", "rows changed"):
                self._rows.add(one.object)
            else:
                self._others.add((one.object, one.kind))

    @property
    def varying(self) -> tuple[str, ...]:
        """Tables, with their columns, that differ from run to run: ``schema_migrations (applied)``."""
        named = [f"{table} ({', '.join(sorted(columns))})" for table, columns in self._columns.items()]
        return tuple(sorted([*named, *self._rows, *(name for name, _ in self._others)]))

    def differences(self, other: Clone) -> list[Difference]:
        """In what ``other`` ended elsewhere."""
        told = {one.object for one in effects(self._end, proof.fingerprint(other))}
        if not told:
            return []
        # row by row: which columns. Roles of the first run may have other names by now, which is none of its objects' doing
        found = [one for one in effects(self.first, other) if one.object in told]
        return [one for one in found if not self._expected(one, found)]

    def _expected(self, one: Difference, every: list[Difference]) -> bool:
        if one.kind == "rows changed" and one.columns and set(one.columns) <= self._columns.get(one.object, set()):
            return True
        if one.object in self._rows and one.kind.startswith("rows "):
            counts = {kind: sum(d.rows or 0 for d in every if d.object == one.object and d.kind == kind)
                      for kind in ("rows lost", "rows added")}  # fmt: skip
            return counts["rows lost"] == counts["rows added"]
        return (one.object, one.kind) in self._others


def words(found: list[Difference], most: int = 3) -> str:
    """``orders: rows added 3; column t.x: schema; and 2 more``."""
    shown = "; ".join(_words(one) for one in found[:most])
    return f"{shown}; and {len(found) - most} more" if len(found) > most else shown


def _words(one: Difference) -> str:
    count = f" {one.rows:,}" if one.rows else ""
    columns = f" ({', '.join(one.columns)})" if one.columns else ""
    detail = f" ({one.detail})" if one.detail and one.kind == "schema" else ""
    return f"{one.object}: {one.kind}{count}{columns}{detail}"


Copies = Callable[[str], Clone]
"""Gives a fresh copy, under that name, of the database as it is before the upgrade."""
