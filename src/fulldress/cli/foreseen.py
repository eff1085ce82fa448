"""What the database instruments foresee: options, the command ``fulldress database preflight``, and lines on the screen."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fulldress.cli import measured, sources
from fulldress.cli.sources import Chosen

if TYPE_CHECKING:
    from fulldress.database.postgres import Clone
    from fulldress.database.postgres.preflight.reading import Reader
    from fulldress.facts import AnyFact

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ASK_FOR = "Seconds that one question of the pre-flight may take."


class Ahead:
    """What the options said, and what the run has to keep for it."""

    def __init__(
        self,
        *,
        preflight: bool,
        seconds: float,
        free: str | None,
        sizes: str | None,
        runs: int,
        production_rows: Path | None,
        production_size: str | None,
    ) -> None:
        self.preflight = preflight
        self.seconds = seconds
        self.free = _bytes(free, "--free")
        self.shares = shares(sizes)
        self.runs = runs
        self.production_rows = production_rows
        self.production_size = _bytes(production_size, "--production-size")
        self._before: Any = None
        self._factor = 1.0

    @property
    def needs_copy(self) -> bool:
        """Whether the state before the run is needed after it."""
        return bool(self.shares)

    def before(
        self, clone: Clone, chosen: Chosen, scripts: Sequence[tuple[str, str]], texts: Mapping[str, str]
    ) -> list[AnyFact]:
        """Ahead of the run: pre-flight, and sizes for the room it needs."""
        from fulldress.database.postgres.preflight import briefing, space

        self._before = space.sizes(clone)
        if self.production_size:
            self._factor = self.production_size / max(_size(clone), 1)
        if not self.preflight:
            return []
        click.echo("   pre-flight …", err=True)
        reader = production(clone, chosen)
        return briefing.scripts(clone, scripts, siblings=texts, production=reader, seconds=self.seconds)

    def after(self, clone: Clone, facts: Sequence[AnyFact]) -> list[AnyFact]:
        """The room that the run needed."""
        from fulldress.database.postgres.preflight import space

        basis = "the sizes on the copy"
        if self._factor > 1:
            basis += f", times {self._factor:,.1f} for production's size"
        return [
            *space.room(
                facts, self._before, space.sizes(clone), free=self.free, scale=max(self._factor, 1.0), basis=basis
            )
        ]

    def scale(
        self, before: Clone, chosen: Chosen, scripts: Sequence[tuple[str, str]], texts: Mapping[str, str]
    ) -> list[AnyFact]:
        """The run again at each size; ``before`` is the state before it."""
        if not self.shares:
            return []
        from fulldress.database.postgres import scale

        rows = _rows_of(self.production_rows) if self.production_rows else None
        return scale.rehearse(
            before,
            scripts,
            shares=self.shares,
            production=rows,
            factor=max(self._factor, 1.0),
            siblings=texts,
            runs=self.runs,
            tell=lambda words: click.echo(f"  scale {words} …", err=True),
        )


def options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options of :class:`Ahead`; the command takes them as ``ahead``."""

    @functools.wraps(function)
    def wrapped(
        *args: Any, no_preflight: bool, seconds: float, free: str | None, sizes: str | None, runs: int,
        production_rows: Path | None, production_size: str | None, **rest: Any,
    ) -> Any:  # fmt: skip
        ahead = Ahead(
            preflight=not no_preflight, seconds=seconds, free=free, sizes=sizes, runs=runs,
            production_rows=production_rows, production_size=production_size,
        )  # fmt: skip
        return function(*args, ahead=ahead, **rest)

    made: Any = wrapped
    for option in (
        click.option("--production-size", metavar="SIZE", help="Of production's database, e.g. '80 GiB', where the copy is smaller."),
        click.option("--production-rows", type=_FILE, help='Rows in production by table: JSON {"orders": 35000000}, or a file of capture.'),
        click.option("--runs", type=click.IntRange(1, 100), default=3, show_default=True, help="How many times at each of --sizes."),
        click.option("--sizes", metavar="10,50,100", help="Also rehearse at these percentages of the rows, and tell how long it takes at production's size."),
        click.option("--free", metavar="SIZE", help="Free space where production's data lies, e.g. '40 GiB'."),
        click.option("--seconds", type=click.FloatRange(0.1), default=60.0, show_default=True, help=_ASK_FOR),
        click.option("--no-preflight", is_flag=True, help="Do not look for rows in the way first."),
    ):  # fmt: skip
        made = option(made)
    return made  # type: ignore[no-any-return]


