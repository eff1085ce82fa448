"""``fulldress api OLD NEW``."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fulldress.catalog.interface_changes import Affected
    from fulldress.facts import AnyFact, Use


@click.command(short_help="API changes joined with who called what in the access logs.")
@click.argument("old", type=click.Path(path_type=Path, exists=True))
@click.argument("new", type=click.Path(path_type=Path, exists=True))
@click.option(
    "-p",
    "--production",
    type=click.Path(path_type=Path, exists=True),
    help="Folder with production.toml; its access logs are read.",
)
@click.option("--all", "everything", is_flag=True, help="Also what was added or widened.")
@click.option("--json", "as_json", is_flag=True, help="Changes and their callers as JSON.")
def command(old: Path, new: Path, production: Path | None, everything: bool, as_json: bool) -> int:
    """What callers lose from OLD to NEW, and who calls it today.

    OLD and NEW are packages, or OpenAPI descriptions (JSON or YAML). Exit code 1 when an operation that is called today
    is removed or takes or returns less; 3 when something is lost and no log tells who calls it.
    """
    from fulldress.catalog import interface_changes
    from fulldress.errors import UsageError
    from fulldress.facts import Interface, InterfaceChange, Unread

    before, after = _facts(old), _facts(new)
    old_ones = [f for f in before if isinstance(f, Interface)]
    new_ones = [f for f in after if isinstance(f, Interface)]
    for path, found in ((old, old_ones), (new, new_ones)):
        if not found:
            raise UsageError(
                f"{path}: no API description in it. Give a package that holds one, or an OpenAPI document."
            )
    changes = list(interface_changes.compare(old_ones, new_ones))
    known = {(interface_changes.key(c.operation), c.kind) for c in changes}
    changes += [
        f for f in after if isinstance(f, InterfaceChange) and (interface_changes.key(f.operation), f.kind) not in known
    ]
    uses: list[Use] | None = None
    if production is not None:
        from fulldress.production import load

        uses = load(production).uses(tuple(i.operation for i in old_ones))
    rows = interface_changes.used(changes, uses or ())
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(rows))
    else:
        for gap in (f for f in (*before, *after) if isinstance(f, Unread) and "API description" in f.what):
            click.echo(f"not read: {gap.what}: {gap.detail}", err=True)
        _show(rows, uses, everything)
    if any(row.breaks for row in rows):
        return 1
    lost = any(row.change.kind in ("removed", "narrowed") for row in rows)
    return 3 if lost and not uses else 0


def _facts(path: Path) -> list[AnyFact]:
    """Facts of a package, or of one API description."""
    from fulldress import package

    if path.is_file() and path.suffix.lower() in (".json", ".yaml", ".yml"):
        from fulldress.errors import PackageUnreadable
        from fulldress.package.interfaces import openapi
        from fulldress.package.reader import Member

        data = path.read_bytes()
        member = Member(source=path.name, path=path.name, kind=path.suffix[1:], size=len(data), sha256="", data=data)
        if openapi.is_description(member.text):
            try:
                return list(openapi.read(member, member.text))
            except openapi.Unreadable as error:
                raise PackageUnreadable(path, f"not an API description: {error}") from None
        return []
    return package.read(path).facts


def _show(rows: list[Affected], uses: list[Use] | None, everything: bool) -> None:
    shown = [row for row in rows if everything or row.change.kind in ("removed", "narrowed", "deprecated")]
    for row in shown:
        click.echo(f" {row.change.kind:<10} {row.change.operation}")
        if row.change.detail:
            _say(row.change.detail)
        for use in row.uses:
            last = f"{use.last:%Y-%m-%d %H:%M}Z"
            _say(f"{use.per_day:,.0f} calls a day, last {last}, from {', '.join(use.clients)}")
        if uses and not row.uses:
            _say("no call in the access logs; monthly and yearly jobs may not be in them")
    broken = sum(row.breaks for row in rows)
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.change.kind] = counts.get(row.change.kind, 0) + 1
    click.echo(" " + (", ".join(f"{count} {kind}" for kind, count in counts.items()) or "no change"))
    if uses is None:
        click.echo(" who calls what was not asked: name the production folder with -p")
    elif not uses:
        click.echo(" who calls what is not known: no access log could be read")
    else:
        click.echo(
            f" breaks {broken} operation{'s' * (broken != 1)} that {'are' if broken != 1 else 'is'} called today"
            if broken
            else " breaks nothing that was seen to be called"
        )


def _say(text: str, indent: str = " " * 12) -> None:
    for line in textwrap.wrap(
        text, 79, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ):
        click.echo(line)
