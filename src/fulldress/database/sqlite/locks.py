"""Locks on a SQLite database, as the kernel tells them: no other connection is needed, and nobody is disturbed.

A rollback-journal database is locked by three ranges of its file, a write-ahead one by bytes of its ``-shm`` file
(https://www.sqlite.org/src/file/src/os.h "PENDING_BYTE", https://www.sqlite.org/walformat.html section 2.3).
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_TABLE = Path("/proc/locks")
_PENDING, _RESERVED, _SHARED = 0x40000000, 0x40000001, 0x40000002
#: Bytes of the ``-shm`` file; those from 123 on are readers' marks.
_WAL = {120: "WAL WRITE", 121: "WAL CHECKPOINT", 122: "WAL RECOVER"}
#: Modes under which no other connection can write; under the last two, none can begin to read either.
WRITER = ("RESERVED", "WAL WRITE", "PENDING", "EXCLUSIVE", "WAL RECOVER")
EXCLUDES_READERS = ("PENDING", "EXCLUSIVE")
PERIOD = 0.002  #: seconds between two looks


class Seen(NamedTuple):
    pid: int
    mode: str  #: SQLite's own word


def read(path: Path) -> list[Seen] | None:
    """Locks that any process holds on the database now; None where the kernel does not tell."""
    try:
        table = _TABLE.read_text()
        main = path.stat()
    except OSError:
        return None
    wanted = {_key(main): False}
    with contextlib.suppress(OSError):  # not in write-ahead mode, or nobody has it open
        wanted[_key(path.with_name(path.name + "-shm").stat())] = True
    found: list[Seen] = []
    for line in table.splitlines():
        words = line.split()
        if len(words) < 8 or words[1] == "->" or words[5].rpartition(":")[2] not in wanted:
            continue
        mode = _mode(words[3] == "WRITE", int(words[6]), words[7], wanted[words[5].rpartition(":")[2]])
        if mode:
            found.append(Seen(int(words[4]), mode))
    return found


def _key(status: os.stat_result) -> str:
    """The inode alone: the device number that ``stat`` tells of an overlay or a btrfs subvolume is not the kernel's."""
    return str(status.st_ino)


def _mode(write: bool, first: int, last: str, shm: bool) -> str:
    end = 1 << 62 if last == "EOF" else int(last)
    if shm:
        named = [name for byte, name in _WAL.items() if write and first <= byte <= end]
        return named[0] if named else "WAL READ" if first <= 127 and end >= 123 and not write else ""
    if first <= _SHARED + 509 and end >= _SHARED:
        return "EXCLUSIVE" if write else "SHARED"
    if first <= _RESERVED <= end and write:
        return "RESERVED"
    return "PENDING" if write and first <= _PENDING <= end else ""


class Poller:
    """Hands every look to ``absorb(locks, begun, bytes_in_journal)``, on a thread of its own, until stopped."""

    def __init__(self, path: Path, absorb: Callable[[list[Seen], float, int], None]) -> None:
        self.path = path
        self.failure = ""
        self._absorb = absorb
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fulldress-sqlite-locks", daemon=True)

    def start(self) -> None:
        if read(self.path) is None:
            self.failure = "this system does not tell who holds locks on files (no /proc/locks)"
            return
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            begun = time.time()
            held = read(self.path)
            if held is not None:
                self._absorb(held, begun, journal_bytes(self.path))


def journal_bytes(path: Path) -> int:
    """Size of the rollback journal, or of the frames in the write-ahead log."""
    try:
        return path.with_name(path.name + "-journal").stat().st_size
    except OSError:
        return _wal_bytes(path)


def _wal_bytes(path: Path) -> int:
    """The log is used over and over, so its size says little: the index tells how many frames are in it.

    The index is read through the descriptor that SQLite has open in this process: to open and close it again would drop
    every lock of ours on it (``fcntl(2)``, "Record locking"). Without one, the size has to do."""
    log = path.with_name(path.name + "-wal")
    try:
        size = log.stat().st_size
    except OSError:
        return 0
    index = path.with_name(path.name + "-shm")
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            if descriptor.readlink() == index:
                head = os.pread(int(descriptor.name), 20, 0)
                with log.open("rb") as file:
                    page = int.from_bytes(file.read(12)[8:12], "big")
                return int.from_bytes(head[16:20], sys.byteorder) * (page + 24) if page else 0
        except OSError:
            continue  # closed meanwhile
    return size
