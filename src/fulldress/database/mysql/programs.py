"""A migration program run on a clone: mariadb, Alembic, Django, Flyway, a vendor's binary.

There is no tap between them: the server's own performance_schema tells every statement with its time, rows and error,
whichever way it came, and the poller tells locks and waits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from fulldress.database import program
from fulldress.database.happenings import Ran
from fulldress.database.mysql.clone import Clone, gap
from fulldress.database.mysql.history import KEPT, History
from fulldress.database.mysql.relay import Relay
from fulldress.database.mysql.server import RUNNER
from fulldress.engine.venue import StatementRun
from fulldress.findings import Outcome

#: What would lead a program to another server.
_ELSEWHERE = ("MYSQL_PWD", "MYSQL_TCP_PORT", "MYSQL_HOST", "MYSQL_UNIX_PORT", "MYSQL_HOME", "DATABASE_URL")


class Address(NamedTuple):
    """Where a program finds the clone. Its account has no password."""

    host: str
    port: int
    user: str
    database: str
    socket: Path

    def fill(self, word: str) -> str:
        """``{url}``, ``{host}``, ``{port}``, ``{user}``, ``{database}``, ``{socket}`` and ``{jdbc}``, filled in."""
        jdbc = f"jdbc:mariadb://{self.host}:{self.port}/{self.database}?user={self.user}"
        for name, value in (*self._asdict().items(), ("url", self.url), ("jdbc", jdbc)):
            word = word.replace(f"{{{name}}}", str(value))
        return word

    @property
    def url(self) -> str:
        return f"mysql://{self.user}@{self.host}:{self.port}/{self.database}"

    def environment(self) -> dict[str, str]:
        """What client programs and drivers read."""
        return {
            "MYSQL_HOST": self.host,
            "MYSQL_TCP_PORT": str(self.port),
            "MYSQL_UNIX_PORT": str(self.socket),
            "MYSQL_USER": self.user,
            "MYSQL_DATABASE": self.database,
            "DATABASE_URL": self.url,
        }


def run(
    clone: Clone,
    command: Sequence[str],
    *,
    step: str = "up",
    limit: float | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Run ``command`` with the clone as its database, everything it does there traced; its words go where ours go.

    ``limit``: seconds after which it is ended, and that is its outcome. What it starts is ended with it. An outcome
    *unknown* is that of a command that never came to the clone. Raises :class:`ProgramNotFound`."""
    name = Path(command[0]).name
    watching = clone.watching
    if not watching:
        clone.start_watch()
    clone.trace.program = name
    started = time.time()
    try:
        with Relay(clone.server.socket) as relay, clone.session() as observer:
            there = Address("127.0.0.1", relay.port, RUNNER, clone.name, clone.server.socket)
            history = History(observer)
            inherited = {key: value for key, value in os.environ.items() if key not in _ELSEWHERE}
            env = {**inherited, **there.environment(), **(environment or {})}
            code = program.carry_out([there.fill(word) for word in command], limit, folder, env)
            for (thread,) in observer.texts(f"SELECT id FROM information_schema.processlist WHERE user = '{RUNNER}'"):
                observer.run(f"KILL {thread}")  # what a program has left running ends with it
            statements, count = history.read(name, step)
    finally:
        clone.trace.program = ""
        clone.trace.forget()
        if not watching:
            clone.stop_watch()
    clone.trace.statements += statements
    outcome, error = program.outcome(code, limit)
    if outcome is Outcome.PASS and not count:
        outcome, error = Outcome.UNKNOWN, "it ran no statement on the copy; did it use another database?"
        clone.unread.append(gap(f"what {name} did", error, needed=True))
    if count >= KEPT:
        clone.unread.append(gap(f"the earlier statements of {name}", f"the server keeps {KEPT:,}", needed=True))
    took = timedelta(seconds=max(time.time() - started, 0.0))
    run_ = StatementRun(outcome=outcome, error=error, started=datetime.fromtimestamp(started, UTC), duration=took)
    ran = Ran(name, step, run_, count, None)
    clone.ran.append(ran)
    return ran
