"""Whether a database is what it was before: schema, every row, every sequence.

A table's rows are summed up as ``sum(hash_record_extended(row))``: independent of the order of rows and of columns, and
read at the speed of a scan. The record hash is blind to some differences (numeric 1.0 and 1.00, jsonb, float -0 and 0,
interval '1 day' and '24 hours'), and knows none of json, xml or points; columns of such types are cast to text first.
What is proven so is equality of the bytes that a client would see (``byte``).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fulldress.database.postgres import rows, schema
from fulldress.database.postgres.clone import Clone
from fulldress.facts import Difference, Evidence, Witness, excerpt


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Number of rows, and the sum of their hashes over all columns by name."""

    count: int
    total: str
    columns: tuple[str, ...]


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """What two states of a database are compared by."""

    schema: dict[str, str]  #: ``column orders.total`` -> definition
    tables: dict[str, Table]
    sequences: dict[str, tuple[str, int | None]]
    large_objects: int = 0


def fingerprint(clone: Clone) -> Fingerprint:
    """Read every row once. About half a million rows a second and core."""
    with clone.session() as line:
        line.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        described = schema.read(line)
        tables = {}
        for name, columns in rows.tables(line).items():
            count, total = rows.total(line, name, columns)
            tables[name] = Table(count=count, total=total, columns=tuple(column.name for column in columns))
        objects = line.rows("SELECT count(*) FROM pg_largeobject_metadata")[0][0]
        return Fingerprint(
            schema={f"{kind} {name}": text for (kind, name), text in described.items()},
            tables=tables,
            sequences=schema.sequences(line),
            large_objects=int(str(objects)),
        )


def compare(before: Clone | Fingerprint, after: Clone | Fingerprint) -> list[Difference]:
    """What is not as it was. Two clones give columns and counts of rows; a fingerprint on either side gives less.

    Every table that *is* as it was yields a difference of kind ``none`` with its number of rows: the proof itself.
    """
    old = before if isinstance(before, Fingerprint) else fingerprint(before)
    new = after if isinstance(after, Fingerprint) else fingerprint(after)
    clones = (before, after) if isinstance(before, Clone) and isinstance(after, Clone) else None
    found = [*_tables(old, new, clones), *_schema(old.schema, new.schema), *_sequences(old.sequences, new.sequences)]
    if old.large_objects != new.large_objects:
        lost = old.large_objects - new.large_objects
        kind = "rows lost" if lost > 0 else "rows added"
        found.append(_difference("large objects", kind, abs(lost)))
    return found


def _tables(old: Fingerprint, new: Fingerprint, clones: tuple[Clone, Clone] | None) -> list[Difference]:
    found: list[Difference] = []
    for name in sorted(old.tables.keys() | new.tables.keys()):
        was, is_ = old.tables.get(name), new.tables.get(name)
        if is_ is None and was is not None and was.count:
            found.append(_difference(name, "rows lost", was.count, detail="the table is gone", equality="byte"))
        elif was is None and is_ is not None and is_.count:
            found.append(_difference(name, "rows added", is_.count, detail="the table was not there", equality="byte"))
        elif was is not None and is_ is not None:
            if was == is_:
                found.append(_difference(name, "none", was.count, equality="byte"))
            elif clones is not None:
                found += _rows(name, clones)
            else:
                found += _sums(name, was, is_)
    return found


def _sums(name: str, was: Table, is_: Table) -> list[Difference]:
    """All that two fingerprints can tell."""
    gone = tuple(column for column in was.columns if column not in is_.columns)
    more = tuple(column for column in is_.columns if column not in was.columns)
    if gone:
        return [_difference(name, "column lost", was.count, gone, equality="byte")]
    if more:
        return [_difference(name, "rows changed", is_.count, more, "columns that were not there", "byte")]
    if was.count > is_.count:
        return [_difference(name, "rows lost", was.count - is_.count, equality="byte")]
    if was.count < is_.count:
        return [_difference(name, "rows added", is_.count - was.count, equality="byte")]
    return [_difference(name, "rows changed", None, detail="how many was not counted", equality="byte")]


def _rows(name: str, clones: tuple[Clone, Clone]) -> list[Difference]:
    with clones[0].session() as left, clones[1].session() as right:
        told = rows.compare(left, right, name)
    found: list[Difference] = []
    for column, (count, detail) in told.lost_columns.items():
        found.append(_difference(name, "column lost", count, (column,), detail, "byte"))
    if told.lost:
        found.append(_difference(name, "rows lost", told.lost, detail=told.example_lost, equality="byte"))
    if told.added:
        found.append(_difference(name, "rows added", told.added, detail=told.example_added, equality="byte"))
    if told.changed:
        found.append(_difference(name, "rows changed", told.changed, told.changed_columns, told.detail, "byte"))
    if told.new_columns:
        detail = "columns that were not there"
        found.append(_difference(name, "rows changed", told.count_after, told.new_columns, detail, "byte"))
    if not found:
        detail = told.detail or "differs, in what could not be told"
        found.append(_difference(name, "rows changed", None, detail=detail, equality="byte"))
    return found


def _schema(old: Mapping[str, str], new: Mapping[str, str]) -> list[Difference]:
    """Objects that are gone, new or another. Columns and constraints of a table that is gone are not repeated."""
    found = []
    whole = ("table ", "view ")
    gone = {name.partition(" ")[2] for name in old if name.startswith(whole) and name not in new}
    fresh = {name.partition(" ")[2] for name in new if name.startswith(whole) and name not in old}
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            continue
        rest = name.partition(" ")[2].removeprefix("and privileges ")
        table = rest.split(" ")[0]
        part = not name.startswith(whole) and (
            any(table == t or table.startswith(t + ".") for t in gone | fresh)
            or any(f" ON {t} " in (old.get(name, "") + new.get(name, "")) for t in gone | fresh)
        )
        if part:
            continue
        if name not in new:
            detail = f"gone: {old[name]}"
        elif name not in old:
            detail = f"was not there: {new[name]}"
        else:
            detail = f"was: {old[name]}; is: {new[name]}"
        found.append(_difference(name, "schema", detail=excerpt(detail, 300)))
    return found


def _sequences(
    old: Mapping[str, tuple[str, int | None]], new: Mapping[str, tuple[str, int | None]]
) -> list[Difference]:
    found = []
    for name in sorted(old.keys() | new.keys()):
        was, is_ = old.get(name), new.get(name)
        if was == is_:
            continue
        if was is None or is_ is None:
            found.append(_difference(name, "sequence", detail="gone" if is_ is None else "was not there"))
        elif was[0] != is_[0]:
            found.append(_difference(name, "sequence", detail=f"was: {was[0]}; is: {is_[0]}"))
        else:
            found.append(_difference(name, "sequence", detail=f"last value was {was[1]}, is {is_[1]}"))
    return found


def _difference(
    name: str,
    kind: str,
    count: int | None = None,
    columns: tuple[str, ...] = (),
    detail: str = "",
    equality: str = "",
) -> Difference:
    plain = name.removeprefix("public.")
    return Difference(
        witness=Witness.OBSERVED,
        evidence=Evidence(table=plain),
        object=plain,
        kind=kind,
        rows=count,
        columns=columns,
        detail=detail,
        equality=equality,
    )
