"""The client side of MySQL's protocol, as far as our own server needs it: a unix socket, no password, text results.

https://mariadb.com/kb/en/clientserver-protocol/. Talking the protocol ourselves keeps the status flags, which tell
whether a transaction is open, and every result of a CALL, which client programs hide.
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import NamedTuple

from fulldress.errors import DatabaseError

_FLAGS = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x20000 | 0x80000  # …, CONNECT_WITH_DB, PROTOCOL_41, …, PLUGIN_AUTH
_UTF8MB4 = 45
_IN_TRANSACTION = 0x1
_MORE = 0x8
_LARGEST = 0xFFFFFF

Value = bytes | None


class MysqlRefused(DatabaseError):
    """{0}"""

    def __init__(self, words: str, code: int = 0) -> None:
        super().__init__(words)
        self.code = code  #: e.g. 1146, as the server's manual lists them


class MysqlLost(DatabaseError):
    """The connection to the rehearsal's MariaDB or MySQL server was lost: {0}."""


class Result(NamedTuple):
    """What one statement brought. ``affected``: rows changed; -1 for rows that were read."""

    names: list[str]
    rows: list[tuple[Value, ...]]
    affected: int


class Connection:
    """One session. ``thread`` is the server's id of it, as ``SHOW PROCESSLIST`` tells it."""

    def __init__(self, path: Path, user: str, database: str = "", *, timeout: float | None = None) -> None:
        self.thread = 0
        self.in_transaction = False
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._buffer, self._at = b"", 0
        self._sequence = 0
        try:
            self._socket.connect(str(path))
            self._greet(user, database)
        except OSError as error:
            self._socket.close()
            raise MysqlLost(str(error)) from error
        except DatabaseError:
            self._socket.close()
            raise

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        try:
            self._sequence = 0
            self._send(b"\x01")
        except (OSError, DatabaseError):
            pass  # it is gone already
        self._socket.close()

    # -- use ------------------------------------------------------------------------------------------------------

    def run(self, sql: str | bytes) -> list[Result]:
        """All results of one statement. Raises :class:`MysqlRefused`."""
        try:
            self._sequence = 0
            self._send(b"\x03" + (sql.encode("utf-8", "surrogateescape") if isinstance(sql, str) else sql))
            found = []
            while True:
                result, more = self._result()
                found.append(result)
                if not more:
                    return found
        except OSError as error:
            raise MysqlLost(str(error)) from error

    def rows(self, sql: str) -> list[tuple[Value, ...]]:
        return self.run(sql)[0].rows

    def texts(self, sql: str) -> list[tuple[str, ...]]:
        """Rows as text; NULL as an empty one."""
        return [tuple("" if v is None else v.decode("utf-8", "replace") for v in row) for row in self.rows(sql)]

    def query(self, sql: str) -> list[dict[str, object]]:
        result = self.run(sql)[0]
        return [
            {n: None if v is None else v.decode("utf-8", "replace") for n, v in zip(result.names, row, strict=True)}
            for row in result.rows
        ]

    # -- the protocol ---------------------------------------------------------------------------------------------

    def _greet(self, user: str, database: str) -> None:
        hello = self._packet()
        if hello[:1] == b"\xff":
            raise _error(hello)
        end = hello.index(b"\0", 1)
        (self.thread,) = struct.unpack_from("<I", hello, end + 1)
        self._send(
            struct.pack("<IIB23x", _FLAGS, 1 << 30, _UTF8MB4)
            + user.encode()
            + b"\0\0"  # no password
            + database.encode()
            + b"\0mysql_native_password\0"
        )
        answer = self._packet()
        while answer[:1] in (b"\xfe", b"\x01"):  # another plugin, which takes no password either
            if answer[:1] == b"\xfe":
                self._send(b"")
            answer = self._packet()
        if answer[:1] == b"\xff":
            raise _error(answer)

    def _result(self) -> tuple[Result, bool]:
        first = self._packet()
        if first[:1] == b"\xff":
            raise _error(first)
        if first[:1] == b"\xfb":  # LOAD DATA LOCAL: no file of ours is given away
            self._send(b"")
            return self._result()
        if first[:1] == b"\x00":
            affected, at = _number(first, 1)
            _, at = _number(first, at)
            return Result([], [], affected), self._status(first, at)
        count, _ = _number(first, 0)
        names = [_name(self._packet()) for _ in range(count)]
        self._packet()  # EOF
        rows: list[tuple[Value, ...]] = []
        while True:
            packet = self._packet()
            if packet[:1] == b"\xff":
                raise _error(packet)
            if packet[:1] == b"\xfe" and len(packet) < 9:
                return Result(names, rows, -1), self._status(packet, 3)
            rows.append(_values(packet))

    def _status(self, packet: bytes, at: int) -> bool:
        (status,) = struct.unpack_from("<H", packet, at)
        self.in_transaction = bool(status & _IN_TRANSACTION)
        return bool(status & _MORE)

    def _send(self, body: bytes) -> None:
        while True:
            part, body = body[:_LARGEST], body[_LARGEST:]
            self._socket.sendall(struct.pack("<I", len(part))[:3] + bytes([self._sequence]) + part)
            self._sequence = (self._sequence + 1) % 256
            if len(part) < _LARGEST:
                return

    def _packet(self) -> bytes:
        whole = b""
        while True:
            head = self._read(4)
            length = int.from_bytes(head[:3], "little")
            self._sequence = (head[3] + 1) % 256
            whole += self._read(length)
            if length < _LARGEST:
                return whole

    def _read(self, count: int) -> bytes:
        if len(self._buffer) - self._at < count:
            parts, have = [self._buffer[self._at :]], len(self._buffer) - self._at
            while have < count:
                got = self._socket.recv(1 << 18)
                if not got:
                    raise MysqlLost("it was closed by the server")
                parts.append(got)
                have += len(got)
            self._buffer, self._at = b"".join(parts), 0
        self._at += count
        return self._buffer[self._at - count : self._at]


def _error(packet: bytes) -> MysqlRefused:
    (code,) = struct.unpack_from("<H", packet, 1)
    words = packet[3:]
    if words[:1] == b"#":
        words = words[6:]
    return MysqlRefused(f"{code}: {words.decode('utf-8', 'replace')}", code)


def _number(packet: bytes, at: int) -> tuple[int, int]:
    """A length-encoded integer and where it ends."""
    first = packet[at]
    if first < 0xFB:
        return first, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(packet[at + 1 : at + 1 + size], "little"), at + 1 + size


def _name(packet: bytes) -> str:
    at = 0
    for _ in range(4):  # catalogue, schema, table, original table
        length, at = _number(packet, at)
        at += length
    length, at = _number(packet, at)
    return packet[at : at + length].decode("utf-8", "replace")


def _values(packet: bytes) -> tuple[Value, ...]:
    found: list[Value] = []
    at, end = 0, len(packet)
    while at < end:
        if packet[at] == 0xFB:
            found.append(None)
            at += 1
            continue
        length, at = _number(packet, at)
        found.append(packet[at : at + length])
        at += length
    return tuple(found)
