"""One client of the tap: what it sends is passed on in order, and held for a moment where its locks are about to go.

Two threads carry a session. The one that faces the client reads its messages one after the other and decides
(:mod:`~.simple`, :mod:`~.extended`; :mod:`~.strings` says what a text does); the one that faces the server passes answers on (:mod:`~.answers`) and keeps
count of them. Nothing is added to a transaction and nothing is split:

* a single statement outside of a transaction goes in the extended protocol, its Sync held back until it was looked at;
* a string of several gets gates, statements that wait until they were looked at;
* before what ends an open transaction there is a look;
* what may not run so (CREATE INDEX CONCURRENTLY, VACUUM, COPY …) or is not understood passes untouched.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from fulldress.database.postgres.tap import messages
from fulldress.database.postgres.tap.answers import Plain, String
from fulldress.database.postgres.tap.extended import Extended
from fulldress.database.postgres.tap.line import Line, Stop, Stops
from fulldress.database.postgres.tap.messages import Framer, Message, Run, counted
from fulldress.database.postgres.tap.simple import Simple
from fulldress.database.postgres.tap.watching import Eyes
from fulldress.database.postgres.trace import Trace

__all__ = ["Session", "Stop", "Stops"]

_CHUNK = 1 << 18
_FROM_CLIENT = (b"Q", b"P", b"B", b"E", b"C", b"S", b"F", b"X", b"c", b"f")


class Session:
    """Parameters as :class:`~.line.Line`; ``raw`` says why nothing is looked at, and is empty where it is."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        trace: Trace,
        eyes: Callable[[int], Eyes],
        label: Callable[[], tuple[str, str]],
        apart: Callable[[bool], None],
        raw: str = "",
        stops: Stops | None = None,
    ) -> None:
        self.raw = raw
        self.line = Line(client, server, trace, eyes, label, apart, stops)
        self._simple = Simple(self.line)
        self._extended = Extended(self.line)

    @property
    def pid(self) -> int:
        """Of the backend; 0 until it has told."""
        return self.line.pid

    # -- threads --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Carry the session until either side ends it."""
        back = threading.Thread(target=self._from_server, name="fulldress-tap-server", daemon=True)
        back.start()
        try:
            self._from_client()
        except OSError:
            pass  # one of the two has gone; the other one hears of it below
        finally:
            self.finish()
            back.join()
            self.line.close_eyes()
            if self.line.pid:
                self.line.trace.forget(self.line.pid)
            self.line.client.close()
            self.line.server.close()

    def finish(self) -> None:
        for line in (self.line.server, self.line.client):
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed by the other side already

    def _from_server(self) -> None:
        try:
            while data := self.line.server.recv(_CHUNK):
                self._pass_on(data)
        except OSError:
            pass  # the same as an end
        finally:
            with self.line.moved:
                self.line.state.closed = True
                self.line.moved.notify_all()
            try:
                if rest := self.line.framer.rest:
                    self.line.client.sendall(rest)
                self.line.client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the client has gone before

    def _pass_on(self, data: bytes) -> None:
        out: list[bytes] = []
        with self.line.moved:
            for one in self.line.framer.feed(data):
                if isinstance(one, Run):
                    out.append(one.raw)
                else:
                    self._note(one)
                    out.append(self.line.answers.pass_on(one))
                    if one.kind == b"Z" and not isinstance(self.line.answers, Plain):
                        self.line.expect(Plain())
            self.line.moved.notify_all()
        if len(out) == 1:
            self.line.client.sendall(out[0])
        elif whole := b"".join(out):
            self.line.client.sendall(whole)

    def _note(self, one: Message) -> None:
        state, kind = self.line.state, one.kind
        if kind == b"Z":
            state.status = one.body.decode("latin-1")
            state.owed = max(state.owed - 1, 0)
            state.executions, state.skipping, state.copying = 0, False, False
            self._ended(one)
        elif kind in (b"C", b"I", b"s"):
            state.executions = max(state.executions - 1, 0)
            state.copying = False
            self._completed(one)
        elif kind == b"E":
            state.executions, state.skipping, state.copying = 0, True, False
            if self.line.current is not None:
                said = messages.fields(one.body)
                self.line.current.error = f"{said.get('M', '')} (SQLSTATE {said.get('C', '')})"
                self.line.current.ended = time.time()
        elif kind in (b"G", b"W"):
            state.copying = True
        elif kind == b"S":
            name, rest = messages.text(one.body)
            state.settings[name.decode("latin-1")] = messages.text(rest)[0].decode("latin-1")
        elif kind == b"K":
            self.line.pid = int.from_bytes(one.body[:4], "big")

    def _completed(self, one: Message) -> None:
        statement = self.line.current
        if statement is None or isinstance(self.line.answers, String):
            return
        statement.ended = time.time()
        rows = counted(one.body[:-1].decode("utf-8", "replace")) if one.kind == b"C" else None
        if rows is not None:
            statement.rows = (statement.rows or 0) + rows

    def _ended(self, one: Message) -> None:
        now = time.time()
        statement = self.line.current
        if statement is not None and statement.ended is None:
            statement.ended = now
        if one.body == b"I" and self.line.pid:
            self.line.trace.release(self.line.pid, now)
            self.line.due = False

    # -- the client's messages ------------------------------------------------------------------------------------

    def _from_client(self) -> None:
        framer = Framer(_FROM_CLIENT)
        while data := self.line.client.recv(_CHUNK):
            if not self.line.state.status:  # passwords and the like are none of our business
                self.line.server.sendall(data)
                continue
            if self.raw:
                self.line.server.sendall(data)
                continue
            out: list[bytes] = []
            for one in framer.feed(data):
                if isinstance(one, Run):
                    out.append(one.raw)
                    continue
                if one.kind == b"Q":
                    self.line.send(out)
                    self._simple.query(one)
                elif one.kind in (b"E", b"S", b"c", b"f"):
                    self._extended.execute(one, out)
                else:
                    self._extended.remember(one)
                    out.append(one.raw)
            self.line.send(out)
