"""The way back, in a world of its own and without traffic, so that every difference is the rollback's fault.

What users write between the upgrade and the rollback is not in this proof: see :mod:`fulldress.rehearsal.window`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from fulldress.database.postgres import proof
from fulldress.engine import Engine
from fulldress.engine.journal import Journal
from fulldress.facts import AnyFact, Difference
from fulldress.findings import Outcome
from fulldress.rehearsal import words
from fulldress.rehearsal.leftovers import Registered, left, registered
from fulldress.rehearsal.recorder import WORDS, Recorder, theirs
from fulldress.rehearsal.world import World
from fulldress.runbook.steps import Runbook


class Back:
    """Upgrade and take it back; then compare rows, bytes and what was registered with what was there before."""

    def __init__(
        self,
        number: int,
        world: World,
        runbook: Runbook,
        entries: Callable[[str], bytes],
        folder: Path,
        tell: Callable[[str], None],
    ) -> None:
        self.number = number
        self.world = world
        self.runbook = runbook
        self.entries = entries
        self.folder = folder
        self.tell = tell
        self.source = f"run:{number}"
        self.facts: list[AnyFact] = []
        self.recorder = Recorder(number, self.source, world.clones.values(), tell)

    def play(self) -> None:
        world, stage = self.world, self.world.stage
        world.await_services("before")
        files = stage.snapshot()
        before = self._registered()
        engine = Engine(
            self.runbook,
            stage,
            Journal(self.folder / "back"),
            entries=self.entries,
            on_event=self.recorder,
            roll_back=False,
        )
        self.recorder.act = "upgrade again"
        engine.run()
        self.recorder.act = "rollback"
        self.recorder.timings.clear()
        start = datetime.now(UTC)
        outcome = engine.rollback()
        end = datetime.now(UTC)
        health = world.await_services("rollback")
        steps = list(self.recorder.timings)
        self.tell("comparing rows and bytes with what was there before")
        differences = self._rows()
        effects = theirs(stage.undo_check(files))
        after = self._registered()
        text = words.way_back([*differences, *effects], sum(d.kind == "none" for d in differences))
        if outcome.outcome is not Outcome.PASS:
            text = f"{outcome.why}; {text}"
        act = self.recorder.timing(start, end, act="rollback", outcome=WORDS[outcome.outcome], words=text)
        self.facts += [act, *steps, *health, *differences, *effects, *before.unread]
        self.facts += left(before, after, self.source, end)

    def _registered(self) -> Registered:
        cleanup = self.world.description.cleanup
        return registered(self.world.stage, cleanup.flags, cleanup.webhooks, tuple(self.world.clones), self.source)

    def _rows(self) -> list[Difference]:
        found: list[Difference] = []
        for name, clone in self.world.clones.items():
            for difference in proof.compare(self.world.bases.clones[name], clone):
                place = msgspec.structs.replace(
                    difference.evidence, source=self.source, step="rollback", at=datetime.now(UTC)
                )
                found.append(msgspec.structs.replace(difference, evidence=place))
        return found
