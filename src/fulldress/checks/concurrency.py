"""FD245-FD249: a migration among others: killed half-way, behind a long reader or writer, reaching beyond its database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.migrationruns import limits
from fulldress.checks.rule import Hit, brief, count, rule, says, several
from fulldress.facts import Interruption, Obstruction, Overreach, Witness
from fulldress.findings import Severity

_MOST = 5  #: places of one migration that are named


def _by_migration(index: Index, outcome: str) -> dict[str, list[Interruption]]:
    found: dict[str, list[Interruption]] = defaultdict(list)
    for cut in index.of(Interruption, Witness.OBSERVED):
        if cut.outcome == outcome:
            found[cut.migration].append(cut)
    return found


def _tried(index: Index, migration: str) -> int:
    return sum(cut.migration == migration for cut in index.of(Interruption, Witness.OBSERVED))


def _place(cut: Interruption) -> str:
    at = {"within": "after", "during": "in the middle of", "commit": "right before"}.get(cut.moment, "before")
    return f"{at} {brief(cut.statement, 60)}"


@rule("FD245", Severity.MAJOR, "Killed half-way, a migration cannot be run again")
def broken(index: Index) -> Iterator[Hit]:
    for migration, cuts in _by_migration(index, "broken").items():
        first = cuts[0]
        silent = [cut for cut in cuts if "ends elsewhere" in cut.detail]
        title = f"killed at {len(cuts)} of {count(_tried(index, migration), 'place')}, {migration} is broken: "
        title += f"{_place(first)}: {brief(first.detail, 100)}"
        yield Hit(
            title=title,
            subject=migration,
            remedy="Take a snapshot right before this step and restore it when the step is cut off; or ask the vendor for one\n"
            "transaction around it, or for statements that look first (IF NOT EXISTS). An index that was being built\n"
            "CONCURRENTLY stays INVALID: DROP INDEX CONCURRENTLY it before the next try.",
            testimony=tuple(says(cut, f"{_place(cut)}: {cut.detail}; what stayed: {cut.left}") for cut in cuts[:_MOST]),
            # nobody is told that the second run did something else
            severity=Severity.BLOCKER if silent else None,
        )


@rule("FD246", Severity.NOTE, "Killed half-way, a migration has to be started again")
def resumable(index: Index) -> Iterator[Hit]:
    bad = _by_migration(index, "broken")
    for migration, cuts in _by_migration(index, "resumable").items():
        if migration in bad:
            continue
        yield Hit(
            title=f"killed at {len(cuts)} of {count(_tried(index, migration), 'place')}, {migration} leaves a part behind; "
            "started again it comes to the same end",
            subject=migration,
            remedy="When it was cut off, start it again before anything else uses the database.",
            testimony=tuple(says(cut, f"{_place(cut)}: {cut.left}") for cut in cuts[:_MOST]),
        )


@rule("FD247", Severity.MAJOR, "Behind one long transaction, everybody queues behind the migration")
def queue(index: Index) -> Iterator[Hit]:
    for migration, group in _obstructions(index).items():
        stuck = [one for one in group if one.victims and one.outcome == "waited"]
        if not stuck:
            continue
        worst = max(stuck, key=lambda one: one.worst)
        kinds = " or ".join(dict.fromkeys(one.kind for one in stuck))
        yield Hit(
            title=f"behind one long {kinds}, {migration} waits without a limit, and "
            f"{several(list(worst.victims), 3)} stand still behind it",
            subject=migration,
            remedy="In runbook.toml give the migrate steps a limit (the offered change): lock_timeout = 5.0, and try again later;\n"
            "before the window look for long transactions: pg_stat_activity, xact_start.",
            testimony=tuple(
                says(
                    one,
                    f"a {one.kind} stayed {one.held.total_seconds():.1f} s; {several(list(one.victims), 4)} stood still for up to"
                    f" {one.worst.total_seconds():.1f} s",
                )
                for one in stuck
            ),
            offers=limits(lock_timeout=5.0),
        )


@rule("FD248", Severity.MAJOR, "A migration that gives up waiting stays half-way")
def gave_up_half_way(index: Index) -> Iterator[Hit]:
    for migration, group in _obstructions(index).items():
        half = [one for one in group if one.state == "half-way"]
        if not half:
            continue
        yield Hit(
            title=f"behind a long {half[0].kind}, {migration} "
            + ("gives up by its own time limit" if half[0].outcome == "timed out" else "fails")
            + f" and stays half-way: {brief(half[0].detail, 120)}",
            subject=migration,
            remedy="A limit of time is right; what it ends has to be one transaction, or fit to be started again.\n"
            "Rehearse with --interrupt, and note in the runbook what to do when this step fails.",
            testimony=tuple(
                says(one, f"behind a {one.kind}: {one.outcome}, {one.state}: {one.detail}") for one in half
            ),
        )


#: What it reached for: the words, and how bad it is when the rehearsal's server refused it, and when it was done.
_BEYOND = {
    "program": ("runs programs on the database's machine", Severity.BLOCKER, Severity.MAJOR),
    "file": ("writes files on the database's machine", Severity.BLOCKER, Severity.MAJOR),
    "server": ("reaches for other servers", Severity.BLOCKER, Severity.MAJOR),
    "session": ("ends other sessions", Severity.MAJOR, Severity.MAJOR),
    "role": ("makes or changes roles, which no copy of the database takes back", Severity.MINOR, Severity.MINOR),
    "database": ("makes, changes or drops databases", Severity.MAJOR, Severity.MAJOR),
}


@rule("FD249", Severity.MAJOR, "A migration reaches beyond its database")
def beyond(index: Index) -> Iterator[Hit]:
    found: dict[tuple[str, str], list[Overreach]] = defaultdict(list)
    for one in index.of(Overreach, Witness.OBSERVED):
        if one.kind in _BEYOND:
            found[one.migration, one.kind].append(one)
    for (migration, kind), group in found.items():
        words, refused, done = _BEYOND[kind]
        was_refused = any(one.outcome == "refused" for one in group)
        rest = "; the rehearsal's server may not, so it was not rehearsed" if was_refused else ""
        yield Hit(
            title=f"{migration} {words}{rest}: {brief(group[0].statement)}",
            subject=f"{migration} {kind}",
            remedy="Read the statement, and ask the vendor what it is for. Nothing of fulldress takes it back: write into the\n"
            "runbook how it is undone, and who looks.",
            testimony=tuple(says(one, f"{one.outcome}: {one.statement}") for one in group[:_MOST]),
            severity=refused if was_refused else done,
        )


def _obstructions(index: Index) -> dict[str, list[Obstruction]]:
    found: dict[str, list[Obstruction]] = defaultdict(list)
    for one in index.of(Obstruction, Witness.OBSERVED):
        found[one.migration].append(one)
    return found
