"""A long reader, then a long writer, in front of the migration: does it wait, who queues behind it, and what ends that?

The sessions in front are what production has at any hour: a report that has read a table and not yet ended its
transaction, and a transaction that has changed a row and not yet committed. They hold on to every table that the migration
takes more than a read lock on (an undisturbed run tells which). Canaries read and write the same tables all along, as
users do; how long each of them stood still is measured by itself, not derived. When the migration has waited for as long
as ``patience``, the session in front goes.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from fulldress.database.postgres import proof
from fulldress.database.postgres.beside import Beside
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.jobs import Ended, Job, Running, end_sessions
from fulldress.database.postgres.likeness import Copies, effects, words
from fulldress.database.postgres.tap import Tap
from fulldress.database.postgres.wire import Connection
from fulldress.errors import DatabaseError
from fulldress.facts import AnyFact, Evidence, Obstruction, Reason, Unread, Wait, Witness, excerpt

PATIENCE = 2.0  #: seconds that the session in front stays once the migration waits for it
KINDS = ("reader", "writer")
_CANARIES = 8  #: tables that have canaries; each has a reader and a writer
_PERIOD = 0.02  #: seconds between two questions of a canary
_STILL = 0.1  #: seconds; a canary that stood still for longer is a victim
_TABLES = """SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"""


def crowd(
    make_clone: Copies, job: Job, *, kinds: tuple[str, ...] = KINDS, patience: float = PATIENCE, limit: float = 600.0
) -> list[AnyFact]:
    """An :class:`Obstruction` per kind of session in front, each on a copy of its own."""
    plain = make_clone("crowd-plain")
    beside = Beside(plain.server)
    try:
        before = proof.fingerprint(plain)
        ended, tables = _undisturbed(plain, job, limit)
    finally:
        plain.drop()
        beside.drop_new()
    if not ended.passed:
        return [_unread(job, f"already undisturbed it does not finish: {ended.error}", needed=True)]
    if not tables:
        return []
    facts: list[AnyFact] = []
    for kind in kinds:
        clone = make_clone(f"crowd-{kind}")
        try:
            facts.append(_Scene(clone, job, kind, tables, before).play(patience, limit))
        finally:
            clone.drop()
            beside.drop_new()
    if len(tables) > _CANARIES:
        said = f"only {_CANARIES} of {len(tables)} tables had readers and writers asking"
        facts.append(_unread(job, said, needed=False))
    return facts


def _undisturbed(clone: Clone, job: Job, limit: float) -> tuple[Ended, tuple[str, ...]]:
    """How it ends, and the tables of before on which it takes more than a read lock."""
    with clone.session() as line:
        there = {str(row[0]) for row in line.rows(_TABLES)}
    tap = clone.open_tap(always=True, migration=job.name, tcp=True)
    clone.start_watch()
    try:
        ended = job.start(clone, tap).wait(limit)
    finally:
        end_sessions(clone, tap)
        clone.close_tap(tap)
        clone.stop_watch()
    return ended, tuple(sorted({held.object for held in clone.trace.held} & there))


class _Scene:
    """One run with one kind of session in front."""

    def __init__(self, clone: Clone, job: Job, kind: str, tables: tuple[str, ...], before: proof.Fingerprint) -> None:
        self.clone, self.job, self.kind, self.tables, self.before = clone, job, kind, tables, before
        self._end = threading.Event()
        self._stood: dict[str, float] = {}  # canary -> seconds that it stood still at worst

    def play(self, patience: float, limit: float) -> Obstruction:
        clone = self.clone
        tap = clone.open_tap(always=True, migration=self.job.name, tcp=True)
        clone.start_watch()
        canaries = self._canaries()
        held = 0.0
        try:
            with clone.session(f"fulldress-traffic:a long {self.kind}") as front, clone.session() as observer:
                self._take(front)
                taken = time.monotonic()
                running = self.job.start(clone, tap)
                try:
                    self._until_waited(running, tap, observer, front.pid, patience)
                    front.query("ROLLBACK")
                    held = time.monotonic() - taken
                    ended = running.wait(limit)
                finally:
                    running.kill()
        finally:
            self._end.set()
            for thread in canaries:
                thread.join(30)
            end_sessions(clone, tap)
            clone.close_tap(tap)
            clone.stop_watch()
        return self._fact(ended, held)

    def _take(self, front: Connection) -> None:
        front.query("BEGIN")
        for table in self.tables:
            if self.kind == "reader":
                front.simple(f"SELECT 1 FROM {table} LIMIT 1")
            else:  # what an UPDATE of one row holds, without changing it
                front.simple(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
                front.simple(f"SELECT 1 FROM {table} LIMIT 1 FOR UPDATE")
        if front.status != "T":
            raise DatabaseError(f"a long {self.kind} could not be put in front of {', '.join(self.tables)}")

    def _until_waited(self, running: Running, tap: Tap, observer: Connection, front: int, patience: float) -> None:
        """Until the migration has waited for the session in front for ``patience``, or is over."""
        since: float | None = None
        while not running.over:
            pids = ", ".join(str(session.pid) for session in tap.sessions if session.pid) or "0"
            waits = observer.rows(
                f"SELECT 1 FROM pg_stat_activity WHERE pid IN ({pids}) AND {front} = ANY(pg_blocking_pids(pid))"
            )
            now = time.monotonic()
            since = (since or now) if waits else since
            if since is not None and now - since > patience:
                return
            self._end.wait(0.01)

    # -- canaries -------------------------------------------------------------------------------------------------

    def _canaries(self) -> list[threading.Thread]:
        threads = []
        for table in self.tables[:_CANARIES]:
            for name, sql in (
                (f"reader of {table}", f"SELECT 1 FROM {table} LIMIT 1"),
                (f"writer of {table}", f"BEGIN; LOCK TABLE {table} IN ROW EXCLUSIVE MODE; COMMIT"),
            ):
                thread = threading.Thread(target=self._ask, args=(name, sql), name="fulldress-canary", daemon=True)
                thread.start()
                threads.append(thread)
        return threads

    def _ask(self, name: str, sql: str) -> None:
        try:
            with self.clone.session(f"fulldress-traffic:{name}") as line:
                while not self._end.is_set():
                    begun = time.monotonic()
                    reply = line.simple(sql)
                    self._stood[name] = max(self._stood.get(name, 0.0), time.monotonic() - begun)
                    if reply.error is not None and line.status != "I":
                        line.simple("ROLLBACK")
                    self._end.wait(_PERIOD)
        except DatabaseError:
            return  # the script ended every session: the others tell

    # -- verdict --------------------------------------------------------------------------------------------------

    def _fact(self, ended: Ended, held: float) -> Obstruction:
        waits = [fact for fact in self.clone.facts() if isinstance(fact, Wait)]
        mine = [fact for fact in waits if fact.victim.startswith(f"{self.job.name}: ")]
        waited = sum((fact.total for fact in mine), timedelta())
        errors = [statement.error for statement in self.clone.trace.statements if statement.error]
        limited = any("55P03" in error or "57014" in error for error in errors)
        still = {name: seconds for name, seconds in self._stood.items() if seconds > _STILL}
        if ended.passed:
            outcome = "timed out" if limited else "waited" if waited.total_seconds() > _PERIOD else "passed"
            state, detail = "complete", "it tried again" if limited else ""
        else:
            outcome = "timed out" if limited else "failed"
            left = effects(self.before, proof.fingerprint(self.clone))
            state, detail = (
                ("half-way", f"{ended.error}; what stays: {words(left)}") if left else ("unchanged", ended.error)
            )
        return Obstruction(
            witness=Witness.OBSERVED,
            evidence=Evidence(path=self.job.name, step=f"behind a long {self.kind}"),
            migration=self.job.name,
            kind=self.kind,
            tables=self.tables,
            outcome=outcome,
            waited=waited,
            held=timedelta(seconds=held),
            victims=tuple(sorted(still, key=lambda name: -still[name])),
            worst=timedelta(seconds=max(still.values(), default=0.0)),
            state=state,
            detail=excerpt(detail, 400),
        )


def _unread(job: Job, detail: str, *, needed: bool) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(path=job.name, step="behind others"),
        what=f"{job.name} behind a long reader and a long writer",
        reason=Reason.NOT_MEASURED,
        detail=excerpt(detail, 400),
        needed=needed,
    )
