"""A log-linear histogram of latencies: merged by addition, a phase cut out by subtraction, both exact.

Values are whole microseconds. Below 128 µs a bucket is one value wide, above it every power of two has 128 buckets: the
middle of a bucket is within 1/256 (0.39 %) of every value in it. Percentiles of parts cannot be averaged into one of the
whole; counts can be added.
"""

from __future__ import annotations

from collections.abc import Iterable

SUB_BITS = 7
SUB = 1 << SUB_BITS  #: buckets per power of two


def bucket(value: int) -> int:
    """Number of the bucket that holds ``value`` µs; negative values count as 0."""
    if value < SUB:
        return max(value, 0)
    shift = value.bit_length() - SUB_BITS - 1
    return (shift << SUB_BITS) + (value >> shift)


def middle(number: int) -> float:
    """The middle of a bucket, in µs."""
    if number < 2 * SUB:
        return float(number)
    shift = (number >> SUB_BITS) - 1
    return float((number - (shift << SUB_BITS)) << shift) + ((1 << shift) - 1) / 2


class Histogram:
    """Counts per bucket."""

    __slots__ = ("counts", "total")

    def __init__(self, counts: dict[int, int] | None = None) -> None:
        self.counts = {n: c for n, c in (counts or {}).items() if c}
        self.total = sum(self.counts.values())

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Histogram:
        """A histogram of durations in seconds."""
        made = cls()
        counts = made.counts
        for value in seconds:
            number = bucket(round(value * 1e6))
            counts[number] = counts.get(number, 0) + 1
        made.total = sum(counts.values())
        return made

    def record(self, microseconds: int) -> None:
        number = bucket(microseconds)
        self.counts[number] = self.counts.get(number, 0) + 1
        self.total += 1

    def __add__(self, other: Histogram) -> Histogram:
        counts = dict(self.counts)
        for number, count in other.counts.items():
            counts[number] = counts.get(number, 0) + count
        return Histogram(counts)

    def __sub__(self, other: Histogram) -> Histogram:
        """What was recorded after ``other``, an earlier state of this histogram. Raises ValueError if it is not one."""
        counts = dict(self.counts)
        for number, count in other.counts.items():
            counts[number] = counts.get(number, 0) - count
            if counts[number] < 0:
                raise ValueError("not an earlier state of this histogram")
        return Histogram(counts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.counts == other.counts

    __hash__ = None  # type: ignore[assignment]

    def quantile(self, q: float) -> float:
        """The ``q`` quantile in seconds (nearest rank); 0 when empty."""
        if not self.total:
            return 0.0
        rank = max(1, -(-self.total * q // 1))
        seen = 0
        for number in sorted(self.counts):
            seen += self.counts[number]
            if seen >= rank:
                return middle(number) / 1e6
        raise AssertionError("counts and total disagree")

    @property
    def worst(self) -> float:
        """The middle of the highest bucket, in seconds."""
        return middle(max(self.counts)) / 1e6 if self.counts else 0.0
