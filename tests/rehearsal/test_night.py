"""Which jobs are due, and what one run means for an hour and for a partition."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulldress.facts import Evidence, Growth, JobRun, Partition, Schedule, Witness
from fulldress.rehearsal.night import due, growth, runs_per_hour

START = datetime(2026, 11, 29, 1, tzinfo=UTC)
SEEN = {"witness": Witness.READ, "evidence": Evidence(source="run:1", path="etc/cron.d/job", line=2)}


def schedule(name: str = "job", every: float = 60, first: float = 60, runs: int = 3, **more: object) -> Schedule:
    """``every`` and ``first`` are minutes; ``first`` counts from the start of the night."""
    told = tuple(START + timedelta(minutes=first + every * n) for n in range(runs))
    return Schedule(name=name, mechanism="cron.d", expression="x", command="y", next_runs=told, **{**SEEN, **more})  # type: ignore[arg-type]


def ran(seconds: float, exit_code: int | None = 0) -> JobRun:
    return JobRun(schedule="job", due=START, exit_code=exit_code, duration=timedelta(seconds=seconds), **SEEN)  # type: ignore[arg-type]


def grown(
    written: int, seconds: float = 2, exit_code: int | None = 0, free: int | None = None, **more: float
) -> Growth:
    known = Partition(mount="/var", free=free, **SEEN) if free is not None else None  # type: ignore[arg-type]
    return growth(schedule(**more), ran(seconds, exit_code), "/var", written, known, "run:1")  # type: ignore[arg-type]


def test_a_job_that_ends_writes_once_each_time_it_is_due() -> None:
    found = grown(1000, every=15)
    assert found.runs_per_hour == 4 and found.bytes_per_hour == 4000
    assert (found.schedule, found.partition, found.written, found.over) == ("job", "/var", 1000, timedelta(seconds=2))
    assert (found.evidence.path, found.evidence.line, found.evidence.at) == ("etc/cron.d/job", 2, START)


def test_a_job_that_never_ends_writes_on_at_its_rate() -> None:
    found = grown(1000, exit_code=None, every=24 * 60)
    assert found.bytes_per_hour == pytest.approx(1000 * 3600 / 2)


def test_an_endless_job_of_no_time_at_all_has_no_rate_of_its_own() -> None:
    assert grown(1000, seconds=0, exit_code=None).bytes_per_hour == 1000


def test_without_a_known_partition_nothing_is_said_of_when_it_is_full() -> None:
    assert grown(1000).full_at is None and grown(1000).free is None


def test_when_the_partition_is_full() -> None:
    found = grown(1000, every=60, free=6000)
    assert found.full_at == START + timedelta(hours=6) and found.free == 6000
    assert grown(1, free=10**12).full_at is None, "more than a year is no date"
    assert grown(1000, free=0).full_at == START


def test_a_single_run_tells_no_frequency() -> None:
    found = grown(1000, runs=1, free=10)
    assert (found.runs_per_hour, found.bytes_per_hour, found.full_at) == (0, 0, None)
    assert runs_per_hour(schedule(every=0, runs=2)) == 0


sizes = st.integers(1, 10**12)


@given(sizes, sizes, st.booleans(), st.floats(0.01, 10), st.integers(0, 10**13))
def test_more_written_is_never_full_later(one: int, other: int, endless: bool, seconds: float, free: int) -> None:
    few, many = sorted((one, other))
    code = None if endless else 0
    slow, fast = grown(few, seconds, code, free), grown(many, seconds, code, free)
    assert slow.bytes_per_hour <= fast.bytes_per_hour
    assert slow.full_at is None or (fast.full_at is not None and START <= fast.full_at <= slow.full_at)


@given(sizes, st.integers(0, 10**13), st.integers(0, 10**13))
def test_more_room_is_never_full_earlier(written: int, one: int, other: int) -> None:
    tight, roomy = (grown(written, free=free) for free in sorted((one, other)))
    assert roomy.full_at is None or (tight.full_at is not None and tight.full_at <= roomy.full_at)


def test_due_in_order_of_time_once_each() -> None:
    jobs = [schedule("late", first=300), schedule("soon", first=5), schedule("off", first=6, enabled=False),
            schedule("none", runs=0), schedule("next-week", first=7 * 24 * 60)]  # fmt: skip
    found = due({job.name: job for job in jobs}, START, timedelta(hours=24))
    assert [(at, job.name) for at, job in found] == [
        (START + timedelta(minutes=5), "soon"),
        (START + timedelta(minutes=300), "late"),
    ]


def test_a_first_run_that_is_over_already_gives_way_to_the_next() -> None:
    """The schedule was read at an instant before the night starts."""
    job = schedule("hourly", first=-1, every=60)
    assert due({"hourly": job}, START, timedelta(hours=24)) == [(START + timedelta(minutes=59), job)]


def test_what_the_upgrade_brought_is_run_once_be_it_a_monthly_job() -> None:
    jobs = {name: schedule(name, first=20 * 24 * 60) for name in ("brought", "old")}
    assert [job.name for _, job in due(jobs, START, timedelta(hours=24), new={"brought"})] == ["brought"]


@given(st.lists(st.tuples(st.integers(-100, 3000), st.integers(1, 500)), max_size=20))
def test_due_lies_within_the_night_and_in_order(given_jobs: list[tuple[int, int]]) -> None:
    jobs = {str(n): schedule(str(n), first=first, every=every) for n, (first, every) in enumerate(given_jobs)}
    found = due(jobs, START, timedelta(hours=24))
    times = [at for at, _ in found]
    assert times == sorted(times)
    assert all(START < at <= START + timedelta(hours=24) for at in times)
    wanted = {j.name for j in jobs.values() if any(START < at <= START + timedelta(hours=24) for at in j.next_runs)}
    assert {job.name for _, job in found} == wanted and len(found) == len(wanted)
    assert all(at == min(run for run in job.next_runs if run > START) for at, job in found)
