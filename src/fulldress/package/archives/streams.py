"""Bytes on their way: slices of a file, compressed streams read forwards, and the scratch file."""

from __future__ import annotations

import io
import lzma
import os
import re
import sys
import tempfile
from bz2 import BZ2Decompressor
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, cast

from isal import igzip_lib, isal_zlib

from fulldress.package.archives import Damage, Exhausted
from fulldress.patterns import regex

CHUNK = 1 << 20  #: bytes handed on at once
_FEED = 1 << 18  #: compressed bytes read at once
_NEAR = 1 << 20  #: bytes that are read at once for someone who goes forwards in small steps
_MEMORY = 1 << 28  #: what a decompressor may take, in bytes


class Slice(io.RawIOBase):
    """``length`` bytes of a file from ``start``: seekable, and independent of other slices of the same file."""

    def __init__(self, source: BinaryIO | Slice, start: int, length: int) -> None:
        super().__init__()
        self._source: BinaryIO
        self._start: int
        self._length: int
        below: BinaryIO
        if isinstance(source, Slice):  # a slice of a slice is one of the file below, within the bounds of both
            length = max(0, min(length, source._length - start))
            below, start = source._source, source._start + start
        else:
            below = source
        self._source, self._start, self._length, self._at = below, start, length, 0
        self._number = _number(below)
        self._held: tuple[int, bytes] = (0, b"")  #: what :meth:`near` read last, and where it begins

    def another(self) -> Slice:
        """The same bytes, from their beginning."""
        return Slice(self._source, self._start, self._length)

    def place(self) -> tuple[BinaryIO, int, int]:
        """The file in which these bytes lie, where they begin there, and how many they are."""
        return self._source, self._start, self._length

    @property
    def steady(self) -> bool:
        """Whether it is read by position, so that threads and processes may share the file."""
        return self._number is not None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._length - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted == 0:
            return b""
        if self._number is None:
            self._source.seek(self._start + self._at)
            data = self._source.read(wanted)
        else:
            data = _at(self._number, self._start + self._at, wanted)
        self._at += len(data)
        return data

    def part(self, start: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``start``, without moving: threads and processes may share the slice."""
        wanted = min(size, self._length - start)
        if wanted <= 0:
            return b""
        at, held = self._held
        if at <= start and start + wanted <= at + len(held):
            return held[start - at : start - at + wanted]
        if self._number is None:
            self._source.seek(self._start + start)
            return self._source.read(wanted)
        return _at(self._number, self._start + start, wanted)

    def near(self, start: int, size: int) -> bytes:
        """The same, for one thread that goes forwards in small steps: what comes next is read along and held."""
        held, at = self.window(start, size)
        return held[at : at + size]

    def window(self, start: int, size: int) -> tuple[bytes, int]:
        """What is held around these bytes, as :meth:`near` leaves it, and where they begin in it; fewer only at the end."""
        at, held = self._held
        if at <= start and start + size <= at + len(held):
            return held, start - at
        held = self.part(start, max(size, _NEAR))
        self._held = start, held
        return held, 0

    def let_go(self) -> None:
        """Hold nothing any more: nobody goes through it now."""
        self._held = 0, b""

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _number(source: BinaryIO) -> int | None:
    """The descriptor of a real file. It is read by position, so that nobody's reading moves anybody else's."""
    if not hasattr(os, "pread"):
        return None
    try:
        return source.fileno()
    except (OSError, AttributeError):
        return None


def _at(number: int, place: int, size: int) -> bytes:
    data = os.pread(number, size, place)
    if len(data) == size or not data:
        return data
    parts = [data]
    held = len(data)
    while held < size and (more := os.pread(number, size - held, place + held)):
        parts.append(more)
        held += len(more)
    return b"".join(parts)


class Scratch:
    """One file without a name that holds what has to be looked at again; gone when it is closed, or when we are."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._end = 0

    def store(self, chunks: Iterator[bytes]) -> Slice:
        """Keep these bytes and give them back as a seekable file."""
        if self._file is None:
            self._file = cast(BinaryIO, tempfile.TemporaryFile(prefix="fulldress-", buffering=0))  # noqa: SIM115 - closed by close()
        start = self._end
        for chunk in chunks:
            self._file.seek(self._end)
            rest = memoryview(chunk)
            while rest:
                rest = rest[self._file.write(rest) :]
            self._end += len(chunk)
        return Slice(self._file, start, self._end - start)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class _Decompressor(Protocol):
    """What bz2, lzma and isal have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


class _Zstd:
    """Zstandard of the ``zstandard`` package, with the manners of the others; ``max_length`` is ignored.

    A block of three bytes may hold 128 KiB, so that little is fed to it at once (:data:`_FEEDS`)."""

    needs_input = True

    def __init__(self) -> None:
        import zstandard

        self._fault = zstandard.ZstdError
        self._stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        try:
            return self._stream.decompress(data)
        except self._fault as fault:
            raise ValueError(str(fault)) from fault


def _zstd() -> _Decompressor:
    if sys.version_info >= (3, 14):
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]

        return cast(_Decompressor, zstd.ZstdDecompressor())
    return _Zstd()


#: kind -> its name, what makes a decompressor
_KINDS: dict[str, tuple[str, Callable[[], _Decompressor]]] = {
    "gz": ("gzip", lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)),
    "deflate": ("deflate", lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)),
    "xz": ("xz", lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MEMORY)),
    "bz2": ("bzip2", BZ2Decompressor),
    "zst": ("Zstandard", _zstd),
}
_MAGIC = {"gz": b"\x1f\x8b", "xz": b"\xfd7zXZ\0", "bz2": b"BZh", "zst": b"\x28\xb5\x2f\xfd"}
_SKIPPED = regex(rb"[\x50-\x5f]\x2a\x4d\x18....", re.DOTALL)
_FEEDS = {"zst": 1 << 12}
_FAULTS = (cast(type[Exception], isal_zlib.IsalError), lzma.LZMAError, OSError, EOFError, ValueError)


class Inflated:
    """A compressed stream as a file that is read forwards. Raises :class:`Damage` where the stream is broken.

    Several streams of one kind may follow each other (RFC 1952 2.2, the xz format 2.0); raw deflate is one stream.
    ``trailing`` is the number of bytes after the last stream that belong to none (zero padding is not counted),
    ``used`` the number of compressed bytes up to there."""

    def __init__(self, source: BinaryIO, kind: str, limit: int = 1 << 62) -> None:
        self._source, self._kind, self._limit = source, kind, limit
        self._name, self._make = _KINDS[kind]
        self._decoder: _Decompressor | None = None
        self._pending = b""
        self._streams = 0
        self._fed = 0
        self._ended = False
        self.trailing = 0
        self.given = 0

    @property
    def used(self) -> int:
        return self._fed - len(self._pending)

    def read(self, size: int = CHUNK) -> bytes:
        """About ``size`` bytes; empty at the end."""
        while not self._ended:
            if self._decoder is None:
                if not self._begin():
                    break
                self._decoder = self._make()
                self._streams += 1
            if not self._pending and self._decoder.needs_input and not self._feed():
                raise Damage(f"the {self._name} stream ends in the middle, after {self.given:,} bytes of content")
            try:
                data = self._decoder.decompress(self._pending, size)
            except _FAULTS as fault:
                said = " ".join(str(fault).split()) or type(fault).__name__
                if re.search(r"(?i)memory", said):  # zstd --long=31, xz -9 with a large dictionary: sound, but not here
                    raise Exhausted(
                        f"the {self._name} stream needs more than {_MEMORY >> 20} MiB of memory to be unpacked"
                    ) from fault
                raise Damage(
                    f"the {self._name} stream is damaged after {self.given:,} bytes of content ({said})"
                ) from fault
            self._pending = b""
            if self._decoder.eof:
                self._pending, self._decoder = self._decoder.unused_data, None
            if data:
                self.given += len(data)
                if self.given > self._limit:
                    raise Exhausted(f"it unpacks to more than {self._limit:,} bytes")
                return data
        return b""

    def _feed(self) -> bool:
        more = self._source.read(_FEEDS.get(self._kind, _FEED))
        self._pending += more
        self._fed += len(more)
        return bool(more)

    def _begin(self) -> bool:
        """Whether another stream begins here."""
        magic = _MAGIC.get(self._kind, b"")
        if self._streams and not magic:
            return self._end()
        while True:
            while len(self._pending) < max(8, len(magic)) and self._feed():
                pass
            if self._streams and self._pending.startswith(b"\0"):  # padding
                self._pending = self._pending.lstrip(b"\0")
            elif self._kind == "zst" and _SKIPPED.match(self._pending):
                self._pass(8 + int.from_bytes(self._pending[4:8], "little"))
            else:
                break
        if not self._pending or (self._streams and not self._pending.startswith(magic)):
            return self._end()
        return True

    def _pass(self, length: int) -> None:
        """Leave out so many compressed bytes: a frame that says of itself that it is not content (RFC 8878 3.1.2)."""
        while len(self._pending) < length and (length := length - len(self._pending)):
            self._pending = b""
            if not self._feed():
                raise Damage(f"the {self._name} stream ends in the middle, after {self.given:,} bytes of content")
        self._pending = self._pending[length:]

    def _end(self) -> bool:
        self._ended = True
        self.trailing = len(self._pending) + sum(len(part) for part in iter(lambda: self._source.read(CHUNK), b""))
        return False


class Readable(Protocol):
    """What can be read forwards."""

    def read(self, size: int = ..., /) -> bytes: ...


class Forward:
    """A file that is read forwards only, in exact pieces."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._buffer = b""
        self._at = 0
        self.position = 0

    def peek(self, size: int) -> bytes:
        """Up to ``size`` bytes that stay to be read."""
        if len(self._buffer) - self._at < size:
            parts = [self._buffer[self._at :]]
            held = len(parts[0])
            while held < size and (more := self._source.read(CHUNK)):
                parts.append(more)
                held += len(more)
            self._buffer, self._at = b"".join(parts), 0
        return self._buffer[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """``size`` bytes, fewer only at the end."""
        data = self.peek(size)
        self._at += len(data)
        self.position += len(data)
        return data

    def exactly(self, size: int) -> bytes:
        """``size`` bytes at once. Raises :class:`Damage` when there are fewer, and then takes none."""
        data = self.peek(size)
        if len(data) < size:
            raise Damage(f"it is cut off: {size - len(data):,} of {size:,} bytes are missing")
        self._at += size
        self.position += size
        return data

    def chunks(self, size: int) -> Iterator[bytes]:
        """``size`` bytes in pieces. Raises :class:`Damage` when there are fewer."""
        left = size
        while left:
            if self._at < len(self._buffer):
                piece = self._buffer[self._at : self._at + left]
                self._at += len(piece)
            else:
                self._buffer, self._at = self._source.read(CHUNK), 0
                if not self._buffer:
                    raise Damage(f"it is cut off: {left:,} of {size:,} bytes are missing")
                continue
            left -= len(piece)
            self.position += len(piece)
            yield piece
