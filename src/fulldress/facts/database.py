"""Migrations, locks, waits, and whether the way back restores every row."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from fulldress.facts.witness import Fact


class Effect(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one statement of a migration does to rows, tables, or those who use them, by its form alone.

    ``kind`` is one of: lost (rows, a column, a table), rows (some rows changed or deleted), rewrite, scan, index (writers
    wait while it is built), lock (for as long as its transaction), every row, rename (the running version still uses the
    old name), fails (where it stands), trigger (switched off), rights (more than an ordinary role has)."""

    kind: str
    statement: str
    line: int = 0
    table: str = ""
    says: str = ""  #: the consequence, in words


class Migration(Fact, tag=True, frozen=True, kw_only=True):
    """A migration script (``read``), or one that ran on a clone (``observed``, then with ``duration``)."""

    name: str
    path: str = ""
    direction: str = "up"  #: up, down
    dialect: str = ""
    statements: int = 0
    repeatable: bool = False  #: runs again whenever it changes (Flyway's ``R__``): its way back is its older text
    counterpart: str = ""  #: path of the other direction; empty: there is none
    empty: bool = False  #: no statement in it
    destructive: tuple[str, ...] = ()  #: statements that lose data
    heavy: tuple[str, ...] = ()  #: statements known to rewrite, scan or lock a table
    transaction: bool | None = None  #: wraps itself in one transaction
    takes_lock: bool | None = None  #: advisory lock or a lock on its version table
    sets_lock_timeout: bool | None = None
    duration: timedelta | None = None
    outcome: str = ""  #: observed: ok, failed: …
    tool: str = ""  #: alembic, django, flyway …, where its own form tells
    language: str = ""  #: python, javascript, ruby, php, xml …; empty: SQL
    version: str = ""  #: what orders it: its number, its time stamp, its revision
    effects: tuple[Effect, ...] = ()  #: statement by statement, worst kinds of ``destructive`` and ``heavy`` included
    unrestored: tuple[str, ...] = ()  #: of a way back: what it does not bring back although it runs
    preflight: tuple[str, ...] = ()  #: queries that name the rows on which it would fail
    disorder: str = ""  #: why its place in the order is in doubt: a number twice, a missing parent, several heads
    current: bool | None = None  #: belongs to this release and not to the history before it; None: cannot be told


class Work(Fact, tag=True, frozen=True, kw_only=True):
    """What one statement did, from the server's own words."""

    migration: str
    statement: str
    started: datetime
    duration: timedelta
    rewritten: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()
    built: tuple[str, ...] = ()
    rows: int | None = None
    wal_bytes: int | None = None
    error: str = ""
    read_whole: tuple[str, ...] = ()  #: tables that its plan, or one in a function it calls, reads from end to end
    temp_bytes: int | None = None  #: of temporary files; None: none was written
    way: str = ""  #: the quickest ALGORITHM and LOCK that a MariaDB or MySQL server accepted, by attempt
    advice: tuple[str, ...] = ()  #: what a linter foretells of it, each confirmed or cancelled by what was measured


class Lock(Fact, tag=True, frozen=True, kw_only=True):
    """A lock that a statement held. ``mode`` is the server's own name, e.g. ``AccessExclusiveLock``."""

    migration: str
    statement: str
    mode: str
    object: str
    taken: datetime
    held: timedelta
    caught: str  #: how it was seen: commit-hold, sync-hold, gate, poll


class Wait(Fact, tag=True, frozen=True, kw_only=True):
    """Somebody who waited for a statement of the upgrade."""

    victim: str  #: operation or query, e.g. ``GET /orders``
    object: str
    mode: str  #: mode that the victim asked for
    blocker: str  #: statement that held it
    migration: str
    count: int
    worst: timedelta
    total: timedelta
    first: datetime | None = None
    chain: tuple[str, ...] = ()  #: who else stood between the victim and the blocker, nearest to the victim first
    outcome: str = ""  #: deadlock, timed out, cancelled; empty: all of them got what they waited for


class Runners(Fact, tag=True, frozen=True, kw_only=True):
    """The migration started twice at once. ``outcome``: serialised, both ran, one failed, unknown."""

    migration: str
    outcome: str
    detail: str = ""
    lock: str = ""  #: advisory (session), advisory (transaction), try-lock, table, row, flag, none; empty: not told
    loser: str = ""  #: waits then skips, waits then fails, waits then runs again, fails at once, deadlock, goes on


#: Kinds of differences that are none: a table that is as it was, and what only looks otherwise.
RESTORED = frozenset({"none", "note"})


class Difference(Fact, tag=True, frozen=True, kw_only=True):
    """A table (or another object of the database) that is not what it was before, after the rollback.

    ``note`` tells what is otherwise and harms nobody: another name of an index, white space, the order of columns."""

    object: str
    kind: str  #: rows lost, rows added, rows changed, column lost, schema, sequence, note, none
    rows: int | None = None
    columns: tuple[str, ...] = ()
    detail: str = ""
    equality: str = ""  #: which equality was tested: ``byte`` (text of every column), ``semantic`` (record hash)
    first: tuple[str, ...] = ()  #: the first rows that differ, by their keys


class Undo(Fact, tag=True, frozen=True, kw_only=True):
    """One step (or the whole release) taken there and back on a copy with rows in it.

    ``outcome``: restored, not restored, nothing undone (the way back is empty and something differs), no way back, fails,
    fails with rows (on empty tables it runs), unknown."""

    name: str
    granularity: str  #: release, step
    outcome: str
    path: str = ""  #: of the way back
    detail: str = ""
    differences: tuple[str, ...] = ()  #: what is not as it was, in words
    notes: tuple[str, ...] = ()  #: what only looks otherwise
    rows: int | None = None  #: that were there before; None: not counted
    made: bool = False  #: the rows were made from the schema, not cloned
    duration: timedelta | None = None  #: of the way back


class Survival(Fact, tag=True, frozen=True, kw_only=True):
    """One way back, and what it leaves of the rows that were written after the upgrade."""

    way: str  #: down scripts, transaction, snapshot, dump, the steps of the runbook
    written: int  #: rows that were marked after the upgrade
    survive: int
    lost: int
    changed: int = 0  #: that are there, with other values in the columns that both releases have
    tables: tuple[str, ...] = ()  #: ``orders: 12 of 40``: where the lost ones were
    whole: bool | None = None  #: whether the rows of before the upgrade are as they were; None: not compared
    duration: timedelta | None = None  #: of the way back on this machine
    outcome: str = ""  #: ok, failed: …, not possible: …
    detail: str = ""
    sample: str = ""  #: where the marked rows come from: traffic, recorded, made
