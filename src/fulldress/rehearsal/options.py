"""What a rehearsal is asked to do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """``seed`` goes into the report: the same seed sends the same traffic."""

    runs: int = 1
    baseline: timedelta = timedelta(seconds=20)  #: traffic before the upgrade
    settle: timedelta = timedelta(seconds=10)  #: traffic after it
    traffic: bool = True
    two_runners: bool = True
    concurrency: bool = True  #: behind long readers and writers, and killed half-way
    cuts: timedelta = timedelta(seconds=60)  #: for all places at which the migrations of one database are killed
    night: bool = True
    horizon: timedelta = timedelta(hours=24)  #: the night after is at least this long
    job_limit: timedelta = timedelta(seconds=3)  #: how long one job may run; longer ones are cut, and said to be
    preflight: bool = True  #: ask the copies for rows in the way first
    window: bool = True  #: what each way back leaves of rows written after the upgrade
    sizes: tuple[float, ...] = ()  #: shares of the rows at which the migrations are rehearsed too, e.g. 0.1, 0.5, 1
    seed: int = 1
    pg_bin: Path | None = None
