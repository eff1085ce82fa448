"""Production's own server, only read from: what it says of itself, and a clone of one of its databases."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import msgspec

from fulldress.database.postgres import compared, restored
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.clone import quote as quoted
from fulldress.database.postgres.resolve import Installation, installations
from fulldress.database.postgres.server import Server
from fulldress.database.postgres.wire import Connection
from fulldress.errors import DatabaseError, QueryFailed, TooNew, Unreachable
from fulldress.facts import Unread, excerpt, mask

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
    extensions: tuple[tuple[str, str], ...] = ()  #: name, version
    sorting: str = ""  #: version of the rules by which it sorts text, e.g. the C library's; empty: it has none


def describe(installation: Installation, url: str) -> Source:
    """Ask the server at ``url``, read-only. Raises :class:`Unreachable`."""
    words = ", ".join(f"'{word}', {column}" for word, column in _ATTRIBUTES.items())
    sql = f"""SELECT json_build_object(
        'major', current_setting('server_version_num')::int / 10000,
        'size', pg_database_size(current_database()),
        'encoding', pg_encoding_to_char(d.encoding), 'collation', d.datcollate,
        'roles', (SELECT json_agg(json_build_array(rolname, json_build_object({words}))) FROM pg_roles
                   WHERE rolname !~ '^pg_'),
        'members', (SELECT json_agg(json_build_array(r.rolname, m.rolname)) FROM pg_auth_members a
                     JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member),
        'extensions', (SELECT json_object_agg(extname, extversion) FROM pg_extension),
        'settings', (SELECT json_agg(json_build_array(coalesce(r.rolname, ''), c)) FROM pg_db_role_setting s
                      LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c
                      WHERE s.setdatabase = d.oid OR s.setdatabase = 0))
        FROM pg_database d WHERE datname = current_database()"""
    said = msgspec.json.decode(ask(installation, url, sql))
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
        extensions=tuple((said["extensions"] or {}).items()),
        sorting=ask(installation, url, f"SELECT actual FROM ({compared.collation_query(said['major'])}) one").strip(),
    )


def ask(installation: Installation, url: str, sql: str) -> str:
    """What the server at ``url`` answers, asked in a session that cannot write. Raises :class:`Unreachable`."""
    address = Address.parse(url)
    try:
        done = subprocess.run(
            [installation.program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", address.url, "-c", sql],
            capture_output=True, text=True, errors="replace", check=False, timeout=60, env=address.environment(),
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Unreachable(mask(url), "no answer within 60 s") from error
    if done.returncode:
        raise Unreachable(mask(url), restored.words(done.stderr))
    return done.stdout


def clone(server: Server, name: str, *, url: str = "", dump: Path | None = None, role: str = "") -> Clone:
    """See :meth:`Server.clone_from`."""
    if bool(url) == bool(dump):
        raise DatabaseError(
            "Name either the address of a database to clone from, or a dump file, not both and not none."
        )
    if dump is not None:
        from fulldress.database.postgres import dumps

        return dumps.clone(server, name, dump, role)
    return _from_url(server, name, url, role)


def _from_url(server: Server, name: str, url: str, role: str) -> Clone:
    address = Address.parse(url)
    source = describe(server.installation, url)
    restored.check_room(server, source.size * 5 // 4)
    dumper = dumper_for(server.installation, source.major, url)
    unread: list[Unread] = []
    with server.session("postgres") as line:
        _make_roles(line, source, unread)
        restored.make_database(line, name, source.encoding, source.collation, unread)
    # -Fc through a pipe: nothing is ever written to disk but the clone itself
    with tempfile.TemporaryFile() as said:
        pump = subprocess.Popen(
            [dumper.program("pg_dump"), "--format=custom", "--compress=0", "--no-tablespaces", "-d", address.url],
            stdout=subprocess.PIPE, stderr=said, env=address.environment(), stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert pump.stdout is not None  # noqa: S101
        try:
            errors = restored.pg_restore(server, dumper, name, pump.stdout)
        finally:
            pump.stdout.close()
            code = pump.wait()
        if code and not any("No space left on device" in word for word in errors):
            said.seek(0)
            restored.drop(server, name)
            raise Unreachable(mask(url), restored.words(said.read().decode("utf-8", "replace")))
    made = restored.finish(
        server, name, role or address.user or "postgres", major=source.major, settings=source.settings,
        extensions=dict(source.extensions), unread=unread, errors=errors,
    )  # fmt: skip
    with server.session(name) as line:
        made.unread += compared.collation(line, name, source.collation, source.sorting)
    return made


def dumper_for(installation: Installation, major: int, url: str) -> Installation:
    """pg_dump reads servers up to its own major. Raises :class:`TooNew`."""
    if installation.major >= major:
        return installation
    able = [one for one in installations() if one.major >= major]
    if not able:
        raise TooNew(mask(url), major, installation.version)
    return able[0]


def _make_roles(line: Connection, source: Source, unread: list[Unread]) -> None:
    for name, *attributes in source.roles:
        restored.make_role(line, name, " ".join(attributes))
    for group, member in source.members:
        try:
            line.query(f"GRANT {quoted(group)} TO {quoted(member)}")
        except QueryFailed as error:
            unread.append(compared.gap(f"membership of role {member} in {group}", excerpt(str(error))))
