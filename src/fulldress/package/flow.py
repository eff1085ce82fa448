"""The bytes of one member on their way from its container to its digest."""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Callable, Iterator, Mapping

from fulldress.facts import Reason
from fulldress.package.archives import Damage, Gap
from fulldress.package.reader import Member

#: What hostile bytes may raise in a container's reader.
FAULTS = (Damage, struct.error, ValueError, OverflowError, LookupError, EOFError)
TAIL = 22 + 0xFFFF  #: bytes of a ZIP's end record with the longest remark (APPNOTE 4.3.16)


class Stop(Exception):
    """The budget is used up."""


class OutOfTime(BaseException):
    """A reader is stopped between two members. No reader may swallow it, so that it is no Exception."""


class Timed(dict[str, Member]):
    """The members of a package; looking at one after the instant ends the reader. Copying them costs a moment, no memory."""

    def __init__(self, members: Mapping[str, Member], until: float) -> None:
        super().__init__(members)
        self._until = until

    def _check(self) -> None:
        if time.monotonic() > self._until:
            raise OutOfTime

    def __getitem__(self, path: str) -> Member:
        self._check()
        return super().__getitem__(path)

    def __iter__(self) -> Iterator[str]:
        for path in super().__iter__():
            self._check()
            yield path

    def values(self) -> Iterator[Member]:  # type: ignore[override]
        return (super(Timed, self).__getitem__(path) for path in self)

    def items(self) -> Iterator[tuple[str, Member]]:  # type: ignore[override]
        return ((path, super(Timed, self).__getitem__(path)) for path in self)


class Gaps(list[tuple[str, Gap]]):
    """What was not read, each with the path it is about. Hostile packages make millions; then the rest is counted."""

    MOST = 10_000

    def __init__(self) -> None:
        super().__init__()
        self._beyond = 0
        self._needed = False

    def append(self, item: tuple[str, Gap]) -> None:
        if len(self) < self.MOST:
            super().append(item)
            return
        self._beyond += 1
        self._needed |= item[1].needed

    def all(self) -> Iterator[tuple[str, Gap]]:
        """All of them, and how many are not told one by one."""
        yield from self
        if self._beyond:
            detail = f"{self._beyond:,} further remarks of these kinds are left out"
            yield "", Gap(reason=Reason.BUDGET, detail=detail, needed=self._needed)


class Flow:
    """The bytes of one member on their way: hashed and counted; a fault ends them and is kept."""

    def __init__(self, chunks: Iterator[bytes], spend: Callable[[int], None]) -> None:
        self._chunks, self._spend = chunks, spend
        self.digest = hashlib.sha256()
        self.given = 0
        self.fault: Exception | None = None
        self.head = b""
        self.tail = b""  #: its last bytes: as many as the end of a ZIP may take
        for first in self._rest():
            self.head = first
            break

    def __iter__(self) -> Iterator[bytes]:
        if self.head:
            yield self.head
            yield from self._rest()

    def _rest(self) -> Iterator[bytes]:
        try:
            for chunk in self._chunks:
                self.given += len(chunk)
                self._spend(len(chunk))
                self.digest.update(chunk)
                if chunk:
                    self.tail = chunk[-TAIL:] if len(chunk) >= TAIL else (self.tail + chunk)[-TAIL:]
                    yield chunk
        except (Stop, *FAULTS) as fault:
            self.fault = fault


def up_to(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The pieces until there are more than ``most`` bytes."""
    given = 0
    for piece in pieces:
        yield piece
        given += len(piece)
        if given > most:
            return
