"""Sends a workload, open loop: each request at its instant, whatever became of those before it.

Latency counts from the instant at which a request was *due*, so that a stall of the server is seen by all that were due
meanwhile. A generator that waits for answers sends less during a stall, and its percentiles then hide it.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import random
import socket
import ssl
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from fulldress import __version__
from fulldress.errors import TargetRefused
from fulldress.traffic.samples import Failure, Samples
from fulldress.traffic.wire import Job, Pool
from fulldress.traffic.workload import Workload

#: uvloop's timers count in milliseconds: a request may go out this many seconds early rather than late or after a spin.
EARLY = 0.0005
CONNECTIONS = 1024  #: more than these wait for one to become free; their latency counts on
WAITING = 50_000  #: more than these are dropped, and counted
DRAIN = 5.0  #: seconds that answers are waited for after the last request

Connect = tuple[str, int] | Path


def run(
    workload: Workload,
    target: str,
    *,
    stop: Callable[[], bool] | None = None,
    seed: int = 0,
    connect: Connect | None = None,
    seconds: float | None = None,
    connections: int = CONNECTIONS,
    drain: float = DRAIN,
    isolated: bool = False,
) -> Samples:
    """Send ``workload`` to ``target`` (``http://host:port``) in a loop of its own; see :func:`replay`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(
            replay(
                workload, target, stop=stop, seed=seed, connect=connect, seconds=seconds, connections=connections,
                drain=drain, isolated=isolated,
            )
        )  # fmt: skip


async def replay(
    workload: Workload,
    target: str,
    *,
    stop: Callable[[], bool] | None = None,
    seed: int = 0,
    connect: Connect | None = None,
    seconds: float | None = None,
    connections: int = CONNECTIONS,
    drain: float = DRAIN,
    isolated: bool = False,
) -> Samples:
    """Send until ``seconds`` are over (default: the length of the plan, or endless with ``stop``) or ``stop()`` is true.

    The plan starts again when it ends; later rounds draw other requests of the same operation (``seed``). ``connect`` is
    where to connect in place of the target's host: (host, port) or a Unix socket. ``isolated`` says that this process has
    no route out, so that any target is this machine's. Raises :class:`TargetRefused` for others.
    """
    address = urlsplit(target)
    if not isolated and not isinstance(connect, Path):
        refuse_remote(connect[0] if connect else address.hostname or "")
    limit = seconds if seconds is not None else (float("inf") if stop else workload.seconds)
    names = sorted({operation.name for operation in workload.operations})
    samples = Samples(names, seed)
    sender = _Sender(workload, address.netloc, samples, seed)
    pool = Pool(_connector(target, connect), sender.done, connections, WAITING)
    sender.pool = pool
    try:
        await sender.send(limit, stop or (lambda: False))
        await sender.drained(drain)
    finally:
        for job in await pool.close():
            sender.done(job, 0, Failure.UNANSWERED)
    samples.retried, samples.most_connections, samples.words = pool.retried, pool.peak, pool.words
    return samples


def refuse_remote(host: str) -> None:
    """Raises :class:`TargetRefused` unless every address of ``host`` is one of the loopback."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)} if host else set()
    except OSError:
        found = set()
    if not found or not all(ipaddress.ip_address(str(a).partition("%")[0]).is_loopback for a in found):
        raise TargetRefused(host or "(no host)")


def _connector(
    target: str, connect: Connect | None
) -> Callable[[Callable[[], asyncio.BaseProtocol]], Coroutine[Any, Any, object]]:
    address = urlsplit(target)
    loop = asyncio.get_running_loop()
    options: dict[str, Any] = {}
    if address.scheme == "https":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # a copy on this machine has no certificate for this name
        options = {"ssl": context, "server_hostname": address.hostname}
    if isinstance(connect, Path):
        return functools.partial(loop.create_unix_connection, path=str(connect), **options)
    host, port = connect or (address.hostname or "", address.port or (443 if address.scheme == "https" else 80))
    return functools.partial(loop.create_connection, host=host, port=port, **options)


class _Sender:
    """Hands out requests when they are due, and writes down what became of them."""

    pool: Pool

    def __init__(self, workload: Workload, host: str, samples: Samples, seed: int) -> None:
        self._workload = workload
        self._samples = samples
        self._rng = random.Random(seed)
        index = {name: number for number, name in enumerate(samples.operations)}
        self._number = [index[operation.name] for operation in workload.operations]
        self._data = [_request(operation.method, operation.path, host) for operation in workload.operations]
        self._head = [operation.method == "HEAD" for operation in workload.operations]
        self._kin: list[list[int]] = [[] for _ in samples.operations]
        for pick in workload.picks:
            self._kin[self._number[pick]].append(pick)
        self._under_way = 0
        self._zero = 0.0  #: perf_counter of offset 0
        self._epoch = 0.0  #: added to a perf_counter: seconds since the epoch
        self._quiet = asyncio.Event()

    async def send(self, limit: float, stop: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        finished: asyncio.Future[None] = loop.create_future()
        self._zero = time.perf_counter()
        self._epoch = time.time() - self._zero
        self._samples.start = self._zero + self._epoch
        offsets, picks, length = self._workload.offsets, self._workload.picks, self._workload.seconds
        position, round_start, count = 0, 0.0, len(self._workload.offsets)
        next_look = 0.0

        def tick() -> None:
            nonlocal position, round_start, next_look
            try:
                now = time.perf_counter() - self._zero
                if now >= next_look:
                    next_look = now + 0.05
                    if stop():
                        finished.set_result(None)
                        return
                horizon = min(now + EARLY, limit)
                while (offset := round_start + offsets[position]) < horizon:
                    self._launch(offset, picks[position], again=round_start > 0)
                    position += 1
                    if position == count:
                        position, round_start = 0, round_start + length
                if now >= limit:
                    finished.set_result(None)
                    return
                due = min(offset, limit, next_look)
                loop.call_later(max(due - (time.perf_counter() - self._zero), 0.0), tick)
            except Exception as error:  # noqa: BLE001 - a timer's exception would be lost; the caller must see it
                if not finished.done():
                    finished.set_exception(error)

        tick()
        await finished
        self._samples.end = min(time.perf_counter(), self._zero + limit) + self._epoch

    def _launch(self, offset: float, pick: int, *, again: bool) -> None:
        if again:
            pick = self._rng.choice(self._kin[self._number[pick]])
        now = time.perf_counter()
        planned = self._zero + offset
        due = planned if planned < now else now
        self._under_way += 1
        self.pool.send(Job(due, now - due, self._number[pick], self._data[pick], self._head[pick]))

    def done(self, job: Job, status: int, failure: Failure) -> None:
        self._under_way -= 1
        latency = time.perf_counter() - job.due
        self._samples.add(job.due + self._epoch, latency, job.operation, status, failure, job.lag)
        if not self._under_way:
            self._quiet.set()

    async def drained(self, seconds: float) -> None:
        """Wait for the answers that are still missing, at most ``seconds``."""
        deadline = time.perf_counter() + seconds
        while self._under_way and (left := deadline - time.perf_counter()) > 0:
            self._quiet.clear()
            try:
                await asyncio.wait_for(self._quiet.wait(), left)
            except TimeoutError:
                return


def _request(method: str, path: str, host: str) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: fulldress/{__version__} (rehearsal)\r\n"
        "Accept: */*\r\n\r\n"
    ).encode("utf-8", "surrogateescape")
