"""Messages of the extended protocol: executed as they come, looked at before what ends their transaction."""

from __future__ import annotations

from fulldress.database.postgres.tap import messages, strings
from fulldress.database.postgres.tap.line import Line
from fulldress.database.postgres.tap.messages import FLUSH, Message
from fulldress.database.postgres.tap.strings import Part


class Extended:
    """Passes on the messages of one session. ``out`` collects what goes to the server in one piece."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._statements: dict[bytes, bytes] = {}  # prepared: name -> text
        self._portals: dict[bytes, bytes] = {}
        self._implicit = False  #: something ran since the last Sync, outside of a transaction
        self._fleeting = False  #: so was what ran since the last Sync
        self._synced = False  #: a Sync was passed on since the last Execute

    def remember(self, one: Message) -> None:
        if one.kind == b"P":
            name, rest = messages.text(one.body)
            self._statements[name] = messages.text(rest)[0]
        elif one.kind == b"B":
            portal, rest = messages.text(one.body)
            self._portals[portal] = self._statements.get(messages.text(rest)[0], b"")
        elif one.kind == b"F":
            with self.line.moved:
                self.line.state.owed += 1

    def execute(self, one: Message, out: list[bytes]) -> None:
        state = self.line.state
        if one.kind in (b"c", b"f"):
            with self.line.moved:
                state.copying = False
            out.append(one.raw)
            if state.executions:
                out.append(FLUSH)  # the one sent while it copied was swallowed
            return
        if one.kind == b"S":
            self._sync(one, out)
            return
        text = self._portals.get(messages.text(one.body)[0], b"")
        self.line.see().ready()
        part = Part(0, len(text), strings.bare(text))
        if self._synced or self.line.stops is not None:  # what came before tells whether a transaction is open
            self.line.send(out)
            self.line.idle()
            self._synced = False
        if self.line.stops is not None:
            self.line.settle()
            self.line.stop(text, "before")
        if part.ends:
            self.line.send(out)
            self.line.settle()
            self.line.look_if_due("commit-hold")
        repeated = bool(part.head) and part.head == self.line.last_head
        watched = not (part.small or part.alone)
        if state.status == "T" and not repeated and self.line.due:
            self.line.send(out)
            self.line.settle()
            self.line.look_if_due("commit-hold")
        self.line.begin([part], text, text, repeated=repeated)
        with self.line.moved:
            state.executions += 1
        out.append(one.raw)
        self.line.last_head = part.head
        if watched and not repeated:
            self.line.due = True
            self._implicit = True
        self._fleeting = self._fleeting or part.fleeting
        if part.copies:  # what the server says to it tells what it does to a Sync that comes before the data's end
            out.append(FLUSH)
            self.line.send(out)
            self.line.settled()
        elif watched and not part.rows and not part.ends:
            out.append(FLUSH)
            self.line.send(out)
            if self.line.settled(fleeting=part.fleeting) and state.status == "I":
                self.line.look("sync-hold")

    def _sync(self, one: Message, out: list[bytes]) -> None:
        state = self.line.state
        if self._implicit and state.status == "I" and self.line.due:
            if state.executions:
                out.append(FLUSH)
            self.line.send(out)
            if self.line.settled(fleeting=self._fleeting) and not state.skipping:
                self.line.look("sync-hold")
        self._implicit, self._synced = False, True
        with self.line.moved:
            if not state.copying:  # a Sync that arrives in the middle of a COPY is ignored by the server
                state.owed += 1
        out.append(one.raw)
        if self._fleeting and not state.copying:
            self._fleeting = False
            self.line.send(out)
            self.line.answered(fleeting=True)
