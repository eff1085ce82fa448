"""Carries out a runbook at a venue: intent, act, gate, done; and knows the way back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from fulldress.engine import fence
from fulldress.engine.acts import ACTS, Act, Context, Done
from fulldress.engine.events import Event, RunOutcome, StepRun
from fulldress.engine.gates import gate, stops
from fulldress.engine.journal import Journal
from fulldress.engine.register import Register
from fulldress.engine.undo import Undo
from fulldress.engine.venue import Venue
from fulldress.errors import FulldressError, InDoubt, RunbookInvalid, RunEnded
from fulldress.facts import excerpt
from fulldress.findings import Outcome
from fulldress.runbook.frozen import freeze
from fulldress.runbook.steps import AnyStep, Runbook, Schedule


class Engine:
    """One run of one runbook, as its journal tells it.

    ``entries`` gives the bytes of a package entry by its sha256. ``register`` is the ledger (the stage has none).
    ``roll_back`` False stops at a failed gate without going back by itself. ``stop`` is asked between steps; once it
    says yes, the run ends there as unknown and can be taken up again.
    """

    def __init__(
        self,
        runbook: Runbook,
        venue: Venue,
        journal: Journal,
        *,
        entries: Callable[[str], bytes],
        on_event: Callable[[Event], None] | None = None,
        register: Register | None = None,
        roll_back: bool = True,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        self.runbook, self.venue, self.journal = runbook, venue, journal
        self.entries, self.on_event, self.register = entries, on_event, register
        self.roll_back, self.stop = roll_back, stop
        self.frozen = freeze(runbook)
        self.steps: dict[str, AnyStep] = {step.name: step for step in runbook.step}

    def run(self, until: str | None = None) -> RunOutcome:
        """Carry out every step that is not done yet, ``until`` included; a second call goes on behind it.

        Raises :class:`~fulldress.errors.InDoubt` for a step that was cut off and that nothing settles,
        :class:`~fulldress.errors.StillAlive` while its process lives, :class:`~fulldress.errors.RunEnded` for a run that
        was taken back."""
        self._open()
        if until is not None and until not in self.steps:
            raise RunbookInvalid(
                where="until", problem=f"no step is named {until}", remedy="Name a step of the runbook"
            )
        runs: list[StepRun] = []
        for step in self.runbook.step:
            if self.stop and self.stop():
                return self._ended(Outcome.UNKNOWN, "stopped between two steps by its operator", runs, step.name)
            run = self._carry_out(step)
            if run is not None:
                runs.append(run)
                if run.outcome is not Outcome.PASS:
                    return self._failed(step, run, runs)
            if step.name == until:
                return RunOutcome(outcome=Outcome.PASS, why=f"up to {until}", steps=tuple(runs))
        if self.journal.state != "completed":
            self.journal.write("completed")
        return RunOutcome(outcome=Outcome.PASS, why="every step is done and every gate passed", steps=tuple(runs))

    def resume(self) -> RunOutcome:
        """Take up a run that was cut off. Raises :class:`~fulldress.errors.RunEnded` when there is none."""
        if self.journal.state == "fresh":
            raise RunEnded(path=self.journal.path, how="never began", remedy="Start it: fulldress run")
        return self.run()

    def rollback(self) -> RunOutcome:
        """Take back every step that was begun, last first. Past the point of no return nothing is touched."""
        self.journal.begin(self.frozen, self.venue.name)
        return Undo(self).all()

    def settle(self, step: str, done: bool) -> None:
        """A person's word on a step that was cut off or failed. Wins over a process that still lives."""
        position = self.journal.position(step)
        if position.state not in ("doubt", "failed", "undo-doubt", "undo-failed"):
            raise RunbookInvalid(
                where=step, problem=f"it is {position.state}, not in doubt", remedy="Leave it out of --settle"
            )
        back = position.state.startswith("undo")
        state = ("undone" if done else "done") if back else ("done" if done else "fresh")
        self.journal.write("settled", step, state=state, by="person")
        self.tell("note", step, detail=f"settled by a person: {'done' if done else 'undone'}")

    # what acts and undo are given

    def context(self, key: str, token: str = "") -> Context:
        return Context(
            venue=self.venue,
            journal=self.journal,
            entries=self.entries,
            register=self.register,
            key=key,
            position=self.journal.position(key),
            token=token,
        )

    def tell(self, kind: str, step: str, outcome: Outcome | None = None, detail: str = "") -> None:
        if self.on_event:
            self.on_event(Event(kind=kind, step=step, at=datetime.now(UTC), outcome=outcome, detail=detail))

    def act(self, step: AnyStep) -> Act[Any]:
        return ACTS[type(step)]

    def past_no_return(self) -> str:
        """Name of a step marked as the point of no return that was begun; empty: none was."""
        begun = set(self.journal.order())
        return next((s.name for s in self.runbook.step if not s.reversible and s.name in begun), "")

    # one step

    def _open(self) -> None:
        self.journal.begin(self.frozen, self.venue.name)
        state = self.journal.state
        if state == "rolling back":
            raise RunEnded(path=self.journal.path, how="is on its way back", remedy="Go on: fulldress rollback")
        if state == "rolled back":
            raise RunEnded(path=self.journal.path, how="was taken back", remedy="Start a new run with a new journal")

    def _carry_out(self, step: AnyStep) -> StepRun | None:
        """None when the step was done, and its gate passed, before."""
        position = self.journal.position(step.name)
        if position.state == "failed":
            raise InDoubt(step=step.name, detail=f" (it failed: {position.detail})")
        if position.state == "doubt":
            self._settle(step)
            position = self.journal.position(step.name)
        began, clock = datetime.now(UTC), time.monotonic()
        done = Done(Outcome.PASS, position.detail)
        if position.state != "done":
            self.tell("step-started", step.name, detail=step.why)
            done = self._guarded(step, self.perform(step, step.name))
        elif position.gate == "pass" or (not position.gate and not step.verify):
            done = self._guarded(step, done)  # the run may have been cut off right before its guards
            if done.outcome is Outcome.PASS:
                return None
        outcome, words = done.outcome, done.detail
        if outcome is Outcome.PASS:
            outcome, words = self._gate(step, words)
        spent = timedelta(seconds=time.monotonic() - clock)
        self.tell("step-ended", step.name, outcome, words)
        return StepRun(step=step.name, outcome=outcome, started=began, duration=spent, detail=words)

    def perform(self, step: AnyStep, key: str) -> Done:
        """Intent, act, done."""
        token = uuid4().hex
        self.journal.intent(key, token)
        clock = time.monotonic()
        try:
            done = self.act(step).do(step, self.context(key, token))
        except (FulldressError, OSError, UnicodeDecodeError) as error:
            done = Done(Outcome.FAIL, excerpt(str(error)))
        self.journal.write(
            "done", key, outcome=done.outcome.value, detail=done.detail, seconds=round(time.monotonic() - clock, 6)
        )
        return done

    def _gate(self, step: AnyStep, words: str) -> tuple[Outcome, str]:
        answer = gate(step, self.venue)
        if answer is None:
            return Outcome.PASS, words
        self.journal.write("gate", step.name, outcome=answer.outcome.value, detail=answer.detail)
        self.tell("gate", step.name, answer.outcome, answer.detail)
        if stops(step, answer):
            return answer.outcome, f"gate: {answer.detail}"
        if answer.outcome is not Outcome.PASS:
            self.journal.write("gate", step.name, outcome="pass", detail="its runbook lets it pass (gate = false)")
        return Outcome.PASS, words or answer.detail

    def _guarded(self, step: AnyStep, done: Done) -> Done:
        """A schedule that this step may just have installed is put out of use at once, also when the step failed.

        One that cannot be put out of use makes the step fail: a job that runs by itself is worse than a stop."""
        for other in self.runbook.step:
            key = f"{other.name} (after {step.name})"
            if not isinstance(other, Schedule) or other.after != step.name or not self._is_done(other.name):
                continue
            if self._is_done(key):
                continue
            guard = self.perform(other, key)
            self.tell("note", other.name, guard.outcome, f"after {step.name}: {guard.detail}")
            if guard.outcome is not Outcome.PASS and done.outcome is Outcome.PASS:
                done = Done(guard.outcome, f"{other.name}: {guard.detail}")
        return done

    def _is_done(self, name: str) -> bool:
        return self.journal.position(name).state == "done"

    def _settle(self, step: AnyStep) -> None:
        """A step that was cut off: first its old process has to be gone, then the world is asked."""
        context = self.context(step.name)
        fence.refuse_if_alive(step.name, self.journal, self.venue, self.act(step).alive(step, context))
        answer = self.act(step).settle(step, context)
        if answer.outcome is Outcome.UNKNOWN:
            raise InDoubt(step=step.name, detail=f" ({answer.detail})")
        state = "done" if answer.outcome is Outcome.PASS else "fresh"
        self.journal.write("settled", step.name, state=state, by="probe", detail=answer.detail)
        self.tell(
            "note",
            step.name,
            detail=f"was cut off; settled as {'done' if state == 'done' else 'not done'}: {answer.detail}",
        )

    def _failed(self, step: AnyStep, run: StepRun, runs: list[StepRun]) -> RunOutcome:
        why = f"{step.name}: {run.detail}"
        if run.outcome is Outcome.UNKNOWN:
            return self._ended(
                Outcome.UNKNOWN, f"{why}. Unknown never passes: mend it and run again, or roll back", runs, step.name
            )
        if point := self.past_no_return():
            why = f"{why}. Past the point of no return ({point}): mend it and go on"
            return self._ended(Outcome.FAIL, why, runs, step.name)
        if not self.roll_back:
            return self._ended(Outcome.FAIL, why, runs, step.name)
        back = Undo(self).all()
        return RunOutcome(
            outcome=Outcome.FAIL,
            why=why,
            steps=(*runs, *back.steps),
            stopped_at=step.name,
            rolled_back=True,
            rollback=back.outcome,
            open=back.open,
        )

    def _ended(self, outcome: Outcome, why: str, runs: list[StepRun], at: str) -> RunOutcome:
        self.journal.write("stopped", at, outcome=outcome.value, why=why)
        return RunOutcome(outcome=outcome, why=why, steps=tuple(runs), stopped_at=at)
