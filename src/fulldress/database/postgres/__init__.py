"""PostgreSQL: servers of the rehearsal's own, clones, the statement trace, proof of a rollback."""

from __future__ import annotations

from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.resolve import Installation, installations, resolve
from fulldress.database.postgres.server import Server
from fulldress.database.records import sweep

__all__ = ["Clone", "Installation", "Server", "installations", "resolve", "sweep"]
