"""How many jobs of a package are listed, and of how many the next runs are counted: no host has as many, a hostile file does."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from fulldress.facts import Reason, Unread, Witness
from fulldress.package.reader import Member, Package

MAX_COUNTED = 1000  #: jobs of a package whose next runs are counted: a few milliseconds each
MAX_LISTED = 5000  #: jobs of a package that are listed at all
_numbers: WeakKeyDictionary[Package, int] = WeakKeyDictionary()


def drawn(package: Package) -> int:
    """The number of the next job of a package, from 1."""
    number = _numbers[package] = _numbers.get(package, 0) + 1
    return number


def said(member: Member, line: int, number: int) -> Unread | None:
    """What has to be told at this number: that a limit is reached."""
    if number == MAX_COUNTED + 1:
        what, detail = "next runs of schedules", f"the hours of {MAX_COUNTED:,} jobs have been counted; the others are listed without them"  # fmt: skip
    elif number == MAX_LISTED + 1:
        what, detail = "schedules", f"{MAX_LISTED:,} jobs of the package are listed; those after them are not"
    else:
        return None
    return Unread(
        witness=Witness.READ, evidence=member.evidence(line), what=f"{what} from {member.name} on", reason=Reason.BUDGET,
        detail=detail, needed=number > MAX_LISTED,
    )  # fmt: skip


__all__ = ["MAX_COUNTED", "MAX_LISTED", "drawn", "said"]
