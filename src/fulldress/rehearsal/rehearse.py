"""All acts, n times, each in a fresh world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from fulldress import package as package_room
from fulldress.database.postgres import resolve
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.origin import Origin, opened
from fulldress.errors import DatabaseError, StageError
from fulldress.facts import AnyFact, Evidence, Reason, Timeline, Timing, Unread, Witness
from fulldress.production.load import Production
from fulldress.production.logs import read as read_logs
from fulldress.rehearsal import ahead, databases
from fulldress.rehearsal.among import among_others
from fulldress.rehearsal.back import Back
from fulldress.rehearsal.leftovers import ROLES
from fulldress.rehearsal.options import Options
from fulldress.rehearsal.pair import two_runners
from fulldress.rehearsal.scratch import scratch_folder
from fulldress.rehearsal.there import There
from fulldress.rehearsal.window import survivals
from fulldress.rehearsal.world import Bases, World, drop_new_roles
from fulldress.runbook.frozen import freeze
from fulldress.runbook.steps import Migrate, Notice, Person, ProbeStep, Runbook, Wait
from fulldress.stage import Stage
from fulldress.traffic.workload import Workload, from_requests


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What a rehearsal showed. ``frozen`` is the digest of the runbook that it is true for."""

    frozen: str
    package: str  #: sha256
    seed: int
    started: datetime
    ended: datetime
    facts: list[AnyFact]
    timelines: list[Timeline]


def rehearse(
    runbook: Runbook,
    package: Path,
    production: Production,
    options: Options,
    tell: Callable[[str], None] = lambda words: None,
) -> Rehearsal:
    """Carry out ``runbook`` on stages, ``options.runs`` times there and back.

    Where this machine can have no stage, migrations alone are rehearsed, and what is missing is a gap that the verdict
    needs. Raises :class:`StageError` where there is no migration either, with the remedy in its words."""
    started = datetime.now(UTC)
    facts: list[AnyFact] = []
    timelines: list[Timeline] = []
    obstacles = Stage.possible()
    if obstacles and not any(isinstance(step, Migrate) for step in runbook.step):
        raise StageError("; ".join(f"{o.what}: {o.detail}" for o in obstacles))
    if obstacles:
        rest = databases.left_out(runbook)
        facts += [*(msgspec.structs.replace(o, needed=True) for o in obstacles), *([rest] if rest else [])]

    def entries(sha256: str) -> bytes:
        return package_room.extract(package, sha256)

    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_folder())
        tell("cloning databases")
        bases = _bases(production, options, stack, scratch)
        facts += bases.missing
        facts += [] if obstacles else _without_files(runbook, production)
        workload = None if obstacles else _workload(production, options, facts)
        if options.preflight:
            facts += ahead.foresee(runbook, entries, bases, production, options.sizes, tell)
        for number in range(1, options.runs + 1):

            def say(words: str, number: int = number) -> None:
                tell(f"run {number} of {options.runs}: {words}")

            if obstacles:
                facts += databases.migrations_only(number, runbook, entries, bases, production, say)
                continue
            folder = scratch / f"run{number}"
            folder.mkdir()
            with World(production, package, bases, scratch) as world:
                there = There(number, world, runbook, entries, workload, options, folder, say)
                there.play()
            facts += there.facts
            if there.timeline is not None:
                timelines.append(there.timeline)
            with World(production, package, bases, scratch) as world:
                back = Back(number, world, runbook, entries, folder, say)
                back.play()
            facts += back.facts
        if options.two_runners and any(isinstance(step, Migrate) for step in runbook.step):
            tell("the migration started twice at once")
            facts += _pair(runbook, entries, bases)
        if options.concurrency and any(isinstance(step, Migrate) for step in runbook.step):
            tell("the migration behind long transactions, and killed half-way")
            facts += among_others(runbook, entries, bases.clones.__getitem__, options.cuts, options.seed)
        if options.window:
            facts += survivals(runbook, entries, bases, tell)
    return Rehearsal(
        frozen=freeze(runbook),
        package=runbook.runbook.package,
        seed=options.seed,
        started=started,
        ended=datetime.now(UTC),
        facts=_once(ahead.once(facts)),
        timelines=timelines,
    )


