"""The migrations among others: behind a long reader and a long writer, and killed half-way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.crowd import crowd
from fulldress.database.postgres.interruption import MOST, interrupt
from fulldress.database.postgres.jobs import Files
from fulldress.facts import AnyFact
from fulldress.rehearsal.pair import scripts_of
from fulldress.runbook.steps import Migrate, Runbook


def among_others(
    runbook: Runbook, entries: Callable[[str], bytes], base: Callable[[str], Clone], budget: timedelta, seed: int
) -> list[AnyFact]:
    """Per database, over all its migrate steps in order. ``base`` gives its untouched clone; ``budget`` is for the cuts."""
    found: list[AnyFact] = []
    steps = [step for step in runbook.step if isinstance(step, Migrate)]
    for database in dict.fromkeys(step.database for step in steps):
        files = Files([pair for step in steps if step.database == database for pair in scripts_of(step, entries)])
        found += crowd(base(database).copy, files)
        found += interrupt(base(database).copy, files, most=MOST, budget=budget.total_seconds(), seed=seed)
    return found
