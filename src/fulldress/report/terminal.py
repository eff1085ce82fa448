"""The screens: 80 columns, the verdict first, as legible in a pipe as in colour."""

from __future__ import annotations

import textwrap

from rich.console import Console
from rich.text import Text

from fulldress.checks.escalation import call_script
from fulldress.facts import Witness
from fulldress.findings import Outcome, Severity
from fulldress.report import changes, columns, terminal_findings
from fulldress.report.signers import groups, nobody
from fulldress.report.view import ActRow, View
from fulldress.report.words import both, clock, digest, long, plain, size, tally

WIDTH = 80
_STYLE = {Outcome.PASS: "bold green", Outcome.FAIL: "bold red", Outcome.UNKNOWN: "bold yellow"}
#: Shares of the width that is left for the witnesses' columns.
_SHARE = {Witness.DECLARED: 3, Witness.READ: 6}
#: Remarks about jobs that a screen holds.
_REMARKS = 6
#: Width of the names of claims and acts.
_NAME = 15


def screen_console() -> Console:
    """Standard output; 80 columns at most, plain when it is not a terminal (rich respects NO_COLOR)."""
    console = Console(highlight=False, soft_wrap=False)
    return console if console.width <= WIDTH and console.is_terminal else Console(highlight=False, width=WIDTH)


def inspect_screen(view: View, *, console: Console | None = None, next_step: str = "") -> None:
    """``fulldress inspect``: what is in it, who signed it, what it will do."""
    out = console or screen_console()
    _heading(out, view)
    _verdict(out, view, "" if view.verdict.outcome is Outcome.UNKNOWN else " on its own words")
    _claims(out, view, "What it will do", (Witness.DECLARED, Witness.READ))
    _jobs(out, view)
    _signatures(out, view)
    terminal_findings.show(out, view, _width(out), remedies=False)
    _changes(out, view)
    _unread(out, view)
    _next(out, next_step or f"fulldress check {view.package.name} -p production/")


def check_screen(view: View, *, console: Console | None = None, next_step: str = "") -> None:
    """``fulldress check``: the same against production and the catalogue."""
    out = console or screen_console()
    _heading(out, view)
    _verdict(out, view)
    _claims(out, view, "Four witnesses", (Witness.DECLARED, Witness.READ, Witness.RUNNING))
    _jobs(out, view)
    _signatures(out, view)
    terminal_findings.show(out, view, _width(out), remedies=True)
    _api(out, view)
    _changes(out, view)
    _unread(out, view)
    _next(out, next_step or f"fulldress plan {view.package.name} -p production/")


def rehearsal_screen(view: View, *, console: Console | None = None, report: str = "", next_step: str = "") -> None:
    """``fulldress rehearse``: what happened, run by run, and the window that follows from it."""
    out = console or screen_console()
    _heading(out, view)
    _acts(out, view)
    _window(out, view)
    _verdict(out, view)
    _claims(out, view, "Four witnesses", (Witness.DECLARED, Witness.READ, Witness.OBSERVED))
    terminal_findings.show(out, view, _width(out), remedies=True)
    _unread(out, view)
    if report:
        _next(out, report, label="report")
    if next_step:
        _next(out, next_step)


