"""Authenticode in cabinets (CAB): the reserved part of the header says where the signature lies.

Sources: [MS-CAB] for the header; what the digest leaves out is as the signing tools of Windows do it: the header's checksum,
the cabinet's number in its set, and the reserved part except its last four bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

from fulldress.facts import AnyFact
from fulldress.package.signatures import authenticode
from fulldress.package.signatures.carriers import Held
from fulldress.package.signatures.judged import Ground

KINDS = frozenset({"cab"})
MAGIC = (b"MSCF",)
_RESERVED = 4  #: the flag that says that the header has a reserved part
_LARGEST = 16_000_000
_CHUNK = 1 << 20


def judge(held: Held, ground: Ground) -> Iterator[AnyFact]:
    """The signature of one cabinet."""
    stream = held.stream
    stream.seek(0)
    head = stream.read(60)
    if len(head) < 60 or not struct.unpack_from("<H", head, 30)[0] & _RESERVED:
        return
    if struct.unpack_from("<H", head, 36)[0] != 20:
        return  # reserved for something else
    start, size = struct.unpack_from("<II", head, 44)
    if not start or not size:
        return
    end = stream.seek(0, 2)
    if start < 60 or start + size > end or size > _LARGEST:
        yield authenticode.cannot(held, "it is said to lie beyond the end of the cabinet")
        return
    stream.seek(start)
    raw = stream.read(size)
    tail = end - start - size
    yield from authenticode.judged(
        raw,
        lambda name: _digest(stream, head, start, name),
        held,
        ground,
        lambda content: [f"{tail} bytes follow the signature"] if tail else [],
    )


def _digest(stream: BinaryIO, head: bytes, start: int, name: str) -> bytes:
    state = hashlib.new(name, usedforsecurity=False)
    state.update(head[:4] + head[8:34] + head[56:60])
    stream.seek(60)
    left = start - 60
    while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
        state.update(chunk)
        left -= len(chunk)
    return state.digest()
