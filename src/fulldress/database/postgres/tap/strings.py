"""A query string as the server will see it: where its statements begin and end, and what each may do to a transaction.

The server's own grammar (libpg_query) cuts; nothing that is cut is ever sent in pieces. A string that the grammar does
not know is sent untouched, and the poller alone watches it.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any, NamedTuple

from fulldress.patterns import regex

#: Statements that change nothing that others could wait for, and that have no need of a look.
_SMALL = regex(
    rb"(?:SET|SHOW|RESET|BEGIN|START|SAVEPOINT|RELEASE|LISTEN|UNLISTEN|NOTIFY|DISCARD|DEALLOCATE|PREPARE|DECLARE|FETCH|MOVE"
    rb"|CLOSE|EXPLAIN)\b"
)
_READS = regex(rb"(?:SELECT|VALUES|TABLE)\b(?!.*(?:\(|\bFOR\b|\bINTO\b)).{0,390}$", re.S)
_ENDS = regex(rb"(?:COMMIT|END|ROLLBACK|ABORT)\b|PREPARE\s+TRANSACTION\b")
_ROWS = regex(rb"(?:INSERT|UPDATE|DELETE|MERGE|SELECT|WITH|VALUES|TABLE|EXECUTE)\b")
#: After these no look by a statement of ours: it would take a snapshot that the transaction has not taken yet.
_NO_SNAPSHOT = regex(rb"(?:SET|SHOW|RESET|BEGIN|START|SAVEPOINT|RELEASE|LOCK|LISTEN|UNLISTEN|DECLARE|CLOSE|PREPARE)\b")
#: Statements that refuse to run in a transaction, or speak the copy protocol.
_ALONE = regex(
    rb"(?:CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY|DROP\s+INDEX\s+CONCURRENTLY|REINDEX\b.*\bCONCURRENTLY"
    rb"|REINDEX\s+(?:\([^)]*\)\s*)?(?:SCHEMA|DATABASE|SYSTEM)\b|VACUUM\b|(?:CREATE|DROP|ALTER)\s+(?:DATABASE|TABLESPACE|SUBSCRIPTION)\b"
    rb"|ALTER\s+SYSTEM\b|CLUSTER\s*(?:;|$)|DISCARD\s+ALL\b|COPY\b|ALTER\s+TABLE\b.*\bDETACH\s+PARTITION\b.*\bCONCURRENTLY\b"
    rb"|REFRESH\s+MATERIALIZED\s+VIEW\s+CONCURRENTLY\b)",
    re.S,
)
#: May free locks before its end, or take them after it: what commits inside, what functions catch, what was deferred.
_FLEETING = regex(rb"(?:DO|CALL|COMMIT|END)\b|SELECT\b.*\(", re.S)
_DATABASES = regex(rb"(?:CREATE|DROP|ALTER)\s+DATABASE\b")
_HEAD = regex(rb"(?:INSERT\s+INTO|DELETE\s+FROM|UPDATE)\s+(?:ONLY\s+)?[\w.\"]+")
_SPACE = regex(rb"(?:\s+|--[^\n]*(?:\n|$)|/\*[^*]*(?:\*(?!/)[^*]*)*\*/)+")
_PARAMETER = regex(rb"\$\d")


_BARE = 400  #: bytes of a statement that are looked at


class Part(NamedTuple):
    """One statement of a string. ``start`` and ``end`` in bytes, without its semicolon; ``bare`` begins with its verb."""

    start: int
    end: int
    bare: bytes

    @property
    def ends(self) -> bool:
        """Ends a transaction or a part of one: the locks may go."""
        return bool(_ENDS.match(self.bare))

    @property
    def small(self) -> bool:
        """Cannot hold a lock that anybody waits for: what calls no function and writes nothing."""
        return bool(_SMALL.match(self.bare) or _READS.match(self.bare)) and not self.ends

    @property
    def rows(self) -> bool:
        """Reads or changes rows."""
        return bool(_ROWS.match(self.bare))

    @property
    def alone(self) -> bool:
        return bool(_ALONE.match(self.bare))

    @property
    def fleeting(self) -> bool:
        """Its locks may be gone, or not there yet, when it has answered."""
        return self.alone or bool(_FLEETING.match(self.bare))

    @property
    def copies(self) -> bool:
        return self.bare.startswith(b"COPY")

    @property
    def of_databases(self) -> bool:
        """Needs a database that nobody else is connected to."""
        return bool(_DATABASES.match(self.bare))

    @property
    def may_gate(self) -> bool:
        return not (_NO_SNAPSHOT.match(self.bare) or self.alone or self.ends)

    @property
    def head(self) -> bytes:
        """What repeated changes of rows have in common, e.g. ``INSERT INTO ORDERS``; empty for everything else."""
        match = _HEAD.match(self.bare)
        return b" ".join(match[0].split()) if match else b""

    @property
    def parameters(self) -> bool:
        """Has a ``$1``, which means something else in the extended protocol."""
        return bool(_PARAMETER.search(self.bare))


def bare(statement: bytes) -> bytes:
    """Without what stands before its verb, in upper case; its first bytes."""
    match = _SPACE.match(statement)
    return statement[match.end() if match else 0 :][:_BARE].upper()


def _library() -> Any:
    return import_module("postgast.native").lib


def cut(query: bytes) -> list[Part] | None:
    """The statements of a query string; None where the grammar does not know it. ``query`` is UTF-8 without its zero."""
    lib = _library()
    result = lib.pg_query_split_with_parser(query)
    try:
        if result.error:
            return None
        found = []
        for pointer in result.stmts[: result.n_stmts]:
            one = pointer.contents
            start, end = one.stmt_location, one.stmt_location + one.stmt_len
            found.append(Part(start, end, bare(query[start:end])))
        return found
    finally:
        lib.pg_query_free_split_result(result)


class Gated(NamedTuple):
    """A string with gates in it. ``order`` tells for every statement in it, as the server answers: the vendor's (index of
    its part) or a gate (-1 - number of the gate). ``insertions`` as :func:`~.messages.moved` takes them."""

    query: bytes
    order: list[int]
    insertions: list[tuple[int, int]]
    parts: list[Part]
    behind: list[int]  #: of every gate, the vendor's statement that runs right before it
    holds_last: bool  #: the last statement's answer waits for the end, as the server sends it after its commit


MOST_GATES = 400  #: in one string; beyond, only what changes the schema, then only ends of transactions are looked at
_EVERY = 100  #: gates in a string up to which changes of rows get theirs, too
_AFTER_NAME = (b"", *(bytes([one]) for one in b" \t\r\n\f(*,;"))  #: ends the name of a table


class Plan(NamedTuple):
    """Statements of a string that get a gate behind them, by index; ``last``: so does the last one."""

    behind: list[int]
    last: bool


def plan(parts: list[Part], inside: bool) -> Plan | None:
    """Where gates are of use: after what a string does and before what ends a transaction; None where nowhere.

    ``inside``: a transaction is open when the string is sent. Of a run of the same changes to the same table one look
    tells all, so runs are what is counted, and a string of thirty thousand INSERTs is looked at once."""
    runs = _runs(parts)  # by its first and its last
    wanted = [parts[head].may_gate and not parts[head].small for head, _ in runs]
    if sum(wanted) > _EVERY:
        wanted = [want and not parts[head].rows for want, (head, _) in zip(wanted, runs, strict=True)]
    if sum(wanted) > MOST_GATES:
        wanted = [False] * len(runs)
    opens = inside
    for index, (head, _) in enumerate(runs):
        one = parts[head]
        if one.ends and index and parts[runs[index - 1][0]].may_gate:
            wanted[index - 1] = True  # the end of a transaction is looked at in any case
        opens = (opens or one.bare.startswith((b"BEGIN", b"START"))) and not (one.ends and b" TO " not in one.bare[:60])
    last = not opens and parts[runs[-1][0]].may_gate
    wanted[-1] = last
    if sum(wanted) > MOST_GATES:
        wanted = [False] * (len(runs) - 1) + [last]
    behind = [tail for want, (_, tail) in zip(wanted, runs, strict=True) if want]
    return Plan(behind, last) if behind else None


def _runs(parts: list[Part]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    head, words = 0, b""
    for index, one in enumerate(parts):
        follows = bool(words) and one.bare.startswith(words) and one.bare[len(words) : len(words) + 1] in _AFTER_NAME
        if not follows:
            if index:
                found.append((head, index - 1))
            head, match = index, _HEAD.match(one.bare)
            words = match[0] if match else b""
    return [*found, (head, len(parts) - 1)]


def gated(query: bytes, parts: list[Part], plan: Plan, first: int, key: int) -> Gated:
    """``query`` with gates. ``first``, ``key``: numbers of the advisory locks; each gate has its own, since a lock that
    was granted once is held to the end of the transaction. Nothing is put before a statement's end, so positions before
    the first gate stay what they are."""
    out, insertions, order = [], [], []
    position = characters = done = 0
    for number, index in enumerate(plan.behind):
        end = len(query) if index == len(parts) - 1 else parts[index].end
        piece = query[position:end]
        gate = b"\n;select pg_catalog.pg_advisory_xact_lock_shared(%d,%d)" % (key, first + number)
        out += [piece, gate]
        characters += _characters(piece)
        insertions.append((characters, len(gate)))
        characters += len(gate)
        position = end
        order += [*range(done, index + 1), -1 - number]
        done = index + 1
    order += range(done, len(parts))
    out.append(query[position:])
    return Gated(b"".join(out), order, insertions, parts, plan.behind, plan.last)


def _characters(data: bytes) -> int:
    return len(data) if data.isascii() else len(data.decode("utf-8", "replace"))
