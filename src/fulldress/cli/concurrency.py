"""Options that try a migration among others: twice at once, behind long readers and writers, killed half-way."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fulldress.database.postgres import Clone
    from fulldress.database.postgres.jobs import Job
    from fulldress.facts import AnyFact

_LIMIT = 600.0  #: seconds for each run of what is tried, where --limit says nothing


class Checks:
    """What was asked for."""

    def __init__(self, twice: bool, crowd: bool, interrupt: bool, cuts: int, budget: float, cut_seed: int) -> None:
        self.twice = twice
        self.crowd = crowd
        self.interrupt = interrupt
        self._cuts, self._budget, self._seed = cuts, budget, cut_seed

    @property
    def wanted(self) -> bool:
        return self.twice or self.crowd or self.interrupt

    def facts(self, before: Clone, job: Job, limit: float | None) -> list[AnyFact]:
        """``before``: a copy of the database as it is before the migration; it stays so."""
        from fulldress.database.postgres.crowd import crowd
        from fulldress.database.postgres.interruption import interrupt
        from fulldress.database.postgres.runners import twice

        found: list[AnyFact] = []
        most = limit or _LIMIT
        if self.twice:
            click.echo("two runners at once …", err=True)
            found.append(twice(before.copy, job, limit=most))
        if self.crowd:
            click.echo("behind a long reader, and a long writer …", err=True)
            found += crowd(before.copy, job, limit=most)
        if self.interrupt:
            click.echo(f"killed at up to {self._cuts} places …", err=True)
            found += interrupt(
                before.copy, job, most=self._cuts, budget=self._budget, seed=self._seed, limit=most
            )  # fmt: skip
        return found


def job(program: Sequence[str], files: Sequence[Path], texts: Mapping[str, str]) -> Job:
    """The command, or the files in their order."""
    from fulldress.database.postgres.jobs import Files, Program

    return Program(program) if program else Files([(path.name, texts[path.name]) for path in files], texts)


def options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of :class:`Checks`; the command takes them as ``checks``."""

    @functools.wraps(function)
    def wrapped(
        *args: Any, twice: bool, crowd: bool, interrupt: bool, cuts: int, budget: float, cut_seed: int, **rest: Any
    ) -> Any:
        return function(*args, checks=Checks(twice, crowd, interrupt, cuts, budget, cut_seed), **rest)

    for option in (
        click.option("--cut-seed", type=int, default=0, show_default=True, help="With --interrupt: another sample."),
        click.option(
            "--budget",
            type=float,
            default=120.0,
            show_default=True,
            metavar="SECONDS",
            help="With --interrupt: begin no cut after so long.",
        ),
        click.option(
            "--cuts",
            type=click.IntRange(min=1),
            default=50,
            show_default=True,
            help="With --interrupt: try at most so many places.",
        ),
        click.option("--interrupt", is_flag=True, help="Also kill the migration at every statement."),
        click.option("--crowd", is_flag=True, help="Also run it behind a long reader, and behind a long writer."),
        click.option("--twice", is_flag=True, help="Also start the migration twice at once."),
    ):
        wrapped = option(wrapped)
    return wrapped


def show(facts: Sequence[AnyFact]) -> None:
    """What was tried, in lines."""
    from fulldress.facts import Interruption, Obstruction, Overreach, Runners

    for fact in facts:
        if isinstance(fact, Runners):
            lock = f" [{fact.lock}; the loser {fact.loser}]" if fact.lock else ""
            click.echo(f"two runners at once: {fact.outcome}{lock}: {fact.detail}")
        elif isinstance(fact, Obstruction):
            click.echo(f"behind a long {fact.kind} of {', '.join(fact.tables)}: {_obstruction(fact)}")
        elif isinstance(fact, Overreach):
            click.echo(f"reaches beyond the database ({fact.kind}, {fact.outcome}): {fact.statement}")
    cuts = [fact for fact in facts if isinstance(fact, Interruption)]
    for outcome in ("rolled back", "resumable", "broken", "unknown"):
        same = [fact for fact in cuts if fact.outcome == outcome]
        if same:
            click.echo(f"killed at {len(same)} of {len(cuts)} places: {outcome}")
        for cut in same if outcome in ("broken", "unknown") else ():
            click.echo(f"{'':4}{cut.moment} statement {cut.number}, {cut.statement}: {cut.detail}")


def _obstruction(fact: Any) -> str:
    words = [f"{fact.outcome}, {fact.state}"]
    if fact.waited.total_seconds() > 0:
        words.append(f"waited {fact.waited.total_seconds():.1f} s")
    if fact.victims:
        words.append(f"{', '.join(fact.victims)} stood still for up to {fact.worst.total_seconds():.1f} s")
    return "; ".join([*words, fact.detail] if fact.detail else words)
