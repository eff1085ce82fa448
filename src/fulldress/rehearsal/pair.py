"""The migrations started twice at once: does the second wait, fail, or do everything again?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from fulldress.database.postgres import runners
from fulldress.database.postgres.clone import Clone
from fulldress.engine.acts.migrate import script
from fulldress.facts import Runners
from fulldress.patterns import regex
from fulldress.runbook.steps import Migrate, Runbook

#: What a script makes beside the databases of a server: a second copy on the same server would find it already there.
BESIDE = regex(r"\bCREATE\s+(?:ROLE|USER|GROUP|TABLESPACE|DATABASE)\b", re.IGNORECASE)


def two_runners(
    runbook: Runbook, entries: Callable[[str], bytes], base: Callable[[str], Clone], apart: Callable[[str], Clone]
) -> list[Runners]:
    """One verdict per database, over all its migrate steps in order: that is what two replicas that start would run.

    ``base`` gives the untouched clone of a database, ``apart`` one on another server."""
    found = []
    steps = [step for step in runbook.step if isinstance(step, Migrate)]
    for database in dict.fromkeys(step.database for step in steps):
        scripts = [pair for step in steps if step.database == database for pair in _scripts(step, entries)]
        sources = [base(database)]
        if any(BESIDE.search(text) for _, text in scripts):
            sources.append(apart(database))
        taken: Iterator[Clone] = iter([sources[0], sources[-1]])
        found.append(runners.twice(lambda name, taken=taken: next(taken).copy(name), scripts))  # type: ignore[misc]
    return found


def _scripts(step: Migrate, entries: Callable[[str], bytes]) -> Iterator[tuple[str, str]]:
    for index, sha256 in enumerate(step.ups):
        name = step.paths[index] if index < len(step.paths) else sha256[:12]
        yield name, script(step, entries(sha256))
