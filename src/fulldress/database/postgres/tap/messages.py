"""Messages of PostgreSQL's protocol 3 as bytes: framed, made, and put right where a position in the text has moved.

Source: manual, "Message Formats". A stream is cut at message borders; what the tap has no interest in is never looked
into, and a message of any size passes without being collected first.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from typing import NamedTuple

SSL, GSS, CANCEL = 80877103, 80877104, 80877102  #: codes that stand where a start-up packet has its version
MOST_STARTUP = 10_000  #: bytes, the server's own limit (MAX_STARTUP_PACKET_LENGTH)

_COUNTED = ("INSERT ", "UPDATE ", "DELETE ", "SELECT ", "MERGE ", "COPY ")
_HEAD = struct.Struct("!BI").unpack_from  #: letter and length
_MOST_LENGTHS = 200  #: of rows; where there are more, they are passed over one by one
_TELLING = 300  #: messages of one kind after which their lengths are taken for all there are
SYNC = b"S\0\0\0\4"
FLUSH = b"H\0\0\0\4"


class Message(NamedTuple):
    """``kind`` is one letter; ``body`` without letter and length; ``raw`` as it came."""

    kind: bytes
    body: bytes
    raw: bytes


class Run(NamedTuple):
    """Bytes that are passed on without a look: whole messages, or a part of a large one."""

    raw: bytes


class _Rows:
    """Passes over rows by the million: they have few lengths, and an expression made of those finds where they end several
    times as fast as a loop can."""

    def __init__(self) -> None:
        self._kind = 0
        self._sizes: set[int] = set()
        self._seen = 0  #: messages one by one since the expression was made
        self._many: re.Pattern[bytes] | None = None
        self._known: set[int] = set()  #: lengths in the expression

    def passed(self, data: bytes, position: int, kind: int, size: int) -> int:
        """Where the messages of known lengths that begin at ``position`` end; ``kind``, ``size``: of the one before."""
        if kind != self._kind:
            self._kind, self._sizes, self._seen, self._many, self._known = kind, set(), 0, None, set()
        elif self._many is not None and size in self._known:
            found = self._many.match(data, position)
            return found.end() if found else position
        self._seen += 1
        if len(self._sizes) <= _MOST_LENGTHS and size >= 4:
            self._sizes.add(size)
            if self._seen >= _TELLING and len(self._sizes) <= _MOST_LENGTHS:
                one = b"|".join(re.escape(size.to_bytes(4, "big")) + b".{%d}" % (size - 4) for size in self._sizes)
                self._many = re.compile(b"(?:" + re.escape(bytes([kind])) + b"(?:" + one + b"))*+", re.DOTALL)
                self._seen, self._known = 0, set(self._sizes)
        return position


class Framer:
    """Cuts a stream into :class:`Message` of the letters in ``wanted`` and :class:`Run` of everything else."""

    def __init__(self, wanted: Iterable[bytes]) -> None:
        self.wanted = frozenset(letter[0] for letter in wanted)
        self._rest = b""
        self._skip = 0
        self._rows = _Rows()

    def feed(self, data: bytes) -> list[Message | Run]:
        found: list[Message | Run] = []
        if self._skip:
            if len(data) <= self._skip:
                self._skip -= len(data)
                return [Run(data)]
            found.append(Run(data[: self._skip]))
            data, self._skip = data[self._skip :], 0
        if self._rest:
            data, self._rest = self._rest + data, b""
        start = position = 0
        end, wanted = len(data), self.wanted
        while position + 5 <= end:
            kind, size = _HEAD(data, position)
            after = position + 1 + size
            if kind not in wanted:
                if after <= end:
                    position = self._rows.passed(data, after, kind, size)
                    continue
                found.append(Run(data[start:]))
                self._skip = after - end
                return found
            if start < position:
                found.append(Run(data[start:position]))
                start = position
            if after > end:
                break
            found.append(Message(data[position : position + 1], data[position + 5 : after], data[position:after]))
            start = position = after
        if start < position:
            found.append(Run(data[start:position]))
            start = position
        self._rest = data[start:]
        return found

    @property
    def rest(self) -> bytes:
        """What has come of a message that is not whole yet."""
        return self._rest


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def text(body: bytes) -> tuple[bytes, bytes]:
    """The first zero-ended string of a body, and what follows it."""
    head, _, tail = body.partition(b"\0")
    return head, tail


def startup_parameters(body: bytes) -> dict[str, str]:
    """The pairs of a start-up packet, version cut off."""
    words = body.rstrip(b"\0").split(b"\0")
    return {
        key.decode("utf-8", "replace"): value.decode("utf-8", "replace")
        for key, value in zip(words[::2], words[1::2], strict=False)
    }


def fields(body: bytes) -> dict[str, str]:
    """An ErrorResponse or NoticeResponse by its letters."""
    return {part[:1].decode("latin-1"): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}


def moved(one: Message, insertions: list[tuple[int, int]]) -> bytes:
    """The message with its position (``P``, in characters from 1) told for the text without ``insertions``.

    ``insertions``: offset in characters of the text as it was sent, and how many characters were put in there."""
    parts = one.body.split(b"\0")
    for index, part in enumerate(parts):
        if part[:1] == b"P" and part[1:].isdigit():
            at = told = int(part[1:])
            for offset, length in insertions:
                if told > offset:
                    at -= min(length, told - offset)
            parts[index] = b"P%d" % at
            return message(one.kind, b"\0".join(parts))
    return one.raw


def counted(tag: str) -> int | None:
    """Rows that a command's tag counts; None where it counts none."""
    last = tag.rpartition(" ")[2]
    return int(last) if tag.startswith(_COUNTED) and last.isdigit() else None
