"""The migrations started twice at once: does the second wait, fail, or do everything again?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fulldress.database.postgres import runners
from fulldress.database.postgres.clone import Clone
from fulldress.engine.acts.migrate import script
from fulldress.facts import Runners
from fulldress.runbook.steps import Migrate, Runbook


def two_runners(runbook: Runbook, entries: Callable[[str], bytes], base: Callable[[str], Clone]) -> list[Runners]:
    """One verdict per database, over all its migrate steps in order: that is what two replicas that start would run.

    ``base`` gives the untouched clone of a database."""
    steps = [step for step in runbook.step if isinstance(step, Migrate)]
    return [
        runners.twice(
            base(database).copy,
            [pair for step in steps if step.database == database for pair in scripts_of(step, entries)],
        )
        for database in dict.fromkeys(step.database for step in steps)
    ]


def scripts_of(step: Migrate, entries: Callable[[str], bytes]) -> Iterator[tuple[str, str]]:
    """Name and text of each file of a migrate step, as it will run."""
    for index, sha256 in enumerate(step.ups):
        name = step.paths[index] if index < len(step.paths) else sha256[:12]
        yield name, script(step, entries(sha256))
