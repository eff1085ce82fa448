"""How it was under traffic, and how long it took."""

from __future__ import annotations

from datetime import datetime, timedelta

from fulldress.facts.witness import Fact


class Timing(Fact, tag=True, frozen=True, kw_only=True):
    """One act, or one step of it, of one run of the rehearsal."""

    act: str  #: baseline, upgrade, verify, two runners, night after, rollback
    run: int
    started: datetime
    duration: timedelta
    step: str = ""
    outcome: str = "ok"  #: ok, failed, unknown
    words: str = ""  #: what happened, in one line


class Latency(Fact, tag=True, frozen=True, kw_only=True):
    """Latency of one operation in one phase, counted from the time the request was due."""

    operation: str
    phase: str
    count: int
    errors: int
    p50: timedelta
    p99: timedelta
    worst: timedelta
    rate: float = 0.0  #: requests per second that were due


class Fidelity(Fact, tag=True, frozen=True, kw_only=True):
    """How well the synthetic traffic matches production's."""

    measure: str  #: rate, in flight p99, operation mix, send lag p99 …
    production: float | None
    rehearsal: float
    unit: str = ""
    ok: bool | None = None


class Health(Fact, tag=True, frozen=True, kw_only=True):
    """A probe and its outcome: pass, fail or unknown."""

    subject: str
    outcome: str
    detail: str = ""
    phase: str = ""


class Shift(Fact, tag=True, frozen=True, kw_only=True):
    """Before against after, for one endpoint or one outbound host, in production's own logs."""

    subject: str
    measure: str  #: p50, p99, error rate, calls per hour, attempts per call
    before: float
    after: float
    real: bool | None  #: False: within what chance explains; None: too little data
    detail: str = ""
