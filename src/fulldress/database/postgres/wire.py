"""A small blocking client of PostgreSQL's protocol 3.0, for servers of our own behind a unix socket.

Why not a driver: the lock trace needs to look *between* Execute and Sync. In the extended protocol the implicit
transaction ends at Sync, so whoever holds the Sync back sees the locks of an autocommit statement without having
changed anything that the vendor wrote (manual, "Message Flow", "Extended Query").
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from fulldress.database.postgres.types import decode
from fulldress.errors import ConnectionLost, QueryFailed


class ServerSays(NamedTuple):
    """An ErrorResponse or NoticeResponse: severity, SQLSTATE, message and detail."""

    severity: str
    code: str
    message: str
    detail: str
    position: int  #: character in the statement, from 1; 0: none

    def __str__(self) -> str:
        return f"{self.message} (SQLSTATE {self.code})"


class Reply(NamedTuple):
    """What came back for one query. ``status`` is the transaction's: I idle, T in one, E in a failed one."""

    rows: list[tuple[object, ...]]
    columns: tuple[str, ...]
    tag: str
    error: ServerSays | None
    status: str

    @property
    def counted(self) -> int | None:
        """Rows that the command tag counts; None where it counts none."""
        last = self.tag.rpartition(" ")[2]
        return int(last) if last.isdigit() else None


_READ = 1 << 16


class Connection:
    """One session. Not for two threads at once. ``pid`` is the backend's process id as the server names it."""

    def __init__(
        self, folder: Path, port: int, *, user: str, database: str, application: str, options: str = ""
    ) -> None:
        self.path = folder / f".s.PGSQL.{port}"
        self.pid = self.secret = self.major = 0
        self.status = "I"
        self.farewell: ServerSays | None = None  #: the FATAL with which the server ended the session
        self._buffer = bytearray()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(os.fspath(self.path))
        except OSError as error:
            self._socket.close()
            raise ConnectionLost(error.strerror or str(error), folder) from error
        pairs = {"user": user, "database": database, "application_name": application, "client_encoding": "UTF8"}
        if options:
            pairs["options"] = options
        body = struct.pack("!i", 196608) + b"".join(f"{k}\0{v}\0".encode() for k, v in pairs.items()) + b"\0"
        self._socket.sendall(struct.pack("!i", len(body) + 4) + body)
        refusal: ServerSays | None = None
        for kind, data in self._messages():
            if kind == b"R" and data[:4] != b"\0\0\0\0":
                self.close()
                raise ConnectionLost("the server asks for a password", folder)
            if kind == b"K":
                self.pid, self.secret = struct.unpack("!ii", data[:8])
            elif kind == b"S" and data.startswith(b"server_version\0"):
                self.major = int(data.split(b"\0")[1].split(b".")[0].strip(b"develbtarc ") or 0)
            elif kind == b"E":
                refusal = _says(data)
                break
            elif kind == b"Z":
                break
        if refusal:
            self.close()
            raise QueryFailed(refusal)

    def close(self) -> None:
        try:
            self._socket.sendall(b"X\0\0\0\4")
        except OSError:
            pass  # the server has gone already, which is what closing is for
        finally:
            self._socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- questions of our own -------------------------------------------------------------------------------------

    def query(self, sql: str) -> list[dict[str, object]]:
        """Rows of the last statement in ``sql`` that returns any. Raises :class:`QueryFailed`."""
        reply = self.simple(sql)
        if reply.error:
            raise QueryFailed(reply.error)
        return [dict(zip(reply.columns, row, strict=True)) for row in reply.rows]

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """As :meth:`query`, rows as tuples."""
        reply = self.simple(sql)
        if reply.error:
            raise QueryFailed(reply.error)
        return reply.rows

    def lines(self, select: str) -> list[bytes]:
        """Rows of a query in the text form of COPY, several times faster than as values."""
        self._send(b"Q", f"COPY ({select}) TO STDOUT".encode() + b"\0")
        parts: list[bytes] = []
        refusal: ServerSays | None = None
        for kind, body in self._messages():
            if kind == b"d":
                parts.append(body)
            elif kind == b"E":
                refusal = _says(body)
            elif kind == b"Z":
                self.status = body.decode()
                break
        if refusal:
            raise QueryFailed(refusal)
        return b"".join(parts).splitlines()

    # -- the vendor's statements ----------------------------------------------------------------------------------

    def simple(self, sql: str, data: bytes | None = None) -> Reply:
        """A simple query, as psql sends it. ``data`` answers a ``COPY … FROM STDIN``."""
        self._send(b"Q", sql.encode() + b"\0")
        return self._collect(data)

    def held(self, sql: str, hold: Callable[[], None]) -> Reply:
        """One statement with its Sync held back until ``hold`` has returned: its locks are still there meanwhile.

        The statement runs in its own implicit transaction, exactly as it does in autocommit."""
        name = b"\0\0"
        self._send(b"P", b"\0" + sql.encode() + b"\0\0\0", flush=False)
        self._send(b"B", name + b"\0\0\0\0\0\0", flush=False)
        self._send(b"D", b"P\0", flush=False)
        self._send(b"E", b"\0\0\0\0\0", flush=False)
        self._send(b"H", b"")
        reply = self._collect(None, until=b"CIE")
        if reply.error is None:
            hold()
        self._send(b"S", b"")
        end = self._collect(None)
        return reply._replace(error=reply.error or end.error, status=end.status)

    # -- bytes ----------------------------------------------------------------------------------------------------

    _pending = b""

    def _send(self, kind: bytes, body: bytes, *, flush: bool = True) -> None:
        self._pending += kind + struct.pack("!i", len(body) + 4) + body
        if flush:
            data, self._pending = self._pending, b""
            try:
                self._socket.sendall(data)
            except OSError as error:
                raise ConnectionLost(error.strerror or str(error), self.path.parent) from error

    def _collect(self, data: bytes | None, until: bytes = b"Z") -> Reply:
        rows: list[tuple[object, ...]] = []
        columns: tuple[str, ...] = ()
        oids: tuple[int, ...] = ()
        tag, error = "", None
        for kind, body in self._messages():
            if kind == b"T":
                columns, oids = _description(body)
                rows = []
            elif kind == b"D":
                rows.append(_row(body, oids))
            elif kind == b"C":
                tag = body[:-1].decode()
            elif kind == b"E":
                said = _says(body)
                error = error or said
                if said.severity in ("FATAL", "PANIC"):
                    self.farewell = said
            elif kind == b"G":
                if data is None:
                    self._send(b"f", b"this script holds no data for COPY FROM STDIN\0")
                else:
                    for start in range(0, len(data), 1 << 20):
                        self._send(b"d", data[start : start + (1 << 20)])
                    self._send(b"c", b"")
            elif kind == b"Z":
                self.status = body.decode()
            if kind in until or kind == b"Z":
                break
        return Reply(rows, columns, tag, error, self.status)

    def _messages(self) -> Iterator[tuple[bytes, bytes]]:
        buffer = self._buffer
        while True:
            while len(buffer) >= 5:
                size = int.from_bytes(buffer[1:5], "big")
                if len(buffer) < size + 1:
                    break
                message = bytes(buffer[:1]), bytes(buffer[5 : size + 1])
                del buffer[: size + 1]
                yield message
            try:
                chunk = self._socket.recv(_READ)
            except OSError as error:
                raise ConnectionLost(error.strerror or str(error), self.path.parent) from error
            if not chunk:
                raise ConnectionLost("the server closed it", self.path.parent)
            buffer += chunk


