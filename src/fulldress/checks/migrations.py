"""FD2xx: the database on its way there and back."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta

import msgspec

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, brief, count, rule, says, several
from fulldress.facts import RESTORED, Change, Difference, Lock, Migration, Timing, Wait, Witness, Work
from fulldress.findings import Finding, Severity, Testimony

#: Kinds of differences in what the tables hold; all others are of the schema, sequences and privileges.
OF_ROWS = frozenset({"rows lost", "rows added", "rows changed", "column lost"})
#: A request that waits this long has failed for whoever sent it: usual time-outs of clients are 30 to 60 seconds.
LOST = timedelta(seconds=60)
FELT = timedelta(seconds=1)
#: More migrations than anybody reads one by one: they are told in groups.
MANY = 12
#: Findings of one kind that are told one by one.
FEW = 3
WHICH_RUN = (
    "Which of them run, production's table of versions says, or the release before: fulldress inspect NEW --against OLD"
)


def keep(paths: list[str] | None = None, database: bool = False) -> dict[str, object]:
    """The general remedy for a way back that does not hold: come back by restoring."""
    offer: dict[str, object] = {"kind": "snapshot", "name": "keep-before-upgrade", "phase": "before"}
    if paths:
        offer["paths"] = paths
    if database:
        # the drafter puts the names of production.toml here; facts do not know them
        offer["databases"] = ["*"]
    return offer


def ups(index: Index) -> list[Migration]:
    """Scripts that the runbook can run: SQL. Programs are run by the product's own tool."""
    return [m for m in forth(index) if not m.language]


def forth(index: Index) -> list[Migration]:
    """All migrations, programs included. Where one comes from decides how many of them run."""
    return [m for m in _of_upgrade(index) if m.direction == "up"]


def _of_upgrade(index: Index) -> list[Migration]:
    return of_upgrade(index.of(Migration, Witness.READ), index.of(Change))


def of_upgrade(every: list[Migration], changes: list[Change]) -> list[Migration]:
    """All that the package carries; where an older release lies beside it, those that came since."""
    compared = any(change.family == "Release" and change.what == "changed" for change in changes)
    return [m for m in every if m.current] if compared and any(m.current is not None for m in every) else every


def history(index: Index) -> bool:
    """Whether the package carries more migrations than one upgrade has: those since its first release."""
    found = forth(index)
    return len(found) > MANY or any(m.current is False for m in found)


def new(index: Index, found: list[Migration]) -> list[Migration]:
    """Those to be told one by one: all of a short list, those of this release where the package carries its history."""
    return [m for m in found if m.current] if history(index) else found


def latest(found: list[Migration]) -> list[Migration]:
    """The newest first, as far as the order they are read in tells."""
    return found[::-1]


def and_more(newest: list[Migration]) -> tuple[Testimony, ...]:
    """What stands below the three that are told of a history."""
    return (says(newest[3], f"and {len(newest) - 3} more (--json has them all)"),) if len(newest) > 3 else ()


def downs(index: Index) -> list[Migration]:
    return [m for m in _of_upgrade(index) if m.direction == "down"]


def rows_recur(finding: Finding, index: Index) -> bool | None:
    """After a rehearsed way back: does any table still differ? None when no way back was rehearsed or compared."""
    differences = index.of(Difference, Witness.OBSERVED)
    if any(d.kind not in RESTORED for d in differences):
        return True
    if any(t.act == "rollback" and t.outcome != "ok" for t in index.of(Timing, Witness.OBSERVED)):
        return True
    went_back = any(t.act == "rollback" for t in index.of(Timing, Witness.OBSERVED))
    return False if went_back and differences else None


def worst(migration: Migration, kinds: frozenset[str], texts: tuple[str, ...]) -> str:
    """The statement to show, with its line where it is known."""
    effect = next((e for e in migration.effects if e.kind in kinds), None)
    text = brief(effect.statement if effect else texts[0] if texts else "", 60)
    return f"{text} (line {effect.line})" if effect and effect.line else text


_LOST = frozenset({"lost"})
_HEAVY = frozenset({"rewrite", "scan", "index", "lock", "every row"})


def _told(migration: Migration, kinds: frozenset[str], texts: tuple[str, ...]) -> tuple[Testimony, ...]:
    """Line by line where the lines are known, the first three."""
    effects = list({e.statement: e for e in reversed(migration.effects) if e.kind in kinds}.values())[::-1]
    if not effects:
        return (says(migration, several(list(texts), 3)),)
    told = []
    for effect in effects[:3]:
        evidence = msgspec.structs.replace(migration.evidence, line=effect.line, excerpt="")
        words = f"{brief(effect.statement)}: {effect.says}" if effect.says else brief(effect.statement)
        told.append(Testimony(witness=migration.witness, says=words, evidence=evidence))
    if len(effects) > 3:
        told.append(says(migration, f"and {len(effects) - 3} more statements"))
    return tuple(told)


