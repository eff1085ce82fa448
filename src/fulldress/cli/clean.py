"""``fulldress clean -p DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fulldress.cli import options

if TYPE_CHECKING:
    from fulldress.case import Case
    from fulldress.cleanup import Removal, Thing


@click.command(short_help="Remove flags, webhooks and credentials, and verify that they are gone.")
@options.production
@click.option(
    "--case", "name", default="", help="Folder of the case, or the package's sha256; not needed for a single case."
)
@options.case_store
@click.option("--ledger", "path", type=click.Path(path_type=Path), help="Another ledger than the case's own.")
@click.option(
    "--adopt",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Facts (JSON) whose flags, webhooks and credentials are entered first.",
)
@click.option("--list", "only_list", is_flag=True, help="Show the ledger and remove nothing.")
@click.option("--expired", is_flag=True, help="Only what is past its end date.")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option("--json", "as_json", is_flag=True, help="The ledger, or what became of each thing, as JSON.")
def command(
    folder: Path,
    name: str,
    cases: Path,
    path: Path | None,
    adopt: Path | None,
    only_list: bool,
    expired: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Remove what the ledger holds and look whether each is gone, by a question that would show it.

    What nobody can revoke is said to be so, with its end date. Exit code 0: all are gone; 1: something is still there;
    3: something cannot be told, or only ends later.
    """
    from datetime import UTC, datetime

    import msgspec

    from fulldress import facts
    from fulldress.cleanup import Ledger, clean
    from fulldress.cli import dday
    from fulldress.errors import UsageError
    from fulldress.production import load

    production, case = load(folder), _case(cases, name)
    now = datetime.now(UTC)
    with Ledger(path or case.folder / "ledger.db") as ledger:
        ledger.chain.verify()
        if adopt:
            try:
                ledger.adopt(facts.decode(adopt.read_bytes()))
            except (msgspec.ValidationError, msgspec.DecodeError) as error:
                raise UsageError(f"{adopt}: not a file of facts ({error})") from error
        things = [t for t in ledger.things() if not expired or t.overdue(now)]
        if only_list:
            _list(things, now, as_json)
            return 1 if any(t.open for t in things) else 0
        todo = [t for t in things if t.open]
        if todo and not dday.confirm("Remove " + ", ".join(f"{t.kind} {t.name}" for t in todo), yes=yes):
            return 1
        venue = dday.venue(production, case, yes=yes)
        wanted = {(t.kind, t.name, t.where) for t in todo}
        removals = list(clean(ledger, venue, only=lambda t: (t.kind, t.name, t.where) in wanted))
    case.append(
        "cleaned",
        {
            "removals": [
                {"kind": r.thing.kind, "name": r.thing.name, "outcome": r.outcome, "words": r.words} for r in removals
            ]
        },
    )
    return _shown(removals, as_json)


def _case(cases: Path, name: str) -> Case:
    from fulldress.case import Store
    from fulldress.errors import UsageError

    store = Store(cases)
    if name:
        return store.get(name, name)
    found = store.cases()
    if len(found) != 1:
        raise UsageError(f"{cases}: {len(found)} cases. Name one with --case")
    return found[0]


def _list(things: list[Thing], now: object, as_json: bool) -> None:
    import msgspec

    if as_json:
        click.echo(msgspec.json.encode(things))
        return
    for thing in things:
        ends = f"  expires {thing.expires:%Y-%m-%d %H:%M}Z" if thing.expires else "  no end date"
        owner = f"  owner {thing.owner}" if thing.owner else "  no owner"
        click.echo(f"{thing.state:12} {thing.kind:8} {thing.name} @ {thing.where or '(place unknown)'}{owner}{ends}")
    if not things:
        click.echo("the ledger is empty", err=True)


def _shown(removals: list[Removal], as_json: bool) -> int:
    import msgspec

    from fulldress.findings import Outcome

    if as_json:
        click.echo(msgspec.json.encode(removals))
    else:
        for r in removals:
            word = {Outcome.PASS: "gone", Outcome.FAIL: "STILL THERE", Outcome.UNKNOWN: "unknown"}[r.outcome]
            word = "stays" if r.irrevocable else word
            click.echo(f"{word:12} {r.thing.kind:8} {r.thing.name}: {r.words}")
        if not removals:
            click.echo("nothing in the ledger is open", err=True)
    outcomes = {r.outcome for r in removals}
    return 1 if Outcome.FAIL in outcomes else 3 if Outcome.UNKNOWN in outcomes else 0
