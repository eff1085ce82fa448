"""The tap's own eyes on one session: it looks at locks from a connection of its own, and keeps the gates.

When that connection dies - a vendor's script may end every other session - its gates open by themselves, and the
session goes on unwatched until the next statement, when a new connection is made.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator

from fulldress.database.postgres.poller import GATE, Names, Seen
from fulldress.database.postgres.runner import Observer
from fulldress.database.postgres.trace import Statement, Trace
from fulldress.database.postgres.wire import Connection
from fulldress.errors import DatabaseError

#: Rules on writing: what they select is an answer in the simple protocol, and none in the extended one.
_RULES = """SELECT 1 FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
             WHERE r.ev_type <> '1' AND c.relnamespace <> 'pg_catalog'::regnamespace
               AND c.relnamespace <> 'information_schema'::regnamespace LIMIT 1"""
#: As :meth:`Observer.look`, of a session that stands before a gate; no row where it does not stand there. Every look at
#: pg_locks reads all locks of the server, so one tells both.
_PREPARE = f"""PREPARE gate (int, int8) AS
    WITH seen AS MATERIALIZED (SELECT * FROM pg_locks WHERE pid = $1)
    SELECT locktype, mode, coalesce(relation, 0)::int8, coalesce(classid, 0)::int8, coalesce(objid, 0)::int8,
           coalesce(objsubid, 0)::int4, (pg_current_wal_insert_lsn() - '0/0')::int8
      FROM seen
     WHERE EXISTS (SELECT 1 FROM seen WHERE NOT granted AND locktype = 'advisory' AND classid = {GATE} AND objid::int8 = $2)
       AND mode <> 'AccessShareLock' AND (granted OR classid = {GATE} AND objid::int8 = $2)
       AND (locktype = 'advisory' AND (classid <> {GATE} OR NOT granted) OR locktype = 'relation'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""
_numbers = itertools.count(1)
_counting = threading.Lock()


def reserve(count: int) -> int:
    """The first of ``count`` numbers for gates that nobody else uses."""
    with _counting:
        first = next(_numbers)
        for _ in range(count - 1):
            next(_numbers)
        return first


class Eyes:
    """Looks at the session ``pid`` and reports to ``trace``. ``connect`` opens an observer in the session's database."""

    def __init__(self, connect: Callable[[], Connection], names: Names, trace: Trace, pid: int) -> None:
        self._connect = connect
        self._names = names
        self._trace = trace
        self._observer: Observer | None = None
        self.pid = pid
        self.wal = 0
        self._shut: set[int] = set()
        self.lost = 0  #: how often the connection was lost

    def close(self) -> None:
        if self._observer is not None:
            self._observer.line.close()
            self._observer = None

    def _ready(self) -> Observer | None:
        if self._observer is None:
            try:
                line = self._connect()
                self._observer = Observer(line, self._names)
                line.query(_PREPARE)
                self._names.rules = bool(line.rows(_RULES))
                self.wal = self._observer.look(self.pid)[1]
            except DatabaseError:
                self.lost += 1
                return None
        return self._observer

    def ready(self) -> bool:
        """Whether there is a connection, made now if need be."""
        return self._ready() is not None

    def look(self, caught: str, statement: Statement | None) -> None:
        """Locks held now go to the trace, and the log written since the last look to ``statement``."""
        observer = self._ready()
        if observer is None:
            return
        try:
            locks, wal = observer.look(self.pid)
        except DatabaseError:
            self._drop()
            return
        self._tell(locks, wal, caught, statement)

    def _tell(self, locks: list[Seen], wal: int, caught: str, statement: Statement | None) -> None:
        self._trace.look(self.pid, [lock for lock in locks if lock.key[0] != GATE], caught)
        if statement is not None:
            statement.wal = (statement.wal or 0) + max(wal - self.wal, 0)
        self.wal = wal

    # -- gates ----------------------------------------------------------------------------------------------------

    def shut(self, count: int) -> int | None:
        """Shut ``count`` gates; returns the number of the first, or None where that could not be done."""
        observer = self._ready()
        if observer is None:
            return None
        first = reserve(count)
        try:
            observer.line.query(
                f"SELECT count(pg_advisory_lock({GATE}, n)) FROM generate_series({first}, {first + count - 1}) n"
            )
        except DatabaseError:
            self._drop()
            return None
        self._shut.update(range(first, first + count))
        return first

    def looked_at(self, gate: int, statement: Statement) -> bool:
        """Whether the session stands before the gate; then its locks have gone to the trace."""
        if self._observer is None:
            return False
        try:
            rows = self._observer.line.rows(f"EXECUTE gate({self.pid}, {gate})")
            locks, wal = self._observer.read(self.pid, rows)
        except DatabaseError:
            self._drop()
            return False
        if locks:
            statement.ended = time.time()
            self._tell(locks, wal, "gate", statement)
        return bool(locks)

    def open(self, first: int, count: int = 1) -> None:
        """Open gates; those that are open already stay so."""
        shut = [gate for gate in range(first, first + count) if gate in self._shut]
        self._shut.difference_update(shut)
        if self._observer is None or not shut:
            return
        try:
            self._observer.line.query(
                f"SELECT count(pg_advisory_unlock({GATE}, n)) FROM generate_series({shut[0]}, {shut[-1]}) n"
            )
        except DatabaseError:
            self._drop()

    def _drop(self) -> None:
        self.lost += 1
        self._shut.clear()
        if self._observer is not None:
            self._observer.line.close()
            self._observer = None


def paces(quick: float = 0.0002, slow: float = 0.004, patience: float = 0.05) -> Iterator[float]:
    """Seconds to wait before each next look: quick at first, then as slow as ``slow``."""
    begun = time.monotonic()
    while True:
        yield quick if time.monotonic() - begun < patience else slow
