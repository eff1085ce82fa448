"""The bytes of one member on their way from its container to its digest."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator

from fulldress.package.archives import Damage

#: What hostile bytes may raise in a container's reader.
FAULTS = (Damage, struct.error, ValueError, OverflowError, IndexError, EOFError)


class Stop(Exception):
    """The budget is used up."""


class Flow:
    """The bytes of one member on their way: hashed and counted; a fault ends them and is kept."""

    def __init__(self, chunks: Iterator[bytes], spend: Callable[[int], None]) -> None:
        self._chunks, self._spend = chunks, spend
        self.digest = hashlib.sha256()
        self.given = 0
        self.fault: Exception | None = None
        self.head = b""
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
                    yield chunk
        except (Stop, *FAULTS) as fault:
            self.fault = fault
