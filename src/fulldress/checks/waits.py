"""FD221, FD222: waits of the rehearsal that did not end well: deadlocks, and those who gave up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, brief, count, rule, says, several
from fulldress.facts import Wait, Witness
from fulldress.findings import Severity


def _ended(index: Index, *outcomes: str) -> dict[tuple[str, str], list[Wait]]:
    """By migration and by whether it is the migration itself that lost."""
    found: dict[tuple[str, str], list[Wait]] = defaultdict(list)
    for wait in index.of(Wait, Witness.OBSERVED):
        if wait.outcome in outcomes:
            own = wait.victim.startswith(f"{wait.migration}: ")
            found[wait.migration, "itself" if own else "others"].append(wait)
    return found


def _told(wait: Wait) -> str:
    behind = f", behind {several(list(wait.chain), 2)}" if wait.chain else ""
    return f"{brief(wait.victim)} wanted {wait.mode} on {wait.object}{behind}; {brief(wait.blocker)} was in front ({wait.outcome})"


@rule("FD221", Severity.MAJOR, "The upgrade and its users lock each other out: a deadlock")
def deadlock(index: Index) -> Iterator[Hit]:
    for (migration, who), waits in _ended(index, "deadlock").items():
        number = sum(wait.count for wait in waits)
        objects = several(sorted({wait.object for wait in waits}), 3)
        if who == "itself":
            title = f"{migration} ends in a deadlock with its users on {objects}: the server broke it off"
        else:
            victims = several(sorted({wait.victim for wait in waits}), 2)
            title = f"{migration} and its users ended in a deadlock on {objects}: {count(number, 'request')} failed ({victims})"
        yield Hit(
            title=title,
            subject=migration,
            remedy="Stop the callers for this step, or have the vendor take its locks in the order in which the product does "
            "(LOCK TABLE … at the beginning of the transaction), one table per transaction.",
            testimony=tuple(says(wait, _told(wait)) for wait in waits),
            severity=Severity.BLOCKER if who == "itself" else None,
        )


@rule("FD222", Severity.MAJOR, "Somebody gave up waiting for a lock")
def gave_up(index: Index) -> Iterator[Hit]:
    for (migration, who), waits in _ended(index, "timed out", "cancelled").items():
        number = sum(wait.count for wait in waits)
        objects = several(sorted({wait.object for wait in waits}), 3)
        if who == "itself":
            title = f"{migration} gave up waiting for {objects}: its own time limit ended it"
            remedy = "Have it tried again until it gets the lock, end long transactions before it, or stop the callers for this step."
        else:
            title = f"{count(number, 'request')} gave up waiting for {migration} on {objects}"
            remedy = "Stop the callers for this step, or set lock_timeout on it so that it gives up first and is tried again."
        yield Hit(
            title=title,
            subject=migration,
            remedy=remedy,
            testimony=tuple(says(wait, _told(wait)) for wait in waits),
            severity=Severity.BLOCKER if who == "itself" else None,
        )
