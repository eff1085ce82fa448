"""The way back: every step that was begun, last first, each looked at after it was taken back."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from fulldress.engine import fence
from fulldress.engine.acts import Done
from fulldress.engine.events import RunOutcome, StepRun, worst
from fulldress.errors import FulldressError, InDoubt
from fulldress.facts import excerpt
from fulldress.findings import Outcome
from fulldress.runbook.steps import AnyStep, Snapshot

if TYPE_CHECKING:
    from fulldress.engine.engine import Engine

#: States in which a step may have changed something.
_TOUCHED = ("doubt", "done", "failed", "undo-doubt", "undo-failed")


class Undo:
    """One way back. A step whose undo fails does not keep the earlier ones from being taken back."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.journal = engine.journal

    def all(self) -> RunOutcome:
        engine = self.engine
        if point := engine.past_no_return():
            why = f"past the point of no return ({point}): nothing was touched; the way is forward"
            return RunOutcome(outcome=Outcome.FAIL, why=why, stopped_at=point)
        if self.journal.state == "rolled back":
            return RunOutcome(outcome=Outcome.PASS, why="it was taken back before", rolled_back=True)
        if self.journal.state != "rolling back":
            self.journal.write("rollback")
        order = [name for name in self.journal.order() if name in engine.steps]
        runs: list[StepRun] = []
        bare: list[str] = []  # steps without a way back of their own, since the snapshot before them
        left: list[str] = []
        for name in reversed(order):
            step = engine.steps[name]
            if self.journal.position(name).state not in _TOUCHED:
                continue
            if not engine.act(step).undoes(step):
                bare.append(name)
                self.journal.write("note", name, detail="no way back of its own")
                continue
            run = self._take_back(step)
            runs.append(run)
            if isinstance(step, Snapshot):
                left += bare if run.undone is not Outcome.PASS else []
                bare = []
        left += bare
        outcome = worst(
            [run.undone for run in runs if run.undone] + ([Outcome.UNKNOWN] if left else []) or [Outcome.PASS]
        )
        if outcome is Outcome.PASS:
            self.journal.write("rolled-back")
        why = {
            Outcome.PASS: f"{len(runs)} steps taken back",
            Outcome.FAIL: "; ".join(f"{r.step}: {r.undo_detail}" for r in runs if r.undone is Outcome.FAIL),
            Outcome.UNKNOWN: "; ".join(
                [f"{r.step}: {r.undo_detail}" for r in runs if r.undone is Outcome.UNKNOWN]
                + [f"{name}: nothing takes it back" for name in left]
            ),
        }[outcome]
        return RunOutcome(
            outcome=outcome, why=why, steps=tuple(runs), rolled_back=True, rollback=outcome, open=tuple(reversed(left))
        )

    def _take_back(self, step: AnyStep) -> StepRun:
        engine, act, name = self.engine, self.engine.act(step), step.name
        state = self.journal.position(name).state
        if state in ("doubt", "undo-doubt"):
            fence.refuse_if_alive(name, self.journal, engine.venue, act.alive(step, engine.context(name)))
        if state == "undo-doubt" and not act.repeatable and not _looks_first(step):
            raise InDoubt(step=name, detail=" (its way back was cut off)")
        token, began, clock = uuid4().hex, datetime.now(UTC), time.monotonic()
        engine.tell("undo-started", name)
        context = engine.context(name, token)
        self.journal.intent(name, token, undo=True)
        try:
            done = act.undo(step, context)
        except (FulldressError, OSError, UnicodeDecodeError) as error:
            done = Done(Outcome.FAIL, excerpt(str(error)))
        seconds = time.monotonic() - clock
        self.journal.write("undone", name, outcome=done.outcome.value, detail=done.detail, seconds=round(seconds, 6))
        engine.tell("undo-ended", name, done.outcome, done.detail)
        return StepRun(
            step=name,
            outcome=Outcome.PASS if state == "done" else Outcome.FAIL,
            started=began,
            duration=timedelta(seconds=seconds),
            undone=done.outcome,
            undo_detail=done.detail,
        )


def _looks_first(step: AnyStep) -> bool:
    """Kinds whose undo looks at the state before it acts, so that a second time does nothing twice."""
    return step.__struct_config__.tag in ("service", "webhook", "credential", "migrate")
