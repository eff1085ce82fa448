"""Where a clone comes from: production's server, only read from, or a file that mariadb-dump or mysqldump wrote.

Passwords travel in a private file that the client programs read, on no command line and in no environment.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from fulldress.database import places
from fulldress.database.mysql.clone import Clone, quote
from fulldress.database.mysql.resolve import Installation
from fulldress.database.mysql.server import OBSERVER, Server
from fulldress.errors import BadMysqlDump, DatabaseError, Unreachable
from fulldress.facts import Evidence, Reason, Unread, Witness, excerpt, mask

_OWN = ("information_schema", "performance_schema", "mysql", "sys")
#: ``--single-transaction`` reads in one read-only snapshot and takes no lock that anybody waits for.
_DUMP = (
    "--single-transaction", "--quick", "--skip-lock-tables", "--routines", "--triggers", "--events", "--hex-blob",
    "--no-tablespaces", "--default-character-set=utf8mb4",
)  # fmt: skip


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """``mysql://user:password@host:port/database?socket=…``; ``mariadb://`` and drivers' ``mysql+…://`` are the same."""

    host: str
    port: int
    user: str
    password: str
    database: str
    socket: str

    @classmethod
    def parse(cls, url: str) -> Address:
        try:
            parts = urlsplit(url)
            port = parts.port or 3306
        except ValueError as error:
            raise Unreachable(mask(url), f"this is no address ({error})") from error
        if parts.scheme.partition("+")[0] not in ("mysql", "mariadb"):
            raise Unreachable(mask(url), 'the address has to begin with "mysql://" or "mariadb://"')
        options = dict(parse_qsl(parts.query))
        database = unquote(parts.path.lstrip("/"))
        if not database:
            raise Unreachable(mask(url), "the address names no database: mysql://user@host/NAME")
        return cls(
            host=parts.hostname or "localhost",
            port=port,
            user=unquote(parts.username or "") or options.get("user", ""),
            password=unquote(parts.password or "") or options.get("password", ""),
            database=database,
            socket=options.get("socket", "") or options.get("unix_socket", ""),
        )

    @contextlib.contextmanager
    def options(self) -> Iterator[str]:
        """The argument that names a private file with all of this; the file is gone afterwards."""
        lines = ["[client]"]
        for key, value in (("user", self.user), ("password", self.password), ("socket", self.socket)):
            if value:
                escaped = value.replace("\\", "\\\\").replace('"', '\\"')
                lines.append(f'{key} = "{escaped}"')
        if not self.socket:
            lines += [f"host = {self.host}", f"port = {self.port}"]
            if self.host not in ("localhost",):
                lines.append("protocol = tcp")
        handle, name = tempfile.mkstemp(prefix="fulldress-", suffix=".cnf")
        try:
            with os.fdopen(handle, "w") as file:
                file.write("\n".join(lines) + "\n")
            yield f"--defaults-file={name}"
        finally:
            Path(name).unlink(missing_ok=True)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What production's server says of the database and itself."""

    version: str
    sql_mode: str
    charset: str
    collation: str
    lower_case: str
    size: int  #: bytes
    other_engines: tuple[str, ...]  #: tables that a snapshot does not read consistently


def describe(installation: Installation, url: str) -> Source:
    """Ask the server at ``url``, read-only. Raises :class:`Unreachable`."""
    address = Address.parse(url)
    name = address.database.replace("\\", "\\\\").replace("'", "''")
    sql = (
        "SELECT @@version, @@global.sql_mode, @@lower_case_table_names;"
        f"SELECT default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name = '{name}';"
        f"SELECT coalesce(sum(data_length + index_length), 0) FROM information_schema.tables WHERE table_schema = '{name}';"
        f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{name}' AND table_type = 'BASE TABLE'"
        " AND engine <> 'InnoDB'"
    )
    with address.options() as options:
        words = [str(installation.client), options, "--batch", "--skip-column-names", "--connect-timeout=10"]
        words += ["--init-command=SET SESSION TRANSACTION READ ONLY", f"--execute={sql}"]
        try:
            done = subprocess.run(
                words,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=60,
                stdin=subprocess.DEVNULL,
                env=_environment(installation),
            )
        except subprocess.TimeoutExpired as error:
            raise Unreachable(mask(url), "no answer within 60 s") from error
    if done.returncode:
        raise Unreachable(mask(url), _words(done.stderr))
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    if len(rows) < 3:
        raise Unreachable(mask(url), f"it has no database {address.database}, or {address.user} may not see it")
    return Source(
        version=rows[0][0],
        sql_mode=rows[0][1],
        lower_case=rows[0][2],
        charset=rows[1][0],
        collation=rows[1][1],
        size=int(rows[2][0]),
        other_engines=tuple(row[0] for row in rows[3:]),
    )


def clone_url(server: Server, url: str, source: Source | None = None) -> Clone:
    """A copy of the database at ``url``, under its own name, as scripts may say USE."""
    address = Address.parse(url)
    told = source or describe(server.installation, url)
    with server.session() as line:
        line.run(f"SET GLOBAL sql_mode = '{told.sql_mode}'")
        words = f"CREATE DATABASE {quote(address.database)} CHARACTER SET {told.charset} COLLATE {told.collation}"
        line.run(words)
    with address.options() as options:
        program = [str(server.installation.dump), options, *_DUMP]
        if not server.installation.mariadb:
            program += ["--set-gtid-purged=OFF", "--column-statistics=0"]
        pour(server, [*program, address.database], address.database, lambda words: Unreachable(mask(url), words))
    made = Clone(server, address.database)
    _definers(made)
    with made.session() as line:
        floats = line.texts(
            "SELECT DISTINCT table_name FROM information_schema.columns"
            " WHERE table_schema = database() AND data_type = 'float'"
        )
    if floats:
        tables = ", ".join(row[0] for row in floats[:5])
        made.unread.append(_gap(f"FLOAT columns of {tables}", "a dump writes them with six digits; the rest is exact"))
    if told.other_engines:
        tables = ", ".join(told.other_engines[:5])
        made.unread.append(_gap(f"a consistent copy of {tables}", "not InnoDB: rows may change while they are read"))
    if server.installation.warning:
        made.unread.append(_gap(f"database {made.name} on {told.version}", server.installation.warning))
    return made


