"""``fulldress case open | show | verify | waive``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from fulldress.cli import options

_store = options.case_store
_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group(short_help="The record of one upgrade: open, show, waive, verify.")
def command() -> None:
    """The record of one upgrade: which bytes, who brought them, every verdict, approval and run. Append-only."""


@command.command("open")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--ticket", default="", help="Where the package turned up.")
@click.option("--brought-by", default="", help="Who brought it.")
@_store
@_json
def open_(package: Path, ticket: str, brought_by: str, cases: Path, as_json: bool) -> int:
    """Open a case for PACKAGE; a second time shows the one that is open."""
    from fulldress import package as packages
    from fulldress.case import Store
    from fulldress.facts import Release

    reading = packages.read(package)
    order = ("manifest", "control", "metadata", "file name", "binary")
    releases = sorted(
        (f for f in reading.facts if isinstance(f, Release) and f.product),
        key=lambda f: order.index(f.aspect) if f.aspect in order else len(order),
    )
    label = f"{releases[0].product}-{releases[0].version}".strip("-") if releases else ""
    case = Store(cases).open_case(
        reading.source,
        reading.name,
        label=label,
        ticket=ticket,
        brought_by=brought_by,
        size=reading.size,
        path=str(package.resolve()),
    )
    if as_json:
        _echo({"folder": str(case.folder), "package": case.package, "name": case.name, "head": case.head})
    else:
        click.echo(f"{case.folder}  {case.name}  sha256 {case.package}")
    return 0


@command.command("show")
@click.argument("name", default="")
@_store
@_json
def show(name: str, cases: Path, as_json: bool) -> int:
    """Every event of a case, or the list of cases."""
    from fulldress.case import Store

    store = Store(cases)
    if not name and len(store.cases()) != 1:
        rows = [
            {"case": c.folder.name, "package": c.package, "name": c.name, "events": len(c.events())}
            for c in store.cases()
        ]
        if as_json:
            _echo(rows)
        for row in rows if not as_json else []:
            click.echo(f"{row['case']}  {row['name']}  sha256 {str(row['package'])[:12]}…  {row['events']} events")
        return 0
    case = store.get(name, name) if name else store.cases()[0]
    events = case.events()
    if as_json:
        _echo([{"number": e.number, "at": e.at, "kind": e.kind, "data": e.data, "hash": e.hash} for e in events])
        return 0
    click.echo(f"{case.folder.name}  {case.name}  sha256 {case.package}")
    for event in events:
        words = "  ".join(
            f"{key} {_short(value)}" for key, value in event.data.items() if value not in ("", None, [], {})
        )
        click.echo(f"{event.at:%Y-%m-%d %H:%M:%SZ}  {event.kind}  {words}".rstrip())
    return 0


@command.command("verify")
@click.argument("name")
@click.option("--head", default="", help="Hash that you noted earlier; it has to be in the chain still.")
@_store
@_json
def verify(name: str, head: str, cases: Path, as_json: bool) -> int:
    """Look whether every event is as it was written. Note the hash that is printed in the ticket."""
    from fulldress.case import Store

    case = Store(cases).get(name, name)
    count = case.verify(head)
    if as_json:
        _echo({"events": count, "head": case.head})
    else:
        click.echo(f"{count} events, all as they were written; head {case.head}")
    return 0


@command.command("waive")
@click.argument("rule")
@click.argument("subject")
@click.option("--who", required=True, help="Who accepts it.")
@click.option("--why", required=True, help="Why it may be accepted.")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Last day on which it holds.")
@click.option("--case", "name", default="", help="Folder of the case; not needed for a single case.")
@_store
@_json
def waive(rule: str, subject: str, who: str, why: str, until: datetime, name: str, cases: Path, as_json: bool) -> int:
    """Accept the finding RULE on SUBJECT ("*" for all of the rule), for these bytes of the package, until a date."""
    from fulldress.case import Store
    from fulldress.errors import UsageError

    store = Store(cases)
    found = [store.get(name, name)] if name else store.cases()
    if len(found) != 1:
        raise UsageError(f"{cases}: {len(found)} cases. Name one with --case")
    waiver = found[0].waive(rule, subject, who=who, why=why, until=until.date())
    if as_json:
        _echo(waiver)
    else:
        click.echo(f"{rule} {subject}: accepted by {who} until {waiver.until}, for package {waiver.package[:12]}… only")
    return 0


def _echo(value: Any) -> None:
    import msgspec

    click.echo(msgspec.json.encode(value))


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:24]}…" if " " not in text else f"{text[:59]}…"
