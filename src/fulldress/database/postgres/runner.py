"""Runs SQL files as ``psql -v ON_ERROR_STOP=1 -f`` does, and lets a trace look on.

The script's own transactions stay as they are: nothing is wrapped, joined or rewritten. A statement outside of a
transaction is sent in the extended protocol with its Sync held back, so that its locks can be seen before they go; what
cannot run that way (CREATE INDEX CONCURRENTLY, VACUUM, COPY …) is sent as psql sends it, and left to the poller.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

from fulldress.database.happenings import Ran as Ran
from fulldress.database.postgres.poller import Names, Seen
from fulldress.database.postgres.split import Piece, split
from fulldress.database.postgres.trace import Statement, Trace
from fulldress.database.postgres.wire import Connection, Reply
from fulldress.engine.venue import StatementRun
from fulldress.errors import ConnectionLost
from fulldress.findings import Outcome

_ROWS = ("INSERT ", "UPDATE ", "DELETE ", "SELECT ")
_QUICK = 0.05  #: seconds; slower statements always get a record of their own


#: Prepared once, as it runs at every statement. The last row holds no lock, and is always there.
_PREPARE = """PREPARE look (int) AS
    SELECT locktype, mode, coalesce(relation, 0)::int8, coalesce(classid, 0)::int8, coalesce(objid, 0)::int8,
           coalesce(objsubid, 0)::int4, (pg_current_wal_insert_lsn() - '0/0')::int8
      FROM pg_locks
     WHERE pid = $1 AND granted AND mode <> 'AccessShareLock'
       AND (locktype = 'advisory' OR locktype = 'relation'
            AND database = {database})
    UNION ALL SELECT '', '', 0, 0, 0, 0, (pg_current_wal_insert_lsn() - '0/0')::int8"""


class Observer:
    """Looks at a session's locks from a session of its own."""

    def __init__(self, line: Connection, names: Names, again: Callable[[], Connection] | None = None) -> None:
        """``again`` opens another session where the script has ended this one."""
        self.line = line
        self._names = names
        self._again = again
        self.looks = 0
        self._prepare()

    def _prepare(self) -> None:
        oid = self.line.rows("SELECT oid FROM pg_database WHERE datname = current_database()")[0][0]
        self.line.query(_PREPARE.format(database=int(str(oid))))

    def close(self) -> None:
        self.line.close()

    def look(self, pid: int) -> tuple[list[Seen], int]:
        """Locks that ``pid`` holds (weakest mode left out), and the end of the write-ahead log in bytes."""
        self.looks += 1
        try:
            rows = self.line.rows(f"EXECUTE look({pid})")
        except ConnectionLost:
            if self._again is None:
                raise
            self.line.close()
            self.line = self._again()
            self._prepare()
            rows = self.line.rows(f"EXECUTE look({pid})")
        return self.read(pid, rows)

    def read(self, pid: int, rows: list[tuple[object, ...]]) -> tuple[list[Seen], int]:
        """Rows of the query above, or of one like it, as :meth:`look` gives them; the end of the log is 0 without rows."""
        numbers = [[int(str(value)) for value in row[2:]] for row in rows]
        locks = [
            Seen(pid, str(row[0]), str(row[1]), n[0], (n[1], n[2], n[3]), None, ())
            for row, n in zip(rows, numbers, strict=True)
            if row[0]
        ]
        self._names.learn(self.line, {lock.relation for lock in locks})
        return locks, numbers[-1][4] if numbers else 0


