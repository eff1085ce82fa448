"""A copy of one SQLite database: queried, changed, traced, copied, put back."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from fulldress.database import testimony
from fulldress.database.happenings import Ran
from fulldress.database.scratch import Scratch
from fulldress.database.sqlite import canary, source
from fulldress.database.sqlite.locks import Poller
from fulldress.database.sqlite.runner import Runner
from fulldress.database.sqlite.trace import Stall, Trace
from fulldress.engine.venue import StatementRun
from fulldress.errors import NoSnapshot
from fulldress.facts import AnyFact, Evidence, Reason, Unread, Witness
from fulldress.findings import Outcome


class Clone:
    """Implements :class:`fulldress.engine.venue.Database`. ``path`` is the copy's own file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.ran: list[Ran] = []
        self.unread: list[Unread] = []
        self.trace = Trace()
        self._poller: Poller | None = None
        self._copies = 0

    def query(self, sql: str) -> list[dict[str, object]]:
        """Rows of one statement, in its own transaction."""
        with self.session() as line:
            line.row_factory = sqlite3.Row
            return [dict(row) for row in line.execute(sql).fetchall()]

    @contextlib.contextmanager
    def session(self) -> Iterator[sqlite3.Connection]:
        line = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        try:
            yield line
        finally:
            line.close()

    def execute(
        self,
        sql: str,
        *,
        name: str,
        step: str,
        siblings: Mapping[str, str] | None = None,
        limit: float | None = None,
        canaries: bool = False,
    ) -> StatementRun:
        """Run a script as the vendor wrote it, traced. ``siblings``: files that ``.read`` may name.

        ``canaries``: a reader and a writer try to get at the database all the while. A migration that fails because of
        them says so and runs once more without them, on what was there before: that is then its outcome."""
        kept = self.copy(f"{self.name}.canaries") if canaries else None
        try:
            ran, crowded = self._run(sql, name, step, siblings, limit, canaries), ""
            if kept is not None and ran.run.outcome is Outcome.FAIL and "is locked" in ran.run.error:
                crowded = ran.run.error
                self._put_back(kept.path)
                del self.trace.statements[:], self.trace.held[:], self.trace.waits[:]
                ran = self._run(sql, name, step, siblings, limit, False)
            if crowded:
                self.unread.append(_gap(name, f"beside another reader and writer it failed: {crowded}"))
        finally:
            if kept is not None:
                kept.drop()
        self.ran.append(ran)
        return ran.run

    def _run(
        self,
        sql: str,
        name: str,
        step: str,
        siblings: Mapping[str, str] | None,
        limit: float | None,
        canaries: bool,
    ) -> Ran:
        watching = self._poller is not None
        if not watching:
            self.start_watch()
        runner = Runner(self.path, self.trace)
        try:
            with self._canaries() if canaries else contextlib.nullcontext():
                return runner.run(sql, name=name, step=step, siblings=siblings, limit=limit)
        finally:
            runner.close()
            self.trace.finish()
            if not watching:
                self.stop_watch()

    @contextlib.contextmanager
    def _canaries(self) -> Iterator[None]:
        process = subprocess.Popen(
            [sys.executable, "-I", canary.__file__, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None and process.stdin is not None  # noqa: S101
        process.stdout.readline()
        try:
            yield
        finally:
            process.stdin.close()
            told = process.stdout.read()
            process.stdout.close()
            process.wait()
        found = json.loads(told)
        self.trace.blame([Stall(kind, *stall) for kind, one in found.items() for stall in one["stalls"]])

    # -- copies ---------------------------------------------------------------------------------------------------

    def copy(self, name: str) -> Clone:
        """Another clone with the same content."""
        folder = self.path.parent / f"{name}.d"
        folder.mkdir()
        source.clone(self.path, folder / self.name)
        other = Clone(folder / self.name)
        other.unread = list(self.unread)
        return other

    def snapshot(self, name: str) -> None:
        """Keep everything under ``name``."""
        self.forget(name)
        self.copy(f"{self.name}@{name}")

    def restore(self, name: str) -> None:
        """Put what was kept under ``name`` in the place of what is there now; it stays kept."""
        kept = self._kept(name)
        if not kept.exists():
            raise NoSnapshot(self.name, name)
        self._put_back(kept)

    def forget(self, name: str) -> None:
        kept = self._kept(name)
        if kept.parent.exists():
            Clone(kept).drop()

    def _kept(self, name: str) -> Path:
        return self.path.parent / f"{self.name}@{name}.d" / self.name

    def _put_back(self, kept: Path) -> None:
        with contextlib.closing(sqlite3.connect(kept)) as old, self.session() as line:
            old.backup(line)
            (mode,) = old.execute("PRAGMA journal_mode").fetchone()
            line.execute(f"PRAGMA journal_mode = {mode}").fetchall()

    def drop(self) -> None:
        self.stop_watch()
        for part in (self.path, *(self.path.with_name(self.name + end) for end in ("-wal", "-shm", "-journal"))):
            part.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()  # kept where other copies lie in it

    # -- watching -------------------------------------------------------------------------------------------------

    def mark(self, step: str) -> None:
        """What other programs do to the copy from now on belongs to ``step``; empty: to none."""
        self.trace.mark(step)

    def start_watch(self) -> None:
        """Look at the locks every 2 ms, until :meth:`stop_watch`."""
        if self._poller is None:
            self._poller = Poller(self.path, self.trace.absorb)
            self._poller.start()

    def stop_watch(self) -> None:
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.stop()
            if poller.failure and not any(gap.detail == poller.failure for gap in self.unread):
                self.unread.append(_gap(f"locks on {self.name}", poller.failure, needed=True))

    def restart(self) -> None:
        """Forget what was observed until now: it set the copy up."""
        self.ran.clear()
        self.trace = Trace()

    @property
    def watching(self) -> bool:
        return self._poller is not None

    def facts(self, since: datetime | float = 0) -> list[AnyFact]:
        """What was observed from ``since`` (an instant, or seconds since the epoch) on."""
        begin = since.timestamp() if isinstance(since, datetime) else float(since)
        now = time.time()
        found: list[AnyFact] = [
            testimony.migration(ran, "sqlite") for ran in self.ran if ran.run.started.timestamp() >= begin - 0.0005
        ]
        found += [testimony.work(one, now) for one in self.trace.statements if one.started >= begin]
        found += testimony.locks([held for held in self.trace.held if held.taken >= begin], now)
        found += testimony.waits([wait for wait in self.trace.waits if wait.since >= begin])
        return [*found, *self.unread]


@contextlib.contextmanager
def rehearsal(path: Path | None, scratch: Path | None = None) -> Iterator[Clone]:
    """A copy of the database at ``path`` (None: an empty one), gone afterwards. ``path`` is only read from."""
    need = source.size(path) * 4 if path is not None else 0
    with Scratch(scratch, need=max(need, 64 << 20)) as place:
        target = place.folder / (path.name if path is not None else "rehearsal.db")
        if path is None:
            sqlite3.connect(target).close()
            yield Clone(target)
            return
        copied = source.clone(path, target)
        clone = Clone(target)
        if copied.longest > 1:
            words = f"a piece of the copy took {copied.longest:.1f} s, in which no other program could write there"
            clone.unread.append(_gap(f"{path.name} without holding its writers up", words))
        yield clone


def _gap(what: str, detail: str, *, needed: bool = False) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(source="sqlite"),
        what=what,
        reason=Reason.NOT_MEASURED,
        detail=detail,
        needed=needed,
    )
