"""What became of every request of a run, in compact arrays; cut by phase into latencies, by second into series."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import msgspec

from fulldress.facts import Evidence, Latency, Point, Witness
from fulldress.traffic.histogram import Histogram

_COLUMNS = {
    "due": "d",
    "latency": "f",
    "operation": "I",
    "status": "H",
    "error": "B",
    "lag": "f",
    "pid": "i",
}


class Failure(IntEnum):
    """Why a request has no answer. OK is none of them; ``status`` then tells what was answered."""

    OK = 0
    REFUSED = 1  #: no connection
    CLOSED = 2  #: closed before the whole answer was there
    UNANSWERED = 3  #: no answer when the run ended; the latency is how long it had waited by then
    DROPPED = 4  #: never sent: too many were waiting
    PROTOCOL = 5  #: what came back is no HTTP
    SQL = 6  #: the database said no


class Samples:
    """Rows of (due, latency, operation, status, error, lag, pid).

    ``due``: seconds since the epoch, UTC, at which production's plan sends it. ``latency``: seconds from then to the end
    of the answer. ``lag``: seconds by which the generator itself was late. ``pid``: of the database session, else 0.
    ``expected`` holds the status that production answered for an operation, where one is known (by name)."""

    def __init__(self, operations: Sequence[str] = (), seed: int = 0) -> None:
        self.operations: list[str] = list(operations)
        self.seed = seed
        self.start = 0.0  #: when sending began and ended, seconds since the epoch
        self.end = 0.0
        self.retried = 0  #: sent a second time because the connection had been closed while it was idle
        self.most_connections = 0
        self.words: dict[str, int] = {}  #: what the database or the wire said -> how often
        self.due: array[float] = array("d")
        self.latency: array[float] = array("f")
        self.operation: array[int] = array("I")
        self.status: array[int] = array("H")
        self.error: array[int] = array("B")
        self.lag: array[float] = array("f")
        self.pid: array[int] = array("i")

    def __len__(self) -> int:
        return len(self.due)

    def add(
        self, due: float, latency: float, operation: int, status: int, error: int, lag: float, pid: int = 0
    ) -> None:
        self.due.append(due)
        self.latency.append(latency)
        self.operation.append(operation)
        self.status.append(status)
        self.error.append(error)
        self.lag.append(lag)
        self.pid.append(pid)

    def failed(self, row: int) -> bool:
        """No answer, or a server error. A 404 is an answer."""
        return self.error[row] != Failure.OK or self.status[row] >= 500

    def count(self, failure: Failure) -> int:
        return self.error.count(failure)

    def rows(self, start: float = 0.0, end: float = float("inf")) -> list[int]:
        """Rows that were due in [start, end), in the order in which they were due."""
        order = self._order()
        dues = [self.due[row] for row in order]
        return order[bisect_left(dues, start) : bisect_left(dues, end)]

    def _order(self) -> list[int]:
        return sorted(range(len(self.due)), key=self.due.__getitem__)

    def merged(self, other: Samples) -> Samples:
        """Both runs as one; operations of the same name stay one."""
        made = Samples(self.operations, self.seed)
        for part in (self, other):
            index = {name: number for number, name in enumerate(made.operations)}
            for name in part.operations:
                if name not in index:
                    index[name] = len(made.operations)
                    made.operations.append(name)
            moved = array("I", (index[part.operations[number]] for number in part.operation))
            for column in _COLUMNS:
                getattr(made, column).extend(moved if column == "operation" else getattr(part, column))
            made.retried += part.retried
            made.most_connections += part.most_connections
            for words, count in part.words.items():
                made.words[words] = made.words.get(words, 0) + count
        starts = [part.start for part in (self, other) if len(part)]
        made.start, made.end = min(starts, default=0.0), max(self.end, other.end)
        return made

    def histogram(self, rows: Iterable[int]) -> Histogram:
        return Histogram.of(self.latency[row] for row in rows)

    def latencies(self, phases: Mapping[str, tuple[datetime, datetime]], run: str = "") -> list[Latency]:
        """One fact per operation and phase in which it was due. ``run`` names the run of the rehearsal."""
        order = self._order()
        dues = [self.due[row] for row in order]
        found = []
        for phase, (start, end) in phases.items():
            chosen = order[bisect_left(dues, start.timestamp()) : bisect_left(dues, end.timestamp())]
            by_name: dict[int, list[int]] = {}
            for row in chosen:
                by_name.setdefault(self.operation[row], []).append(row)
            seconds = max((end - start).total_seconds(), 1e-9)
            for number in sorted(by_name, key=lambda n: self.operations[n]):
                found.append(self._latency(number, by_name[number], phase, start, seconds, run))
        return found

    def _latency(self, number: int, rows: list[int], phase: str, start: datetime, seconds: float, run: str) -> Latency:
        histogram = self.histogram(rows)
        return Latency(
            witness=Witness.OBSERVED, evidence=Evidence(source=f"run:{run}" if run else "", at=start),
            operation=self.operations[number], phase=phase, count=len(rows),
            errors=sum(self.failed(row) for row in rows), p50=timedelta(seconds=histogram.quantile(0.5)),
            p99=timedelta(seconds=histogram.quantile(0.99)),
            worst=timedelta(seconds=max(self.latency[row] for row in rows)), rate=len(rows) / seconds,
        )  # fmt: skip

    def in_flight(self, start: float, end: float, step: float = 0.1) -> list[int]:
        """Requests that were due but not yet answered at ``start``, ``start + step`` … (seconds since the epoch)."""
        sent = [row for row in range(len(self.due)) if self.error[row] != Failure.DROPPED]
        begins = sorted(self.due[row] for row in sent)
        ends = sorted(self.due[row] + self.latency[row] for row in sent)
        ticks = max(0, int((end - start) / step))
        return [bisect_right(begins, at) - bisect_right(ends, at) for at in (start + n * step for n in range(ticks))]

    def points(self, step: float = 1.0) -> list[Point]:
        """Series for the timeline, one point per ``step`` seconds: ``latency p50`` and ``latency p99`` in seconds, and
        ``errors``, per operation; ``in flight`` (the highest within the step) over all of them."""
        slots: dict[tuple[int, int], list[int]] = {}
        for row, due in enumerate(self.due):
            slots.setdefault((int((due - self.start) // step), self.operation[row]), []).append(row)
        found = []
        for (slot, number), rows in sorted(slots.items()):
            at, name = _instant(self.start + slot * step), self.operations[number]
            values = sorted(self.latency[row] for row in rows)
            found.append(Point(series="latency p50", row=name, at=at, value=values[(len(values) - 1) // 2]))
            rank = -(-len(values) * 99 // 100) - 1
            found.append(Point(series="latency p99", row=name, at=at, value=values[rank]))
            if errors := sum(self.failed(row) for row in rows):
                found.append(Point(series="errors", row=name, at=at, value=float(errors)))
        fine = step / 10
        levels = self.in_flight(self.start, self.end, fine)
        for slot in range(0, len(levels), 10):
            at = _instant(self.start + slot * fine)
            found.append(Point(series="in flight", row="", at=at, value=float(max(levels[slot : slot + 10]))))
        return found

    def to_record(self) -> dict[str, Any]:
        """A mapping that msgspec writes as JSON: arrays as base64 of their little-endian bytes."""
        record: dict[str, Any] = {name: getattr(self, name) for name in _SCALARS}
        return record | {name: getattr(self, name).tobytes() for name in _COLUMNS}

    @classmethod
    def from_record(cls, record: Record) -> Samples:
        """The inverse of :meth:`to_record`."""
        made = cls(record.operations, record.seed)
        for name in _SCALARS:
            setattr(made, name, getattr(record, name))
        for name in _COLUMNS:
            getattr(made, name).frombytes(getattr(record, name))
        return made

    def outcomes(self) -> Iterator[tuple[str, int]]:
        """(failure in words, count) of those that occurred."""
        for failure in Failure:
            if failure is not Failure.OK and (count := self.count(failure)):
                yield failure.name.lower(), count


_SCALARS = ("operations", "seed", "start", "end", "retried", "most_connections", "words")


class Record(msgspec.Struct):
    """Samples as they stand in a file."""

    operations: list[str]
    seed: int
    start: float
    end: float
    retried: int
    most_connections: int
    words: dict[str, int]
    due: bytes
    latency: bytes
    operation: bytes
    status: bytes
    error: bytes
    lag: bytes
    pid: bytes


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
