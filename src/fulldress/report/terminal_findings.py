"""Findings on a screen: blockers whole and with their remedy, major ones short, minor ones a line each, notes counted.

Everything is in ``--json`` and in the HTML report; a screen that nobody reads to its end says nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby

from rich.console import Console
from rich.text import Text

from fulldress.findings import Finding, Severity
from fulldress.report import columns
from fulldress.report.view import View
from fulldress.report.words import plain, tally

_TITLES = {Severity.BLOCKER: "Blockers", Severity.MAJOR: "Major", Severity.MINOR: "Minor"}
_STYLE = {Severity.BLOCKER: "red", Severity.MAJOR: "yellow"}
#: Columns before a finding's words: a space, the rule, two spaces.
INDENT = 8
#: Most that the place takes of the line of a minor finding.
_PLACE = 26
#: What a place is shortened to, so that the title fits; the line number stays.
_SHORT = 12
#: Lines that the title of a major finding may have.
_MOST = 2


def show(out: Console, view: View, width: int, *, remedies: bool) -> None:
    """Blockers first. ``remedies`` false: only theirs (what the package says of itself is not yet a plan)."""
    for severity, title in _TITLES.items():
        found = view.of(severity)
        if not found:
            continue
        out.print(Text(f" {title}", style="bold"))
        if severity is Severity.MINOR:
            for finding in found:
                _line(out, finding, width)
        else:
            for _, group in groupby(found, key=lambda f: (f.rule, _first(f))):
                _group(out, list(group), width, whole=severity is Severity.BLOCKER, remedies=remedies)
        out.print()
    _notes(out, view, width)
    for finding in view.answered:
        how = f"settled by {finding.settled_by}"
        if finding.waived is not None:
            how = f"waived by {finding.waived.who} until {finding.waived.until}: {finding.waived.why}"
        _answered(out, finding, how, width)
    if view.answered:
        out.print()


def _group(out: Console, found: list[Finding], width: int, *, whole: bool, remedies: bool) -> None:
    """Findings of one rule with one remedy, which is then said once."""
    for finding in found:
        title = columns.wrap(plain(finding.title), width - INDENT)
        room = _MOST * (width - INDENT)
        while not whole and len(title) > _MOST:
            room -= 4
            title = columns.wrap(columns.end(plain(finding.title), room), width - INDENT)
        style = _STYLE[finding.severity]
        place = _place(finding)
        for number, text in enumerate(title):
            shown = Text(f" {finding.rule}  " if not number else " " * INDENT, style).append(text, style)
            if number == len(title) - 1 and place and len(text) + 3 + len(place) <= width - INDENT:
                shown.append(" " * (width - INDENT - len(text) - len(place)) + place, "dim")
                place = ""
            out.print(shown, soft_wrap=True)
        if place:
            # a path longer than a line stays whole: it will be copied
            out.print(Text(" " * INDENT + place, "dim"), soft_wrap=True)
    if whole and (remedies or found[0].severity is Severity.BLOCKER):
        _remedy(out, found[0].remedy.split("\n"), width)
    elif remedies:
        out.print(Text(" " * INDENT + "→ " + columns.end(_first(found[0]), width - INDENT - 2)), soft_wrap=True)


def _remedy(out: Console, lines: list[str], width: int) -> None:
    mark = "→ "
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        # what stands indented or looks like a setting is there to be pasted, and is not broken
        paste = bool(indent) or " = " in line[:40] or line.startswith("[[")
        for text in [line] if paste else columns.wrap(line, width - INDENT - 2):
            out.print(Text(" " * INDENT + mark + text), soft_wrap=True)
            mark = "  "


def _line(out: Console, finding: Finding, width: int) -> None:
    # the file alone: the whole path is in --json, and the words need the room
    place = re.split(r"[/!]", _place(finding).partition(", step ")[0])[-1]
    # words before places: what is cut first is the file's name
    words = plain(finding.title)
    left = width - INDENT - 2 - len(words)
    place = columns.middle(place, min(max(left, _SHORT), _PLACE))
    room = width - INDENT - (len(place) + 2 if place else 0)
    title = columns.end(words, room)
    gap = " " * (width - INDENT - len(title) - len(place)) if place else ""
    out.print(Text(f" {finding.rule}  {title}{gap}").append(place, "dim"), soft_wrap=True)


def _notes(out: Console, view: View, width: int) -> None:
    notes = view.of(Severity.NOTE)
    if not notes:
        return
    rules = Counter(f.rule for f in notes)
    said = ", ".join(f"{rule} × {number}" if number > 1 else rule for rule, number in rules.items())
    for line in columns.wrap(f"{tally(len(notes), 'note')}: {said} (in --json and --html)", width - 2):
        out.print(Text(f" {line}"), soft_wrap=True)
    out.print()


def _answered(out: Console, finding: Finding, how: str, width: int) -> None:
    how = columns.end(how, 34)
    title = columns.end(plain(finding.title), width - INDENT - len(how) - 3)
    out.print(Text(f" {finding.rule}  {title} [{how}]", style="dim"), soft_wrap=True)


def _first(finding: Finding) -> str:
    return finding.remedy.split("\n")[0]


def _place(finding: Finding) -> str:
    place = finding.testimony[0].evidence.where() if finding.testimony else ""
    # the table of acts tells of the runs
    return "" if place.startswith("run:") or place == "(no place)" or place in finding.title else plain(place)
