"""FD212–FD220: what a migration's statements say of its own end: ways back that lose, failures that can be foreseen, rows
that would break it, and those who use the tables meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from fulldress.checks.index import Index
from fulldress.checks.migrations import FEW, downs, forth, history, keep, latest, new, rows_recur
from fulldress.checks.rule import Hit, brief, count, rule, says, several
from fulldress.facts import Migration, Preflight, Witness
from fulldress.facts.database import Effect
from fulldress.findings import Severity, Testimony


def _at(migration: Migration, effect: Effect) -> Testimony:
    evidence = msgspec.structs.replace(migration.evidence, line=effect.line, excerpt="")
    return Testimony(witness=migration.witness, says=f"{brief(effect.statement)}: {effect.says}", evidence=evidence)


def _with(index: Index, kind: str) -> list[tuple[Migration, Effect]]:
    return [(m, e) for m in new(index, forth(index)) for e in m.effects if e.kind == kind]


@rule("FD212", Severity.MAJOR, "A rollback script runs, and does not restore what was there", rows_recur)
def unrestored(index: Index) -> Iterator[Hit]:
    found = [m for m in downs(index) if m.unrestored]
    remedy = "Come back by restoring (the offered snapshot); fulldress rehearse proves which rows differ afterwards."
    if len(found) > FEW:
        newest = latest(found)
        yield Hit(
            title=f"{count(len(found), 'rollback script')} run and do not restore what was there; the last is {newest[0].name}: "
            f"{several(list(newest[0].unrestored), 2)}",
            subject="ways back",
            remedy=remedy,
            testimony=tuple(says(m, several(list(m.unrestored), 3)) for m in newest),
            severity=Severity.MINOR if history(index) else None,
            offers=keep(database=True),
        )
        return
    for migration in found:
        yield Hit(
            title=f"the way back of {migration.name} runs and does not restore what was there: {several(list(migration.unrestored), 2)}",
            subject=migration.path or migration.name,
            remedy=remedy,
            testimony=tuple(says(migration, words) for words in migration.unrestored[:5]),
            severity=Severity.MINOR if history(index) else None,
            offers=keep(database=True),
        )


@rule("FD213", Severity.MAJOR, "A migration fails where it stands")
def fails(index: Index) -> Iterator[Hit]:
    by_migration: dict[str, list[tuple[Migration, Effect]]] = defaultdict(list)
    for migration, effect in _with(index, "fails"):
        by_migration[migration.path or migration.name].append((migration, effect))
    if len(by_migration) > FEW:
        pairs = [group[0] for group in by_migration.values()]
        yield Hit(
            title=f"{count(len(pairs), 'migration')} fail where they stand: {several([m.name for m, _ in pairs], 3)}",
            subject="transactions",
            remedy="Ask the vendor to run them outside a transaction (each tool has a word for it), and rehearse.",
            testimony=tuple(_at(m, e) for m, e in pairs),
        )
        return
    for path, pairs in by_migration.items():
        migration, effect = pairs[0]
        yield Hit(
            title=f"{migration.name} fails where it stands: {effect.says}",
            subject=path,
            remedy="Ask the vendor to run it outside a transaction (each tool has a word for it), and rehearse.",
            testimony=tuple(_at(m, e) for m, e in pairs),
        )


@rule("FD214", Severity.MAJOR, "The order of migrations is in doubt")
def disorder(index: Index) -> Iterator[Hit]:
    by_reason: dict[str, list[Migration]] = defaultdict(list)
    for migration in forth(index):
        if migration.disorder:
            by_reason[migration.disorder].append(migration)
    for reason, group in by_reason.items():
        yield Hit(
            title=f"{several([m.name for m in group], 2)}: {reason}",
            subject=group[0].path or group[0].name,
            remedy="Ask the vendor in which order they run; rehearse from the version that production has.",
            testimony=tuple(says(m, reason) for m in group),
        )


@rule("FD215", Severity.MINOR, "Rows that are there already may break a migration")
def preflight(index: Index) -> Iterator[Hit]:
    asked = {fact.migration for fact in index.of(Preflight, Witness.OBSERVED)}  # FD250 knows of these
    found = [m for m in new(index, forth(index)) if m.preflight and not asked & {m.path, m.name}]
    if not found:
        return
    queries = list(dict.fromkeys(query for m in found for query in m.preflight))
    more = f"\n-- and {len(queries) - 5} more: fulldress inspect --json" if len(queries) > 5 else ""
    yield Hit(
        title=f"{several([m.name for m in found], 3)} {'stops' if len(found) == 1 else 'stop'} at the first row that breaks a new rule: "
        f"{count(len(queries), 'query', 'queries')} to ask production before the window",
        subject="constraints",
        remedy="Ask production first; each has to give no row, or 0:\n"
        + "\n".join(f"{query};" for query in queries[:5])
        + more,
        testimony=tuple(says(m, count(len(m.preflight), "query", "queries")) for m in found),
    )


@rule("FD216", Severity.NOTE, "A migration deletes or overwrites some rows")
def rows(index: Index) -> Iterator[Hit]:
    pairs = _with(index, "rows")
    if pairs:
        names = list(dict.fromkeys(m.name for m, _ in pairs))
        yield Hit(
            title=f"{several(names, 3)} {'deletes or overwrites' if len(names) == 1 else 'delete or overwrite'} rows of "
            f"{several([e.table or 'a table' for _, e in pairs], 3)}; their old values are kept nowhere",
            subject="rows",
            remedy="Have the vendor say how many rows that is, or count them on a copy: fulldress rehearse runbook.toml -p production/",
            testimony=tuple(_at(m, e) for m, e in pairs[:5]),
        )


@rule("FD217", Severity.MINOR, "A migration takes away a name that the running version uses")
def renamed(index: Index) -> Iterator[Hit]:
    pairs = _with(index, "rename")
    if pairs:
        yield Hit(
            title=f"{several([m.name for m, _ in pairs], 3)}: whatever still runs in the old version fails from here on: "
            f"{several([brief(e.statement) for _, e in pairs], 2)}",
            subject="names",
            remedy="Stop every instance of the old version before it runs, and say so in the runbook.",
            testimony=tuple(_at(m, e) for m, e in pairs[:5]),
        )


@rule("FD218", Severity.MINOR, "A migration needs more rights than a product's role has")
def rights(index: Index) -> Iterator[Hit]:
    pairs = _with(index, "rights")
    if pairs:
        yield Hit(
            title=f"{several([m.name for m, _ in pairs], 3)}: {several([e.says for _, e in pairs], 2)}",
            subject="rights",
            remedy="Have a database administrator do that part beforehand, or run it as one; rehearse as the role that will run it.",
            testimony=tuple(_at(m, e) for m, e in pairs[:5]),
        )


@rule("FD219", Severity.MAJOR, "A migration leaves triggers switched off")
def triggers(index: Index) -> Iterator[Hit]:
    for migration, effect in _with(index, "trigger"):
        yield Hit(
            title=f"{migration.name}: {effect.says}, and nothing switches it on again",
            subject=migration.path or migration.name,
            remedy="Ask the vendor for the statement that is missing, and put it into the runbook after this migration.",
            testimony=(_at(migration, effect),),
        )


@rule("FD220", Severity.NOTE, "Which migrations this upgrade runs does not stand in the package")
def unknown_start(index: Index) -> Iterator[Hit]:
    found = forth(index)
    if not history(index) or all(m.current for m in found):
        return
    newest = latest(found)
    mine = sum(bool(m.current) for m in found)
    of_release = f", {mine} of this one" if mine else ""
    yield Hit(
        title=f"{count(len(found), 'migration')} since the first release{of_release}; how many of them run depends on where you come from",
        subject="history of migrations",
        remedy="fulldress inspect NEW --against OLD lists those that were added; production's table of versions knows as well.",
        testimony=tuple(says(m, "the last in order" if m is newest[0] else "before it") for m in newest[:3]),
    )
