"""SQL traffic: the statements that ``production.toml`` lists, open loop, at their rates, over asyncpg.

Arrivals of a statement are Poisson (no log of production gives them), parameters are drawn from rows of the clone. Each
statement runs in a transaction of its own. The session's process id is kept, so that who waited for whom can be told.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import uvloop

from fulldress.errors import BadQuery, NoTraffic, TargetRefused
from fulldress.production.description import Query
from fulldress.traffic.generator import DRAIN, WAITING, refuse_remote
from fulldress.traffic.samples import Failure, Samples

CONNECTIONS = 48  #: below the usual max_connections of 100; what waits for one is counted from when it was due
DRAWN = 10_000  #: rows of which parameters are drawn
APPLICATION = "fulldress traffic"


def run(dsn: str, queries: Sequence[Query], **options: Any) -> Samples:
    """Send in a loop of its own; see :func:`replay`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(replay(dsn, queries, **options))


async def replay(
    dsn: str,
    queries: Sequence[Query],
    *,
    seconds: float | None = None,
    stop: Callable[[], bool] | None = None,
    seed: int = 0,
    connections: int = CONNECTIONS,
    drain: float = DRAIN,
    isolated: bool = False,
) -> Samples:
    """Send for ``seconds``, or until ``stop()``. ``dsn`` is that of a clone.

    Raises :class:`BadQuery` for a statement that the server does not take or that has parameters and no ``draw``,
    :class:`NoTraffic` when no session can be opened, :class:`TargetRefused` for a server that is not this machine's."""
    if not isolated:
        _refuse_remote(dsn)
    samples = Samples([query.name for query in queries], seed)
    if not queries:
        return samples
    sender = _Sender(dsn, queries, samples, seed, connections)
    try:
        await sender.prepare()
        await sender.send(float("inf") if seconds is None else seconds, stop or (lambda: False))
        await sender.drained(drain)
    finally:
        await sender.close()
    return samples


def _refuse_remote(dsn: str) -> None:
    address = urlsplit(dsn)
    if not address.scheme:
        raise TargetRefused("an address that is no postgresql:// one")
    for host in parse_qs(address.query).get("host", []) or [address.hostname or ""]:
        if not host.startswith("/"):
            refuse_remote(host)


class _Job:
    __slots__ = ("due", "lag", "number", "values")

    def __init__(self, due: float, lag: float, number: int, values: Sequence[object]) -> None:
        self.due, self.lag, self.number, self.values = due, lag, number, values


