"""Where a copy of a SQLite database comes from: its file, of which no byte is changed, nor of those beside it.

``mode=ro`` alone is not enough: it still writes the read marks of a ``-shm`` file, creates one where none is, and rolls a
hot journal back. So the state of the files decides the way (https://www.sqlite.org/wal.html, "Read-Only Databases";
https://www.sqlite.org/uri.html):

- no ``-wal`` and no journal: ``immutable=1`` where the file cannot change under us (write-ahead mode and nobody has it
  open), else ``mode=ro``, whose lock on the file is advisory and no byte;
- ``-wal`` and ``-shm``: somebody may be writing; ``readonly_shm=1`` reads the index without marking it;
- ``-wal`` or a journal that nobody serves: the files are copied, and SQLite recovers the copy.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from fulldress.errors import NotSqlite

_MAGIC = b"SQLite format 3\0"
#: Pages that are read under one lock: a writer of production waits this long, some 50 ms, and not for the whole copy.
_CHUNK = 4096
_PATIENCE = 3  #: times that a copy may begin again because production wrote, before it is made under one lock


class Copied(NamedTuple):
    """How a copy was made. ``longest``: seconds that the source was locked at once, for readers never, for writers."""

    way: str
    longest: float
    wal: bool


def size(path: Path) -> int:
    """Bytes of the database and of what lies beside it."""
    return sum(part.stat().st_size for part in _parts(path) if part.is_file())


def path_of(url: str) -> Path:
    """``sqlite:///relative`` or ``sqlite:////absolute``, as SQLAlchemy and others write it; or ``file:…``."""
    for head in ("sqlite:///", "sqlite3:///", "sqlite://", "sqlite3://", "sqlite:", "file:"):
        if url.startswith(head):
            return Path(unquote(url[len(head) :].partition("?")[0]))
    return Path(url)


def clone(path: Path, target: Path) -> Copied:
    """Copy the database at ``path`` to ``target``. Raises :class:`NotSqlite`."""
    wal = _check(path)
    before = _state(path)
    live = _beside(path, "-shm").exists()
    loose = [part for part in (_beside(path, "-wal"), _beside(path, "-journal")) if _filled(part)]
    try:
        if wal and not live and not loose:
            copied = _backup(path, target, "immutable=1", wal)
        elif wal and live:
            copied = _backup(path, target, "mode=ro&readonly_shm=1", wal)
        elif wal or _hot(path):
            return _files(path, target, before, wal)
        else:
            copied = _backup(path, target, "mode=ro", wal)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise NotSqlite(path, str(error)) from error
    if copied.way.startswith("immutable") and _state(path) != before:
        target.unlink(missing_ok=True)
        raise NotSqlite(path, "it was opened and written by another program while it was copied; start again")
    _settle(target, wal)
    return copied


def _check(path: Path) -> bool:
    """Whether the database is in write-ahead mode, by its header."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise NotSqlite(path, error.strerror or str(error)) from error
    if not head:
        return False  # an empty file is an empty database
    if not head.startswith(_MAGIC):
        raise NotSqlite(path, "it does not begin as a SQLite 3 database does; is it encrypted, or another file?")
    return head[18] == 2


def _backup(path: Path, target: Path, options: str, wal: bool) -> Copied:
    longest, begun, again, last = 0.0, time.monotonic(), 0, 1 << 62

    def watch(_status: int, remaining: int, _total: int) -> None:
        nonlocal longest, begun, again, last
        now = time.monotonic()
        longest, begun = max(longest, now - begun), now
        if remaining > last:
            again += 1
            if again >= _PATIENCE:
                raise _Restless
        last = remaining

    with _open(f"file:{quote(str(path.resolve()))}?{options}") as source:
        pages = -1 if options.startswith("immutable") else _CHUNK
        try:
            with _open(f"file:{quote(str(target))}") as made:
                source.backup(made, pages=pages, progress=watch, sleep=0)
        except _Restless:
            begun = time.monotonic()
            target.unlink(missing_ok=True)
            with _open(f"file:{quote(str(target))}") as made:
                source.backup(made, pages=-1)
            longest = time.monotonic() - begun
            return Copied(f"{options}, under one lock as it was being written", longest, wal)
    return Copied(options, 0.0 if options.startswith("immutable") else longest, wal)


class _Restless(Exception):
    """Production writes faster than a copy in pieces can follow."""


class _open:
    """A connection that is closed at the end, which sqlite3's own context manager does not do."""

    def __init__(self, uri: str) -> None:
        self.line = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)

    def __enter__(self) -> sqlite3.Connection:
        return self.line

    def __exit__(self, *_: object) -> None:
        self.line.close()


def _files(path: Path, target: Path, before: object, wal: bool) -> Copied:
    """Byte by byte, with the journal; SQLite then recovers the copy as it would recover the original."""
    for part in _parts(path):
        if part.is_file() and not part.name.endswith("-shm"):
            shutil.copyfile(part, target.with_name(target.name + part.name[len(path.name) :]))
    if _state(path) != before:
        raise NotSqlite(path, "it was written by another program while it was copied; start again")
    with _open(f"file:{quote(str(target))}") as made:
        made.execute("SELECT count(*) FROM sqlite_master").fetchall()
        made.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return Copied("its files, recovered from the journal beside them", 0.0, wal)


def _settle(target: Path, wal: bool) -> None:
    """The same journal mode as production's."""
    with _open(f"file:{quote(str(target))}") as made:
        made.execute(f"PRAGMA journal_mode = {'wal' if wal else 'delete'}").fetchall()


def _hot(path: Path) -> bool:
    """A journal that a crash left: nobody holds the lock that its writer would hold."""
    journal = _beside(path, "-journal")
    if not _filled(journal):
        return False
    with journal.open("rb") as file:
        if not any(file.read(28)):
            return False  # PERSIST mode: a zeroed header is no journal
    from fulldress.database.sqlite.locks import read

    held = read(path)
    return held is None or not any(lock.mode in ("RESERVED", "PENDING", "EXCLUSIVE") for lock in held)


def _filled(part: Path) -> bool:
    return part.is_file() and part.stat().st_size > 0


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _parts(path: Path) -> list[Path]:
    return [path, *(_beside(path, suffix) for suffix in ("-wal", "-shm", "-journal"))]


def _state(path: Path) -> list[tuple[str, int, int]]:
    return [
        (part.name, part.stat().st_size, part.stat().st_mtime_ns)
        for part in _parts(path)
        if part.is_file() and not part.name.endswith("-shm")
    ]