def _of_history(
    found: list[Migration], index: Index, kinds: frozenset[str], does: str, offers: dict[str, object] | None
) -> Hit:
    newest = latest(found)
    shown = newest[0]
    texts = shown.destructive if "lost" in kinds else shown.heavy
    since = "of this release" if all(m.current for m in forth(index)) else "since the first release"
    return Hit(
        title=f"{len(found):,} of {count(len(forth(index)), 'migration')} {since} {does}; "
        f"the last in order is {shown.name}: {worst(shown, kinds, texts)}",
        subject="history of migrations",
        remedy=WHICH_RUN,
        testimony=tuple(
            t for m in newest[:3] for t in _told(m, kinds, m.destructive if "lost" in kinds else m.heavy)[:1]
        )
        + and_more(newest),
        offers=offers,
    )


@rule("FD201", Severity.MAJOR, "A migration loses data", rows_recur)
def destructive(index: Index) -> Iterator[Hit]:
    empty_downs = {d.path for d in downs(index) if d.empty}
    found = [m for m in forth(index) if m.destructive]
    told = new(index, found)
    if len(told) > FEW and history(index):
        told = []
    if len(found) > len(told):
        yield _of_history(found, index, _LOST, "lose data" if len(found) > 1 else "loses data", keep(database=True))
    for migration in told:
        way_back = migration.counterpart and migration.counterpart not in empty_downs
        yield Hit(
            title=f"{migration.name} loses data: {several([brief(s) for s in migration.destructive], 2)}",
            subject=migration.path or migration.name,
            remedy="Keep the rows before it runs (the offered snapshot), or ask the vendor to rename now and drop a release later.",
            testimony=_told(migration, _LOST, migration.destructive),
            severity=None if way_back else Severity.BLOCKER,
            offers=keep(database=True),
        )


@rule("FD202", Severity.MINOR, "A migration rewrites, scans or locks a table")
def heavy(index: Index) -> Iterator[Hit]:
    watched = {work.migration for work in index.of(Work, Witness.OBSERVED)}
    # once a rehearsal has measured it, FD208 says how long it really took
    found = [m for m in forth(index) if m.heavy and not {m.name, m.path} & watched]
    told = new(index, found)
    if len(told) > FEW and history(index):
        told = []
    if len(found) > len(told):
        does = "lock a table" if len(found) > 1 else "locks a table"
        yield _of_history(found, index, _HEAVY, f"{does} for as long as it is large", None)
    for migration in told:
        yield Hit(
            title=f"{migration.name} locks a table for as long as it is large: {several([brief(s) for s in migration.heavy], 2)}",
            subject=migration.path or migration.name,
            remedy="Rehearse it on data of production's size: fulldress rehearse runbook.toml -p production/",
            testimony=_told(migration, _HEAVY, migration.heavy),
            severity=Severity.MAJOR if len(migration.heavy) > 1 else None,
        )


@rule("FD203", Severity.MAJOR, "Migrations have no way back", rows_recur)
def no_down(index: Index) -> Iterator[Hit]:
    every = forth(index)
    without = [m for m in every if not m.counterpart and not m.repeatable and not m.empty]
    if not without:
        return
    if len(without) == len([m for m in every if not m.empty]):
        folder = without[0].path.rsplit("/", 1)[0] if "/" in without[0].path else ""
        yield Hit(
            title=f"none of {count(len(without), 'migration')} has a way back",
            subject=folder or without[0].name,
            remedy="Come back by restoring: take the offered snapshot before the upgrade and rehearse the way back with it.",
            testimony=tuple(says(m, "no counterpart") for m in without),
            offers=keep(database=True),
        )
        return
    remedy = "Ask the vendor for the missing script; until then come back by restoring (the offered snapshot)."
    if len(without) > FEW:
        yield Hit(
            title=f"{len(without)} of {count(len(every), 'migration')} have no way back: {several([m.name for m in latest(without)], 3)}",
            subject="ways back",
            remedy=remedy,
            testimony=tuple(says(m, "no counterpart") for m in latest(without)),
            severity=Severity.MINOR if history(index) else None,
            offers=keep(database=True),
        )
        return
    for migration in without:
        yield Hit(
            title=f"{migration.name} has no way back, although others have",
            subject=migration.path or migration.name,
            remedy=remedy,
            testimony=(says(migration, "no counterpart"),),
            offers=keep(database=True),
        )


def take_nothing_back(migrations: list[Migration]) -> list[Migration]:
    """Empty ways back of those that do something on the way there."""
    forth = [m for m in migrations if m.direction == "up"]
    changed = {m.counterpart for m in forth if not m.empty}
    return [m for m in migrations if m.direction == "down" and m.empty and (m.path in changed or not forth)]


