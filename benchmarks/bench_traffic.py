"""What a request costs the generator, and how many log lines a second are read.

Claim 1: open-loop sending costs at most a few times what the wire itself costs. The limit is a bare asyncio protocol on
uvloop that writes a constant and counts bytes, closed loop, without parsing, timing or recording; wrk, where it is on
PATH, is the peer that is known. CPU time of the client process only: on a busy machine wall time says little.
Claim 2: logs are read at 150,000 lines a second and core, in Python alone.

    python benchmarks/bench_traffic.py [--rate 8000] [--seconds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvloop

from fulldress.production import logs
from fulldress.traffic import generator
from fulldress.traffic.workload import Operation, Window, Workload

SERVER = r"""
import asyncio, uvloop
class P(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" * data.count(b"\r\n\r\n"))
async def main():
    server = await asyncio.get_running_loop().create_server(P, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
uvloop.run(main())
"""
REQUEST = b"GET /orders/17 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def bare(port: int, seconds: float, connections: int) -> tuple[int, float]:
    """(requests, CPU seconds) of the least that a client in Python can do."""
    done = 0
    stop = False

    class Client(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport
            transport.write(REQUEST)  # type: ignore[attr-defined]

        def data_received(self, data: bytes) -> None:
            nonlocal done
            done += 1
            if not stop:
                self.transport.write(REQUEST)  # type: ignore[attr-defined]

    async def main() -> None:
        nonlocal stop
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            await loop.create_connection(Client, "127.0.0.1", port)
        await asyncio.sleep(seconds)
        stop = True

    begin = time.process_time()
    uvloop.run(main())
    return done, time.process_time() - begin


def wrk(port: int, seconds: float, connections: int) -> float | None:
    """µs of CPU per request of wrk, or None where there is none."""
    if not shutil.which("wrk"):
        return None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", f"http://127.0.0.1:{port}/orders/17"]
    out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    count = next(int(line.split()[0]) for line in out.splitlines() if "requests in" in line)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / count * 1e6


def plan(rate: float, seconds: float) -> Workload:
    rng = random.Random(1)
    offsets, now = [], 0.0
    while (now := now + rng.expovariate(rate)) < seconds:
        offsets.append(now)
    operations = [Operation("GET", f"/orders/{n}", "GET /orders/{id}") for n in range(1000)]
    return Workload(
        seconds=seconds, offsets=offsets, picks=[rng.randrange(1000) for _ in offsets], durations=[-1.0] * len(offsets),
        operations=operations, coverage=1.0,
        window=Window(start=datetime.now(UTC), seconds=seconds, chosen_by="rate", busier_than=1, arrivals=len(offsets)),
    )  # fmt: skip


def reading(lines: int) -> float:
    """Lines per second of CPU, over a log in which half of the paths occur once."""
    rng = random.Random(1)
    start = datetime(2026, 11, 1, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "access.log"
        with path.open("w") as out:
            for n in range(lines):
                stamp = (start + timedelta(seconds=n // 200)).strftime("%d/%b/%Y:%H:%M:%S +0000")
                item = rng.randrange(lines) if n % 2 else rng.randrange(50)
                out.write(
                    f'10.0.0.{n % 200} - - [{stamp}] "GET /orders/{item} HTTP/1.1" 200 {n % 5000} "-" '
                    f'"Mozilla/5.0 (X11; Linux x86_64)" {rng.random():.3f}\n'
                )
        begin = time.process_time()
        count = sum(1 for _ in logs.read([path]))
        return count / (time.process_time() - begin)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=8000)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--lines", type=int, default=300_000)
    options = parser.parse_args()
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        count, used = bare(port, options.seconds, 32)
        limit = used / count * 1e6
        print(f"bare protocol, closed loop   {limit:7.1f} µs/request   1.00  ({count} requests)")
        if (peer := wrk(port, options.seconds, 32)) is not None:
            print(f"wrk, closed loop             {peer:7.1f} µs/request   {peer / limit:.2f}")
        for rate in (options.rate / 8, options.rate):
            workload = plan(rate, options.seconds)
            begin = time.process_time()
            samples = generator.run(workload, f"http://127.0.0.1:{port}")
            cost = (time.process_time() - begin) / len(samples) * 1e6
            lags = sorted(samples.lag)
            print(
                f"fulldress, open at {rate:6.0f}/s   {cost:7.1f} µs/request   {cost / limit:.2f}  "
                f"(sent {len(samples)} of {len(workload.offsets)}, send lag p99 {lags[int(len(lags) * 0.99)] * 1e3:.2f} ms)"
            )
    finally:
        server.kill()
        server.wait()
    speed = reading(options.lines)
    print(f"access log                   {speed:7.0f} lines/s and core   {speed / 150_000:.2f} of 150,000")


if __name__ == "__main__":
    main()
