"""Where every connection of a stage ends up: refused, answered, led to a clone, or recorded and closed.

Runs in a thread outside the stage, on sockets that were opened inside it; so it can reach the clone's socket file, and no
script on the stage can reach it."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httptools

from fulldress.facts import excerpt
from fulldress.production.description import Endpoint
from fulldress.stage.answers import Answers
from fulldress.stage.resolver import Resolver

_ORIGINAL = 80  # SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST
_SILENCE = 1.0  #: seconds to wait for a program's first word; then it is the server that would have spoken first
_PHRASES = {200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently", 302: "Found", 304: "Not Modified",
            400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
            422: "Unprocessable Entity", 423: "Locked", 429: "Too Many Requests", 500: "Internal Server Error",
            502: "Bad Gateway", 503: "Service Unavailable"}  # fmt: skip
SCHEMES = {21: "ftp", 22: "ssh", 25: "smtp", 80: "http", 389: "ldap", 443: "https", 465: "smtps", 514: "syslog", 587: "smtp",
           123: "ntp", 1433: "mssql", 1521: "oracle", 3306: "mysql", 5432: "postgresql", 5672: "amqp", 6379: "redis",
           8125: "statsd", 9092: "kafka", 9200: "http", 11211: "memcached", 27017: "mongodb"}  # fmt: skip


@dataclass
class Contact:
    """One attempt to reach something. ``said``: the program's first line, masked."""

    at: datetime
    scheme: str
    host: str
    port: int
    policy: str
    outcome: str
    step: str
    said: str = ""
    process: tuple[str, ...] = ()


@dataclass
class _Request:
    method: str = ""
    target: bytes = b""
    body: bytearray = field(default_factory=bytearray)
    close: bool = False
    done: bool = False

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"connection" and value.lower() == b"close":
            self.close = True

    def on_body(self, body: bytes) -> None:
        if len(self.body) < 1 << 20:
            self.body += body

    def on_message_complete(self) -> None:
        self.done = True


