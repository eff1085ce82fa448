"""gzip, xz, bzip2 and Zstandard: a single file, or a tar inside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from fulldress.facts import Reason
from fulldress.package.archives import Gap, Offer, tar
from fulldress.package.archives.readahead import ReadAhead
from fulldress.package.archives.streams import CHUNK, Forward, Inflated, Slice
from fulldress.package.cores import cores
from fulldress.package.identify import identify

_LARGE = 1 << 20  #: bytes of a compressed stream from which on a thread inflates it
_SUFFIXES = {
    ".tgz": ".tar",
    ".txz": ".tar",
    ".tbz": ".tar",
    ".tbz2": ".tar",
    ".tzst": ".tar",
    ".gz": "",
    ".xz": "",
    ".bz2": "",
    ".zst": "",
}


def members(source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]:
    """The members of the tar inside, or the one file that was compressed."""
    kind = identify(name, source.read(CHUNK))
    source.seek(0)
    stream = Inflated(source, kind, limit)
    if not _alone(source):
        yield from _members(stream, stream, name, kind)
        return
    thread = ReadAhead(stream)
    try:
        yield from _members(stream, thread, name, kind)
    finally:
        thread.close()


def _alone(source: BinaryIO) -> bool:
    """Whether the stream is worth a thread: it is large, there are cores, and nobody moves the file under it."""
    if not isinstance(source, Slice) or not source.steady or cores() < 2:
        return False
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    return size >= _LARGE


def _members(stream: Inflated, pieces: Inflated | ReadAhead, name: str, kind: str) -> Iterator[Offer | Gap]:
    forward = Forward(pieces)
    if tar.is_header(forward.peek(512)):
        for offer in tar.walk(forward):
            if isinstance(offer, Offer):
                offer.container = "tar"
            yield offer
    else:
        yield Offer(name=plain(name), container=kind, chunks=lambda: _rest(forward))
    while forward.take(CHUNK):
        pass
    if stream.trailing:
        yield Gap(
            reason=Reason.DISPUTED,
            detail=f"{stream.trailing:,} bytes follow the compressed data and belong to nothing",
        )


def _rest(forward: Forward) -> Iterator[bytes]:
    while data := forward.take(CHUNK):
        yield data


def plain(name: str) -> str:
    """The file name without the suffix of its compression."""
    base = name.rsplit("/", 1)[-1]
    for suffix, instead in _SUFFIXES.items():
        if base.lower().endswith(suffix) and len(base) > len(suffix):
            return base[: -len(suffix)] + instead
    return base + ".content"
