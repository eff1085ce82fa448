"""A migration program run on a copy: Alembic, Django, sqlite3 itself, a vendor's binary.

SQLite has no server between a program and its file, so nothing sees single statements. What the kernel tells is seen:
every write transaction, by the locks that the program's processes hold on the file. Nobody else touches the copy
meanwhile, as a program that waits for no lock would fail because of us.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fulldress.database import program
from fulldress.database.happenings import Ran, Statement
from fulldress.database.sqlite import proof
from fulldress.database.sqlite.clone import Clone
from fulldress.engine.venue import StatementRun
from fulldress.facts import Evidence, Reason, Unread, Witness
from fulldress.findings import Outcome


def fill(word: str, path: Path) -> str:
    """``{path}`` and ``{url}`` of a command's word, filled in."""
    return word.replace("{path}", str(path)).replace("{url}", f"sqlite:///{path}")


def run(
    clone: Clone,
    command: Sequence[str],
    *,
    step: str = "up",
    limit: float | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Run ``command`` with the copy as its database, in DATABASE_URL and wherever ``{path}`` or ``{url}`` stands.

    ``limit``: seconds after which it is ended, and that is its outcome. What it starts is ended with it. An outcome
    *unknown* is that of a command that changed nothing there. Raises :class:`ProgramNotFound`."""
    name = Path(command[0]).name
    words = [fill(word, clone.path) for word in command]
    before = proof.fingerprint(clone)
    statement = Statement(name, " ".join(command), 0, time.time(), step=step)
    clone.trace.begin(statement)
    clone.trace.others = True
    watching = clone.watching
    if not watching:
        clone.start_watch()
    clone.mark(step)
    try:
        env = {**os.environ, "DATABASE_URL": f"sqlite:///{clone.path}", **(environment or {})}
        code = program.carry_out(words, limit, folder, env)
    finally:
        statement.ended = time.time()
        clone.mark("")
        clone.trace.others = False
        clone.trace.finish()
        if not watching:
            clone.stop_watch()
    outcome, error = program.outcome(code, limit)
    touched = any(held.statement is statement for held in clone.trace.held)
    if outcome is Outcome.PASS and not touched and proof.fingerprint(clone) == before:
        outcome, error = Outcome.UNKNOWN, "it changed nothing in the copy; did it use another database?"
        clone.unread.append(_gap(f"what {name} did", error, needed=True))
    else:
        words_ = "SQLite has no server that would tell them; trace the SQL files for that"
        clone.unread.append(_gap(f"single statements of {name}", words_))
    ran = Ran(
        name,
        step,
        StatementRun(
            outcome=outcome,
            error=error,
            started=datetime.fromtimestamp(statement.started, UTC),
            duration=timedelta(seconds=max(statement.ended - statement.started, 0.0)),
        ),
        1,
        None,
    )
    clone.ran.append(ran)
    return ran


def _gap(what: str, detail: str, *, needed: bool = False) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(source="sqlite"),
        what=what,
        reason=Reason.NOT_MEASURED,
        detail=detail,
        needed=needed,
    )
