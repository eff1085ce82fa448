"""FD7xx: what becomes of the API, set against who calls it."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, count, rule, says, several
from fulldress.facts import InterfaceChange, Use, Witness
from fulldress.findings import Severity


def _changes(index: Index, *kinds: str) -> list[InterfaceChange]:
    return [c for c in index.of(InterfaceChange) if c.kind in kinds]


def _called(uses: list[Use]) -> str:
    """``412 calls a day from two clients``, in figures."""
    per_day = sum(u.per_day for u in uses)
    clients = sorted({c for u in uses for c in u.clients})
    rate = f"{per_day:,.0f} calls a day" if per_day >= 1 else count(sum(u.calls for u in uses), "call")
    return f"{rate} from {count(len(clients), 'client')}" if clients else rate


def _uses(uses: list[Use]) -> tuple[tuple[Use, str], ...]:
    return tuple((u, f"{u.calls:,} calls, {u.per_day:,.0f} a day: {several(list(u.clients))}") for u in uses)


@rule("FD701", Severity.BLOCKER, "An operation that is called today is removed")
def removed_in_use(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "removed"):
        uses = index.uses(change.operation)
        if uses:
            clients = sorted({c for u in uses for c in u.clients})
            yield Hit(
                title=f"{change.operation} is removed: {_called(uses)}",
                subject=change.operation,
                remedy=f"Tell these clients before the window and have them moved: {several(clients, 6)}",
                testimony=(says(change, change.detail or "removed"), *(says(u, words) for u, words in _uses(uses))),
            )


@rule("FD702", Severity.MINOR, "An operation that is called today is deprecated")
def deprecated_in_use(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "deprecated"):
        uses = index.uses(change.operation)
        if uses:
            yield Hit(
                title=f"{change.operation} is deprecated: {_called(uses)}",
                subject=change.operation,
                remedy="Tell these clients that a later version removes it.",
                testimony=(says(change, change.detail or "deprecated"), *(says(u, words) for u, words in _uses(uses))),
            )


@rule("FD703", Severity.MAJOR, "An operation that is called today accepts or returns less")
def narrowed_in_use(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "narrowed"):
        uses = index.uses(change.operation)
        if uses:
            yield Hit(
                title=f"{change.operation} changes for its callers ({change.detail or 'narrowed'}): {_called(uses)}",
                subject=change.operation,
                remedy="Replay a sample of these clients' requests against the rehearsal copy, and tell them.",
                testimony=(says(change, change.detail or "narrowed"), *(says(u, words) for u, words in _uses(uses))),
            )


@rule("FD704", Severity.NOTE, "An operation is removed that nobody was seen to call")
def removed_unused(index: Index) -> Iterator[Hit]:
    if not index.of(Use, Witness.RUNNING):
        return  # gaps() says that nobody was asked
    for change in _changes(index, "removed"):
        if not index.uses(change.operation):
            yield Hit(
                title=f"{change.operation} is removed; no call in the access logs",
                subject=change.operation,
                remedy="Remember that monthly and yearly jobs may not be in these logs.",
                testimony=(says(change, change.detail or "removed"),),
            )
