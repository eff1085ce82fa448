"""The HTML report: one file, nothing fetched, hostile text kept harmless."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rehearsed
from fulldress.facts import Evidence, Gate, Growth, JobRun, Point, Span, Timeline, Witness
from fulldress.report import chart_night, chart_timeline, chart_window, html, view


@pytest.fixture(scope="module")
def whole() -> view.View:
    return rehearsed.rehearsal()


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        for name, value in attrs:
            if name in ("src", "href", "data", "action") and value and not value.startswith("#"):
                self.fetched.append(value)


def test_self_contained(whole: view.View, tmp_path: Path) -> None:
    html.write(whole, tmp_path / "a" / "report.html")
    text = (tmp_path / "a" / "report.html").read_text()
    links = Links()
    links.feed(text)
    assert links.fetched == []
    assert links.scripts == 0
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["report.html"]


def test_everything_is_in_it(whole: view.View) -> None:
    text = html.render(whole)
    assert all(f.rule in text for f in whole.findings)
    for words in (
        "Four witnesses",
        "Run by run",
        "The window",
        "Who signed it",
        "Not read",
        "waived by M. Ek",
        "Europe/Berlin",
    ):
        assert words in text


def test_text_of_others_is_escaped_and_masked(whole: view.View) -> None:
    finding = msgspec.structs.replace(whole.findings[0], title="<script>alert(1)</script> password=hunter2hunter2")
    timeline = rehearsed.timeline()
    span = Span(lane="step", row="<img src=x>", start=timeline.start, end=timeline.end, label="]]><b>")
    odd = msgspec.structs.replace(
        whole, findings=(finding,), timelines=(msgspec.structs.replace(timeline, spans=(span,)),)
    )
    text = html.render(odd)
    assert "<script>" not in text
    assert "<img" not in text
    assert "hunter2" not in text


def test_without_a_rehearsal() -> None:
    text = html.render(view.build("inspect", rehearsed.Reading(), []))
    assert "<svg" not in text
    assert "Nobody, as far as this program can tell" in text


def test_pictures_are_well_formed(whole: view.View) -> None:
    ElementTree.fromstring(chart_timeline.draw(whole.timelines[0], whole.fidelity))  # noqa: S314 - our own text
    assert whole.window is not None
    ElementTree.fromstring(chart_window.draw(whole.window))  # noqa: S314 - our own text


def test_what_is_not_drawn_is_said() -> None:
    timeline = rehearsed.timeline()
    points = tuple(
        Point(series="latency p99", row=f"GET /{n}", at=timeline.start, value=0.1)
        for n in range(chart_timeline.MOST_OPERATIONS + 2)
    )
    words = chart_timeline.left_out(msgspec.structs.replace(timeline, points=points))
    assert words[0].startswith("2 further operations")
    assert len(words) == 1, "a job of the night has a picture of its own"
    late = Span(lane="step", row="post", start=timeline.end + timedelta(hours=1), end=timeline.end + timedelta(hours=2))
    assert "post at" in chart_timeline.left_out(msgspec.structs.replace(timeline, spans=(late,)))[0]


instants = st.floats(-100, 500, allow_nan=False).map(lambda s: rehearsed.START + timedelta(seconds=s))
spans = st.builds(
    lambda lane, row, at, length, label: Span(lane=lane, row=row, start=at, end=at + timedelta(seconds=length), label=label),
    st.sampled_from(["act", "step", "lock", "wait", "job", "other"]), st.text(max_size=40), instants, st.floats(0, 300), st.text(max_size=40),
)  # fmt: skip
points = st.builds(
    Point,
    series=st.sampled_from(["latency p50", "latency p99", "errors", "in flight", "connections", "log bytes"]),
    row=st.sampled_from(["", "GET /a", "GET /b"]),
    at=instants,
    value=st.floats(0, 1e6),
)
gates = st.builds(Gate, name=st.text(max_size=20), at=instants, outcome=st.sampled_from(["pass", "fail", "unknown"]))


@settings(max_examples=60, deadline=None)
@given(st.lists(spans, max_size=8), st.lists(points, max_size=12), st.lists(gates, max_size=4), st.floats(0, 400))
def test_any_timeline_can_be_drawn(some: list[Span], more: list[Point], few: list[Gate], length: float) -> None:
    timeline = Timeline(
        run=1, start=rehearsed.START, end=rehearsed.START + timedelta(seconds=length), zone="Nowhere/Land",
        spans=tuple(some), points=tuple(more), gates=tuple(few),
    )  # fmt: skip
    drawing = chart_timeline.draw(timeline)
    printable = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", drawing)
    ElementTree.fromstring(printable)  # noqa: S314 - our own text
    assert "nan" not in re.sub(r">[^<]*<", "", drawing)


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here")
def test_a_browser_lays_it_out_without_a_word(whole: view.View, tmp_path: Path) -> None:
    html.write(whole, tmp_path / "report.html")
    out = subprocess.run(
        [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"file://{tmp_path / 'report.html'}",
        ],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "Four witnesses" in out.stdout
    assert "CONSOLE" not in out.stderr


def job(name: str, hours: float, exit_code: int | None = 0, words: str = "") -> JobRun:
    return JobRun(
        witness=Witness.OBSERVED, evidence=Evidence(), schedule=name, due=rehearsed.START + timedelta(hours=hours),
        exit_code=exit_code, duration=timedelta(seconds=3), words=words,
    )  # fmt: skip


def growth(name: str, hours: float | None) -> Growth:
    return Growth(
        witness=Witness.OBSERVED, evidence=Evidence(), schedule=name, partition="/var/log", written=1, over=timedelta(1),
        runs_per_hour=1.0, bytes_per_hour=8e8, free=6_400_000_000,
        full_at=None if hours is None else rehearsed.START + timedelta(hours=hours),
    )  # fmt: skip


def test_the_night_shows_when_a_partition_is_full() -> None:
    drawing = chart_night.draw(
        [job("backup", 0.5), job("import", 2, None, "cut <off>")], [growth("import", 10), growth("backup", None)], "Europe/Berlin"
    )  # fmt: skip
    ElementTree.fromstring(drawing)  # noqa: S314 - our own text
    assert "full at 11:00 UTC (12:00 here)" in drawing
    assert "did not end" in drawing
    assert drawing.count("free on") == 1
    assert chart_night.draw([], [growth("import", 10)], "UTC") == "", "no job ran, so there is no night to draw"
    assert "full at" not in chart_night.draw([job("import", 2)], [growth("import", 2000)], "UTC")


def test_failed_requests_and_several_generators() -> None:
    timeline = rehearsed.timeline()
    at = [timeline.start + timedelta(seconds=s) for s in (1.1, 2.1, 1.3, 2.3)]
    points = (
        *(Point(series="in flight", row="", at=t, value=v) for t, v in zip(at, (2.0, 3.0, 40.0, 50.0), strict=True)),
        *(Point(series=s, row="GET /a", at=at[0], value=0.1) for s in ("latency p50", "latency p99")),
        Point(series="errors", row="GET /a", at=at[0], value=7.0),
    )
    drawing = chart_timeline.draw(msgspec.structs.replace(timeline, points=points))
    assert ">53<" in drawing, "what HTTP and SQL have in flight at one time adds up"
    assert "✗ 7 failed" in drawing
