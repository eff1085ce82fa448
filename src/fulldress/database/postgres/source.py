"""Where a clone comes from: production's server, only read from, or a file that pg_dump wrote."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import msgspec

from fulldress.database.postgres import clone as clones
from fulldress.database.postgres.clone import Clone, literal
from fulldress.database.postgres.clone import quote as quoted
from fulldress.database.postgres.resolve import Installation, installations
from fulldress.database.postgres.server import Server
from fulldress.database.postgres.wire import Connection
from fulldress.errors import BadDump, DatabaseError, NoSpace, QueryFailed, TooNew, Unreachable
from fulldress.facts import Evidence, Reason, Unread, Witness, excerpt, mask
from fulldress.patterns import regex

_MEBI = 1 << 20
_OWNER = regex(r"(?:OWNER TO|ROLE|AUTHORIZATION|FOR USER|FOR ROLE) (\"(?:[^\"]|\"\")+\"|\w+)")
_GRANTEE = regex(r"^(?:GRANT|REVOKE) .* (?:TO|FROM) (\"(?:[^\"]|\"\")+\"|\w+)(?: WITH .*)?;$", re.MULTILINE)
#: Words of CREATE ROLE and the columns of pg_roles that hold them.
_ATTRIBUTES = {
    "SUPERUSER": "rolsuper",
    "CREATEROLE": "rolcreaterole",
    "CREATEDB": "rolcreatedb",
    "LOGIN": "rolcanlogin",
    "REPLICATION": "rolreplication",
    "BYPASSRLS": "rolbypassrls",
    "INHERIT": "rolinherit",
}
_NOT_ROLES = {"public", "current_user", "session_user", "current_role", "none"}


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A URL without its password, which travels in the environment and so in no list of processes."""

    url: str
    password: str
    user: str
    database: str

    @classmethod
    def parse(cls, url: str) -> Address:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Unreachable(mask(url), f"this is no address ({error})") from error
        if parts.scheme not in ("postgresql", "postgres"):
            raise Unreachable(mask(url), 'the address has to begin with "postgresql://"')
        options = dict(parse_qsl(parts.query))
        password = options.pop("password", "") or unquote(parts.password or "")
        user = unquote(parts.username or "") or options.get("user", "")
        host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
        place = (f"{quote(user, safe='')}@" if user else "") + host + (f":{port}" if port else "")
        clean = urlunsplit((parts.scheme, place, parts.path, urlencode(options, quote_via=quote), ""))
        database = unquote(parts.path.lstrip("/")) or options.get("dbname", "") or user
        return cls(url=clean, password=password, user=user, database=database)

    def environment(self) -> dict[str, str]:
        """For PostgreSQL's programs: whatever they run there cannot write."""
        kept = {
            key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "PGPASSFILE", "PGSSLROOTCERT")
        }
        kept |= {"PGOPTIONS": "-c default_transaction_read_only=on", "PGCONNECT_TIMEOUT": "10", "LC_ALL": "C.UTF-8"}
        kept |= {"PGAPPNAME": "fulldress-clone"}
        return kept | ({"PGPASSWORD": self.password} if self.password else {})


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What production's server says of the database and itself."""

    major: int
    size: int  #: bytes
    encoding: str
    collation: str
    roles: tuple[tuple[str, ...], ...]  #: name, and its attributes as words of CREATE ROLE
    members: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]  #: role or empty, ``key=value``