def cancel(folder: Path, port: int, pid: int, secret: int) -> None:
    """Ask the server to cancel what the session ``pid`` is doing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.connect(os.fspath(folder / f".s.PGSQL.{port}"))
        line.sendall(struct.pack("!iiii", 16, 80877102, pid, secret))
        line.recv(1)


def _description(body: bytes) -> tuple[tuple[str, ...], tuple[int, ...]]:
    names, oids, position = [], [], 2
    for _ in range(int.from_bytes(body[:2], "big")):
        end = body.index(0, position)
        names.append(body[position:end].decode("utf-8", "replace"))
        oids.append(int.from_bytes(body[end + 7 : end + 11], "big"))
        position = end + 19
    return tuple(names), tuple(oids)


def _row(body: bytes, oids: tuple[int, ...]) -> tuple[object, ...]:
    values: list[object] = []
    position = 2
    for oid in oids:
        (size,) = struct.unpack_from("!i", body, position)
        position += 4
        values.append(decode(oid, None if size < 0 else body[position : position + size]))
        position += max(size, 0)
    return tuple(values)


def _says(body: bytes) -> ServerSays:
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    return ServerSays(
        fields.get(b"V", fields.get(b"S", "")),
        fields.get(b"C", ""),
        fields.get(b"M", ""),
        fields.get(b"D", ""),
        int(fields.get(b"P", "0") or 0),
    )
