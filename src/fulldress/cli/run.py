"""``fulldress run RUNBOOK -p DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fulldress.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from fulldress.case import Case
    from fulldress.production import Production
    from fulldress.runbook.steps import Runbook


@click.command(short_help="Carry out in production exactly what was rehearsed.")
@click.argument("runbook", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.production
@click.option(
    "--package", "package_path", type=click.Path(path_type=Path), help="The package, where the case does not know it."
)
@options.case_store
@click.option("--settle", multiple=True, metavar="STEP=done|undone", help="Your word on a step that was cut off.")
@click.option("--on-stage", is_flag=True, help="Practise: the same run with the same refusals, on a stage.")
@click.option("--yes", is_flag=True, help="Confirm the start, and every step that a person confirms.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON.")
def command(
    runbook: Path,
    folder: Path,
    package_path: Path | None,
    cases: Path,
    settle: tuple[str, ...],
    on_stage: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Carry out RUNBOOK on this host. A run that was cut off is taken up where it ended; nothing is done twice.

    Refused unless this very runbook, with this very package, was rehearsed and ended GO. A failed gate takes the run back
    by itself; an unknown one stops it. Exit code 0: done; 1: failed; 3: stopped, unknown.
    """
    from fulldress.case import Store
    from fulldress.cleanup import Ledger
    from fulldress.cli import dday
    from fulldress.engine import Engine, Journal
    from fulldress.package import lay_out
    from fulldress.production import load
    from fulldress.runbook import freeze

    book = dday.read_runbook(runbook)
    production, frozen = load(folder), freeze(book)
    case = Store(cases).get(book.runbook.package, book.runbook.package_name)
    refuse_unrehearsed(book, frozen, runbook, case)
    words = dday.settlements(settle)
    source = dday.find_package(book, runbook, case, package_path)
    with dday.opened_package(source, book.runbook.package) as entries:
        what = f"{len(book.step)} steps of {runbook.name} ({frozen[:12]}) at {production.description.name}"
        if not dday.confirm(what, yes=yes):
            return 1
        if on_stage:
            return _practise(book, production, source, case, entries, as_json)
        root = case.folder / "package"
        root.mkdir(mode=0o700, exist_ok=True)
        for gap in lay_out(source, root):
            click.echo(f"not laid out: {gap.what}: {gap.reason.value} {gap.detail}".rstrip(), err=True)
        venue = dday.venue(production, case, yes=yes, package_root=root)
        place = dday.journal_path(case, fresh=True)
        with Journal(place) as journal, Ledger(case.folder / "ledger.db") as ledger, dday.between_steps() as stop:
            engine = Engine(
                book, venue, journal, entries=entries, on_event=dday.screen(case), register=ledger, stop=stop
            )
            for step, done in words.items():
                engine.settle(step, done)
            case.append("run-started", {"frozen": frozen, "journal": place.name, "state": journal.state})
            outcome = engine.run()
    case.append("run-ended", {"frozen": frozen, "journal": place.name, "outcome": outcome.outcome, "why": outcome.why})
    return dday.show(outcome, as_json, "run")


def _practise(
    book: Runbook,
    production: Production,
    source: Path,
    case: Case,
    entries: Callable[[str], bytes],
    as_json: bool,
) -> int:
    """The run as on D-day, on a stage that is thrown away afterwards. Production is only read, no ledger is kept."""
    import tempfile

    from fulldress.cli import dday
    from fulldress.engine import Engine, Journal
    from fulldress.rehearsal import Options, practice

    with (
        practice(production, source, Options()) as world,
        tempfile.TemporaryDirectory(prefix="fulldress-") as folder,
        Journal(Path(folder) / "run.db") as journal,
        dday.between_steps() as stop,
    ):
        outcome = Engine(book, world.stage, journal, entries=entries, on_event=dday.screen(case), stop=stop).run()
    return dday.show(outcome, as_json, "run on the stage")


def refuse_unrehearsed(book: Runbook, frozen: str, path: Path, case: Case) -> None:
    """Raises :class:`~fulldress.errors.NotRehearsed` or :class:`~fulldress.errors.NotApproved`."""
    from fulldress.errors import NotApproved, NotRehearsed

    case.verify()
    rehearsals = case.rehearsals(frozen)
    if not rehearsals:
        others = {str(e.data.get("frozen", ""))[:12] for e in case.events("rehearsed")}
        why = (
            f"digest {frozen[:12]} is none of {', '.join(sorted(others))}" if others else "its case holds no rehearsal"
        )
        raise NotRehearsed(what=str(path), why=why, remedy=f"fulldress rehearse {path}")
    verdict = str(rehearsals[-1].data.get("verdict", "UNKNOWN"))
    if verdict not in ("GO", "pass"):
        raise NotRehearsed(
            what=str(path),
            why=f"its last rehearsal ended {verdict}",
            remedy="take up the remedies, or waive what is left, and rehearse again",
        )
    needed = max(
        (int(e.data.get("approvals", 0)) for e in case.events("frozen") if e.data.get("frozen") == frozen), default=0
    )
    have = case.approvals(frozen)
    if len(have) < needed:
        raise NotApproved(frozen=frozen[:12], have=len(have), need=needed, path=path)
