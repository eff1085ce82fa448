"""``fulldress inspect PACKAGE``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fulldress.cli import options

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from fulldress.package import Progress, Reading
    from fulldress.report import View


@click.command(short_help="What is in a package, who signed it, what it will do.")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--against", type=click.Path(path_type=Path), help="An older package of the same product.")
@click.option(
    "--trust",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the roots that you trust (PEM or DER).",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Copy of production's files, for the keys that it holds.",
)
@click.option(
    "--advisories",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the vendor's advisories.",
)
@click.option(
    "--at", metavar="DATE", help="Judge as of this day or instant, e.g. 2026-09-01 or 2026-09-01T02:00+02:00."
)
@click.option("--zone", default="UTC", show_default=True, help="Time zone of the hosts, e.g. Europe/Zurich.")
@options.fail_on
@options.everything_as_json
def command(
    package: Path,
    against: Path | None,
    trust: Path | None,
    root: Path | None,
    advisories: Path | None,
    at: str | None,
    zone: str,
    fail_on: str,
    as_json: bool,
) -> int:
    """Read PACKAGE and say what is in it, who signed it and what it will do. Needs nothing but the file (or a folder).

    Exit code 0 go, 1 no-go, 3 unknown: something that the verdict needs was not read.
    """
    from fulldress.report import dump, terminal

    view = look(
        package,
        against=against,
        trust=trust,
        root=root,
        advisories=advisories,
        at=_instant(at, zone),
        zone=zone,
        fail_on=fail_on,
    )
    if as_json:
        click.echo(dump(view), nl=False)
    else:
        terminal.inspect_screen(view)
    return view.verdict.exit_code


def look(
    package: Path,
    *,
    against: Path | None = None,
    trust: Path | None = None,
    root: Path | None = None,
    advisories: Path | None = None,
    at: datetime | None = None,
    zone: str = "UTC",
    fail_on: str = "blocker",
) -> View:
    """The view of one inspection. Signers are set beside those of the older package, or of the last one."""
    from fulldress import checks, report
    from fulldress.cli.gathering import continued, remember, seen_before
    from fulldress.findings import Severity
    from fulldress.package import arrived, changes, read

    with _Bar() as bar:
        older: Reading | None = None
        if against is not None:
            older = read(
                against,
                trust=trust,
                root=root,
                advisories=advisories,
                at=at,
                zone=zone,
                compared=True,
                progress=bar.of(against),
            )
        reading = read(
            package,
            trust=trust,
            root=root,
            advisories=advisories,
            at=at,
            zone=zone,
            compared=against is not None,
            progress=bar.of(package),
        )
    reading = continued(reading, older)
    facts = [*arrived(older, reading), *changes(older, reading)] if older else [*reading.facts, *seen_before(reading)]
    for one in (older, reading):
        if one is not None:
            remember(one)
    return report.build(
        "inspect",
        reading,
        facts,
        checks.judge(facts),
        fail_on=Severity(fail_on),
        zone=zone,
        against=older.name if older else "",
    )


def _instant(text: str | None, zone: str) -> datetime | None:
    """The instant of ``--at``; a day or an instant without an offset is one of the hosts' zone."""
    from zoneinfo import ZoneInfo

    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise click.BadParameter(f'"{zone}" is no time zone; write e.g. Europe/Zurich.', param_hint="--zone") from None
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f'"{text}" is no date; write e.g. 2026-09-01 or 2026-09-01T02:00+02:00.', param_hint="--at"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=place)).astimezone(UTC)


class _Bar:
    """A bar on standard error, only where a person sees it and only once reading takes longer than a second."""

    def __enter__(self) -> _Bar:
        import sys
        import time

        self._shown = sys.stderr.isatty()
        self._since = time.monotonic()
        self._bar: Bar | None = None
        return self

    def of(self, package: Path) -> Progress | None:
        """What to hand to the reader of this package."""
        if not self._shown:
            return None

        def progress(what: str, done: int, total: int) -> None:
            import time

            if self._bar is None and time.monotonic() - self._since < 1:
                return
            self._show(f"{package.name[:32]} {what}", done, total)

        return progress

    def _show(self, what: str, done: int, total: int) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress

            # refreshed by hand: a thread beside the readers would keep them out of processes of their own (package.apart)
            self._bar = Progress(console=Console(stderr=True), transient=True, auto_refresh=False)
            self._task = self._bar.add_task(what, total=None)
            self._bar.start()
        self._bar.update(self._task, description=what, completed=done, total=total or None, refresh=True)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
