"""Engine events become timings and gates; while a step runs, what the databases see belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import PurePosixPath

from fulldress.database.postgres.clone import Clone
from fulldress.engine.acts.commands import ENTRIES
from fulldress.engine.events import Event
from fulldress.facts import AnyFact, Evidence, FileEffect, Gate, Timing, Witness
from fulldress.findings import Outcome

#: How an outcome reads in a timing.
WORDS = {Outcome.PASS: "ok", Outcome.FAIL: "failed", Outcome.UNKNOWN: "unknown"}


def theirs(facts: Iterable[AnyFact]) -> list[AnyFact]:
    """Without the engine's own folder at the venue: what it puts there is not the vendor's doing."""
    own = PurePosixPath(ENTRIES).parent
    return [f for f in facts if not (isinstance(f, FileEffect) and PurePosixPath(f.path).is_relative_to(own))]


class Recorder:
    """Give it to :class:`fulldress.engine.engine.Engine` as ``on_event``."""

    def __init__(
        self, run: int, source: str, clones: Iterable[Clone], tell: Callable[[str], None] = lambda words: None
    ) -> None:
        self.run = run
        self.source = source
        self.act = "upgrade"
        self.timings: list[Timing] = []
        self.gates: list[Gate] = []
        self._clones = list(clones)
        self._tell = tell
        self._started: dict[str, datetime] = {}

    def __call__(self, event: Event) -> None:
        if event.kind in ("step-started", "undo-started"):
            self._started[event.step] = event.at
            self._mark(event.step if event.kind == "step-started" else f"rollback of {event.step}")
            self._tell(f"{self.act}: {event.step}")
        elif event.kind in ("step-ended", "undo-ended"):
            self._mark("")
            self.timings.append(
                self.timing(
                    self._started.pop(event.step, event.at),
                    event.at,
                    step=event.step,
                    outcome=WORDS[event.outcome or Outcome.UNKNOWN],
                    words=event.detail,
                )
            )
        elif event.kind == "gate" and event.outcome is not None:
            self.gates.append(Gate(name=event.step, at=event.at, outcome=event.outcome.value, detail=event.detail))

    def timing(
        self, start: datetime, end: datetime, *, act: str = "", step: str = "", outcome: str = "ok", words: str = ""
    ) -> Timing:
        """A timing of this run, of the act that is on unless another is named."""
        return Timing(
            witness=Witness.OBSERVED,
            evidence=Evidence(source=self.source, step=step, at=start),
            act=act or self.act,
            run=self.run,
            started=start,
            duration=end - start,
            step=step,
            outcome=outcome,
            words=words,
        )

    def _mark(self, step: str) -> None:
        for clone in self._clones:
            clone.mark(step)
