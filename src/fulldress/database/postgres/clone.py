"""A copy of one production database on a server of the rehearsal's own: queried, changed, traced, copied, put back."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from fulldress.database.postgres import log, reach
from fulldress.database.postgres.deadline import Deadline
from fulldress.database.postgres.poller import Names, Poller
from fulldress.database.postgres.runner import Observer, Ran, Runner
from fulldress.database.postgres.server import OBSERVER, Server
from fulldress.database.postgres.tap import Tap
from fulldress.database.postgres.testimony import facts
from fulldress.database.postgres.trace import Trace
from fulldress.database.postgres.wire import Connection
from fulldress.engine.venue import StatementRun
from fulldress.errors import ConnectionLost, DatabaseError, NoSnapshot, QueryFailed
from fulldress.facts import AnyFact, Evidence, Reason, Unread, Witness
from fulldress.findings import Outcome

RUNNER = "fulldress-runner"
_TAPS = itertools.count(1)


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Clone:
    """Implements :class:`fulldress.engine.venue.Database`. ``role`` is whom scripts run as, production's own."""

    def __init__(self, server: Server, name: str, role: str = "postgres") -> None:
        self.server = server
        self.name = name
        self.role = role
        self.unread: list[Unread] = []
        self.ran: list[Ran] = []
        self.names = Names()
        self.trace = Trace(self.names)
        self._poller: Poller | None = None
        self._left = False
        self._kept: dict[str, str] = {}
        self.taps: list[Tap] = []
        self._log = log.Reader(server.log)
        self._log.skip()
        self._prepare()
        if lacking := server.lacking():
            what = "whether the migration leaves this machine alone"
            self._gap(what, f"its kernel cannot keep the rehearsal's server from others' {', '.join(lacking)}")
        server.clones[name] = self

    # -- addresses ------------------------------------------------------------------------------------------------

    @property
    def socket(self) -> Path:
        """The unix socket of the clone's server."""
        return self.server.socket

    def dsn(self) -> str:
        return self.server.dsn(self.name, self.role)

    def session(self, application: str = "fulldress-observer", role: str = OBSERVER) -> Connection:
        return self.server.session(self.name, role, application)

    def silent(self, application: str = "fulldress-observer") -> Connection:
        """A session of our own of which the log says nothing."""
        return self.server.session(self.name, OBSERVER, application, log.SILENT)

    # -- engine.venue.Database ------------------------------------------------------------------------------------

    def query(self, sql: str) -> list[dict[str, object]]:
        """Rows of one statement in its own transaction, as production's role."""
        with self.session("fulldress-query", self.role) as line:
            return line.query(sql)

    def execute(
        self,
        sql: str,
        *,
        name: str,
        step: str,
        siblings: Mapping[str, str] | None = None,
        limit: float | None = None,
    ) -> StatementRun:
        """Run a script as the vendor wrote it, over one session, traced. ``siblings``: files that ``\\i`` may name;
        ``limit``: seconds after which its session is ended, and that is its outcome."""
        refused = reach.of_machine(sql) if "files" in self.server.lacking() else ""
        if refused:
            return self._refuse(name, step, refused)
        self.names.forget()
        watching = self._poller is not None
        if not watching:
            self.start_watch()
        try:
            observer = Observer(self.session(), self.names, self.session)
            with closing(observer), self.session(RUNNER, self.role) as line:
                runner = Runner(line, observer, self.trace)
                try:
                    with Deadline(self.server, line.pid, limit) as deadline:
                        ran = runner.run(sql, name=name, step=step, siblings=siblings)
                finally:
                    self.trace.forget(line.pid)
                if deadline.passed and ran.run.outcome is Outcome.FAIL:
                    run = msgspec.structs.replace(ran.run, error=f"{name}: {deadline.words}")
                    ran = dataclasses.replace(ran, run=run)
        finally:
            if not watching:
                self.stop_watch()
        self.ran.append(ran)
        return ran.run

    def _refuse(self, name: str, step: str, found: str) -> StatementRun:
        why = f"{name}: this machine's kernel cannot keep the rehearsal's server from {found}: not run"
        run = StatementRun(outcome=Outcome.UNKNOWN, error=why, started=datetime.now(UTC), duration=timedelta())
        self.ran.append(Ran(name, step, run, 0, None))
        self._gap(f"what {name} does", why, needed=True)
        return run

    def snapshot(self, name: str) -> None:
        """Keep everything under ``name``. Sessions are ended, as the server copies only what nobody uses."""
        kept = f"{self.name}@{name}"
        with self._alone() as line:
            line.query(f"DROP DATABASE IF EXISTS {quote(kept)}")
            copy_database(self.server, line, self.name, kept)
        self._kept[name] = kept

    def restore(self, name: str) -> None:
        """Put what was kept under ``name`` in the place of what is there now; it stays kept."""
        kept = self._kept.get(name)
        if kept is None:
            raise NoSnapshot(self.name, name)
        fresh = f"{self.name}@fresh"
        with self._alone() as line:
            line.query(f"DROP DATABASE IF EXISTS {quote(fresh)}")
            copy_database(self.server, line, kept, fresh)
            line.query(f"DROP DATABASE {quote(self.name)}")
            line.query(f"ALTER DATABASE {quote(fresh)} RENAME TO {quote(self.name)}")
        self.names.forget()

    def adopt(self, name: str, other: str) -> None:
        """Another clone of this server becomes what is kept under ``name``; it is no clone of its own any more."""
        self.server.clones.pop(other, None)
        self._kept[name] = other

    def forget(self, name: str) -> None:
        kept = self._kept.pop(name, None)
        if kept is not None:
            with self.server.session("postgres") as line:
                line.query(f"DROP DATABASE IF EXISTS {quote(kept)}")

    # -- copies ---------------------------------------------------------------------------------------------------

    def copy(self, name: str) -> Clone:
        """Another clone with the same content. Sessions to this one are ended."""
        with self._alone() as line:
            copy_database(self.server, line, self.name, name)
        other = Clone(self.server, name, self.role)
        other.unread = list(self.unread)
        return other

    def close_tap(self, tap: Tap) -> None:
        if tap in self.taps:
            self.taps.remove(tap)
        tap.stop()
        tap.folder.rmdir()

    def close_taps(self) -> None:
        for tap in list(self.taps):
            self.close_tap(tap)

    def drop(self) -> None:
        self.close_taps()
        self.stop_watch()
        for name in list(self._kept):
            self.forget(name)
        try:
            with self._alone() as line:
                line.query(f"DROP DATABASE IF EXISTS {quote(self.name)}")
        except ConnectionLost:
            pass  # the server has died: nothing is left to drop, and what lies on its disk goes with its folder
        self.server.clones.pop(self.name, None)

    def _alone(self) -> _Alone:
        return _Alone(self)

    def _prepare(self) -> None:
        """Let the log speak of this database, whoever connects to it."""
        settings = dict(log.DATABASE_SETTINGS)
        if self.server.has_library("auto_explain"):
            settings |= log.PLANS
        with self.server.session("postgres") as line:
            for key, value in settings.items():
                line.query(f"ALTER DATABASE {quote(self.name)} SET {key} = {literal(value)}")

    # -- watching -------------------------------------------------------------------------------------------------

    def mark(self, step: str) -> None:
        """What other programs do to the clone from now on belongs to ``step``; empty: to none."""
        self.trace.mark(step)

    def start_watch(self) -> None:
        """Poll locks and waiters, every 5 ms, until :meth:`stop_watch`."""
        if self._poller is None:
            self._poller = Poller(
                self.session,
                self.server.installation.major,
                self.names,
                self.trace.watched,
                self.trace.absorb,
                self.trace.pace,
            )
            self._poller.start()

    def stop_watch(self) -> None:
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.stop()
            if poller.failure:
                self.unread.append(
                    Unread(
                        witness=Witness.OBSERVED,
                        evidence=Evidence(table=self.name),
                        what=f"locks and waits on database {self.name}",
                        reason=Reason.NOT_MEASURED,
                        detail=poller.failure,
                        needed=True,
                    )
                )

    # -- other programs -------------------------------------------------------------------------------------------

    @property
    def watching(self) -> bool:
        return self._poller is not None

    def open_tap(self, *, always: bool = False, migration: str = "", tcp: bool = False) -> Tap:
        """A place where any program may connect as if it were the clone's server, every statement looked at.

        Sessions that begin while no step runs belong to the product's own services and pass untouched, unless
        ``always``. ``migration`` names what runs, else the step does. ``tcp``: also at a port of 127.0.0.1, for our own
        user's programs. Closed with the clone."""
        folder = self.server.socket_folder / f"tap{next(_TAPS)}"
        folder.mkdir(mode=0o755)

        def label() -> tuple[str, str] | None:
            step = self.trace.step
            return (migration or step, step) if step or always else None

        tap = Tap(self.server.socket, folder, self.trace, self.names, self.server.session, label, self._leave, tcp=tcp)
        tap.start()
        self.taps.append(tap)
        return tap

    def _leave(self, apart: bool) -> None:
        """Take the poller's session out of the way of a statement that needs a database without others."""
        if apart:
            self._left = self._poller is not None
            self.stop_watch()
        elif self._left:
            try:
                self.start_watch()
            except DatabaseError:
                self._poller = None  # it has dropped the database: facts() says so

    def facts(self, since: datetime | float = 0) -> list[AnyFact]:
        """What was observed from ``since`` (an instant, or seconds since the epoch) on: Work, Lock, Wait, Migration,
        and what could not be observed."""
        try:
            with self.session() as line:
                self.trace.read_log(self._log.read(line), self.name)
        except (QueryFailed, ConnectionLost) as error:
            self._gone(error)
        begin = since.timestamp() if isinstance(since, datetime) else float(since)
        return facts(self, begin, time.time())

    def _gone(self, error: DatabaseError) -> None:
        """The database cannot be reached any more: that is what there is to say of it."""
        what = f"what database {self.name} is like after the migration"
        self._gap(what, f"it cannot be reached any more: {error}", needed=True)

    def _gap(self, what: str, detail: str, *, needed: bool = False) -> None:
        self.unread.append(
            Unread(
                witness=Witness.OBSERVED,
                evidence=Evidence(table=self.name),
                what=what,
                reason=Reason.NOT_MEASURED,
                detail=detail,
                needed=needed,
            )
        )