def describe(installation: Installation, url: str) -> Source:
    """Ask the server at ``url``, read-only. Raises :class:`Unreachable`."""
    address = Address.parse(url)
    words = ", ".join(f"'{word}', {column}" for word, column in _ATTRIBUTES.items())
    sql = f"""SELECT json_build_object(
        'major', current_setting('server_version_num')::int / 10000,
        'size', pg_database_size(current_database()),
        'encoding', pg_encoding_to_char(d.encoding), 'collation', d.datcollate,
        'roles', (SELECT json_agg(json_build_array(rolname, json_build_object({words}))) FROM pg_roles
                   WHERE rolname !~ '^pg_'),
        'members', (SELECT json_agg(json_build_array(r.rolname, m.rolname)) FROM pg_auth_members a
                     JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member),
        'settings', (SELECT json_agg(json_build_array(coalesce(r.rolname, ''), c)) FROM pg_db_role_setting s
                      LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c
                      WHERE s.setdatabase = d.oid OR s.setdatabase = 0))
        FROM pg_database d WHERE datname = current_database()"""
    try:
        done = subprocess.run(
            [installation.program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", address.url, "-c", sql],
            capture_output=True, text=True, errors="replace", check=False, timeout=60, env=address.environment(),
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Unreachable(mask(url), "no answer within 60 s") from error
    if done.returncode:
        raise Unreachable(mask(url), _words(done.stderr))
    said = msgspec.json.decode(done.stdout)
    roles = []
    for name, have in said["roles"] or []:
        attributes = [word if on else f"NO{word}" for word, on in have.items()]
        roles.append((name, *attributes))
    return Source(
        major=said["major"],
        size=said["size"],
        encoding=said["encoding"],
        collation=said["collation"],
        roles=tuple(roles),
        members=tuple((a, b) for a, b in said["members"] or []),
        settings=tuple((role, setting) for role, setting in said["settings"] or []),
    )


def clone(server: Server, name: str, *, url: str = "", dump: Path | None = None, role: str = "") -> Clone:
    """See :meth:`Server.clone_from`."""
    if bool(url) == bool(dump):
        raise DatabaseError(
            "Name either the address of a database to clone from, or a dump file, not both and not none."
        )
    if dump is not None:
        return _from_dump(server, name, dump, role)
    return _from_url(server, name, url, role)


def _from_url(server: Server, name: str, url: str, role: str) -> Clone:
    address = Address.parse(url)
    source = describe(server.installation, url)
    needed, free = source.size * 5 // 4 + 64 * _MEBI, server.free()
    if needed > free:
        raise NoSpace(needed // _MEBI, server.base, free // _MEBI)
    dumper = _dumper(server.installation, source.major, url)
    unread: list[Unread] = []
    with server.session("postgres") as line:
        _make_roles(line, source, unread)
        _make_database(line, name, source, unread)
    # -Fc through a pipe: nothing is ever written to disk but the clone itself
    with tempfile.TemporaryFile() as said:
        pump = subprocess.Popen(
            [dumper.program("pg_dump"), "--format=custom", "--compress=0", "--no-tablespaces", "-d", address.url],
            stdout=subprocess.PIPE, stderr=said, env=address.environment(), stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert pump.stdout is not None  # noqa: S101
        try:
            words = _restore(server, dumper, name, pump.stdout)
        finally:
            pump.stdout.close()
            code = pump.wait()
        if code:
            said.seek(0)
            _drop(server, name)
            raise Unreachable(mask(url), _words(said.read().decode("utf-8", "replace")))
    return _finish(server, name, role or address.user or "postgres", source.major, source.settings, unread, words)


def _from_dump(server: Server, name: str, dump: Path, role: str) -> Clone:
    try:
        with dump.open("rb") as file:
            custom = file.read(5) == b"PGDMP"
        needed, free = dump.stat().st_size * (6 if custom else 2) + 64 * _MEBI, server.free()
    except OSError as error:
        raise BadDump(dump, error.strerror or str(error)) from error
    if needed > free:
        raise NoSpace(needed // _MEBI, server.base, free // _MEBI)
    if not dump.stat().st_size:
        raise BadDump(dump, "the file is empty")
    restorer = _restorer(server.installation, dump) if custom else server.installation
    roles, major = _mentioned(restorer, dump, custom)
    with server.session("postgres") as line:
        for one in sorted(roles):
            _make_role(line, one, "LOGIN")
        line.query(f"CREATE DATABASE {quoted(name)} TEMPLATE template0")
    with dump.open("rb") as file:
        words = _restore(server, restorer, name, file) if custom else _play(server, name, file, dump)
    return _finish(server, name, role or "postgres", major, (), [], words)


def _restorer(own: Installation, dump: Path) -> Installation:
    """A custom dump is read by the server's own pg_restore, or by a newer one where its format is newer."""
    for one in [own, *(other for other in installations() if other.major > own.major)]:
        listed = subprocess.run([one.program("pg_restore"), "-l", str(dump)], capture_output=True, check=False)
        if listed.returncode == 0:
            return one
    return own


def _restore(server: Server, installation: Installation, name: str, stream: IO[bytes]) -> list[str]:
    done = subprocess.run(
        [installation.program("pg_restore"), "--no-tablespaces", "-d", _own_address(server, name)],
        stdin=stream, capture_output=True, text=True, errors="replace", check=False, env={"LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    return [line for line in done.stderr.splitlines() if "error:" in line]


def _play(server: Server, name: str, stream: IO[bytes], dump: Path) -> list[str]:
    done = subprocess.run(
        [server.installation.program("psql"), "-Xq", "-o", os.devnull, "-d", _own_address(server, name)],
        stdin=stream, capture_output=True, text=True, errors="replace", check=False, env={"LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    words = [line for line in done.stderr.splitlines() if "ERROR:" in line or "error:" in line]
    with server.session(name) as line:
        empty = not line.rows(
            "SELECT 1 FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace >= 16384 OR relnamespace = 2200"
        )
    if empty and words:
        _drop(server, name)
        raise BadDump(dump, _words(words[0]))
    return words


def _own_address(server: Server, name: str) -> str:
    from fulldress.database.postgres.server import OBSERVER

    return server.dsn(name, OBSERVER)


def _mentioned(installation: Installation, dump: Path, custom: bool) -> tuple[set[str], int]:
    """Roles that own or are granted something in a dump, and the server's major where the dump tells it."""
    major = 0
    roles: set[str] = set()
    if custom:
        done = subprocess.run(
            [installation.program("pg_restore"), "--schema-only", "-f", "-", str(dump)],
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        if done.returncode:
            raise BadDump(dump, _words(done.stderr))
        texts = [done.stdout]
    else:
        texts = _outside_of_data(dump)
    for text in texts:
        told = re.search(r"-- Dumped from database version (\d+)", text)
        major = int(told[1]) if told and not major else major
        roles |= {match[1] for match in _OWNER.finditer(text)} | {match[1] for match in _GRANTEE.finditer(text)}
    names = {role[1:-1].replace('""', '"') if role.startswith('"') else role for role in roles}
    return {name for name in names if name.lower() not in _NOT_ROLES and not name.startswith("pg_")}, major


def _outside_of_data(dump: Path) -> list[str]:
    """Lines of a plain dump that are not rows of a COPY."""
    lines, inside = [], False
    with dump.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if inside:
                inside = line.rstrip("\n") != "\\."
            else:
                inside = line.startswith("COPY ") and line.rstrip().endswith("FROM stdin;")
                if len(line) < 4096:
                    lines.append(line)
    return ["".join(lines)]


def _dumper(installation: Installation, major: int, url: str) -> Installation:
    """pg_dump reads servers up to its own major."""
    if installation.major >= major:
        return installation
    able = [one for one in installations() if one.major >= major]
    if not able:
        raise TooNew(mask(url), major, installation.version)
    return able[0]


def _make_roles(line: Connection, source: Source, unread: list[Unread]) -> None:
    for name, *attributes in source.roles:
        _make_role(line, name, " ".join(attributes))
    for group, member in source.members:
        try:
            line.query(f"GRANT {quoted(group)} TO {quoted(member)}")
        except QueryFailed as error:
            unread.append(_gap(f"membership of role {member} in {group}", excerpt(str(error))))


def _make_role(line: Connection, name: str, attributes: str) -> None:
    there = line.rows(f"SELECT 1 FROM pg_roles WHERE rolname = {literal(name)}")
    if not there:
        line.query(f"CREATE ROLE {quoted(name)} {attributes}")


def _make_database(line: Connection, name: str, source: Source, unread: list[Unread]) -> None:
    plain = f"CREATE DATABASE {quoted(name)} TEMPLATE template0 ENCODING {literal(source.encoding)}"

    def sorted_by(locale: str) -> str:
        return f"{plain} LC_COLLATE {literal(locale)} LC_CTYPE {literal(locale)}"  # LOCALE is known from 13 on

    try:
        line.query(sorted_by(source.collation))
    except QueryFailed:
        unread.append(
            _gap(
                f"order of text under production's locale {source.collation}",
                "this machine has no such locale: the clone sorts by C, and indexes on text may be used differently",
            )
        )
        line.query(sorted_by("C"))


def _finish(
    server: Server,
    name: str,
    role: str,
    major: int,
    settings: tuple[tuple[str, str], ...],
    unread: list[Unread],
    words: list[str],
) -> Clone:
    with server.session("postgres") as line:
        if not line.rows(f"SELECT 1 FROM pg_roles WHERE rolname = {literal(role)}"):
            line.query(f"CREATE ROLE {quoted(role)} LOGIN")
        for owner, setting in settings:
            key, _, value = setting.partition("=")
            who = f"ROLE {quoted(owner)} IN DATABASE" if owner else "DATABASE"
            try:
                line.query(f"ALTER {who} {quoted(name)} SET {key} = {value if ',' in value else literal(value)}")
            except QueryFailed as error:
                unread.append(_gap(f"setting {key} of database {name}", excerpt(str(error))))
        if role not in ("postgres",):
            line.query(f"GRANT ALL ON DATABASE {quoted(name)} TO {quoted(role)}")
    with server.session(name) as line:
        line.query("ANALYZE")  # plans follow statistics, and a restore brings none
    made = clones.Clone(server, name, role)
    made.unread += unread
    made.unread += [
        _gap(f"a part of the copy of database {name}", excerpt(word, 300), needed="configuration parameter" not in word)
        for word in words[:20]
    ]
    if len(words) > 20:
        made.unread.append(_gap(f"parts of the copy of database {name}", f"{len(words) - 20} more errors", needed=True))
    if major and major != server.installation.major:
        made.unread.append(
            _gap(
                f"database {name} on PostgreSQL {major}",
                f"production runs {major}, rehearsed on {server.installation.version}: syntax, locks and timings may differ",
                reason=Reason.CANNOT,
            )
        )
    return made


def _drop(server: Server, name: str) -> None:
    with server.session("postgres") as line:
        line.query(f"DROP DATABASE IF EXISTS {quoted(name)}")


def _gap(what: str, detail: str, *, needed: bool = False, reason: Reason = Reason.NOT_MEASURED) -> Unread:
    return Unread(witness=Witness.OBSERVED, evidence=Evidence(), what=what, reason=reason, detail=detail, needed=needed)


def _words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = next((line for line in lines if re.search(r"(?i)error|fatal", line)), lines[0] if lines else "no words")
    telling = re.sub(r"^(?:psql|pg_dump|pg_restore): (?:error: )?|^connection to server .* failed: ", "", telling)
    return excerpt(telling.removeprefix("FATAL:  "), 240).rstrip(".")
