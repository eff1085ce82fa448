"""How the server can carry out an ALTER at best, found by trying: the first way that it accepts is the truth.

Documentation lists which change is INSTANT and which copies the table, and differs between versions, row formats and
what a table holds already. So each ALTER, CREATE INDEX and DROP INDEX of a script is tried on a copy with the quickest
``ALGORITHM`` first. A way that is refused (errors 1845 and 1846) changes nothing. What is accepted is carried out, timed,
and the script goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from fulldress.database.happenings import Ran, Statement
from fulldress.database.mysql.clone import Clone, gap
from fulldress.database.mysql.runner import Runner
from fulldress.database.mysql.trace import Trace
from fulldress.database.mysql.wire import Connection, MysqlRefused, Result
from fulldress.findings import Outcome
from fulldress.patterns import regex

_REFUSED = (1845, 1846)  # ER_ALTER_OPERATION_NOT_SUPPORTED, …_REASON
_SYNTAX = 1064  # a server without that word
_ALTER = regex(
    r"(?is)^\s*(?:ALTER\s+(?:ONLINE\s+)?(?:IGNORE\s+)?TABLE|CREATE\s+(?:UNIQUE\s+|FULLTEXT\s+|SPATIAL\s+)?INDEX|DROP\s+INDEX)\b"
)
_TABLE = regex(r"(?is)^\s*ALTER\s+(?:ONLINE\s+)?(?:IGNORE\s+)?TABLE\s+(?:IF\s+EXISTS\s+)?([\w`.]+)|\bON\s+([\w`.]+)")
_DROP = regex(r"(?is)^\s*DROP\s+INDEX\s+(IF\s+EXISTS\s+)?(\S+)\s+ON\s+(\S+)")
_OWN = regex(r"(?i)\b(?:ALGORITHM|LOCK)\s*=?\s*(?:INSTANT|NOCOPY|INPLACE|COPY|NONE|SHARED|EXCLUSIVE|DEFAULT)\b")
#: ALGORITHM, LOCK, whether the table is written anew, whether its writers wait meanwhile.
_RUNGS = (
    ("INSTANT", "", False, False),
    ("NOCOPY", "NONE", False, False),
    ("NOCOPY", "SHARED", False, True),
    ("INPLACE", "NONE", True, False),
    ("INPLACE", "SHARED", True, True),
    ("COPY", "NONE", True, False),  # MariaDB from 11.2 on
    ("COPY", "SHARED", True, True),
    ("COPY", "EXCLUSIVE", True, True),
)


@dataclass
class Way:
    """How one statement can be carried out at best. ``refused``: the ways tried before it, with the server's words."""

    statement: str
    table: str
    algorithm: str
    lock: str
    rewrites: bool
    writers_wait: bool
    seconds: float
    refused: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"ALGORITHM={self.algorithm}" + (f", LOCK={self.lock}" if self.lock else "")


class Ladder:
    """Runs scripts on a copy of ``clone``, made here and dropped by :meth:`close`; ``ways`` are in order."""

    def __init__(self, clone: Clone) -> None:
        self.clone = clone.copy(f"{clone.name}@ladder")
        self.ways: list[Way] = []

    def close(self) -> None:
        self.clone.drop()

    def run(self, sql: str, *, name: str, siblings: Mapping[str, str] | None = None, limit: float | None = None) -> Ran:
        """Run a script with every ALTER tried; where it fails, so it does without the ladder."""
        with self.clone.session("rehearsal") as line, self.clone.session() as observer:
            return Runner(line, observer, Trace(), self.clone.name, self._send).run(
                sql, name=name, step="ladder", siblings=siblings, limit=limit
            )

    def _send(self, line: Connection, statement: Statement) -> list[Result]:
        text = statement.text
        if not _ALTER.match(text) or _OWN.search(text):
            return line.run(text)
        found = _TABLE.search(text)
        table = next((part for part in found.groups() if part), "").replace("`", "") if found else ""
        if dropped := _DROP.match(text):  # the same to the server, and MariaDB's DROP INDEX knows no ALGORITHM
            text = f"ALTER TABLE {dropped[3]} DROP INDEX {dropped[1] or ''} {dropped[2]}"
        refused: list[str] = []
        comma = ", " if text.lstrip()[:5].upper() == "ALTER" else " "
        for algorithm, lock, rewrites, wait in _RUNGS:
            words = f"{text}{comma}ALGORITHM={algorithm}" + (f"{comma}LOCK={lock}" if lock else "")
            begun = time.perf_counter()
            try:
                results = line.run(words)
            except MysqlRefused as error:
                if error.code in (*_REFUSED, _SYNTAX):
                    refused.append(f"{algorithm}{f', {lock}' if lock else ''}: {error}")
                    continue
                raise
            took = time.perf_counter() - begun
            # without NOCOPY (MySQL), INPLACE may or may not write the table anew: what it took tells
            self.ways.append(Way(statement.label, table, algorithm, lock, rewrites, wait, took, tuple(refused)))
            return results
        return line.run(text)


def apply(clone: Clone, ways: list[Way]) -> None:
    """Write what the ladder found into the trace of ``clone``, statement by statement, in the order in which they ran."""
    waiting = list(ways)
    for statement in clone.trace.statements:
        way = next((one for one in waiting if one.statement == statement.label), None)
        if way is None:
            continue
        waiting.remove(way)
        statement.how = way.words
        if way.rewrites and way.table and way.table not in statement.rewritten:
            statement.rewritten.append(way.table)


def climb(
    clone: Clone,
    scripts: list[tuple[str, str]],
    siblings: Mapping[str, str] | None = None,
    limit: float | None = None,
) -> list[Way]:
    """The ways of every ALTER in ``scripts`` (name, text), run one after the other on a copy of ``clone`` as it is now."""
    ladder = Ladder(clone)
    try:
        for name, text in scripts:
            run = ladder.run(text, name=name, siblings=siblings, limit=limit).run
            if run.outcome is not Outcome.PASS:
                clone.unread.append(gap(f"the ways of the ALTERs of {name} from there on", run.error))
                break
        return ladder.ways
    finally:
        ladder.close()
