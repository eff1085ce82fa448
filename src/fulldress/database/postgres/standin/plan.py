"""Which number each column of a made-up row draws, so that keys are unique, references find their row and statistics agree.

A row has a number ``g`` from 0 on. A column draws ``k``, a function of ``g``: ``g`` itself (unique), a digit of ``g`` in a
mixed radix (a key of several columns), a step function (values in the order of the disk) or a hash (scattered). A foreign
key draws one ``k`` for all of its columns: the number of a row there.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import msgspec

from fulldress.database.postgres.standin import bounds as conditions
from fulldress.database.postgres.standin import values
from fulldress.database.postgres.standin.bounds import Bounds
from fulldress.database.postgres.standin.form import Column, Key, Reference, Table, Type
from fulldress.patterns import regex

_SPARSE = 20  #: rows a value from which on a hash reaches all values
_WORD = regex(r"\w+")
_ORDERED = 0.9  #: from this correlation on values follow the order on disk


class Unit(msgspec.Struct, kw_only=True):
    """What is drawn at once: one column, or the columns of a foreign key."""

    columns: tuple[str, ...]
    room: int  #: different values there can be
    distinct: int  #: different values there should be
    null_fraction: float = 0.0
    reference: Reference | None = None
    mode: str = ""  #: unique, digit, ordered, scattered
    stride: int = 1  #: of a digit
    descending: bool = False
    early: bool = False  #: a reference into a table that is not there yet, the table itself for one


class Filling(msgspec.Struct, kw_only=True):
    """The plan for one table."""

    table: Table
    rows: int
    wanted: int
    units: list[Unit]
    bounds: dict[str, Bounds]
    unassured: list[Key]  #: keys that rows may break; doubles are deleted afterwards
    unmet: list[str]  #: references that could not be planned, in words
    digits: list[list[Unit]]  #: of each key of several columns, what it draws
    hopeless: str = ""  #: why there can be no rows at all

    def unit(self, column: str) -> Unit:
        return next(one for one in self.units if column in one.columns)


def filling(
    table: Table, rows: int, types: Mapping[str, Type], counts: Mapping[str, int], early: Sequence[str]
) -> Filling:
    """``counts``: rows planned for every table that may be referred to. ``early``: names of references to tables that are
    filled later."""
    columns = [one for one in table.columns if not one.generated]
    bounds = conditions.read([*table.checks, *([table.bound] if table.bound else [])])
    for column in columns:
        _add_domain(column, types, bounds)
    plan = Filling(table=table, rows=rows, wanted=rows, units=[], bounds=bounds, unassured=[], unmet=[], digits=[])
    taken: set[str] = set()
    by_name = {one.name: one for one in columns}
    for reference in sorted(table.references, key=lambda one: (-len(one.columns), one.name)):
        if taken & set(reference.columns):
            if not set(reference.columns) <= taken:
                plan.unmet.append(f"foreign key {reference.name}: it shares columns with another one")
            continue
        taken |= set(reference.columns)
        plan.units.append(_referring(reference, by_name, rows, counts, reference.name in early, table.name))
        bound = any(by_name[name].not_null for name in reference.columns)
        if rows and bound and reference.table != table.name and not counts.get(reference.table, 0):
            plan.hopeless = f"table {reference.table}, which it refers to, is empty"
    for column in columns:
        if column.name not in taken:
            plan.units.append(_single(column, rows, types, bounds.get(column.name, Bounds())))
    for key in sorted(table.keys, key=lambda one: (len(one.parts), one.name)):
        _make_unique(plan, key)
    for unit in plan.units:
        if not unit.mode:
            first = by_name[unit.columns[0]]
            unit.mode = "ordered" if abs(first.correlation or 0) > _ORDERED else "scattered"
            unit.descending = (first.correlation or 0) < 0
    return plan


def base_of(column: Column, types: Mapping[str, Type]) -> tuple[Type, str]:
    """The type that a column's values are made of, and its full name: a domain's base, with the modifier."""
    kind = types.get(column.type, Type(name=column.full, kind="b"))
    full = column.full
    while kind.kind == "d" and kind.base in types:
        base = types[kind.base]
        full = base.name + _modifier(base.name, kind.modifier)
        kind = base
    return kind, full


def _modifier(name: str, modifier: int) -> str:
    if modifier < 4:
        return ""
    if name == "numeric":
        return f"({(modifier - 4) >> 16 & 0xFFFF},{(modifier - 4) & 0x7FF})"
    return f"({modifier - 4})" if name in ("character varying", "character") else ""


def _add_domain(column: Column, types: Mapping[str, Type], bounds: dict[str, Bounds]) -> None:
    kind = types.get(column.type)
    while kind is not None and kind.kind == "d":
        said = conditions.read(kind.checks).get("value")
        if said is not None and column.name not in bounds:
            bounds[column.name] = said
        kind = types.get(kind.base)


def _distinct(column: Column, rows: int, room: int) -> int:
    said = column.distinct
    wanted = rows if said is None else said if said > 0 else -said * rows
    return max(1, min(int(wanted) or 1, room, max(rows, 1)))


def _nulls(column: Column) -> float:
    return 0.0 if column.not_null else column.null_fraction or 0.0


def _referring(
    reference: Reference, columns: Mapping[str, Column], rows: int, counts: Mapping[str, int], early: bool, own: str
) -> Unit:
    first = columns[reference.columns[0]]
    there = rows if reference.table == own else counts.get(reference.table, 0)
    return Unit(
        columns=reference.columns,
        room=max(there, 1),
        distinct=_distinct(first, rows, max(there, 1)),
        null_fraction=max(_nulls(columns[name]) for name in reference.columns) if there or early else 1.0,
        reference=reference,
        early=early,
    )


def _single(column: Column, rows: int, types: Mapping[str, Type], bounds: Bounds) -> Unit:
    kind, full = base_of(column, types)
    room = values.room(kind, full, bounds)
    nulls = 0.0 if bounds.not_null else _nulls(column)
    return Unit(columns=(column.name,), room=room, distinct=_distinct(column, rows, room), null_fraction=nulls)


def _make_unique(plan: Filling, key: Key) -> None:
    if not key.columns or any(all(name not in one.columns for one in plan.units) for name in key.columns):
        plan.unassured.append(key)  # an expression, or a generated column
        named = set(_WORD.findall(" ".join(key.parts)))
        free = [one for one in plan.units if not one.mode and not one.reference and one.room >= plan.rows]
        for unit in [one for one in free if named & set(one.columns)][: 0 if key.where else 1]:
            unit.mode = "unique"
        return
    units: list[Unit] = []
    for name in key.columns:
        unit = plan.unit(name)
        if unit not in units:
            units.append(unit)
    if any(unit.mode == "unique" for unit in units):
        return
    if key.where or any(unit.mode for unit in units):
        free = [unit for unit in units if not unit.mode and not unit.reference and unit.room >= plan.rows]
        if free and not key.where:
            free[0].mode = "unique"
        else:
            plan.unassured.append(key)
        return
    if len(units) == 1:
        units[0].mode = "unique"
        units[0].distinct = units[0].room
        plan.rows = min(plan.rows, units[0].room)
        return
    plan.digits.append(units)
    plan.rows = min(plan.rows, _make_digits(units, plan.rows))


def enlarge(plan: Filling, tries: int) -> None:
    """Keys of several columns with room for so many candidates, where there is such room."""
    for units in plan.digits:
        _make_digits(units, tries)


def _make_digits(units: list[Unit], rows: int) -> int:
    """Room for ``rows`` rows; returns how many there is for. First columns of their own get more values than the statistics say, then references."""
    ordered = sorted(units, key=lambda one: (one.reference is not None, -one.room))
    for unit in ordered:
        others = 1
        for other in units:
            others *= other.distinct if other is not unit else 1
        if others * unit.distinct < rows:
            unit.distinct = min(unit.room, -(-rows // others))
    stride = 1
    for unit in sorted(units, key=lambda one: -one.distinct):
        unit.mode, unit.stride = "digit", stride
        stride *= unit.distinct
    return stride


# -- as SQL ---------------------------------------------------------------------------------------------------------


def drawn(unit: Unit, rows: int, salt: int, g: str, there: int | None = None) -> str:
    """``k`` of the row ``g``, an expression of type bigint. ``there``: rows of the table referred to, once it is filled."""
    distinct = max(1, min(unit.distinct, there) if there is not None else unit.distinct)
    if unit.mode == "unique":
        return f"({g})"
    if unit.mode == "digit":
        return f"(({g}) / {unit.stride} % {distinct})"
    if unit.mode == "ordered":
        step = f"(({g}) * {distinct} / {max(rows, 1)})"
        step = f"({distinct - 1} - {step})" if unit.descending else step
    elif distinct * _SPARSE <= rows:
        step = f"({hashed(g, salt)} % {distinct})"
    else:
        step = (
            f"(({g}) * {_multiplier(distinct, salt)} % {distinct})"  # a hash would hit some values twice, others never
        )
    if there and there > distinct:
        step = f"({step} * {there // distinct})"  # all over the table referred to, not its first rows alone
    return step


def _multiplier(distinct: int, salt: int) -> int:
    """Coprime to ``distinct``, so that its multiples reach every remainder, in an order of their own for each ``salt``."""
    factor = distinct // 3 + salt % max(1, distinct // 3)
    while math.gcd(factor, distinct) != 1:
        factor += 1
    return factor


def hashed(g: str, salt: int) -> str:
    """A number from 0 on that follows from ``g`` and ``salt`` alone; hashint8extended is there from PostgreSQL 11 on."""
    return f"(hashint8extended({g}, {salt}) & 9223372036854775807)"


def salt_of(seed: int, *names: str) -> int:
    return zlib.crc32("/".join((str(seed), *names)).encode())
