"""Scales: a time axis in UTC with local time below, and decades of latency."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil, floor, log10

from fulldress.report.svg import Canvas
from fulldress.report.words import local

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


class Axis:
    """Maps instants to pixels between ``left`` and ``right``."""

    def __init__(self, start: datetime, end: datetime, left: float, right: float, zone: str) -> None:
        self.start, self.left, self.right, self.zone = start, left, right, zone
        self.seconds = max((end - start).total_seconds(), 0.001)

    def x(self, at: datetime) -> float:
        share = (at - self.start).total_seconds() / self.seconds
        return self.left + (self.right - self.left) * min(max(share, 0.0), 1.0)

    def ticks(self) -> list[datetime]:
        """Round instants, at most twelve."""
        step = next((s for s in _STEPS if self.seconds / s <= 11), 86400)
        first = ceil(self.start.timestamp() / step) * step
        moment = datetime.fromtimestamp(first, tz=self.start.tzinfo)
        found: list[datetime] = []
        while (moment - self.start).total_seconds() <= self.seconds and len(found) < 400:
            found.append(moment)
            moment += timedelta(seconds=step)
        return found

    def draw(self, canvas: Canvas, top: float, bottom: float) -> None:
        """Grid lines behind nothing: hair-thin, so that they may cross the bars. Labels: UTC, and local time below."""
        ticks = self.ticks()
        within_a_minute = len(ticks) > 1 and (ticks[1] - ticks[0]).total_seconds() < 60
        form = "%H:%M:%S" if within_a_minute else "%H:%M"
        canvas.line(self.left, bottom + 4, self.right, bottom + 4, "axis")
        for tick in ticks:
            x = self.x(tick)
            canvas.add(
                f'<line class="grid" opacity=".55" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom + 4:.1f}"/>'
            )
            canvas.line(x, bottom + 4, x, bottom + 8, "axis")
            canvas.text(x, bottom + 20, tick.strftime(form), "name", "middle")
            canvas.text(x, bottom + 34, local(tick, self.zone).strftime(form), "small", "middle")
        canvas.text(self.left - 34, bottom + 20, f"{self.start:%Y-%m-%d} UTC", "name", "end")
        offset = local(self.start, self.zone).strftime("%z")
        canvas.text(self.left - 34, bottom + 34, f"{self.zone} {offset[:3]}:{offset[3:]}", "small", "end")


def decades(seconds: list[float]) -> tuple[int, int]:
    """Powers of ten that hold all values, at least two decades."""
    positive = [value for value in seconds if value > 0] or [0.001]
    low, high = floor(log10(min(positive))), ceil(log10(max(positive)))
    return (low, high) if high - low >= 2 else (low, low + 2)


def millis(seconds: float) -> str:
    """``1 ms``, ``250 ms``, ``10 s``."""
    if seconds >= 1:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 1 else f"{value:g} ms"