def _line(out: Console, text: str, indent: int = 0, hang: int | None = None, style: str = "") -> None:
    """``text`` wrapped to the width; a path longer than a line stays whole rather than being cut where it is copied."""
    rest = " " * (indent if hang is None else hang)
    for paragraph in text.split("\n"):
        lines = textwrap.wrap(
            paragraph,
            width=_width(out),
            initial_indent=" " * indent,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines or [""]:
            out.print(Text(line, style=style), soft_wrap=True)


def _heading(out: Console, view: View) -> None:
    package = view.package
    inside = tally(package.entries, "entry", "entries") + (f", {package.nested} nested" if package.nested else "")
    parts = [package.name, size(package.size), f"sha256 {digest(package.sha256)}", inside]
    for line in columns.packed(parts, _width(out)):
        out.print(Text(line, style="bold"), soft_wrap=True)
    said = []
    if package.product or package.version:
        said.append(f"{package.product} {package.version} ({package.aspect})".strip())
    if package.upgrades_from:
        said.append(f"for {package.product} {package.upgrades_from}")
    if package.vendor:
        said.append(f'from "{package.vendor}"')
    for line in columns.packed(said, _width(out)):
        out.print(Text(line), soft_wrap=True)
    if view.production:
        against = [f"against {view.production}"] + ([f"case {view.case}"] if view.case else [])
        for line in columns.packed(against, _width(out)):
            out.print(Text(line), soft_wrap=True)
    out.print()


def _verdict(out: Console, view: View, qualifier: str = "") -> None:
    verdict = view.verdict
    parts = []
    for severity in Severity:
        number = verdict.counts.get(severity.value, 0)
        if number:
            plural = {"blocker": "blockers", "note": "notes"}.get(severity.value, severity.value)
            parts.append(f"{number} {severity.value if number == 1 else plural}")
    if view.unread:
        parts.append(f"{len(view.unread)} unread")
    text = Text(f"  {verdict.word}{qualifier}", style=_STYLE[verdict.outcome])
    out.print(
        text.append(": " + (", ".join(parts) or "nothing found, nothing unread"), style="default"), soft_wrap=True
    )
    if verdict.outcome is Outcome.UNKNOWN:
        _line(out, f"Unknown never passes: {plain(verdict.why)}", 4)
    answered = view.answered
    if answered:
        settled = sum(1 for f in answered if f.settled_by)
        parts = [f"{settled} settled by rehearsed steps"] if settled else []
        parts += [f"{len(answered) - settled} waived"] if len(answered) > settled else []
        _line(out, ", ".join(parts), 4)
    out.print()


def _claims(out: Console, view: View, title: str, witnesses: tuple[Witness, ...]) -> None:
    if not view.claims:
        return
    shown = [w for w in witnesses if w is Witness.READ or any(c.cell(w).says for c in view.claims)]
    share = sum(_SHARE.get(w, 5) for w in shown)
    room = _width(out) - 2 - _NAME - 2 * len(shown)
    widths = [max(room * _SHARE.get(w, 5) // share, 12) for w in shown]
    widths[-1] += room - sum(widths)
    out.print(
        Text(columns.rows(["", title, *(w.value for w in shown)], [0, _NAME, *widths])[0], style="bold"), soft_wrap=True
    )
    for claim in view.claims:
        cells = [claim.cell(w) for w in shown]
        if not any(cell.says for cell in cells):
            continue
        lines = columns.rows([claim.name, *[cell.says or "–" for cell in cells]], [_NAME, *widths])
        for number, line in enumerate(lines):
            out.print(Text(("≠ " if claim.disagrees and not number else "  ") + line), soft_wrap=True)
    if any(c.disagrees for c in view.claims):
        _line(out, "≠ the witnesses disagree", 0, style="dim")
    out.print()


def _signatures(out: Console, view: View) -> None:
    out.print(Text(" Who signed it", style="bold"))
    if absent := nobody(view.signatures):
        _line(out, absent, 1)
    several = sum(s.names_a_maker and not s.of_a_part for s in view.signatures) > 1
    for group in groups(view.signatures):
        signature = group.first
        if group.heading:
            _line(out, f"{group.heading}:", 1)
        place = f"{signature.path}: " if several and signature.names_a_maker and not signature.of_a_part else ""
        _line(out, place + group.said, 1)
        if group.open:
            if view.kind == "inspect":
                _line(out, "→ not trusted here yet; fulldress check prints what to say on the phone", 1, 3)
                continue
            _line(out, "→ not trusted here yet. What to say on the phone:", 1, 3)
            for line in call_script(signature).splitlines():
                _line(out, line.strip(), 3, 6)
    out.print()


def _jobs(out: Console, view: View) -> None:
    if not view.jobs:
        return
    out.print(Text(" Beside the hours of its jobs", style="bold"))
    for told in view.jobs[:_REMARKS]:
        names = ", ".join(told.jobs[:2]) + (f" and {len(told.jobs) - 2} more" if len(told.jobs) > 2 else "")
        _line(out, plain(f"{names}: {told.remark}"), 1, 3)
    if len(view.jobs) > _REMARKS:
        _line(out, f"and {tally(len(view.jobs) - _REMARKS, 'remark')} more, in --json and --html", 1)
    out.print()


def _api(out: Console, view: View) -> None:
    told = {finding.subject for finding in view.findings if finding.severity is Severity.BLOCKER}
    called = [row for row in view.api if row.calls and row.kind != "added" and row.operation not in told]
    if not called:
        return
    out.print(Text(" Who calls what goes", style="bold"))
    for row in called:
        _line(out, f"{row.operation}  {row.kind}  {row.per_day:,.0f} calls a day: {', '.join(row.clients)}", 1, 3)
    out.print()


def _changes(out: Console, view: View) -> None:
    if not view.against:
        return
    out.print(Text(f" Against {view.against}", style="bold"))
    if not view.changes:
        _line(out, "nothing that it does differs", 1)
    for line in changes.lines(view.changes):
        _line(out, f"{line.name:14} {line.words}", 1, 16)
    out.print()


def _unread(out: Console, view: View) -> None:
    if not view.unread:
        return
    needed = [gap for gap in view.unread if gap.needed]
    rest = [gap for gap in view.unread if not gap.needed]
    out.print(Text(" Not read, not reached, not measured", style="bold"))
    for gap in needed:
        detail = f" ({gap.detail})" if gap.detail else ""
        _line(out, plain(f"needed  {gap.what}: {gap.reason.value}{detail}"), 1, 9)
    # many gaps of one reason are one line; --json has each of them
    by_reason: dict[str, list[str]] = {}
    for gap in rest:
        by_reason.setdefault(gap.reason.value, []).append(gap.what)
    for reason, names in by_reason.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        _line(out, plain(f"{reason}: {shown}"), 1, 9)
    out.print()


def _acts(out: Console, view: View) -> None:
    if not view.acts:
        return
    # more than four runs do not fit: then the range is shown instead of each run
    each = view.runs <= 4
    heads = [f"run {number + 1}" for number in range(view.runs)] if each else [f"{view.runs} runs"]
    rows = [row for row in view.acts if not row.idle]
    cells = [[_cell(row, i) for i in range(view.runs)] if each else [_range(row)] for row in rows]
    figures = [max(len(text) for text in column) for column in zip(heads, *cells, strict=True)]
    name = min(
        max(len(row.step) + 3 if row.step else len(row.act) + 1 for row in rows),
        30 if view.runs == 1 else 26 if view.runs == 2 else 20,
    )
    widths = [name, *figures, max(_width(out) - name - sum(figures) - 2 * (len(figures) + 1), 20)]
    right = range(1, len(figures) + 1)
    head = columns.rows(["act", *heads, "what happened"], [name - 1, *widths[1:]], right=right)[0]
    out.print(Text(f" {head}", style="bold"), soft_wrap=True)
    for row, figure in zip(rows, cells, strict=True):
        indent = 3 if row.step else 1
        words = columns.end(row.words, widths[-1]) if row.step else row.words
        lines = columns.rows(
            [columns.middle(row.step or row.act, name - indent), *figure, words],
            [name - indent, *widths[1:]],
            right=right,
        )
        for line in lines:
            out.print(Text(" " * indent + line), soft_wrap=True)
    left = len(view.acts) - len(rows)
    if left:
        _line(out, f"{tally(left, 'step')} of the rollback had nothing to take back", 3, style="dim")
    out.print()


def _cell(row: ActRow, run: int) -> str:
    mark = {"failed": " ✗", "unknown": " ?"}.get(row.outcomes[run], "")
    return clock(row.durations[run]) + mark


def _range(row: ActRow) -> str:
    known = [d for d in row.durations if d is not None]
    worst = " ✗" if "failed" in row.outcomes else " ?" if "unknown" in row.outcomes else ""
    return f"{clock(min(known))}–{clock(max(known))}{worst}" if known else "–"


def _window(out: Console, view: View) -> None:
    window = view.window
    if window is None:
        return
    sum_of = " + ".join(
        f"{part.name} not measured"
        if part.name in window.missing
        else f"{part.name} {clock(part.duration)}" + (f" ({part.basis})" if part.basis else "")
        for part in window.parts
    )
    without = f" and {', '.join(window.missing)}" if window.missing else ""
    _line(out, f"window   {sum_of} = {long(window.total)}{without}", 1, 10)
    said = []
    if window.claimed is not None:
        said.append(f"the vendor says {long(window.claimed)}.")
    if window.negotiated is not None:
        fits = "fits" if window.total <= window.negotiated else "DOES NOT FIT"
        if window.missing and fits == "fits":
            fits = "not known whether it fits"
        said.append(f"{long(window.negotiated)} negotiated: {fits}.")
    if window.latest_abort is not None:
        said.append(f"latest minute to give up: {both(window.latest_abort, view.zone)}")
    elif window.latest_abort_after is not None:
        said.append(f"latest minute to give up: {long(window.latest_abort_after)} after the start")
    if said:
        _line(out, "   ".join(said), 10)
    if "rollback" in window.missing:
        _line(out, "latest minute to give up: not known, since the way back was not measured to its end", 10)
    for warning in window.warnings:
        _line(out, warning, 10)
    out.print()


def _next(out: Console, text: str, label: str = "next") -> None:
    """A command or a path, on one line however long: it is there to be pasted."""
    out.print(Text(f" {label}:  {text}"), soft_wrap=True)


def _width(out: Console) -> int:
    return min(out.width, WIDTH)