@rule("FD204", Severity.BLOCKER, "A rollback script is empty", rows_recur)
def empty_down(index: Index) -> Iterator[Hit]:
    found = take_nothing_back(_of_upgrade(index))
    remedy = "Ask the vendor for its contents; until then come back by restoring (the offered snapshot)."
    if len(found) > FEW:
        yield Hit(
            title=f"{count(len(found), 'rollback script')} are empty: they succeed and take nothing back: "
            f"{several([m.name for m in latest(found)], 3)}",
            subject="empty rollback scripts",
            remedy=remedy,
            testimony=tuple(says(m, "no statement in it") for m in latest(found)),
            severity=Severity.MAJOR if history(index) else None,
            offers=keep(database=True),
        )
        return
    for migration in found:
        yield Hit(
            title=f"the way back of {migration.name} is empty: it succeeds and takes nothing back",
            subject=migration.path or migration.name,
            remedy=remedy,
            testimony=(says(migration, "no statement in it"),),
            severity=Severity.MAJOR if history(index) else None,
            offers=keep(database=True),
        )


@rule("FD208", Severity.MAJOR, "A lock kept others waiting")
def lock_with_waits(index: Index) -> Iterator[Hit]:
    waits: dict[tuple[str, str], list[Wait]] = defaultdict(list)
    for wait in index.of(Wait, Witness.OBSERVED):
        waits[wait.migration, wait.object].append(wait)
    for (migration, table), group in waits.items():
        worst = max(w.worst for w in group)
        number = sum(w.count for w in group)
        locks = [k for k in index.of(Lock, Witness.OBSERVED) if k.migration == migration and k.object == table]
        held = max((k.held for k in locks), default=None)
        title = f"{table} locked"
        if held is not None:
            title += f" {held.total_seconds():.1f} s"
        runs = len({t.run for t in index.of(Timing, Witness.OBSERVED)})
        title += f" by {migration}: {count(number, 'request')} waited" + (f" in {runs} runs" if runs > 1 else "")
        title += f", worst {worst.total_seconds():.1f} s"
        strongest = max(locks, key=lambda k: k.held, default=None)
        yield Hit(
            title=title,
            subject=f"{migration} {table}",
            remedy="Stop the callers first, or split the statement: add the column, fill it in batches, switch over; "
            "and set lock_timeout = 5.0 on the migrate step so that it gives up instead of queueing.",
            testimony=(
                *([says(strongest, f"{strongest.mode} by {strongest.statement}")] if strongest else []),
                *(says(w, f"{w.victim} waited {w.worst.total_seconds():.1f} s ({w.count}×)") for w in group),
            ),
            severity=Severity.BLOCKER if worst >= LOST else None if worst >= FELT else Severity.MINOR,
        )


@rule("FD209", Severity.BLOCKER, "After the way back, rows are not what they were")
def rows_lost(index: Index) -> Iterator[Hit]:
    by_object: dict[str, list[Difference]] = defaultdict(list)
    others: list[Difference] = []
    for difference in index.of(Difference, Witness.OBSERVED):
        if difference.kind in OF_ROWS:
            by_object[difference.object].append(difference)
        elif difference.kind not in RESTORED:
            others.append(difference)
    # a table whose rows differ is told of once: its columns and indexes are part of that
    rest = [d for d in others if not any(_belongs(d, table) for table in by_object)]
    for name, differences in by_object.items():
        words = several(
            [
                d.kind
                + (f" in {count(d.rows, 'row')}" if d.rows else "")
                + (f" ({', '.join(d.columns)})" if d.columns else "")
                for d in differences
            ]
        )
        yield Hit(
            title=f"after the rollback {name} is not what it was: {words}",
            subject=name,
            remedy="Come back by restoring: take the offered snapshot before the upgrade, and rehearse again.",
            testimony=tuple(
                says(d, d.detail or d.kind) for d in [*differences, *others] if d in differences or _belongs(d, name)
            ),
            offers=keep(database=True),
        )
    if rest:
        kinds = Counter(d.kind for d in rest)
        counted = ", ".join(f"{kind} × {number}" for kind, number in kinds.most_common())
        besides = "beside that, " if by_object else ""
        yield Hit(
            title=f"{besides}after the rollback the database is left with {counted} that differ: "
            f"{several([d.object for d in rest], 3)}",
            subject="schema",
            remedy="Come back by restoring: take the offered snapshot before the upgrade, and rehearse again.",
            testimony=tuple(says(d, f"{d.object}: {d.detail or d.kind}") for d in rest),
            severity=Severity.MAJOR,
            offers=keep(database=True),
        )


def _belongs(difference: Difference, table: str) -> bool:
    """Whether a left-over (``column orders.x``, ``index orders_pkey``) is one of a table, by its name."""
    return bool(re.search(rf"(?<![\w]){re.escape(table)}(?:$|[.\s])", difference.object))


@rule("FD210", Severity.BLOCKER, "A migration failed on the stage")
def failed(index: Index) -> Iterator[Hit]:
    for migration in index.of(Migration, Witness.OBSERVED):
        if migration.outcome and migration.outcome != "ok":
            yield Hit(
                title=f"{migration.name} failed on a copy of the data: {migration.outcome}",
                subject=f"{migration.path or migration.name} {migration.direction}",
                remedy="Send the vendor the statement and the error; do not start until a corrected script has been rehearsed.",
                testimony=(says(migration, migration.outcome),),
            )
