"""Before a statement runs: the rows on which it would fail, named; and what an earlier upgrade left half done."""

from fulldress.database.postgres.preflight.asking import ask, pieces_of
from fulldress.database.postgres.preflight.questions import Question

__all__ = ["Question", "ask", "pieces_of"]
