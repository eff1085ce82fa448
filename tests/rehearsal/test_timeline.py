"""One picture of one run: each kind of fact in its lane, nothing invented, nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fulldress.facts import AnyFact, Evidence, Gate, JobRun, Lock, Point, Timing, Wait, Witness
from fulldress.rehearsal.timeline import DRAWN_MODES, draw

START = datetime(2026, 11, 29, 1, tzinfo=UTC)
SEEN = {"witness": Witness.OBSERVED, "evidence": Evidence(source="run:1")}


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def timing(act: str, step: str, begin: float, length: float, outcome: str = "ok") -> Timing:
    return Timing(act=act, step=step, run=1, started=at(begin), duration=timedelta(seconds=length), outcome=outcome, words="w", **SEEN)  # type: ignore[arg-type]  # fmt: skip


def lock(mode: str, begin: float, held: float) -> Lock:
    return Lock(migration="m", statement="ALTER", mode=mode, object="orders", taken=at(begin), held=timedelta(seconds=held), caught="poll", **SEEN)  # type: ignore[arg-type]  # fmt: skip


def wait(first: float | None) -> Wait:
    span = timedelta(seconds=2)
    return Wait(victim="GET /x", object="orders", mode="RowShareLock", blocker="ALTER", migration="m", count=3, worst=span, total=span, first=None if first is None else at(first), **SEEN)  # type: ignore[arg-type]  # fmt: skip


def test_every_fact_has_its_lane() -> None:
    job = JobRun(schedule="import", due=at(7200), exit_code=None, duration=timedelta(seconds=3), words="cut", **SEEN)  # type: ignore[arg-type]  # fmt: skip
    facts: list[AnyFact] = [timing("upgrade", "", 0, 9), timing("upgrade", "pre", 0, 2, "failed"),
                            lock("AccessExclusiveLock", 1, 3), wait(1.5), wait(None), job]  # fmt: skip
    gates, points = (
        (Gate(name="g", at=at(2), outcome="fail"),),
        (Point(series="in flight", row="", at=at(1), value=3.0),),
    )
    picture = draw(4, START, at(10), "Europe/Lisbon", facts, points, gates)
    assert [(s.lane, s.row, s.label, s.outcome) for s in picture.spans] == [
        ("act", "upgrade", "w", "ok"),
        ("step", "pre", "w", "failed"),
        ("lock", "orders", "AccessExclusiveLock: ALTER", ""),
        ("wait", "GET /x", "3 waited for orders, worst 2.00 s: ALTER", ""),
        ("job", "import", "cut", "failed"),
    ]
    assert [(s.start, s.end) for s in picture.spans[2:4]] == [(at(1), at(4)), (at(1.5), at(3.5))]
    assert (picture.run, picture.zone, picture.gates, picture.points) == (4, "Europe/Lisbon", gates, points)


def test_weak_locks_do_not_fill_the_picture() -> None:
    weak = ("AccessShareLock", "RowShareLock", "RowExclusiveLock")
    assert draw(1, START, at(1), "UTC", [lock(mode, 0, 1) for mode in weak]).spans == ()
    assert len(draw(1, START, at(1), "UTC", [lock(mode, 0, 1) for mode in sorted(DRAWN_MODES)]).spans) == 5


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e4)), max_size=30))
def test_no_bar_ends_before_it_begins_and_none_is_lost(bars: list[tuple[float, float]]) -> None:
    picture = draw(1, START, at(2e5), "UTC", [timing("upgrade", str(n), *bar) for n, bar in enumerate(bars)])
    assert len(picture.spans) == len(bars)
    assert all(START <= span.start <= span.end <= at(2e5) for span in picture.spans)