def clone_dump(server: Server, dump: Path, name: str = "rehearsal") -> Clone:
    """A copy from a plain dump, gzip or not. One that names its database itself keeps that name."""
    with server.session() as line:
        line.run(f"CREATE DATABASE {quote(name)}")
        before = {row[0] for row in line.texts("SHOW DATABASES")}
    words = client(server, name)
    with dump.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(dump) if packed else dump.open("rb") as text, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=said, stderr=said, env=_environment(server.installation)
        )
        assert process.stdin is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):  # it has given up, and tells why
            shutil.copyfileobj(text, process.stdin, 1 << 20)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        code = process.wait()
        said.seek(0)
        if code:
            raise BadMysqlDump(dump, _words(said.read().decode("utf-8", "replace")))
    with server.session() as line:
        fresh = [row[0] for row in line.texts("SHOW DATABASES") if row[0] not in before]
        if len(fresh) == 1 and not line.texts(f"SHOW TABLES FROM {quote(name)}"):
            line.run(f"DROP DATABASE {quote(name)}")
            name = fresh[0]
        elif fresh:
            raise BadMysqlDump(
                dump, f"it holds several databases ({', '.join(fresh)})", tool="mariadb-dump for one database"
            )
    made = Clone(server, name)
    _definers(made)
    return made


def client(server: Server, database: str) -> list[str]:
    """The client program on our own server. ``--binary-mode`` knows no ``\\!``: nothing in a dump can start a program."""
    one = server.installation
    return [
        str(one.client), "--no-defaults", "--binary-mode", "--batch", f"--socket={server.socket}", f"--user={OBSERVER}",
        "--default-character-set=utf8mb4", "--max-allowed-packet=1G", database,
    ]  # fmt: skip


def pour(server: Server, program: list[str], database: str, error: object) -> None:
    """What ``program`` writes becomes the content of ``database``. ``error`` makes the exception from words."""
    env = _environment(server.installation)
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as refused:
        dumping = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=said, stdin=subprocess.DEVNULL, env=env)
        restoring = subprocess.run(
            client(server, database), stdin=dumping.stdout, stdout=refused, stderr=refused, check=False, env=env
        )
        assert dumping.stdout is not None  # noqa: S101
        dumping.stdout.close()
        code = dumping.wait()
        said.seek(0)
        refused.seek(0)
        words = _words(said.read().decode("utf-8", "replace"))
        answer = _words(refused.read().decode("utf-8", "replace"))
    if restoring.returncode:
        raise error(f"the copy refused it: {answer}")  # type: ignore[operator]
    if code:
        raise error(words)  # type: ignore[operator]


def copy(server: Server, database: str, target: str) -> None:
    """The content of one database of ours into another that is empty: definitions by dump, rows by INSERT … SELECT.

    A dump alone would not do: it writes FLOAT with six digits, so that a copy would differ from the original."""
    one = server.installation
    program = [str(one.dump), "--no-defaults", f"--socket={server.socket}", f"--user={OBSERVER}", *_DUMP, "--no-data"]
    pour(server, [*program, "--skip-triggers", database], target, DatabaseError)
    with server.session(target) as line:
        line.run("SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
        for table, _ in line.texts("SHOW FULL TABLES WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')"):
            described = line.texts(f"SHOW COLUMNS FROM {quote(table)}")
            names = ", ".join(
                quote(row[0]) for row in described if "GENERATED" not in row[5].upper() or "DEFAULT_" in row[5]
            )
            line.run(f"INSERT INTO {quote(table)} ({names}) SELECT {names} FROM {quote(database)}.{quote(table)}")
    pour(server, [*program, "--no-create-info", "--skip-routines", "--skip-events", database], target, DatabaseError)


def _definers(clone: Clone) -> None:
    """Views, routines and triggers run as whoever made them: these accounts have to be there."""
    name = clone.name.replace("'", "''")
    with clone.session() as line:
        rows = line.texts(
            f"SELECT definer FROM information_schema.views WHERE table_schema = '{name}'"
            f" UNION SELECT definer FROM information_schema.routines WHERE routine_schema = '{name}'"
            f" UNION SELECT definer FROM information_schema.triggers WHERE trigger_schema = '{name}'"
            f" UNION SELECT definer FROM information_schema.events WHERE event_schema = '{name}'"
        )
        for (definer,) in rows:
            user, _, host = definer.rpartition("@")
            account = "'{}'@'{}'".format(user.replace("'", "''"), host.replace("'", "''"))
            line.run(f"CREATE USER IF NOT EXISTS {account}")
            line.run(f"GRANT ALL PRIVILEGES ON {quote(clone.name)}.* TO {account}")


def _environment(installation: Installation) -> dict[str, str]:
    return places.environment() | installation.environment()


def _words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = next((line for line in lines if re.search(r"(?i)error", line)), lines[0] if lines else "no words")
    return excerpt(re.sub(r"^(?:mariadb|mysql)(?:-?dump)?: ", "", telling), 240).rstrip(".")


def _gap(what: str, detail: str) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(source="mysql"),
        what=what,
        reason=Reason.NOT_MEASURED,
        detail=detail,
    )
