"""Before against after, from two logs of production: per endpoint and per outbound host, and which shift is real.

A shift is *real* when a two-sample test over blocks of time says so after all comparisons are allowed for (Holm), and it
is large enough to matter. Too little data is None: unknown, not "no".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from fulldress.facts import Evidence, Shift, Witness
from fulldress.production.logs import Request
from fulldress.production.uses import folder, suggest
from fulldress.traffic import shift_tests
from fulldress.traffic.shift_tests import BLOCKS, Estimate

RELATIVE = 0.10  #: a latency or a rate that moves by less does not matter
SECONDS = 0.001  #: nor does a latency that moves by less than this
SHARE = 0.005  #: nor an error rate that moves by less than half a point
ATTEMPTS = 0.05  #: nor attempts per call by less than this
REPEAT = 60.0  #: seconds within which the same call after a failure is taken for a retry of it

#: measures whose rise is a worsening
WORSE = ("p50", "p99", "error rate", "attempts per call")


class _Series(msgspec.Struct):
    """What one subject did in one log."""

    durations: list[float] = []
    blocks: list[int] = []
    calls: list[int] = msgspec.field(default_factory=lambda: [0] * BLOCKS)
    errors: list[int] = msgspec.field(default_factory=lambda: [0] * BLOCKS)
    first: list[int] = msgspec.field(default_factory=lambda: [0] * BLOCKS)  #: attempts that were not repeats
    told: int = 0  #: requests whose log says which attempt they were


class _Log(msgspec.Struct):
    begin: datetime
    end: datetime
    subjects: dict[str, _Series]

    @property
    def block_seconds(self) -> float:
        return max((self.end - self.begin).total_seconds(), 1.0) / BLOCKS


def shifts(before: Iterable[Request], after: Iterable[Request], operations: Iterable[str] = ()) -> list[Shift]:
    """Every measure of every subject that occurs in either log; real worsenings first, then by size of the change.

    Subjects are operations (``GET /orders/{id}``, folded as in :mod:`fulldress.production.uses`; ``operations`` are those
    of a known API) and third parties (``to pay.example``). Measures: p50, p99 (seconds), error rate, calls per hour, and
    attempts per call for third parties."""
    known = tuple(operations)
    old, new = list(before), list(after)
    if not old or not new:
        return []
    name = _names(known, (old, new))
    first, second = _gather(old, name), _gather(new, name)
    rows: list[tuple[str, str, Estimate, Estimate, str]] = []
    for subject in sorted(first.subjects.keys() | second.subjects.keys()):
        left = first.subjects.get(subject) or _Series()
        right = second.subjects.get(subject) or _Series()
        rows += [(subject, *row) for row in _measures(subject, left, right, first, second)]
    counted = shift_tests.holm([shift_tests.p_value(row[2], row[3]) for row in rows])
    span = Evidence(source="logs", at=second.begin)
    found = [
        Shift(
            witness=Witness.RUNNING, evidence=span, subject=subject, measure=measure, before=b.value, after=a.value,
            real=None if verdict is None else verdict and _matters(measure, b.value, a.value), detail=detail,
        )
        for (subject, measure, b, a, detail), verdict in zip(rows, counted, strict=True)
    ]  # fmt: skip
    return sorted(found, key=_order)


def worsenings(found: Iterable[Shift]) -> list[Shift]:
    """The real ones that are for the worse."""
    return [shift for shift in found if shift.real and shift.measure in WORSE and shift.after > shift.before]


def cautions(before: list[Request], after: list[Request]) -> list[str]:
    """What makes the two logs hard to compare, in words."""
    found = []
    spans = []
    for rows in (before, after):
        if not rows:
            return ["one of the logs has no request"]
        starts = [row.start for row in rows]
        spans.append((min(starts), max(starts)))
    (b0, b1), (a0, a1) = spans
    hours_before, hours_after = _hours(b0, b1), _hours(a0, a1)
    if hours_before != hours_after:
        found.append(
            f"they cover other hours of the day ({b0:%a %H:%M}–{b1:%a %H:%M} against {a0:%a %H:%M}–{a1:%a %H:%M} UTC): "
            "calls per hour differ for that reason too"
        )
    if any(row.duration is None for row in before) or any(row.duration is None for row in after):
        found.append("some lines have no duration: latency is judged on the rest; see docs/how-to/log-request-time.md")
    return found


def _hours(start: datetime, end: datetime) -> frozenset[int]:
    hours = int((end - start).total_seconds() // 3600) + 1
    return (
        frozenset(range(24)) if hours >= 24 else frozenset((start.astimezone(UTC).hour + n) % 24 for n in range(hours))
    )


def _names(known: tuple[str, ...], logs: Iterable[list[Request]]) -> dict[tuple[str, str], str]:
    """(method, path) -> operation, learnt over both logs at once so that they use the same names."""
    fold = folder(known)
    names: dict[tuple[str, str], str] = {}
    for rows in logs:
        for row in rows:
            key = (row.method, row.path)
            if not row.host and key not in names:
                names[key] = fold(*key)
    folded = suggest(set(names.values()) - set(known))
    return {key: folded.get(name, name) for key, name in names.items()}


def _gather(rows: list[Request], names: dict[tuple[str, str], str]) -> _Log:
    begin, end = min(row.start for row in rows), max(row.start for row in rows)
    log = _Log(begin, end, defaultdict(_Series))
    width = log.block_seconds
    failed: dict[tuple[str, str, str, str], datetime] = {}
    for row in sorted(rows, key=lambda row: row.start):
        block = min(int((row.start - begin).total_seconds() / width), BLOCKS - 1)
        series = log.subjects[f"to {row.host}" if row.host else names[row.method, row.path]]
        bad = row.status >= 500 or row.status == 0 or (bool(row.host) and row.status == 429)
        series.calls[block] += 1
        series.errors[block] += int(bad)
        if row.duration is not None:
            series.durations.append(row.duration)
            series.blocks.append(block)
        if not row.host:
            continue
        series.told += int(row.attempt > 0)
        call = (row.client, row.host, row.method, row.path)
        before = failed.get(call)
        repeat = before is not None and (row.start - before).total_seconds() <= REPEAT
        series.first[block] += int(row.attempt == 1 if row.attempt else not repeat)
        if bad:
            failed[call] = row.start
        else:
            failed.pop(call, None)
    return log


def _measures(
    subject: str, left: _Series, right: _Series, first: _Log, second: _Log
) -> Iterator[tuple[str, Estimate, Estimate, str]]:
    """(measure, before, after, detail) of one subject."""
    if left.durations and right.durations:
        counts = f"{len(left.durations)} against {len(right.durations)} requests"
        for name, q in (("p50", 0.5), ("p99", 0.99)):
            yield (
                name,
                shift_tests.quantile(left.durations, left.blocks, q),
                shift_tests.quantile(right.durations, right.blocks, q),
                counts,
            )
    calls = (sum(left.calls), sum(right.calls))
    if all(calls):
        errors = f"{sum(left.errors)} of {calls[0]} against {sum(right.errors)} of {calls[1]}"
        yield (
            "error rate", shift_tests.share(left.errors, left.calls), shift_tests.share(right.errors, right.calls), errors
        )  # fmt: skip
    yield (
        "calls per hour",
        shift_tests.rate(left.calls, first.block_seconds),
        shift_tests.rate(right.calls, second.block_seconds),
        "" if all(calls) else "in one of the logs only",
    )
    if subject.startswith("to ") and any(left.first) and any(right.first):
        told = (left.told, right.told) == calls
        yield (
            "attempts per call", shift_tests.share(left.calls, left.first), shift_tests.share(right.calls, right.first),
            "as logged" if told else f"inferred: the same call within {REPEAT:.0f} s after a failure",
        )  # fmt: skip


def _matters(measure: str, before: float, after: float) -> bool:
    change = abs(after - before)
    if measure in ("p50", "p99"):
        return change >= SECONDS and change >= RELATIVE * before
    if measure == "error rate":
        return change >= SHARE
    return change >= (ATTEMPTS if measure == "attempts per call" else RELATIVE * before)


def _order(shift: Shift) -> tuple[int, float, str, str]:
    worse = shift.measure in WORSE and shift.after > shift.before
    rank = (0 if worse else 1) if shift.real else 2 if shift.real is None else 3
    size = abs(shift.after - shift.before) / max(shift.before, 1e-9)
    return rank, -size, shift.subject, shift.measure
