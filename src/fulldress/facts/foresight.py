"""What a database says beforehand: rows in the way, upgrades half done, sort orders, room, limits of time, forecasts."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from fulldress.facts.witness import Fact


class Preflight(Fact, tag=True, frozen=True, kw_only=True):
    """One question asked of a copy's rows right before a statement: on how many of them would it fail?

    ``kind``: unique, foreign key, not null, check, type, enum, exclusion, partition, index row. ``offending`` 0: asked
    of every row, and none is in the way."""

    migration: str
    statement: str
    kind: str
    table: str
    columns: tuple[str, ...] = ()
    offending: int = 0  #: rows; of a unique key all rows that share it with another
    rows: tuple[str, ...] = ()  #: the first of them by their key: ``id=7 (61 characters)``. Never other values
    constraint: str = ""  #: name of what is added, where it has one
    duration: timedelta = timedelta()  #: that asking took on the copy
    question: str = ""  #: the query that names the rows, to be asked of production


class HalfDone(Fact, tag=True, frozen=True, kw_only=True):
    """What an earlier upgrade left unfinished in the database.

    ``kind``: dirty, failed, locked, missing (recorded, and its object is not there), unrecorded (its object is there),
    checksum, unknown version (recorded, and no file has it), gap (an older file is not recorded), invalid index, not
    valid (a constraint), prepared transaction."""

    kind: str
    object: str
    tool: str = ""
    table: str = ""  #: of the migration tool's records
    version: str = ""
    detail: str = ""
    remedy: str = ""  #: statement or command that ends it, where one is known


class Collation(Fact, tag=True, frozen=True, kw_only=True):
    """A sort order of production: the version it was built with, and that of the library there now."""

    name: str
    provider: str  #: libc, icu, builtin
    recorded: str
    actual: str
    indexes: tuple[str, ...] = ()  #: on text in that order
    constraints: tuple[str, ...] = ()  #: unique keys and partitions among them


class Room(Fact, tag=True, frozen=True, kw_only=True):
    """Bytes that the migrations need beside what is there, at the worst moment, and what there is."""

    what: str  #: data, wal, temp
    needed: int
    free: int | None = None  #: None: not known
    migration: str = ""
    basis: str = ""  #: what the number was measured on
    largest: tuple[str, ...] = ()  #: statements that need most of it


class Keeper(Fact, tag=True, frozen=True, kw_only=True):
    """Who makes production keep its WAL: a replication slot, a standby, the archive."""

    name: str
    kind: str  #: physical slot, logical slot, archive
    active: bool
    behind: int | None = None  #: bytes of WAL that it holds back now
    most: int | None = None  #: bytes that it may hold back before production gives it up; None: without end
    detail: str = ""


class Limit(Fact, tag=True, frozen=True, kw_only=True):
    """A limit of time around the migrations. ``on``: statement, wait (for a lock), idle (in a transaction), whole."""

    name: str
    limit: timedelta
    on: str
    who: str = ""  #: role, program or unit that it holds for; empty: everybody


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """One rehearsal of a statement: so many rows in the table it works on, and so long it took."""

    rows: int
    seconds: float


class Forecast(Fact, tag=True, frozen=True, kw_only=True):
    """How long a statement will take at production's size, as a band.

    ``model``: constant, linear, n log n; empty: none could be fitted, then ``low`` and ``high`` are None.
    ``statement`` empty: the whole of ``migration``; ``migration`` empty too: all of them."""

    migration: str
    statement: str = ""
    table: str = ""
    model: str = ""
    rows: int = 0  #: of the table in production
    low: timedelta | None = None
    expected: timedelta | None = None
    high: timedelta | None = None
    level: float = 0.0  #: of the band, e.g. 0.9
    samples: tuple[Size, ...] = ()
    basis: str = ""  #: in words: sizes, runs, where
