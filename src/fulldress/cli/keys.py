"""``fulldress keys matrix`` and ``fulldress keys grep PATTERN``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fulldress.catalog.keys import Row


@click.group(short_help="The matrix of configuration keys, one plain line per key and version.")
def command() -> None:
    """What became of every configuration key, one line per key and version, separated by tabs.

    Columns: component, version, key, fate, default, what is known of it, where it stands. The lines come from every
    package that was ever inspected, from their differences, and from the records in matrices/.
    """


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.argument("packages", nargs=-1, type=click.Path(path_type=Path, exists=True), metavar="[PACKAGE]..."),
            click.option(
                "-p", "--production", type=click.Path(path_type=Path, exists=True), help="Folder with production.toml."
            ),
            click.option(
                "--store",
                type=click.Path(path_type=Path),
                envvar="FULLDRESS_STORE",
                help="Where inspected packages are remembered.",
            ),
            click.option("--json", "as_json", is_flag=True, help="Rows as JSON."),
        )
    ):
        function = option(function)
    return function


@command.command()
@_options
@click.option("--all", "everything", is_flag=True, help="Also keys of which nothing but their default is known.")
def matrix(
    packages: tuple[Path, ...], production: Path | None, store: Path | None, as_json: bool, everything: bool
) -> int:
    """All keys and their fates. PACKAGEs are read and remembered first."""
    rows = _rows(packages, production, store)
    shown = [row for row in rows if everything or row.fate != "listed"]
    hidden = len(rows) - len(shown)
    if hidden and not as_json:
        click.echo(f"{hidden} keys that are only listed are left out; --all shows them", err=True)
    return _print(rows, shown, as_json)


@command.command()
@click.argument("pattern")
@_options
def grep(pattern: str, packages: tuple[Path, ...], production: Path | None, store: Path | None, as_json: bool) -> int:
    """Lines that match PATTERN, a regular expression; letter case does not matter."""
    from fulldress.errors import UsageError

    try:
        wanted = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise UsageError(
            f'"{pattern}" is no regular expression ({error}). Put a \\ before . [ ( * + ? to mean it as it is.'
        ) from None
    from fulldress.catalog.keys import line

    rows = _rows(packages, production, store)
    return _print(rows, [row for row in rows if wanted.search(line(row))], as_json)


def _rows(packages: tuple[Path, ...], production: Path | None, store: Path | None) -> list[Row]:
    from fulldress.catalog import keys, records
    from fulldress.catalog.joining import released
    from fulldress.catalog.store import Store, default_folder

    kept = Store(store or default_folder())
    read = []
    for path in packages:
        from fulldress import package

        reading = package.read(path)
        kept.remember(reading.source, reading.name, reading.facts)
        read.append(reading.source)
        if released(reading.facts) is None:
            click.echo(f"{path}: says neither product nor version; its keys cannot be placed", err=True)
    known: list[Any] = []
    there: list[Any] = []
    if production is not None:
        from fulldress.production import load

        described = load(production)
        known, there = records.load(described.matrices), described.facts()
    return keys.matrix((entry.facts for entry in kept.all()), known, there)


def _print(rows: list[Row], shown: list[Row], as_json: bool) -> int:
    from fulldress.catalog.keys import line

    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(shown))
    else:
        for row in shown:
            click.echo(line(row))
    if not rows:
        click.echo("no package has been remembered and no record speaks of keys; name a PACKAGE, or -p", err=True)
        return 3
    if not shown:
        click.echo(f"none of {len(rows)} lines", err=True)
    return 0
