"""Workloads and logs for tests."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from fulldress.production.logs import Request
from fulldress.traffic.workload import Operation, Window, Workload

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def plan(paths: Sequence[str], rate: float, seconds: float, method: str = "GET") -> Workload:
    """Evenly spaced requests of the given paths, in turn."""
    count = round(rate * seconds)
    return Workload(
        seconds=seconds, offsets=[n / rate for n in range(count)], picks=[n % len(paths) for n in range(count)],
        durations=[0.001] * count, operations=[Operation(method, path, f"{method} {path}") for path in paths],
        window=Window(start=START, seconds=seconds, chosen_by="rate", busier_than=1.0, arrivals=count), coverage=1.0,
    )  # fmt: skip


def log(
    seed: int, seconds: float, rate: float, *, slower: float = 1.0, bursts: bool = True, **fields: object
) -> list[Request]:
    """A log as a busy site has it: bursts, and requests that are slow together (so not independent of each other)."""
    rng = random.Random(seed)
    rows, now, level, until = [], 0.0, 1.0, 0.0
    while now < seconds:
        if bursts and now >= until:
            level, until = rng.choice((0.7, 0.8, 1.0, 2.5)), now + rng.expovariate(1 / 8)
        now += rng.expovariate(rate * level)
        path = rng.choice(("/orders", f"/orders/{rng.randrange(1000)}"))
        took = rng.lognormvariate(-4, 0.6) * (1.3 if level > 1 else 1.0) * (slower if path != "/orders" else 1.0)
        values = {"status": 200, "host": "", "attempt": 0} | fields
        rows.append(
            Request(
                START + timedelta(seconds=now), took, "GET", path, int(str(values["status"])), 10, "10.0.0.1", "ua",
                str(values["host"]), int(str(values["attempt"])), False,
            )
        )  # fmt: skip
    return rows
