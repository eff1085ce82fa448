"""The screens: 80 columns, the verdict first, as legible in a pipe as in colour."""

from __future__ import annotations

import textwrap
from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fulldress.facts import Integrity, Trust, Witness
from fulldress.findings import Finding, Outcome, Severity
from fulldress.report.view import ActRow, View
from fulldress.report.words import both, clock, digest, long, size, tally

WIDTH = 80
_STYLE = {Outcome.PASS: "bold green", Outcome.FAIL: "bold red", Outcome.UNKNOWN: "bold yellow"}
#: Shares of the width that is left for the witnesses' columns.
_SHARE = {Witness.DECLARED: 3, Witness.READ: 6}
_TITLES = {Severity.BLOCKER: "Blockers", Severity.MAJOR: "Major", Severity.MINOR: "Minor", Severity.NOTE: "Notes"}


def screen_console() -> Console:
    """Standard output; 80 columns at most, plain when it is not a terminal (rich respects NO_COLOR)."""
    console = Console(highlight=False, soft_wrap=False)
    return console if console.width <= WIDTH and console.is_terminal else Console(highlight=False, width=WIDTH)


def inspect_screen(view: View, *, console: Console | None = None, next_step: str = "") -> None:
    """``fulldress inspect``: what is in it, who signed it, what it will do."""
    out = console or screen_console()
    _heading(out, view)
    _verdict(out, view, " on its own words" if view.verdict.outcome is Outcome.FAIL else "")
    _claims(out, view, "What it will do", (Witness.DECLARED, Witness.READ))
    _signatures(out, view)
    _findings(out, view, remedies=False)
    _changes(out, view)
    _unread(out, view)
    _next(out, next_step or f"fulldress check {view.package.name} -p production/")


def check_screen(view: View, *, console: Console | None = None, next_step: str = "") -> None:
    """``fulldress check``: the same against production and the catalogue."""
    out = console or screen_console()
    _heading(out, view)
    _verdict(out, view)
    _claims(out, view, "Four witnesses", (Witness.DECLARED, Witness.READ, Witness.RUNNING))
    _signatures(out, view)
    _findings(out, view, remedies=True)
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
    _findings(out, view, remedies=True)
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
            width=min(out.width, WIDTH),
            initial_indent=" " * indent,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines or [""]:
            out.print(Text(line, style=style), soft_wrap=True)


def _heading(out: Console, view: View) -> None:
    package = view.package
    parts = [package.name, size(package.size), f"sha256 {digest(package.sha256)}"]
    inside = tally(package.entries, "entry", "entries") + (f", {package.nested} nested" if package.nested else "")
    if len("   ".join([*parts, inside])) <= min(out.width, WIDTH):
        parts = ["   ".join([*parts, inside])]
    else:
        parts = [package.name, "   ".join([*parts[1:], inside])]
    for part in parts:
        _line(out, part, style="bold")
    said = []
    if package.product or package.version:
        said.append(f"{package.product} {package.version} ({package.aspect})".strip())
    if package.upgrades_from:
        said.append(f"for {package.product} {package.upgrades_from}")
    if package.vendor:
        said.append(f'from "{package.vendor}"')
    if said:
        _line(out, "   ".join(said))
    if view.production:
        _line(out, f"against {view.production}" + (f"   case {view.case}" if view.case else ""))
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
        _line(out, f"Unknown never passes: {verdict.why}", 4)
    answered = view.answered
    if answered:
        settled = sum(1 for f in answered if f.settled_by)
        _line(out, f"{settled} settled by rehearsed steps, {len(answered) - settled} waived", 4)
    out.print()


def _claims(out: Console, view: View, title: str, witnesses: tuple[Witness, ...]) -> None:
    if not view.claims:
        return
    shown = [w for w in witnesses if w is Witness.READ or any(c.cell(w).says for c in view.claims)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False, width=min(out.width, WIDTH))
    table.add_column("", width=1, no_wrap=True)
    table.add_column(title, width=15, header_style="bold")
    for witness in shown:
        # declared claims are a word or two; what was found needs the room
        table.add_column(
            witness.value, header_style="bold", ratio=_SHARE.get(witness, 5), min_width=12, overflow="fold"
        )
    for claim in view.claims:
        cells = [claim.cell(w) for w in shown]
        if not any(cell.says for cell in cells):
            continue
        table.add_row("≠" if claim.disagrees else "", claim.name, *[cell.says or "–" for cell in cells])
    out.print(table)
    if any(c.disagrees for c in view.claims):
        _line(out, "≠ the witnesses disagree", 1, style="dim")
    out.print()


def _signatures(out: Console, view: View) -> None:
    out.print(Text(" Who signed it", style="bold"))
    if not view.signatures:
        _line(out, "nobody, as far as this program can tell", 1)
    for signature in view.signatures:
        state = {
            Integrity.INTACT: "bytes intact",
            Integrity.BROKEN: "BYTES CHANGED AFTER SIGNING",
            Integrity.UNVERIFIED: "bytes not verified",
        }[signature.integrity]
        words = [signature.words] if signature.words.lower().startswith(state.lower()) else [state, signature.words]
        if signature.continuity and signature.continuity not in signature.words:
            words.append(signature.continuity)
        if signature.announced_in and signature.announced_in not in signature.words:
            words.append(f"announced in {signature.announced_in}")
        _line(out, "; ".join(words), 1)
        if signature.trust is not Trust.TRUSTED and (signature.signer or signature.chain):
            page = "FD111" if signature.announced_in else "FD110"
            _line(out, f"→ not trusted here yet; see `fulldress explain {page}` for the call script", 1, 3)
    out.print()


