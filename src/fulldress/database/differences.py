"""From two states of a database to what is not as it was, whichever engine.

An engine reads fingerprints (schema as text per object, count and sum of hashes per table) and, for a table whose sums
differ, the rows of the differing buckets; this module tells them apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from fulldress.facts import Difference, Evidence, Witness, excerpt

#: A row's values in the order of the columns compared, each as something that only equals what is the same to a client.
Row = tuple[object, ...]


class Exact(NamedTuple):
    """A value with its class: equal only to what is the same to a client, where ``1 == 1.0`` to Python."""

    kind: str
    value: object


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Number of rows, and the sum of their hashes over all columns by name."""

    count: int
    total: str
    columns: tuple[str, ...]


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """What two states of a database are compared by."""

    schema: dict[str, str]  #: ``column orders.total`` -> definition
    tables: dict[str, Table]
    sequences: dict[str, int] = {}  #: counters, by what they count for


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
    example_changed: str = ""
    detail: str = ""

    @property
    def same(self) -> bool:
        return not (
            self.lost
            or self.added
            or self.changed
            or self.changed_columns
            or self.lost_columns
            or self.new_columns
            or self.detail
        )


def columns(told: Told, old: Mapping[str, int], new: Mapping[str, int]) -> list[str]:
    """Columns that are gone, new or empty, by their numbers of values; returns those that can be compared row by row."""
    told.new_columns = tuple(name for name in new if name not in old)
    for name, values in old.items():
        if name not in new:
            told.lost_columns[name] = (values, "the column is gone")
        elif values and not new[name] and told.count_after:
            told.lost_columns[name] = (values, "the column is there, and empty in every row")
    return [name for name in old if name in new and name not in told.lost_columns]


#: Rows that wait for their like on the other side, in memory.
LIMIT = 4_000_000


class ByKey:
    """Rows of two states, matched by their primary key as they come, in whatever order; what is alike is let go."""

    def __init__(self, told: Told, key: Sequence[str], names: Sequence[str]) -> None:
        self.told = told
        self._key = key
        self._names = names
        self._places = [names.index(name) for name in key]
        self._left: dict[Row, Row] = {}
        self._right: dict[Row, Row] = {}
        self._different = [False] * len(names)
        self._changed: Row | None = None

    def add(self, left: Sequence[Row], right: Sequence[Row]) -> bool:
        """Take some rows of either side; False where too many wait in memory."""
        for rows, mine, other, turned in (
            (left, self._left, self._right, False),
            (right, self._right, self._left, True),
        ):
            for row in rows:
                key = tuple([row[at] for at in self._places])
                twin = other.pop(key, None)
                if twin is None:
                    mine[key] = row
                elif twin != row:
                    self._differs(key, *((row, twin) if turned else (twin, row)))
        return len(self._left) + len(self._right) <= LIMIT

    def _differs(self, key: Row, one: Row, other: Row) -> None:
        self.told.changed += 1
        if self._changed is None:
            self._changed = key
        for at, (a, b) in enumerate(zip(one, other, strict=True)):
            if a != b:
                self._different[at] = True

    def finish(self) -> Told:
        told = self.told
        told.lost, told.added = len(self._left), len(self._right)
        told.changed_columns = tuple(name for name, yes in zip(self._names, self._different, strict=True) if yes)
        told.example_lost = _example(self._key, self._left)
        told.example_added = _example(self._key, self._right)
        told.example_changed = _example(self._key, [self._changed] if self._changed is not None else [])
        return told


def by_content(told: Told, names: Sequence[str], left: Sequence[Row], right: Sequence[Row]) -> None:
    """The same without a primary key: a row is known by its content alone."""
    was, is_ = Counter(left), Counter(right)
    gone, come = was - is_, is_ - was
    told.lost, told.added = gone.total(), come.total()
    if told.lost and told.lost == told.added:
        told.changed, told.lost, told.added = told.lost, 0, 0
        told.changed_columns = tuple(
            name
            for at, name in enumerate(names)
            if Counter(row[at] for row in gone.elements()) != Counter(row[at] for row in come.elements())
        )
        told.detail = "no primary key: rows are told apart by their content"


def _example(key: Sequence[str], rows: Collection[Row]) -> str:
    if not rows:
        return ""
    first = min(rows, key=lambda row: [(str(type(value)), value) for value in row])
    return f"e.g. {', '.join(key)} = {excerpt(', '.join(shown(value) for value in first), 80)}"


