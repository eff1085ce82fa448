"""Strings of the simple protocol: one statement with its Sync held back, several with gates between them, or as they came."""

from __future__ import annotations

import time

from fulldress.database.postgres.poller import GATE
from fulldress.database.postgres.tap import strings
from fulldress.database.postgres.tap.answers import Converted, Plain, String
from fulldress.database.postgres.tap.line import Line
from fulldress.database.postgres.tap.messages import FLUSH, SYNC, Message, counted, message
from fulldress.database.postgres.tap.strings import Part
from fulldress.database.postgres.tap.watching import paces
from fulldress.database.postgres.trace import Statement
from fulldress.patterns import regex

#: Encodings whose characters may hold bytes that look like quotes or backslashes.
_UNSAFE = regex(r"(?i)sjis|shift|big5|gbk|gb18030|uhc|johab")
_SHORT_TIMEOUT = regex(
    rb"(?i)\b(?:lock_timeout|statement_timeout|transaction_timeout)\b\W+(?:TO\W+)?'?\s*(\d+)\s*(\w*)"
)
_RULE = regex(rb"(?i)\bCREATE\s+(?:OR\s+REPLACE\s+)?RULE\b")


class Simple:
    """Sends the queries of one session."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._short = False  #: a time limit so short that a gate might run into it

    def query(self, one: Message) -> None:
        self.line.idle()
        text = one.body[:-1]
        why = self._untouchable(text)
        self.line.see().ready()
        self.line.stop(text, "before")
        parts = None if why else strings.cut(text)
        if not why and parts is None:
            why = "not in the grammar"
        if parts and _SHORT_TIMEOUT.search(text):
            self._short = _is_short(text)
        if _RULE.search(text):
            self.line.trace.names.rules = True
        status = self.line.state.status
        if not parts or status == "E":
            if why:
                self.line.count_untouched(why)
            self._plain(one, parts or [Part(0, len(text), strings.bare(text))], text)
        elif len(parts) == 1:
            self._single(one, parts[0], text)
        else:
            self._several(one, parts, text)

    def _untouchable(self, text: bytes) -> str:
        settings = self.line.state.settings
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
        status = self.line.state.status
        if status == "T":
            if part.ends:
                self.line.look_if_due("commit-hold")
            self._plain(one, [part], text)
            return
        convertible = not (part.alone or part.small or part.ends or part.parameters)
        repeated = bool(part.head) and part.head == self.line.last_head
        if not convertible or repeated or (part.rows and self.line.trace.names.rules) or not self.line.see().ready():
            self._plain(one, [part], text)
            return
        self.line.begin([part], text, text)
        answers = Converted()
        self.line.expect(answers)
        with self.line.moved:
            self.line.state.executions = 1
            self.line.state.owed += 1
        body = text + b"\0"
        self.line.server.sendall(
            message(b"P", b"\0" + body + b"\0\0")
            + message(b"B", b"\0\0\0\0\0\0\0\0")
            + message(b"D", b"P\0")
            + message(b"E", b"\0\0\0\0\0")
            + FLUSH
        )
        if self.line.settled(fleeting=part.fleeting) and not self.line.state.skipping:
            self.line.look("sync-hold")
        answers.synced = True
        self.line.server.sendall(SYNC)
        self.line.last_head = part.head

    def _several(self, one: Message, parts: list[Part], text: bytes) -> None:
        inside = self.line.state.status == "T"
        if inside:
            self.line.look_if_due("commit-hold")
        plan = None
        if not self._short and not any(part.alone or part.parameters for part in parts):
            plan = strings.plan(parts, inside)
        first = self.line.see().shut(len(plan.behind)) if plan is not None else None
        if plan is None or first is None:
            self._plain(one, parts, text)
            return
        whole = strings.gated(text, parts, plan, first, GATE)
        answers = String(whole)
        self.line.expect(answers)
        with self.line.moved:
            self.line.state.owed += 1
        self.line.server.sendall(message(b"Q", whole.query + b"\0"))
        records: list[tuple[int, Statement]] = []  # index of the first part behind it
        try:
            self._keep_gates(whole, first, text, records)
        finally:
            self.line.see().open(first, len(whole.behind))
        self.line.idle()
        for index, tag in answers.tags:
            statement = next((one for end, one in records if index < end), None)
            if statement is not None and (rows := counted(tag)) is not None:
                statement.rows = (statement.rows or 0) + rows
        self.line.last_head = b""

    def _keep_gates(self, plan: strings.Gated, first: int, text: bytes, records: list[tuple[int, Statement]]) -> None:
        eyes, after = self.line.see(), 0
        lost = eyes.lost
        for gate, last in enumerate(plan.behind):
            statement = self.line.begin(plan.parts[after : last + 1], text, plan.query)
            records.append((last + 1, statement))
            after = last + 1
            for pause in paces():
                if self.line.over() or eyes.lost > lost:
                    return
                if eyes.looked_at(first + gate, statement):
                    break
                time.sleep(pause)
            self.line.due = False
            self.line.stop(text[plan.parts[last].start : plan.parts[last].end], "gate")
            eyes.open(first + gate)
        if after < len(plan.parts):
            records.append((len(plan.parts), self.line.begin(plan.parts[after:], text, plan.query)))

    def _plain(self, one: Message, parts: list[Part], text: bytes) -> None:
        """Pass a query on as it came."""
        self.line.expect(Plain())
        repeated = len(parts) == 1 and bool(parts[0].head) and parts[0].head == self.line.last_head
        if self.line.state.status == "T" and not repeated:
            self.line.look_if_due("commit-hold")
        self.line.begin(parts, text, text, repeated=repeated)
        self.line.due = not repeated and not all(part.small for part in parts)
        self.line.last_head = parts[0].head if len(parts) == 1 else b""
        apart = any(part.of_databases for part in parts)
        if apart:
            self.line.see().close()
            self.line.apart(True)
        with self.line.moved:
            self.line.state.owed += 1
        try:
            self.line.server.sendall(one.raw)
            if apart:
                self.line.idle()
            elif not repeated and not all(part.small for part in parts):
                self.line.answered(fleeting=any(part.fleeting for part in parts))
        finally:
            if apart:
                self.line.apart(False)


def _is_short(text: bytes) -> bool:
    """Whether a time limit below 100 ms is set."""
    for amount, unit in _SHORT_TIMEOUT.findall(text):
        milliseconds = int(amount) * {b"": 1, b"ms": 1, b"us": 0}.get(unit.lower(), 1000)
        if 0 < milliseconds < 100 or unit.lower() == b"us":
            return True
    return False
