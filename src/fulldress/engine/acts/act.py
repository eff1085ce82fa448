"""What every kind of step can: do, tell whether it is done, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from fulldress.engine.journal import Journal, Position
from fulldress.engine.probes import ask_all
from fulldress.engine.register import Register
from fulldress.engine.venue import Venue
from fulldress.findings import Outcome
from fulldress.runbook.steps import Step

#: Variable by which every process of a step can be told, also when whoever started it is gone.
TOKEN = "FULLDRESS_STEP"  # noqa: S105 - the name of a variable, not a password


class Done(msgspec.Struct, frozen=True):
    """How an act or an undo ended, and in words why."""

    outcome: Outcome
    detail: str = ""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """All that an act may use."""

    venue: Venue
    journal: Journal
    entries: Callable[[str], bytes]  #: bytes of a package entry by its sha256
    register: Register | None
    key: str  #: name under which this step stands in the journal
    position: Position
    token: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {TOKEN: self.token} if self.token else {}

    def keep(self, **kept: Any) -> dict[str, Any]:
        """Note what is there before anything changes; what a first attempt noted stands."""
        if self.position.kept:
            return self.position.kept
        self.journal.write("kept", self.key, **kept)
        return kept

    def part(self, name: str) -> None:
        self.journal.write("part", self.key, part=name)


S = TypeVar("S", bound=Step)


class Act(Generic[S]):
    """One kind of step. Subclasses say what ``do`` and ``undo`` are."""

    #: Carrying it out a second time leaves the same as once, so that a cut-off is no doubt.
    repeatable = False

    def do(self, step: S, at: Context) -> Done:
        raise NotImplementedError

    def settle(self, step: S, at: Context) -> Done:
        """After a cut-off: pass, it was carried out; fail, it was not and may be; unknown, nobody can tell."""
        if self.repeatable:
            return Done(Outcome.FAIL, "carried out again: twice is as once")
        if not step.verify:
            return Done(Outcome.UNKNOWN, "it has no probe")
        answer = ask_all(step.verify, at.venue, step.name)
        return Done(answer.outcome, answer.words)

    def alive(self, step: S, at: Context) -> list[str]:
        """Whatever of a step that was cut off still works outside this host's processes."""
        return []

    def undoes(self, step: S) -> bool:
        """Whether the step has a way back of its own."""
        return True

    def undo(self, step: S, at: Context) -> Done:
        """Take it back, also where it ended half-way, and look whether it is taken back."""
        raise NotImplementedError


class Harmless(Act[S]):
    """A kind that changes nothing, so there is nothing to take back."""

    repeatable = True

    def undo(self, step: S, at: Context) -> Done:
        return Done(Outcome.PASS, "changes nothing")


def last_line(output: str) -> str:
    """The last line that says something, for a report of one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:160] if lines else ""