@click.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--seconds", type=click.FloatRange(0.1), default=60.0, show_default=True, help=_ASK_FOR)
@sources.options
@measured.results
def preflight(results: measured.Results, files: tuple[Path, ...], seconds: float, chosen: Chosen, as_json: bool) -> int:
    """Ask a copy for rows on which the FILES would fail, and for what an earlier upgrade left half done.

    FILES run in the given order on a copy, as far as the last statement that rows can break. Files of the history may be
    among them: those that the migration tool's own records hold are compared with the schema. With --url, production is
    also asked for invalid indexes, sort orders whose library changed, limits of time, and who keeps its WAL.

    Exit code 0: nothing is in the way; 1: a finding is as severe as --fail-on; 3: something could not be asked.
    """
    from fulldress.database.postgres.preflight import briefing

    texts = {str(path): path.read_bytes().decode(errors="replace") for path in files}
    with chosen.clone() as clone:
        beside = {path.name: texts[str(path)] for path in files}
        facts = briefing.scripts(
            clone, list(texts.items()), siblings=beside, production=production(clone, chosen), seconds=seconds
        )
        facts += clone.unread
    return results.tell(facts, as_json, "", texts)


def production(clone: Clone, chosen: Chosen) -> Reader | None:
    """How to ask production, where it was named."""
    from fulldress.database.postgres.preflight import reading

    url = chosen.origin().url
    return reading.of_url(clone.server.installation, url) if url else None


def show(facts: Sequence[AnyFact]) -> None:
    """Lines on the screen: what was asked, the room needed, and the bands."""
    from fulldress.facts import Forecast, Preflight, Room

    asked = [fact for fact in facts if isinstance(fact, Preflight)]
    if asked:
        bad = sum(fact.offending > 0 for fact in asked)
        rows = f"{bad} find rows in the way" if bad else "no row is in the way"
        click.echo(f"pre-flight: {len(asked)} question{'s' * (len(asked) != 1)} asked of the copy's rows: {rows}")
    room = [f"{fact.what} {_shown(fact.needed)}" for fact in facts if isinstance(fact, Room) and fact.needed]
    if room:
        click.echo(f"room needed: {', '.join(room)}")
    for fact in facts:
        if isinstance(fact, Forecast) and fact.low is not None and fact.high is not None:
            band = f"{_clock(fact.low.total_seconds())} to {_clock(fact.high.total_seconds())}"
            what = fact.statement or fact.migration or "all migrations"
            what = what if len(what) <= 60 else what[:59] + "…"
            runs = f"{fact.model}, {fact.level:.0%}, n = {len(fact.samples)}"
            where = f" at {fact.rows:,} rows" + (f" of {fact.table}" if fact.table else "") if fact.statement else ""
            click.echo(f"forecast: {band}{where} ({runs}): {what}")


def shares(text: str | None) -> tuple[float, ...]:
    """``10,50,100`` as parts of one, smallest first."""
    from fulldress.errors import UsageError

    if not text:
        return ()
    try:
        found = tuple(sorted({float(part.strip().rstrip("%")) / 100 for part in text.split(",")}))
    except ValueError:
        found = ()
    if not found or not all(0 < share <= 1 for share in found):
        raise UsageError(f'--sizes takes percentages from above 0 up to 100, e.g. 10,50,100, not "{text}".')
    return found


def _bytes(text: str | None, option: str) -> int | None:
    from fulldress.errors import UsageError
    from fulldress.production.load import parse_size

    if text is None:
        return None
    try:
        return parse_size(text)
    except ValueError:
        raise UsageError(f'{option} takes a size such as "40 GiB", not "{text}".') from None


def _rows_of(path: Path) -> dict[str, int]:
    """Rows by table, from plain JSON or from what ``database capture`` wrote."""
    import msgspec

    from fulldress.errors import UsageError

    try:
        found = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, OSError) as error:
        raise UsageError(f"{path}: no JSON ({error}).") from error
    if isinstance(found, dict) and isinstance(found.get("tables"), list):
        rows = {str(one.get("name")): one.get("rows") for one in found["tables"] if isinstance(one, dict)}
        return {name.removeprefix("public."): int(count) for name, count in rows.items() if count is not None}
    if not isinstance(found, dict) or not all(isinstance(count, int) for count in found.values()):
        raise UsageError(f'{path}: write it as {{"orders": 35000000, "lines": 120000000}}.')
    return {str(name): int(count) for name, count in found.items()}


def _size(clone: Clone) -> int:
    with clone.session() as line:
        return int(str(line.rows("SELECT pg_database_size(current_database())")[0][0]))


def _shown(number: int) -> str:
    from fulldress.report.words import size

    return size(number)


def _clock(seconds: float) -> str:
    return (
        measured.seconds(seconds)
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )
