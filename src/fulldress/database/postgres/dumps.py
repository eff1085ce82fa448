"""Clones of what pg_dump wrote: plain text (gzipped too), custom, tar, or a folder, the last restored in parallel.

A plain dump is a script for psql, and psql's own commands (``\\!``, ``\\o``, ``\\connect``) would run on this machine. So it
is played in psql's restricted mode (August 2025, CVE-2025-8714), and only the part for one database.
"""

from __future__ import annotations

import gzip
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, cast

import msgspec

from fulldress.database.postgres import restored
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.resolve import Installation, installations
from fulldress.database.postgres.server import OBSERVER, Server
from fulldress.errors import BadDump, DumpTooNew
from fulldress.facts import Unread
from fulldress.patterns import regex

_NAME = r"(\"(?:[^\"]|\"\")+\"|\w+)"
_OWNER = regex(rf"(?:OWNER TO|ROLE|AUTHORIZATION|FOR USER|FOR ROLE) {_NAME}")
_GRANTEE = regex(rf"^(?:GRANT|REVOKE) .* (?:TO|FROM) {_NAME}(?: WITH .*)?;$", re.MULTILINE)
_EXTENSION = regex(rf"^CREATE EXTENSION (?:IF NOT EXISTS )?{_NAME}", re.MULTILINE)
_FROM = regex(r"Dumped from database version:? (\d+)")
_ENCODING = regex(r"^CREATE DATABASE .*? ENCODING = '([^']*)'", re.MULTILINE)
_LOCALE = regex(r"^CREATE DATABASE .*? (?:LC_COLLATE|LOCALE) = '([^']*)'", re.MULTILINE)
_SETTING = regex(rf"^ALTER DATABASE {_NAME} SET (?:\"([\w.]+)\"|([\w.]+)) TO (.+);$", re.MULTILINE)
_NOT_ROLES = {"public", "current_user", "session_user", "current_role", "none"}
_PROBE = "fulldress"
_LONGEST = 1 << 16  #: characters of a line outside of data that are looked at


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a dump tells without being restored. ``form``: plain, gzip, custom, tar, directory."""

    form: str
    major: int  #: of the server that was dumped; 0: the dump does not tell
    bytes: int  #: of the dump itself

    @property
    def bytes_restored(self) -> int:
        """A guess at the size of the database: dumps hold no indexes, and most are compressed."""
        return self.bytes * (2 if self.form == "plain" else 6)


class _Told(msgspec.Struct, kw_only=True):
    """What the statements of a dump say, its rows left out."""

    roles: set[str]
    extensions: dict[str, str]
    settings: list[tuple[str, str]]
    encoding: str = ""
    collation: str = ""


def head(dump: Path, own: Installation | None = None) -> Head:
    """``own``: further programs that may read it. Raises :class:`BadDump` or :class:`DumpTooNew`."""
    form, size = _form(dump)
    if form in ("plain", "gzip"):
        with closing(_open(dump, form)) as file:
            first = _careful(dump, file).read(1 << 14).decode("utf-8", "replace")
        told = _FROM.search(first)
        return Head(form=form, major=int(told[1]) if told else 0, bytes=size)
    _, listed = _lister(dump, own)
    told = _FROM.search(listed)
    return Head(form=form, major=int(told[1]) if told else 0, bytes=size)


def clone(server: Server, name: str, dump: Path, role: str = "") -> Clone:
    """Restore ``dump`` into a new database. Raises :class:`BadDump`, :class:`DumpTooNew`, :class:`NoSpace`."""
    own = server.installation
    found = head(dump, own)
    if found.major > own.major:
        raise DumpTooNew(dump, found.major, own.version, found.major)
    restored.check_room(server, found.bytes_restored)
    plain = found.form in ("plain", "gzip")
    programs = own if plain else _lister(dump, own)[0]
    start = 0
    if plain:
        told, start = _told_by_text(dump, found.form)
    else:
        told = _told_by_archive(programs, dump)
    unread: list[Unread] = []
    with server.session("postgres") as line:
        for one in sorted(told.roles):
            restored.make_role(line, one)
        restored.make_database(line, name, told.encoding, told.collation, unread)
    if plain:
        errors = play(server, name, dump, found.form, start)
        _check_anything(server, name, dump, errors)
    else:
        jobs = min(os.cpu_count() or 1, 8) if found.form in ("custom", "directory") else 1
        errors = restored.pg_restore(server, programs, name, dump, jobs)
    return restored.finish(
        server, name, role or "postgres", major=found.major, settings=told.settings, extensions=told.extensions,
        unread=unread, errors=errors,
    )  # fmt: skip


# -- archives -------------------------------------------------------------------------------------------------------


def _form(dump: Path) -> tuple[str, int]:
    try:
        if dump.is_dir():
            if not (dump / "toc.dat").is_file():
                raise BadDump(dump, "a folder without toc.dat (a data directory or base backup is given with --data)")
            return "directory", sum(one.stat().st_size for one in dump.rglob("*") if one.is_file())
        with dump.open("rb") as file:
            first = file.read(512)
        size = dump.stat().st_size
    except OSError as error:
        raise BadDump(dump, error.strerror or str(error)) from error
    if not size:
        raise BadDump(dump, "the file is empty")
    if first.startswith(b"PGDMP"):
        return "custom", size
    if first[257:262] == b"ustar":
        if not first.startswith(b"toc.dat\0"):
            raise BadDump(
                dump, "a tar file that pg_dump did not write (a base backup is given by its folder with --data)"
            )
        return "tar", size
    return ("gzip" if first.startswith(b"\x1f\x8b") else "plain"), size


def _lister(dump: Path, own: Installation | None) -> tuple[Installation, str]:
    """The oldest pg_restore that reads the archive, and its table of contents."""
    said = ""
    every = sorted([*installations(), *([own] if own else [])], key=lambda one: one.major)
    for one in every:
        done = subprocess.run(
            [one.program("pg_restore"), "-l", str(dump)], capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode == 0:
            return one, done.stdout
        said = restored.words(done.stderr)
    newest = every[-1] if every else None
    if newest and "unsupported version (1." in said:
        raise DumpTooNew(dump, f"newer than {newest.major}", newest.version, newest.major + 1)
    raise BadDump(dump, said or "no pg_restore is here")


def _told_by_archive(programs: Installation, dump: Path) -> _Told:
    done = subprocess.run(
        [programs.program("pg_restore"), "--create", "--schema-only", "-f", "-", str(dump)],
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        raise BadDump(dump, restored.words(done.stderr))
    return _told(done.stdout)


def roles_in(text: str) -> set[str]:
    """Roles that own or are granted something."""
    names = {match[1] for pattern in (_OWNER, _GRANTEE) for match in pattern.finditer(text)}
    roles = {_bare(name) for name in names}
    return {name for name in roles if name.lower() not in _NOT_ROLES and not name.startswith("pg_")}


def _told(text: str) -> _Told:
    encoding, locale = _ENCODING.search(text), _LOCALE.search(text)
    return _Told(
        roles=roles_in(text),
        extensions={_bare(match[1]): "" for match in _EXTENSION.finditer(text)},
        settings=[("", f"{match[2] or match[3]}={_value(match[4])}") for match in _SETTING.finditer(text)],
        encoding=encoding[1] if encoding else "",
        collation=locale[1] if locale else "",
    )


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _value(text: str) -> str:
    """One value without its quotes; a list stays as it is, for SET takes it so."""
    return text[1:-1].replace("''", "'") if re.fullmatch(r"'(?:[^']|'')*'", text) else text


# -- plain text -----------------------------------------------------------------------------------------------------


def _open(dump: Path, form: str) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(dump, "rb")) if form == "gzip" else dump.open("rb")


class _careful:
    """A file whose damage is a bad dump."""

    def __init__(self, dump: Path, file: IO[bytes]) -> None:
        self.dump, self.file = dump, file

    def read(self, size: int) -> bytes:
        try:
            return self.file.read(size)
        except (OSError, EOFError) as error:
            raise BadDump(self.dump, str(error)) from error

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self.file
        except (OSError, EOFError) as error:
            raise BadDump(self.dump, str(error)) from error


def _told_by_text(dump: Path, form: str) -> tuple[_Told, int]:
    """What its statements tell, and where the part for the one database begins, in bytes of the text."""
    lines: list[str] = []
    databases: set[bytes] = set()
    inside, position, start = False, 0, 0
    with closing(_open(dump, form)) as file:
        for line in _careful(dump, file):
            position += len(line)
            if inside:
                inside = line.rstrip(b"\r\n") != b"\\."
                continue
            inside = line.startswith(b"COPY ") and line.rstrip().endswith(b"FROM stdin;")
            if line.startswith((b"\\connect ", b"\\c ")):
                databases.add(line.split(None, 1)[1].strip())
                start = position
            if len(line) < _LONGEST:
                lines.append(line.decode("utf-8", "replace"))
    others = databases - {b"template1", b"postgres"}
    if len(others) > 1:
        raise BadDump(dump, f"it holds {len(others)} databases (pg_dumpall); give the dump of one")
    return _told("".join(lines)), start


def play(server: Server, name: str, dump: Path, form: str = "plain", start: int = 0) -> list[str]:
    """Through psql in its restricted mode; returns the errors."""
    psql = server.installation.program("psql")
    words = [psql, "-Xq", "-o", os.devnull, "-d", server.dsn(name, OBSERVER), "-f", "-"]  # -f: errors with their line
    probe = subprocess.run(
        words, input=f"\\restrict {_PROBE}\n\\unrestrict {_PROBE}\n", capture_output=True, text=True, check=False
    )
    if "restrict" in probe.stderr:
        raise BadDump(dump, f"{psql} is too old to refuse commands of psql in it; give a custom dump (pg_dump -Fc)")
    key = secrets.token_hex(16)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env={"LC_ALL": "C.UTF-8"}
        )
        assert process.stdin is not None  # noqa: S101
        try:
            process.stdin.write(f"\\restrict {key}\n".encode())
            with closing(_open(dump, form)) as file:
                file.seek(start)
                for line in _careful(dump, file):
                    if not line.startswith((b"\\restrict ", b"\\unrestrict ")):
                        process.stdin.write(line)
            process.stdin.close()
        except BrokenPipeError:
            pass  # psql ended early; it has said why
        finally:
            process.wait()
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    return [line for line in text.splitlines() if "ERROR:" in line or "error:" in line or "FATAL:" in line]


def _check_anything(server: Server, name: str, dump: Path, errors: list[str]) -> None:
    """Text that is no dump at all makes errors and no tables."""
    with server.session(name) as line:
        there = line.rows(
            "SELECT 1 FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace >= 16384 OR relnamespace = 2200"
        )
    if errors and not there:
        restored.drop(server, name)
        raise BadDump(dump, restored.words(errors[0]))
