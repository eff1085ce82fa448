"""One day of production's access log, from a seed: quiet nights, a busy hour, bursts, two clients of the export."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

DAY = datetime(2026, 11, 19, tzinfo=UTC)
BUSY = (10 * 3600, 10 * 3600 + 660)  # seconds of the day with most traffic
AGENTS = ("dten-web/5.1", "dten-app/3.8 (Android 16)", "partner-sync/1.4")


def lines(seed: int = 7) -> Iterator[str]:
    """Lines in nginx's combined format with ``$request_time`` at the end, in the order in which requests ended."""
    draw = random.Random(seed)
    ended: list[tuple[float, str]] = []
    for second in range(86400):
        busy = BUSY[0] <= second < BUSY[1]
        rate = 0.05 if second < 6 * 3600 else 0.2
        if busy:  # bursts of a few seconds on top of a busy quarter of an hour
            rate = 70 if (second // 7) % 5 == 0 else 32
        whole, part = divmod(rate, 1)
        for _ in range(int(whole) + (draw.random() < part)):
            ended.append(_request(draw, second + draw.random()))
    for index in range(412):
        at = draw.uniform(0, 86399)
        client, agent = (("10.4.0.7", "warehouse-etl/2.0"), ("10.4.0.9", "finance-report/1.3"))[index % 3 == 0]
        took = draw.lognormvariate(-3.2, 0.4)
        ended.append(
            (at + took, _line(at + took, client, "GET", "/orders/export?since=2026-11-18", 48211, agent, took))
        )
    for _, line in sorted(ended):
        yield line


def _request(draw: random.Random, at: float) -> tuple[float, str]:
    kind = draw.random()
    client = f"10.2.{draw.randrange(4)}.{draw.randrange(2, 250)}"
    agent = AGENTS[draw.randrange(3)]
    if kind < 0.62:
        method, path, size = "GET", f"/orders/{draw.randrange(1, 204_001)}", 96
        took = draw.lognormvariate(-5.6, 0.5)
    elif kind < 0.94:
        method, path, size = "GET", f"/customers/{draw.randrange(1, 6001)}/orders", 1480
        took = draw.lognormvariate(-4.9, 0.5)
    elif kind < 0.97:
        method, path, size, took = "GET", "/health", 48, draw.lognormvariate(-6.2, 0.3)
    else:
        method, path, size, took = "POST", "/orders", 40, draw.lognormvariate(-4.7, 0.5)
    return at + took, _line(at + took, client, method, path, size, agent, took)


def _line(at: float, client: str, method: str, path: str, size: int, agent: str, took: float) -> str:
    status = 201 if method == "POST" else 200
    when = (DAY + timedelta(seconds=at)).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{client} - - [{when}] "{method} {path} HTTP/1.1" {status} {size} "-" "{agent}" {took:.3f}\n'
