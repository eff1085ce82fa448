"""Events of the engine become timings and gates; what a database sees meanwhile is marked with the step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fulldress.database.postgres import Server, resolve
from fulldress.engine.events import Event
from fulldress.facts import Work
from fulldress.findings import Outcome
from fulldress.rehearsal.recorder import Recorder

START = datetime(2026, 11, 29, 1, tzinfo=UTC)


def event(kind: str, step: str, second: float, outcome: Outcome | None = None, detail: str = "") -> Event:
    return Event(kind=kind, step=step, at=START + timedelta(seconds=second), outcome=outcome, detail=detail)


def test_steps_become_timings_of_the_act_that_is_on() -> None:
    said: list[str] = []
    recorder = Recorder(2, "run:2", [], said.append)
    recorder(event("step-started", "pre", 0))
    recorder(event("step-ended", "pre", 1.5, Outcome.PASS, "done"))
    recorder.act = "rollback"
    recorder(event("undo-started", "pre", 3))
    recorder(event("undo-ended", "pre", 4, Outcome.FAIL, "exit 1"))
    recorder(event("note", "pre", 5, None, "resumed"))
    assert [(t.act, t.step, t.run, t.duration.total_seconds(), t.outcome, t.words) for t in recorder.timings] == [
        ("upgrade", "pre", 2, 1.5, "ok", "done"),
        ("rollback", "pre", 2, 1.0, "failed", "exit 1"),
    ]
    assert recorder.timings[0].started == START and recorder.timings[0].evidence.source == "run:2"
    assert said == ["upgrade: pre", "rollback: pre"]


def test_gates_keep_their_three_outcomes() -> None:
    recorder = Recorder(1, "run:1", [])
    for number, outcome in enumerate((Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, None)):
        recorder(event("gate", f"g{number}", number, outcome, "why"))
    assert [(g.name, g.outcome, g.detail) for g in recorder.gates] == [
        ("g0", "pass", "why"),
        ("g1", "fail", "why"),
        ("g2", "unknown", "why"),
    ]


def test_an_end_without_a_beginning_and_without_an_outcome_is_not_ok() -> None:
    """A run that is resumed may end a step that it did not start."""
    recorder = Recorder(1, "run:1", [])
    recorder(event("step-ended", "cut off", 7))
    (timing,) = recorder.timings
    assert timing.outcome == "unknown" and timing.duration == timedelta()


@pytest.mark.postgres
def test_what_the_database_does_meanwhile_belongs_to_the_step() -> None:
    with Server(resolve()) as server:
        clone = server.create("shop")
        recorder = Recorder(1, "run:1", [clone])
        recorder(event("step-started", "make", 0))
        clone.execute("CREATE TABLE a (x int);", name="a.sql", step="make")
        recorder(event("step-ended", "make", 1, Outcome.PASS))
        found = [f for f in clone.facts() if isinstance(f, Work)]
    assert [(f.evidence.step, f.statement) for f in found] == [("make", "CREATE TABLE a (x int);")]
