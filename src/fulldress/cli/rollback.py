"""``fulldress rollback RUNBOOK -p DIR``."""

from __future__ import annotations

from pathlib import Path

import click

from fulldress.cli import options


@click.command(short_help="Take back a run, step by step, and prove it.")
@click.argument("runbook", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.production
@click.option(
    "--package", "package_path", type=click.Path(path_type=Path), help="The package, where the case does not know it."
)
@options.case_store
@click.option("--settle", multiple=True, metavar="STEP=done|undone", help="Your word on a step that was cut off.")
@click.option("--yes", is_flag=True, help="Confirm the start, and every step that a person confirms.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON.")
def command(
    runbook: Path,
    folder: Path,
    package_path: Path | None,
    cases: Path,
    settle: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> int:
    """Take back the last run of RUNBOOK, last step first, and look after each whether it is taken back.

    A file that somebody changed since is left as it is, and told. Exit code 0: everything is taken back; 1: something
    is not; 3: nothing shows whether it is.
    """
    from fulldress.case import Store
    from fulldress.cleanup import Ledger
    from fulldress.cli import dday
    from fulldress.engine import Engine, Journal
    from fulldress.errors import RunEnded
    from fulldress.production import load
    from fulldress.runbook import freeze

    book = dday.read_runbook(runbook)
    production, frozen = load(folder), freeze(book)
    case = Store(cases).get(book.runbook.package, book.runbook.package_name)
    place = dday.journal_path(case, fresh=False)
    if not place.exists():
        raise RunEnded(path=case.folder, how="never began", remedy="There is nothing to take back")
    words = dday.settlements(settle)
    with dday.opened_package(dday.find_package(book, runbook, case, package_path), book.runbook.package) as entries:
        if not dday.confirm(f"Take back {place.name} of {runbook.name} at {production.description.name}", yes=yes):
            return 1
        root = case.folder / "package"
        venue = dday.venue(production, case, yes=yes, package_root=root if root.exists() else None)
        with Journal(place) as journal, Ledger(case.folder / "ledger.db") as ledger:
            engine = Engine(book, venue, journal, entries=entries, on_event=dday.screen(case), register=ledger)
            journal.begin(frozen, venue.name)
            for step, done in words.items():
                engine.settle(step, done)
            outcome = engine.rollback()
    case.append(
        "rolled-back", {"frozen": frozen, "journal": place.name, "outcome": outcome.outcome, "why": outcome.why}
    )
    return dday.show(outcome, as_json, "rollback")