class _Sender:
    """A pool of sessions that opens more while statements wait, and a schedule that never waits for it."""

    def __init__(self, dsn: str, queries: Sequence[Query], samples: Samples, seed: int, most: int) -> None:
        self._dsn, self._queries, self._samples, self._most = dsn, queries, samples, most
        self._rng = random.Random(seed)
        self._values: list[list[tuple[object, ...]]] = []
        self._idle: list[asyncpg.Connection] = []
        self._open: set[asyncpg.Connection] = set()
        self._waiting: deque[_Job] = deque()
        self._running: dict[asyncio.Task[None], _Job | None] = {}
        self._opening = 0
        self._zero = self._epoch = 0.0

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(self._dsn, server_settings={"application_name": APPLICATION}, timeout=30)

    async def prepare(self) -> None:
        """Draw parameters and let the server see every statement, before the clock runs."""
        try:
            connection = await self._connect()
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise NoTraffic(str(error) or type(error).__name__) from None
        self._open.add(connection)
        for query in self._queries:
            try:
                statement = await connection.prepare(query.sql)
                wanted = len(statement.get_parameters())
                self._values.append(await self._draw(connection, query, wanted))
            except asyncpg.PostgresError as error:
                raise BadQuery(query.name, str(error)) from None
        self._idle.append(connection)
        self._samples.most_connections = 1

    async def _draw(self, connection: asyncpg.Connection, query: Query, wanted: int) -> list[tuple[object, ...]]:
        if not wanted:
            return [()]
        if not query.draw:
            raise BadQuery(query.name, f"it has {wanted} parameters and no draw")
        async with connection.transaction(readonly=True):
            rows = await (await connection.cursor(query.draw)).fetch(DRAWN)
        if not rows:
            raise BadQuery(query.name, "its draw gives no row")
        if len(rows[0]) < wanted:
            raise BadQuery(query.name, f"it has {wanted} parameters, its draw gives {len(rows[0])} columns")
        if len(rows) == DRAWN:
            self._samples.words[f"{query.name}: parameters drawn from the first {DRAWN} rows"] = 1
        return [tuple(row)[:wanted] for row in rows]

    async def send(self, limit: float, stop: Callable[[], bool]) -> None:
        self._zero = time.perf_counter()
        self._epoch = time.time() - self._zero
        self._samples.start = self._zero + self._epoch
        rates = [query.per_second for query in self._queries]
        total = sum(rates)
        due = self._rng.expovariate(total)
        while True:
            now = time.perf_counter() - self._zero
            if now >= limit or stop():
                break
            while due <= min(now, limit):
                number = self._rng.choices(range(len(rates)), rates)[0]
                self._launch(_Job(self._zero + due, now - due, number, self._rng.choice(self._values[number])))
                due += self._rng.expovariate(total)
            await asyncio.sleep(max(0.0, min(due, limit, now + 0.05) - (time.perf_counter() - self._zero)))
        self._samples.end = time.perf_counter() + self._epoch

    def _launch(self, job: _Job) -> None:
        if self._idle:
            self._start(self._idle.pop(), job)
        elif len(self._waiting) >= WAITING:
            self._record(job, Failure.DROPPED, 0)
        else:
            self._waiting.append(job)
            if self._opening < len(self._waiting) and len(self._open) + self._opening < self._most:
                self._opening += 1
                self._spawn(self._opened(), None)

    def _spawn(self, work: Any, job: _Job | None) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running[task] = job
        task.add_done_callback(lambda done: self._running.pop(done, None))

    def _start(self, connection: asyncpg.Connection, job: _Job) -> None:
        self._spawn(self._execute(connection, job), job)

    async def _opened(self) -> None:
        try:
            connection = await self._connect()
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            self._note(str(error) or type(error).__name__)
            if self._waiting:
                self._record(self._waiting.popleft(), Failure.REFUSED, 0)
            return
        finally:
            self._opening -= 1
        self._open.add(connection)
        self._samples.most_connections = max(self._samples.most_connections, len(self._open))
        self._free(connection)

    def _free(self, connection: asyncpg.Connection) -> None:
        if connection.is_closed():
            self._open.discard(connection)
        elif self._waiting:
            self._start(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)

    async def _execute(self, connection: asyncpg.Connection, job: _Job) -> None:
        failure, pid = Failure.OK, 0
        try:
            pid = connection.get_server_pid()
            await connection.fetch(self._queries[job.number].sql, *job.values)
        except asyncpg.PostgresError as error:
            failure = Failure.CLOSED if connection.is_closed() else Failure.SQL
            self._note(f"{error.sqlstate} {error}")
        except (OSError, asyncpg.InterfaceError) as error:
            failure = Failure.CLOSED
            self._note(str(error) or type(error).__name__)
        except asyncio.CancelledError:
            self._record(job, Failure.UNANSWERED, pid)
            raise
        self._record(job, failure, pid)
        self._free(connection)

    def _note(self, words: str) -> None:
        self._samples.words[words] = self._samples.words.get(words, 0) + 1

    def _record(self, job: _Job, failure: Failure, pid: int) -> None:
        latency = time.perf_counter() - job.due
        self._samples.add(job.due + self._epoch, latency, job.number, 0, failure, max(job.lag, 0.0), pid)

    async def drained(self, seconds: float) -> None:
        deadline = time.perf_counter() + seconds
        while self._running and (left := deadline - time.perf_counter()) > 0:
            await asyncio.wait(list(self._running), timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """What still runs is cut off, and counted as unanswered."""
        while self._waiting:
            self._record(self._waiting.popleft(), Failure.UNANSWERED, 0)
        tasks = list(self._running)
        for connection in self._open:
            if connection not in self._idle:
                connection.terminate()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in self._idle:
            connection.terminate()
