"""What ``run``, ``rollback`` and ``clean`` share: the package's bytes, production as a venue, the journal, the screen."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from fulldress.case import Case
    from fulldress.engine.events import Event, RunOutcome
    from fulldress.engine.venues.local import Local
    from fulldress.production import Production
    from fulldress.runbook.steps import Runbook

_WORDS = {
    "step-started": "begins",
    "step-ended": "ended",
    "gate": "gate",
    "undo-started": "takes back",
    "undo-ended": "taken back",
    "note": "note",
}


def read_runbook(path: Path) -> Runbook:
    from fulldress.errors import UsageError
    from fulldress.runbook.text import load

    try:
        return load(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a text file, and so no runbook") from error


@contextmanager
def opened_package(path: Path, expected: str) -> Iterator[Callable[[str], bytes]]:
    """Bytes by sha256 of the very package that the runbook is bound to.

    Raises :class:`~fulldress.errors.NotRehearsed` when the file holds other bytes."""
    from fulldress.errors import NotRehearsed, PackageEntryMissing, PackageNotFound
    from fulldress.package.reader import Options
    from fulldress.package.walk import Budget, Opened

    if not path.exists():
        raise PackageNotFound(path)
    with Opened(path, Budget(), Options()) as package:
        if package.source != expected:
            raise NotRehearsed(
                what=str(path),
                why=f"its digest is {package.source[:12]}…, the runbook is bound to {expected[:12]}…",
                remedy="give the file that was rehearsed with --package, or plan and rehearse this one",
            )
        names = {member.sha256: name for name, member in package.members.items() if member.sha256}

        def entry(sha256: str) -> bytes:
            if sha256 not in names:
                raise PackageEntryMissing(path, sha256)
            with package.open(names[sha256]) as stream:
                return stream.read()

        yield entry


def find_package(runbook: Runbook, runbook_path: Path, case: Case | None, given: Path | None) -> Path:
    """The package's file: as given, as the case knows it, or beside the runbook under its name."""
    from fulldress.errors import UsageError

    if given:
        return given
    events = reversed(case.events("opened", "checked", "drafted")) if case else ()
    known = next((str(e.data["path"]) for e in events if e.data.get("path")), "")
    beside = runbook_path.parent / runbook.runbook.package_name
    for path in (Path(known) if known else None, beside if runbook.runbook.package_name else None):
        if path is not None and path.exists():
            return path
    raise UsageError("where is the package? Name its file with --package")


def venue(production: Production, case: Case, *, yes: bool, package_root: Path | None = None) -> Local:
    """Production on this host."""
    from fulldress.database.postgres.split import split
    from fulldress.engine.venues.local import Local
    from fulldress.engine.venues.postgres import Postgres

    description = production.description
    return Local(
        description.name,
        folder=production.folder,
        databases={
            name: Postgres(database.url, folder=case.folder / "dumps", split=split, programs=_programs())
            for name, database in description.databases.items()
            if database.url
        },
        channels=description.channels,
        package_root=str(package_root.resolve()) if package_root else "",
        ask=lambda question: ask(question, yes=yes),
    )


def _programs() -> Path | None:
    """pg_dump and its kin of our own, for a host that has none on its PATH; None where nothing is installed."""
    from fulldress.database.postgres import resolve
    from fulldress.errors import DatabaseError

    try:
        return resolve().bin
    except DatabaseError:
        return None  # a step that needs one says so


def ask(question: str, *, yes: bool = False) -> bool | None:
    """A person's answer; None when nobody is there to ask. ``--yes`` answers for steps that were agreed on before."""
    if yes:
        click.echo(f"{question} yes (--yes)", err=True)
        return True
    if not sys.stdin.isatty():
        return None
    return click.confirm(question, err=True)


def confirm(what: str, *, yes: bool) -> bool:
    """Raises :class:`~fulldress.errors.NeedsYes` without a terminal."""
    from fulldress.errors import NeedsYes

    if yes:
        return True
    if not sys.stdin.isatty():
        raise NeedsYes(what=what)
    return click.confirm(f"{what}. Go on?", err=True)


def journal_path(case: Case, *, fresh: bool) -> Path:
    """``run-NN.db`` of the case: the last one, or with ``fresh`` the next one when the last was taken back."""
    from fulldress.engine.journal import Journal

    found = sorted(case.folder.glob("run-[0-9][0-9].db"))
    if not found:
        return case.folder / "run-01.db"
    if fresh:
        with Journal(found[-1], read_only=True) as journal:
            if journal.state == "rolled back":
                return case.folder / f"run-{len(found) + 1:02d}.db"
    return found[-1]


def screen(case: Case) -> Callable[[Event], None]:
    """Every event as one line on stderr and one line of ``status.jsonl`` in the case, for whoever watches."""
    from fulldress.facts import excerpt

    status = case.folder / "status.jsonl"

    def tell(event: Event) -> None:
        with status.open("ab") as stream:
            stream.write(msgspec.json.encode(event) + b"\n")
        outcome = f" {event.outcome.value}" if event.outcome else ""
        words = f"  {excerpt(event.detail, 100)}" if event.detail else ""
        click.echo(f"{event.at:%H:%M:%SZ}  {event.step}: {_WORDS[event.kind]}{outcome}{words}", err=True)

    return tell


@contextmanager
def between_steps() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C stops the run after the step that is at work, a second one at once."""
    asked = False

    def remember(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        click.echo("will stop after this step; once more stops at once and leaves it in doubt", err=True)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def settlements(given: tuple[str, ...]) -> dict[str, bool]:
    """``--settle STEP=done|undone``."""
    from fulldress.errors import UsageError

    found = {}
    for text in given:
        step, equals, word = text.rpartition("=")
        if not equals or word not in ("done", "undone"):
            raise UsageError(f'--settle "{text}": write STEP=done or STEP=undone')
        found[step] = word == "done"
    return found


def show(outcome: RunOutcome, as_json: bool, what: str) -> int:
    """The outcome on stdout; its exit code."""
    from fulldress.findings import Outcome

    if as_json:
        click.echo(msgspec.json.encode(outcome))
    else:
        word = {Outcome.PASS: "done", Outcome.FAIL: "FAILED", Outcome.UNKNOWN: "UNKNOWN"}[outcome.outcome]
        click.echo(f"{what}: {word}. {outcome.why}")
        if outcome.rolled_back and outcome.rollback and what == "run":
            words = {Outcome.PASS: "complete", Outcome.FAIL: "FAILED", Outcome.UNKNOWN: "not proven"}[outcome.rollback]
            click.echo(f"taken back: {words}")
        for name in outcome.open:
            click.echo(f"not taken back: {name}")
    return {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 3}[outcome.outcome]
