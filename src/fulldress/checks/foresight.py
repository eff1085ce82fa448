"""FD250-FD253: what the database says before the window: rows in the way, upgrades half done, text sorted by other rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, brief, count, rule, says, several
from fulldress.facts import Collation, HalfDone, Preflight
from fulldress.findings import Severity

_WAY = {
    "unique": "share what has to be unique",
    "foreign key": "refer to nothing",
    "not null": "hold no value where one is needed",
    "check": "break the new CHECK",
    "type": "do not fit the new type",
    "enum": "hold a value that the new type no longer has",
    "exclusion": "overlap with another",
    "partition": "lie outside of the partition's bounds",
    "generated": "make the computed column fail",
    "index expression": "make the index's expression fail",
    "index row": "are too long for an entry of a btree",
}


@rule("FD250", Severity.BLOCKER, "Rows are in the way of a migration")
def in_the_way(index: Index) -> Iterator[Hit]:
    for fact in index.of(Preflight):
        if not fact.offending:
            continue
        columns = ", ".join(fact.columns)
        where = f"{fact.table} ({columns})" if columns else fact.table
        rows = count(fact.offending, "row")
        does = _WAY.get(fact.kind, f"break what is asked for: {fact.kind}")
        place = fact.evidence.where()
        ask = f"Ask production for them:\n{fact.question};\n" if fact.question else ""
        yield Hit(
            title=f"{rows} of {where} {does}, so {fact.migration} fails: {', '.join(fact.rows[:3])}{' …' if len(fact.rows) > 3 else ''}",
            subject=f"{place} {fact.kind} {where}",
            remedy=f"{ask}Have whoever owns these rows correct them before the window, or the vendor's script do it first; "
            "then rehearse again.",
            testimony=(says(fact, f"{rows} by {fact.kind}, the first: {'; '.join(fact.rows)}"),),
        )


#: kinds of half-done things, and how grave each is.
_HALF = {
    "dirty": Severity.BLOCKER,
    "failed": Severity.BLOCKER,
    "locked": Severity.BLOCKER,
    "missing": Severity.BLOCKER,
    "unrecorded": Severity.BLOCKER,
    "unknown version": Severity.BLOCKER,
    "checksum": Severity.MAJOR,
    "gap": Severity.MAJOR,
}
_SAYS = {
    "dirty": "{object} of {tool} is marked dirty",
    "failed": "{object} is recorded by {tool} as failed",
    "locked": "the {object} is held",
    "missing": "{object} is missing although its migration is recorded",
    "unrecorded": "{object} is there already although its migration is still to run",
    "unknown version": "the database is at {object}, which no file here has",
    "checksum": "{object} was changed after it ran",
    "gap": "{object} was never run, and newer ones were",
}


@rule("FD251", Severity.BLOCKER, "An earlier upgrade of the database is half done")
def half_done(index: Index) -> Iterator[Hit]:
    for fact in index.of(HalfDone):
        if fact.kind not in _HALF:
            continue
        title = _SAYS[fact.kind].format(object=fact.object, tool=fact.tool or "the migration tool")
        remedy = "Bring the database and its records to one state before the window, on a copy first."
        yield Hit(
            title=f"{title}: {brief(fact.detail, 160)}",
            subject=f"{fact.kind} {fact.object}",
            remedy=f"{remedy}\n{fact.remedy}" if fact.remedy else remedy,
            testimony=(says(fact, fact.detail),),
            severity=_HALF[fact.kind],
        )


@rule("FD252", Severity.MINOR, "The catalogue holds what was never finished")
def unfinished(index: Index) -> Iterator[Hit]:
    groups: dict[str, list[HalfDone]] = defaultdict(list)
    for fact in index.of(HalfDone):
        if fact.kind in ("invalid index", "not valid", "prepared transaction"):
            groups[fact.kind].append(fact)
    words = {
        "invalid index": ("invalid index", "invalid indexes"),
        "not valid": ("constraint never validated", "constraints never validated"),
        "prepared transaction": ("prepared transaction keeps its locks", "prepared transactions keep their locks"),
    }
    for kind, group in groups.items():
        names = several([fact.object for fact in group], 3)
        yield Hit(
            title=f"{count(len(group), *words[kind])}: {names}",
            subject=kind,
            remedy="End each before the window:\n" + "\n".join(fact.remedy for fact in group[:5] if fact.remedy),
            testimony=tuple(says(fact, fact.detail) for fact in group[:5]),
            severity=Severity.BLOCKER if kind == "prepared transaction" else None,
        )


@rule("FD253", Severity.BLOCKER, "Text is sorted by other rules than its indexes were built with")
def sorted_otherwise(index: Index) -> Iterator[Hit]:
    for fact in index.of(Collation):
        if not fact.indexes or not fact.actual or fact.recorded == fact.actual:
            continue
        rebuild = "\n".join(f"REINDEX INDEX CONCURRENTLY {name};" for name in fact.indexes[:10])
        more = f"\n-- and {len(fact.indexes) - 10} more" if len(fact.indexes) > 10 else ""
        keys = f", unique keys among them ({several(list(fact.constraints), 3)})" if fact.constraints else ""
        yield Hit(
            title=f"{count(len(fact.indexes), 'index', 'indexes')} in the order of {fact.name} {'was' if len(fact.indexes) == 1 else 'were'} "
            f"built with {fact.provider} {fact.recorded}, and {fact.actual} is there now: rows may not be found{keys}",
            subject=f"collation {fact.name}",
            remedy="Build them anew, then record the new version (ALTER DATABASE … REFRESH COLLATION VERSION, or ALTER COLLATION); "
            f"a double key shows up then:\n{rebuild}{more}",
            testimony=(
                says(
                    fact,
                    f"{fact.provider} {fact.recorded} recorded, {fact.actual} now: {several(list(fact.indexes), 5)}",
                ),
            ),
        )
