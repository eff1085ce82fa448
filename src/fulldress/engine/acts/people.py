"""Steps that ask, wait or tell: they change nothing on a host."""

from __future__ import annotations

from typing import Any

import msgspec

from fulldress.engine.acts.act import Act, Context, Done, Harmless
from fulldress.engine.probes import ask_all
from fulldress.errors import FulldressError
from fulldress.facts import excerpt
from fulldress.findings import Outcome
from fulldress.runbook.steps import Notice, Person, ProbeStep, Wait


class AskProbes(Harmless[ProbeStep]):
    """Its gate asks; the act has nothing to add."""

    def do(self, step: ProbeStep, at: Context) -> Done:
        return Done(Outcome.PASS)


class WaitFor(Harmless[Wait]):
    def do(self, step: Wait, at: Context) -> Done:
        if not step.verify:
            return Done(Outcome.UNKNOWN, "it waits for nothing: it has no probe")
        patient = [msgspec.structs.replace(probe, within=max(probe.within, step.seconds)) for probe in step.verify]
        answer = ask_all(patient, at.venue, step.name)
        return Done(answer.outcome, answer.words)


class SendNotice(Harmless[Notice]):
    """A text that is sent twice does less harm than one that is not sent, so a cut-off sends it again."""

    def do(self, step: Notice, at: Context) -> Done:
        try:
            at.venue.notify(step.channel, step.text, step=step.name)
        except (FulldressError, OSError) as error:
            # an upgrade is not taken back for want of a message; the journal and the screen say that none was sent
            return Done(Outcome.PASS, f"NOT delivered to {step.channel}: {excerpt(str(error))}")
        return Done(Outcome.PASS, f"to {step.channel}")


class AskPerson(Act[Person]):
    """A question that was cut off is put again."""

    repeatable = True

    def do(self, step: Person, at: Context) -> Done:
        return self._confirmed(at.venue.confirm(step.instruction, step=step.name))

    def undo(self, step: Person, at: Context) -> Done:
        if not step.undo_instruction:
            return Done(Outcome.PASS, "nothing to take back")
        return self._confirmed(at.venue.confirm(step.undo_instruction, step=step.name))

    @staticmethod
    def _confirmed(answer: Any) -> Done:
        outcome = Outcome(answer)
        words = {Outcome.PASS: "confirmed", Outcome.FAIL: "refused", Outcome.UNKNOWN: "nobody answered"}
        return Done(outcome, words[outcome])