def _findings(out: Console, view: View, *, remedies: bool) -> None:
    for severity in (Severity.BLOCKER, Severity.MAJOR, Severity.MINOR):
        found = view.of(severity)
        if not found:
            continue
        out.print(Text(f" {_TITLES[severity]}", style="bold"))
        for finding in found:
            _finding(out, finding, remedies and severity is Severity.BLOCKER)
        out.print()
    notes = view.of(Severity.NOTE)
    if notes:
        rules = Counter(f.rule for f in notes)
        said = ", ".join(f"{rule} × {number}" if number > 1 else rule for rule, number in rules.items())
        _line(out, f"{tally(len(notes), 'note')}: {said} (all of them in --json and --html)", 1, 3)
        out.print()
    for finding in view.answered:
        how = f"settled by {finding.settled_by}" if finding.settled_by else "waived"
        if finding.waived is not None:
            how = f"waived by {finding.waived.who} until {finding.waived.until}: {finding.waived.why}"
        _line(out, f"{finding.rule}  {finding.title} [{how}]", 1, 8, style="dim")
    if view.answered:
        out.print()


def _finding(out: Console, finding: Finding, remedy: bool) -> None:
    place = finding.testimony[0].evidence.where() if finding.testimony else ""
    if place.startswith("run:"):
        place = ""  # the act table above tells of the runs
    room = min(out.width, WIDTH) - 8 - len(finding.title)
    style = {"blocker": "red", "major": "yellow"}.get(finding.severity.value, "")
    if place in finding.title or place in ("", "(no place)"):
        _line(out, f"{finding.rule}  {finding.title}", 1, 8, style)
    elif len(place) + 3 <= room:
        gap = " " * (room - len(place))
        out.print(Text(f" {finding.rule}  {finding.title}{gap}", style).append(place, "dim"), soft_wrap=True)
    else:
        _line(out, f"{finding.rule}  {finding.title}", 1, 8, style)
        _line(out, place, 8, style="dim")
    if remedy:
        first = finding.remedy.split("\n")[0]
        _line(out, f"→ {first}" + (" …" if "\n" in finding.remedy else ""), 8, 10)


def _api(out: Console, view: View) -> None:
    called = [row for row in view.api if row.calls and row.kind != "added"]
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
    shown = view.changes[:20]
    for change in shown:
        values = f": {change.before or '–'} → {change.after or '–'}" if change.what == "changed" else ""
        words = change.after or change.before if not values else ""
        _line(
            out, f"{change.what:8} {change.family:12} {change.subject}{values}" + (f"  {words}" if words else ""), 1, 23
        )
    if len(view.changes) > len(shown):
        _line(out, f"and {len(view.changes) - len(shown)} more, of less weight, in --json", 1)
    out.print()


def _unread(out: Console, view: View) -> None:
    if not view.unread:
        return
    needed = [gap for gap in view.unread if gap.needed]
    rest = [gap for gap in view.unread if not gap.needed]
    out.print(Text(" Not read, not reached, not measured", style="bold"))
    for gap in needed:
        _line(out, f"needed  {gap.what}: {gap.reason.value}" + (f" ({gap.detail})" if gap.detail else ""), 1, 9)
    # many gaps of one reason are one line; --json has each of them
    by_reason: dict[str, list[str]] = {}
    for gap in rest:
        by_reason.setdefault(gap.reason.value, []).append(gap.what)
    for reason, names in by_reason.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        _line(out, f"{reason}: {shown}", 1, 9)
    out.print()


def _acts(out: Console, view: View) -> None:
    if not view.acts:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False, width=min(out.width, WIDTH))
    table.add_column(" act", header_style="bold", max_width=26, overflow="fold")
    # more than four runs do not fit: then the range is shown instead of each run
    each = view.runs <= 4
    for number in range(view.runs if each else 1):
        table.add_column(
            f"run {number + 1}" if each else f"{view.runs} runs", header_style="bold", justify="right", no_wrap=True
        )
    table.add_column("what happened", header_style="bold", ratio=1)
    for row in view.acts:
        name = f"   {row.step}" if row.step else f" {row.act}"
        cells = [_cell(row, i) for i in range(view.runs)] if each else [_range(row)]
        table.add_row(name, *cells, row.words)
    out.print(table)
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
        f"{part.name} {clock(part.duration)}" + (f" ({part.basis})" if part.basis else "") for part in window.parts
    )
    _line(out, f"window   {sum_of} = {long(window.total)}", 1, 10)
    said = []
    if window.claimed is not None:
        said.append(f"the vendor says {long(window.claimed)}.")
    if window.negotiated is not None:
        fits = "fits" if window.total <= window.negotiated else "DOES NOT FIT"
        said.append(f"{long(window.negotiated)} negotiated: {fits}.")
    if window.latest_abort is not None:
        said.append(f"latest minute to give up: {both(window.latest_abort, view.zone)}")
    elif window.latest_abort_after is not None:
        said.append(f"latest minute to give up: {long(window.latest_abort_after)} after the start")
    if said:
        _line(out, "   ".join(said), 10)
    if window.missing:
        _line(out, f"not known: {', '.join(window.missing)} was not measured", 10)
    for warning in window.warnings:
        _line(out, warning, 10)
    out.print()


def _next(out: Console, text: str, label: str = "next") -> None:
    _line(out, f"{label}:  {text}", 1, 8)
