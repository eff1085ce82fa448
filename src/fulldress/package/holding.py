"""Where the bytes of members are, so that readers can look at them again: in memory, in the scratch file, or still packed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, cast

from fulldress.package.archives import CLOSED, FORMATS, Offer, opener
from fulldress.package.archives.streams import Scratch, Slice
from fulldress.package.budget import Budget
from fulldress.package.reader import Member, NotRead, Stored

#: Kinds whose bytes readers look at through :meth:`Holding.open`; they are not held in memory.
BULKY = frozenset({"elf", "pe", "macho", "java-class", "image", "font", "pdf", "sqlite", "data", *FORMATS, *CLOSED})
PROGRAMS = frozenset({"elf", "pe", "macho"})  #: a reader always looks at them: they are stored when they come by
STORED = 64 << 20  #: bytes of a program up to which that is so; a larger one is unpacked again
_SMALL_DATA = 1 << 16  #: unknown bytes up to here are kept: signatures are among them


class Holding:
    """The bytes of a package's members. Nothing lies under a member's name."""

    def __init__(self, budget: Budget) -> None:
        self._each, self._most = budget.each, budget.kept
        self._scratch = Scratch()
        self._places: dict[str, Slice] = {}  #: members that can be looked at at once
        self._again: dict[str, Callable[[], Slice]] = {}  #: members that have to be read once more first
        self._skipped: dict[int, dict[int, str]] = {}  #: by container: members not stored, by their place in it
        self._kept = 0

    def close(self) -> None:
        """Give back the scratch file."""
        self._scratch.close()

    def apart(self) -> None:
        """What a forked process has to do first: nobody else may write where it stores."""
        self._scratch = Scratch()

    def keeps(self, kind: str, size: int) -> bool:
        """Whether readers get the bytes of such a member with it, rather than on demand."""
        if kind in BULKY and not (kind == "data" and size <= _SMALL_DATA):
            return False
        return size <= self._each

    def row(self, member: Member) -> Member:
        """The member as readers get it: its bytes in memory, or in the scratch file once there are many in memory."""
        kept = self._kept + len(member.data)
        if kept <= self._most:
            self._kept = kept
            return member
        stored = self._scratch.store(iter((member.data,)))
        fields = {name: getattr(member, name) for name in Member.__struct_fields__ if name != "data"}
        return Stored(fetch=partial(stored.part, 0, len(member.data)), **fields)

    def store(self, path: str, pieces: Iterator[bytes]) -> Slice:
        """Put a member's bytes into the scratch file, where they can be looked at as often as one likes."""
        held = self._places[path] = self._scratch.store(pieces)
        return held

    def hold(self, path: str, data: bytes) -> None:
        """The same for bytes that are at hand: while there are few in memory they stay there."""
        if self._kept + len(data) > self._most:
            self.store(path, iter((data,)))
            return
        self._kept += len(data)
        self._places[path] = Slice(io.BytesIO(data), 0, len(data))

    def aside(self, pieces: Iterator[bytes]) -> Slice:
        """The same for bytes that nobody but the walk looks at."""
        return self._scratch.store(pieces)

    def packed(self, path: str, content: Callable[[], Iterator[bytes]]) -> None:
        """A member whose container gives its bytes at any time."""
        self._again[path] = lambda: self._scratch.store(content())

    def passed(self, path: str, source: Slice, kind: str, prefix: str, name: str, ordinal: int) -> None:
        """A member of a stream that went by: the ``ordinal``-th thing in ``source``."""
        self._skipped.setdefault(id(source), {})[ordinal] = path
        self._again[path] = lambda: self._once_more(source, kind, prefix, name, path)

    def is_stored(self, path: str) -> bool:
        return path in self._places

    def open(self, member: Member) -> BinaryIO:
        """The bytes of a member, seekable. Raises :class:`~fulldress.package.reader.NotRead`."""
        if not member.sha256:
            raise NotRead(member.path)
        if member.kept:
            return io.BytesIO(member.data)
        if member.path not in self._places:
            self._places[member.path] = self._again[member.path]()
        return cast(BinaryIO, self._places[member.path].another())

    def _once_more(self, source: Slice, kind: str, prefix: str, name: str, path: str) -> Slice:
        """Read a stream once more for the members that nobody was expected to ask for, and store all of them."""
        skipped = self._skipped.pop(id(source), {})
        again = source.another()
        inner = prefix.removesuffix("!/").rsplit("/", 1)[-1] or name
        for place, item in enumerate(opener(kind).members(cast(BinaryIO, again), inner, 1 << 62)):
            if place in skipped and isinstance(item, Offer):
                self._places[skipped[place]] = self._scratch.store(item.chunks())
            if len(skipped) and place >= max(skipped):
                break
        if path not in self._places:
            raise NotRead(path)
        return self._places[path]
