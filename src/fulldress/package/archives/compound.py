"""Microsoft's compound files ([MS-CFB]): a small file system of storages and streams, in which MSI packages and old Office
documents are kept.

Only what is needed to find a stream: the table of sectors, the one of small sectors, and the tree of names. A chain that
turns back on itself, or leads out of the file, is damage.
"""

from __future__ import annotations

import struct
import sys
import tempfile
from array import array
from collections.abc import Iterator
from typing import BinaryIO, cast

import msgspec

from fulldress.package.archives import Damage
from fulldress.package.archives.streams import CHUNK, Slice

_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF
_MOST = 100_000  #: streams and storages of one file
_DEEPEST = 32  #: storages in each other
_NONE = 0xFFFFFFFF


class Stream(msgspec.Struct, frozen=True):
    """One stream: its path as it is written, where it starts, and its length in bytes."""

    path: str
    start: int
    size: int


class Node(msgspec.Struct, kw_only=True):
    """A name of the tree with all that is said of it, as a signature over the whole needs it."""

    name: bytes  #: UTF-16, little-endian, without its end
    is_storage: bool
    clsid: bytes
    bits: bytes
    times: bytes  #: made and changed, as they stand there
    stream: Stream
    children: list[Node] = []


class Compound:
    """A compound file. Raises :class:`Damage` where its tables are not as they should be."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._length = source.seek(0, 2)
        source.seek(0)
        head = source.read(512)
        if len(head) < 512:
            raise Damage("it ends within its header")
        shift, small = struct.unpack_from("<HH", head, 30)
        if (shift, small) not in ((9, 6), (12, 6)):
            raise Damage("its header states sectors of a size that no compound file has")
        self._sector: int = 1 << shift
        (count, first) = struct.unpack_from("<II", head, 44)
        self._cutoff, mini, minis, difat, difats = struct.unpack_from("<5I", head, 56)
        self._table = self._sectors(head, count, difat, difats)
        self._small = _numbers(self._bytes(self._chain(mini, minis * self._sector)))
        self.root: Node  #: the tree of names
        self.streams = self._tree(first)

    def open(self, stream: Stream) -> BinaryIO:
        """Its bytes: seekable, in the file itself where they lie in one piece."""
        if stream.size < self._cutoff:
            return self._mini(stream)
        runs = list(self._runs(self._chain(stream.start, stream.size), stream.size))
        if len(runs) == 1:
            return cast(BinaryIO, Slice(self._source, *runs[0]))
        held = tempfile.TemporaryFile(prefix="fulldress-")  # noqa: SIM115 - closed with the last look at it
        for at, length in runs:
            piece = Slice(self._source, at, length)
            while chunk := piece.read(CHUNK):
                held.write(chunk)
        held.flush()
        held.seek(0)
        return cast(BinaryIO, held)

    def read(self, stream: Stream, most: int) -> bytes:
        """Its bytes at once. Raises :class:`Damage` where they are more than ``most``."""
        if stream.size > most:
            raise Damage(f"its stream {stream.path!r} has {stream.size:,} bytes, more than such a one may have")
        source = self.open(stream)
        source.seek(0)
        return source.read(stream.size)

    def _at(self, sector: int) -> int:
        return (sector + 1) * self._sector

    def _sectors(self, head: bytes, count: int, difat: int, difats: int) -> array[int]:
        """The table that says which sector follows which."""
        places = [number for number in struct.unpack_from("<109I", head, 76) if number < _END]
        seen: set[int] = set()
        while difat < 0xFFFFFFFA and len(seen) <= min(difats, self._length // self._sector):
            if difat in seen:
                raise Damage("the list of its sector tables turns back on itself")
            seen.add(difat)
            numbers = _numbers(self._bytes([difat]))
            places += [number for number in numbers[:-1] if number < 0xFFFFFFFA]
            difat = numbers[-1]
        if len(places) < count or len(places) * self._sector > self._length:
            raise Damage("its sector tables are not all there")
        return _numbers(self._bytes(places[:count]))

    def _bytes(self, sectors: list[int]) -> bytes:
        parts = []
        for sector in sectors:
            self._source.seek(self._at(sector))
            parts.append(self._source.read(self._sector))
            if len(parts[-1]) < self._sector:
                parts[-1] = parts[-1].ljust(self._sector, b"\0")
                if self._at(sector) >= self._length:
                    raise Damage(f"it names sector {sector:,}, which lies behind its end: it was cut off")
        return b"".join(parts)

    def _chain(self, start: int, size: int, table: array[int] | None = None, unit: int = 0) -> list[int]:
        """The sectors of one stream of ``size`` bytes, 0: until its chain ends."""
        table = self._table if table is None else table
        unit = unit or self._sector
        wanted = -(-size // unit) if size else len(table)
        if size and wanted > len(table):
            raise Damage("a stream states more bytes than the file has")
        found: list[int] = []
        seen: set[int] = set()
        while start < 0xFFFFFFFA and len(found) < wanted:
            if start >= len(table) or start in seen:
                raise Damage("the chain of a stream leads out of the file, or back to where it was")
            seen.add(start)
            found.append(start)
            start = table[start]
        if size and len(found) < wanted:
            raise Damage("the chain of a stream ends before the stream does")
        return found

    def _runs(self, sectors: list[int], size: int) -> Iterator[tuple[int, int]]:
        """Where the stream lies in the file: start and length of every piece."""
        begin, number = 0, len(sectors)
        for index in range(1, number + 1):
            if index == number or sectors[index] != sectors[index - 1] + 1:
                length = min((index - begin) * self._sector, size - begin * self._sector)
                yield self._at(sectors[begin]), length
                begin = index

    def _mini(self, stream: Stream) -> BinaryIO:
        import io

        held = bytearray()
        if stream.size:
            for sector in self._chain(stream.start, stream.size, self._small, 64):
                place = sector * 64
                at = place // self._sector
                if at >= len(self._container):
                    raise Damage("a small stream lies behind the end of its container")
                self._source.seek(self._at(self._container[at]) + place % self._sector)
                held += self._source.read(64)
        return io.BytesIO(bytes(held[: stream.size]))

    def _tree(self, first: int) -> tuple[Stream, ...]:
        entries = self._bytes(self._chain(first, 0)[: _MOST * 128 // self._sector])
        if len(entries) < 128 or entries[66] != 5:
            raise Damage("it has no root entry")
        start, size = struct.unpack_from("<IQ", entries, 116)
        self._container = self._chain(start, size & 0xFFFFFFFF if self._sector == 512 else size) if size else []
        found: list[Stream] = []
        seen: set[int] = {0}
        self.root = _node(entries, 0, Stream("", 0, 0), storage=True)
        stack = [(struct.unpack_from("<I", entries, 76)[0], "", 0, self.root)]
        while stack:
            number, prefix, depth, above = stack.pop()
            at = number * 128
            if number == _NONE:
                continue
            if number in seen or at + 128 > len(entries) or depth > _DEEPEST:
                raise Damage("its tree of names turns back on itself, or leads out of the file")
            seen.add(number)
            length = struct.unpack_from("<H", entries, at + 64)[0]
            name = entries[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            left, right, child = struct.unpack_from("<III", entries, at + 68)
            start, size = struct.unpack_from("<IQ", entries, at + 116)
            stack += [(left, prefix, depth, above), (right, prefix, depth, above)]
            stream = Stream(prefix + name, start, size & 0xFFFFFFFF if self._sector == 512 else size)
            node = _node(entries, at, stream, storage=entries[at + 66] == 1)
            if node.is_storage:
                stack.append((child, f"{prefix}{name}/", depth + 1, node))
            elif entries[at + 66] == 2:
                found.append(stream)
            else:
                continue
            above.children.append(node)
        return tuple(sorted(found, key=lambda stream: stream.path))


def _node(entries: bytes, at: int, stream: Stream, *, storage: bool) -> Node:
    length = max(0, min(struct.unpack_from("<H", entries, at + 64)[0], 64) - 2)
    return Node(
        name=entries[at : at + length],
        is_storage=storage,
        clsid=entries[at + 80 : at + 96],
        bits=entries[at + 96 : at + 100],
        times=entries[at + 100 : at + 116],
        stream=stream,
    )


def _numbers(data: bytes) -> array[int]:
    numbers = array("I", data[: len(data) & ~3])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
