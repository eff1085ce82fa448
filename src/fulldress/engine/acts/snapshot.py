"""Keep paths and databases, and put all of them back: additions go, too."""

from __future__ import annotations

import re
from typing import Any

from fulldress.engine.acts.act import Act, Context, Done
from fulldress.engine.keeping import Kept, differs, from_plain, keep, restore
from fulldress.findings import Outcome
from fulldress.runbook.steps import Snapshot


class KeepSnapshot(Act[Snapshot]):
    """Repeatable until it is noted as kept; after that, what was kept stands."""

    repeatable = True

    def do(self, step: Snapshot, at: Context) -> Done:
        if at.position.kept:
            return Done(Outcome.PASS, "kept before")
        name = _name(step)
        for database in step.databases:
            copies = at.venue.database(database)
            if f"keeping {database}" in at.position.parts:
                copies.forget(name)  # a copy that was cut off is no copy
            at.part(f"keeping {database}")
            copies.snapshot(name)
        files = [keep(path, at.venue, at.journal).plain() for path in _all(step, at)]
        at.keep(files=files, databases=list(step.databases))
        return Done(Outcome.PASS, f"{len(files)} paths, {len(step.databases)} databases kept")

    def undo(self, step: Snapshot, at: Context) -> Done:
        if not at.position.kept:
            return Done(Outcome.PASS, "nothing was kept and nothing is taken back")
        kept = [from_plain(plain) for plain in _files(at.position.kept)]
        wrong: list[str] = []
        for path in sorted(set(_all(step, at)) - {k.path for k in kept}, key=len, reverse=True):
            at.venue.remove(path)  # deepest first: what the upgrade added
        for file in sorted(kept, key=lambda k: len(k.path)):
            if file.metadata is None or differs(file, at.venue):
                wrong += self._put(file, at)
        for database in step.databases:
            at.venue.database(database).restore(_name(step))
        wrong += [w for w in (differs(file, at.venue) for file in kept) if w]
        wrong += [f"{path}: still there" for path in set(_all(step, at)) - {k.path for k in kept}]
        if wrong:
            return Done(Outcome.FAIL, "; ".join(dict.fromkeys(wrong)))
        return Done(Outcome.PASS, f"{len(kept)} paths as before, {len(step.databases)} databases restored")

    def _put(self, file: Kept, at: Context) -> list[str]:
        """One path back; where a file stands in the way of a folder or the other way round, it goes first."""
        now = at.venue.stat(file.path)
        if now is not None and file.metadata is not None and now.type != file.metadata.type:
            at.venue.remove(file.path)
        wrong = restore(file, at.venue, at.journal)
        return [wrong] if wrong else []


def _all(step: Snapshot, at: Context) -> list[str]:
    """Every path below those of the step; one that does not exist is kept as "nothing there"."""
    found: dict[str, None] = {}
    for path in step.paths:
        found |= dict.fromkeys(at.venue.walk(path) or ([path] if not at.position.kept else []))
    return list(found)


def _files(kept: dict[str, Any]) -> list[dict[str, Any]]:
    return list(kept["files"])


def _name(step: Snapshot) -> str:
    """A name that a database can have."""
    return re.sub(r"[^a-z0-9]+", "_", step.name.lower()).strip("_")[:40]
