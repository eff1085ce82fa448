"""Whether a database is what it was before: every row, every object of the schema, sequences, large objects, roles.

What is proven of rows is equality of the bytes that a client would see (``byte``, the default), or of values
(``semantic``): see :mod:`~fulldress.database.postgres.rows`. Every table says which.
"""

from __future__ import annotations

import msgspec

from fulldress.database.postgres import bisection, largeobjects, rows, schema, schemadiff
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.rows import Equality
from fulldress.database.postgres.schema import Described, Sequence
from fulldress.facts import Difference, Evidence, Witness


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Number of rows, and the sum of their hashes over all columns by name."""

    count: int
    total: str
    columns: tuple[str, ...]
    equality: str = "byte"


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """What two states of a database are compared by. Roles belong to the server: compare them only where both states were
    read at different times, or on different servers."""

    schema: dict[str, Described]
    tables: dict[str, Table]
    sequences: dict[str, Sequence]
    orders: dict[str, list[str]] = {}
    large_objects: largeobjects.Sum = largeobjects.Sum()
    roles: dict[str, str] = {}


def fingerprint(clone: Clone, equality: Equality = "byte") -> Fingerprint:
    """Read every row once."""
    with clone.silent() as line:
        line.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        described = schema.read(line)
        tables = {}
        for name, columns in rows.tables(line).items():
            count, total = rows.total(line, name, columns, equality)
            tables[name] = Table(
                count=count,
                total=total,
                columns=tuple(column.name for column in columns),
                equality=rows.proven(columns, equality, line.major),
            )
        return Fingerprint(
            schema=described,
            tables=tables,
            sequences=schema.sequences(line),
            orders=schema.order(line),
            large_objects=largeobjects.total(line),
            roles=schema.roles(line),
        )


def compare(
    before: Clone | Fingerprint, after: Clone | Fingerprint, equality: Equality = "byte", *, roles: bool = False
) -> list[Difference]:
    """What is not as it was. Two clones give columns and rows by their keys; a fingerprint on either side gives less.

    Every table that *is* as it was yields a difference of kind ``none`` with its number of rows: the proof itself; what
    only looks otherwise is of kind ``note``. ``roles``: compare those of the servers, too."""
    old = before if isinstance(before, Fingerprint) else fingerprint(before, equality)
    new = after if isinstance(after, Fingerprint) else fingerprint(after, equality)
    clones = (before, after) if isinstance(before, Clone) and isinstance(after, Clone) else None
    told = schemadiff.compare(old.schema, new.schema, (old.sequences, new.sequences))
    told += schemadiff.orders(old.orders, new.orders)
    found = [*_tables(old, new, clones, equality), *_large_objects(old.large_objects, new.large_objects, clones)]
    found += [_difference(one.object, one.kind, detail=one.detail) for one in told]
    return [*found, *compare_roles(old.roles, new.roles)] if roles else found


def compare_roles(old: dict[str, str], new: dict[str, str]) -> list[Difference]:
    """Roles that are new, gone or able to do something else: no copy of a database holds them, so nothing restores them."""
    found = []
    for name in sorted(old.keys() | new.keys()):
        was, is_ = old.get(name), new.get(name)
        if was != is_:
            detail = "was not there" if was is None else "gone" if is_ is None else f"was: {was}; is: {is_}"
            found.append(_difference(f"role {name}", "schema", detail=detail))
    return found


def _tables(
    old: Fingerprint, new: Fingerprint, clones: tuple[Clone, Clone] | None, equality: Equality
) -> list[Difference]:
    found: list[Difference] = []
    for name in sorted(old.tables.keys() | new.tables.keys()):
        was, is_ = old.tables.get(name), new.tables.get(name)
        if is_ is None and was is not None and was.count:
            detail = "not populated" if f"view {name}" in new.schema else "the table is gone"
            found.append(_difference(name, "rows lost", was.count, detail=detail, equality=was.equality))
        elif was is None and is_ is not None and is_.count:
            detail = "the table was not there"
            found.append(_difference(name, "rows added", is_.count, detail=detail, equality=is_.equality))
        elif was is not None and is_ is not None:
            if (
                f"view {name}" in old.schema
                and f"view {name}" in new.schema
                and was.columns == is_.columns
                and was != is_
            ):
                words = f"a materialised view that was made anew: {was.count:,} rows, now {is_.count:,}"
                found.append(_difference(name, "note", is_.count, detail=words, equality=was.equality))
                continue
            # two empty tables are equal, whatever columns they have: that is the schema's business
            if was == is_ or not (was.count or is_.count):
                found.append(_difference(name, "none", was.count, equality=was.equality))
            elif clones is not None:
                found += _rows(name, clones, equality, "byte" if was.equality == is_.equality == "byte" else "semantic")
            else:
                found += _sums(name, was, is_)
    return found


def _sums(name: str, was: Table, is_: Table) -> list[Difference]:
    """All that two fingerprints can tell."""
    gone = tuple(column for column in was.columns if column not in is_.columns)
    more = tuple(column for column in is_.columns if column not in was.columns)
    if gone:
        return [_difference(name, "column lost", was.count, gone, equality=was.equality)]
    if more:
        return [_difference(name, "rows changed", is_.count, more, "columns that were not there", was.equality)]
    if was.count > is_.count:
        return [_difference(name, "rows lost", was.count - is_.count, equality=was.equality)]
    if was.count < is_.count:
        return [_difference(name, "rows added", is_.count - was.count, equality=was.equality)]
    return [_difference(name, "rows changed", None, detail="how many was not counted", equality=was.equality)]


def _rows(name: str, clones: tuple[Clone, Clone], equality: Equality, proven: str) -> list[Difference]:
    with clones[0].silent() as left, clones[1].silent() as right:
        told = bisection.compare(left, right, name, equality)
    found: list[Difference] = []
    for column, (count, detail) in told.lost_columns.items():
        found.append(_difference(name, "column lost", count, (column,), detail, proven))
    if told.lost:
        found.append(
            _difference(name, "rows lost", told.lost, (), _first(told, told.first_lost), proven, told.first_lost)
        )
    if told.added:
        words = _first(told, told.first_added)
        found.append(_difference(name, "rows added", told.added, (), words, proven, told.first_added))
    if told.changed:
        words = _first(told, told.first_changed)
        found.append(
            _difference(name, "rows changed", told.changed, told.changed_columns, words, proven, told.first_changed)
        )
    if told.new_columns:
        detail = "columns that were not there"
        found.append(_difference(name, "rows changed", told.count_after, told.new_columns, detail, proven))
    if not found:
        detail = told.detail or "differs, in what could not be told"
        found.append(_difference(name, "rows changed", None, detail=detail, equality=proven))
    return found


def _first(told: bisection.Told, first: tuple[str, ...]) -> str:
    example = f"e.g. {first[0]}" if first else ""
    return "; ".join(part for part in (told.detail, example) if part)


def _large_objects(
    was: largeobjects.Sum, is_: largeobjects.Sum, clones: tuple[Clone, Clone] | None
) -> list[Difference]:
    name = "large objects"
    if was == is_:
        return [_difference(name, "none", was.count, equality="byte")] if was.count else []
    if clones is None:
        number = was.count - is_.count
        kind = "rows lost" if number > 0 else "rows added" if number else "rows changed"
        return [_difference(name, kind, abs(number) or None, detail="by their number and the sum of their bytes")]
    with clones[0].silent() as left, clones[1].silent() as right:
        told = largeobjects.compare(left, right)
    found = []
    for kind, numbers, detail in (
        ("rows lost", told.lost, ""),
        ("rows added", told.added, ""),
        ("rows changed", told.changed, "other bytes"),
        ("schema", tuple(n for n in told.about if n not in told.changed), "another owner, privilege or comment"),
    ):
        if numbers:
            first = largeobjects.named(numbers)
            words = f"{detail}, e.g. {first[0]}" if detail else f"e.g. {first[0]}"
            found.append(_difference(name, kind, len(numbers), detail=words, equality="byte", first=first))
    return found


def _difference(
    name: str,
    kind: str,
    count: int | None = None,
    columns: tuple[str, ...] = (),
    detail: str = "",
    equality: str = "",
    first: tuple[str, ...] = (),
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
        first=first,
    )


def fingerprint_roles(clone: Clone) -> dict[str, str]:
    """Roles of the clone's server; see :func:`compare_roles`."""
    with clone.silent() as line:
        return schema.roles(line)
