"""``fulldress rehearse RUNBOOK -p DIR``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fulldress.cli import options

if TYPE_CHECKING:
    from fulldress.case import Case
    from fulldress.facts import AnyFact
    from fulldress.findings import Severity
    from fulldress.production import Production
    from fulldress.rehearsal import Options, Rehearsal
    from fulldress.report import View
    from fulldress.runbook.steps import Runbook


@click.command(short_help="Carry out the runbook on the stage, under traffic, and back again.")
@click.argument("runbook", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.production
@click.option("-n", "--runs", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many times.")
@click.option(
    "--package", "package_path", type=click.Path(path_type=Path), help="The package, where the case does not know it."
)
@click.option(
    "--baseline",
    type=click.FloatRange(1),
    default=20.0,
    show_default=True,
    help="Seconds of traffic before the upgrade.",
)
@click.option(
    "--settle", type=click.FloatRange(1), default=10.0, show_default=True, help="Seconds of traffic after the upgrade."
)
@click.option("--no-traffic", is_flag=True, help="Without HTTP and SQL traffic; what callers feel is then not known.")
@click.option("--no-preflight", is_flag=True, help="Do not look first for rows that are in the way of the migrations.")
@click.option("--sizes", metavar="10,50,100", help="Also rehearse the migrations at these percentages of the rows.")
@click.option("--no-night", is_flag=True, help="Do not run the schedules of the night after.")
@click.option("--no-two-runners", is_flag=True, help="Do not start the migration twice at once.")
@click.option(
    "--no-concurrency", is_flag=True, help="Do not put the migration behind long transactions, nor kill it half-way."
)
@click.option(
    "--job-limit", type=click.FloatRange(0.1), default=3.0, show_default=True, help="Seconds after which a job is cut."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed sends the same traffic.")
@click.option("--pg-bin", type=click.Path(path_type=Path, file_okay=False), help="Folder of PostgreSQL's programs.")
@options.fail_on
@options.everything_as_json
@click.option(
    "--html", "html_file", type=click.Path(path_type=Path, dir_okay=False), help="Default: report.html in the case."
)
@options.case_store
def command(
    runbook: Path, folder: Path, runs: int, package_path: Path | None, baseline: float, settle: float, no_traffic: bool,
    no_preflight: bool, sizes: str | None, no_night: bool, no_two_runners: bool, no_concurrency: bool, job_limit: float, seed: int, pg_bin: Path | None, fail_on: str, as_json: bool,
    html_file: Path | None, cases: Path,
) -> int:  # fmt: skip
    """Carry out RUNBOOK on a stage: baseline, upgrade under traffic, verify, the night after, and the way back.

    Production is only read. Exit code 0 go, 1 no-go, 3 unknown: something that the verdict needs was not measured.
    """
    from fulldress import production as productions
    from fulldress.cli.dday import read_runbook
    from fulldress.cli.foreseen import shares
    from fulldress.findings import Severity
    from fulldress.rehearsal import Options
    from fulldress.report import dump, terminal

    book = read_runbook(runbook)
    asked = Options(
        runs=runs,
        baseline=timedelta(seconds=baseline),
        settle=timedelta(seconds=settle),
        traffic=not no_traffic,
        preflight=not no_preflight,
        sizes=shares(sizes),
        night=not no_night,
        two_runners=not no_two_runners,
        concurrency=not no_concurrency,
        job_limit=timedelta(seconds=job_limit),
        seed=seed,
        pg_bin=pg_bin,
    )
    case, view = _rehearse(book, runbook, productions.load(folder), asked, package_path, cases, Severity(fail_on))
    report = _report(view, html_file or case.folder / "report.html")
    if as_json:
        click.echo(dump(view), nl=False)
    else:
        terminal.rehearsal_screen(view, report=str(report), next_step=_next(view, runbook, folder))
    return view.verdict.exit_code


def _rehearse(
    book: Runbook,
    path: Path,
    production: Production,
    options: Options,
    package_path: Path | None,
    case_store: Path,
    fail_on: Severity,
) -> tuple[Case, View]:
    from fulldress import checks, report
    from fulldress.case import Store
    from fulldress.cli.dday import find_package, opened_package
    from fulldress.cli.gathering import Progress, continued, joined, read_package
    from fulldress.cli.plan import sized
    from fulldress.facts import Forecast, Timing
    from fulldress.rehearsal import rehearse
    from fulldress.runbook import freeze

    store = Store(case_store)
    known = store.find(book.runbook.package)
    source = find_package(book, path, known, package_path)
    with opened_package(source, book.runbook.package):
        with Progress() as progress:
            reading = continued(read_package(source, production, progress))
        static = joined(reading.facts, production)
        case = known or store.open_case(
            reading.source,
            reading.name,
            label=f"{book.runbook.product}-{book.runbook.version}".strip("-"),
            size=reading.size,
            path=str(source.resolve()),
        )
        with Progress(ticking=True) as progress:
            rehearsal = rehearse(book, source, production, options, tell=progress.say)
    facts = checks.shown([*static, *rehearsal.facts], rehearsal.facts)
    findings = checks.settle(checks.judge(facts), book.step, rehearsal.facts)
    saved = _save(case, rehearsal, static)
    timings = [fact for fact in rehearsal.facts if isinstance(fact, Timing)]
    forecasts = [fact for fact in rehearsal.facts if isinstance(fact, Forecast)]
    view = report.build(
        "rehearsal",
        reading,
        facts,
        findings,
        fail_on=fail_on,
        waivers=case.waivers(),
        timelines=rehearsal.timelines,
        window=sized(timings, _claimed(static), production, forecasts=forecasts),
        case=case.folder.name,
        production=production.description.name,
        zone=production.description.zone,
    )
    (case.folder / "view.json").write_bytes(report.dump(view).encode())
    case.append(
        "rehearsed",
        {
            "frozen": freeze(book),
            "package": rehearsal.package,
            "verdict": view.verdict.word,
            "runs": options.runs,
            "seed": options.seed,
            "facts": saved,
        },
    )
    return case, view


def _claimed(facts: list[AnyFact]) -> timedelta | None:
    """The downtime that the vendor declares; the longest where it says several."""
    from fulldress.facts import Downtime, Witness

    said = [f.duration for f in facts if isinstance(f, Downtime) and f.witness is Witness.DECLARED]
    return max(said, default=None)


def _save(case: Case, rehearsal: Rehearsal, static: list[AnyFact]) -> str:
    """The facts of one rehearsal, and the vendor's own claims of time, beside the case's record; the file's name."""
    from fulldress.facts import Downtime, encode

    number = len(list(case.folder.glob("rehearsal-*.json"))) + 1
    name = f"rehearsal-{number:02d}.json"
    (case.folder / name).write_bytes(encode([*rehearsal.facts, *(f for f in static if isinstance(f, Downtime))]))
    return name


def _report(view: View, path: Path) -> Path:
    from fulldress.report import html

    path.parent.mkdir(parents=True, exist_ok=True)
    html.write(view, path)
    return path


def _next(view: View, runbook: Path, folder: Path) -> str:
    if view.verdict.exit_code == 0:
        return f"fulldress plan {runbook} -p {folder} --freeze"
    weighing = next((finding.rule for finding in view.findings if finding.counts), "")
    return f"fulldress explain {weighing}" if weighing else ""
