"""``fulldress check PACKAGE -p DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fulldress.cli import options

if TYPE_CHECKING:
    from fulldress.facts import AnyFact
    from fulldress.production import Production
    from fulldress.report import View


@click.command(short_help="Package, production and catalogue: findings and a verdict.")
@click.argument("package", type=click.Path(path_type=Path))
@options.production
@click.option(
    "--against", type=click.Path(path_type=Path), help="An older package of the same product, to compare with."
)
@options.fail_on
@options.everything_as_json
@click.option("--sarif", type=click.Path(path_type=Path, dir_okay=False), help="Also write findings as SARIF 2.1.0.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Also write findings as JUnit XML.")
@click.option(
    "--html",
    "html_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the report as one HTML file.",
)
@options.case_store
@click.option("--no-case", is_flag=True, help="Do not put this check on record.")
def command(
    package: Path,
    folder: Path,
    against: Path | None,
    fail_on: str,
    as_json: bool,
    sarif: Path | None,
    junit: Path | None,
    html_file: Path | None,
    cases: Path,
    no_case: bool,
) -> int:
    """Read PACKAGE, set it against production and the catalogue, and give a verdict.

    Exit code 0 go, 1 no-go, 3 unknown: something that the verdict needs was not read.
    """
    from fulldress import production as productions
    from fulldress.findings import Severity
    from fulldress.report import dump, terminal

    production = productions.load(folder)
    view = look(package, production, against=against, fail_on=Severity(fail_on), case_store=None if no_case else cases)
    write(view, sarif=sarif, junit=junit, html=html_file, fail_on=Severity(fail_on))
    if as_json:
        click.echo(dump(view), nl=False)
    else:
        terminal.check_screen(view, next_step=f"fulldress plan {package} -p {folder}")
    return view.verdict.exit_code


def look(
    package: Path,
    production: Production,
    *,
    against: Path | None = None,
    fail_on: object = None,
    case_store: Path | None = None,
) -> View:
    """The view of one check; put on record in ``case_store`` where that is given."""
    from fulldress import checks, report
    from fulldress.cli.gathering import Progress, continued, joined, read_package, remember, seen_before
    from fulldress.findings import Severity
    from fulldress.package import changes

    severity = fail_on if isinstance(fail_on, Severity) else Severity.BLOCKER
    zone = production.description.zone
    with Progress() as progress:
        reading = read_package(package, production, progress, compared=against is not None)
        older = read_package(against, production, progress, compared=True) if against is not None else None
        reading = continued(reading, older)
        progress("production", 0, 1)
        different = changes(older, reading) if older else seen_before(reading)
        facts = [*joined(reading.facts, production), *different]
    for one in (older, reading):
        if one is not None:
            remember(one)
    findings = checks.judge(facts)
    case, waivers, name = None, [], ""
    if case_store is not None:
        from fulldress.case import Store

        label = _label(facts)
        place = str(package.resolve())
        case = Store(case_store).open_case(reading.source, reading.name, label=label, size=reading.size, path=place)
        waivers, name = case.waivers(), case.folder.name
    view = report.build(
        "check", reading, facts, findings, fail_on=severity, waivers=waivers, case=name, zone=zone,
        production=production.description.name, against=older.name if older else "",
    )  # fmt: skip
    if case is not None:
        case.append("checked", {**_record(view), "path": place})
    return view


def _label(facts: list[AnyFact]) -> str:
    from fulldress.checks.index import Index

    release = Index(facts).release
    return f"{release.product}-{release.version}" if release else ""


def _record(view: View) -> dict[str, object]:
    """What a case keeps of a check: the verdict and each finding's name, not all facts."""
    return {
        "package": view.package.sha256,
        "verdict": view.verdict.word,
        "counts": view.verdict.counts,
        "unread": len(view.unread),
        "findings": [f"{f.rule} {f.subject}" for f in view.findings if f.counts],
    }


def write(view: View, *, sarif: Path | None, junit: Path | None, html: Path | None, fail_on: object) -> None:
    """The files that were asked for, whole or not at all."""
    import json

    from fulldress.findings import Severity
    from fulldress.report import files
    from fulldress.report import html as pages
    from fulldress.report import junit as tests
    from fulldress.report import sarif as logs

    if sarif is not None:
        files.write(sarif, json.dumps(logs.log(view), indent=2, ensure_ascii=False) + "\n")
    if junit is not None:
        files.write(junit, tests.text(view, fail_on if isinstance(fail_on, Severity) else Severity.BLOCKER))
    if html is not None:
        pages.write(view, html)
    for path in (sarif, junit, html):
        if path is not None:
            click.echo(f"wrote {path}", err=True)
