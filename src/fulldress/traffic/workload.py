"""Requests of a log -> an open-loop plan: at which instant which operation is sent, whatever the server does.

Modelled from production's own arrivals, since the usual models get the mean right and the tail wrong: on a bursty log, a
closed loop of "virtual users" misses the distribution of requests in flight by 51 %, Poisson arrivals by 35 %, the replay
of arrivals by 0.1 % (9 % where the log has whole seconds only); benchmarks/bench_concurrency.py.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from fulldress.errors import NothingToReplay
from fulldress.production.logs import Request
from fulldress.production.uses import folder


class Operation(msgspec.Struct, frozen=True):
    """One request that can be sent. ``name`` is the template it is reported under; ``status`` is what production answered."""

    method: str
    path: str
    name: str
    status: int = 200


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the log that is modelled. ``busier_than`` is the share of windows of the log that are less busy."""

    start: datetime
    seconds: float
    chosen_by: str  #: ``requests in flight`` or ``rate``
    busier_than: float
    arrivals: int  #: of every method


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """An open-loop plan over ``seconds``. ``offsets`` ascend; the three lists have one element per request.

    ``durations`` are production's own, in seconds, -1 where the log has none."""

    seconds: float
    offsets: list[float]
    picks: list[int]  #: index into ``operations``
    durations: list[float]
    operations: list[Operation]
    window: Window
    coverage: float  #: share of the window's arrivals that the plan sends
    left_out: dict[str, int] = {}  #: why the rest is not sent -> count
    scale: float = 1.0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.offsets) / self.seconds

    @property
    def knows_concurrency(self) -> bool:
        """Whether requests in flight can be derived: needs a duration for (nearly) every request."""
        return bool(self.durations) and sum(d < 0 for d in self.durations) <= len(self.durations) * 0.01

    def in_flight(self, quantile: float) -> float | None:
        """Production's requests in flight, sampled over time; None where the log has no durations."""
        if not self.knows_concurrency:
            return None
        return time_weighted(
            [(o, o + d) for o, d in zip(self.offsets, self.durations, strict=True) if d >= 0], self.seconds, quantile
        )

    def mix(self, seconds: float | None = None) -> dict[str, float]:
        """Share of each operation's name, over the first ``seconds`` of the plan as it loops."""
        whole, rest = divmod(seconds, self.seconds) if seconds else (1.0, 0.0)
        counts: Counter[str] = Counter()
        upto = bisect_left(self.offsets, rest)
        for number, pick in enumerate(self.picks):
            counts[self.operations[pick].name] += int(whole) + (number < upto)
        total = sum(counts.values())
        return {name: count / total for name, count in counts.items()} if total else {}

    def expected(self, seconds: float) -> int:
        """How many requests are due in the first ``seconds`` of the plan as it loops."""
        whole, rest = divmod(seconds, self.seconds)
        return int(whole) * len(self.offsets) + bisect_left(self.offsets, rest)

    def slice(self, seconds: float) -> Workload:
        """The busiest ``seconds`` of the plan (by requests in flight where known, else by arrivals); itself if shorter."""
        if seconds >= self.seconds:
            return self
        weights = self.durations if self.knows_concurrency else [1.0] * len(self.offsets)
        begin, _ = _busiest(self.offsets, weights, self.seconds, seconds)
        first, last = bisect_left(self.offsets, begin), bisect_left(self.offsets, begin + seconds)
        return msgspec.structs.replace(
            self, seconds=seconds, offsets=[offset - begin for offset in self.offsets[first:last]],
            picks=self.picks[first:last], durations=self.durations[first:last],
        )  # fmt: skip

    def scaled(self, factor: float, seed: int = 0) -> Workload:
        """Thinned below 1, superposed with itself (shifted in time) above. Time is never squeezed: bursts stay bursts."""
        rng = random.Random(seed)
        rows: list[tuple[float, int, float]] = []
        plan = list(zip(self.offsets, self.picks, self.durations, strict=True))
        for copy in range(math.ceil(factor)):
            share = min(1.0, factor - copy)
            shift = 0.0 if copy == 0 else rng.random() * self.seconds
            rows += [((o + shift) % self.seconds, p, d) for o, p, d in plan if share >= 1 or rng.random() < share]
        rows.sort(key=lambda row: row[0])
        return msgspec.structs.replace(
            self, offsets=[row[0] for row in rows], picks=[row[1] for row in rows], durations=[row[2] for row in rows],
            scale=self.scale * factor,
        )  # fmt: skip

    def limited(self, rate: float, seed: int = 0) -> Workload:
        """At most ``rate`` requests per second on average, by thinning."""
        return self if self.rate <= rate else self.scaled(rate / self.rate, seed)


