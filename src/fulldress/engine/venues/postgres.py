"""A PostgreSQL database of production.

A vendor writes its scripts for ``psql``, so ``psql`` runs them where there is one; else they go statement by statement
over one connection. A snapshot is a dump (consistent, and it needs nobody to leave); restoring builds the database anew
beside the live one, and swaps their names.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from fulldress.engine.venue import StatementRun
from fulldress.errors import DatabaseError
from fulldress.facts import excerpt, mask
from fulldress.findings import Outcome


class Piece(Protocol):
    """One statement as :func:`fulldress.database.postgres.split.split` cuts it."""

    @property
    def text(self) -> str: ...
    @property
    def data(self) -> bytes | None: ...
    @property
    def refused(self) -> str: ...


class Postgres:
    """``url`` as in ``production.toml``; ``folder`` keeps dumps; ``split`` is used where there is no psql."""

    def __init__(
        self,
        url: str,
        *,
        folder: Path,
        split: Callable[[str], Sequence[Piece]] | None = None,
        programs: Path | None = None,
    ) -> None:
        self.url, self.folder = url, folder
        self._split, self._programs = split, programs

    def query(self, sql: str) -> list[dict[str, object]]:
        async def ask() -> list[dict[str, object]]:
            connection = await self._connect(self.url)
            try:
                return [dict(row) for row in await connection.fetch(sql)]
            except _errors() as error:
                raise DatabaseError(excerpt(str(error))) from error
            finally:
                await connection.close()

        return asyncio.run(ask())

    def execute(self, sql: str, *, name: str, step: str) -> StatementRun:
        started, clock = datetime.now(UTC), time.monotonic()
        psql = self._program("psql")
        error = self._by_psql(psql, sql, step) if psql else self._by_statement(sql, step)
        return StatementRun(
            outcome=Outcome.FAIL if error else Outcome.PASS,
            error=error,
            started=started,
            duration=timedelta(seconds=time.monotonic() - clock),
        )

    def snapshot(self, name: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        place, half = self._dump(name), self._dump(name).with_suffix(".half")
        self._tool("pg_dump", "--format=custom", f"--file={half}", "--dbname", self.url)
        half.chmod(0o600)
        half.rename(place)

    def restore(self, name: str) -> None:
        place = self._dump(name)
        if not place.exists():
            raise DatabaseError(f"{place}: no such snapshot")
        live = self._database
        new, old = f"{live}_fulldress_new"[:63], f"{live}_fulldress_old"[:63]
        self._server(f'DROP DATABASE IF EXISTS "{new}"')
        self._server(f'CREATE DATABASE "{new}" TEMPLATE template0')
        self._tool("pg_restore", "--exit-on-error", "--dbname", self._address(new), str(place))
        self._server(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
            live,
        )
        self._server(f'DROP DATABASE IF EXISTS "{old}"')
        self._server(f'ALTER DATABASE "{live}" RENAME TO "{old}"')
        self._server(f'ALTER DATABASE "{new}" RENAME TO "{live}"')
        self._server(f'DROP DATABASE "{old}" WITH (FORCE)')

    def forget(self, name: str) -> None:
        self._dump(name).unlink(missing_ok=True)
        self._dump(name).with_suffix(".half").unlink(missing_ok=True)

    # inside

    @property
    def _database(self) -> str:
        name = unquote(urlsplit(self.url).path.lstrip("/"))
        if not re.fullmatch(r"[\w$.-]{1,48}", name):
            raise DatabaseError(f"{mask(self.url)}: name the database in its address")
        return name

    def _address(self, database: str) -> str:
        head, _, rest = self.url.partition("://")
        place, _, tail = rest.partition("/")
        _, question, query = tail.partition("?")
        return f"{head}://{place}/{database}{question}{query}"

    def _dump(self, name: str) -> Path:
        return self.folder / f"{self._database}-{name}.dump"

    def _program(self, name: str) -> str | None:
        found = shutil.which(name)
        if found is None and self._programs is not None and (self._programs / name).exists():
            return str(self._programs / name)
        return found

    def _tool(self, name: str, *arguments: str) -> None:
        program = self._program(name)
        if program is None:
            raise DatabaseError(
                f"{name} is not on this host: install PostgreSQL's client programs, or drop the snapshot"
            )
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, env=_environment())
        if done.returncode != 0:
            raise DatabaseError(f"{name}: {excerpt(done.stderr) or f'exit {done.returncode}'}")

    def _by_psql(self, psql: str, sql: str, step: str) -> str:
        """Empty, or the first error."""
        with tempfile.TemporaryFile() as script:
            script.write(sql.encode())
            script.seek(0)
            done = subprocess.run(
                [psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", self.url, "--file=-"],
                stdin=script,
                capture_output=True,
                text=True,
                check=False,
                env=_environment() | {"PGAPPNAME": session_name(step)},
                start_new_session=True,  # a key pressed in the operator's terminal is not meant for it
            )
        if done.returncode == 0:
            return ""
        lines = [line for line in done.stderr.splitlines() if "ERROR:" in line or "FATAL:" in line]
        return excerpt((lines or done.stderr.splitlines() or [f"psql: exit {done.returncode}"])[0])

    def _by_statement(self, sql: str, step: str) -> str:
        pieces = self._split(sql) if self._split else None

        async def send() -> str:
            connection = await self._connect(self.url, application_name=session_name(step))
            try:
                for piece in pieces or ():
                    if piece.refused or piece.data is not None:
                        return piece.refused or "COPY FROM STDIN needs psql on this host"
                    await connection.execute(piece.text)
                if pieces is None:
                    await connection.execute(sql)
            except _errors() as error:
                return excerpt(str(error))
            finally:
                await connection.close()
            return ""

        return asyncio.run(send())

    def _server(self, sql: str, *values: object) -> None:
        """A statement about databases: from beside the one that it is about."""

        async def send() -> None:
            connection = await self._connect(self._address("postgres"))
            try:
                await (connection.fetch(sql, *values) if values else connection.execute(sql))
            except _errors() as error:
                raise DatabaseError(excerpt(str(error))) from error
            finally:
                await connection.close()

        asyncio.run(send())

    async def _connect(self, url: str, application_name: str = "fulldress") -> Any:
        import asyncpg

        try:
            return await asyncpg.connect(url, timeout=15, server_settings={"application_name": application_name})
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise DatabaseError(f"{mask(url)}: cannot be reached: {excerpt(str(error))}") from error


def session_name(step: str) -> str:
    """Name by which the server lists the session of a step (its limit is 63 bytes)."""
    return f"fulldress {step}".encode()[:63].decode(errors="ignore")


def _errors() -> tuple[type[Exception], ...]:
    import asyncpg

    return (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


def _environment() -> dict[str, str]:
    """Ours, without the settings that would lead a client program elsewhere."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PG") or k == "PGPASSFILE"}
