"""What every clone that is restored from statements goes through: roles, the database itself, settings, what went wrong."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from fulldress.database.postgres import clone as clones
from fulldress.database.postgres import compared
from fulldress.database.postgres.clone import Clone, literal
from fulldress.database.postgres.clone import quote as quoted
from fulldress.database.postgres.resolve import Installation
from fulldress.database.postgres.server import OBSERVER, Server
from fulldress.database.postgres.wire import Connection
from fulldress.errors import NoSpace, QueryFailed, RanOutOfSpace
from fulldress.facts import Reason, Unread, excerpt

_MEBI = 1 << 20
_SHOWN = 20  #: errors of a restore that become a fact each; the rest is counted


def check_room(server: Server, needed: int) -> None:
    """Raises :class:`NoSpace` before anything is written."""
    free = server.free()
    if needed + 64 * _MEBI > free:
        raise NoSpace((needed + 64 * _MEBI) // _MEBI, server.base, free // _MEBI)


def make_role(line: Connection, name: str, attributes: str = "LOGIN") -> None:
    if not line.rows(f"SELECT 1 FROM pg_roles WHERE rolname = {literal(name)}"):
        line.query(f"CREATE ROLE {quoted(name)} {attributes}")


def make_database(line: Connection, name: str, encoding: str, collation: str, unread: list[Unread]) -> None:
    """An empty database with production's encoding and locale, where this machine has the locale."""
    plain = f"CREATE DATABASE {quoted(name)} TEMPLATE template0" + (
        f" ENCODING {literal(encoding)}" if encoding else ""
    )

    def sorted_by(locale: str) -> str:
        return f"{plain} LC_COLLATE {literal(locale)} LC_CTYPE {literal(locale)}"  # LOCALE is known from 13 on

    try:
        line.query(sorted_by(collation) if collation else plain)
    except QueryFailed as error:
        if not collation or "53100" in str(error):
            raise
        unread.append(
            compared.gap(
                f"order of text under production's locale {collation}",
                "this machine has no such locale: the clone sorts by C, and indexes on text may be used differently",
            )
        )
        line.query(sorted_by("C"))


def drop(server: Server, name: str) -> None:
    with server.session("postgres") as line:
        line.query(f"DROP DATABASE IF EXISTS {quoted(name)}")


def pg_restore(server: Server, programs: Installation, name: str, source: Path | IO[bytes], jobs: int = 1) -> list[str]:
    """Restore an archive into a database; returns pg_restore's errors."""
    words = [programs.program("pg_restore"), "--no-tablespaces", "-d", server.dsn(name, OBSERVER)]
    if isinstance(source, Path):
        words += [*(["-j", str(jobs)] if jobs > 1 else []), str(source)]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL if isinstance(source, Path) else source, capture_output=True, text=True,
        errors="replace", check=False, env={"LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    return [line for line in done.stderr.splitlines() if "error:" in line]


def finish(
    server: Server,
    name: str,
    role: str,
    *,
    major: int = 0,
    settings: Iterable[tuple[str, str]] = (),
    extensions: Mapping[str, str] | None = None,
    unread: Iterable[Unread] = (),
    errors: list[str],
) -> Clone:
    """The clone of a database that has been restored. ``errors``: what the restore complained of."""
    _not_full(server, name, errors)
    gaps = list(unread)
    with server.session("postgres") as line:
        make_role(line, role)
        for owner, setting in settings:
            key, _, value = setting.partition("=")
            who = f"ROLE {quoted(owner)} IN DATABASE" if owner else "DATABASE"
            try:
                line.query(f"ALTER {who} {quoted(name)} SET {key} = {value if ',' in value else literal(value)}")
            except QueryFailed as error:
                gaps.append(compared.gap(f"setting {key} of database {name}", excerpt(str(error))))
        if role not in ("postgres",):
            line.query(f"GRANT ALL ON DATABASE {quoted(name)} TO {quoted(role)}")
    with server.session(name) as line:
        line.query("ANALYZE")  # plans follow statistics, and a restore brings none
        gaps += compared.extensions(line, extensions or {}, name)
    made = clones.Clone(server, name, role)
    made.unread += gaps
    made.unread += [
        compared.gap(
            f"a part of the copy of database {name}",
            excerpt(word, 300),
            needed="configuration parameter" not in word,
        )
        for word in errors[:_SHOWN]
    ]
    if len(errors) > _SHOWN:
        made.unread.append(
            compared.gap(f"parts of the copy of database {name}", f"{len(errors) - _SHOWN} more errors", needed=True)
        )
    made.unread += other_major(server, name, major)
    return made


def other_major(server: Server, name: str, major: int) -> list[Unread]:
    """Said where production's major is not the rehearsal's."""
    if not major or major == server.installation.major:
        return []
    return [
        compared.gap(
            f"database {name} on PostgreSQL {major}",
            f"production runs {major}, rehearsed on {server.installation.version}: syntax, locks and timings may differ",
            reason=Reason.CANNOT,
        )
    ]


def _not_full(server: Server, name: str, errors: list[str]) -> None:
    """A copy that ended where the disk did is no copy."""
    if any("No space left on device" in word for word in errors):
        used = shutil.disk_usage(server.base)
        drop(server, name)
        raise RanOutOfSpace(name, server.base, used.total // _MEBI)


def words(text: str) -> str:
    """The line of a program's complaint that tells why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = next((line for line in lines if re.search(r"(?i)error|fatal", line)), lines[0] if lines else "no words")
    telling = re.sub(r"^(?:psql|pg_dump|pg_restore): (?:error: )?|^connection to server .* failed: ", "", telling)
    return excerpt(telling.removeprefix("FATAL:  "), 240).rstrip(".")
