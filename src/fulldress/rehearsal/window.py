"""The data-loss window: rows written after the upgrade, and what each way back of the databases leaves of them.

On copies of the untouched clones, without a stage. The rows are made from the new release's schema: five for every table.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from fulldress.database.postgres import survival
from fulldress.database.postgres.steps import Script, Step
from fulldress.engine.acts.migrate import script
from fulldress.facts import AnyFact
from fulldress.rehearsal.world import Bases, drop_new_roles
from fulldress.runbook.steps import Migrate, Runbook


def survivals(
    runbook: Runbook, entries: Callable[[str], bytes], bases: Bases, tell: Callable[[str], None]
) -> list[AnyFact]:
    """One :class:`~fulldress.facts.Survival` per database and way back: down scripts, snapshot, dump, transaction."""
    found: list[AnyFact] = []
    for name, base in bases.clones.items():
        steps = [
            one
            for step in runbook.step
            if isinstance(step, Migrate) and step.database == name
            for one in _steps(step, entries)
        ]
        if not steps:
            continue
        tell(f"rows written to database {name} after the upgrade, by every way back")
        for fact in survival.ways(base, steps):
            place = msgspec.structs.replace(fact.evidence, source="run:1", at=datetime.now(UTC))
            found.append(msgspec.structs.replace(fact, evidence=place))
        drop_new_roles(base, bases.roles[name])
    return found


def _steps(step: Migrate, entries: Callable[[str], bytes]) -> list[Step]:
    """The last way there is the first way back; where their numbers differ, which belongs to which is not known, and all
    of the step are one."""
    ups = [_script(step, sha256, step.paths, index, entries) for index, sha256 in enumerate(step.ups)]
    downs = [_script(step, sha256, step.down_paths, index, entries) for index, sha256 in enumerate(step.downs)]
    if not downs:
        return [Step(name=up.name, up=up) for up in ups]
    if len(ups) == len(downs):
        return [Step(name=up.name, up=up, down=down) for up, down in zip(ups, reversed(downs), strict=True)]
    return [Step(name=step.name, up=_joined(ups), down=_joined(downs))]


def _script(
    step: Migrate, sha256: str, paths: tuple[str, ...] | list[str], index: int, entries: Callable[[str], bytes]
) -> Script:
    path = paths[index] if index < len(paths) else sha256[:12]
    return Script(name=path, path=path, text=script(step, entries(sha256)))


def _joined(scripts: list[Script]) -> Script:
    return Script(name=scripts[0].name, path=scripts[0].path, text="\n".join(one.text for one in scripts))
