"""The timeline: one picture of one run on one UTC axis, with local time below.

From the top: gates, steps as bars, locks by table with their victims hanging from them, latency as p50–p99 bands per
operation with the baseline ghosted behind, requests in flight against production's, connections, log growth. Nothing is
told by colour alone: locks are hatched, failures crossed, gates carry a letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import median

import msgspec

from fulldress.facts import Fidelity, Gate, Point, Span, Timeline
from fulldress.report.chart_axis import Axis, decades, millis
from fulldress.report.svg import Canvas, fit
from fulldress.report.words import clock, size

LEFT, RIGHT, WIDTH = 176.0, 74.0, 1120.0
ROW, PANEL, GAP = 17.0, 58.0, 22.0
#: Operations that are drawn; the rest is named below the picture, and all are in the table.
MOST_OPERATIONS = 6

STYLE = """
svg{font-family:'Helvetica Neue',Helvetica,Arial,'Liberation Sans',sans-serif;background:#fff}
text{font-size:11px;fill:#24292f;paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}.small{font-size:10px;fill:#57606a}.head{font-size:10.5px;font-weight:700;fill:#24292f}
.name{font-size:11px}.victim{font-size:10px;fill:#57606a}.on{font-size:10px;fill:#fff;stroke:none}.hot{font-size:10.5px;fill:#8f1d21;font-weight:700}
.grid{stroke:#e6e8eb;stroke-width:1}.rule{stroke:#aab1b9;stroke-width:1}.axis{stroke:#24292f;stroke-width:1}
.act{fill:#57606a}.step{fill:#a9b4c0}.bad{fill:#8f1d21}.dim{fill:#d9dde2}
.ground{fill:#fff}.error{fill:#8f1d21;fill-opacity:.75}
.lock{fill:url(#hatch);stroke:#8f1d21;stroke-width:1}.wait{fill:#d98c8e}.hang{stroke:#8f1d21;stroke-width:.8;stroke-dasharray:2 2}
.band{fill:#2f5d8a;fill-opacity:.22;stroke:none}.p99{fill:none;stroke:#2f5d8a;stroke-width:1.4}.p50{fill:none;stroke:#2f5d8a;stroke-width:1.2;stroke-dasharray:3 2}
.ghost{fill:#8c959f;fill-opacity:.20;stroke:none}.ghostline{stroke:#8c959f;stroke-width:.8;stroke-dasharray:1 2}
.area{fill:#57606a;fill-opacity:.18;stroke:none}.series{fill:none;stroke:#3d444d;stroke-width:1.3}.wanted{stroke:#24292f;stroke-width:1;stroke-dasharray:6 3}
.gate-pass{stroke:#1a6b36;stroke-width:1}.gate-fail{stroke:#8f1d21;stroke-width:1.6}.gate-unknown{stroke:#8a6100;stroke-width:1.2;stroke-dasharray:4 3}
.tag-pass{fill:#fff;stroke:#1a6b36}.tag-fail{fill:#8f1d21;stroke:#8f1d21}.tag-unknown{fill:#fff;stroke:#8a6100;stroke-dasharray:2 2}
.tag{font-size:9.5px;font-weight:700;stroke:none}.tag-on{font-size:9.5px;font-weight:700;fill:#fff;stroke:none}
"""
_HATCH = (
    '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="5" height="5" fill="#f3d6d6"/><rect width="2.2" height="5" fill="#8f1d21"/></pattern>'
)


def draw(timeline: Timeline, fidelity: Iterable[Fidelity] = ()) -> str:
    """The picture as one ``<svg>``, usable inline and as a file."""
    return _Picture(timeline, list(fidelity)).svg()


def left_out(timeline: Timeline) -> list[str]:
    """What the picture does not show, in words: nothing is dropped in silence."""
    words = []
    rows = _operations(timeline)
    if len(rows) > MOST_OPERATIONS:
        words.append(f"{len(rows) - MOST_OPERATIONS} further operations: {', '.join(rows[MOST_OPERATIONS:])}")
    # the night has a picture of its own
    outside = [
        s
        for s in timeline.spans
        if (s.end < timeline.start or s.start > timeline.end) and s.lane != "job" and s.row != "night after"
    ]
    if outside:
        others = ", ".join(sorted({f"{s.row} at {s.start:%H:%M} UTC ({s.outcome or 'ran'})" for s in outside}))
        words.append(f"outside this time: {others}")
    return words


def _operations(timeline: Timeline) -> list[str]:
    """Operations with latency, the one that suffered most first."""
    worst: dict[str, float] = {}
    for point in timeline.points:
        if point.series == "latency p99":
            worst[point.row] = max(worst.get(point.row, 0.0), point.value)
    return sorted(worst, key=lambda row: (-worst[row], row))


class _Picture:
    """Draws section by section, each from where the one before ended."""

    def __init__(self, timeline: Timeline, fidelity: list[Fidelity]) -> None:
        self.timeline = timeline
        self.fidelity = fidelity
        self.canvas = Canvas(WIDTH)
        self.axis = Axis(timeline.start, timeline.end, LEFT, WIDTH - RIGHT, timeline.zone)
        self.y = 0.0

    def svg(self) -> str:
        top = self._gate_tags()
        self.y = top
        self._steps()
        self._locks()
        self._latency()
        self._series("in flight", "requests in flight", self._production("in flight"))
        self._series("connections", "connections", self._production("connections"))
        self._series("log bytes", "log written", None, as_bytes=True)
        bottom = self.y
        beneath = Canvas(WIDTH)
        self.axis.draw(beneath, top, bottom)
        self._gate_lines(beneath, top, bottom)
        self.canvas.under(beneath)
        label = f"Timeline of run {self.timeline.run}, {self.timeline.start:%Y-%m-%d %H:%M} UTC"
        return self.canvas.svg(bottom + 42, STYLE, label, _HATCH)

    # sections

    def _section(self, name: str) -> None:
        self.y += GAP
        self.canvas.line(0, self.y - 12, WIDTH, self.y - 12, "grid")
        self.canvas.text(0, self.y, name, "head")

    def _spans(self, *lanes: str) -> list[Span]:
        t = self.timeline
        return [s for s in t.spans if s.lane in lanes and s.end >= t.start and s.start <= t.end]

    def _bar(self, span: Span, y: float, height: float, css: str) -> tuple[float, float]:
        start, end = self.axis.x(max(span.start, self.timeline.start)), self.axis.x(min(span.end, self.timeline.end))
        length = span.end - span.start
        hover = f"{span.row}: {span.start:%H:%M:%S}–{span.end:%H:%M:%S} UTC, {clock(length)}\n{span.label}"
        self.canvas.bar(start, y, end - start, height, css, hover.strip())
        return start, max(end, start + 1.5)

    def _beside(self, x: float, y: float, words: str, css: str, start: float) -> None:
        """A label right of a bar, or left of it where it would leave the picture; gate lines pass behind it."""
        right = x + 6 * len(words) < WIDTH - 4
        length = 5.4 * len(words) + 4
        self.canvas.add(
            f'<rect class="ground" x="{x + 3 if right else start - 5 - length:.1f}" y="{y - 9:.1f}" width="{length:.1f}" height="12"/>'
        )
        if right:
            self.canvas.text(x + 5, y, words, css)
        else:
            self.canvas.text(start - 5, y, words, css, "end")

    def _steps(self) -> None:
        self._section("ACTS AND STEPS")
        acts = sorted(self._spans("act"), key=lambda s: s.start)
        if acts:
            self.y += 6
            for span in acts:
                start, end = self._bar(span, self.y, 15, "bad" if span.outcome == "failed" else "act")
                self.canvas.text(start + 4, self.y + 11, fit(span.row, end - start - 6), "on")
            self.y += 21
        rows: dict[str, list[Span]] = {}
        for span in sorted(self._spans("step", "job"), key=lambda s: s.start):
            rows.setdefault(span.row, []).append(span)
        for name, spans in rows.items():
            self.canvas.text(LEFT - 8, self.y + 10, fit(name, LEFT - 10), "name", "end", name)
            for span in spans:
                failed = span.outcome == "failed"
                start, end = self._bar(span, self.y + 1, 11, "bad" if failed else "step")
            note = ("✗ " if failed else "") + clock(spans[-1].end - spans[-1].start)
            self._beside(end, self.y + 10, note, "hot" if failed else "small", start)
            self.y += ROW

    def _locks(self) -> None:
        waits = self._spans("wait")
        # an advisory lock is there to be held; it is drawn only where somebody waited for it
        waited = {w.label.partition(" waited for ")[2].split(",")[0] for w in waits}
        locks = [s for s in self._spans("lock") if not s.row.startswith("advisory") or s.row in waited]
        if not locks and not waits:
            return
        self._section("LOCKS, AND WHO WAITED")
        self.y += 6
        tables: dict[str, list[Span]] = {}
        for span in sorted(locks, key=lambda s: s.start):
            tables.setdefault(span.row, []).append(span)
        hanging = list(waits)
        for table, spans in tables.items():
            self.canvas.text(LEFT - 8, self.y + 11, fit(table, LEFT - 10), "name", "end", table)
            longest = max(spans, key=lambda s: s.end - s.start)
            for span in spans:
                ends = self._bar(span, self.y, 14, "lock")
                if span is longest:
                    where = ends
            mode = longest.label.split(":")[0]
            # past the bars that stand where the label would
            free = where[1]
            for span in spans:
                if free - 2 <= self.axis.x(span.start) < free + 170:
                    free = max(free, self.axis.x(span.end) + 2)
            self._beside(free, self.y + 11, f"{mode} {clock(longest.end - longest.start)}", "hot", where[0])
            top = self.y + 14
            self.y += 18
            victims = [w for w in hanging if any(_overlaps(w, s) and table in w.label for s in spans)]
            hanging = [w for w in hanging if w not in victims]
            self._victims(victims, top)
            self.y += 5
        self._victims(hanging, self.y)

    def _victims(self, waits: list[Span], top: float) -> None:
        rows: dict[str, list[Span]] = {}
        for wait in waits:
            rows.setdefault(wait.row, []).append(wait)
        first = min((self.axis.x(w.start) for w in waits), default=0.0)
        for name, spans in sorted(rows.items(), key=lambda r: max(s.start - s.end for s in r[1])):
            self.canvas.text(LEFT - 8, self.y + 8, "└ " + fit(name, LEFT - 24, 5.6), "victim", "end", name)
            self.canvas.line(first, top, first, self.y + 4, "hang")
            for span in spans:
                start, end = self._bar(span, self.y + 1, 7, "wait")
            worst = max(s.end - s.start for s in spans)
            count = sum(int(found[1]) if (found := re.match(r"(\d+) ", s.label)) else 1 for s in spans)
            self._beside(end, self.y + 8, f"{count} waited, worst {clock(worst)}", "small", start)
            self.y += 13

    def _latency(self) -> None:
        rows = _operations(self.timeline)[:MOST_OPERATIONS]
        if not rows:
            return
        self._section("LATENCY")
        self.canvas.text(
            LEFT,
            self.y,
            "from the instant a request was due: band p50 (dashed) to p99, logarithmic; grey: the baseline",
            "small",
        )
        values = [p.value for p in self.timeline.points if p.series in ("latency p50", "latency p99") and p.row in rows]
        low, high = decades(values)
        self.y += 6
        for row in rows:
            self._operation(row, low, high)
            self.y += PANEL + 8

    def _operation(self, row: str, low: int, high: int) -> None:
        top, bottom = self.y, self.y + PANEL
        span = max(high - low, 1)

        def place(seconds: float) -> float:
            return bottom - PANEL * (_log(seconds) - low) / span

        for power in range(low, high + 1):
            y = bottom - PANEL * (power - low) / span
            self.canvas.line(LEFT, y, WIDTH - RIGHT, y, "grid")
            # room for one label every 15 pixels; the top and bottom lines belong to two panels
            if low < power < high and (power - low) % max(1, round(15 * span / PANEL)) == 0:
                self.canvas.text(WIDTH - RIGHT + 6, y + 3.5, millis(10.0**power), "small")
        self.canvas.text(LEFT - 8, top + PANEL / 2 + 4, fit(row, LEFT - 10), "name", "end", row)
        p50, p99 = self._points("latency p50", row), self._points("latency p99", row)
        ghost = self._baseline(row)
        if ghost:
            upper, lower = place(ghost[1]), place(ghost[0])
            self.canvas.bar(
                LEFT,
                upper,
                WIDTH - LEFT - RIGHT,
                max(lower - upper, 1),
                "ghost",
                f"baseline p50 {millis(ghost[0])}, p99 {millis(ghost[1])}",
            )
            self.canvas.line(LEFT, upper, WIDTH - RIGHT, upper, "ghostline")
        if p50 and p99:
            self.canvas.band(
                [(self.axis.x(p.at), place(p.value)) for p in p99],
                [(self.axis.x(p.at), place(p.value)) for p in p50],
                "band",
            )
        self._errors(row, bottom)
        self.canvas.path([(self.axis.x(p.at), place(p.value)) for p in p50], "p50", title=f"{row} p50")
        self.canvas.path([(self.axis.x(p.at), place(p.value)) for p in p99], "p99", title=f"{row} p99")
        if p99:
            worst = max(p99, key=lambda p: p.value)
            if not ghost or worst.value > ghost[1] * 3:
                x, y = self.axis.x(worst.at), place(worst.value)
                self._beside(x, min(max(y + 16, top + 16), bottom - 3), f"p99 {millis(worst.value)}", "hot", x)

    def _errors(self, row: str, bottom: float) -> None:
        """Requests that failed, as bars from below: a refused request is fast, and its latency alone would look well."""
        points = [p for p in self._points("errors", row) if p.value > 0]
        if not points:
            return
        most = max(p.value for p in points)
        for point in points:
            height = max(16 * point.value / most, 3)
            hover = f"{row}: {point.value:.0f} failed at {point.at:%H:%M:%S} UTC"
            self.canvas.bar(self.axis.x(point.at) - 3, bottom - height, 6, height, "error", hover)
        total, last = sum(p.value for p in points), self.axis.x(points[-1].at)
        self._beside(last + 2, bottom - 3, f"✗ {total:,.0f} failed", "hot", self.axis.x(points[0].at) - 3)

    def _baseline(self, row: str) -> tuple[float, float] | None:
        """Median p50 and p99 during the act *baseline*."""
        acts = [s for s in self.timeline.spans if s.lane == "act" and s.row == "baseline"]
        if not acts:
            return None
        inside = [p for p in self.timeline.points if p.row == row and acts[0].start <= p.at <= acts[0].end]
        p50 = [p.value for p in inside if p.series == "latency p50"]
        p99 = [p.value for p in inside if p.series == "latency p99"]
        return (median(p50), median(p99)) if p50 and p99 else None

    def _series(self, series: str, title: str, production: float | None, as_bytes: bool = False) -> None:
        rows = sorted({p.row for p in self.timeline.points if p.series == series})
        if not rows:
            return
        self._section(title.upper())
        self.y += 4
        for row in rows:
            points = _summed(self._points(series, row))
            top, bottom = self.y, self.y + 40
            most = max([p.value for p in points] + [production or 0.0]) or 1.0
            heights = [(self.axis.x(p.at), bottom - 38 * p.value / most) for p in points]
            self.canvas.line(LEFT, bottom, WIDTH - RIGHT, bottom, "grid")
            self.canvas.band(heights, [(x, bottom) for x, _ in heights], "area")
            self.canvas.path(heights, "series", title=f"{title} {row}".strip())
            shown = size(int(most)) if as_bytes else f"{most:,.0f}"
            self.canvas.text(WIDTH - RIGHT + 6, bottom - 38 + 8, shown, "small")
            self.canvas.text(LEFT - 8, top + 24, fit(row or title, LEFT - 10), "name", "end", row)
            if production:
                y = bottom - 38 * production / most
                self.canvas.line(LEFT, y, WIDTH - RIGHT, y, "wanted")
                # at the left end, where the baseline runs and the line is free
                self.canvas.text(
                    LEFT + 4, y - 3 if y > top + 10 else y + 11, f"production p99: {production:g}", "small"
                )
            self.y += 48

    def _points(self, series: str, row: str) -> list[Point]:
        return sorted((p for p in self.timeline.points if p.series == series and p.row == row), key=lambda p: p.at)

    def _production(self, measure: str) -> float | None:
        """Production's own figure of a measure, of its 99th percentile where there are several."""
        found = [f for f in self.fidelity if measure in f.measure and f.production]
        return next((f.production for f in sorted(found, key=lambda f: "p99" not in f.measure)), None)

    # gates

    def _gates(self) -> list[Gate]:
        return sorted(self.timeline.gates, key=lambda g: g.at)

    def _gate_tags(self) -> float:
        """Numbered tags over the picture, pushed apart where gates stand close; their names are in the legend."""
        gates = self._gates()
        if not gates:
            return 4.0
        self.canvas.text(0, 13, "GATES", "head")
        free = LEFT - 20
        for number, gate in enumerate(gates, 1):
            x = max(self.axis.x(gate.at), free + 20)
            free = x
            self.canvas.add(
                f'<rect class="tag-{gate.outcome}" x="{x - 9:.1f}" y="2" width="18" height="14" rx="3"><title>{gate.outcome}</title></rect>'
            )
            mark = {"pass": str(number), "fail": f"{number}✗", "unknown": f"{number}?"}.get(gate.outcome, str(number))
            self.canvas.text(
                x,
                12.5,
                mark,
                "tag-on" if gate.outcome == "fail" else "tag",
                "middle",
                f"{gate.name}: {gate.outcome} {gate.detail}",
            )
            self.canvas.line(x, 16, self.axis.x(gate.at), 22, f"gate-{gate.outcome}")
        return 22.0

    def _gate_lines(self, canvas: Canvas, top: float, bottom: float) -> None:
        for gate in self._gates():
            x = self.axis.x(gate.at)
            canvas.line(x, top, x, bottom, f"gate-{gate.outcome}")


def _overlaps(one: Span, other: Span) -> bool:
    slack = timedelta(milliseconds=200)
    return one.start <= other.end + slack and one.end >= other.start - slack


def _summed(points: list[Point]) -> list[Point]:
    """Points of several generators (HTTP and SQL) that count at the same time, added up second by second."""
    slots: dict[int, Point] = {}
    for point in points:
        slot = int((point.at - points[0].at).total_seconds())
        known = slots.get(slot)
        slots[slot] = msgspec.structs.replace(known, value=known.value + point.value) if known else point
    return list(slots.values()) if len(slots) > 1 else points


def _log(seconds: float) -> float:
    from math import log10

    return log10(max(seconds, 1e-6))


def legend(timeline: Timeline) -> list[tuple[int, str, str, datetime, str]]:
    """(number, name, outcome, instant, detail) of every gate, in the order of their tags."""
    return [(n, g.name, g.outcome, g.at, g.detail) for n, g in enumerate(sorted(timeline.gates, key=lambda g: g.at), 1)]
