"""Runs SQL files on a copy as ``sqlite3 -bail DATABASE < file`` does, and tells what each statement did.

The script's own transactions stay as they are. SQLite tells nothing by itself, so the witnesses are: the plan of a
statement (tables read from end to end), the schema before and after it, the count of changed rows, the kernel's table of
locks, the size of the journal. What would reach beyond the copy (ATTACH, VACUUM INTO, extensions) is refused.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from fulldress.database.happenings import Ran, Statement
from fulldress.database.sqlite.split import Piece, split
from fulldress.database.sqlite.trace import Trace
from fulldress.engine.venue import StatementRun
from fulldress.findings import Outcome
from fulldress.patterns import regex

#: Seconds that a statement waits for a lock: Python's own default, as Django and Alembic leave it.
TIMEOUT = 5.0
_QUICK = 0.05  #: seconds; slower statements always get a record of their own
_CHANGES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "WITH")
_HEAD = regex(r"(?is)\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(\w+)(?:\s+(?:OR\s+\w+\s+)?(\w+)(?:\s+([\w\"`\[\].]+))?)?")
_DROPPED = regex(r'(?is)^\s*ALTER\s+TABLE\s+(?:\w+\.)?("[^"]+"|`[^`]+`|\[[^\]]+\]|\w+)\s+DROP\b')
_ADDED = regex(r'(?is)^\s*ALTER\s+TABLE\s+(?:\w+\.)?("[^"]+"|`[^`]+`|\[[^\]]+\]|\w+)\s+ADD\b.*\bCHECK\s*\(')
_READS = regex(r"(?i)\b(?:SELECT|UPDATE|DELETE)\b")
_SCAN = regex(r"^SCAN (?:TABLE )?(\S+)")
_NOWHERE = ("", ":memory:")


class Runner:
    """One connection that runs scripts; ``trace`` looks on."""

    def __init__(self, path: Path, trace: Trace) -> None:
        self.path = path
        self.trace = trace
        self.line = sqlite3.connect(path, isolation_level=None, timeout=TIMEOUT, check_same_thread=False)
        self.line.set_authorizer(self._allow)
        self._refused = ""
        self._expired = False

    def close(self) -> None:
        self.line.close()

    def run(
        self,
        sql: str,
        *,
        name: str,
        step: str,
        siblings: Mapping[str, str] | None = None,
        limit: float | None = None,
    ) -> Ran:
        """Run a script to its end or its first error. Outcome unknown: it was refused, and nothing of it ran.

        ``limit``: seconds after which it is interrupted, and that counts as failed."""
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
        self.line.interrupt()

    def _all(self, pieces: list[Piece], name: str, step: str, started: float, limit: float | None) -> Ran:
        last: Statement | None = None
        schema = self._schema()
        for piece in pieces:
            statement = Statement(name, piece.text, 0, time.time(), piece.file, piece.line, step)
            self.trace.begin(statement)
            try:
                self._one(statement)
            except (sqlite3.Error, sqlite3.Warning) as error:
                statement.ended = time.time()
                statement.error = f"it did not end within {limit:g} s" if self._expired else str(error)
                if self.line.in_transaction:
                    self.line.execute("ROLLBACK")
                self.trace.release()
                outcome = Outcome.UNKNOWN if self._refused else Outcome.FAIL
                words = self._refused or statement.error
                return _ran(name, step, pieces, started, outcome, f"{_place(piece)}: {words}")
            statement.ended = time.time()
            now = self._schema() if not _is_rows(statement.text) else schema
            if now is not schema:
                fresh = sorted(key for key in now.keys() - schema.keys() if key[0] == "index")
                statement.built += [index for _, index in fresh]
                statement.scanned += sorted({now[key] for key in fresh})
                schema = now
            self.trace.look(statement, inside=self.line.in_transaction)
            last = self._fold(last, statement)
        if self.line.in_transaction:
            self.line.execute("ROLLBACK")
            self.trace.release()
            words = "it ends inside of a transaction, and so nothing of that is kept"
            return _ran(name, step, pieces, started, Outcome.FAIL, words)
        return _ran(name, step, pieces, started, Outcome.PASS, "")

    def _one(self, statement: Statement) -> None:
        verb = _head(statement.text)[0]
        if verb == "SELECT" or (verb in _CHANGES and _READS.search(statement.text)):
            statement.read_whole += self._whole(statement.text)
        if dropped := _DROPPED.match(statement.text):
            statement.rewritten.append(_plain(dropped[1]))  # https://www.sqlite.org/lang_altertable.html, section 5
        if added := _ADDED.match(statement.text):
            statement.scanned.append(_plain(added[1]))
        if verb == "VACUUM":
            statement.rewritten += [table for (kind, table) in self._schema() if kind == "table"]
        before = self.line.total_changes
        cursor = self.line.execute(statement.text)
        told = 0
        while rows := cursor.fetchmany(1000):
            told += len(rows)
        if verb in _CHANGES:
            statement.rows = max(cursor.rowcount, self.line.total_changes - before, 0)
        elif verb == "SELECT":
            statement.rows = told
        elif self.line.total_changes > before:
            statement.rows = self.line.total_changes - before

    def _whole(self, text: str) -> list[str]:
        """Tables that the statement's plan reads from end to end."""
        try:
            plan = self.line.execute(f"EXPLAIN QUERY PLAN {text}").fetchall()
        except (sqlite3.Error, sqlite3.Warning):
            return []  # it will fail by itself, and tell why
        found = []
        for row in plan:
            match = _SCAN.match(str(row[3]))
            if match and match[1] not in ("CONSTANT", "SUBQUERY"):
                named = re.search(rf'(?i)([\w"`.\[\]]+)\s+(?:AS\s+)?{re.escape(match[1])}\b', text)
                tables = {name for kind, name in self._schema() if kind == "table"}
                one = match[1] if match[1] in tables or not named else _plain(named[1])
                if one in tables:
                    found.append(one)
        return sorted(set(found))

    def _schema(self) -> dict[tuple[str, str], str]:
        try:
            rows = self.line.execute("SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
            return {(kind, name): table for kind, name, table in rows.fetchall()}
        except sqlite3.Error:
            return {}

    def _fold(self, last: Statement | None, statement: Statement) -> Statement:
        """Many statements of the same form, one after the other, are one record."""
        took = (statement.ended or statement.started) - statement.started
        alike = last is not None and _is_rows(statement.text) and _head(last.text) == _head(statement.text)
        if last is None or not alike or took > _QUICK or last.read_whole != statement.read_whole:
            return statement
        self.trace.repeat(last, statement)
        return last

    def _allow(self, action: int, first: str | None, _second: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_ATTACH and (first or "") not in _NOWHERE:
            self._refused = f"it opens another database ({first}), which is not rehearsed"
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in (
            "temp_store_directory",
            "data_store_directory",
        ):
            self._refused = f"PRAGMA {first} reaches beyond the copy"
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK


@lru_cache(8)
def _head(text: str) -> tuple[str, str, str]:
    match = _HEAD.match(text)
    return ((match[1] or "").upper(), (match[2] or "").upper(), (match[3] or "").lower()) if match else ("", "", "")


def _is_rows(text: str) -> bool:
    return _head(text)[0] in _CHANGES


def _plain(name: str) -> str:
    return name[1:-1] if name[:1] in '"`[' else name


def _place(piece: Piece) -> str:
    return f"{piece.file}:{piece.line}"


def _ran(name: str, step: str, pieces: list[Piece], started: float, outcome: Outcome, error: str) -> Ran:
    verbs = [_head(piece.text)[0] for piece in pieces]
    own = "BEGIN" in verbs if pieces else None
    run = StatementRun(
        outcome=outcome,
        error=error,
        started=datetime.fromtimestamp(started, UTC),
        duration=timedelta(seconds=max(time.time() - started, 0.0)),
    )
    return Ran(name, step, run, len(pieces), own)
