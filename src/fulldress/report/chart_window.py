"""The window as one bar, with the vendor's claim, what was negotiated, and the latest minute to give up above it."""

from __future__ import annotations

from datetime import timedelta

from fulldress.report.svg import Canvas
from fulldress.report.view import WindowView
from fulldress.report.words import clock, long

WIDTH, LEFT, RIGHT = 1120.0, 2.0, 60.0
_STYLE = """
svg{font-family:'Helvetica Neue',Helvetica,Arial,'Liberation Sans',sans-serif}text{font-size:11px;fill:#24292f}
.small{font-size:10px;fill:#57606a}.on{font-size:10.5px;fill:#fff}.mark{stroke:#24292f;stroke-width:1}.fail{stroke:#8f1d21;stroke-width:1.6;stroke-dasharray:5 3}
.forward{fill:#3d444d}.verify{fill:#57606a}.rollback{fill:#8f1d21}.decision{fill:#8c959f}.buffer{fill:url(#buffer)}.axis{stroke:#aab1b9}
.bold{font-weight:700}
"""
_DEFS = (
    '<pattern id="buffer" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#f0f1f3"/><rect width="1.2" height="6" fill="#8c959f"/></pattern>'
)


def draw(window: WindowView) -> str:
    """One ``<svg>``. Parts in the order in which they would be used; widths to scale."""
    canvas = Canvas(WIDTH)
    marks: list[tuple[timedelta, str, str]] = []
    if window.claimed is not None:
        marks.append((window.claimed, f"the vendor says {long(window.claimed)}", "mark"))
    after = window.latest_abort_after
    if after is None and window.latest_abort and window.starts:
        after = window.latest_abort - window.starts
    if after is not None:
        marks.append((after, f"latest minute to give up: {long(after)} after the start", "fail"))
    if window.negotiated is not None:
        marks.append((window.negotiated, f"negotiated: {long(window.negotiated)}", "mark"))
    longest = max([window.total, *(at for at, _, _ in marks)]).total_seconds() or 1.0
    scale = (WIDTH - LEFT - RIGHT) / longest
    top = 14.0 + 15.0 * len(marks)
    x = LEFT
    for part in window.parts:
        width = part.duration.total_seconds() * scale
        canvas.bar(x, top, width - 1, 26, part.name, f"{part.name} {long(part.duration)} {part.basis}".strip())
        words = f"{part.name} {clock(part.duration)}"
        if width > 6.2 * len(words):
            canvas.text(x + 5, top + 17, words, "bold" if part.name == "buffer" else "on")
        x += width
    without = f" and {', '.join(window.missing)}" if window.missing else ""
    canvas.text(x + 6, top + 17, f"= {long(window.total)}{without}", "bold")
    for row, (at, words, css) in enumerate(sorted(marks, key=lambda m: -m[0])):
        place = LEFT + at.total_seconds() * scale
        y = 12.0 + 15.0 * row
        canvas.line(place, y - 6, place, top + 30, css)
        right = place + 6 * len(words) < WIDTH
        canvas.text(place + (5 if right else -5), y + 2, words, "bold", "start" if right else "end")
    # names of parts that are too narrow to carry them
    narrow = [
        p for p in window.parts if p.duration.total_seconds() * scale <= 6.2 * len(f"{p.name} {clock(p.duration)}")
    ]
    if narrow:
        figures = (f"{p.name} {'not measured' if p.name in window.missing else clock(p.duration)}" for p in narrow)
        canvas.text(LEFT, top + 44, f"narrow: {', '.join(figures)}", "small")
    return canvas.svg(top + 52, _STYLE, f"Window of {long(window.total)}", _DEFS)
