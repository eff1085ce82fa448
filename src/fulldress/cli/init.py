"""``fulldress init [DIR]``."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(short_help="Write a commented production.toml beside the folders it names.")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False), default=Path("production"))
@click.option("--json", "as_json", is_flag=True, help="List what was written as JSON.")
def command(folder: Path, as_json: bool) -> int:
    """Write production.toml and the folders it names. What is there already is never overwritten.

    DIR is "production" unless you name another.
    """
    from fulldress.production import template

    written = template.write(folder)
    if as_json:
        click.echo(json.dumps([str(path) for path in written]))
        return 0
    for path in written:
        if path.name != "_about.txt":
            click.echo(f"{path}{'/' if path.is_dir() else ''}")
    click.echo(f"Fill in {written[0]}, then: fulldress check PACKAGE -p {folder}", err=True)
    return 0
