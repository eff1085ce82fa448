"""A listener between any migration program and the clone: PostgreSQL's protocol in, the same protocol out.

Programs find it where they would find the server: a unix socket of the usual name, and a port on the loopback address.
TLS and GSS encryption are answered with the protocol's own "no" (the clone is on this machine); a request to cancel is
passed on as it came.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fulldress.database.postgres.poller import Names
from fulldress.database.postgres.tap import messages
from fulldress.database.postgres.tap.session import Session, Stops
from fulldress.database.postgres.tap.watching import Eyes
from fulldress.database.postgres.trace import Trace
from fulldress.database.postgres.wire import Connection
from fulldress.facts import Evidence, Reason, Unread, Witness

#: The kernel's tables of connections, and 127.0.0.1 as each of them writes it.
_TABLES = (("/proc/net/tcp", "0100007F"), ("/proc/net/tcp6", "0000000000000000FFFF00000100007F"))


class Tap:
    """Between :meth:`start` and :meth:`stop` programs connect to ``folder`` (a unix socket) or to ``port`` on 127.0.0.1.

    ``upstream``: the server's socket. ``connect`` opens an observer's connection to a database by its name; ``label``
    gives the migration and the step that statements belong to now, None while sessions are to pass untouched; ``apart(True)`` is called before a statement that
    needs a database nobody else uses, ``apart(False)`` after it."""

    def __init__(
        self,
        upstream: Path,
        folder: Path,
        trace: Trace,
        names: Names,
        connect: Callable[[str], Connection],
        label: Callable[[], tuple[str, str] | None],
        apart: Callable[[bool], None] = lambda _: None,
        *,
        tcp: bool = False,
    ) -> None:
        self.upstream = upstream
        self.folder = folder
        self.trace = trace
        self.names = names
        self.port = 0
        self.sessions: list[Session] = []
        self.stops: Stops | None = None  #: called where a statement of any session can be held; set before they come
        self._connect = connect
        self._label = label
        self._apart = apart
        self._tcp = tcp
        self._listeners: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._guard = threading.Lock()
        self._ending = False

    def __enter__(self) -> Tap:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Tap:
        path = self.address
        here = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        here.bind(os.fspath(path))
        path.chmod(0o777)  # the folder says who may come; so does the server's own
        self._listeners = [here]
        if self._tcp:
            there = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            there.bind(("127.0.0.1", 0))
            self.port = there.getsockname()[1]
            self._listeners.append(there)
        for listener in self._listeners:
            listener.listen(64)
            thread = threading.Thread(target=self._accept, args=(listener,), name="fulldress-tap", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def stop(self) -> None:
        """End every session and every thread; may be called twice."""
        self._ending = True
        for listener in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for session in list(self.sessions):
            session.finish()
        for thread in self._threads:
            thread.join(10)
        with suppress(OSError):
            self.address.unlink()
        self._listeners = []

    @property
    def statements(self) -> int:
        """Statements of all sessions so far."""
        return sum(session.line.statements for session in self.sessions)

    def untouched(self) -> dict[str, int]:
        """Statements that were passed on without a look, by the reason."""
        found: dict[str, int] = {}
        for session in self.sessions:
            for why, count in session.line.passed_untouched.items():
                found[why] = found.get(why, 0) + count
        return found

    def gaps(self, who: str) -> list[Unread]:
        """What passed without a look, in so many words."""
        return [
            Unread(
                witness=Witness.OBSERVED,
                evidence=Evidence(source="tap"),
                what=f"locks of {count} statement{'s' if count > 1 else ''} of {who}",
                reason=Reason.NOT_MEASURED,
                detail=f"{why}: seen by the poller alone",
            )
            for why, count in self.untouched().items()
        ]

    @property
    def address(self) -> Path:
        """The unix socket that programs connect to."""
        return self.folder / self.upstream.name

    # -- connections ----------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while not self._ending:
            try:
                client, peer = listener.accept()
            except OSError:
                return
            if client.family == socket.AF_INET and not _is_ours(peer[1]):
                client.close()  # the clone holds production's data, and a port is open to every user of the machine
                continue
            thread = threading.Thread(target=self._serve, args=(client,), name="fulldress-tap-client", daemon=True)
            with self._guard:
                self._threads = [one for one in self._threads if one.is_alive()]
                self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        try:
            packet = self._greeted(client)
        except OSError:
            packet = b""
        if not packet:
            client.close()
            return
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            server.connect(os.fspath(self.upstream))
            server.sendall(packet)
        except OSError:
            client.close()
            server.close()
            return
        if struct.unpack("!I", packet[4:8])[0] == messages.CANCEL:
            with suppress(OSError):
                server.recv(1)
            client.close()
            server.close()
            return
        if client.family == socket.AF_INET:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asked = messages.startup_parameters(packet[8:])
        database = asked.get("database") or asked.get("user", "")
        raw = "" if self._label() is not None else "no step ran when it connected"
        if asked.get("replication", "false").lower() not in ("false", "off", "0", "no"):
            raw = "replication"
        session = Session(
            client,
            server,
            self.trace,
            lambda pid: Eyes(lambda: self._connect(database), self.names, self.trace, pid),
            lambda: self._label() or ("", ""),
            self._apart,
            raw=raw,
            stops=self.stops,
        )
        with self._guard:
            self.sessions.append(session)
        session.run()

    def _greeted(self, client: socket.socket) -> bytes:
        """The start-up packet, or a request to cancel, after encryption was declined; empty where the client went."""
        while True:
            head = _exactly(client, 8)
            if len(head) < 8:
                return b""
            size, code = struct.unpack("!II", head)
            if not 8 <= size <= messages.MOST_STARTUP:
                return b""  # TLS without asking, or no client of ours
            packet = head + _exactly(client, size - 8)
            if len(packet) < size:
                return b""
            if code not in (messages.SSL, messages.GSS):
                return packet
            client.sendall(b"N")


def _is_ours(port: int) -> bool:
    """Whether the program at the other end of a connection from ``port`` of 127.0.0.1 is our own user's, or root's.

    Java's sockets are of the newer family whatever address they go to, and stand in the other table."""
    for table, address in _TABLES:
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[1] == f"{address}:{port:04X}" and columns[3] == "01":
                return int(columns[7]) in (0, os.geteuid())
    return False


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = line.recv(size - len(data))
        if not more:
            return data
        data += more
    return data
