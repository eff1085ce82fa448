"""Ahead of the runs: rows in the way of the migrations, upgrades half done, the room they need, how long at full size.

On copies of the untouched clones; production is asked too, where it has an address, in sessions that cannot write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from fulldress.database.postgres import scale
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.preflight import briefing, reading, space
from fulldress.facts import AnyFact, Evidence, Fact, Reason, Room, Unread, Witness
from fulldress.production.description import Database
from fulldress.production.load import Production, parse_size
from fulldress.rehearsal.pair import scripts_of
from fulldress.rehearsal.world import Bases
from fulldress.runbook.steps import Migrate, Runbook

#: Where production is larger than what was cloned, and nobody asked for other sizes.
SHARES = (0.25, 0.5, 1.0)
#: So much WAL or data goes anywhere: below it, not knowing what is free leaves the verdict as it is.
_ANYWHERE = 100 << 20


def foresee(
    runbook: Runbook,
    entries: Callable[[str], bytes],
    bases: Bases,
    production: Production,
    shares: tuple[float, ...],
    tell: Callable[[str], None],
) -> list[AnyFact]:
    """Facts of every database that a migrate step names. ``shares``: sizes to rehearse at; none: only where it is needed."""
    found: list[AnyFact] = []
    for name, base in bases.clones.items():
        scripts = list(_scripts(runbook, entries, name))
        if not scripts:
            continue
        described = production.description.databases[name]
        tell(f"rows of database {name} that are in the way")
        reader = reading.of_url(base.server.installation, described.url) if described.url else None
        found += briefing.scripts(base, scripts, production=reader)
        factor = _factor(base, described)
        sizes = shares or (SHARES if factor > 1 else ())
        if sizes:
            say: Callable[[str], None] = partial(_say, tell, name)
            found += scale.rehearse(base, scripts, shares=sizes, factor=factor, tell=say)
    return found


def room(name: str, clone: Clone, facts: Iterable[Fact], bases: Bases, production: Production) -> list[AnyFact]:
    """What the upgrade of one database needed. ``facts``: seen on ``clone``, which has just been upgraded."""
    described = production.description.databases[name]
    base = bases.clones[name]
    factor = _factor(base, described)
    basis = "the sizes on the copy" + (f", times {factor:,.1f} for production's size" if factor > 1 else "")
    free = parse_size(described.free) if described.free else None
    needs = space.room(facts, space.sizes(base), space.sizes(clone), free=free, scale=factor, basis=basis)
    most = max((one.needed for one in needs), default=0)
    return [*needs, *([_free_unknown(name, needs, needed=most > _ANYWHERE)] if free is None and most else [])]


def once(facts: list[AnyFact]) -> list[AnyFact]:
    """Of the rooms that several runs needed, the largest of each kind and migration."""
    best: dict[tuple[str, str], Room] = {}
    for fact in facts:
        if isinstance(fact, Room):
            key = fact.what, fact.migration
            if key not in best or fact.needed > best[key].needed:
                best[key] = fact
    return [fact for fact in facts if not isinstance(fact, Room) or best.get((fact.what, fact.migration)) is fact]


def _say(tell: Callable[[str], None], name: str, words: str) -> None:
    tell(f"database {name} at {words}")


def _scripts(runbook: Runbook, entries: Callable[[str], bytes], database: str) -> Iterator[tuple[str, str]]:
    for step in runbook.step:
        if isinstance(step, Migrate) and step.database == database:
            yield from scripts_of(step, entries)


def _factor(base: Clone, described: Database) -> float:
    """How many times larger production is, by ``size`` of production.toml; at least 1."""
    if not described.size:
        return 1.0
    with base.session() as line:
        here = int(str(line.rows("SELECT pg_database_size(current_database())")[0][0]))
    return max(parse_size(described.size) / max(here, 1), 1.0)


def _free_unknown(name: str, needs: list[Room], *, needed: bool) -> Unread:
    words = ", ".join(f"{one.what} {one.needed / 1e6:,.0f} MB" for one in needs if one.needed)
    return Unread(
        witness=Witness.RUNNING,
        evidence=Evidence(source="production.toml", path=f"databases.{name}.free"),
        what=f"free space where database {name} lies",
        reason=Reason.MISSING,
        detail=f"the migrations need {words}; production.toml tells no free under [databases.{name}]",
        needed=needed,
    )
