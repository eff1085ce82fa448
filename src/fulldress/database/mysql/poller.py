"""Looks at metadata locks and at those who wait, every few milliseconds, from a session of its own.

``performance_schema.metadata_locks`` tells who holds and who asks for which lock on a table, once its instrument is on;
``innodb_lock_waits`` tells who waits for whose rows, eight times a second. What is shorter than the period is missed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from fulldress.database.mysql.wire import Connection
from fulldress.errors import DatabaseError

PERIOD = 0.005  #: seconds between two looks
#: Seconds between two looks at who waits for rows: InnoDB renews these tables only when nobody has read them for 100 ms.
ROWS_PERIOD = 0.12
#: Modes that ordinary reading and writing does not take.
STRONG = ("SHARED_NO_WRITE", "SHARED_NO_READ_WRITE", "SHARED_READ_ONLY", "EXCLUSIVE")
_ROWS = {
    "mariadb": "SELECT r.trx_mysql_thread_id, b.trx_mysql_thread_id FROM information_schema.innodb_lock_waits w"
    " JOIN information_schema.innodb_trx r ON r.trx_id = w.requesting_trx_id"
    " JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id",
    "mysql": "SELECT r.processlist_id, b.processlist_id FROM performance_schema.data_lock_waits w"
    " JOIN performance_schema.threads r ON r.thread_id = w.requesting_thread_id"
    " JOIN performance_schema.threads b ON b.thread_id = w.blocking_thread_id",
}


class Seen(NamedTuple):
    """A metadata lock. ``thread`` is the session's id in the process list."""

    thread: int
    object: str
    mode: str
    granted: bool
    user: str
    query: str


class Sample(NamedTuple):
    """One look. ``rows``: who waits for whom because of rows."""

    locks: list[Seen]
    rows: list[tuple[int, int]]
    queries: dict[int, tuple[str, str]]  #: user and statement per session that waits for rows
    begun: float
    ended: float


class Poller:
    """Hands every look to ``absorb``, on a thread of its own, until stopped."""

    def __init__(self, connect: Callable[[str], Connection], database: str, absorb: Callable[[Sample], None]) -> None:
        self.failure = ""
        self._connect = connect
        self._database = database.replace("\\", "\\\\").replace("'", "''")
        self._absorb = absorb
        self._looked = 0.0
        self._waits: list[tuple[int, int]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fulldress-mysql-locks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with self._connect("") as line:
                mariadb = "mariadb" in line.texts("SELECT @@version")[0][0].lower()
                rows = _ROWS["mariadb" if mariadb else "mysql"]
                while not self._stop.wait(PERIOD):
                    self._absorb(self._look(line, rows))
        except DatabaseError as error:
            if not self._stop.is_set():
                self.failure = str(error)

    def _look(self, line: Connection, rows: str) -> Sample:
        begun = time.time()
        locks = [
            Seen(int(thread or 0), name, mode, status == "GRANTED", user, query)
            for thread, name, mode, status, user, query in line.texts(
                "SELECT t.processlist_id, m.object_name, m.lock_type, m.lock_status, t.processlist_user,"
                " t.processlist_info FROM performance_schema.metadata_locks m"
                " JOIN performance_schema.threads t ON t.thread_id = m.owner_thread_id"
                f" WHERE m.object_type = 'TABLE' AND m.object_schema = '{self._database}'"
            )
        ]
        if begun - self._looked >= ROWS_PERIOD:
            self._waits = [(int(who), int(whom)) for who, whom in line.texts(rows)]
            self._looked = time.time()
        waits = self._waits
        queries: dict[int, tuple[str, str]] = {}
        if waits:
            ids = ", ".join(str(one) for pair in waits for one in pair)
            queries = {
                int(thread): (user, query)
                for thread, user, query in line.texts(
                    f"SELECT id, user, info FROM information_schema.processlist WHERE id IN ({ids})"
                )
            }
        return Sample(locks, waits, queries, begun, time.time())
