"""Which model of arrivals has production's requests in flight? A simulation without a network.

"Production" is a bursty log (arrivals that switch between two rates, log-normal service times) of ten minutes. Each model is judged by the distribution of requests in flight over
time: distance W1 (area between the two distribution functions) relative to the mean L, and p99.

    python benchmarks/bench_concurrency.py [--seed 7]
"""

from __future__ import annotations

import argparse
import random
from datetime import UTC, datetime, timedelta

from fulldress.production.logs import Request
from fulldress.traffic import workload

SECONDS = 600.0
Plan = list[tuple[float, float]]  #: (start, duration)


def production(rng: random.Random) -> Plan:
    rows, now, high, until = [], 0.0, False, 0.0
    while now < SECONDS:
        if now >= until:
            high, until = not high, now + rng.expovariate(1 / (0.8 if not high else 4.0))
        now += rng.expovariate(420.0 if high else 120.0)
        rows.append((now, rng.lognormvariate(-2.7, 0.7)))
    return rows


def levels(plan: Plan, step: float = 0.02) -> list[int]:
    starts, ends = sorted(s for s, _ in plan), sorted(s + d for s, d in plan)
    found, a, b = [], 0, 0
    for tick in range(int(SECONDS / step)):
        at = tick * step
        while a < len(starts) and starts[a] <= at:
            a += 1
        while b < len(ends) and ends[b] <= at:
            b += 1
        found.append(a - b)
    return sorted(found)


def replayed(plan: Plan, *, whole_seconds: bool) -> Plan:
    """Through the log (``$time_local`` or ``$msec``, and ``$request_time``) and :func:`workload.from_requests`."""
    zero = datetime(2026, 11, 1, tzinfo=UTC)
    rows = []
    for start, duration in sorted(plan, key=lambda row: row[0] + row[1]):
        took = round(duration, 3)
        end = start + duration
        stamp = zero + timedelta(seconds=int(end) if whole_seconds else round(end, 3))
        rows.append(Request(stamp - timedelta(seconds=took), took, "GET", "/a", 200, 1, "c", "a", coarse=whole_seconds))
    made = workload.from_requests(rows, window=timedelta(seconds=SECONDS))
    return list(zip(made.offsets, made.durations, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=7)
    rng = random.Random(parser.parse_args().seed)
    truth = production(rng)
    durations = [duration for _, duration in truth]
    wanted = levels(truth)
    mean = sum(wanted) / len(wanted)
    rate = len(truth) / SECONDS
    poisson, now = [], 0.0
    while (now := now + rng.expovariate(rate)) < SECONDS:
        poisson.append((now, rng.choice(durations)))
    models = {
        "replay, log with $msec": levels(replayed(truth, whole_seconds=False)),
        "replay, log in whole seconds": levels(replayed(truth, whole_seconds=True)),
        "Poisson arrivals": levels(poisson),
        "constant rate": levels([(n / rate, rng.choice(durations)) for n in range(len(truth))]),
        "closed loop of L users": [round(mean)] * len(wanted),
    }
    print(f"production: {rate:.0f}/s, in flight {mean:.1f} on average, p99 {wanted[int(len(wanted) * 0.99)]}")
    for name, got in models.items():
        distance = sum(abs(a - b) for a, b in zip(wanted, got, strict=True)) / len(wanted) / mean
        print(f"{name:30} W1/L {distance:5.1%}   p99 {got[int(len(got) * 0.99)]}")


if __name__ == "__main__":
    main()
