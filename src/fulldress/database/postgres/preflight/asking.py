"""Asks, statement by statement, on a copy of its own that is thrown away: the migration runs there so far as needed.

A question stands in the transaction of the migration, so that what earlier statements changed is seen, and in a savepoint
that is read-only, has a limit of time, and is always rolled back. A statement that fails is rolled back too, and the next
ones are asked without it: all rows that are in the way are named at once, not only the first statement's.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.preflight.catalog import Catalog
from fulldress.database.postgres.preflight.questions import Question, asked, questions
from fulldress.database.postgres.split import Piece, split
from fulldress.database.postgres.wire import Connection
from fulldress.errors import QueryFailed
from fulldress.facts import AnyFact, Evidence, Preflight, Reason, Unread, Witness, excerpt
from fulldress.package.migrations.pgtree import parse
from fulldress.patterns import regex

SESSION = "fulldress-preflight"
FIRST = 10  #: rows named by their key; their number is always the whole number
_INSIDE = regex(r"(?is)\b(?:ALTER\s+TABLE|CREATE\s+UNIQUE\s+INDEX)\b")
_OUT_OF_TIME = "57014"


@dataclass
class _State:
    seconds: float
    facts: list[AnyFact] = field(default_factory=list)
    offended: bool = False  #: by the statement at hand


def pieces_of(scripts: Sequence[tuple[str, str]], siblings: Mapping[str, str] | None = None) -> list[tuple[str, Piece]]:
    """Name of the migration and statement, in order."""
    texts = {**dict(scripts), **(siblings or {})}
    return [(name, piece) for name, text in scripts for piece in split(text, name, texts)]


def ask(clone: Clone, pieces: Sequence[tuple[str, Piece]], *, seconds: float = 60.0) -> list[AnyFact]:
    """Preflight facts of every statement that may fail on rows, and what could not be asked.

    ``clone`` is left in the state before the last of them: give a copy. ``seconds``: limit of one question; a statement
    of the migration has ten times as long."""
    trees = [parse(piece.text) if not piece.control and not piece.refused else None for _, piece in pieces]
    telling = [place for place, tree in enumerate(trees) if tree is not None and asked(tree)]
    state = _State(seconds)
    state.facts += _hidden(pieces)
    if not telling:
        return state.facts
    options = f"-c statement_timeout={int(seconds * 10_000)}"
    with clone.server.session(clone.name, clone.role, SESSION, options) as line:
        for place, (name, piece) in enumerate(pieces[: telling[-1] + 1]):
            state.offended = False
            if place in telling:
                _ask_all(line, name, piece, questions(trees[place], Catalog(line)), state)
            if place == telling[-1]:
                break
            if not _go_on(line, name, piece, state):
                break
        line.simple("ROLLBACK")
    return state.facts


def _go_on(line: Connection, name: str, piece: Piece, state: _State) -> bool:
    """Carry a statement out. False: nothing after it can be asked."""
    if piece.refused:
        state.facts.append(_gap(name, piece, f"what comes after {piece.file}:{piece.line}", piece.refused))
        return False
    inside = line.status == "T" and not piece.control
    if inside:
        line.simple("SAVEPOINT fulldress_step")
    reply = line.simple(piece.text, piece.data)
    if reply.error is None:
        if inside and line.status == "T":
            line.simple("RELEASE SAVEPOINT fulldress_step")
        return True
    if inside and line.status == "E":
        line.simple("ROLLBACK TO SAVEPOINT fulldress_step")
    if not state.offended:
        detail = f"it fails by itself, and what follows was asked without it: {reply.error}"
        state.facts.append(_gap(name, piece, f"the state after {piece.file}:{piece.line}", detail))
    return True


def _ask_all(line: Connection, name: str, piece: Piece, every: Iterator[Question], state: _State) -> None:
    """Leaves the session in the transaction that it was in, with nothing of ours in it."""
    inside = line.status == "T"
    if not inside:
        line.simple("BEGIN")
    line.simple("SAVEPOINT fulldress_questions")
    offended: set[tuple[str, str]] = set()
    try:
        for question in list(every):
            if question.needs and (question.needs, question.table) in offended:
                detail = "values that cannot be converted are in the way, so whether others become equal was not asked"
                state.facts.append(_gap(name, piece, f"unique keys of {question.table}", detail, needed=False))
                continue
            fact = _ask(line, name, piece, question, state)
            line.simple("ROLLBACK TO SAVEPOINT fulldress_questions")
            if fact is not None:
                state.facts.append(fact)
                if fact.offending:
                    offended.add((question.kind, question.table))
                    state.offended = True
    except QueryFailed as error:
        state.facts.append(_gap(name, piece, f"rows in the way of {piece.file}:{piece.line}", str(error)))
    if inside:
        line.simple("ROLLBACK TO SAVEPOINT fulldress_questions; RELEASE SAVEPOINT fulldress_questions")
    else:
        line.simple("ROLLBACK")


def _ask(line: Connection, name: str, piece: Piece, question: Question, state: _State) -> Preflight | None:
    began = time.monotonic()
    try:
        if question.tries:
            line.query(question.tries)
        line.query(f"SET LOCAL statement_timeout = {int(state.seconds * 1000)}")
        line.query("SET LOCAL transaction_read_only = on")
        number, listed = line.rows(
            f"WITH q AS MATERIALIZED ({question.select}) SELECT (SELECT coalesce(sum(n), 0)::int8 FROM q),"
            f" (SELECT string_agg(row, E'\\n') FROM (SELECT row FROM q LIMIT {FIRST}) AS first)"
        )[0]
    except QueryFailed as error:
        what = f"rows of {question.table} in the way: {question.kind}"
        timed = _OUT_OF_TIME in str(error)
        detail = f"no answer within {state.seconds:g} s" if timed else str(error)
        state.facts.append(_gap(name, piece, what, detail))
        return None
    return Preflight(
        witness=Witness.OBSERVED,
        evidence=_place(piece),
        migration=name,
        statement=excerpt(piece.text, 120),
        kind=question.kind,
        table=question.table,
        columns=question.columns,
        offending=int(str(number)),
        rows=tuple(str(listed).split("\n")) if listed else (),
        constraint=question.constraint,
        duration=timedelta(seconds=time.monotonic() - began),
        question="" if question.tries else question.plain or question.select,
    )


def _hidden(pieces: Iterable[tuple[str, Piece]]) -> Iterator[Unread]:
    for name, piece in pieces:
        if piece.bare.startswith("DO ") and _INSIDE.search(piece.text):
            detail = "it is decided while it runs; the rehearsal shows whether it fails"
            what = f"rows in the way of what the DO block at {piece.file}:{piece.line} adds"
            yield _gap(name, piece, what, detail, needed=False)


def _place(piece: Piece) -> Evidence:
    return Evidence(path=piece.file, line=piece.line, step="preflight", excerpt=excerpt(piece.text))


def _gap(name: str, piece: Piece, what: str, detail: str, *, needed: bool = True) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=_place(piece),
        what=what,
        reason=Reason.NOT_MEASURED,
        detail=excerpt(detail, 300),
        needed=needed,
    )
