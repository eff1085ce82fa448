"""Messages between the process outside the stage and the one inside: JSON lines, with open files passed beside them.

Standard library only: the process inside starts without site-packages, and after ``pivot_root`` can import nothing.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]

#: How many descriptors one message may carry.
_MOST_FDS = 16


class Channel:
    """One end of a stream socket. ``send`` may be called by any thread, ``receive`` by one only."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._sending = threading.Lock()
        self._buffer = bytearray()
        self._fds: list[int] = []

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Send one message. Raises :class:`OSError` when the other end is gone.

        File names that are no UTF-8 travel as lone surrogates, which JSON escapes keep apart."""
        data = json.dumps({**message, "fds": len(fds)}).encode() + b"\n"
        with self._sending:
            if fds:
                sent = socket.send_fds(self.sock, [data], list(fds))
                data = data[sent:]
            if data:
                self.sock.sendall(data)

    def receive(self) -> tuple[Message, list[int]] | None:
        """The next message and the descriptors that came with it; None at the end."""
        while (end := self._buffer.find(b"\n")) < 0:
            try:
                data, fds, _, _ = socket.recv_fds(self.sock, 1 << 16, _MOST_FDS)
            except (ConnectionResetError, OSError):
                return None
            if not data:
                return None
            for fd in fds:
                os.set_inheritable(fd, False)
            self._buffer += data
            self._fds += fds
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        message: Message = json.loads(line)
        count = int(message.pop("fds", 0))
        taken, self._fds = self._fds[:count], self._fds[count:]
        return message, taken

    def close(self) -> None:
        self.sock.close()
