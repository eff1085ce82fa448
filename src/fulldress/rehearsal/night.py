"""The night after: every schedule that the host has by then is run at its hour, in order, and what it writes is measured."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from datetime import datetime, timedelta

from fulldress.facts import AnyFact, Evidence, Growth, JobRun, Partition, Reason, Schedule, Unread, Witness
from fulldress.rehearsal.hosted import host_schedules
from fulldress.stage import Stage


def due(
    schedules: Mapping[str, Schedule], start: datetime, horizon: timedelta, new: Container[str] = ()
) -> list[tuple[datetime, Schedule]]:
    """The first run of each schedule after ``start``, in order of time, within ``horizon``; of those whose name is in
    ``new`` also a later one: what the upgrade brought is run once, be it a monthly job."""
    found = []
    for name, schedule in schedules.items():
        at = following(schedule, start)
        if schedule.enabled and at is not None and (at <= start + horizon or name in new):
            found.append((at, schedule))
    return sorted(found, key=lambda run: run[0])


def following(schedule: Schedule, start: datetime) -> datetime | None:
    """The first known run after an instant."""
    return min((at for at in schedule.next_runs if at > start), default=None)


def night_after(
    stage: Stage,
    before: Mapping[str, Schedule],
    partitions: Mapping[str, Partition],
    *,
    horizon: timedelta,
    limit: timedelta,
    zone: str,
    source: str,
    theirs: bool = True,
) -> Iterator[AnyFact]:
    """Facts on every job: the schedule itself (``observed``), its run, and what it would write in an hour.

    ``theirs`` False: no copy of production's files lies under the stage, so the jobs that were there before are this
    machine's own, and none of production's."""
    start = stage.now()
    after = host_schedules(stage, start, zone, source)
    if not theirs:
        after = {name: schedule for name, schedule in after.items() if name not in before}
        before = {}
    for name in sorted(before.keys() - after.keys()):
        lost = before[name]
        yield Unread(
            witness=Witness.OBSERVED,
            evidence=Evidence(source=source, path=lost.evidence.path, at=start, excerpt=lost.command),
            what=f"{lost.name} after the upgrade",
            reason=Reason.MISSING,
            detail="the job was there before the upgrade and is gone after it",
        )
    new = after.keys() - before.keys()
    for name, schedule in after.items():
        at = following(schedule, start)
        if schedule.enabled and (at is None or (at > start + horizon and name not in new)):
            yield Unread(
                witness=Witness.OBSERVED,
                evidence=schedule.evidence,
                what=f"the next run of {schedule.name}",
                reason=Reason.NOT_MEASURED,
                detail=f"it has no fixed hour ({schedule.expression})"
                if at is None
                else f"it is due at {at:%Y-%m-%d %H:%M} UTC, after the night, and the upgrade left it as it was",
            )
    for at, schedule in due(after, start, horizon, new):
        ran, written = stage.run_schedule(schedule, at, real_time=limit)
        yield ran
        for partition, size in sorted(written.items()):
            if size > 0:
                yield growth(schedule, ran, partition, size, partitions.get(partition), source)


def growth(
    schedule: Schedule, ran: JobRun, partition: str, written: int, known: Partition | None, source: str
) -> Growth:
    """What one run wrote, carried forward.

    A run that ended writes that much each time it is due. One that had to be cut writes on at its rate until the
    partition is full, or until somebody ends it."""
    hours = ran.duration.total_seconds() / 3600
    endless = ran.exit_code is None
    per_hour = runs_per_hour(schedule)
    rate = written / hours if endless and hours else written * per_hour
    full: datetime | None = None
    if known is not None and rate > 0:
        left = known.free / rate
        if left < 24 * 365:
            full = ran.due + timedelta(hours=left)
    return Growth(
        witness=Witness.OBSERVED,
        evidence=Evidence(
            source=source, path=schedule.evidence.path, line=schedule.evidence.line, step=schedule.name, at=ran.due
        ),
        schedule=schedule.name,
        partition=partition,
        written=written,
        over=ran.duration,
        runs_per_hour=per_hour,
        bytes_per_hour=rate,
        free=known.free if known else None,
        full_at=full,
    )


def runs_per_hour(schedule: Schedule) -> float:
    """From the distance of the next runs, which is not constant for every expression: their mean."""
    runs = schedule.next_runs
    if len(runs) < 2:
        return 0.0
    span = (runs[-1] - runs[0]).total_seconds()
    return 3600 * (len(runs) - 1) / span if span else 0.0
