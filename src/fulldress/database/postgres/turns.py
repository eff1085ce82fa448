"""Two runners on one copy, held by the tap so that they take turns statement by statement.

The worst order that a real start of two replicas can bring: when one waits for a lock of the other, the other goes on
alone; when one is away (a program that computes, or sleeps before it asks for a lock again), it is not waited for longer
than a moment. Along the way is noted what each asked for, waited for and held.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field

from fulldress.database.postgres.jobs import Running
from fulldress.database.postgres.poller import GATE
from fulldress.database.postgres.tap import Tap
from fulldress.database.postgres.tap.session import Stop
from fulldress.database.postgres.tap.strings import Part, bare
from fulldress.database.postgres.wire import Connection
from fulldress.errors import DatabaseError
from fulldress.patterns import regex

_TOGETHER = 30.0  #: seconds in which both have to come for the first time
_PATIENCE = 0.25  #: seconds for a runner that is away
_TIRED = 3  #: times; after that, a runner that is away is not waited for at all
_STEP = 0.004
_LOCKS = regex(rb"LOCK\b|.*\bPG_(?:TRY_)?ADVISORY_|SELECT\b.*\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE)\b", re.S)


@dataclass(frozen=True)
class Block:
    """One runner waited for the other."""

    who: int
    kind: str  #: locktype of pg_locks
    mode: str
    object: str
    text: str
    untouched: bool  #: it had not changed anything before


@dataclass
class Side:
    """What one runner was seen doing."""

    tap: Tap
    running: Running | None = None
    stops: int = 0
    waiting: bool = False  #: at a stop, for its turn
    changes: int = 0  #: statements that change something
    changed_while_other: bool = False  #: it changed something after the other had, and before the other had ended
    texts: list[str] = field(default_factory=list)
    advisory: set[str] = field(default_factory=set)  #: advisory locks that it was seen holding
    outlived: set[str] = field(default_factory=set)  #: of these, those held while no transaction was open
    tired: int = 0  #: how often the other one did not wait for it any longer

    @property
    def over(self) -> bool:
        return self.running is not None and self.running.over

    @property
    def pids(self) -> list[int]:
        return [session.pid for session in self.tap.sessions if session.pid]


class Turns:
    """``observer`` is for this object alone. Give :meth:`stop` to each tap as its ``stops``."""

    def __init__(self, observer: Connection, taps: tuple[Tap, Tap]) -> None:
        self.sides = (Side(taps[0]), Side(taps[1]))
        self.blocks: list[Block] = []
        self._observer = observer
        self._turn = 0
        self._since = [time.monotonic(), time.monotonic()]
        self._moved = threading.Condition()
        self._begun = time.monotonic()

    def stop(self, who: int, stop: Stop) -> None:
        """Called by a tap's session; returns when it may go on."""
        me, other = self.sides[who], self.sides[1 - who]
        with self._moved:
            self._note(who, stop)
            me.stops += 1
            if me.stops > 1:
                self._turn = 1 - who
            me.waiting = True
            self._moved.notify_all()
            away_since: float | None = None
            while not self._mine(who):
                self._moved.wait(_STEP)
                if self._turn == who or other.waiting:
                    away_since = None
                    continue
                doing = self._doing(1 - who)
                if doing == "blocked":
                    break
                if doing == "busy":
                    away_since = None
                    continue
                away_since = away_since or time.monotonic()
                if other.stops and time.monotonic() - away_since > (_PATIENCE if other.tired < _TIRED else _STEP):
                    other.tired += 1
                    break
            me.waiting = False
            self._turn = who
            if stop.at == "before" and changes(stop.text):
                other_is_between = bool(other.changes) and not other.over
                me.changed_while_other |= other_is_between
                me.changes += 1

    def _mine(self, who: int) -> bool:
        other = self.sides[1 - who]
        if other.over:
            return True
        together = other.stops > 0 or time.monotonic() - self._begun > _TOGETHER
        return together and self._turn == who

    def _note(self, who: int, stop: Stop) -> None:
        side = self.sides[who]
        if stop.at == "before":
            side.texts.append(stop.text.decode("utf-8", "replace"))
        try:
            rows = self._observer.rows(
                "SELECT classid::int8, objid::int8, objsubid FROM pg_locks WHERE locktype = 'advisory' AND granted"
                f" AND pid IN ({', '.join(map(str, side.pids)) or 0}) AND classid <> {GATE}"
            )
        except DatabaseError:
            return  # a script may end every session; what it held before is noted
        held = {_key(int(str(a)), int(str(b)), int(str(c))) for a, b, c in rows}
        side.advisory |= held
        if stop.status == "I" and stop.at == "before":
            side.outlived |= held

    def _doing(self, who: int) -> str:
        """``blocked`` by the other, ``busy`` at the server, or ``away``."""
        side, other = self.sides[who], self.sides[1 - who]
        pids = ", ".join(map(str, side.pids))
        if not pids:
            return "away"
        try:
            rows = self._observer.rows(
                "SELECT a.state, a.query, pg_blocking_pids(a.pid)::text, coalesce(l.locktype, ''), coalesce(l.mode, ''),"
                " coalesce(l.relation::regclass::text, ''), coalesce(l.classid, 0)::int8, coalesce(l.objid, 0)::int8,"
                " coalesce(l.objsubid, 0)::int4 FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted"
                f" WHERE a.pid IN ({pids}) AND a.state = 'active'"
            )
        except DatabaseError:
            return "away"
        mine = {str(pid) for pid in other.pids}
        for row in rows:
            if mine & set(re.findall(r"\d+", str(row[2]))):
                self._block(who, row)
                return "blocked"
        return "busy" if rows else "away"

    def _block(self, who: int, row: tuple[object, ...]) -> None:
        side = self.sides[who]
        kind, mode, relation = (str(one) for one in row[3:6])
        classid, objid, form = (int(str(one)) for one in row[6:9])
        object_ = f"advisory {_key(classid, objid, form)}" if kind == "advisory" else relation or "a row"
        text = side.texts[-1] if side.texts else str(row[1])
        own = (
            1 if side.changes and changes(text.encode()) else 0
        )  # the statement that waits has not changed anything yet
        block = Block(who, kind, mode, object_, text, side.changes - own <= 0)
        if not self.blocks or self.blocks[-1] != block:
            self.blocks.append(block)


def locks(text: str) -> bool:
    """Whether a statement is there to keep others out: LOCK TABLE, an advisory lock, SELECT … FOR UPDATE."""
    return bool(_LOCKS.match(bare(text.encode())))


def changes(text: bytes) -> bool:
    """Whether a statement may change rows or the schema; what takes locks alone does not."""
    part = Part(0, len(text), bare(text))
    reads = part.bare.startswith((b"SELECT", b"VALUES", b"TABLE"))
    return not (part.small or part.ends or reads or _LOCKS.match(part.bare))


def _key(classid: int, objid: int, form: int) -> str:
    """As in a trace: one number, or two."""
    return str((classid << 32) | objid) if form == 1 else f"{classid}, {objid}"
