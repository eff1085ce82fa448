"""``fulldress database prove``: there and back, the release first, then each step, then what is lost of later rows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fulldress.cli import engines, measured, sources
from fulldress.cli.sources import Chosen

if TYPE_CHECKING:
    from fulldress.database.postgres import Clone
    from fulldress.database.postgres.rows import Equality
    from fulldress.database.postgres.steps import Script, Step
    from fulldress.facts import AnyFact, Undo

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", required=False, type=_FOLDER)
@click.option("--since", metavar="NAME", help="With FOLDER: the last migration that the database has already.")
@click.option("--up", "ups", multiple=True, type=_FILE, help="A file of the upgrade, in order.")
@click.option("--down", "downs", multiple=True, type=_FILE, help="A file of the way back, in order.")
@click.option("--up-command", metavar="COMMAND", help='A program that upgrades, e.g. "alembic upgrade head".')
@click.option("--down-command", metavar="COMMAND", help='Takes it back, e.g. "alembic downgrade 4f3a".')
@click.option("--limit", type=float, metavar="SECONDS", help="End a program after so long; that counts as failed.")
@click.option("--steps/--no-steps", default=True, help="Also take each step there and back by itself.")
@click.option("--window/--no-window", default=True, help="Also count what each way back leaves of rows written later.")
@click.option("--after", type=_FILE, help="SQL that users write after the upgrade; else rows are made.")
@click.option(
    "--equality",
    type=click.Choice(["byte", "semantic"]),
    default="byte",
    show_default=True,
    help="What rows are compared by: the text that a client reads, or the types' own hashes, which are faster.",
)
@sources.options
@measured.results
def prove(
    results: measured.Results,
    folder: Path | None,
    since: str | None,
    ups: tuple[Path, ...],
    downs: tuple[Path, ...],
    up_command: str | None,
    down_command: str | None,
    limit: float | None,
    steps: bool,
    window: bool,
    after: Path | None,
    equality: Equality,
    chosen: Chosen,
    as_json: bool,
) -> int:
    """Go there and back on copies, and compare every row and every object with what was before.

    FOLDER holds migrations of any tool: golang-migrate, sqlx, diesel, goose, dbmate, sql-migrate, Flyway, Liquibase's SQL,
    numbered files. Or name the files with --up and --down, or programs with --up-command and --down-command.

    Where half of the tables are empty or more, five rows are made for each: a way back that loses rows shows only where
    there are some.

    Exit code 0: the release's way back restores; 1: it does not, a script fails, or a finding is as severe as --fail-on;
    3: something could not be measured.
    """
    from fulldress.database.postgres import steps as there_and_back
    from fulldress.database.postgres import survival
    from fulldress.errors import UsageError

    release, facts = _steps(folder, since, ups, downs, up_command, down_command, limit)
    if (other := chosen.engine()) is not None:
        if after is not None or equality != "byte":
            raise UsageError("--after and --equality semantic are for PostgreSQL.")
        observed, failed = engines.prove(other, release, steps=steps, say=_say)
        return results.tell([*facts, *observed], as_json, failed, _texts(release))
    with chosen.clone() as clone:
        click.echo(f"release: {len(release)} migrations there and back …", err=True)
        undo, found = there_and_back.release(clone, release, equality)
        facts += [undo, *found]
        _say(undo)
        if steps and len(release) > 1:
            for one in there_and_back.each(clone, release, equality):
                facts.append(one)
                _say(one)
        if window and undo.outcome != "unknown":
            click.echo("rows written after the upgrade, by every way back …", err=True)
            if after is None:
                facts += survival.ways(clone, release)
            else:
                text = after.read_text(errors="replace")
                facts += survival.ways(clone, release, lambda copy: _write(copy, after.name, text), "recorded")
        facts += clone.unread
        failed = undo.detail if undo.outcome in ("fails", "unknown") else ""
        return results.tell(facts, as_json, failed, _texts(release))


def _steps(
    folder: Path | None,
    since: str | None,
    ups: Sequence[Path],
    downs: Sequence[Path],
    up_command: str | None,
    down_command: str | None,
    limit: float | None,
) -> tuple[Sequence[Step], list[AnyFact]]:
    """The steps of the release, and what could not be read."""
    from fulldress.database.postgres import folder as folders
    from fulldress.database.postgres.steps import Command, Step
    from fulldress.errors import UsageError

    if sum(map(bool, (folder, ups or downs, up_command or down_command))) != 1:
        raise UsageError("Give a folder, or --up and --down files, or --up-command and --down-command.")
    if folder is not None:
        reading = folders.read(folder)
        release = list(reading.steps)
        if since:
            names = [step.name for step in release]
            at = next((i for i, name in enumerate(names) if since in (name, name.split("_")[0])), None)
            if at is None:
                raise UsageError(f"--since: {folder} has no migration {since}; the last are {', '.join(names[-3:])}")
            release = release[at + 1 :]
        if not release:
            raise UsageError(f"--since {since}: nothing comes after it in {folder}")
        return release, [_program(path) for path in reading.unread]
    if up_command:
        words = shlex.split(up_command), shlex.split(down_command or "")
        there = Command(name=words[0][0], words=tuple(words[0]), limit=limit)
        back = Command(name=words[1][0], words=tuple(words[1]), limit=limit) if words[1] else None
        return [Step(name=words[0][0], up=there, down=back)], []
    if not ups:
        raise UsageError("Give the way there, too: --up FILE, or --up-command.")
    return _pairs(ups, downs), []


def _program(path: str) -> AnyFact:
    from fulldress.facts import Evidence, Reason, Unread, Witness

    return Unread(
        witness=Witness.READ,
        evidence=Evidence(path=path),
        what=f"migration {path}",
        reason=Reason.CANNOT,
        detail="it is no SQL: run the tool itself with --up-command and --down-command",
        needed=True,
    )


def _pairs(ups: Sequence[Path], downs: Sequence[Path]) -> list[Step]:
    """The last way there is the first way back. Unequal numbers are one step: which belongs to which, nobody said."""
    from fulldress.database.postgres.steps import Step

    siblings = _beside([*ups, *downs])
    if len(ups) == len(downs):
        backs = list(reversed(downs))
        return [
            Step(name=up.stem, up=_script([up], siblings), down=_script([down], siblings))
            for up, down in zip(ups, backs, strict=True)
        ]
    if not downs:
        return [Step(name=up.stem, up=_script([up], siblings)) for up in ups]
    return [Step(name=ups[0].stem, up=_script(ups, siblings), down=_script(downs, siblings))]


def _script(paths: Sequence[Path], siblings: Mapping[str, str]) -> Script:
    from fulldress.database.postgres.steps import Script

    text = "\n".join(siblings[path.name] for path in paths)
    return Script(name=paths[0].name, path=str(paths[0]), text=text, siblings=siblings)


def _beside(files: Sequence[Path]) -> dict[str, str]:
    """Names and texts of the files and of those beside them, so that ``\\i`` finds what it names."""
    found: dict[str, str] = {}
    for path in files:
        for beside in path.parent.glob("*.sql"):
            if beside.is_file() and beside.stat().st_size < 64 << 20:
                found.setdefault(beside.name, beside.read_text(errors="replace"))
        found[path.name] = path.read_text(errors="replace")
    return found


def _write(clone: Clone, name: str, text: str) -> None:
    from fulldress.errors import UsageError
    from fulldress.findings import Outcome

    run = clone.execute(text, name=name, step="after")
    if run.outcome is not Outcome.PASS:
        raise UsageError(f"--after: {run.error}")


def _say(undo: Undo) -> None:
    took = f" {undo.duration.total_seconds():.3f} s" if undo.duration is not None else ""
    click.echo(f"{undo.granularity:>7} {undo.name}: {undo.outcome}{took}", err=True)


def _texts(release: Sequence[Step]) -> dict[str, str]:
    from fulldress.database.postgres.steps import Script

    return {step.up.name: step.up.text if isinstance(step.up, Script) else "" for step in release}
