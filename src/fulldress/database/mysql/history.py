"""Statements of other programs, as the server's own performance_schema remembers them: text, time, rows, errors."""

from __future__ import annotations

import time

from fulldress.database.happenings import Statement
from fulldress.database.mysql.runner import folds
from fulldress.database.mysql.server import OBSERVER
from fulldress.database.mysql.wire import Connection

#: Statements that the server keeps; see the server's settings.
KEPT = 50_000
_PICO = 1e12
#: What drivers send by themselves, and what opens or closes nothing.
_NOISE = ("SET ", "SELECT @@", "SHOW ", "SELECT 1", "ROLLBACK", "SELECT VERSION", "SELECT DATABASE", "PING")


class History:
    """Remembers from its making on. ``line`` is an observer's session."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        line.run("SELECT 'fulldress'")
        now = time.time()
        ((end,),) = line.texts(
            "SELECT e.timer_end FROM performance_schema.events_statements_history_long e"
            " JOIN performance_schema.threads t ON t.thread_id = e.thread_id"
            f" WHERE t.processlist_id = {line.thread} AND e.sql_text = 'SELECT ''fulldress'''"
            " ORDER BY e.timer_start DESC LIMIT 1"
        )
        self._start = int(end)
        self._epoch = now - self._start / _PICO

    def read(self, migration: str, step: str) -> tuple[list[Statement], int]:
        """Statements since then of whoever is no observer, folded where they repeat; and how many there were."""
        found: list[Statement] = []
        rows = self._line.texts(
            "SELECT e.thread_id, e.timer_start, e.timer_end, e.sql_text, e.rows_affected, e.rows_sent, e.no_index_used,"
            " e.errors, e.message_text FROM performance_schema.events_statements_history_long e"
            f" WHERE e.timer_start > {self._start} AND e.sql_text IS NOT NULL AND e.thread_id NOT IN"
            f" (SELECT thread_id FROM performance_schema.threads WHERE processlist_user = '{OBSERVER}')"
            " AND (e.event_name LIKE 'statement/sql/%' OR e.event_name = 'statement/com/Execute')"
            " AND coalesce(e.nesting_event_type, '') <> 'STATEMENT' ORDER BY e.timer_start"
        )
        for thread, start, end, text, affected, sent, unindexed, errors, words in rows:
            head = text.lstrip().upper()
            if head.startswith(_NOISE) and errors == "0":
                continue
            statement = Statement(migration, text, int(thread), self._at(start), step=step, ended=self._at(end))
            statement.rows = int(sent) if head.startswith("SELECT") else int(affected)
            statement.error = words if errors != "0" else ""
            if unindexed == "1" and head.startswith("SELECT"):
                statement.read_whole = ["(a table, without an index)"]
            if found and folds(found[-1], statement) and found[-1].pid == statement.pid:
                found[-1].repeated += 1
                found[-1].ended = statement.ended
                found[-1].rows = (found[-1].rows or 0) + statement.rows
            else:
                found.append(statement)
        return found, len(rows)

    def _at(self, timer: str) -> float:
        return self._epoch + int(timer) / _PICO