@contextmanager
def practice(production: Production, package: Path, options: Options) -> Iterator[World]:
    """One world by itself, to practise D-day in: production's services are up and well, or their outcome is a fact."""
    if obstacles := Stage.possible():
        raise StageError("; ".join(f"{o.what}: {o.detail}" for o in obstacles))
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_folder())
        bases = _bases(production, options, stack, scratch)
        world = stack.enter_context(World(production, package, bases, scratch))
        world.facts += world.await_services("before")
        yield world


def _bases(production: Production, options: Options, stack: ExitStack, scratch: Path) -> Bases:
    """An untouched clone of each database, on a server of its own and of production's major where there is one."""
    clones: dict[str, Clone] = {}
    names: dict[str, str] = {}
    roles: dict[str, frozenset[str]] = {}
    missing: list[Unread] = []
    for name, database in production.description.databases.items():
        installation = resolve(options.pg_bin, database.major or None)
        if database.major and installation.major != database.major:
            missing.append(
                _gap(
                    f"database {name} on PostgreSQL {database.major}",
                    f"rehearsed on {installation.major}: no PostgreSQL {database.major} was found on this machine",
                )
            )
        clone = _clone(production, name, options, stack, scratch)
        clones[name], names[name] = clone, _database_name(database.url) or name
        with clone.server.session("postgres") as line:
            roles[name] = frozenset(str(row["rolname"]) for row in line.query(ROLES))
        missing += clone.unread
    return Bases(clones=clones, names=names, roles=roles, missing=tuple(missing))


def _clone(production: Production, name: str, options: Options, stack: ExitStack, scratch: Path) -> Clone:
    database = production.description.databases[name]
    if database.dump or database.url:
        dump = production.folder / database.dump if database.dump else None
        origin = Origin(url="" if dump else database.url, dump=dump)
        return stack.enter_context(
            opened(origin, pg_bin=options.pg_bin, major=database.major or None, scratch=scratch, name=f"base_{name}")
        )
    raise DatabaseError(f'production.toml: [databases.{name}] has neither "url" nor "dump"; there is nothing to clone')


def _pair(runbook: Runbook, entries: Callable[[str], bytes], bases: Bases) -> list[AnyFact]:
    start = datetime.now(UTC)
    found = two_runners(runbook, entries, bases.clones.__getitem__)
    for name, base in bases.clones.items():
        drop_new_roles(base, bases.roles[name])
    end = datetime.now(UTC)
    good = {"serialised": "ok", "unknown": "unknown"}
    return [
        *found,
        *(
            Timing(
                witness=Witness.OBSERVED,
                evidence=Evidence(source="run:1", path=runner.migration, at=start),
                act="two runners",
                run=1,
                started=start,
                duration=end - start,
                outcome=good.get(runner.outcome, "failed"),
                words=f"{runner.outcome}: {runner.detail}",
            )
            for runner in found
        ),
    ]


def _workload(production: Production, options: Options, facts: list[AnyFact]) -> Workload | None:
    traffic = production.description.traffic
    if not options.traffic or not traffic.target or not traffic.log:
        return None
    requests = read_logs(production.log_paths(), traffic.format)
    workload = from_requests(
        requests, methods=traffic.methods, window=timedelta(minutes=traffic.window_minutes), seed=options.seed
    )
    needed = (options.baseline + options.settle).total_seconds()
    return workload.scaled(traffic.scale, options.seed).slice(max(needed, 30.0))


def _without_files(runbook: Runbook, production: Production) -> list[AnyFact]:
    """Without a copy of production's files, steps that touch files are carried out on something else."""
    if production.root is not None:
        return []
    beside = (Migrate, ProbeStep, Wait, Notice, Person)
    touching = [step.name for step in runbook.step if not isinstance(step, beside)]
    gap = _gap(
        "production's files",
        "production.toml names no root under [folders]: the stage showed this machine's own files instead",
    )
    return [msgspec.structs.replace(gap, reason=Reason.MISSING, needed=bool(touching))]


def _database_name(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


def _gap(what: str, detail: str) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(source="run:all"),
        what=what,
        reason=Reason.CANNOT,
        detail=detail,
    )


def _once(facts: list[AnyFact]) -> list[AnyFact]:
    """What every run says alike (gaps of the machine) is said once."""
    seen: set[tuple[str, str, str]] = set()
    kept: list[AnyFact] = []
    for fact in facts:
        if isinstance(fact, Unread):
            key = (fact.what, fact.reason.value, fact.detail)
            if key in seen:
                continue
            seen.add(key)
        kept.append(fact)
    return kept
