"""The options that say what a database instrument works on, and the clone they lead to."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fulldress.cli.engines import Engine
    from fulldress.database.postgres import Clone, Installation
    from fulldress.database.postgres.origin import Origin

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_EITHER = click.Path(exists=True, path_type=Path)
_OPTIONS = (
    click.option("--url", help="Clone from a running server: postgresql://user@host/name, mysql://…, mariadb://…. Never written to."),
    click.option("--dump", type=_EITHER, help="Clone from what pg_dump wrote (plain, .gz, custom, tar, folder), or mariadb-dump, mysqldump, sqlite3."),
    click.option("--data", type=_FOLDER, help="Clone from a data directory or a base backup; it is copied first."),
    click.option("--stand-in", type=_FILE, help="Made-up rows by a file of fulldress database capture."),
    click.option("--database", metavar="NAME", help="Which database of --data; needed where it holds several."),
    click.option("--scale", type=click.FloatRange(min=0, min_open=True), help="With --stand-in: part of production's rows; default 1."),
    click.option("--rows", type=click.IntRange(min=1), help="With --stand-in: at most so many rows in all; default 5000000."),
    click.option("--seed", type=int, help="With --stand-in: other made-up rows; default 1."),
    click.option("--major", type=int, help="Production's major version; asked of the source where it can tell."),
    click.option("--pg-bin", type=click.Path(path_type=Path), help="Folder of PostgreSQL's programs to use."),
    click.option("--sqlite", type=_FILE, help="Copy from the file of a SQLite database; no byte of it changes."),
    click.option("--mysql-bin", type=click.Path(path_type=Path), help="Folder of MariaDB's or MySQL's programs to use."),
    click.option("--json", "as_json", is_flag=True, help="Facts as JSON on stdout."),
)  # fmt: skip


class Chosen:
    """What the options said; :meth:`clone` opens it."""

    def __init__(self, major: int | None, pg_bin: Path | None, **origin: Any) -> None:
        self.major = major
        self.pg_bin = pg_bin
        self._sqlite, self._mysql_bin = origin.pop("sqlite", None), origin.pop("mysql_bin", None)
        self._origin = {key: value for key, value in origin.items() if value is not None}

    def origin(self) -> Origin:
        from fulldress.database.postgres.origin import Origin
        from fulldress.errors import UsageError

        if self.engine() is not None:
            raise UsageError("This works on PostgreSQL alone. For MariaDB, MySQL and SQLite there are trace and prove.")
        given = [key for key in ("url", "dump", "data", "stand_in") if key in self._origin]
        if len(given) > 1:
            raise UsageError(f"Give one of {' and '.join('--' + key.replace('_', '-') for key in given)}, not both.")
        for key, needs in (("scale", "stand_in"), ("rows", "stand_in"), ("seed", "stand_in"), ("database", "data")):
            if key in self._origin and needs not in self._origin:
                raise UsageError(f"--{key} is for --{needs.replace('_', '-')}.")
        return Origin(**self._origin)

    def engine(self) -> Engine | None:
        """What makes the copy where it is none of PostgreSQL."""
        from fulldress.cli import engines

        return engines.engine(self._origin.get("url"), self._origin.get("dump"), self._sqlite, self._mysql_bin)

    @contextmanager
    def clone(self) -> Iterator[Clone]:
        """A clone on a server of our own; both are gone afterwards."""
        from fulldress.database.postgres import origin as origins

        origin = self.origin()

        def talk(installation: Installation) -> None:
            _talk(installation, origin)

        with origins.opened(origin, pg_bin=self.pg_bin, major=self.major, talk=talk) as clone:
            yield clone


def options(function: Any) -> Any:
    """The options that say what to work on, as one argument ``chosen``, and ``as_json``."""

    @functools.wraps(function)
    def chosen(*args: Any, **rest: Any) -> Any:
        names = (
            "url",
            "dump",
            "data",
            "stand_in",
            "database",
            "scale",
            "rows",
            "seed",
            "major",
            "pg_bin",
            "sqlite",
            "mysql_bin",
        )
        return function(*args, chosen=Chosen(**{name: rest.pop(name) for name in names}), **rest)

    made: Any = chosen
    for option in reversed(_OPTIONS):
        made = option(made)
    return made


def _talk(installation: Installation, origin: Origin) -> None:
    click.echo(f"PostgreSQL {installation.version} ({installation.origin}), cloning {origin.words()}", err=True)
    if installation.warning:
        click.echo(f"WARNING: {installation.warning}", err=True)
