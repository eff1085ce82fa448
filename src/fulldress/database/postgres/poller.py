"""Looks at locks and waiters every few milliseconds, from a session of its own, while something runs.

It sees what a look at the end of a statement cannot: locks of CREATE INDEX CONCURRENTLY, locks of a subtransaction that
was rolled back, who waits for whom. It misses what is shorter than its period.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from fulldress.database.postgres.wire import Connection
from fulldress.errors import DatabaseError

#: First number of the advisory locks that the tap's gates are made of ("fd" and a bit): they are in no record.
GATE = 0x66640001
PERIOD = 0.005  #: seconds between two looks
_LOSSES = 20  #: sessions of the poller's that may be ended before it gives up

_HURRIED = 0.0005  #: seconds, while a statement runs whose locks no look at its end would see
_LONG = 2.0  #: seconds after which such a statement is looked at less often …
_STEADY = 0.0015  #: … namely so

#: Modes that ordinary reading and writing does not take: whoever holds one of these changes the schema or maintains.
STRONG = (
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)


class Seen(NamedTuple):
    """A row of pg_locks. ``waiting_since``: seconds since the epoch, 0 where the server does not tell; None: granted."""

    pid: int
    kind: str
    mode: str
    relation: int
    key: tuple[int, int, int]  #: classid, objid, objsubid of an advisory lock
    waiting_since: float | None
    blockers: tuple[int, ...]


class Session(NamedTuple):
    """A row of pg_stat_activity."""

    pid: int
    application: str
    user: str
    query: str
    leader: int = 0  #: of a parallel worker


class Sample(NamedTuple):
    begun: float
    ended: float
    locks: list[Seen]
    sessions: dict[int, Session]


def _prepare(database: int, major: int) -> str:
    """``poll``, given the process ids of sessions whose weaker locks count, too; prepared, as it runs all the time."""
    since = "extract(epoch FROM l.waitstart)::float8" if major >= 14 else "NULL::float8"
    strong = ", ".join(f"'{mode}'" for mode in STRONG)
    return f"""PREPARE poll (int[]) AS
        SELECT l.pid, l.locktype, l.mode, coalesce(l.relation, 0)::int8, coalesce(l.classid, 0)::int8,
               coalesce(l.objid, 0)::int8, coalesce(l.objsubid, 0)::int4, l.granted, {since},
               CASE WHEN NOT l.granted THEN array_to_string(pg_blocking_pids(l.pid), ',') END
          FROM pg_locks l
         WHERE l.pid <> pg_backend_pid() AND (l.database IS NULL OR l.database IN (0, {database}))
           AND NOT (l.locktype = 'advisory' AND l.classid = {GATE})
           AND (NOT l.granted OR l.locktype = 'advisory'
                OR l.locktype = 'relation' AND (l.mode IN ({strong}) OR l.pid = ANY ($1) AND l.mode <> 'AccessShareLock'))"""


class Names:
    """Relation names by identifier, as an outsider sees them: a relation that its own transaction has just created has
    none yet, and nobody can wait for it."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}
        self._tables: set[int] = set()
        self.rules = False  #: there are rules on writing to tables

    def get(self, oid: int) -> str:
        return self._known.get(oid, "")

    def _put(self, oid: int, schema: str, name: str) -> None:
        if schema.startswith("pg_toast") or schema.startswith("pg_temp"):
            self._known[oid] = ""
        else:
            self._known[oid] = name if schema in ("public", "pg_catalog") else f"{schema}.{name}"

    def forget(self) -> None:
        """Names change, and a database that was put back gives old numbers to other relations."""
        self._known.clear()
        self._tables.clear()

    def is_table(self, oid: int) -> bool:
        """Whether it holds rows itself; an index or a sequence does not."""
        return oid in self._tables

    def learn(self, line: Connection, oids: set[int]) -> None:
        unknown = ", ".join(str(oid) for oid in oids if oid and oid not in self._known)
        if unknown:
            for row in line.rows(
                "SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                f" WHERE c.oid IN ({unknown})"
            ):
                oid = int(str(row[0]))
                self._put(oid, str(row[1]), str(row[2]))
                if str(row[3]) in "rpmf":
                    self._tables.add(oid)


