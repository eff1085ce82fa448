"""Runs SQL files as ``mariadb < file`` does, and lets a trace look on.

Statements are sent one by one, as they stand. Before a transaction ends, its locks are looked at while they are held.
DDL is not transactional here: what ran before an error stays, and a script's end says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from fulldress.database.happenings import Ran, Statement
from fulldress.database.mysql.split import Piece, split
from fulldress.database.mysql.trace import Trace
from fulldress.database.mysql.wire import Connection, Result
from fulldress.engine.venue import StatementRun
from fulldress.errors import DatabaseError
from fulldress.findings import Outcome
from fulldress.patterns import regex

_QUICK = 0.05  #: seconds; slower statements always get a record of their own
_CHANGES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_HEAD = regex(r"(?is)\s*(?:/\*[!M]\S*\s*)?(\w+)(?:\s+(\w+)(?:\s+([\w`.]+))?)?")
_ROW_LOCKS = regex(r"(\d+) row lock\(s\)[^\n]*\n(?:MariaDB|MySQL) thread id (\d+)")
_BUILT = regex(
    r"(?is)\bADD\s+(?:UNIQUE\s+|FULLTEXT\s+|SPATIAL\s+)?(?:INDEX|KEY)\s+(?:IF\s+NOT\s+EXISTS\s+)?`?(\w+)|^\s*CREATE\s+(?:\w+\s+)?INDEX\s+`?(\w+)"
)

#: What is sent in the place of a statement: see the ladder.
Send = Callable[[Connection, Statement], list[Result]]


class Runner:
    """One session that runs scripts. ``send`` runs a single statement."""

    def __init__(
        self, line: Connection, observer: Connection, trace: Trace, database: str, send: Send | None = None
    ) -> None:
        self.line = line
        self.observer = observer
        self.trace = trace
        self.database = database.replace("'", "''")
        self._send = send or (lambda line, statement: line.run(statement.text))
        self._expired = False

    def run(
        self,
        sql: str,
        *,
        name: str,
        step: str,
        siblings: Mapping[str, str] | None = None,
        limit: float | None = None,
    ) -> Ran:
        """Run a script to its end or its first error. Outcome unknown: it was refused, and nothing of it ran."""
        started = time.time()
        pieces = split(sql, name, siblings)
        refused = next((piece for piece in pieces if piece.refused), None)
        if refused is not None:
            return _ran(name, step, pieces, started, Outcome.UNKNOWN, f"{_place(refused)}: {refused.refused}")
        timer = threading.Timer(limit, self._expire) if limit else None
        if timer is not None:
            timer.start()
        try:
            return self._all(pieces, name, step, started, limit)
        finally:
            if timer is not None:
                timer.cancel()

    def _expire(self) -> None:
        self._expired = True
        self.observer.run(f"KILL QUERY {self.line.thread}")

    def _all(self, pieces: list[Piece], name: str, step: str, started: float, limit: float | None) -> Ran:
        last: Statement | None = None
        for at, piece in enumerate(pieces):
            head = _head(piece.text)
            if self.line.in_transaction and head[0] in ("COMMIT", "ROLLBACK"):
                self._look("commit-hold")
            statement = Statement(name, piece.text, self.line.thread, time.time(), piece.file, piece.line, step)
            self.trace.begin(statement)
            try:
                results = self._send(self.line, statement)
            except DatabaseError as error:
                statement.ended = time.time()
                words = f"it did not end within {limit:g} s" if self._expired else str(error)
                statement.error = words
                self.trace.release(self.line.thread)
                kept = "" if at == 0 or self.line.in_transaction else "; what ran before it stays"
                return _ran(name, step, pieces, started, Outcome.FAIL, f"{_place(piece)}: {words}{kept}")
            statement.ended = time.time()
            if head[0] in _CHANGES or head[0] == "SELECT":
                result = results[-1]
                statement.rows = result.affected if result.affected >= 0 else len(result.rows)
            statement.built += [one or other for one, other in _BUILT.findall(statement.text)]
            if not self.line.in_transaction:
                self.trace.release(self.line.thread)
            last = self._fold(last, statement)
        if self.line.in_transaction:
            self.line.run("ROLLBACK")
            words = "it ends inside of a transaction, and so nothing of that is kept"
            return _ran(name, step, pieces, started, Outcome.FAIL, words)
        return _ran(name, step, pieces, started, Outcome.PASS, "")

    def _look(self, caught: str) -> None:
        """Locks that the transaction holds right before it ends."""
        now = time.time()
        for table, mode in self.observer.texts(
            "SELECT m.object_name, m.lock_type FROM performance_schema.metadata_locks m"
            " JOIN performance_schema.threads t ON t.thread_id = m.owner_thread_id"
            f" WHERE t.processlist_id = {self.line.thread} AND m.object_type = 'TABLE' AND m.lock_status = 'GRANTED'"
            f" AND m.object_schema = '{self.database}'"
        ):
            self.trace.hold(self.line.thread, table, mode, now, caught)
        # not from innodb_trx: MariaDB renews that table only when nobody has read it for 100 ms
        status = self.observer.texts("SHOW ENGINE INNODB STATUS")[0][2]
        for rows, thread in _ROW_LOCKS.findall(status):
            if int(thread) == self.line.thread and rows != "0":
                self.trace.hold(self.line.thread, f"{int(rows):,} rows", "row lock", now, caught)

    def _fold(self, last: Statement | None, statement: Statement) -> Statement:
        """Many statements of the same form, one after the other, are one record."""
        if last is None or not folds(last, statement):
            return statement
        self.trace.repeat(last, statement)
        return last


def folds(last: Statement, statement: Statement) -> bool:
    """Whether a quick statement did the same to the same table as the one before."""
    head = _head(statement.text)
    took = (statement.ended or statement.started) - statement.started
    return head[0] in _CHANGES and _head(last.text) == head and took <= _QUICK and not statement.error


@lru_cache(8)
def _head(text: str) -> tuple[str, str, str]:
    match = _HEAD.match(text)
    return ((match[1] or "").upper(), (match[2] or "").upper(), (match[3] or "").lower()) if match else ("", "", "")


def _place(piece: Piece) -> str:
    return f"{piece.file}:{piece.line}"


def _ran(name: str, step: str, pieces: list[Piece], started: float, outcome: Outcome, error: str) -> Ran:
    heads = [_head(piece.text)[:2] for piece in pieces]
    own = any(head[0] == "BEGIN" or head == ("START", "TRANSACTION") for head in heads) if pieces else None
    run = StatementRun(
        outcome=outcome,
        error=error,
        started=datetime.fromtimestamp(started, UTC),
        duration=timedelta(seconds=max(time.time() - started, 0.0)),
    )
    return Ran(name, step, run, len(pieces), own)
