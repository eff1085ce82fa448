"""FD205-FD207, FD211: how migrations run: limits of time, two runners at once, what stays when one is killed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.migrations import OF_ROWS, WHICH_RUN, and_more, forth, history, latest, ups
from fulldress.checks.rule import Hit, brief, count, rule, says, several
from fulldress.facts import Migration, Runners, Witness
from fulldress.findings import Finding, Severity, Testimony

#: Step of the runbook that the drafter makes of each migration; an offer to all of them changes their fields.
ALL_MIGRATIONS = "migrate-*"
#: Key of the offered advisory lock; any number will do that nobody else uses.
LOCK = 4200


def limits(**fields: object) -> dict[str, object]:
    """A change of every migrate step that the drafter makes; it merges into them and is no step of its own."""
    return {"kind": "migrate", "name": ALL_MIGRATIONS, **fields}


def _of_release(index: Index, found: list[Migration]) -> list[Migration]:
    """Without those of earlier releases, where the package tells which are this one's."""
    if not any(m.current for m in forth(index)):
        return found
    return [m for m in found if m.current is not False]


def _among(index: Index, found: list[Migration]) -> str:
    """``3 of 40 migrations since the first release``, where the package carries its history and does not tell which of
    them run; else empty."""
    if not history(index) or all(m.current for m in found):
        return ""
    every = forth(index)
    possible = _of_release(index, every)
    since = "since the first release" if len(possible) == len(every) else "that may be of this release"
    return f"{len(found):,} of {count(len(possible), 'migration')} {since}"


def _evidence(found: list[Migration], words: str, among: str) -> tuple[Testimony, ...]:
    """Each with the same words; of a history the last three. ``{}`` in them is the number of statements."""
    newest = latest(found)
    shown = newest[:3] if among else found
    return (*(says(m, words.format(m.statements)) for m in shown), *(and_more(newest) if among else ()))


@rule("FD205", Severity.MINOR, "A heavy migration sets no lock_timeout")
def no_lock_timeout(index: Index) -> Iterator[Hit]:
    found = [m for m in _of_release(index, ups(index)) if m.heavy and m.sets_lock_timeout is False]
    if not found:
        return
    among = _among(index, found)
    does = "lock a table and set" if len(found) > 1 else "locks a table and sets"
    who = (
        f"{among} {does} no lock_timeout, the last in order is {found[-1].name}"
        if among
        else several([m.name for m in found])
    )
    yield Hit(
        title=f"{who}: one long query in front of it and everybody queues behind it",
        subject="lock_timeout",
        remedy="In runbook.toml give the migrate steps a limit (the offered change): lock_timeout = 5.0\n"
        "or ask the vendor for SET lock_timeout = '5s' and a retry.",
        testimony=_evidence(found, "no lock_timeout before a heavy statement", among),
        offers=limits(lock_timeout=5.0),
    )


def _two_runners(finding: Finding, index: Index) -> bool | None:
    seen = index.of(Runners, Witness.OBSERVED)
    if not seen:
        return None
    known = [r for r in seen if r.outcome != "unknown"]
    return any(r.outcome != "serialised" for r in known) if known else None


@rule("FD206", Severity.MINOR, "No migration takes a lock against a second runner", _two_runners)
def no_migration_lock(index: Index) -> Iterator[Hit]:
    if index.of(Runners, Witness.OBSERVED):
        return  # FD207 knows
    running = [m for m in _of_release(index, ups(index)) if not m.empty]
    found = [m for m in running if m.takes_lock is False]
    if not found or len(found) < len(running):
        return
    among = _among(index, found)
    yield Hit(
        title=f"nothing keeps two runners apart: {among or count(len(found), 'migration')}, no lock among them",
        subject="migration lock",
        remedy="In runbook.toml give the migrate steps a lock (the offered change): advisory_lock = 4200",
        testimony=_evidence(found, "takes no advisory lock and locks no version table", among),
        offers=limits(advisory_lock=LOCK),
    )


@rule("FD207", Severity.MAJOR, "Started twice at once, the migrations got into each other's way")
def two_at_once(index: Index) -> Iterator[Hit]:
    by_migration: dict[str, list[Runners]] = defaultdict(list)
    for runners in index.of(Runners, Witness.OBSERVED):
        if runners.outcome in ("both ran", "one failed"):
            by_migration[runners.migration].append(runners)
    for migration, group in by_migration.items():
        doubled = next((r for r in group if any(kind in r.detail for kind in OF_ROWS)), None)
        shown = doubled or group[0]
        did = "both runners carried it out" if shown.outcome == "both ran" else "one runner fails half-way"
        why = shown.detail.removeprefix("no migration lock; ").removeprefix("no migration lock")
        yield Hit(
            title=f"started twice at once, {did}: {brief(why, 120) or 'nothing keeps them apart'}",
            subject=migration,
            remedy="Start it from one place only; and in runbook.toml give the migrate steps a lock (the offered change):\n"
            f"advisory_lock = {LOCK}\nlock_timeout = 5.0",
            testimony=tuple(says(r, f"{r.outcome}: {r.detail}".rstrip(": ")) for r in group),
            severity=Severity.BLOCKER if doubled else None,
            offers=limits(advisory_lock=LOCK, lock_timeout=5.0),
        )


@rule("FD211", Severity.MINOR, "A migration that stops half-way stays half-way")
def half_way(index: Index) -> Iterator[Hit]:
    found = [m for m in _of_release(index, ups(index)) if m.transaction is False and m.statements > 1]
    if not found:
        return
    among = _among(index, found)
    stays = "stays" if len(found) == 1 else "stay"
    what = f"{among} {stays}" if among else count(len(found), "migration stays", "migrations stay")
    around = (
        f"each, the last in order is {found[-1].name}"  # names stand for several scripts where there is one a database
        if among
        else several([m.name for m in found])
    )
    remedy = "Ask the vendor to wrap each in BEGIN … COMMIT, or note the repair for each statement in the runbook."
    yield Hit(
        title=f"killed half-way, {what} half-way: no transaction around {around}",
        subject="transaction",
        remedy=f"{remedy}\n{WHICH_RUN}" if among else remedy,
        testimony=_evidence(found, "{} statements, no transaction", among),
    )
