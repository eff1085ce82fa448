"""``fulldress inventory`` and ``fulldress inventory collect``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click


@click.group(invoke_without_command=True, short_help="What is installed and what runs.")
@click.option(
    "-p", "--production", "folder", metavar="DIR", type=click.Path(path_type=Path), default=Path("production"),
    help="Folder with production.toml.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Every package, not only the components of production.toml.")
@click.option("--json", "as_json", is_flag=True, help="Facts as JSON.")
@click.pass_context
def command(context: click.Context, folder: Path, everything: bool, as_json: bool) -> int:
    """What the inventories of production say: installed, and running.

    Exit code 3 when an inventory could not be read in full.
    """
    if context.invoked_subcommand:
        return 0
    from fulldress import facts, production

    described = production.load(folder)
    found = [
        fact
        for fact in [*described.inventory(), *described.missing()]
        if isinstance(fact, (facts.Installed, facts.Running))
        or (isinstance(fact, facts.Unread) and fact.what.startswith("inventory"))
    ]
    gaps = [fact for fact in found if isinstance(fact, facts.Unread)]
    if as_json:
        click.echo(facts.encode(found))
        return 3 if any(gap.needed for gap in gaps) else 0
    _show(found, set(described.description.components), everything)
    for gap in gaps:
        click.echo(f"not read: {gap.evidence.where()}: {gap.reason.value}: {gap.detail}", err=True)
    return 3 if any(gap.needed for gap in gaps) else 0


def _show(found: Sequence[object], components: set[str], everything: bool) -> None:
    """One line per component and host; where installed and running differ, it says so."""
    from fulldress.facts import Installed, Running

    rows: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for fact in found:
        if isinstance(fact, (Installed, Running)):
            row = rows.setdefault((fact.component, fact.host), (set(), set()))
            row[isinstance(fact, Running)].add(fact.version)
    shown = {key: row for key, row in rows.items() if everything or key[0] in components or row[1]}
    if shown:
        _lines([(*key, _words(row[0]), _words(row[1]), _verdict(*row)) for key, row in sorted(shown.items())])
    hidden = len(rows) - len(shown)
    if hidden:
        click.echo(f"{hidden} more packages are installed; --all lists them", err=True)
    missing = sorted(components - {key[0] for key in rows})
    if missing:
        click.echo(f"no inventory lists: {', '.join(missing)}", err=True)


def _words(versions: set[str]) -> str:
    return ", ".join(sorted(versions)) or "–"


def _verdict(installed: set[str], running: set[str]) -> str:
    return "differs" if installed and running and installed != running else ""


def _lines(rows: Sequence[tuple[str, ...]]) -> None:
    table = [("component", "host", "installed", "running", ""), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True))
        click.echo("  ".join(cells).rstrip())


@command.command("collect")
@click.option("--json", "as_json", is_flag=True, help="JSON, to be kept as inventory/HOST.json.")
@click.option("--all", "everything", is_flag=True, help="Also packages of which nothing runs.")
def collect(as_json: bool, everything: bool) -> int:
    """What is installed and what runs on this host.

    Reads dpkg's database and /proc, writes nothing. A program whose file was replaced since it started is marked: it
    still runs what was there before. As an ordinary user it sees only that user's processes, and says so.
    """
    import msgspec

    from fulldress.production.inventory import collect as collector

    inventory = collector.collect()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(inventory), indent=1))
    else:
        rows = [
            (item.component, inventory.host, item.version,
             "replaced" if item.replaced else item.version if item.running else "–",
             "runs what was there before" if item.replaced else "")
            for item in inventory.items if everything or item.running
        ]  # fmt: skip
        _lines(rows)
        for stray in inventory.strays:
            note = "; its file was replaced since" if stray.replaced else ""
            times = f" × {stray.processes}" if stray.processes > 1 else ""
            click.echo(f"of no package: {stray.program}{times}{note}")
        hidden = len(inventory.items) - len(rows)
        if hidden:
            click.echo(f"{hidden} more packages are installed; --all lists them", err=True)
    for gap in inventory.unread:
        click.echo(f"not read: {gap}", err=True)
    return 3 if not inventory.items else 0