def shown(value: object) -> str:
    """A value as a person reads it."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    if isinstance(value, Exact):
        return shown(value[1])
    return "null" if value is None else str(value)


def compare(old: Fingerprint, new: Fingerprint, look: Callable[[str], Told] | None = None) -> list[Difference]:
    """What is not as it was. ``look`` compares the rows of a table that is there in both; without it less is told.

    Every table that *is* as it was yields a difference of kind ``none`` with its number of rows: the proof itself."""
    found: list[Difference] = []
    for name in sorted(old.tables.keys() | new.tables.keys()):
        was, is_ = old.tables.get(name), new.tables.get(name)
        told = look(name) if look is not None and was is not None and is_ is not None else None
        if told is not None and told.same:
            found.append(difference(name, "none", told.count_after, equality="byte"))
        elif told is None and was == is_ and was is not None:
            found.append(difference(name, "none", was.count, equality="byte"))
        elif is_ is None and was is not None:
            if was.count:
                found.append(difference(name, "rows lost", was.count, detail="the table is gone", equality="byte"))
        elif was is None and is_ is not None:
            if is_.count:
                words = "the table was not there"
                found.append(difference(name, "rows added", is_.count, detail=words, equality="byte"))
        elif was is not None and is_ is not None:
            found += _told(name, told) if told is not None else _sums(name, was, is_)
    return [*found, *_schema(old.schema, new.schema), *_sequences(old.sequences, new.sequences)]


def _told(name: str, told: Told) -> list[Difference]:
    found: list[Difference] = []
    for column, (count, detail) in told.lost_columns.items():
        found.append(difference(name, "column lost", count, (column,), detail, "byte"))
    if told.lost:
        found.append(difference(name, "rows lost", told.lost, detail=told.example_lost, equality="byte"))
    if told.added:
        found.append(difference(name, "rows added", told.added, detail=told.example_added, equality="byte"))
    if told.changed:
        words = "; ".join(part for part in (told.example_changed, told.detail) if part)
        found.append(difference(name, "rows changed", told.changed, told.changed_columns, words, "byte"))
    if told.new_columns:
        words = "columns that were not there"
        found.append(difference(name, "rows changed", told.count_after, told.new_columns, words, "byte"))
    if not found:
        words = told.detail or "differs, in what could not be told"
        found.append(difference(name, "rows changed", None, told.changed_columns, words, "byte"))
    return found


def _sums(name: str, was: Table, is_: Table) -> list[Difference]:
    """All that two fingerprints can tell."""
    gone = tuple(column for column in was.columns if column not in is_.columns)
    more = tuple(column for column in is_.columns if column not in was.columns)
    if gone:
        return [difference(name, "column lost", was.count, gone, equality="byte")]
    if more:
        return [difference(name, "rows changed", is_.count, more, "columns that were not there", "byte")]
    if was.count != is_.count:
        kind = "rows lost" if was.count > is_.count else "rows added"
        return [difference(name, kind, abs(was.count - is_.count), equality="byte")]
    return [difference(name, "rows changed", None, detail="how many was not counted", equality="byte")]


def _schema(old: Mapping[str, str], new: Mapping[str, str]) -> list[Difference]:
    """Objects that are gone, new or another. What belongs to a table that is gone or new is not repeated."""
    found = []
    whole = {name.partition(" ")[2] for name in old.keys() ^ new.keys() if name.startswith("table ")}
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            continue
        if name.startswith("order "):
            was, is_ = old.get(name, ""), new.get(name, "")
            if was and is_ and sorted(was.split(", ")) == sorted(is_.split(", ")):
                found.append(difference(name, "note", detail=excerpt(f"was: {was}; is: {is_}", 300)))
            continue
        owner = name.partition(" ")[2].partition(".")[0]
        if not name.startswith("table ") and owner in whole:
            continue
        if name not in new:
            detail = f"gone: {old[name]}"
        elif name not in old:
            detail = f"was not there: {new[name]}"
        else:
            detail = f"was: {old[name]}; is: {new[name]}"
        found.append(difference(name, "schema", detail=excerpt(detail, 300)))
    return found


def _sequences(old: Mapping[str, int], new: Mapping[str, int]) -> list[Difference]:
    found = []
    for name in sorted(old.keys() | new.keys()):
        was, is_ = old.get(name), new.get(name)
        if was is not None and is_ is not None and was != is_:
            kind = "note" if is_ > was else "sequence"  # one that only advanced gives no number twice
            found.append(difference(name, kind, detail=f"last value was {was}, is {is_}"))
    return found


def difference(
    name: str,
    kind: str,
    count: int | None = None,
    columns: tuple[str, ...] = (),
    detail: str = "",
    equality: str = "",
) -> Difference:
    """One fact. ``name`` as a client would write it."""
    return Difference(
        witness=Witness.OBSERVED,
        evidence=Evidence(table=name),
        object=name,
        kind=kind,
        rows=count,
        columns=columns,
        detail=detail,
        equality=equality,
    )
