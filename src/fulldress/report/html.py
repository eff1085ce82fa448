"""One self-contained HTML file: no network, no script that it needs, fit for print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2

from fulldress.facts import Growth, JobRun, Timeline, Witness, mask
from fulldress.findings import Severity
from fulldress.report import changes, chart_night, chart_timeline, chart_window, files, signers, words
from fulldress.report.view import View

_HEADINGS = {
    Severity.BLOCKER: "Blockers",
    Severity.MAJOR: "Major",
    Severity.MINOR: "Minor",
    Severity.NOTE: "Notes",
}


def render(view: View) -> str:
    """The whole page as text."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fulldress.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "size": words.size,
        "clock": words.clock,
        "long": words.long,
        "both": words.both,
        "local": words.local,
        "tally": words.tally,
        "masked": mask,
    }
    environment.filters.update(filters)
    slowest = _slowest(view)
    return environment.get_template("report.html").render(
        view=view,
        witnesses=[w for w in Witness if any(c.cell(w).says for c in view.claims)],
        severities=[(s, _HEADINGS[s], view.of(s)) for s in Severity],
        changes=changes.lines(view.changes) if view.against else (),
        signers=signers.groups(view.signatures),
        absent=signers.nobody(view.signatures),
        timeline=slowest,
        picture=chart_timeline.draw(slowest, view.fidelity) if slowest else "",
        gates=chart_timeline.legend(slowest) if slowest else [],
        not_drawn=chart_timeline.left_out(slowest) if slowest else [],
        others=[(t, chart_timeline.draw(t, view.fidelity)) for t in view.timelines if t is not slowest],
        night_picture=chart_night.draw(
            [f for f in view.facts if isinstance(f, JobRun)],
            [f for f in view.facts if isinstance(f, Growth)],
            view.zone,
        ),
        window_picture=chart_window.draw(view.window) if view.window and view.window.parts else "",
    )


def _slowest(view: View) -> Timeline | None:
    """The run that is drawn open: the longest, for the window rests on it."""
    return max(view.timelines, key=lambda t: t.end - t.start, default=None)


def write(view: View, path: Path) -> None:
    """Write the page to ``path``, whole or not at all."""
    files.write(path, render(view))
