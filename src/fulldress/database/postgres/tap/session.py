"""One client of the tap: what it sends is passed on in order, and held for a moment where its locks are about to go.

Two threads carry a session. The one that faces the client reads its messages one after the other and decides
(:mod:`~.strings` says what a text does); the one that faces the server passes answers on (:mod:`~.answers`) and keeps
count of them. Nothing is added to a transaction and nothing is split:

* a single statement outside of a transaction goes in the extended protocol, its Sync held back until it was looked at;
* a string of several gets gates, statements that wait until they were looked at;
* before what ends an open transaction there is a look;
* what may not run so (CREATE INDEX CONCURRENTLY, VACUUM, COPY …) or is not understood passes untouched.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from fulldress.database.postgres.poller import GATE
from fulldress.database.postgres.tap import messages, strings
from fulldress.database.postgres.tap.answers import WANTED, Answers, Converted, Plain, String, letters
from fulldress.database.postgres.tap.messages import FLUSH, SYNC, Framer, Message, Run, message
from fulldress.database.postgres.tap.strings import Part
from fulldress.database.postgres.tap.watching import Eyes, paces
from fulldress.database.postgres.trace import Statement, Trace
from fulldress.patterns import regex

_CHUNK = 1 << 18
_FROM_CLIENT = (b"Q", b"P", b"B", b"E", b"C", b"S", b"F", b"X", b"c", b"f")
#: Encodings whose characters may hold bytes that look like quotes or backslashes.
_UNSAFE = regex(r"(?i)sjis|shift|big5|gbk|gb18030|uhc|johab")
_SHORT_TIMEOUT = regex(
    rb"(?i)\b(?:lock_timeout|statement_timeout|transaction_timeout)\b\W+(?:TO\W+)?'?\s*(\d+)\s*(\w*)"
)
_RULE = regex(rb"(?i)\bCREATE\s+(?:OR\s+REPLACE\s+)?RULE\b")
_COUNTED = ("INSERT ", "UPDATE ", "DELETE ", "SELECT ", "MERGE ", "COPY ")
_QUICK = 0.05  #: seconds; slower statements always get a record of their own


class Stop(NamedTuple):
    """A statement that has not begun (``before``), or one of a string that has run and not ended (``gate``)."""

    session: Session
    text: bytes
    at: str
    status: str  #: of the transaction that it stands in: I, T, E


Stops = Callable[[Stop], None]


@dataclass
class State:
    """What the server has said last. Changed by the thread that faces it, read by the other one."""

    status: str = ""  #: I idle, T in a transaction, E in a failed one; empty: not yet logged in
    owed: int = 0  #: ReadyForQuery messages that are still to come
    executions: int = 0  #: Executes that have not been answered
    skipping: bool = False  #: an error in the extended protocol: everything is skipped up to the Sync
    copying: bool = False  #: the server reads the data of a COPY
    closed: bool = False
    settings: dict[str, str] = field(default_factory=dict)


class Session:
    """``client`` and ``server`` are connected sockets, the start-up packet already passed on.

    ``eyes`` makes the tap's own observer, given the backend's process id; ``label`` names the step that statements
    belong to; ``apart`` runs a statement that needs a database without other sessions, and puts them back after it.
    ``stops`` is called where a statement can be held: it goes on when that has returned."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        trace: Trace,
        eyes: Callable[[int], Eyes],
        label: Callable[[], tuple[str, str]],
        apart: Callable[[bool], None],
        raw: str = "",
        stops: Stops | None = None,
    ) -> None:
        self.client = client
        self.server = server
        self.trace = trace
        self.raw = raw  #: why nothing is looked at; empty: it is
        self.pid = 0
        self.statements = 0
        self.passed_untouched: dict[str, int] = {}  #: reason -> how many statements
        self._make_eyes = eyes
        self._label = label
        self._apart = apart
        self._stops = stops
        self._eyes: Eyes | None = None
        self._state = State()
        self._moved = threading.Condition(threading.RLock())
        self._answers: Answers = Plain()
        self._framer = Framer(WANTED)
        self._statements: dict[bytes, bytes] = {}  # prepared: name -> text
        self._portals: dict[bytes, bytes] = {}
        self._current: Statement | None = None
        self._last_head = b""
        self._due = False  #: the current statement's locks have not been looked at
        self._implicit = False  #: something ran since the last Sync, outside of a transaction
        self._short = False  #: a time limit so short that a gate might run into it
        self._synced = False  #: a Sync was passed on since the last Execute

    # -- threads --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Carry the session until either side ends it."""
        back = threading.Thread(target=self._from_server, name="fulldress-tap-server", daemon=True)
        back.start()
        try:
            self._from_client()
        except OSError:
            pass  # one of the two has gone; the other one hears of it below
        finally:
            self._finish()
            back.join()
            if self._eyes is not None:
                self._eyes.close()
            if self.pid:
                self.trace.forget(self.pid)
            self.client.close()
            self.server.close()

    def _finish(self) -> None:
        for line in (self.server, self.client):
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed by the other side already

    def _from_server(self) -> None:
        try:
            while data := self.server.recv(_CHUNK):
                self._pass_on(data)
        except OSError:
            pass  # the same as an end
        finally:
            with self._moved:
                self._state.closed = True
                self._moved.notify_all()
            try:
                if rest := self._framer.rest:
                    self.client.sendall(rest)
                self.client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the client has gone before

    def _pass_on(self, data: bytes) -> None:
        out: list[bytes] = []
        with self._moved:
            for one in self._framer.feed(data):
                if isinstance(one, Run):
                    out.append(one.raw)
                else:
                    self._note(one)
                    out.append(self._answers.pass_on(one))
                    if one.kind == b"Z" and not isinstance(self._answers, Plain):
                        self._expect(Plain())
            self._moved.notify_all()
        if len(out) == 1:
            self.client.sendall(out[0])
        elif whole := b"".join(out):
            self.client.sendall(whole)

    def _note(self, one: Message) -> None:
        state, kind = self._state, one.kind
        if kind == b"Z":
            state.status = one.body.decode("latin-1")
            state.owed = max(state.owed - 1, 0)
            state.executions, state.skipping, state.copying = 0, False, False
            self._ended(one)
        elif kind in (b"C", b"I", b"s"):
            state.executions = max(state.executions - 1, 0)
            state.copying = False
            self._completed(one)
        elif kind == b"E":
            state.executions, state.skipping, state.copying = 0, True, False
            if self._current is not None:
                said = messages.fields(one.body)
                self._current.error = f"{said.get('M', '')} (SQLSTATE {said.get('C', '')})"
                self._current.ended = time.time()
        elif kind in (b"G", b"W"):
            state.copying = True
        elif kind == b"S":
            name, rest = messages.text(one.body)
            state.settings[name.decode("latin-1")] = messages.text(rest)[0].decode("latin-1")
        elif kind == b"K":
            self.pid = int.from_bytes(one.body[:4], "big")

    def _completed(self, one: Message) -> None:
        statement = self._current
        if statement is None or isinstance(self._answers, String):
            return
        statement.ended = time.time()
        rows = _counted(one.body[:-1].decode("utf-8", "replace")) if one.kind == b"C" else None
        if rows is not None:
            statement.rows = (statement.rows or 0) + rows

    def _ended(self, one: Message) -> None:
        now = time.time()
        statement = self._current
        if statement is not None and statement.ended is None:
            statement.ended = now
        if one.body == b"I" and self.pid:
            self.trace.release(self.pid, now)
            self._due = False

    # -- the client's messages ------------------------------------------------------------------------------------

    def _from_client(self) -> None:
        framer = Framer(_FROM_CLIENT)
        while data := self.client.recv(_CHUNK):
            if not self._state.status:  # passwords and the like are none of our business
                self.server.sendall(data)
                continue
            if self.raw:
                self.server.sendall(data)
                continue
            out: list[bytes] = []
            for one in framer.feed(data):
                if isinstance(one, Run):
                    out.append(one.raw)
                    continue
                if one.kind == b"Q":
                    self._send(out)
                    self._query(one)
                elif one.kind in (b"E", b"S", b"c", b"f"):
                    self._extended(one, out)
                else:
                    self._remember(one)
                    out.append(one.raw)
            self._send(out)

    def _send(self, out: list[bytes]) -> None:
        if out:
            self.server.sendall(b"".join(out))
            out.clear()

    def _remember(self, one: Message) -> None:
        if one.kind == b"P":
            name, rest = messages.text(one.body)
            self._statements[name] = messages.text(rest)[0]
        elif one.kind == b"B":
            portal, rest = messages.text(one.body)
            self._portals[portal] = self._statements.get(messages.text(rest)[0], b"")
        elif one.kind == b"F":
            with self._moved:
                self._state.owed += 1

    # -- simple protocol ------------------------------------------------------------------------------------------

    def _query(self, one: Message) -> None:
        self._idle()
        text = one.body[:-1]
        why = self._untouchable(text)
        self._see().ready()
        self._stop(text, "before")
        parts = None if why else strings.cut(text)
        if not why and parts is None:
            why = "not in the grammar"
        if parts and _SHORT_TIMEOUT.search(text):
            self._short = _is_short(text)
        if _RULE.search(text):
            self.trace.names.rules = True
        status = self._state.status
        if not parts or status == "E":
            if why:
                self.passed_untouched[why] = self.passed_untouched.get(why, 0) + 1
            self._plain(one, parts or [Part(0, len(text), strings.bare(text))], text)
        elif len(parts) == 1:
            self._single(one, parts[0], text)
        else:
            self._several(one, parts, text)

    def _untouchable(self, text: bytes) -> str:
        settings = self._state.settings
        if not text.isascii():
            encoding = settings.get("client_encoding", "UTF8")
            if encoding != "UTF8" or _UNSAFE.search(encoding):
                return f"client encoding {encoding}"
        if b"\0" in text:
            return "a zero byte"
        if settings.get("standard_conforming_strings") == "off":
            return "standard_conforming_strings is off"
        return ""

    def _single(self, one: Message, part: Part, text: bytes) -> None:
        status = self._state.status
        if status == "T":
            if part.ends:
                self._look_if_due("commit-hold")
            self._plain(one, [part], text)
            return
        convertible = not (part.alone or part.small or part.ends or part.parameters)
        repeated = bool(part.head) and part.head == self._last_head
        if not convertible or repeated or (part.rows and self.trace.names.rules) or not self._see().ready():
            self._plain(one, [part], text)
            return
        self._begin([part], text, text)
        answers = Converted()
        self._expect(answers)
        with self._moved:
            self._state.executions = 1
            self._state.owed += 1
        body = text + b"\0"
        self.server.sendall(
            message(b"P", b"\0" + body + b"\0\0")
            + message(b"B", b"\0\0\0\0\0\0\0\0")
            + message(b"D", b"P\0")
            + message(b"E", b"\0\0\0\0\0")
            + FLUSH
        )
        if self._settled() and not self._state.skipping:
            self._look("sync-hold")
        answers.synced = True
        self.server.sendall(SYNC)
        self._last_head = part.head

    def _several(self, one: Message, parts: list[Part], text: bytes) -> None:
        inside = self._state.status == "T"
        if inside:
            self._look_if_due("commit-hold")
        plan = None
        if not self._short and not any(part.alone or part.parameters for part in parts):
            plan = strings.gated(text, parts, inside, 1, GATE)
        first = self._see().shut(plan.gates) if plan is not None else None
        if plan is None or first is None:
            self._plain(one, parts, text)
            return
        again = strings.gated(text, parts, inside, first, GATE)
        assert again is not None  # only the numbers differ  # noqa: S101
        answers = String(again)
        self._expect(answers)
        with self._moved:
            self._state.owed += 1
        self.server.sendall(message(b"Q", again.query + b"\0"))
        records: list[tuple[int, Statement]] = []  # index of the first part behind it
        try:
            self._keep_gates(again, first, text, records)
        finally:
            self._see().open(first, again.gates)
        self._idle()
        for index, tag in answers.tags:
            statement = next((one for end, one in records if index < end), None)
            if statement is not None and (rows := _counted(tag)) is not None:
                statement.rows = (statement.rows or 0) + rows
        self._last_head = b""

    def _keep_gates(self, plan: strings.Gated, first: int, text: bytes, records: list[tuple[int, Statement]]) -> None:
        eyes, after = self._see(), 0
        lost = eyes.lost
        for gate in range(plan.gates):
            last = plan.part_before(gate)
            statement = self._begin(plan.parts[after : last + 1], text, plan.query)
            records.append((last + 1, statement))
            after = last + 1
            for pause in paces():
                if self._over() or eyes.lost > lost:
                    return
                if eyes.looked_at(first + gate, statement):
                    break
                time.sleep(pause)
            self._due = False
            self._stop(text[plan.parts[last].start : plan.parts[last].end], "gate")
            eyes.open(first + gate)
        if after < len(plan.parts):
            records.append((len(plan.parts), self._begin(plan.parts[after:], text, plan.query)))

    def _plain(self, one: Message, parts: list[Part], text: bytes) -> None:
        """Pass a query on as it came."""
        self._expect(Plain())
        repeated = len(parts) == 1 and bool(parts[0].head) and parts[0].head == self._last_head
        if self._state.status == "T" and not repeated:
            self._look_if_due("commit-hold")
        self._begin(parts, text, text, repeated=repeated)
        self._due = not repeated and not all(part.small for part in parts)
        self._last_head = parts[0].head if len(parts) == 1 else b""
        apart = any(part.of_databases for part in parts)
        if apart:
            self._see().close()
            self._apart(True)
        with self._moved:
            self._state.owed += 1
        try:
            self.server.sendall(one.raw)
            if apart:
                self._idle()
        finally:
            if apart:
                self._apart(False)

    # -- extended protocol ----------------------------------------------------------------------------------------

    def _extended(self, one: Message, out: list[bytes]) -> None:
        state = self._state
        if one.kind in (b"c", b"f"):
            with self._moved:
                state.copying = False
            out.append(one.raw)
            if state.executions:
                out.append(FLUSH)  # the one sent while it copied was swallowed
            return
        if one.kind == b"S":
            self._sync(one, out)
            return
        text = self._portals.get(messages.text(one.body)[0], b"")
        self._see().ready()
        part = Part(0, len(text), strings.bare(text))
        if self._synced or self._stops is not None:  # what came before tells whether a transaction is open
            self._send(out)
            self._idle()
            self._synced = False
        if self._stops is not None:
            self._settle()
            self._stop(text, "before")
        if part.ends:
            self._send(out)
            self._settle()
            self._look_if_due("commit-hold")
        repeated = bool(part.head) and part.head == self._last_head
        watched = not (part.small or part.alone)
        if state.status == "T" and not repeated and self._due:
            self._send(out)
            self._settle()
            self._look_if_due("commit-hold")
        self._begin([part], text, text, repeated=repeated)
        with self._moved:
            state.executions += 1
        out.append(one.raw)
        self._last_head = part.head
        if watched and not repeated:
            self._due = True
            self._implicit = True
        if part.copies:  # what the server says to it tells what it does to a Sync that comes before the data's end
            out.append(FLUSH)
            self._send(out)
            self._settled()
        elif watched and not part.rows and not part.ends:
            out.append(FLUSH)
            self._send(out)
            if self._settled() and state.status == "I":
                self._look("sync-hold")

    def _sync(self, one: Message, out: list[bytes]) -> None:
        state = self._state
        if self._implicit and state.status == "I" and self._due:
            if state.executions:
                out.append(FLUSH)
            self._send(out)
            if self._settled() and not state.skipping:
                self._look("sync-hold")
        self._implicit, self._synced = False, True
        with self._moved:
            if not state.copying:  # a Sync that arrives in the middle of a COPY is ignored by the server
                state.owed += 1
        out.append(one.raw)

    def _settle(self) -> None:
        if self._state.executions:
            self.server.sendall(FLUSH)
            self._settled()

    # -- waiting --------------------------------------------------------------------------------------------------

    def _stop(self, text: bytes, at: str) -> None:
        if self._stops is not None:
            self._stops(Stop(self, text, at, self._state.status))

    def _idle(self) -> None:
        """Until the server has answered everything."""
        with self._moved:
            self._moved.wait_for(lambda: self._state.closed or not self._state.owed)

    def _settled(self) -> bool:
        """Until every Execute was answered, or cannot be; False where the server waits for the data of a COPY."""
        state = self._state
        with self._moved:
            self._moved.wait_for(lambda: state.closed or not state.executions or state.skipping or state.copying)
            return not state.copying and not state.closed

    def _over(self) -> bool:
        with self._moved:
            return self._state.closed or not self._state.owed

    # -- records --------------------------------------------------------------------------------------------------

    def _expect(self, answers: Answers) -> None:
        with self._moved:
            self._answers = answers
            self._framer.wanted = frozenset(letter[0] for letter in letters(answers))

    def _see(self) -> Eyes:
        if self._eyes is None:
            self._eyes = self._make_eyes(self.pid)
        return self._eyes

    def _begin(self, parts: list[Part], text: bytes, sent: bytes, *, repeated: bool = False) -> Statement:
        migration, step = self._label()
        self.statements += max(len(parts), 1)
        shown = text[parts[0].start : parts[-1].end] if parts else text
        statement = Statement(
            migration,
            shown.decode("utf-8", "replace"),
            self.pid,
            time.time(),
            step=step,
            sent=sent.decode("utf-8", "replace"),
        )
        before = self._current
        quick = before is not None and before.ended is not None and before.ended - before.started < _QUICK
        if repeated and before is not None and quick and not before.error:
            statement.ended, statement.rows = statement.started, 0
            self.trace.repeat(before, statement)
            return before
        self._current = statement
        self.trace.begin(statement)
        return statement

    def _look(self, caught: str) -> None:
        self._see().look(caught, self._current)
        self._due = False

    def _look_if_due(self, caught: str) -> None:
        if self._due:
            self._look(caught)


def _counted(tag: str) -> int | None:
    """Rows that a command's tag counts; None where it counts none."""
    last = tag.rpartition(" ")[2]
    return int(last) if tag.startswith(_COUNTED) and last.isdigit() else None


def _is_short(text: bytes) -> bool:
    """Whether a time limit below 100 ms is set."""
    for amount, unit in _SHORT_TIMEOUT.findall(text):
        milliseconds = int(amount) * {b"": 1, b"ms": 1, b"us": 0}.get(unit.lower(), 1000)
        if 0 < milliseconds < 100 or unit.lower() == b"us":
            return True
    return False