class Runner:
    """One session that runs scripts. ``before`` is called ahead of every statement (see the two runners at once)."""

    def __init__(
        self,
        line: Connection,
        observer: Observer | None = None,
        trace: Trace | None = None,
        before: Callable[[Piece], None] | None = None,
    ) -> None:
        self.line = line
        self.observer = observer
        self.trace = trace
        self.before = before
        self._wal = 0
        self._looked = ""  #: what the last look in this transaction was after

    def run(self, sql: str, *, name: str, step: str, siblings: Mapping[str, str] | None = None) -> Ran:
        """Run a script to its end or its first error. Outcome unknown: it was refused, and nothing of it ran."""
        started = time.time()
        pieces = split(sql, name, siblings)
        refused = next((piece for piece in pieces if piece.refused), None)
        if refused is not None:
            return self._ran(name, step, pieces, started, Outcome.UNKNOWN, f"{_place(refused)}: {refused.refused}")
        if self.observer is not None:
            self._wal = self.observer.look(self.line.pid)[1]
        last: Statement | None = None
        for piece in pieces:
            if self.before is not None:
                self.before(piece)
            try:
                statement, reply = self._one(piece, name, step, last)
            except ConnectionLost as error:
                return self._ran(name, step, pieces, started, Outcome.FAIL, f"{_place(piece)}: {self._lost(error)}")
            if reply.error is not None:
                statement.error = str(reply.error)
                if self.line.status != "I":
                    self.line.simple("ROLLBACK")
                    if self.trace is not None:
                        self.trace.release(self.line.pid, time.time())
                return self._ran(name, step, pieces, started, Outcome.FAIL, f"{_place(piece)}: {reply.error}")
            last = statement
        return self._ran(name, step, pieces, started, Outcome.PASS, "")

    def _lost(self, error: ConnectionLost) -> str:
        """The session has ended under the script: it ended it itself, somebody else did, or the server has died."""
        said = self.line.farewell or error
        if self.trace is not None:
            for statement in reversed(self.trace.statements):
                if statement.pid == self.line.pid:
                    statement.ended, statement.error = time.time(), statement.error or str(said)
                    break
        return f"the connection was lost: {said}"

    def _one(self, piece: Piece, name: str, step: str, last: Statement | None) -> tuple[Statement, Reply]:
        inside = self.line.status != "I"
        if inside and piece.control and self._looked != "done":
            self._look("commit-hold", None)
        statement = Statement(
            name, piece.text, self.line.pid, time.time(), piece.file, piece.line, step, sent=piece.text
        )
        head = _head(piece)
        follows = last is not None and not last.error and bool(head) and head == _head_of(last)
        if self.trace is not None and not follows:
            self.trace.begin(statement)
        with self.trace.pace.fleeting(not head) if self.trace is not None else nullcontext():
            if inside or piece.control or piece.alone or follows or self.observer is None:
                reply = self.line.simple(piece.text, piece.data)
            else:
                reply = self.line.held(piece.text, lambda: self._look("sync-hold", statement))
        statement.ended = time.time()
        statement.rows = reply.counted if reply.tag.startswith((*_ROWS, "COPY ", "MERGE ")) else None
        self._settle(piece, statement, reply, head, follows)
        if follows and last is not None:
            return self._fold(last, statement), reply
        return statement, reply

    def _settle(self, piece: Piece, statement: Statement, reply: Reply, head: str, follows: bool) -> None:
        """Look once more where locks are still held, or note that they are gone."""
        if self.trace is None or statement.ended is None:
            return
        if reply.status == "T" and not piece.control:
            if not follows:
                self._look("commit-hold", statement)
            self._looked = head or "done"
        elif reply.status == "I":
            self.trace.release(self.line.pid, statement.ended)
            self._looked = ""
        if piece.alone and self.observer is not None:
            self._note_wal(statement, self.observer.look(self.line.pid)[1])

    def _fold(self, last: Statement, statement: Statement) -> Statement:
        quick = (statement.ended or 0) - statement.started < _QUICK and not statement.error
        if self.trace is not None and quick:
            self.trace.repeat(last, statement)
            return last
        if self.trace is not None:
            self.trace.begin(statement)
        return statement

    def _look(self, caught: str, statement: Statement | None, follows: bool = False) -> None:
        if self.observer is None or self.trace is None or follows:
            return
        locks, wal = self.observer.look(self.line.pid)
        self.trace.look(self.line.pid, locks, caught)
        if statement is not None:
            self._note_wal(statement, wal)

    def _note_wal(self, statement: Statement, wal: int) -> None:
        statement.wal = max(wal - self._wal, 0)
        self._wal = wal

    def _ran(self, name: str, step: str, pieces: list[Piece], started: float, outcome: Outcome, error: str) -> Ran:
        took = timedelta(seconds=max(time.time() - started, 0.0))
        run = StatementRun(outcome=outcome, error=error, started=datetime.fromtimestamp(started, UTC), duration=took)
        return Ran(name, step, run, len(pieces), wraps_itself([piece.bare for piece in pieces]))


def wraps_itself(bare: list[str]) -> bool | None:
    """Whether a script runs in one transaction of its own; None when there is nothing in it."""
    telling = [text for text in bare if not text.startswith(("SET ", "SELECT PG_CATALOG . SET_CONFIG"))]
    if not telling:
        return None
    ends = ("COMMIT", "END")
    return telling[0].startswith(("BEGIN", "START TRANSACTION")) and telling[-1].startswith(ends)


def _head(piece: Piece) -> str:
    """What repeated row changes have in common: ``INSERT INTO ORDERS``. Empty for everything else."""
    words = piece.bare.split(" ", 4)
    if words[0] not in ("INSERT", "UPDATE", "DELETE") or piece.data is not None:
        return ""
    return " ".join(words[: 3 if words[0] != "UPDATE" else 2])


def _head_of(statement: Statement) -> str:
    return _head(Piece(statement.text, " ".join(statement.text.upper().split()), 0, ""))


def _place(piece: Piece) -> str:
    return f"{piece.file}:{piece.line}"
