"""``fulldress watch BEFORE.log AFTER.log``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fulldress.facts import Shift


@click.command(short_help="Before against after, per endpoint and per outbound host.")
@click.argument("before", type=click.Path(path_type=Path, exists=True))
@click.argument("after", type=click.Path(path_type=Path, exists=True))
@click.option("--format", "log_format", default="", help="combined, common, nginx, json, or a log_format string.")
@click.option("--all", "everything", is_flag=True, help="Also what did not change.")
@click.option("--json", "as_json", is_flag=True, help="Shift facts as JSON.")
def command(before: Path, after: Path, log_format: str, everything: bool, as_json: bool) -> int:
    """Compare two logs of production and say which shift is real.

    BEFORE and AFTER are logs or folders of logs (plain or gzip): access logs, or logs of calls to third parties. A shift
    is real when a test over blocks of time says so after all comparisons are allowed for, and it is large enough to
    matter. Exit code 1 when something really got worse, 3 when nothing could be compared.
    """
    from fulldress import facts
    from fulldress.production import logs
    from fulldress.traffic import compare

    tallies = logs.Tally(), logs.Tally()
    rows = [
        list(logs.read(_files(path), log_format, tally))
        for path, tally in zip((before, after), tallies, strict=True)
    ]  # fmt: skip
    found = compare.shifts(rows[0], rows[1])
    gaps = [gap for tally in tallies for gap in tally.facts()]
    worse = compare.worsenings(found)
    code = 1 if worse else 3 if not found or all(shift.real is None for shift in found) else 0
    if as_json:
        click.echo(facts.encode([*found, *gaps]))
        return code
    for file in (file for tally in tallies for file in tally.files if file.format):
        click.echo(f"{file.path.name}: {file.requests} requests, read as {file.format}", err=True)
    for gap in gaps:
        click.echo(f"not read: {gap.what}: {gap.detail}", err=True)
    for caution in compare.cautions(rows[0], rows[1]):
        click.echo(f"note: {caution}", err=True)
    _show(found if everything else [shift for shift in found if shift.real])
    unknown = sum(shift.real is None for shift in found)
    same = sum(shift.real is False for shift in found)
    click.echo(
        f"{len(worse)} really worse, {same} within chance or too small to matter, {unknown} with too little data"
    )
    return code


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _show(found: list[Shift]) -> None:
    if not found:
        return
    rows = [("", "measure", "before", "after", "")]
    for shift in found:
        word = {True: "", False: "within chance", None: "too little data"}[shift.real]
        rows.append((
            shift.subject, shift.measure, _value(shift.measure, shift.before), _value(shift.measure, shift.after),
            word or _change(shift),
        ))  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    widths[0] = min(widths[0], 34)
    for row in rows:
        if len(row[0]) > widths[0]:
            click.echo(row[0])
            row = ("", *row[1:])
        cells = [row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2].rjust(widths[2]), row[3].rjust(widths[3])]
        click.echo("  ".join([*cells, row[4]]).rstrip())


def _value(measure: str, value: float) -> str:
    if measure in ("p50", "p99"):
        return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"
    if measure == "error rate":
        return f"{value:.2%}"
    return f"{value:.2f}" if measure == "attempts per call" else f"{value:,.0f}"


def _change(shift: Shift) -> str:
    from fulldress.traffic.compare import WORSE

    if shift.measure not in WORSE:
        return "real"
    return "worse" if shift.after > shift.before else "better"
