"""The migrations started twice at once: does the second wait, fail, or do everything again?"""

from __future__ import annotations

import re
from collections.abc import Callable

from fulldress.database.postgres import runners
from fulldress.database.postgres.clone import Clone
from fulldress.engine.acts.migrate import script
from fulldress.facts import Runners
from fulldress.runbook.steps import Migrate, Runbook

#: What a script makes beside the databases of a server: a second copy on the same server would find it already there.
BESIDE = re.compile(r"\bCREATE\s+(?:ROLE|USER|GROUP|TABLESPACE|DATABASE)\b", re.IGNORECASE)


def two_runners(
    runbook: Runbook, entries: Callable[[str], bytes], base: Callable[[str], Clone], apart: Callable[[str], Clone]
) -> list[Runners]:
    """One verdict per migrate step. ``base`` gives the untouched clone of a database, ``apart`` one on another server."""
    found = []
    for step in runbook.step:
        if not isinstance(step, Migrate):
            continue
        scripts = [(_name(step, i, sha), script(step, entries(sha))) for i, sha in enumerate(step.ups)]
        beside = any(BESIDE.search(text) for _, text in scripts)
        sources = iter((base(step.database), apart(step.database) if beside else base(step.database)))

        def fresh(name: str, sources: object = sources) -> Clone:
            return next(sources).copy(name)  # type: ignore[call-overload,no-any-return]

        found.append(runners.twice(fresh, scripts))
    return found


def _name(step: Migrate, index: int, sha256: str) -> str:
    return step.paths[index] if index < len(step.paths) else sha256[:12]
