"""How tightly a constraint holds a dependency, and a version that nobody tested and that it lets in."""

from __future__ import annotations

from fulldress.facts import Looseness
from fulldress.formats import constraint


def score(text: str, dialect: str = "") -> tuple[Looseness, str]:
    """Looseness, and an example of what the constraint would also admit (empty for an exact one)."""
    text = text.strip()
    if dialect == "npm" and text.startswith("file:"):
        return Looseness.EXACT, ""  # it lies in the package, and is as exact as that
    if constraint.is_floating(text):
        return Looseness.FLOATING, "whatever it names on the day"
    ranges = constraint.read(text, dialect)
    if ranges is None:
        return Looseness.UNREADABLE, ""
    if any(not clauses for clauses in ranges):
        return Looseness.ANY, "0.1"
    verdicts = [_alternative(clauses) for clauses in ranges]
    order = (Looseness.ANY, Looseness.UNBOUNDED, Looseness.BOUNDED, Looseness.EXACT)
    loosest = min(verdicts, key=lambda verdict: order.index(verdict[0]))
    if loosest[0] is Looseness.EXACT and len(set(ranges)) > 1:
        return Looseness.BOUNDED, ""
    return loosest


def _alternative(clauses: tuple[constraint.Clause, ...]) -> tuple[Looseness, str]:
    by = {clause.operator: clause.version for clause in clauses}
    if "==" in by:
        return Looseness.EXACT, ""
    upper = by.get("<") or by.get("<=")
    lower = by.get(">=") or by.get(">")
    if lower and upper:
        return Looseness.BOUNDED, by.get("<=", f"the last one before {upper}")
    if upper:
        return Looseness.BOUNDED, "0.1"
    return Looseness.UNBOUNDED, constraint.bump_major(lower) if lower else "every other version"
