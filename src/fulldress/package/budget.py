"""How far a package is unfolded, and the counting against it."""

from __future__ import annotations

import time

import msgspec

from fulldress.package.archives import MOST_ENTRIES
from fulldress.package.flow import Stop

_WALK = 0.75  #: the walk's share of the time; the readers have what is left


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What lies beyond becomes an Unread fact."""

    bytes: int = 16 << 30  #: unpacked, over all containers
    entries: int = MOST_ENTRIES
    depth: int = 8  #: containers inside containers
    ratio: float = 300.0  #: unpacked to packed bytes of one container, from ``free`` bytes on
    free: int = 64 << 20
    seconds: float = 900.0
    kept: int = 64 << 20  #: bytes of texts held in memory for the readers; further ones lie in the scratch file
    each: int = 16 << 20  #: bytes of one text that readers look into
    workers: int = 0  #: threads and processes at work; 0: as many as there are cores (see also ``FULLDRESS_WORKERS``)


class Spending:
    """What the walk has used up of a budget. ``stopped`` says in words what of it is at its end; empty while there is more."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.unpacked = 0
        self.stopped = ""
        begin = time.monotonic()
        self.deadline = begin + budget.seconds  #: of walking and reading together
        self._deadline = begin + budget.seconds * _WALK

    def spend(self, length: int, most: int) -> None:
        """Count unpacked bytes. Raises :class:`~.flow.Stop` where the budget, or ``most`` for this container, is used up."""
        self.unpacked += length
        if self.unpacked > self._budget.bytes:
            self.stopped = f"more than {self._budget.bytes:,} bytes unpacked"
        elif time.monotonic() > self._deadline:
            self.stopped = f"more than {self._budget.seconds * _WALK:g} s of reading"
        if self.stopped or self.unpacked > most:
            raise Stop

    def entry(self, count: int) -> None:
        """One more entry beside ``count`` that are there. Raises :class:`~.flow.Stop`."""
        if count >= self._budget.entries:
            self.stopped = f"more than {self._budget.entries:,} entries"
        if self.stopped:
            raise Stop

    def allowance(self, size: int) -> int:
        """To how many bytes a container of ``size`` may unpack by its ratio."""
        return max(self._budget.free, int(size * self._budget.ratio))

    def words(self) -> str:
        """Why the walk stopped where it raised."""
        return self.stopped or f"it unpacks to more than {self._budget.ratio:g} times its size"
