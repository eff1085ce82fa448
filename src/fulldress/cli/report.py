"""``fulldress report CASE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fulldress.cli import options

if TYPE_CHECKING:
    from fulldress.report import View

#: The view of the latest rehearsal, in the case's folder; ``fulldress rehearse`` writes it.
VIEW = "view.json"


@click.command(short_help="The report of a case, as HTML, JSON or text.")
@click.argument("case")
@click.option(
    "--html",
    "html_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the HTML file; default: report.html in the case's folder.",
)
@click.option(
    "--png",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the timeline as a PNG picture, to paste into a chat.",
)
@click.option("--text", "as_text", is_flag=True, help="Print the screen instead of writing HTML.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON instead of writing HTML.")
@options.case_store
def command(case: str, html_file: Path | None, png: Path | None, as_text: bool, as_json: bool, cases: Path) -> int:
    """Show the latest rehearsal of CASE: the name of its folder, or the package's sha256.

    Waivers given since then count: a report is always of today. The exit code is that of the verdict.
    """
    from fulldress.case import Store
    from fulldress.report import dump, html, terminal

    found = Store(cases).get(case, case)
    view = latest(found.folder, found.waivers())
    if png is not None:
        picture(view, png)
        click.echo(f"wrote {png}", err=True)
    if as_json:
        click.echo(dump(view), nl=False)
    elif as_text:
        (terminal.rehearsal_screen if view.kind == "rehearsal" else terminal.check_screen)(view)
    else:
        target = html_file or found.folder / "report.html"
        html.write(view, target)
        click.echo(target)
    return view.verdict.exit_code


def latest(folder: Path, waivers: object) -> View:
    """The view of the latest rehearsal, judged anew under the waivers that hold today."""
    import msgspec

    from fulldress.errors import NoRehearsal, NotAReport
    from fulldress.report import load
    from fulldress.report.view import waive

    path = folder / VIEW
    if not path.is_file():
        raise NoRehearsal(folder.name)
    try:
        view = load(path.read_bytes())
    except msgspec.DecodeError as error:
        raise NotAReport(path, error) from error
    return waive(view, waivers if isinstance(waivers, list) else [])


def picture(view: View, path: Path) -> None:
    """The timeline of the slowest run as PNG, at twice the size for sharp print."""
    import vl_convert

    from fulldress.errors import NoRehearsal
    from fulldress.report import chart_timeline

    slowest = max(view.timelines, key=lambda t: t.end - t.start, default=None)
    if slowest is None:
        raise NoRehearsal(view.case or view.package.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(vl_convert.svg_to_png(chart_timeline.draw(slowest, view.fidelity), scale=2))
