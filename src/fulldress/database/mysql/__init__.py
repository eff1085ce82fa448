"""MariaDB and MySQL: servers of the rehearsal's own, clones, the statement trace, the ladder, proof of a rollback."""

from __future__ import annotations

from fulldress.database.mysql.clone import Clone
from fulldress.database.mysql.resolve import Installation, installations, resolve
from fulldress.database.mysql.server import Server

__all__ = ["Clone", "Installation", "Server", "installations", "resolve"]
