"""There and back on MariaDB, MySQL and SQLite: the release as a whole, then every step by itself.

The steps are those of PostgreSQL's proof (:mod:`fulldress.database.postgres.steps`); what differs is how rows are compared.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING

from fulldress.database.postgres.steps import Command, in_words
from fulldress.facts import RESTORED, Difference, Evidence, Undo, Witness
from fulldress.findings import Outcome

if TYPE_CHECKING:
    from fulldress.database import mysql, sqlite
    from fulldress.database.postgres.steps import Script, Step
    from fulldress.engine.venue import StatementRun

    Copy = mysql.Clone | sqlite.Clone


class Engine:
    """How one engine runs programs and compares two copies."""

    def __init__(self, programs: ModuleType, proof: ModuleType) -> None:
        self._programs = programs
        self._proof = proof

    def run(self, clone: Copy, script: Script | Command, step: str) -> StatementRun:
        if isinstance(script, Command):
            ran: StatementRun = self._programs.run(clone, script.words, step=step, limit=script.limit).run
            return ran
        return clone.execute(script.text, name=script.name, step=step, siblings=script.siblings)

    def compare(self, before: Copy, after: Copy) -> list[Difference]:
        found: list[Difference] = self._proof.compare(before, after)
        return found

    def rows(self, clone: Copy) -> int:
        return sum(table.count for table in self._proof.fingerprint(clone).tables.values())


def release(engine: Engine, clone: Copy, steps: Sequence[Step]) -> tuple[Undo, list[Difference]]:
    """All ways there, then all ways back, last first, on ``clone`` itself."""
    before = clone.copy("before")
    name = f"{len(steps)} migrations" if len(steps) != 1 else steps[0].name
    rows = engine.rows(before)
    try:
        for step in steps:
            run = engine.run(clone, step.up, "up")
            if run.outcome is not Outcome.PASS:
                return _undo(name, "release", "unknown", f"the way there fails: {run.error}", rows), []
        begun = time.monotonic()
        backs = [step for step in reversed(steps) if step.down is not None]
        for step in backs:
            assert step.down is not None  # noqa: S101
            run = engine.run(clone, step.down, "down")
            if run.outcome is not Outcome.PASS:
                return _undo(name, "release", "fails", run.error, rows, step.down.path), engine.compare(before, clone)
        took = timedelta(seconds=time.monotonic() - begun)
        found = engine.compare(before, clone)
        lacking = [step.name for step in steps if step.down is None]
        words = f"no way back for {', '.join(lacking[:5])}" if lacking else ""
        return _judged(name, "release", found, rows, took, words, nothing=not backs), found
    finally:
        before.drop()


def each(engine: Engine, clone: Copy, steps: Sequence[Step]) -> Iterator[Undo]:
    """Every step by itself, on the state that the steps before it leave. Ends where a way there fails."""
    for step in steps:
        before = clone.copy("before")
        try:
            rows = engine.rows(before)
            run = engine.run(clone, step.up, "up")
            if run.outcome is not Outcome.PASS:
                yield _undo(step.name, "step", "unknown", f"the way there fails: {run.error}", rows)
                return
            if step.down is None:
                yield _undo(step.name, "step", "no way back", "", rows)
                continue
            after = clone.copy("after")
            try:
                begun = time.monotonic()
                run = engine.run(after, step.down, "down")
                took = timedelta(seconds=time.monotonic() - begun)
                if run.outcome is not Outcome.PASS:
                    yield _undo(step.name, "step", "fails", run.error, rows, step.down.path)
                else:
                    found = engine.compare(before, after)
                    yield _judged(step.name, "step", found, rows, took, "", step.down.path, nothing=step.down.empty)
            finally:
                after.drop()
        finally:
            before.drop()


def _judged(
    name: str,
    granularity: str,
    found: Sequence[Difference],
    rows: int,
    took: timedelta,
    detail: str,
    path: str = "",
    *,
    nothing: bool = False,
) -> Undo:
    worse = tuple(in_words(one) for one in found if one.kind not in RESTORED)
    notes = tuple(in_words(one) for one in found if one.kind == "note")
    outcome = "restored" if not worse else "nothing undone" if nothing else "not restored"
    if nothing and granularity == "release" and worse:
        outcome = "no way back"
    return _undo(name, granularity, outcome, detail, rows, path, worse, notes, took)


def _undo(
    name: str,
    granularity: str,
    outcome: str,
    detail: str,
    rows: int,
    path: str = "",
    worse: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    took: timedelta | None = None,
) -> Undo:
    return Undo(
        witness=Witness.OBSERVED,
        evidence=Evidence(path=path, step=name),
        name=name,
        granularity=granularity,
        outcome=outcome,
        path=path,
        detail=detail,
        differences=worse,
        notes=notes,
        rows=rows,
        duration=took,
    )
