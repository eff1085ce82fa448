"""Gates: pass, fail, unknown. Inconclusive never promotes."""

from __future__ import annotations

from fulldress.engine.acts.act import Done
from fulldress.engine.probes import ask_all
from fulldress.engine.venue import Venue
from fulldress.findings import Outcome
from fulldress.runbook.steps import Step


def gate(step: Step, venue: Venue) -> Done | None:
    """The answer of a step's probes; None when the step has none and so no gate of its own.

    A step of kind ``probe`` without probes is unknown: it was meant to ask something."""
    if not step.verify and step.__struct_config__.tag != "probe":
        return None
    answer = ask_all(step.verify, venue, step.name)
    return Done(answer.outcome, answer.words)


def stops(step: Step, answer: Done | None) -> bool:
    """Whether the run may not go on. A gate that was switched off (``gate = false``) is recorded and never stops."""
    return answer is not None and step.gate and answer.outcome is not Outcome.PASS
