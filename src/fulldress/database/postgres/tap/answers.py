"""What the server answers, on its way to the client: passed on as it comes, without what the tap itself has asked for.

For a statement that was sent in the extended protocol the client sees what the simple protocol would have said; of a
string with gates it sees the answers to its own statements, errors at the positions of its own text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fulldress.database.postgres.tap.messages import Message, Run, moved
from fulldress.database.postgres.tap.strings import Gated

_ENDS_STATEMENT = (b"C", b"I", b"s")
_AFTER_COMMIT = (b"S", b"A")


@dataclass
class Plain:
    """Nothing of the tap's own is in the answers."""

    def pass_on(self, one: Message) -> bytes:
        return one.raw


@dataclass
class Converted:
    """One statement that went as Parse, Bind, Describe, Execute, Flush … Sync."""

    synced: bool = False  #: the Sync is on its way
    _kept: bytes = b""

    def pass_on(self, one: Message) -> bytes:
        if one.kind in (b"1", b"2", b"n"):
            return b""
        if one.kind in _ENDS_STATEMENT:
            self._kept = one.raw
            return b""
        if one.kind == b"E":
            self._kept = b""  # refused at its commit: the simple protocol has not announced it either
            return one.raw
        if one.kind == b"Z" or (self.synced and one.kind in _AFTER_COMMIT):
            kept, self._kept = self._kept, b""
            return kept + one.raw
        return one.raw


@dataclass
class String:
    """Several statements with gates between them."""

    gated: Gated
    done: int = 0  #: statements that the server has answered, gates among them
    _kept: bytes = b""
    tags: list[tuple[int, str]] = field(default_factory=list)  #: of the vendor's statements

    @property
    def _at_gate(self) -> bool:
        return self.done < len(self.gated.order) and self.gated.order[self.done] < 0

    def pass_on(self, one: Message) -> bytes:
        if one.kind in (b"E", b"N"):
            if one.kind == b"E":
                self._kept = b""
            return moved(one, self.gated.insertions)
        if one.kind in (b"T", b"D") and self._at_gate:
            return b""
        if one.kind in _ENDS_STATEMENT:
            index = self.gated.order[self.done] if self.done < len(self.gated.order) else -1
            self.done += 1
            if index < 0:
                return b""
            if one.kind == b"C":
                self.tags.append((index, one.body[:-1].decode("utf-8", "replace")))
            if self.gated.holds_last and index == len(self.gated.parts) - 1:
                self._kept = one.raw
                return b""
            return one.raw
        if one.kind == b"Z" or (one.kind in _AFTER_COMMIT and self.done >= len(self.gated.order)):
            kept, self._kept = self._kept, b""
            return kept + one.raw
        return one.raw


Answers = Plain | Converted | String

#: Letters of the server that somebody looks at: the tap's state, and the answers above.
WANTED = (b"1", b"2", b"n", b"C", b"E", b"I", b"s", b"Z", b"K", b"S", b"A", b"N", b"T", b"G", b"H", b"W", b"R", b"v")


def letters(answers: Answers) -> tuple[bytes, ...]:
    """What has to be cut out of the stream: rows only where a gate's may be among them."""
    return (*WANTED, b"D") if isinstance(answers, String) else WANTED


def joined(pieces: list[bytes | Run]) -> bytes:
    return b"".join(piece.raw if isinstance(piece, Run) else piece for piece in pieces)
