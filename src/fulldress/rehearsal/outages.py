"""When the service was away, as its callers saw it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec


class Call(msgspec.Struct, frozen=True):
    """One call: when it was due, and whether it was answered well (and how long that took)."""

    due: datetime
    ok: bool
    latency: timedelta


def outages(calls: Iterable[Call], patience: timedelta = timedelta(seconds=1)) -> list[tuple[datetime, datetime]]:
    """Intervals in which every call failed or took longer than ``patience``, from the first such call to the next good one.

    A single bad call between good ones is an error, not an outage: an interval needs two bad calls in a row.
    """
    found: list[tuple[datetime, datetime]] = []
    bad: list[datetime] = []
    for call in sorted(calls, key=lambda c: c.due):
        if not call.ok or call.latency > patience:
            bad.append(call.due)
            continue
        if len(bad) > 1:
            found.append((bad[0], call.due))
        bad = []
    if len(bad) > 1:
        found.append((bad[0], bad[-1]))
    return found


def total(intervals: Iterable[tuple[datetime, datetime]]) -> timedelta:
    """Time covered by the intervals, which do not overlap."""
    return sum((end - start for start, end in intervals), timedelta())
