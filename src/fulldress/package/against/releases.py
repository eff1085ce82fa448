"""The release as a whole: from which version to which, and whether it is a release that was seen with other bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fulldress.facts import Change, Fact, Release, Witness

if TYPE_CHECKING:
    from fulldress.package import Reading


def releases(old: Reading, new: Reading) -> Iterator[Change]:
    """By product. A product that only one of them names is no change of a release."""
    before, after = _versions(old.facts), _versions(new.facts)
    for product in sorted(before.keys() & after.keys()):
        if before[product].keys() != after[product].keys():
            yield Change(
                witness=Witness.READ,
                rank=0,
                family="Release",
                what="changed",
                subject=product,
                before=", ".join(sorted(before[product])),
                after=", ".join(sorted(after[product])),
                evidence=next(iter(after[product].values())).evidence,
            )
    yield from reissued(new.source, new.facts, old.source, old.facts, old.name)


def reissued(
    source: str, facts: Iterable[Fact], other_source: str, others: Iterable[Fact], other_name: str
) -> Iterator[Change]:
    """The same release with other bytes. ``source`` and ``other_source`` are the sha256 of the two packages.

    A package is named by its outermost release; parts of it that two different packages share are no reissue."""
    if source == other_source:
        return
    mine, theirs = _outermost(facts), _outermost(others)
    for product in sorted(mine.keys() & theirs.keys()):
        if mine[product].version == theirs[product].version:
            yield Change(
                witness=Witness.READ,
                rank=1,
                family="Release",
                what="same",
                subject=f"{product} {mine[product].version}",
                before=f"sha256 {other_source} ({other_name})",
                after=f"sha256 {source}",
                evidence=mine[product].evidence,
            )


def _versions(facts: Iterable[Fact]) -> dict[str, dict[str, Release]]:
    found: dict[str, dict[str, Release]] = {}
    for fact in facts:
        if isinstance(fact, Release) and fact.aspect != "binary":
            found.setdefault(fact.product, {}).setdefault(fact.version, fact)
    return found


def _outermost(facts: Iterable[Fact]) -> dict[str, Release]:
    """What the package says of itself in its own files, not in those of containers inside it; not the file name, which
    differs between the parts of one release (``-linux``, ``-windows``)."""
    found: dict[str, Release] = {}
    for fact in facts:
        named = isinstance(fact, Release) and fact.aspect not in ("binary", "file name") and fact.version
        if named and isinstance(fact, Release) and fact.evidence.path.count("!/") <= 1:
            found.setdefault(fact.product.lower(), fact)
    return found
