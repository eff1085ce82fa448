"""A copy of one MariaDB or MySQL database on a server of our own: queried, changed, traced, copied, put back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from fulldress.database import testimony
from fulldress.database.happenings import Ran
from fulldress.database.mysql.canary import Canaries
from fulldress.database.mysql.poller import Poller
from fulldress.database.mysql.runner import Runner
from fulldress.database.mysql.trace import Trace
from fulldress.database.mysql.wire import Connection
from fulldress.engine.venue import StatementRun
from fulldress.errors import NoSnapshot
from fulldress.facts import AnyFact, Evidence, Reason, Unread, Witness

if TYPE_CHECKING:
    from fulldress.database.mysql.server import Server


def quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


class Clone:
    """Implements :class:`fulldress.engine.venue.Database`."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.ran: list[Ran] = []
        self.unread: list[Unread] = []
        self.trace = Trace()
        self._poller: Poller | None = None
        self._kept: dict[str, Clone] = {}
        server.clones[name] = self

    def session(self, user: str = "fulldress") -> Connection:
        return self.server.session(self.name, user)

    def query(self, sql: str) -> list[dict[str, object]]:
        """Rows of one statement in its own transaction."""
        with self.session("rehearsal") as line:
            return line.query(sql)

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
        """Run a script as the vendor wrote it, over one session, traced. ``siblings``: files that SOURCE may name.

        ``canaries``: a reader and a writer of every table that the script names try to get at it all the while.
        ``limit``: seconds after which the script is ended, and that counts as failed."""
        watching = self._poller is not None
        if not watching:
            self.start_watch()
        try:
            with self.session("rehearsal") as line, self.session() as observer:
                runner = Runner(line, observer, self.trace, self.name)
                birds = Canaries(self, sql) if canaries else None
                try:
                    ran = runner.run(sql, name=name, step=step, siblings=siblings, limit=limit)
                finally:
                    self.trace.finish(line.thread)
                    if birds is not None:
                        self.trace.blame(birds.stop())
                        self.unread += birds.unread
        finally:
            if not watching:
                self.stop_watch()
        self.ran.append(ran)
        return ran.run

    # -- copies ---------------------------------------------------------------------------------------------------

    def copy(self, name: str) -> Clone:
        """Another clone with the same content, table by table: these servers copy no database as a whole."""
        from fulldress.database.mysql import source

        with self.session() as line:
            charset, collation = line.texts("SELECT @@character_set_database, @@collation_database")[0]
            line.run(f"DROP DATABASE IF EXISTS {quote(name)}")
            line.run(f"CREATE DATABASE {quote(name)} CHARACTER SET {charset} COLLATE {collation}")
        source.copy(self.server, self.name, name)
        other = Clone(self.server, name)
        other.unread = list(self.unread)
        return other

    def snapshot(self, name: str) -> None:
        """Keep everything under ``name``."""
        self._kept[name] = self.copy(f"{self.name}@{name}")

    def restore(self, name: str) -> None:
        """Put what was kept under ``name`` in the place of what is there now; it stays kept."""
        from fulldress.database.mysql import source

        kept = self._kept.get(name)
        if kept is None:
            raise NoSnapshot(self.name, name)
        with kept.session() as line:
            charset, collation = line.texts("SELECT @@character_set_database, @@collation_database")[0]
            line.run(f"DROP DATABASE IF EXISTS {quote(self.name)}")
            line.run(f"CREATE DATABASE {quote(self.name)} CHARACTER SET {charset} COLLATE {collation}")
        source.copy(self.server, kept.name, self.name)

    def forget(self, name: str) -> None:
        kept = self._kept.pop(name, None)
        if kept is not None:
            kept.drop()

    def drop(self) -> None:
        self.stop_watch()
        for name in list(self._kept):
            self.forget(name)
        with self.server.session() as line:
            line.run(f"DROP DATABASE IF EXISTS {quote(self.name)}")
        self.server.clones.pop(self.name, None)

    # -- watching -------------------------------------------------------------------------------------------------

    def mark(self, step: str) -> None:
        """What other programs do to the clone from now on belongs to ``step``; empty: to none."""
        self.trace.mark(step)

    @property
    def watching(self) -> bool:
        return self._poller is not None

    def start_watch(self) -> None:
        """Look at metadata locks and those who wait, every 5 ms, until :meth:`stop_watch`."""
        if self._poller is None:
            self._poller = Poller(self.server.session, self.name, self.trace.absorb)
            self._poller.start()

    def stop_watch(self) -> None:
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.stop()
            if poller.failure:
                self.unread.append(gap(f"locks and waits on database {self.name}", poller.failure, needed=True))

    def facts(self, since: datetime | float = 0) -> list[AnyFact]:
        """What was observed from ``since`` (an instant, or seconds since the epoch) on."""
        begin = since.timestamp() if isinstance(since, datetime) else float(since)
        now = time.time()
        dialect = self.server.installation.dialect
        found: list[AnyFact] = [
            testimony.migration(ran, dialect) for ran in self.ran if ran.run.started.timestamp() >= begin - 0.0005
        ]
        found += [testimony.work(one, now) for one in self.trace.statements if one.started >= begin]
        found += testimony.locks([held for held in self.trace.held if held.taken >= begin], now)
        found += testimony.waits([wait for wait in self.trace.waits if wait.since >= begin])
        return [*found, *self.unread]


def gap(what: str, detail: str, *, needed: bool = False) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(source="mysql"),
        what=what,
        reason=Reason.NOT_MEASURED,
        detail=detail,
        needed=needed,
    )
