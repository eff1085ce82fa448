"""What a package does otherwise than an older one of the same product."""

from __future__ import annotations

from fulldress.facts.witness import Fact


class Change(Fact, tag=True, frozen=True, kw_only=True):
    """One thing that the new package does, says or holds otherwise than the old one.

    ``what``: added, removed, changed, moved, same (only where sameness is telling: a program whose bytes the new release
    shares with the old one). The evidence stands in the new package; in the old one for what was removed."""

    rank: int  #: 0 weighs most
    family: str  #: family of the facts: ``Schedule``, ``Setting`` …
    what: str
    subject: str
    before: str = ""
    after: str = ""
    lost: tuple[str, ...] = ()  #: what is gone, where that is more than a value: symbols of a library
