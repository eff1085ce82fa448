"""Statements on one SQLite database, the locks that they held, and who waited for them.

There is one writer at a time for the whole database, so whoever holds ``RESERVED`` (or the write-ahead log's lock) keeps
all other writers out; ``PENDING`` and ``EXCLUSIVE`` keep readers out, too.
"""

from __future__ import annotations

import os
import threading
import time
from typing import NamedTuple

from fulldress.database.happenings import Held, Statement, Waiting
from fulldress.database.sqlite.locks import EXCLUDES_READERS, WRITER, Seen

DATABASE = "the whole database"


class Stall(NamedTuple):
    """What a canary waited."""

    kind: str  #: reader, writer
    begun: float
    ended: float


class Trace:
    """Joins the runner's statements with the poller's looks."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.held: list[Held] = []
        self.waits: list[Waiting] = []
        self.others = False  #: a program runs: whoever locks is it, or was started by it
        self.marks: list[tuple[float, str]] = []
        self._pid = os.getpid()
        self._current: Statement | None = None
        self._open: dict[tuple[int, str], Held] = {}
        self._guard = threading.RLock()
        self._last_look = 0.0
        self._journal = 0

    @property
    def step(self) -> str:
        return self.marks[-1][1] if self.marks else ""

    def mark(self, step: str) -> None:
        with self._guard:
            self.marks.append((time.time(), step))

    # -- the runner -----------------------------------------------------------------------------------------------

    def begin(self, statement: Statement) -> None:
        with self._guard:
            self._current = statement
            self.statements.append(statement)

    def repeat(self, before: Statement, statement: Statement) -> None:
        """Fold ``statement`` into ``before``, which did the same to the same table."""
        with self._guard:
            self.statements.pop()
            before.repeated += 1
            before.ended = statement.ended
            before.rows = (before.rows or 0) + (statement.rows or 0)
            for held in self.held[-8:]:
                if held.statement is statement:
                    held.statement = before
            self._current = before

    def look(self, statement: Statement, *, inside: bool) -> None:
        """A statement has ended; outside of a transaction its locks have gone with it."""
        if not inside:
            self.release()

    def release(self) -> None:
        with self._guard:
            now = time.time()
            for held in self._open.values():
                held.released = now
            self._open.clear()
            self._journal = 0

    # -- the poller -----------------------------------------------------------------------------------------------

    def absorb(self, locks: list[Seen], begun: float, journal: int, caught: str = "poll") -> None:
        with self._guard:
            present = set()
            for lock in locks:
                statement = self._owner(lock.pid)
                if statement is None or lock.mode not in (*WRITER, "WAL CHECKPOINT") or begun < statement.started:
                    continue
                key = (lock.pid, lock.mode)
                present.add(key)
                held = self._open.get(key)
                if held is None:
                    taken = max(statement.started, self._last_look)
                    held = self._open[key] = Held(statement, lock.mode, DATABASE, taken, begun, caught)
                    self.held.append(held)
                held.seen = begun
            for key, held in list(self._open.items()):
                if key not in present and held.seen < begun:
                    held.released = begun
                    del self._open[key]
            current = self._current
            if current is not None and current.ended is None and journal > self._journal:
                current.wal = (current.wal or 0) + journal - self._journal
            self._journal = journal
            self._last_look = begun

    def _owner(self, pid: int) -> Statement | None:
        return self._current if self.others or pid == self._pid else None

    def finish(self) -> None:
        """The migration's process is gone."""
        with self._guard:
            self.release()
            self._current = None

    # -- the canaries ---------------------------------------------------------------------------------------------

    def blame(self, stalls: list[Stall]) -> None:
        """Who kept a canary waiting: the statement that took the lock, else the one that ran the longest meanwhile."""
        with self._guard:
            for stall in stalls:
                blocker = self._blocker(stall)
                if blocker is None:
                    continue
                mode = "SHARED" if stall.kind == "reader" else "RESERVED"
                wait = Waiting(0, f"a {stall.kind}", DATABASE, mode, blocker, stall.begun, stall.ended)
                wait.ended = stall.ended
                self.waits.append(wait)

    def _blocker(self, stall: Stall) -> Statement | None:
        modes = EXCLUDES_READERS if stall.kind == "reader" else WRITER
        held = [(_overlap(stall, one.taken, one.released), one.statement) for one in self.held if one.mode in modes]
        ran = [(_overlap(stall, one.started, one.ended), one) for one in self.statements]
        for candidates in (held, ran):
            best = max(candidates, key=lambda pair: pair[0], default=None)
            if best is not None and best[0] > 0:
                return best[1]
        return None


def _overlap(stall: Stall, begun: float, ended: float | None) -> float:
    return min(stall.ended, ended if ended is not None else stall.ended) - max(stall.begun, begun)
