"""A port of 127.0.0.1 that leads to our server's socket, for programs that know no sockets (JDBC, Go).

Bytes pass as they are; statements are told by the server itself (:mod:`fulldress.database.mysql.history`).
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from pathlib import Path


class Relay:
    """A context manager; ``port`` is open inside of it. ``sessions`` counts who came."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="fulldress-mysql-relay", daemon=True)
        self.port: int = self._listener.getsockname()[1]
        self.sessions = 0

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.close()
        self._thread.join()
        self._stopped.close()
        self._listener.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._listener, selectors.EVENT_READ)
            ready.register(self._stopped, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is self._stopped:
                        for one in list(ready.get_map().values()):
                            if isinstance(one.data, socket.socket):
                                one.data.close()
                        return
                    if key.fileobj is self._listener:
                        self._welcome(ready)
                    else:
                        self._pass(ready, key)

    def _welcome(self, ready: selectors.BaseSelector) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(self._target))
        except OSError:
            client.close()
            return
        self.sessions += 1
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ready.register(client, selectors.EVENT_READ, server)
        ready.register(server, selectors.EVENT_READ, client)

    def _pass(self, ready: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        source, target = key.fileobj, key.data
        assert isinstance(source, socket.socket)  # noqa: S101
        got = b""
        with contextlib.suppress(OSError):
            got = source.recv(1 << 16)
        if got:
            with contextlib.suppress(OSError):  # the next read from there tells that it has gone
                target.sendall(got)
            return
        for one in (source, target):
            with contextlib.suppress(KeyError, ValueError):
                ready.unregister(one)
            one.close()
