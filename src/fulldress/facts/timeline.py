"""Everything that one picture of a rehearsal needs, on one UTC axis."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A bar: a step, a lock on a table, a victim that waits, a job."""

    lane: str  #: act, step, lock, wait, job
    row: str  #: name of the bar's row
    start: datetime
    end: datetime
    label: str = ""
    outcome: str = ""


class Point(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sample of a series. ``series``: latency p50, latency p99, in flight, connections, log bytes."""

    series: str
    row: str  #: operation, host or partition
    at: datetime
    value: float


class Gate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    at: datetime
    outcome: str  #: pass, fail, unknown
    detail: str = ""


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a rehearsal. ``baseline`` holds the latency series of the act before the upgrade, as (row, p50, p99)."""

    run: int
    start: datetime
    end: datetime
    zone: str = "UTC"
    spans: tuple[Span, ...] = ()
    points: tuple[Point, ...] = ()
    gates: tuple[Gate, ...] = ()
