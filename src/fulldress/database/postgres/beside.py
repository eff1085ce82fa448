"""Roles and databases that a migration makes: they belong to the server, no copy holds them, and they would be in the next
run's way."""

from __future__ import annotations

import itertools

from fulldress.database.postgres.clone import quote
from fulldress.database.postgres.server import Server
from fulldress.errors import QueryFailed

_ROLES = "SELECT rolname FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%'"
_numbers = itertools.count(1)


class Beside:
    """The roles and databases of a server as they are now."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known = self._roles()
        self._aside: list[str] = []
        self._databases = self._others()

    @property
    def new(self) -> frozenset[str]:
        """Roles that were made since."""
        return self._roles() - self._known - set(self._aside)

    def put_aside(self) -> None:
        """Give new roles other names, so that the next run can make its own; what they own stays theirs."""
        for name in self.new:
            other = f"{name[:40]} (run {next(_numbers)})"
            with self._server.session("postgres") as line:
                line.query(f"ALTER ROLE {quote(name)} RENAME TO {quote(other)}")
            self._aside.append(other)
        for name in self._others() - self._databases:
            with self._server.session("postgres") as line:
                line.query(f"DROP DATABASE IF EXISTS {quote(name)}")

    def drop_new(self, everything: bool = False) -> None:
        """Drop new roles, once the copy that depends on them is dropped; ``everything``: those put aside, too."""
        for name in self._others() - self._databases:
            with self._server.session("postgres") as line:
                line.query(f"DROP DATABASE IF EXISTS {quote(name)}")
        names = [*self.new, *(self._aside if everything else ())]
        with self._server.session("postgres") as line:
            for name in names:
                try:
                    line.query(f"DROP ROLE IF EXISTS {quote(name)}")
                except QueryFailed:
                    continue  # something of a database that is still there is its own; it ends with the server
                if name in self._aside:
                    self._aside.remove(name)

    def _roles(self) -> frozenset[str]:
        with self._server.session("postgres") as line:
            return frozenset(str(row[0]) for row in line.rows(_ROLES))

    def _others(self) -> frozenset[str]:
        """Databases that are none of our copies, nor what those keep."""
        with self._server.session("postgres") as line:
            names = {str(row[0]) for row in line.rows("SELECT datname FROM pg_database")}
        return frozenset(name for name in names if name.partition("@")[0] not in self._server.clones)
