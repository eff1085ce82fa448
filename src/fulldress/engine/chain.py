"""An append-only, hash-chained log in one SQLite file: the ground of the journal, the ledger and the case.

WAL with ``synchronous=FULL``: an entry that :meth:`Chain.append` returned from has been flushed to the disk. Every entry
carries the hash of the one before, so that a changed, removed or inserted entry shows. What a chain alone cannot show is
that its *last* entries were cut off; :attr:`Chain.head` is there to be noted elsewhere (in the ticket), and
:meth:`Chain.verify` takes it back.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from fulldress.errors import ChainBroken, ForeignFile, JournalBusy

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    number   INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    data     TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS entries_keep BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are never removed'); END;
"""

#: Hash that the first entry names as the one before it.
ORIGIN = "0" * 64


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a chain. ``data`` is a JSON object."""

    number: int
    at: datetime
    kind: str
    key: str
    data: dict[str, Any]
    hash: str


def _hash(number: int, at: str, kind: str, key: str, data: str, previous: str) -> str:
    return hashlib.sha256(msgspec.json.encode([number, at, kind, key, data, previous])).hexdigest()


class Chain:
    """Opened for writing by one process at a time, or read-only by any number.

    Raises :class:`~fulldress.errors.JournalBusy` when another process writes, :class:`~fulldress.errors.ForeignFile` when
    the file is something else.
    """

    what = "a chain of entries"
    #: Seconds for which a second writer waits for the first; 0: it is refused at once.
    patience = 0.0

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._lock: int | None = None
        if read_only and not path.exists():
            raise ForeignFile(path=path, what=self.what, problem="there is no such file")
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = self._seize(path.with_name(path.name + ".lock"))
        try:
            self._connection = self._open(read_only)
        except sqlite3.DatabaseError as error:
            self._release()
            raise ForeignFile(path=path, what=self.what, problem=str(error)) from error

    def _open(self, read_only: bool) -> sqlite3.Connection:
        existed = self.path.exists()
        address = f"{self.path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=30, check_same_thread=False)
        try:
            if read_only:
                connection.execute("SELECT number, at, kind, key, data, previous, hash FROM entries LIMIT 1")
                return connection
            if existed and not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'entries'").fetchone():
                others = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                if others[0]:
                    raise sqlite3.DatabaseError("a SQLite file with other tables")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        if not existed:
            self.path.chmod(0o600)
        return connection

    def _seize(self, path: Path) -> int:
        """The writer's lock. The kernel lets go of it when the process dies, however it dies."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + self.patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() < deadline:
                    time.sleep(0.01)
                    continue
                holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "?"
                os.close(descriptor)
                raise JournalBusy(path=self.path, pid=holder) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return descriptor

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def append(self, kind: str, key: str = "", data: Mapping[str, Any] | None = None) -> Entry:
        """Write one entry and flush it to the disk."""
        at = datetime.now(UTC)
        text = msgspec.json.encode(dict(data or {}), order="deterministic").decode()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            last = self._connection.execute("SELECT number, hash FROM entries ORDER BY number DESC LIMIT 1").fetchone()
            number, previous = (last[0] + 1, last[1]) if last else (1, ORIGIN)
            hashed = _hash(number, at.isoformat(), kind, key, text, previous)
            self._connection.execute(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)",
                (number, at.isoformat(), kind, key, text, previous, hashed),
            )
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        return Entry(number=number, at=at, kind=kind, key=key, data=msgspec.json.decode(text), hash=hashed)

    def entries(self, *kinds: str) -> Iterator[Entry]:
        """Entries in the order in which they were written, of these kinds, or all."""
        rows = self._connection.execute("SELECT number, at, kind, key, data, hash FROM entries ORDER BY number")
        for number, at, kind, key, data, hashed in rows.fetchall():
            if not kinds or kind in kinds:
                yield Entry(
                    number=number,
                    at=datetime.fromisoformat(at),
                    kind=kind,
                    key=key,
                    data=msgspec.json.decode(data),
                    hash=hashed,
                )

    @property
    def head(self) -> str:
        """Hash of the last entry: note it elsewhere, and a shortened chain shows, too."""
        row = self._connection.execute("SELECT hash FROM entries ORDER BY number DESC LIMIT 1").fetchone()
        return str(row[0]) if row else ORIGIN

    def verify(self, head: str = "") -> int:
        """Number of entries, all of them as they were written.

        Raises :class:`~fulldress.errors.ChainBroken` for the first that is not. ``head``: a hash noted earlier (or its
        first characters), which has to be in the chain still.
        """
        previous, count, seen = ORIGIN, 0, ORIGIN.startswith(head)
        rows = self._connection.execute(
            "SELECT number, at, kind, key, data, previous, hash FROM entries ORDER BY number"
        ).fetchall()
        for count, (number, at, kind, key, data, before, hashed) in enumerate(rows, start=1):
            if number != count:
                raise ChainBroken(path=self.path, entry=count, problem="it is missing")
            if before != previous:
                raise ChainBroken(path=self.path, entry=count, problem="it does not follow the one before")
            if hashed != _hash(number, at, kind, key, data, before):
                raise ChainBroken(path=self.path, entry=count, problem="its hash does not fit")
            previous = hashed
            seen = seen or hashed.startswith(head)
        if not seen:
            raise ChainBroken(path=self.path, entry=count + 1, problem=f"the chain ends before {head[:12]}")
        return count

    def close(self) -> None:
        self._connection.close()
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
