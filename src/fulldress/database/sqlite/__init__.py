"""SQLite: copies of a database's file, the statement trace, proof of a rollback."""

from __future__ import annotations

from fulldress.database.sqlite.clone import Clone, rehearsal

__all__ = ["Clone", "rehearsal"]
