"""What callers lose and gain: operations that are gone or new, and those whose shape lost a part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fulldress.facts import Change, Fact, Interface, Witness

_SHOWN = 5


def compare(old: Iterable[Fact], new: Iterable[Fact]) -> Iterator[Change]:
    """By operation. Parts of a shape that are new are told only where parts are gone as well."""
    before = {f.operation: f for f in old if isinstance(f, Interface)}
    after = {f.operation: f for f in new if isinstance(f, Interface)}
    for name, was in before.items():
        if (now := after.get(name)) is None:
            yield _change(was, "removed", 6)
            continue
        lost = tuple(sorted(set(was.shape) - set(now.shape)))
        if lost:
            more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
            yield _change(now, "changed", 6, f"without {', '.join(lost[:_SHOWN])}{more}", lost)
        elif now.deprecated and not was.deprecated:
            yield _change(now, "changed", 12, "deprecated")
        elif was.shape != now.shape and now.kind != "python":
            yield _change(now, "changed", 45, f"{len(set(now.shape) - set(was.shape))} parts more")
    for name, now in after.items():
        if name not in before:
            yield _change(now, "added", 45)


def _change(fact: Interface, what: str, rank: int, after: str = "", lost: tuple[str, ...] = ()) -> Change:
    return Change(
        witness=Witness.READ,
        rank=rank if fact.kind != "python" else rank + 15,
        family="Interface",
        what=what,
        subject=fact.operation,
        after=after,
        lost=lost,
        evidence=fact.evidence,
    )
