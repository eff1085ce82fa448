"""Where two readers of one container do not see the same."""

from __future__ import annotations

from fulldress.facts.witness import Fact


class Disagreement(Fact, tag=True, frozen=True, kw_only=True):
    """A member of which our reader and libarchive say different things, in words: ``file, 120 bytes``, ``not there``."""

    container: str  #: path of the container; empty for the package itself
    member: str
    first: str  #: what our reader sees
    second: str  #: what libarchive sees
