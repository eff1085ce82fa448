"""HTTP/1.1 over raw connections: as little per request as Python allows, since what it costs is latency of ours."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any, cast

import httptools

from fulldress.traffic.samples import Failure

#: An idle connection that the server closes just as it is used is no failure of the server (RFC 9112, 9.3.1): a request
#: without any byte of an answer within this many seconds after sending is sent once more. Its latency goes on.
_STALE = 0.1


class Job:
    """One request under way. ``due`` is a perf_counter; ``head`` says that the answer has no body."""

    __slots__ = ("again", "data", "due", "head", "lag", "operation")

    def __init__(self, due: float, lag: float, operation: int, data: bytes, head: bool) -> None:
        self.due = due
        self.lag = lag
        self.operation = operation
        self.data = data
        self.head = head
        self.again = False  #: it was sent once more already


class Pool:
    """Connections to one address. Opens more while requests wait, up to ``most``; a request never waits to be *due*."""

    def __init__(
        self,
        connect: Callable[[Callable[[], asyncio.BaseProtocol]], Coroutine[Any, Any, object]],
        done: Callable[[Job, int, Failure], None],
        most: int,
        most_waiting: int,
    ) -> None:
        self._connect = connect
        self.done = done  #: called with (job, status, failure)
        self.most = most
        self.most_waiting = most_waiting
        self.idle: list[Connection] = []
        self.open: set[Connection] = set()
        self.opening = 0
        self.waiting: deque[Job] = deque()
        self.peak = 0
        self.retried = 0
        self.words: dict[str, int] = {}
        self.closed = False
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, job: Job) -> None:
        if self.idle:
            self.idle.pop().start(job)
        elif len(self.waiting) >= self.most_waiting:
            self.done(job, 0, Failure.DROPPED)
        else:
            self.waiting.append(job)
            self._open_one()

    def _open_one(self) -> None:
        if self.opening < len(self.waiting) and len(self.open) + self.opening < self.most and not self.closed:
            self.opening += 1
            task = asyncio.get_running_loop().create_task(self._opened())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _opened(self) -> None:
        try:
            await self._connect(lambda: Connection(self))
        except OSError as error:
            self.opening -= 1
            self.note(error.strerror or type(error).__name__)
            if self.waiting:
                self.done(self.waiting.popleft(), 0, Failure.REFUSED)
            self._open_one()
        else:
            self.opening -= 1

    def note(self, words: str) -> None:
        self.words[words] = self.words.get(words, 0) + 1

    def ready(self, connection: Connection) -> None:
        """A connection can take a request."""
        if self.waiting:
            connection.start(self.waiting.popleft())
        else:
            self.idle.append(connection)

    def made(self, connection: Connection) -> None:
        self.open.add(connection)
        self.peak = max(self.peak, len(self.open))
        self.ready(connection)

    def lost(self, connection: Connection) -> None:
        self.open.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        self._open_one()

    def again(self, job: Job) -> None:
        job.again = True
        self.retried += 1
        self.waiting.appendleft(job)

    async def close(self) -> list[Job]:
        """End all connections; returns the jobs that are still without an answer."""
        self.closed = True
        left = list(self.waiting) + [c.job for c in self.open if c.job is not None]
        self.waiting.clear()
        for connection in list(self.open):
            connection.job = None
            connection.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return left


class Connection(asyncio.Protocol):
    """One connection: one request at a time, reused as long as the server keeps it open."""

    __slots__ = ("_parser", "_pool", "_sent", "_status", "_used", "job", "transport")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._parser = httptools.HttpResponseParser(self)
        self._sent = 0.0
        self._status = 0  #: of the answer that is coming in; 0: no byte of its head is complete
        self._used = 0
        self.job: Job | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._pool.made(self)

    def start(self, job: Job) -> None:
        self.job = job
        self._status = 0
        self._used += 1
        self._sent = perf_counter()
        self.transport.write(job.data)

    def data_received(self, data: bytes) -> None:
        if self.job is None:
            self.transport.abort()  # an answer that nobody asked for
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end(self._status or 101, keep=False)
        except httptools.HttpParserError as error:
            self._pool.note(f"no HTTP: {error}")
            self._fail(Failure.PROTOCOL)

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        if self.job is not None and self.job.head and self._status >= 200:
            keep = self._parser.should_keep_alive()
            # The parser cannot be told that an answer to HEAD has no body (RFC 9110, 9.3.2).
            self._parser = httptools.HttpResponseParser(self)
            self._end(self._status, keep=keep)

    def on_message_complete(self) -> None:
        if self._status >= 200 and self.job is not None:
            self._end(self._status, keep=self._parser.should_keep_alive())

    def _end(self, status: int, *, keep: bool) -> None:
        job, self.job = self.job, None
        if job is not None:
            self._pool.done(job, status, Failure.OK)
        if keep and not self.transport.is_closing():
            self._pool.ready(self)
        else:
            self.transport.close()

    def _fail(self, failure: Failure) -> None:
        job, self.job = self.job, None
        if job is not None:
            self._pool.done(job, self._status, failure)
        self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        job, self.job = self.job, None
        if job is not None:
            stale = self._used > 1 and not self._status and perf_counter() - self._sent < _STALE
            if stale and not job.again:
                self._pool.again(job)
            elif self._status and not self._parser.should_keep_alive() and error is None:
                self._pool.done(job, self._status, Failure.OK)  # a body that ends with the connection
            else:
                self._pool.note(str(error) if error else "connection closed")
                self._pool.done(job, self._status, Failure.CLOSED)
        self._pool.lost(self)
