"""Before a step that was cut off is touched again, whoever carried it out has to be gone.

A runner that is killed leaves its children running: a shell started by it goes on to its end, and a second run would do
its work twice. Every process of a step carries the step's token in its environment, which its children inherit.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from fulldress.engine.acts.act import TOKEN
from fulldress.engine.journal import Journal, started
from fulldress.engine.venue import Venue
from fulldress.errors import StillAlive


@runtime_checkable
class Fenced(Protocol):
    """A venue that can tell which processes of a step still live."""

    def alive(self, token: str) -> list[str]:
        """``PID command`` of every process that carries the token."""
        ...


def refuse_if_alive(step: str, journal: Journal, venue: Venue, others: Sequence[str] = ()) -> None:
    """Raises :class:`~fulldress.errors.StillAlive` while the old runner or a process of the step lives.

    ``others``: what of it works elsewhere, e.g. a session of a database."""
    token, who = journal.token(step)
    found = [*(venue.alive(token) if isinstance(venue, Fenced) else []), *others]
    pid, boot = int(who["pid"]), str(who["boot"])
    if pid != os.getpid() and boot == _boot() and who["started"] and started(pid) == who["started"]:
        found = [f"{pid} (the runner itself)", *found]
    if found:
        raise StillAlive(step=step, processes=", ".join(found[:5]))


def carrying(token: str) -> list[str]:
    """Processes of this machine with the step's token in their environment, as ``PID command``."""
    needle = f"{TOKEN}={token}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if needle in (folder / "environ").read_bytes().split(b"\0") and started(int(folder.name)):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                found.append(f"{folder.name} {command[:60]}")
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue
    return found


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
