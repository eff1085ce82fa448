"""A job of the night, run at its hour as cron(8) would run it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fulldress.facts import Evidence, JobRun, Schedule, Witness, excerpt

if TYPE_CHECKING:
    from fulldress.stage.venue import Stage

_CRON_PATH = "/usr/bin:/bin"


def run(stage: Stage, schedule: Schedule, due: datetime, real_time: timedelta) -> tuple[JobRun, dict[str, int]]:
    """The run of the job on the stage's clock, for at most ``real_time``, and the bytes it wrote, by partition."""
    step = f"night: {schedule.name}"
    before = stage.changes.sizes()
    user = schedule.user or "root"
    home = {"root": "/root"}.get(user, f"/home/{user}")
    environment = {"SHELL": "/bin/sh", "PATH": _CRON_PATH, "HOME": home, "LOGNAME": user}
    with stage.clock_at(due):
        result = stage.run_bare(
            ["/bin/sh", "-c", schedule.command], step=step, user=user, environment=environment, timeout=real_time
        )
    written: dict[str, int] = {}
    for path, size in stage.changes.sizes().items():
        grown = size - before.get(path, stage.changes.size_before(path))
        if grown > 0:
            partition = stage.partition_of(path)
            written[partition] = written.get(partition, 0) + grown
    lines = result.output.strip().splitlines()
    words = excerpt(lines[-1]) if lines else ""
    if result.timed_out:
        words = f"still running after {real_time.total_seconds():g} s, cut off" + (f"; {words}" if words else "")
    run = JobRun(
        witness=Witness.OBSERVED,
        evidence=Evidence(
            source=stage.source,
            step=step,
            at=result.started,
            path=schedule.target,
            excerpt=excerpt(schedule.command),
        ),
        schedule=schedule.name,
        due=due,
        exit_code=None if result.timed_out else result.exit_code,
        duration=result.duration,
        words=words,
    )
    stage.observed.add(run)
    return run, written
