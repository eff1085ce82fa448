"""The statements that a statement runs: in its body, in a routine that it calls, in a text that it puts together.

A routine counts where a script calls it; one that is only created is the application's. Bodies in other languages than
SQL's own, and texts that are not constant, are noted and left to be said."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.package.migrations import procedural
from fulldress.package.migrations.sql import Statement, offset_of, statements
from fulldress.patterns import regex

_OPENING = regex(
    r"^(?:(?:DECLARE .*?)?BEGIN |IF .*? THEN |ELSIF .*? THEN |ELSEIF .*? THEN |ELSE |LOOP |FOR .*? LOOP |WHILE .*? (?:LOOP|DO) "
    r"|EXCEPTION WHEN .*? THEN |WHEN .*? THEN |REPEAT )"
)
_EXPLAINS = regex(r"EXPLAIN (?:ANALY[SZ]E (?:VERBOSE )?|\((?=[^()]*\bANALY[SZ]E\b)[^()]*\) )(?!SELECT\b)")
_RUNS = ("EXECUTE ", "EXEC ")

Row = tuple[int, str, str]  #: line, text, and the form that rules look at (:attr:`.sql.Statement.bare`)


class Nested:
    """Goes with one script from statement to statement. ``routines`` holds bodies that earlier scripts brought."""

    def __init__(self, every: list[Statement], routines: dict[str, str]) -> None:
        self.routines = routines
        self.dynamic: list[int] = []  #: lines of code that builds its SQL at run time
        self.foreign: list[tuple[int, str]] = []  #: line and language of bodies that nobody here reads
        self._other: dict[str, str] = {}  #: routines in such a language
        self._begins: dict[str, int] = {}  #: the line on which the body of a routine of this script begins
        self._session: procedural.Block | None = None
        self._offsets: dict[int, int] = {}
        if any(one.verb in ("EXECUTE", "EXEC") for one in every):
            length = 0
            for one in every:
                self._offsets[id(one)] = length
                length += len(one.text) + 2
            self._session = procedural.Block(
                "".join(f"{one.text.rstrip('; ')};\n".ljust(len(one.text) + 2) for one in every)
            )

    def of(self, statement: Statement) -> Iterator[Row]:
        """The statement itself, or those in its body; then those of the routines that it calls."""
        language = procedural.foreign(statement)
        name, inside = procedural.routine(statement)
        body = procedural.body(statement)
        if body and language:
            self.foreign.append((statement.line, language))
        elif body:
            start = statement.line + statement.text[: max(statement.text.find(body), 0)].count("\n")
            yield from self._body(body, start)
        else:
            yield statement.line, statement.text, statement.bare
            yield from self._explained(statement)
            yield from self._alone(statement)
            if "\\gexec" in statement.bare.lower():  # psql runs what the query gives
                self.dynamic.append(statement.line)
        for other in procedural.called(statement, self._other):
            self.foreign.append((statement.line, self._other[other]))
        for routine in procedural.called(statement, self.routines):
            begin = self._begins.get(routine)  # one of an earlier script is told at the statement that calls it
            for line, text, bare in self._body(self.routines[routine], begin or statement.line):
                yield line if begin else statement.line, text, bare
        if name:
            self.routines.pop(name, None), self._other.pop(name, None)
            (self._other if language else self.routines)[name] = language or inside
            self._begins[name] = statement.line + statement.text[: max(statement.text.find(inside), 0)].count("\n")

    @staticmethod
    def _explained(statement: Statement) -> Iterator[Row]:
        """``EXPLAIN ANALYZE DELETE …`` runs what it explains."""
        match = _EXPLAINS.match(statement.bare)
        if match and not re.search(r"ANALY[SZ]E (?:FALSE|OFF|0)\b", match[0]):
            at = offset_of(statement, match.end())
            line = statement.line + statement.text.count("\n", 0, at)
            yield line, statement.text[at:], statement.bare[match.end() :]

    def _alone(self, statement: Statement) -> Iterator[Row]:
        """``PREPARE p FROM @text; EXECUTE p`` of MySQL, ``EXEC ('…')`` of SQL Server, ``EXECUTE IMMEDIATE`` of Oracle."""
        if self._session is None:
            return
        here = statement._replace(offset=self._offsets[id(statement)])
        if not self._session.prepares(here) and statement.bare.startswith(_RUNS):
            bound = re.match(r"EXEC(?:UTE)? (?:\(|IMMEDIATE\b)", statement.bare)
            if bound or statement.bare.split()[1].lower() in self._session.prepared:
                yield from self._run(self._session, here, statement.line)

    def _body(self, body: str, start: int) -> Iterator[Row]:
        block = procedural.Block(body)
        for inner in statements(body):
            bare, line = inner.bare, start + inner.line - 1
            while (match := _OPENING.match(bare)) is not None:
                bare = bare[match.end() :]
            at = offset_of(inner, len(inner.bare) - len(bare))
            text, line = inner.text[at:], line + inner.text.count("\n", 0, at)
            if not block.prepares(inner._replace(text=text)) and bare.startswith("EXECUTE "):
                yield from self._run(block, inner, line)
            yield line, text, bare

    def _run(self, block: procedural.Block, inner: Statement, line: int) -> Iterator[Row]:
        try:
            for run in block.executed(inner):
                yield line, run.text, run.bare
        except procedural.NotConstant:
            self.dynamic.append(line)
