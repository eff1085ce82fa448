"""What is installed and what runs on this host: dpkg's database joined with the programs of the running processes.

Only reads ``/var/lib/dpkg`` and ``/proc``. A program whose file was replaced since it started shows as ``(deleted)`` in
``/proc/PID/exe`` and ``/proc/PID/maps`` (proc(5)): installed is then not what runs.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from fulldress.patterns import regex
from fulldress.production.inventory import dpkg
from fulldress.production.inventory.collected import KIND, Inventory, Item, Stray

_DELETED = " (deleted)"
_LIBRARY = regex(r"\.so(?:\.|$)")


class _Process(msgspec.Struct):
    program: str
    files: set[str]  #: program and shared objects, without the mark
    replaced: set[str]  #: those of them that were deleted since


def collect(root: Path = Path("/")) -> Inventory:
    """The inventory of the host whose files stand below ``root``."""
    unread: list[str] = []
    status = root / "var/lib/dpkg/status"
    rows = []
    if status.is_file():
        rows = list(dpkg.read(status.read_text(encoding="utf-8", errors="replace")))
    else:
        unread.append("no dpkg status on this host: installed packages were not read")
    processes = list(_processes(root / "proc", unread))
    wanted = {path for process in processes for path in process.files}
    owners = _owners(root / "var/lib/dpkg/info", wanted) if processes else {}
    running: dict[str, set[str]] = {}
    replaced: set[str] = set()
    strays: dict[str, Stray] = {}
    for process in processes:
        owner = owners.get(process.program, "")
        if owner:
            running.setdefault(owner, set()).add(process.program)
        else:
            stray = strays.setdefault(process.program, Stray(program=process.program, processes=0))
            stray.processes += 1
            stray.replaced |= process.program in process.replaced
        replaced |= {owners[path] for path in process.replaced if path in owners}
        for path in process.replaced:
            if path in owners:
                running.setdefault(owners[path], set()).add(process.program)
    items = [
        Item(
            component=row.component, version=row.version, running=row.component in running,
            replaced=row.component in replaced, programs=tuple(sorted(running.get(row.component, ()))),
        )
        for row in rows
    ]  # fmt: skip
    return Inventory(
        kind=KIND, host=socket.gethostname(), taken=datetime.now(UTC).isoformat(timespec="seconds"), items=tuple(items),
        strays=tuple(sorted(strays.values(), key=lambda stray: stray.program)), unread=tuple(unread),
    )  # fmt: skip


def _processes(proc: Path, unread: list[str]) -> Iterator[_Process]:
    """One entry per process that has a program; kernel threads have none."""
    if not proc.is_dir():
        unread.append("no /proc: running processes were not read")
        return
    closed = 0
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            target = str((folder / "exe").readlink())
            maps = (folder / "maps").read_text(errors="replace")
        except PermissionError:
            closed += 1
            continue
        except OSError:
            continue  # it ended meanwhile, or it is a kernel thread
        process = _Process(target.removesuffix(_DELETED), set(), set())
        for path in {target, *_mapped(maps)}:
            bare = path.removesuffix(_DELETED)
            process.files.add(bare)
            if path.endswith(_DELETED) and not bare.startswith("/memfd:"):  # never had a name: memfd_create(2)
                process.replaced.add(bare)
        yield process
    if closed:
        unread.append(f"processes of other users ({closed}): run it as root to see them")


def _mapped(maps: str) -> Iterator[str]:
    """Shared objects of a maps file; other mapped files (caches, databases) tell nothing of versions."""
    for line in maps.splitlines():
        at = line.find("/")
        if at > 0 and _LIBRARY.search(line, at):
            yield line[at:]


def _owners(info: Path, wanted: set[str]) -> dict[str, str]:
    """path -> package, from the ``.list`` files. ``/bin`` and ``/usr/bin`` are one place on merged systems."""
    aliases = {path: path for path in wanted}
    aliases |= {path.removeprefix("/usr"): path for path in wanted if path.startswith("/usr/")}
    found: dict[str, str] = {}
    for file in info.glob("*.list"):
        package = file.name.removesuffix(".list").partition(":")[0]
        for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
            if line in aliases:
                found[aliases[line]] = package
    return found
