"""A few SVG shapes as text. No library: what is drawn here is exact, small, and needs no script to be seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from fulldress.facts import mask


class Canvas:
    """Collects elements; ``text`` gives the whole ``<svg>``. Lengths are pixels at a width of ``width``."""

    def __init__(self, width: float) -> None:
        self.width = width
        self._parts: list[str] = []

    def add(self, element: str) -> None:
        self._parts.append(element)

    def under(self, draw: Canvas) -> None:
        """Put what another canvas collected beneath everything drawn so far."""
        self._parts[:0] = draw._parts

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str) -> None:
        self.add(f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def bar(self, x: float, y: float, width: float, height: float, css: str, title: str = "") -> None:
        """A rectangle, at least one and a half pixels wide so that a short event is still seen."""
        hover = f"<title>{escape(mask(title))}</title>" if title else ""
        self.add(
            f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 1.5):.1f}" height="{height:.1f}" rx="1.5">{hover}</rect>'
        )

    def text(self, x: float, y: float, words: str, css: str, anchor: str = "start", title: str = "") -> None:
        hover = f"<title>{escape(mask(title))}</title>" if title else ""
        self.add(
            f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(mask(words))}{hover}</text>'
        )

    def path(self, points: Sequence[tuple[float, float]], css: str, close: bool = False, title: str = "") -> None:
        if not points:
            return
        hover = f"<title>{escape(mask(title))}</title>" if title else ""
        steps = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.add(f'<path class="{css}" d="M{steps}{" Z" if close else ""}">{hover}</path>')

    def band(self, upper: Iterable[tuple[float, float]], lower: Iterable[tuple[float, float]], css: str) -> None:
        self.path([*upper, *reversed(list(lower))], css, close=True)

    def svg(self, height: float, style: str, label: str, defs: str = "") -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:.0f} {height:.0f}" '
            f'width="{self.width:.0f}" height="{height:.0f}" role="img" aria-label="{escape(label)}">'
            f"<style>{style}</style><defs>{defs}</defs>"
            # as an element, since not every renderer heeds the style: a picture pasted into a dark page stays legible
            f'<rect width="{self.width:.0f}" height="{height:.0f}" fill="#fff"/>'
            f"{''.join(self._parts)}</svg>"
        )


def fit(words: str, pixels: float, per_character: float = 6.1) -> str:
    """``words`` shortened in the middle of nowhere only if they do not fit; the whole is in the hover title."""
    most = int(pixels / per_character)
    if len(words) <= most:
        return words
    return words[: most - 1].rstrip() + "…" if most > 3 else ""
