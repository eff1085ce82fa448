"""A migration program run on a clone: psql, Alembic, Flyway, a vendor's binary, whatever speaks PostgreSQL's protocol.

It is told where to connect in every way that programs of this trade understand, and its statements are seen by the tap.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.runner import Ran
from fulldress.database.postgres.tap import Tap
from fulldress.engine.venue import StatementRun
from fulldress.errors import ProgramNotFound
from fulldress.facts import Evidence, Reason, Unread, Witness
from fulldress.findings import Outcome

#: What would lead a program past the tap.
_ELSEWHERE = ("PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGPASSWORD", "PGPASSFILE", "PGOPTIONS", "PGCHANNELBINDING")


class Address(NamedTuple):
    """Where a program finds the clone behind the tap."""

    host: str
    port: int
    user: str
    database: str

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"

    def fill(self, word: str) -> str:
        """``{url}``, ``{host}``, ``{port}``, ``{user}``, ``{database}`` and ``{jdbc}`` of a command's word, filled in."""
        jdbc = f"jdbc:postgresql://{self.host}:{self.port}/{self.database}?user={self.user}"
        for name, value in (*self._asdict().items(), ("url", self.url), ("jdbc", jdbc)):
            word = word.replace(f"{{{name}}}", str(value))
        return word

    def environment(self) -> dict[str, str]:
        """libpq's variables, and ``DATABASE_URL``."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": self.database,
            "PGSSLMODE": "disable",
            "DATABASE_URL": self.url,
        }


def address(clone: Clone, tap: Tap) -> Address:
    return Address("127.0.0.1", tap.port, clone.role, clone.name)


def surroundings(there: Address) -> dict[str, str]:
    """What a program is started with: our own environment, without what would lead it past the tap."""
    inherited = {key: value for key, value in os.environ.items() if key not in _ELSEWHERE}
    return {**inherited, **there.environment()}


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
    tap = clone.open_tap(always=True, migration=name, tcp=True)
    there = address(clone, tap)
    words = [there.fill(word) for word in command]
    clone.names.forget()
    watching = clone.watching
    if not watching:
        clone.start_watch()
    clone.mark(step)
    started = time.time()
    try:
        code = _carry_out(words, limit, folder, {**surroundings(there), **(environment or {})})
    finally:
        clone.mark("")
        clone.close_tap(tap)
        _end_sessions(clone, tap)
        if not watching:
            clone.stop_watch()
    outcome, error = Outcome.PASS, ""
    if code is None:
        outcome, error = Outcome.FAIL, f"it did not end within {limit:g} s, and was ended"
    elif code:
        outcome, error = Outcome.FAIL, f"exit code {code}" if code > 0 else f"ended by signal {-code}"
    elif not tap.sessions:
        outcome, error = Outcome.UNKNOWN, "it never connected to the copy; did it use another database?"
        clone.unread.append(_gap(f"what {name} did", error, needed=True))
    clone.unread += tap.gaps(name)
    took = timedelta(seconds=max(time.time() - started, 0.0))
    run_ = StatementRun(outcome=outcome, error=error, started=datetime.fromtimestamp(started, UTC), duration=took)
    ran = Ran(name, step, run_, tap.statements, None)
    clone.ran.append(ran)
    return ran


def _carry_out(words: list[str], limit: float | None, folder: Path | None, environment: dict[str, str]) -> int | None:
    """The command's exit code; None where its time was over."""
    try:
        process = subprocess.Popen(words, cwd=folder, env=environment, start_new_session=True)
    except OSError as error:
        raise ProgramNotFound(words[0], error.strerror or str(error)) from error
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and what it has started; first politely."""
    for number, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 10.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _end_sessions(clone: Clone, tap: Tap) -> None:
    """What a program has left running at the server ends with it; a server notices a client's death only when it answers."""
    pids = ", ".join(str(session.pid) for session in tap.sessions if session.pid)
    if pids:
        with clone.server.session("postgres") as line:  # the clone itself may have been dropped
            line.query(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN ({pids}) AND datname IS NOT NULL"
            )


def _gap(what: str, detail: str, *, needed: bool = False) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(source="tap"),
        what=what,
        reason=Reason.NOT_MEASURED,
        detail=detail,
        needed=needed,
    )
