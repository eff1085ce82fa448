"""Screens: 80 columns, the verdict early, the same words without colour."""

from __future__ import annotations

import io
from collections.abc import Callable

import msgspec
import pytest
from rich.console import Console

import rehearsed
from fulldress.facts import Evidence, Reason, Unread, Witness
from fulldress.report import terminal, view


@pytest.fixture(scope="module")
def whole() -> view.View:
    return rehearsed.rehearsal()


def printed(screen: Callable[..., None], shown: view.View, *, colour: bool = False, width: int = 80) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=width, highlight=False, force_terminal=colour, color_system="standard" if colour else None
    )
    screen(shown, console=console)
    return out.getvalue()


@pytest.mark.parametrize("screen", [terminal.inspect_screen, terminal.check_screen, terminal.rehearsal_screen])
def test_no_line_is_wider_than_80(screen: Callable[..., None], whole: view.View) -> None:
    long = [line for line in printed(screen, whole).splitlines() if len(line.rstrip()) > 80]
    assert [line for line in long if " " in line.strip()] == []


@pytest.mark.parametrize("screen", [terminal.inspect_screen, terminal.check_screen, terminal.rehearsal_screen])
def test_colour_adds_nothing(screen: Callable[..., None], whole: view.View) -> None:
    import re

    coloured = re.sub(r"\x1b\[[0-9;]*m", "", printed(screen, whole, colour=True))
    assert [line.rstrip() for line in coloured.splitlines()] == [
        line.rstrip() for line in printed(screen, whole).splitlines()
    ]


def test_the_verdict_comes_first(whole: view.View) -> None:
    lines = printed(terminal.check_screen, whole).splitlines()
    assert any("NO-GO: 10 blockers" in line for line in lines[:6])


def test_act_table_has_each_run(whole: view.View) -> None:
    text = printed(terminal.rehearsal_screen, whole)
    assert "run 1" in text
    assert "run 3" in text
    assert "✗" in text
    assert "latest minute to" in " ".join(text.split())


def test_every_finding_is_on_the_screen_or_counted(whole: view.View) -> None:
    text = printed(terminal.check_screen, whole)
    assert all(f"{f.rule}" in text for f in whole.findings)


def test_needed_gaps_are_named(whole: view.View) -> None:
    gap = Unread(
        witness=Witness.RUNNING, evidence=Evidence(), what="way from 1 to 2", reason=Reason.NO_DATA, needed=True
    )
    text = printed(terminal.check_screen, msgspec.structs.replace(whole, unread=(gap,)))
    assert "needed  way from 1 to 2: says nothing" in text


def test_nothing_at_all_is_not_a_crash() -> None:
    empty = view.build("inspect", rehearsed.Reading(), [])
    text = printed(terminal.inspect_screen, empty)
    assert "nobody, as far as this program can tell" in text


def test_a_long_path_is_not_cut(whole: view.View) -> None:
    path = "a/" * 60 + "b.sh"
    finding = whole.findings[0]
    testimony = (msgspec.structs.replace(finding.testimony[0], evidence=Evidence(path=path)),)
    odd = msgspec.structs.replace(whole, findings=(msgspec.structs.replace(finding, testimony=testimony),))
    assert path in printed(terminal.check_screen, odd)
