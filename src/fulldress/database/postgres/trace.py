"""Everything that was seen of an upgrade on one clone: statements, the locks they took, and who waited.

Three witnesses report here, each from its own thread: the runner (looks before a Sync or a COMMIT), the poller, and the
server's log. The trace joins them on the backend's process id and on time. Times are seconds since the epoch, UTC.
"""

from __future__ import annotations

import re
import threading
import time

from fulldress.database.happenings import Held, Statement, Waiting
from fulldress.database.postgres import log
from fulldress.database.postgres.poller import STRONG, Names, Pace, Sample, Seen
from fulldress.database.postgres.server import OBSERVER
from fulldress.facts import excerpt
from fulldress.patterns import regex

__all__ = ["Held", "Statement", "Trace", "Waiting", "victim"]

#: Programs that carry out migrations; any session that takes a strong lock is counted among them, too.
_MIGRATING = regex(r"^(?:psql|pg_restore|flyway|liquibase|alembic|golang-migrate|migrate)\b", re.IGNORECASE)
_LITERAL = regex(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")


class Trace:
    """``names`` resolves relation identifiers."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.pace = Pace()  #: of the poller
        self.statements: list[Statement] = []
        self.held: list[Held] = []
        self.waits: list[Waiting] = []
        self.marks: list[tuple[float, str]] = []
        self._guard = threading.RLock()
        self._current: dict[int, Statement] = {}  # of our own runners
        self._others: dict[int, Statement] = {}  # of other programs' sessions, by the poller
        self.logged: dict[int, Statement] = {}  #: of other programs' sessions, by the log, until their duration is told
        self._open: dict[tuple[int, str, str], Held] = {}
        self._waiting: dict[int, Waiting] = {}
        self._last_look = 0.0
        self._ended: dict[int, float] = {}  #: process id -> when its last transaction ended

    # -- steps of the runbook -------------------------------------------------------------------------------------

    @property
    def step(self) -> str:
        return self.marks[-1][1] if self.marks else ""

    def mark(self, step: str) -> None:
        """From now on, what other programs do belongs to ``step``; empty: to none."""
        with self._guard:
            self.marks.append((time.time(), step))

    def step_at(self, at: float) -> str:
        for since, step in reversed(self.marks):
            if since <= at + 0.002:
                return step
        return ""

    # -- the runner -----------------------------------------------------------------------------------------------

    def watched(self) -> set[int]:
        """Process ids of our runners' sessions."""
        return set(self._current)

    def begin(self, statement: Statement) -> None:
        with self._guard:
            self._current[statement.pid] = statement
            self.statements.append(statement)

    def repeat(self, before: Statement, statement: Statement) -> None:
        """Fold ``statement`` into ``before``, which did the same to the same table."""
        with self._guard:
            before.repeated += 1
            before.ended = statement.ended
            before.rows = (before.rows or 0) + (statement.rows or 0)
            self._current[statement.pid] = before

    def forget(self, pid: int) -> None:
        """The session has ended, and all its locks with it."""
        with self._guard:
            self.release(pid, time.time(), session=True)
            self._current.pop(pid, None)

    def look(self, pid: int, locks: list[Seen], caught: str) -> None:
        """Locks held by a runner's session right before its transaction ends."""
        now = time.time()
        with self._guard:
            for lock in locks:
                self._hold(self._current[pid], lock, now, caught)

    def release(self, pid: int, at: float, *, session: bool = False) -> None:
        """The transaction of ``pid`` has ended. Advisory locks of the session may outlive it: the poller tells."""
        with self._guard:
            self._ended[pid] = at
            for key, held in list(self._open.items()):
                if key[0] == pid and (session or not held.object.startswith("advisory")):
                    held.released = at
                    del self._open[key]

    # -- the poller -----------------------------------------------------------------------------------------------

    def absorb(self, sample: Sample) -> None:
        with self._guard:
            present: set[tuple[int, str, str]] = set()
            waiting: set[int] = set()
            for lock in sample.locks:
                session = sample.sessions.get(lock.pid)
                if session is not None and session.user == OBSERVER and lock.pid not in self._current:
                    continue
                if lock.waiting_since is None:
                    object_ = self.object(lock)
                    if object_:
                        statement = self._statement_of(lock.pid, sample)
                        key = (lock.pid, lock.mode, object_)
                        # looked at before its transaction ended, told after it: not taken a second time
                        late = key not in self._open and sample.begun <= self._ended.get(lock.pid, 0.0)
                        if statement is not None and not late:
                            present.add(key)
                            self._hold(statement, lock, sample.begun, "poll")
            for lock in sample.locks:
                if lock.waiting_since is not None and self._wait(lock, sample):
                    waiting.add(lock.pid)
            for key, held in list(self._open.items()):
                if key not in present and held.seen < sample.begun:
                    held.released = sample.begun
                    del self._open[key]
            for pid, wait in list(self._waiting.items()):
                if pid not in waiting:
                    wait.ended = max((wait.seen + sample.begun) / 2, wait.seen)  # somewhere between two looks
                    del self._waiting[pid]
            self._last_look = sample.ended

    def _hold(self, statement: Statement, lock: Seen, at: float, caught: str) -> None:
        object_ = self.object(lock)
        weak = lock.kind == "relation" and lock.mode not in STRONG
        if not object_ or (weak and (object_.startswith("pg_") or not self.names.is_table(lock.relation))):
            return
        key = (lock.pid, lock.mode, object_)
        held = self._open.get(key)
        if held is None:
            # the end of the last look that did not show it, or the start of the statement: the later one
            taken = max(statement.started, min(self._last_look, at)) if self._last_look else statement.started
            held = self._open[key] = Held(statement, lock.mode, object_, taken, at, caught)
            self.held.append(held)
        held.seen = max(held.seen, at)
        if caught != "poll":
            held.caught = caught

    def object(self, lock: Seen) -> str:
        """``orders``, ``advisory 42``; empty for a relation that only its own transaction can see yet."""
        if lock.kind == "relation":
            return self.names.get(lock.relation)
        if lock.kind == "advisory":
            high, low, form = lock.key
            return f"advisory {(high << 32) | low}" if form == 1 else f"advisory {high}, {low}"
        return {"transactionid": "a row", "tuple": "a row", "virtualxid": "a transaction"}.get(lock.kind, lock.kind)

    def _statement_of(self, pid: int, sample: Sample) -> Statement | None:
        """What a session of the upgrade runs; None for traffic."""
        mine = self._current.get(pid)
        if mine is not None:
            return mine
        session = sample.sessions.get(pid)
        if session is None or session.user == OBSERVER:
            return None
        strong = any(
            lock.pid == pid and lock.waiting_since is None and lock.kind == "relation" and lock.mode in STRONG
            for lock in sample.locks
        )
        if not strong and not _MIGRATING.match(session.application):
            return None
        known = self._others.get(pid)
        if known is None or known.sent != session.query:
            known = Statement(
                self.step or session.application, session.query, pid, sample.begun, step=self.step, sent=session.query
            )
            self._others[pid] = known
        return known

    def _wait(self, lock: Seen, sample: Sample) -> bool:
        chain = _chain(lock, sample)
        blocker, between = None, []
        for pid in chain:
            blocker = self._taker(pid, sample)
            if blocker is not None:
                break
            between.append(pid)
        mine = self._statement_of(lock.pid, sample)
        session = sample.sessions.get(lock.pid)
        if blocker is None and mine is not None and chain:
            other = sample.sessions.get(chain[0])  # the migration itself waits, e.g. for a reader
            text = f"{victim(other.application, other.query)}" if other else "a session that is gone"
            blocker = Statement(mine.migration, text, chain[0], sample.begun, step=mine.step)
        if blocker is None or session is None:
            return False
        wait = self._waiting.get(lock.pid)
        since = lock.waiting_since or sample.begun
        another = lock.kind == "relation" and lock.waiting_since and wait is not None and wait.since < since - 0.0005
        if wait is None or another:
            if wait is not None:
                wait.ended = since
            name = f"{mine.migration}: {mine.label}" if mine is not None else victim(session.application, session.query)
            wait = Waiting(lock.pid, name, self.object(lock) or "a relation", lock.mode, blocker, since, sample.ended)
            others = [sample.sessions[pid] for pid in between if pid in sample.sessions]
            wait.chain = tuple(victim(other.application, other.query) for other in others)
            self._waiting[lock.pid] = wait
            self.waits.append(wait)
        wait.seen = sample.ended
        return True

    def _taker(self, pid: int, sample: Sample) -> Statement | None:
        """The statement of the upgrade that took the strongest lock of ``pid``: it blocks, not what runs now."""
        current = self._statement_of(pid, sample)
        if current is None:
            return None
        held = [one for key, one in self._open.items() if key[0] == pid and one.mode in STRONG]
        if any(lock.pid == pid and lock.waiting_since is not None for lock in sample.locks) or not held:
            return current  # it waits itself, and the others queue behind what it asks for
        return max(held, key=lambda one: STRONG.index(one.mode)).statement

    # -- the log --------------------------------------------------------------------------------------------------

    def read_log(self, lines: list[log.Line], database: str) -> None:
        """Join lines of the server's log: work done, exact waits, and statements of other programs."""
        from fulldress.database.postgres.witnesses import join

        with self._guard:
            join(self, lines, database)


def victim(application: str, query: str) -> str:
    """Who waits, as a person knows it: the operation that traffic names, else the query without its literals."""
    if application.startswith("fulldress-traffic:"):
        return application.partition(":")[2]
    text = excerpt(_LITERAL.sub("?", query), 100)
    return f"{application}: {text}" if application and not application.startswith(("psql", "fulldress")) else text


def _chain(lock: Seen, sample: Sample) -> list[int]:
    """Who blocks, directly or through others, nearest first."""
    blockers = {one.pid: one.blockers for one in sample.locks if one.waiting_since is not None}
    chain: list[int] = []
    queue = list(lock.blockers)
    while queue:
        pid = queue.pop(0)
        if pid and pid != lock.pid and pid not in chain:
            chain.append(pid)
            queue += blockers.get(pid, ())
    return chain
