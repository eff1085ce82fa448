"""What changed between two packages, by consequence: what the new one does that the old one did not, and the reverse.

Not a comparison of files. Facts of one family are matched by what they are about (:mod:`.families`); programs and
libraries by what they say and give (:mod:`.programs`); other members are told one by one only where they run by
themselves (:mod:`.members`). Versions in names and paths are set aside for the matching (:mod:`.alike`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fulldress.facts import Change
from fulldress.package.against import families, interfaces, members, programs, settings
from fulldress.package.against.alike import Alike
from fulldress.package.against.arrivals import arrived
from fulldress.package.against.releases import reissued, releases

if TYPE_CHECKING:
    from fulldress.package import Reading


def changes(old: Reading, new: Reading) -> list[Change]:
    """What changed, the weightiest first. Empty only where both say the same and hold the same bytes."""
    alike = Alike(old.facts, new.facts)
    found = [
        *releases(old, new),
        *families.compare(old.facts, new.facts, alike),
        *interfaces.compare(old.facts, new.facts),
        *settings.moved(old.facts, new.facts),
        *programs.compare(old.facts, new.facts, alike),
        *members.compare(old.facts, new.facts, alike),
    ]
    return sorted(found, key=lambda change: (change.rank, change.family, change.subject))


__all__ = ["Change", "arrived", "changes", "reissued"]