class _Alone:
    """Nobody else may connect to the clone meanwhile; its poller pauses."""

    def __init__(self, clone: Clone) -> None:
        self.clone = clone

    def __enter__(self) -> Connection:
        self.watching = self.clone._poller is not None
        self.clone.stop_watch()
        self.line = self.clone.server.session("postgres")
        name = self.clone.name
        try:
            if not self.line.rows(f"SELECT 1 FROM pg_database WHERE datname = {literal(name)}"):
                return self.line  # the script has dropped it
            self.line.query(f"ALTER DATABASE {quote(name)} ALLOW_CONNECTIONS false")
            self.line.query(
                f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = {literal(name)}"
                if self.clone.server.installation.major >= 14
                else f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {literal(name)}"
            )
        except QueryFailed:
            self.line.close()
            raise
        return self.line

    def __exit__(self, *_: object) -> None:
        name = self.clone.name
        there = self.line.rows(f"SELECT 1 FROM pg_database WHERE datname = {literal(name)}")
        if there:
            self.line.query(f"ALTER DATABASE {quote(name)} ALLOW_CONNECTIONS true")
        self.line.close()
        if self.watching and there:
            self.clone.start_watch()


def copy_database(server: Server, line: Connection, source: str, target: str) -> None:
    """CREATE DATABASE … TEMPLATE, with owner, privileges and settings, which the server does not copy by itself."""
    strategy = " STRATEGY FILE_COPY" if server.installation.major >= 15 else ""
    line.query(f"CREATE DATABASE {quote(target)} TEMPLATE {quote(source)}{strategy}")
    row = line.query(
        "SELECT d.oid, pg_get_userbyid(d.datdba) AS owner, d.datacl::text AS acl FROM pg_database d"
        f" WHERE d.datname = {literal(source)}"
    )[0]
    line.query(f"ALTER DATABASE {quote(target)} OWNER TO {quote(str(row['owner']))}")
    acl = "NULL" if row["acl"] is None else f"{literal(str(row['acl']))}::aclitem[]"
    line.query(f"UPDATE pg_database SET datacl = {acl} WHERE datname = {literal(target)}")
    line.query(
        "INSERT INTO pg_db_role_setting SELECT d.oid, s.setrole, s.setconfig FROM pg_db_role_setting s, pg_database d"
        f" WHERE s.setdatabase = {row['oid']} AND d.datname = {literal(target)}"
    )
