"""What the engine tells while it works, and how a run ended."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from fulldress.findings import Outcome


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. ``kind``: step-started, step-ended, gate, undo-started, undo-ended, note."""

    kind: str
    step: str
    at: datetime
    outcome: Outcome | None = None
    detail: str = ""


class StepRun(msgspec.Struct, frozen=True, kw_only=True):
    """How one step ended. ``outcome`` joins the act and its gate; ``undone`` is None where nothing was taken back."""

    step: str
    outcome: Outcome
    started: datetime
    duration: timedelta
    detail: str = ""
    undone: Outcome | None = None
    undo_detail: str = ""


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a run (or a rollback) ended.

    ``outcome`` pass: every step that was asked for is done and its gate passed; or, of a rollback, every step was taken
    back. ``rolled_back``: the way back was gone, too, and ``rollback`` says how that ended. ``open``: steps with no undo
    of their own, which only a snapshot or a person takes back.
    """

    outcome: Outcome
    why: str
    steps: tuple[StepRun, ...] = ()
    stopped_at: str = ""
    rolled_back: bool = False
    rollback: Outcome | None = None
    open: tuple[str, ...] = ()


def worst(outcomes: list[Outcome]) -> Outcome:
    """Fail before unknown before pass; of nothing: unknown, because nothing was shown."""
    if Outcome.FAIL in outcomes:
        return Outcome.FAIL
    if Outcome.UNKNOWN in outcomes or not outcomes:
        return Outcome.UNKNOWN
    return Outcome.PASS