class Pace:
    """How long to wait before the next look; somebody who runs a fleeting statement wakes the one who waits."""

    def __init__(self, period: float = PERIOD) -> None:
        self.period = period
        self._moved = threading.Condition()
        self._running = 0
        self._since = 0.0

    @contextmanager
    def fleeting(self, applies: bool = True) -> Iterator[None]:
        """While a statement runs that frees its locks before anybody can look at them: CONCURRENTLY, COMMIT inside of
        it, triggers deferred to its end, an error."""
        if not applies:
            yield
            return
        with self._moved:
            self._running += 1
            self._since = time.monotonic()
            self._moved.notify_all()
        try:
            yield
        finally:
            with self._moved:
                self._running -= 1

    def pause(self) -> None:
        with self._moved:
            if not self._running:
                self._moved.wait(self.period)
                return
            long = time.monotonic() - self._since > _LONG
        time.sleep(_STEADY if long else _HURRIED)

    def wake(self) -> None:
        with self._moved:
            self._moved.notify_all()


class Poller:
    """A thread between :meth:`start` and :meth:`stop`; hands every sample that shows anything to ``absorb``."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        major: int,
        names: Names,
        watched: Callable[[], set[int]],
        absorb: Callable[[Sample], None],
        pace: Pace | None = None,
    ) -> None:
        self._connect = connect
        self._major = major
        self._names = names
        self._watched = watched
        self._absorb = absorb
        self._pace = pace or Pace()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self.samples = 0
        self.longest_gap = 0.0  #: seconds between two looks, at worst
        self.failure = ""
        self.lost = 0  #: how often its session was ended by somebody else

    def start(self) -> None:
        line = self._connect()
        self._end.clear()
        self._thread = threading.Thread(target=self._run, args=(line,), name="fulldress-poller", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._end.set()
            self._pace.wake()
            self._thread.join()
            self._thread = None

    def _run(self, line: Connection) -> None:
        while True:
            try:
                self._poll(line)
                return
            except DatabaseError as error:
                # a script may end every session but its own, which DROP and RENAME DATABASE ask for: come again
                self.lost += 1
                line.close()
                try:
                    if self.lost > _LOSSES:
                        raise
                    line = self._connect()
                except DatabaseError:
                    self.failure = str(error)
                    return

    def _poll(self, line: Connection) -> None:
        with line:
            line.query("SET statement_timeout = '2s'; SET lock_timeout = '1s'")
            database = int(str(line.rows("SELECT oid FROM pg_database WHERE datname = current_database()")[0][0]))
            line.query(_prepare(database, self._major))
            last, busy = time.time(), False
            while not self._end.is_set():
                sample = self.look(line)
                self.longest_gap = max(self.longest_gap, sample.ended - last)
                last = sample.ended
                self.samples += 1
                if sample.locks or busy:
                    self._absorb(sample)
                busy = bool(sample.locks)
                self._pace.pause()
            self._absorb(Sample(time.time(), time.time(), [], {}) if busy else Sample(last, last, [], {}))

    def look(self, line: Connection) -> Sample:
        begun = time.time()
        watched = ",".join(map(str, self._watched()))
        found = line.rows(f"EXECUTE poll('{{{watched}}}')")
        locks = [_seen(row) for row in found]
        self._names.learn(line, {lock.relation for lock in locks})
        wanted = {lock.pid for lock in locks} | {pid for lock in locks for pid in lock.blockers if pid}
        sessions: dict[int, Session] = {}
        if wanted:
            rows = line.rows(
                "SELECT pid, coalesce(application_name, ''), coalesce(usename, ''), coalesce(query, ''),"
                f" {'coalesce(leader_pid, 0)' if self._major >= 13 else '0'}"
                f" FROM pg_stat_activity WHERE pid IN ({', '.join(map(str, wanted))})"
            )
            every = [Session(int(str(r[0])), str(r[1]), str(r[2]), str(r[3]), int(str(r[4]))) for r in rows]
            sessions = {session.pid: session for session in every}
            workers = {session.pid for session in every if session.leader and session.leader != session.pid}
            # what a parallel worker holds, its leader holds, too; and whom a worker blocks, the leader blocks
            locks = [
                lock._replace(blockers=tuple(sessions[b].leader if b in workers else b for b in lock.blockers))
                for lock in locks
                if lock.pid not in workers
            ]
        return Sample(begun, time.time(), locks, sessions)


def _seen(row: tuple[object, ...]) -> Seen:
    pid, kind, mode, relation, classid, objid, objsubid, granted, since, blockers = row
    waiting = None if granted else float(str(since)) if since is not None else 0.0
    return Seen(
        int(str(pid)),
        str(kind),
        str(mode),
        int(str(relation)),
        (int(str(classid)), int(str(objid)), int(str(objsubid))),
        waiting,
        tuple(int(part) for part in str(blockers).split(",") if part.strip("-").isdigit()) if blockers else (),
    )
