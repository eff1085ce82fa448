"""Where this machine can have no stage: the migrations alone, on clones, there and back. The rest is said to be missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fulldress.database.postgres import proof
from fulldress.database.postgres.clone import Clone
from fulldress.engine.acts.migrate import script
from fulldress.facts import AnyFact, Difference, Evidence, Reason, Timing, Unread, Witness
from fulldress.findings import Outcome
from fulldress.production.load import Production
from fulldress.rehearsal import ahead, words
from fulldress.rehearsal.recorder import WORDS
from fulldress.rehearsal.world import Bases, drop_new_roles
from fulldress.runbook.steps import Migrate, Runbook, Snapshot

_KEPT = "before"


def left_out(runbook: Runbook) -> Unread | None:
    """The steps that only a stage can rehearse; a verdict needs them."""
    others = [step.name for step in runbook.step if not isinstance(step, Migrate | Snapshot)]
    if not others:
        return None
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(source="run:all"),
        what=f"{len(others)} steps of the runbook",
        reason=Reason.CANNOT,
        detail=f"without a stage only migrations are rehearsed, not {', '.join(others)}",
        needed=True,
    )


def migrations_only(
    number: int,
    runbook: Runbook,
    entries: Callable[[str], bytes],
    bases: Bases,
    production: Production,
    tell: Callable[[str], None],
) -> list[AnyFact]:
    """Run the migrate steps on fresh clones, take them back, and compare every row."""
    source = f"run:{number}"
    clones = {name: base.copy(bases.names[name]) for name, base in bases.clones.items()}
    try:
        for clone in clones.values():
            clone.start_watch()
        start = datetime.now(UTC)
        tell("upgrade, migrations alone")
        outcome, steps = _up(number, runbook, entries, clones, source)
        end = datetime.now(UTC)
        for clone in clones.values():
            clone.stop_watch()
        told = {name: clone.facts(start) for name, clone in clones.items()}
        seen = [fact for facts in told.values() for fact in facts]
        room = [fact for name in clones for fact in ahead.room(name, clones[name], told[name], bases, production)]
        facts: list[AnyFact] = [
            _timing(number, source, "upgrade", start, end, outcome, words.locked(seen)), *steps, *seen, *room,
        ]  # fmt: skip
        tell("rollback, migrations alone")
        start = datetime.now(UTC)
        outcome = _down(runbook, entries, clones)
        end = datetime.now(UTC)
        differences: list[Difference] = []
        for name, clone in clones.items():
            differences += proof.compare(bases.clones[name], clone)
        text = words.way_back(differences, sum(d.kind == "none" for d in differences))
        return [*facts, _timing(number, source, "rollback", start, end, outcome, text), *differences]
    finally:
        for name, clone in clones.items():
            clone.drop()
            drop_new_roles(bases.clones[name], bases.roles[name])


def _up(
    number: int, runbook: Runbook, entries: Callable[[str], bytes], clones: dict[str, Clone], source: str
) -> tuple[Outcome, list[Timing]]:
    timings: list[Timing] = []
    for step in runbook.step:
        start, outcome, text = datetime.now(UTC), Outcome.PASS, ""
        if isinstance(step, Snapshot):
            for name in step.databases:
                clones[name].snapshot(_KEPT)
        elif isinstance(step, Migrate):
            for index, sha256 in enumerate(step.ups):
                name = step.paths[index] if index < len(step.paths) else sha256[:12]
                run = clones[step.database].execute(script(step, entries(sha256)), name=name, step=step.name)
                outcome, text = run.outcome, run.error
                if outcome is not Outcome.PASS:
                    break
        else:
            continue
        timings.append(_timing(number, source, "upgrade", start, datetime.now(UTC), outcome, text, step.name))
        if outcome is not Outcome.PASS:
            return outcome, timings
    return Outcome.PASS, timings


def _down(runbook: Runbook, entries: Callable[[str], bytes], clones: dict[str, Clone]) -> Outcome:
    """The downs, last step first; a snapshot before them puts everything back. Unknown where nothing takes a step back."""
    worst = Outcome.PASS
    for step in reversed(runbook.step):
        if isinstance(step, Snapshot):
            for name in step.databases:
                clones[name].restore(_KEPT)
            worst = Outcome.PASS if step.databases else worst
        elif isinstance(step, Migrate):
            if not step.downs and worst is Outcome.PASS:
                worst = Outcome.UNKNOWN
            for index, sha256 in enumerate(step.downs):
                name = step.down_paths[index] if index < len(step.down_paths) else sha256[:12]
                run = clones[step.database].execute(
                    script(step, entries(sha256)), name=name, step=f"rollback of {step.name}"
                )
                if run.outcome is not Outcome.PASS:
                    worst = run.outcome
    return worst


def _timing(
    number: int, source: str, act: str, start: datetime, end: datetime, outcome: Outcome, text: str, step: str = ""
) -> Timing:
    return Timing(
        witness=Witness.OBSERVED,
        evidence=Evidence(source=source, step=step, at=start),
        act=act,
        run=number,
        started=start,
        duration=end - start,
        step=step,
        outcome=WORDS[outcome],
        words=text,
    )
