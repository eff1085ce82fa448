"""What check, plan and rehearse share: reading a package as production's keeper would, and joining all witnesses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fulldress.catalog.store import Kept
    from fulldress.facts import AnyFact, Change
    from fulldress.package import Reading
    from fulldress.production import Production


class Progress:
    """A bar on standard error, only where a person sees it.

    ``ticking`` lets its clock run by itself, in a thread: not while a package is read, since a thread beside the readers
    would keep them out of processes of their own (:mod:`fulldress.package.apart`)."""

    def __init__(self, *, ticking: bool = False) -> None:
        self._ticking = ticking

    def __enter__(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
            console=console, transient=True, disable=not console.is_terminal, auto_refresh=self._ticking,
        )  # fmt: skip
        self._bar.start()
        self._task = self._bar.add_task("reading", total=None)
        return self

    def __call__(self, what: str, done: int, total: int) -> None:
        self._bar.update(self._task, description=what[-40:], completed=done, total=total or None, refresh=True)

    def say(self, words: str) -> None:
        """What is being done, where nobody knows how much of it there is."""
        self._bar.update(self._task, description=words[:60], total=None, refresh=True)

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()


def read_package(package: Path, production: Production, progress: Progress, *, compared: bool = False) -> Reading:
    """With production's trust folder, advisories, zone, and the planned window's date."""
    from fulldress import package as packages

    return packages.read(
        package,
        trust=production.trust if production.trust.is_dir() else None,
        root=production.root if production.root is not None and production.root.is_dir() else None,
        advisories=production.advisories if production.advisories.is_dir() else None,
        at=production.description.window.starts,
        zone=production.description.zone,
        compared=compared,
        progress=progress,
    )


def continued(reading: Reading, older: Reading | None = None) -> Reading:
    """The reading, with its signers set beside those of the older package, or of the last one of the same product."""
    import msgspec

    from fulldress.catalog.store import Store, default_folder
    from fulldress.errors import CaseError

    earlier: Reading | Kept | None = older
    if earlier is None:
        try:
            earlier = Store(default_folder()).before(reading.source, reading.facts)
        except (CaseError, OSError):
            return reading  # "fulldress keys" says what is wrong with the store; a verdict does not rest on it
    if earlier is None:
        return reading
    from fulldress.package.signatures.continuity import continued as compare

    return msgspec.structs.replace(reading, facts=compare(reading.facts, earlier.facts, earlier.name))


def remember(reading: Reading) -> None:
    """Keep what the package says of keys and releases for "fulldress keys". Where that is not possible, it is said."""
    import click

    from fulldress.catalog.store import Store, default_folder

    try:
        Store(default_folder()).remember(reading.source, reading.name, reading.facts)
    except OSError as problem:
        click.echo(
            f"not remembered for fulldress keys: {problem.filename or default_folder()}: {problem.strerror}", err=True
        )


def seen_before(reading: Reading) -> list[Change]:
    """A package of this file name and release that was inspected here before, with other bytes.

    Of one file name only: the packages of one release for several platforms differ in their names."""
    from fulldress.catalog.store import Store, default_folder
    from fulldress.errors import CaseError
    from fulldress.package.against import reissued

    try:
        kept = [one for one in Store(default_folder()).all() if one.name == reading.name]
    except (OSError, CaseError):
        return []  # "fulldress keys" says what is wrong with the store
    return [
        change for one in kept for change in reissued(reading.source, reading.facts, one.source, one.facts, one.name)
    ]


def joined(read: list[AnyFact], production: Production) -> list[AnyFact]:
    """Facts of the package, of production, and of the catalogue that joins them.

    Access logs are folded to the operations of the package's API descriptions, old names included."""
    return [*read, *beside(read, production)]


def negotiated(production: Production) -> list[AnyFact]:
    """The downtime that was negotiated, where production.toml names one: the rehearsed one has to fit into it."""
    from datetime import timedelta

    from fulldress.facts import Downtime, Evidence, Witness

    minutes = production.description.window.minutes
    if not minutes:
        return []
    place = Evidence(source="production.toml", path="production.toml", excerpt=f"[window] minutes = {minutes:g}")
    return [
        Downtime(
            witness=Witness.RUNNING, evidence=place, duration=timedelta(minutes=minutes), basis="production.toml [window]"
        )
    ]  # fmt: skip


def beside(read: list[AnyFact], production: Production) -> list[AnyFact]:
    """Facts of production, and of the catalogue that joins them with what was read of the package."""
    from fulldress.catalog import joining, records
    from fulldress.facts import Interface, InterfaceChange, Use

    known = {f.operation for f in read if isinstance(f, Interface | InterfaceChange)}
    running = [*production.facts(tuple(sorted(known))), *negotiated(production)]
    matrices = records.load(production.matrices) if production.matrices.is_dir() else []
    running = [*running, *joining.join(read, running, matrices)]
    more = {f.operation for f in running if isinstance(f, InterfaceChange)} - known
    if more and any(isinstance(f, Use) for f in running):  # changes that only the records tell of
        uses = production.uses(tuple(sorted(known | more)))
        running = [*(f for f in running if not isinstance(f, Use)), *uses]
    return running
