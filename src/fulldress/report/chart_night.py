"""The night after: the jobs at their hours, and the partition that one of them fills, from its hour until it is full."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from fulldress.facts import Growth, JobRun
from fulldress.report.chart_axis import Axis
from fulldress.report.chart_timeline import LEFT, RIGHT, STYLE, WIDTH
from fulldress.report.svg import Canvas, fit
from fulldress.report.words import clock, local, size

ROW, PANEL = 20.0, 54.0
#: A partition that is full later than this is no matter of the night.
_SOON = timedelta(days=3)


def draw(runs: Iterable[JobRun], growths: Iterable[Growth], zone: str) -> str:
    """One ``<svg>``; empty where no job ran."""
    jobs = sorted({(r.schedule, r.due): r for r in runs}.values(), key=lambda r: (r.due, r.schedule))
    if not jobs:
        return ""
    filling = _filling(growths, jobs)
    ends = [run.due + run.duration for run in jobs] + [full for _, _, full in filling]
    start, end = min(run.due for run in jobs) - timedelta(minutes=30), max(ends) + timedelta(minutes=45)
    canvas, axis = Canvas(WIDTH), Axis(start, end, LEFT, WIDTH - RIGHT, zone)
    y = 10.0
    for run in jobs:
        _job(canvas, axis, run, y)
        y += ROW
    for growth, begins, full in filling:
        y += 12
        _fill(canvas, axis, growth, begins, full, y, zone)
        y += PANEL
    beneath = Canvas(WIDTH)
    axis.draw(beneath, 4, y + 4)
    canvas.under(beneath)
    return canvas.svg(y + 46, STYLE, f"The night after, from {start:%Y-%m-%d %H:%M} UTC")


def _filling(growths: Iterable[Growth], jobs: list[JobRun]) -> list[tuple[Growth, datetime, datetime]]:
    """The worst growth of each job that fills a partition soon, with its hour and the instant when it is full."""
    due = {run.schedule: run.due for run in reversed(jobs)}
    worst: dict[tuple[str, str], Growth] = {}
    for growth in growths:
        key = growth.schedule, growth.partition
        if growth.full_at and key[0] in due and growth.full_at - due[key[0]] <= _SOON:
            known = worst.get(key)
            if known is None or growth.bytes_per_hour > known.bytes_per_hour:
                worst[key] = growth
    return [(g, due[g.schedule], g.full_at) for g in worst.values() if g.full_at and g.full_at > due[g.schedule]]


def _job(canvas: Canvas, axis: Axis, run: JobRun, y: float) -> None:
    failed = run.exit_code != 0
    x, end = axis.x(run.due), axis.x(run.due + run.duration)
    canvas.text(LEFT - 8, y + 10, fit(run.schedule, LEFT - 10), "name", "end", run.schedule)
    canvas.bar(
        x,
        y + 1,
        max(end - x, 4),
        12,
        "bad" if failed else "step",
        f"{run.schedule} at {run.due:%H:%M} UTC: {run.words}",
    )
    said = "✗ did not end" if run.exit_code is None else f"✗ exit {run.exit_code}" if failed else "ok"
    words = f"{run.due:%H:%M} {said}, {clock(run.duration)}" + (f": {run.words}" if failed and run.words else "")
    right = x + 8 + 6 * len(words) < WIDTH
    canvas.text(
        max(end, x + 4) + 5 if right else x - 5,
        y + 10,
        words,
        "hot" if failed else "small",
        "start" if right else "end",
    )


def _fill(canvas: Canvas, axis: Axis, growth: Growth, begins: datetime, full: datetime, top: float, zone: str) -> None:
    bottom = top + PANEL - 12
    x, end = axis.x(begins), axis.x(full)
    canvas.text(LEFT - 8, top + 16, fit(f"free on {growth.partition}", LEFT - 10), "name", "end")
    canvas.text(LEFT - 8, top + 29, size(growth.free or 0), "small", "end")
    canvas.line(LEFT, bottom, WIDTH - RIGHT, bottom, "grid")
    canvas.path([(LEFT, top), (x, top), (end, bottom), (x, bottom), (LEFT, bottom)], "area", close=True)
    canvas.path(
        [(LEFT, top), (x, top), (end, bottom)],
        "series",
        title=f"{growth.schedule}: {growth.bytes_per_hour:,.0f} bytes an hour",
    )
    canvas.line(end, top - 4, end, bottom + 4, "gate-fail")
    there = local(full, zone)
    words = f"full at {full:%H:%M} UTC ({there:%H:%M} here)"
    canvas.text(end - 6, top + 10, words, "hot", "end")
    canvas.text(
        end - 6, top + 23, f"{growth.schedule} writes {size(int(growth.bytes_per_hour))} an hour", "small", "end"
    )