class Sink:
    """``step()`` names the step under way, ``owner(port)`` the process that has a local port."""

    def __init__(
        self,
        endpoints: tuple[Endpoint, ...],
        databases: Mapping[str, Path],
        folder: Path,
        step: Callable[[], str],
        owner: Callable[[int], list[str]],
    ) -> None:
        self._endpoints = endpoints
        self._databases = {address.lower(): path for address, path in databases.items()}
        self._step = step
        self._owner = owner
        self.answers = {e.host.lower(): Answers.load(folder / e.answers) for e in endpoints if e.answers}
        self.resolver = Resolver(self._always_retired)
        self.contacts: list[Contact] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="stage sink", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = 0
        self._thread.start()

    # what production says

    def endpoint(self, host: str, port: int) -> Endpoint | None:
        """The entry for a host and port; one that names the port goes before one for every port."""
        host = host.lower()
        fitting = [e for e in self._endpoints if e.port in (0, port) and _covers(e.host.lower(), host)]
        return max(fitting, key=lambda e: (e.port != 0, len(e.host)), default=None)

    def _always_retired(self, name: str) -> bool:
        mine = [e for e in self._endpoints if _covers(e.host.lower(), name)]
        return bool(mine) and all(e.policy == "retired" and e.port == 0 for e in mine)

    # life

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def attach(self, sockets: list[socket.socket], port: int) -> None:
        """Take the sink's, the resolver's and the watcher's sockets, as :mod:`fulldress.stage.inside` opened them."""
        self._port = port
        names, streams, datagrams, watcher, *six = sockets

        def start() -> None:
            for sock in (names, *six):
                self._accept(sock, self._original)
            self._accept_resolver(streams)
            datagrams.setblocking(False)
            self._loop.add_reader(datagrams, self._resolve, datagrams)
            watcher.setblocking(False)
            self._loop.add_reader(watcher, self._watch, watcher)

        self._loop.call_soon_threadsafe(start)

    def listen(self, sock: socket.socket) -> None:
        """Take one more listener, at a port of its own, where the kernel redirects nothing."""
        self._loop.call_soon_threadsafe(self._accept, sock, self._original)

    def lead(self, sock: socket.socket, path: Path, label: tuple[str, int]) -> None:
        """Lead connections of a listener inside (at loopback or at a socket file) to a clone's socket file."""
        self._loop.call_soon_threadsafe(self._accept, sock, lambda _: label, path)

    def _accept(
        self, sock: socket.socket, target: Callable[[socket.socket], tuple[str, int]], path: Path | None = None
    ) -> None:
        sock.setblocking(False)

        def ready() -> None:
            with contextlib.suppress(BlockingIOError, OSError):
                connection, peer = sock.accept()
                connection.setblocking(False)
                address, port = target(connection)
                self._begin(self._attend(connection, address, port, peer, path))

        self._loop.add_reader(sock, ready)

    def _begin(self, work: Any) -> None:
        task: asyncio.Task[None] = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # names

    def _resolve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            query, ancillary, _, peer = sock.recvmsg(4096, 256)
            answer = self.resolver.answer(query)
            if answer is None:
                return
            # from the address that was asked: IP_PKTINFO as received, with the interface left open
            control = [
                (level, kind, b"\0\0\0\0" + data[4:8] + b"\0\0\0\0") for level, kind, data in ancillary if kind == 8
            ]
            control = [(level, kind, data[:4] + data[4:8] + data[8:]) for level, kind, data in control]
            sock.sendmsg([answer], control, 0, peer)

    def _accept_resolver(self, sock: socket.socket) -> None:
        sock.setblocking(False)

        async def talk(connection: socket.socket) -> None:
            with contextlib.suppress(OSError, TimeoutError), connection:
                data = await asyncio.wait_for(self._loop.sock_recv(connection, 4096), 5)
                answer = self.resolver.answer(data[2:])
                if answer is not None:
                    await self._loop.sock_sendall(connection, struct.pack(">H", len(answer)) + answer)

        def ready() -> None:
            with contextlib.suppress(BlockingIOError, OSError):
                connection, _ = sock.accept()
                connection.setblocking(False)
                self._begin(talk(connection))

        self._loop.add_reader(sock, ready)

    # connections

    def _original(self, connection: socket.socket) -> tuple[str, int]:
        """The address and port that were meant, before the redirect."""
        try:
            if connection.family == socket.AF_INET6:
                raw = connection.getsockopt(socket.IPPROTO_IPV6, _ORIGINAL, 28)
                return str(ipaddress.IPv6Address(raw[8:24])), struct.unpack_from(">H", raw, 2)[0]
            raw = connection.getsockopt(socket.SOL_IP, _ORIGINAL, 16)
            return socket.inet_ntoa(raw[4:8]), struct.unpack_from(">H", raw, 2)[0]
        except OSError:
            name = connection.getsockname()
            return str(name[0]), int(name[1])

    def _note(
        self,
        host: str,
        port: int,
        outcome: str,
        *,
        said: bytes = b"",
        scheme: str = "",
        process: list[str] | None = None,
    ) -> Contact:
        entry = self.endpoint(host, port)
        contact = Contact(
            at=datetime.now(UTC),
            scheme=scheme or SCHEMES.get(port, "tcp"),
            host=host,
            port=port,
            policy=entry.policy if entry is not None else "",
            outcome=outcome,
            step=self._step(),
            said=excerpt(said[:2000].decode("utf-8", "replace")),
            process=tuple(process or ()),
        )
        self.contacts.append(contact)
        return contact

    def _watch(self, sock: socket.socket) -> None:
        """Attempts that nothing was led to: refused ones, and datagrams."""
        for _ in range(256):
            try:
                packet, address = sock.recvfrom(256)
            except (BlockingIOError, OSError):
                return
            if address[2] != 4 or len(packet) < 28:  # PACKET_OUTGOING: each one is seen twice on loopback
                continue
            if packet[0] >> 4 == 4:
                start, protocol, target = (packet[0] & 15) * 4, packet[9], socket.inet_ntoa(packet[16:20])
            else:
                start, protocol, target = 40, packet[6], str(ipaddress.IPv6Address(packet[24:40]))
            port = struct.unpack_from(">H", packet, start + 2)[0] if protocol in (6, 17) else 0
            if protocol == 6 and (port == self._port or _loopback(target)):
                continue
            host = self.resolver.name(target)
            if protocol == 6:
                entry = self.endpoint(host, port)
                retired = entry is not None and entry.policy == "retired"
                self._note(host, port, "refused" if retired else "refused: nothing answers there")
            elif (protocol == 17 and not _loopback(target)) or (
                protocol == 1 and packet[start] == 8
            ):  # 8: echo request
                scheme = SCHEMES.get(port, "udp") if protocol == 17 else "icmp"
                self._note(host, port, "recorded, not answered", scheme=scheme)

    async def _attend(self, connection: socket.socket, address: str, port: int, peer: Any, path: Path | None) -> None:
        host = self.resolver.name(address) if path is None else address
        try:
            with connection:
                clone = (
                    path or self._databases.get(f"{host}:{port}".lower()) or self._databases.get(f"{address}:{port}")
                )
                if clone is not None:
                    await self._to_clone(connection, host, port, clone)
                    return
                entry = self.endpoint(host, port)
                if entry is not None and entry.policy == "retired":
                    self._note(host, port, "refused")
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                process = await self._loop.run_in_executor(None, self._owner, int(peer[1]))
                await self._talk(connection, host, port, entry, process)
        except (OSError, TimeoutError):
            return

    async def _to_clone(self, connection: socket.socket, host: str, port: int, path: Path) -> None:
        try:
            reader, writer = await asyncio.open_unix_connection(str(path))
        except OSError as error:
            self._note(host, port, f"the clone does not answer: {error.strerror}")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        self._note(host, port, "led to the clone")
        mine, out = await asyncio.open_connection(sock=connection.dup())
        await asyncio.gather(_pump(mine, writer), _pump(reader, out), return_exceptions=True)

    async def _talk(
        self, connection: socket.socket, host: str, port: int, entry: Endpoint | None, process: list[str]
    ) -> None:
        try:
            first = await asyncio.wait_for(self._loop.sock_recv(connection, 1 << 16), _SILENCE)
        except TimeoutError:
            outcome = "not answered: the server would speak first" if entry is not None else "unknown"
            self._note(host, port, outcome, process=process)
            return
        if first[:2] == b"\x16\x03":
            outcome = "not answered: TLS" if entry is not None else "unknown"
            self._note(
                host,
                port,
                outcome,
                scheme="https" if port in (443, 8443) else "tls",
                process=process,
                said=_server_name(first),
            )
            return
        if entry is None:
            line = first.split(b"\r\n", 1)[0]
            self._note(host, port, "unknown", said=line, scheme=_http(first), process=process)
            return
        if not _http(first):
            self._note(host, port, "not answered: no HTTP", said=first.split(b"\n", 1)[0], process=process)
            return
        await self._answer(connection, host, port, entry, process, first)

    async def _answer(
        self, connection: socket.socket, host: str, port: int, entry: Endpoint, process: list[str], data: bytes
    ) -> None:
        answers = self.answers.get(entry.host.lower()) or Answers([])
        while data:
            request = _Request()
            parser = httptools.HttpRequestParser(request)
            if b"expect: 100-continue" in data[:4096].lower():
                await self._loop.sock_sendall(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
            try:
                parser.feed_data(data)
                while not request.done:
                    data = await asyncio.wait_for(self._loop.sock_recv(connection, 1 << 16), 10)
                    if not data:
                        return
                    parser.feed_data(data)
            except httptools.HttpParserError:
                self._note(host, port, "not answered: broken HTTP", said=data[:200], process=process)
                return
            method, target = parser.get_method().decode(), request.target.decode("utf-8", "replace")
            status, body, headers, scripted = answers.answer(method, target, bytes(request.body))
            outcome = "answered" if scripted else "answered by default"
            said = f"{method} {target}".encode() + (b" " + bytes(request.body[:120]) if request.body else b"")
            self._note(host, port, outcome, said=said, scheme="http", process=process)
            head = f"HTTP/1.1 {status} {_PHRASES.get(status, 'Answer')}\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head += f"Content-Length: {len(body)}\r\nConnection: {'close' if request.close else 'keep-alive'}\r\n\r\n"
            await self._loop.sock_sendall(connection, head.encode() + (b"" if method == "HEAD" else body))
            if request.close:
                return
            data = await asyncio.wait_for(self._loop.sock_recv(connection, 1 << 16), 30)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


def _covers(pattern: str, host: str) -> bool:
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _http(data: bytes) -> str:
    return "http" if b" HTTP/1." in data.split(b"\n", 1)[0] else ""


def _loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _server_name(hello: bytes) -> bytes:
    """The name that a TLS client asks for (RFC 6066), as far as it stands in the first record."""
    at = hello.find(b"\x00\x00", 43)
    while 0 <= at < len(hello) - 9:
        length = struct.unpack_from(">H", hello, at + 7)[0]
        name = hello[at + 9 : at + 9 + length]
        if 3 < length < 254 and len(name) == length and name.replace(b".", b"").replace(b"-", b"").isalnum():
            return b"TLS for " + name
        at = hello.find(b"\x00\x00", at + 1)
    return b""
