"""A reader and a writer of every table that a script names, beside the migration: what they wait is what production's would.

The writer asks for a row as an UPDATE would (``SELECT … FOR UPDATE``) and changes nothing.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from fulldress.database.mysql.trace import Stall
from fulldress.errors import DatabaseError
from fulldress.facts import Evidence, Reason, Unread, Witness
from fulldress.patterns import regex

if TYPE_CHECKING:
    from fulldress.database.mysql.clone import Clone

_PERIOD = 0.01
_LONG = 0.005  #: seconds from which a try may have been a wait; the poller confirms it
TABLES = 8  #: that are tried at once
_WORD = regex(r"\w+")


class Canaries:
    """They run from the making on until :meth:`stop`."""

    def __init__(self, clone: Clone, sql: str) -> None:
        words = {word.lower() for word in _WORD.findall(sql)}
        with clone.session() as line:
            there = [row[0] for row in line.texts("SHOW FULL TABLES WHERE table_type = 'BASE TABLE'")]
        named = [table for table in there if table.lower() in words]
        self.unread: list[Unread] = []
        if len(named) > TABLES:
            what = f"readers and writers of {len(named) - TABLES} more tables"
            self.unread.append(
                Unread(
                    witness=Witness.OBSERVED,
                    evidence=Evidence(source="mysql"),
                    what=what,
                    reason=Reason.NOT_MEASURED,
                    detail=f"{TABLES} tables are tried at once: {', '.join(named[:TABLES])}",
                )
            )
        self._clone = clone
        self._stop = threading.Event()
        self._stalls: list[Stall] = []
        ready = threading.Barrier(2 * min(len(named), TABLES) + 1)
        self._threads = [
            threading.Thread(target=self._watch, args=(table, kind, ready), daemon=True)
            for table in named[:TABLES]
            for kind in ("reader", "writer")
        ]
        for thread in self._threads:
            thread.start()
        ready.wait(30)

    def stop(self) -> list[Stall]:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self._stalls

    def _watch(self, table: str, kind: str, ready: threading.Barrier) -> None:
        words = f"SELECT 1 FROM `{table.replace('`', '``')}` LIMIT 1{' FOR UPDATE' if kind == 'writer' else ''}"
        with self._clone.session() as line:
            self._clone.trace.canaries.add(line.thread)
            ready.wait(30)
            while not self._stop.wait(_PERIOD):
                begun = time.time()
                try:
                    line.run(words)
                except DatabaseError:
                    continue  # the table is gone: the migration's matter
                if time.time() - begun >= _LONG:
                    self._stalls.append(Stall(line.thread, kind, table, begun, time.time()))
