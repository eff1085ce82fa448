"""What is left behind when fulldress is killed, and how the next start finds and removes it.

Every server has a record beside the template cache: the folder it lives in, and the process that owns it by id *and*
start time, so that a process id that was given out again is never mistaken for it.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import msgspec

#: Names another folder for templates of data directories and for the records of running servers.
CACHE = "FULLDRESS_CACHE"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One running server. ``owner`` is the fulldress process; starts are clock ticks since boot (``/proc``)."""

    base: str
    sockets: str  #: folder of the unix socket, where it does not lie in ``base``
    owner: int
    owner_start: int
    guard: int = 0
    guard_start: int = 0


def cache_folder() -> Path:
    """The user's cache folder for fulldress, created; a private temporary one where the home is not writable."""
    named = os.environ.get(CACHE)
    home = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(named) if named else (Path(home) if home else Path.home() / ".cache") / "fulldress"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except (OSError, RuntimeError):
        pass  # a read-only or missing home: the cache is a convenience
    folder = Path(tempfile.gettempdir()) / f"fulldress-cache-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        return Path(tempfile.mkdtemp(prefix="fulldress-cache-"))
    return folder


def start_of(pid: int) -> int:
    """When a process started, in clock ticks since boot; 0 when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return 0 if fields[0] == "Z" else int(fields[19])


def write(base: Path, sockets: Path, guard: int) -> Path:
    """Put a record down for the server in ``base``; returns its path."""
    folder = cache_folder() / "servers"
    folder.mkdir(exist_ok=True)
    record = Record(
        base=str(base),
        sockets=str(sockets),
        owner=os.getpid(),
        owner_start=start_of(os.getpid()),
        guard=guard,
        guard_start=start_of(guard) if guard else 0,
    )
    path = folder / f"{base.name}.json"
    path.write_bytes(msgspec.json.encode(record))
    return path


def sweep() -> list[str]:
    """Remove servers whose fulldress no longer lives: processes, data and records. Returns the folders removed."""
    removed = []
    folder = cache_folder() / "servers"
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        try:
            record = msgspec.json.decode(path.read_bytes(), type=Record)
        except (OSError, msgspec.DecodeError):
            path.unlink(missing_ok=True)
            continue
        if record.owner_start and start_of(record.owner) == record.owner_start:
            continue
        base = Path(record.base)
        stop_processes(base)
        if record.guard_start and start_of(record.guard) == record.guard_start:
            _end(record.guard, signal.SIGKILL)
        remove(base, Path(record.sockets))
        path.unlink(missing_ok=True)
        removed.append(record.base)
    return removed


#: Where a server writes its process id, and the signal that ends it at once.
_RUNNING = {"data/postmaster.pid": signal.SIGQUIT, "mysqld.pid": signal.SIGKILL}


def stop_processes(base: Path) -> None:
    """End the server whose data lies in ``base``, if it runs."""
    for name, number in _RUNNING.items():
        try:
            pid = int((base / name).read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if any(word.removeprefix(b"--datadir=") == str(base / "data").encode() for word in command.split(b"\0")):
            _end(pid, number)


def remove(base: Path, sockets: Path) -> None:
    """Delete a server's folder and the private folder of its socket."""
    for folder in (sockets, base):
        if folder.name:
            shutil.rmtree(folder, ignore_errors=True)


def _end(pid: int, number: int, patience: float = 5.0) -> None:
    start = start_of(pid)
    deadline = time.monotonic() + patience
    try:
        os.kill(pid, number)
        while start and start_of(pid) == start:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.01)
    except ProcessLookupError:
        return
