"""Ends a session when its time is over: a script that never ends is a finding, not a rehearsal that never ends."""

from __future__ import annotations

import threading

from fulldress.database.postgres.server import Server
from fulldress.errors import DatabaseError


class Deadline:
    """From its start to its end at most ``limit`` seconds; then the session ``pid`` is ended. None: no limit."""

    def __init__(self, server: Server, pid: int, limit: float | None) -> None:
        self.passed = False
        self.limit = limit
        self._server = server
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="fulldress-deadline", daemon=True)

    @property
    def words(self) -> str:
        return f"it did not end within {self.limit:g} s, and was ended"

    def __enter__(self) -> Deadline:
        if self.limit is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self.limit is not None:
            self._thread.join()

    def _watch(self) -> None:
        if self._over.wait(self.limit):
            return
        self.passed = True
        while not self._over.is_set():  # a statement may be deaf for a while
            try:
                with self._server.session("postgres") as line:
                    line.query(f"SELECT pg_terminate_backend({self._pid})")
            except DatabaseError:
                return  # the server is gone, and the session with it
            self._over.wait(1.0)
