"""All that is asked before the run, of the copy and of production, in one list of facts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.preflight import bookkeeping, leftovers, surroundings
from fulldress.database.postgres.preflight.asking import ask, pieces_of
from fulldress.database.postgres.preflight.reading import Reader, of_clone
from fulldress.database.postgres.split import Piece
from fulldress.errors import DatabaseError
from fulldress.facts import AnyFact, Evidence, Reason, Unread, Witness, excerpt

_numbers = itertools.count(1)


def scripts(
    clone: Clone,
    every: Sequence[tuple[str, str]],
    *,
    siblings: Mapping[str, str] | None = None,
    production: Reader | None = None,
    seconds: float = 60.0,
) -> list[AnyFact]:
    """``every``: name and text of the migrations, in order. Those that the records of their tool already hold are history:
    they are compared with the schema, and not run again."""
    read = of_clone(clone)
    found = bookkeeping.read(read, every)
    pending = bookkeeping.pending(read, every)
    found += statements(clone, pieces_of(pending, {**dict(every), **(siblings or {})}), seconds=seconds)
    return [*found, *around(clone, production)]


def statements(clone: Clone, pieces: Sequence[tuple[str, Piece]], *, seconds: float = 60.0) -> list[AnyFact]:
    """Rows in the way; on a copy of ``clone`` that is dropped again."""
    copy = clone.copy(f"{clone.name}@preflight{next(_numbers)}")
    try:
        return ask(copy, pieces, seconds=seconds)
    finally:
        copy.drop()


def around(clone: Clone, production: Reader | None) -> list[AnyFact]:
    """Left-overs, sort orders, limits of time and WAL: of production where it can be asked, else left-overs of the copy."""
    try:
        found = leftovers.read(production or of_clone(clone), "production" if production else "the copy")
        if production is not None:
            found += surroundings.read(production, clone.server.installation.major, clone.role)
    except DatabaseError as error:
        return [_gap("what stands around the migrations in production", excerpt(str(error), 300))]
    if production is None:
        words = "only production knows: invalid indexes, versions of sort orders, limits of time, replication slots"
        found.append(_gap("what stands around the migrations in production", f"no server was named; {words}"))
    return found


def _gap(what: str, detail: str) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(step="preflight"),
        what=what,
        reason=Reason.NOT_MEASURED,
        detail=detail,
    )
