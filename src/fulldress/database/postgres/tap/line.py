"""What both threads and both protocols of a session share: its two sockets, what the server has said last, and the records.

The thread that faces the client waits here for the one that faces the server.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from fulldress.database.postgres.tap.answers import WANTED, Answers, Plain, letters
from fulldress.database.postgres.tap.messages import FLUSH, Framer
from fulldress.database.postgres.tap.strings import Part
from fulldress.database.postgres.tap.watching import Eyes
from fulldress.database.postgres.trace import Statement, Trace

_QUIET = 0.0015  #: seconds that a statement may run before it is looked at more often
_QUICK = 0.05  #: seconds; slower statements always get a record of their own


class Stop(NamedTuple):
    """A statement that has not begun (``before``), or one of a string that has run and not ended (``gate``)."""

    session: Line
    text: bytes
    at: str
    status: str  #: of the transaction that it stands in: I, T, E


Stops = Callable[[Stop], None]


@dataclass
class State:
    """What the server has said last. Changed by the thread that faces it, read by the other one."""

    status: str = ""  #: I idle, T in a transaction, E in a failed one; empty: not yet logged in
    owed: int = 0  #: ReadyForQuery messages that are still to come
    executions: int = 0  #: Executes that have not been answered
    skipping: bool = False  #: an error in the extended protocol: everything is skipped up to the Sync
    copying: bool = False  #: the server reads the data of a COPY
    closed: bool = False
    settings: dict[str, str] = field(default_factory=dict)


class Line:
    """``client`` and ``server`` are connected sockets, the start-up packet already passed on.

    ``eyes`` makes the tap's own observer, given the backend's process id; ``label`` names the step that statements
    belong to; ``apart`` runs a statement that needs a database without other sessions, and puts them back after it.
    ``stops`` is called where a statement can be held: it goes on when that has returned."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        trace: Trace,
        eyes: Callable[[int], Eyes],
        label: Callable[[], tuple[str, str]],
        apart: Callable[[bool], None],
        stops: Stops | None = None,
    ) -> None:
        self.client = client
        self.server = server
        self.trace = trace
        self.apart = apart
        self.stops = stops
        self.pid = 0
        self.statements = 0
        self.passed_untouched: dict[str, int] = {}  #: reason -> how many statements
        self.state = State()
        self.moved = threading.Condition(threading.RLock())
        self.answers: Answers = Plain()
        self.framer = Framer(WANTED)
        self.current: Statement | None = None
        self.last_head = b""
        self.due = False  #: the current statement's locks have not been looked at
        self._make_eyes = eyes
        self._label = label
        self._eyes: Eyes | None = None

    def send(self, out: list[bytes]) -> None:
        """Pass on what was collected."""
        if out:
            self.server.sendall(b"".join(out))
            out.clear()

    def expect(self, answers: Answers) -> None:
        with self.moved:
            self.answers = answers
            self.framer.wanted = frozenset(letter[0] for letter in letters(answers))

    def see(self) -> Eyes:
        if self._eyes is None:
            self._eyes = self._make_eyes(self.pid)
        return self._eyes

    def close_eyes(self) -> None:
        if self._eyes is not None:
            self._eyes.close()

    # -- waiting --------------------------------------------------------------------------------------------------

    def stop(self, text: bytes, at: str) -> None:
        if self.stops is not None:
            self.stops(Stop(self, text, at, self.state.status))

    def idle(self) -> None:
        """Until the server has answered everything."""
        with self.moved:
            self.moved.wait_for(lambda: self.state.closed or not self.state.owed)

    def answered(self, *, fleeting: bool) -> None:
        """As :meth:`idle`, the poller looking more often; or until the client has to be heard, as it copies."""
        self._wait(lambda: self.state.closed or not self.state.owed or self.state.copying, fleeting)

    def settled(self, *, fleeting: bool = False) -> bool:
        """Until every Execute was answered, or cannot be; False where the server waits for the data of a COPY."""
        state = self.state
        self._wait(lambda: state.closed or not state.executions or state.skipping or state.copying, fleeting)
        return not state.copying and not state.closed

    def _wait(self, over: Callable[[], bool], fleeting: bool) -> None:
        """The poller looks more often meanwhile: at once where the statement is ``fleeting``, else after a millisecond, as
        it may fail, and an error frees all locks."""
        with self.moved:
            if not fleeting and self.moved.wait_for(over, _QUIET):
                return
        with self.trace.pace.fleeting(), self.moved:
            self.moved.wait_for(over)

    def settle(self) -> None:
        if self.state.executions:
            self.server.sendall(FLUSH)
            self.settled()

    def over(self) -> bool:
        with self.moved:
            return self.state.closed or not self.state.owed

    # -- records --------------------------------------------------------------------------------------------------

    def begin(self, parts: list[Part], text: bytes, sent: bytes, *, repeated: bool = False) -> Statement:
        migration, step = self._label()
        self.statements += max(len(parts), 1)
        shown = text[parts[0].start : parts[-1].end] if parts else text
        statement = Statement(
            migration,
            shown.decode("utf-8", "replace"),
            self.pid,
            time.time(),
            step=step,
            sent=sent.decode("utf-8", "replace"),
        )
        before = self.current
        quick = before is not None and before.ended is not None and before.ended - before.started < _QUICK
        if repeated and before is not None and quick and not before.error:
            statement.ended, statement.rows = statement.started, 0
            self.trace.repeat(before, statement)
            return before
        self.current = statement
        self.trace.begin(statement)
        return statement

    def look(self, caught: str) -> None:
        self.see().look(caught, self.current)
        self.due = False

    def look_if_due(self, caught: str) -> None:
        if self.due:
            self.look(caught)

    def count_untouched(self, why: str) -> None:
        self.passed_untouched[why] = self.passed_untouched.get(why, 0) + 1
