"""Statements on one MariaDB or MySQL database, the metadata locks that they held, and who waited for them."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import NamedTuple

from fulldress.database.happenings import Held, Statement, Waiting
from fulldress.database.mysql.poller import STRONG, Sample, Seen
from fulldress.database.mysql.server import OBSERVER
from fulldress.facts import excerpt
from fulldress.patterns import regex

_LITERAL = regex(r"'(?:[^'\\]|''|\\.)*'|\b\d+(?:\.\d+)?\b")


class Stall(NamedTuple):
    """What a canary waited. ``thread`` is its session."""

    thread: int
    kind: str  #: reader, writer
    table: str
    begun: float
    ended: float


class Trace:
    """Joins the runner's statements with the poller's looks and the canaries' stalls."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.held: list[Held] = []
        self.waits: list[Waiting] = []
        self.marks: list[tuple[float, str]] = []
        self.canaries: set[int] = set()
        self.program = ""  #: the program that runs, if one does: whoever is no observer is it
        self._guard = threading.RLock()
        self._current: dict[int, Statement] = {}
        self._open: dict[tuple[int, str, str], Held] = {}
        self._waiting: dict[int, Waiting] = {}
        self._last_look = 0.0

    @property
    def step(self) -> str:
        return self.marks[-1][1] if self.marks else ""

    def mark(self, step: str) -> None:
        with self._guard:
            self.marks.append((time.time(), step))

    # -- the runner -----------------------------------------------------------------------------------------------

    def begin(self, statement: Statement) -> None:
        with self._guard:
            self._current[statement.pid] = statement
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
            self._current[statement.pid] = before

    def release(self, thread: int) -> None:
        """The transaction of ``thread`` has ended."""
        with self._guard:
            now = time.time()
            for key, held in list(self._open.items()):
                if key[0] == thread:
                    held.released = now
                    del self._open[key]

    def finish(self, thread: int) -> None:
        """The session of ``thread`` is about to end."""
        with self._guard:
            self.release(thread)
            self._current.pop(thread, None)

    def forget(self) -> None:
        """All sessions of the migration have ended."""
        with self._guard:
            for thread in list(self._current):
                self.finish(thread)

    def hold(self, thread: int, name: str, mode: str, at: float, caught: str) -> None:
        """A lock that a session of the migration holds."""
        with self._guard:
            statement = self._current.get(thread)
            if statement is None:
                return
            key = (thread, mode, name)
            held = self._open.get(key)
            if held is None:
                taken = max(statement.started, min(self._last_look, at))
                held = self._open[key] = Held(statement, mode, name, taken, at, caught)
                self.held.append(held)
            held.seen = max(held.seen, at)
            if caught != "poll":
                held.caught = caught

    # -- the poller -----------------------------------------------------------------------------------------------

    def absorb(self, sample: Sample) -> None:
        with self._guard:
            self._adopt(sample)
            present = set()
            for lock in sample.locks:
                current = self._current.get(lock.thread)
                if current is None or not lock.granted or sample.begun < current.started:
                    continue
                if current.ended is not None and sample.begun <= current.ended + 0.001 and lock.mode in STRONG:
                    continue  # looked at before it ended, told after it
                present.add((lock.thread, lock.mode, lock.object))
                self.hold(lock.thread, lock.object, lock.mode, sample.begun, "poll")
            for key, held in list(self._open.items()):
                if key not in present and held.seen < sample.begun:
                    held.released = sample.begun
                    del self._open[key]
            waiting = self._metadata(sample) | self._rows(sample)
            for thread, wait in list(self._waiting.items()):
                if thread not in waiting:
                    wait.ended = sample.ended
                    del self._waiting[thread]
            self._last_look = sample.ended

    def _adopt(self, sample: Sample) -> None:
        """Sessions of a program that runs as a step: what they run is the migration's."""
        if not self.program:
            return
        for lock in sample.locks:
            known = self._current.get(lock.thread)
            if lock.user == OBSERVER or not lock.query or lock.thread in self.canaries:
                continue
            if known is None or (known.sent and known.sent != lock.query):
                statement = Statement(
                    self.program, lock.query, lock.thread, sample.begun, step=self.step or "up", sent=lock.query
                )
                self._current[lock.thread] = statement

    def _metadata(self, sample: Sample) -> set[int]:
        """Who asks for a lock that a session of the migration holds, or asked for before."""
        waiting = set()
        for lock in sample.locks:
            if lock.granted:
                continue
            others = [one for one in sample.locks if one.object == lock.object and one.thread != lock.thread]
            mine = self._current.get(lock.thread)
            # a lock that was upgraded is still told by its first mode, so every lock of ours on the table counts
            ours = sorted((one for one in others if one.thread in self._current), key=_weight)
            if mine is None and ours:
                statement = self._current[ours[0].thread]
                between = [] if ours[0].granted else [one for one in others if one.granted and one not in ours]
                chain = tuple(_victim(one) for one in between if one.thread not in self._current)
                self._wait(lock, statement, sample, chain)
                waiting.add(lock.thread)
            elif mine is not None and (holders := [one for one in others if one.granted]):
                text = _victim(holders[0])
                blocker = Statement(mine.migration, text, holders[0].thread, sample.begun, step=mine.step)
                self._wait(lock, blocker, sample, (), f"{mine.migration}: {mine.label}")
                waiting.add(lock.thread)
        return waiting

    def _wait(self, lock: Seen, blocker: Statement, sample: Sample, chain: tuple[str, ...], victim: str = "") -> None:
        wait = self._waiting.get(lock.thread)
        if wait is not None and wait.blocker.label != blocker.label:
            wait.ended, wait = sample.begun, None  # it waits on, for the next one
        if wait is None:
            name = victim or _victim(lock)
            wait = Waiting(lock.thread, name, lock.object, lock.mode, blocker, sample.begun, sample.ended)
            self._waiting[lock.thread] = wait
            self.waits.append(wait)
        wait.seen = sample.ended
        if len(chain) > len(wait.chain):
            wait.chain = chain

    def _rows(self, sample: Sample) -> set[int]:
        waiting = set()
        for who, whom in sample.rows:
            blocker, mine = self._current.get(whom), self._current.get(who)
            user, query = sample.queries.get(who, ("", ""))
            victim = ""
            if blocker is None and mine is not None:
                text = excerpt(sample.queries.get(whom, ("", ""))[1], 100) or "a transaction that is left open"
                blocker = Statement(mine.migration, text, whom, sample.begun, step=mine.step)
                victim = f"{mine.migration}: {mine.label}"
            if blocker is not None:
                self._wait(Seen(who, "a row", "row lock", False, user, query), blocker, sample, (), victim)
                waiting.add(who)
        return waiting

    # -- the canaries ---------------------------------------------------------------------------------------------

    def blame(self, stalls: list[Stall]) -> None:
        """Put the canaries' own measure in the place of the poller's, wherever the poller saw them wait."""
        with self._guard:
            mine = [wait for wait in self.waits if wait.pid in self.canaries]
            self.waits = [wait for wait in self.waits if wait.pid not in self.canaries]
            for stall in stalls:
                seen = [
                    wait
                    for wait in mine
                    if wait.pid == stall.thread and wait.since <= stall.ended and wait.seen >= stall.begun
                ]
                if seen:
                    longest = max(seen, key=lambda wait: min(wait.seen, stall.ended) - max(wait.since, stall.begun))
                    name = f"a {stall.kind} of {stall.table}"
                    told = replace(longest, pid=0, victim=name, since=stall.begun, ended=stall.ended)
                    told.exact = stall.ended - stall.begun
                    self.waits.append(told)


def _weight(lock: Seen) -> int:
    """The lock that others wait for, most likely, first."""
    return 0 if not lock.granted or lock.mode in STRONG else 1 if lock.mode == "SHARED_UPGRADABLE" else 2


def _victim(lock: Seen) -> str:
    """Who waits, as a person knows it: the statement without its literals."""
    return excerpt(_LITERAL.sub("?", lock.query), 100) or "a transaction that is left open"