def from_requests(
    requests: Iterable[Request],
    *,
    methods: Sequence[str] = ("GET", "HEAD"),
    window: timedelta = timedelta(minutes=10),
    scale: float = 1.0,
    seed: int = 0,
    operations: Iterable[str] = (),
) -> Workload:
    """The busiest window of a log as a plan.

    Busiest is the maximum of L = λ·W (requests in flight, Little's law) where the log has durations, else of the rate.
    Only ``methods`` are sent; the rest is counted in ``left_out``. Stamps in whole seconds are spread over their second
    in the order of the log (``seed``). ``operations`` are templates of a known API. Raises :class:`NothingToReplay`.
    """
    rows = [request for request in requests if not request.host]
    if not rows:
        raise NothingToReplay("the log has no inbound request")
    starts = _spread(rows, seed)
    order = sorted(range(len(rows)), key=starts.__getitem__)
    begin = starts[order[0]]
    arrivals = [starts[number] - begin for number in order]
    timed = [rows[number].duration for number in order]
    known = sum(value is not None for value in timed) >= len(timed) * 0.99
    weights = [value or 0.0 for value in timed] if known else [1.0] * len(timed)
    extent = arrivals[-1] + 1e-6
    length = min(window.total_seconds(), max(extent, 1.0))
    first, busier = _busiest(arrivals, weights, extent, length)
    chosen = range(bisect_left(arrivals, first), bisect_left(arrivals, first + length))
    name = folder(operations)
    table: dict[tuple[str, str, int], int] = {}
    listed: list[Operation] = []
    left_out: Counter[str] = Counter()
    offsets, picks, durations = [], [], []
    for position in chosen:
        request = rows[order[position]]
        if why := _unsendable(request, methods):
            left_out[why] += 1
            continue
        key = (request.method, request.path, request.status)
        if key not in table:
            table[key] = len(listed)
            listed.append(Operation(request.method, request.path, name(request.method, request.path), request.status))
        offsets.append(arrivals[position] - first)
        picks.append(table[key])
        durations.append(-1.0 if request.duration is None else request.duration)
    if not offsets:
        raise NothingToReplay(f"none of its {len(chosen)} requests may be sent: {dict(left_out)}")
    made = Workload(
        seconds=length, offsets=offsets, picks=picks, durations=durations, operations=listed,
        window=Window(
            start=datetime.fromtimestamp(begin + first, UTC), seconds=length, busier_than=busier, arrivals=len(chosen),
            chosen_by="requests in flight" if known else "rate",
        ),
        coverage=len(offsets) / len(chosen), left_out=dict(left_out.most_common()),
    )  # fmt: skip
    return made if scale == 1.0 else made.scaled(scale, seed)


def _unsendable(request: Request, methods: Sequence[str]) -> str:
    """Why a request is not sent: its method is not allowed, or the log does not hold what it sent."""
    if request.method not in methods:
        return f"{request.method} is not allowed"
    if not request.path.startswith("/") or any(ord(letter) <= 32 or ord(letter) == 127 for letter in request.path):
        return "no path that can be sent"
    return ""


def _spread(rows: Sequence[Request], seed: int) -> list[float]:
    """Starts in seconds since the epoch; whole-second stamps get a fraction, ascending in the order of the log."""
    rng = random.Random(seed)
    starts: list[float] = [0.0] * len(rows)
    same: list[int] = []
    second = math.nan

    def settle() -> None:
        for number, fraction in zip(same, sorted(rng.random() for _ in same), strict=True):
            starts[number] += fraction
        same.clear()

    for number, request in enumerate(rows):
        starts[number] = request.start.timestamp()
        if request.coarse:
            # The stamp is that of the end where there is a duration: the fraction belongs to it.
            stamp = round(starts[number] + (request.duration or 0.0))
            if stamp != second:
                settle()
                second = stamp
            same.append(number)
    settle()
    return starts


def _busiest(arrivals: Sequence[float], weights: Sequence[float], extent: float, length: float) -> tuple[float, float]:
    """(start, share of the windows that weigh less) of the heaviest window; windows start on every second."""
    steps = max(1, math.ceil(extent))
    sums = [0.0] * steps
    for arrival, weight in zip(arrivals, weights, strict=True):
        sums[min(int(arrival), steps - 1)] += weight
    width = max(1, round(length))
    if width >= steps:
        return 0.0, 1.0
    total = sum(sums[:width])
    loads = [total]
    for step in range(width, steps):
        total += sums[step] - sums[step - width]
        loads.append(total)
    heaviest = max(range(len(loads)), key=loads.__getitem__)
    return float(heaviest), sum(load < loads[heaviest] for load in loads) / len(loads)


def time_weighted(spans: Iterable[tuple[float, float]], seconds: float, quantile: float) -> float:
    """The ``quantile`` over time of how many of the spans are open within [0, seconds]."""
    events: list[tuple[float, int]] = []
    for begin, end in spans:
        events += [(max(begin, 0.0), 1), (min(end, seconds), -1)]
    events.sort()
    held: Counter[int] = Counter()
    level, last = 0, 0.0
    for at, change in events:
        held[level] += at - last  # type: ignore[assignment]
        level, last = level + change, at
    held[level] += max(0.0, seconds - last)  # type: ignore[assignment]
    wanted, seen = quantile * sum(held.values()), 0.0
    for value in sorted(held):
        seen += held[value]
        if seen >= wanted:
            return float(value)
    return float(max(held, default=0))
