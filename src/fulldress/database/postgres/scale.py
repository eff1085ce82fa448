"""The same migration at several sizes: how long each statement takes at each, and so at production's."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from fulldress.database import forecast
from fulldress.database.postgres import sampling
from fulldress.database.postgres.clone import Clone
from fulldress.facts import AnyFact, Evidence, Forecast, Lock, Reason, Size, Unread, Witness, Work
from fulldress.findings import Outcome

RUNS = 3  #: of each size
_FAR = 10  #: times the largest rehearsed size; beyond it caches and disks behave otherwise
Scripts = Sequence[tuple[str, str]]


@dataclass
class _Seen:
    """A statement over all runs. ``table``: the largest one that it works on."""

    migration: str
    statement: str
    place: Evidence
    table: str = ""
    samples: list[Size] = field(default_factory=list)


def rehearse(
    clone: Clone,
    scripts: Scripts,
    *,
    shares: Sequence[float],
    production: Mapping[str, int] | None = None,
    factor: float = 1.0,
    siblings: Mapping[str, str] | None = None,
    runs: int = RUNS,
    patience: float = 900.0,
    seed: int = 1,
    tell: Callable[[str], None] = lambda words: None,
) -> list[AnyFact]:
    """Forecasts of every statement, of each migration and of all together.

    ``clone`` is as before the migrations, and is only copied. ``shares``: of its rows, e.g. 0.1, 0.5 and 1. ``production``:
    rows there, by table; a table that it does not name has ``factor`` times the clone's. ``patience``: seconds after which
    no further run is begun; what that leaves out is said."""
    with clone.session() as line:
        whole = sampling.rows(line)
    target = {name: (production or {}).get(name, round(rows * factor)) for name, rows in whole.items()}
    seen: dict[tuple[str, int], _Seen] = {}
    facts: list[AnyFact] = []
    done: dict[float, int] = {}
    begun = time.monotonic()
    roots = _roots(clone)
    for share in sorted(shares):
        base = clone.copy(f"{clone.name}@{share:g}")
        try:
            rows = sampling.shrink(base, share, seed) if share < 1 else whole
            for number in range(1, runs + 1):
                if done and time.monotonic() - begun > patience:
                    detail = f"{patience:g} s were over; {number - 1} of {runs} runs at {share:.0%} were made"
                    facts.append(_gap("more runs at more sizes", detail))
                    break
                tell(f"{share:.0%} of the rows, run {number} of {runs}")
                failed = _once(base, scripts, siblings, rows, roots, seen, number)
                if failed:
                    facts.append(_gap(f"how long it takes at {share:.0%} of the rows", failed, needed=True))
                    break
                done[share] = done.get(share, 0) + 1
        finally:
            base.drop()
    return [*facts, *_forecasts(list(seen.values()), whole, target, done)]


def _once(
    base: Clone,
    scripts: Scripts,
    siblings: Mapping[str, str] | None,
    rows: Mapping[str, int],
    roots: Mapping[str, str],
    seen: dict[tuple[str, int], _Seen],
    number: int,
) -> str:
    """One run on a copy of its own; why it failed, or empty."""
    copy = base.copy(f"{base.name}@{number}")
    try:
        for name, text in scripts:
            run = copy.execute(text, name=name, step="scale", siblings={**dict(scripts), **(siblings or {})})
            if run.outcome is not Outcome.PASS:
                return f"{name}: {run.error}"
        facts = copy.facts()
    finally:
        copy.drop()
    held: dict[tuple[str, str], set[str]] = defaultdict(set)
    for fact in facts:
        if isinstance(fact, Lock):
            held[fact.migration, fact.statement].add(fact.object)
    order: dict[str, int] = defaultdict(int)
    for fact in facts:
        if isinstance(fact, Work):
            place = order[fact.migration]
            order[fact.migration] += 1
            one = seen.setdefault((fact.migration, place), _Seen(fact.migration, fact.statement, fact.evidence))
            named = _tables(fact, held[fact.migration, fact.statement])
            tables = {roots.get(name, name) for name in named} & set(rows)
            one.table = one.table or max(tables, key=lambda table: (rows[table], table), default="")
            size = rows[one.table] if one.table else sum(rows.values())
            one.samples.append(Size(rows=size, seconds=round(fact.duration.total_seconds(), 6)))
    return ""


def _roots(clone: Clone) -> dict[str, str]:
    """Partition -> the table that it is a part of."""
    with clone.session() as line:
        return {
            str(part): str(root)
            for part, root in line.rows(
                "SELECT oid::regclass::text, pg_partition_root(oid)::text FROM pg_class WHERE relispartition AND relkind IN ('r', 'p')"
            )
        }


def _tables(work: Work, held: set[str]) -> set[str]:
    built = {name.partition(" on ")[2] for name in work.built}
    return {*work.rewritten, *work.scanned, *work.read_whole, *built, *held}


def _forecasts(
    seen: list[_Seen], whole: Mapping[str, int], target: Mapping[str, int], done: Mapping[float, int]
) -> list[AnyFact]:
    basis = ", ".join(f"{count} run{'s' * (count != 1)} at {share:.0%}" for share, count in sorted(done.items()))
    found: list[AnyFact] = []
    parts: dict[str, list[Forecast]] = defaultdict(list)
    for one in seen:
        rows = target[one.table] if one.table else sum(target.values())
        fitted = forecast.fit(one.samples, rows)
        largest = max((sample.rows for sample in one.samples), default=0)
        far = (
            f"; {rows / largest:,.0f} times the largest size: caches and disks may behave otherwise"
            if largest and rows > _FAR * largest
            else ""
        )
        fact = Forecast(
            witness=Witness.OBSERVED,
            evidence=one.place,
            migration=one.migration,
            statement=one.statement,
            table=one.table,
            rows=rows,
            samples=tuple(one.samples),
            basis=f"{basis} of {whole[one.table] if one.table else sum(whole.values()):,} rows{far}",
        )
        if fitted is not None:
            low, expected, high = (timedelta(seconds=value) for value in (fitted.low, fitted.expected, fitted.high))
            fact = msgspec.structs.replace(
                fact, model=fitted.model, low=low, expected=expected, high=high, level=forecast.LEVEL
            )
        parts[one.migration].append(fact)
        found.append(fact)
    wholes = [_sum(name, every, basis) for name, every in parts.items()]
    found += wholes
    if len(wholes) > 1:
        found.append(_sum("", wholes, basis))
    missing = [fact for fact in found if isinstance(fact, Forecast) and fact.high is None and fact.statement]
    if missing:
        words = f"{basis or 'no run'}: give more sizes or more runs"
        found.append(_gap(f"how long {len(missing)} statements take at production's size", words, needed=True))
    return found


def _sum(migration: str, parts: Sequence[Forecast], basis: str) -> Forecast:
    """Bands are added end to end: a machine that is slow at one statement is slow at the next."""
    lows, mids, highs = ([getattr(part, name) for part in parts] for name in ("low", "expected", "high"))
    known = all(high is not None for high in highs)
    runs = min((len(part.samples) for part in parts), default=0)
    samples = tuple(
        Size(
            rows=max(part.samples[run].rows for part in parts), seconds=sum(part.samples[run].seconds for part in parts)
        )
        for run in range(runs)
    )
    return Forecast(
        witness=Witness.OBSERVED,
        evidence=Evidence(path=migration, step="scale"),
        migration=migration,
        model="sum of its statements" if migration else "sum of the migrations",
        rows=max((part.rows for part in parts), default=0),
        samples=samples,
        basis=basis,
        level=forecast.LEVEL if known else 0.0,
        low=sum(lows, timedelta()) if known else None,
        expected=sum(mids, timedelta()) if known else None,
        high=sum(highs, timedelta()) if known else None,
    )


def _gap(what: str, detail: str, *, needed: bool = False) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(step="scale"),
        what=what,
        reason=Reason.NOT_MEASURED,
        detail=detail,
        needed=needed,
    )
