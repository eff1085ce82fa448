"""The staged host going down and coming back: reboots that scripts ask for, at once or for later.

Standard library only; runs in the stage's first process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

from fulldress.stage import processes
from fulldress.stage.programs import Programs
from fulldress.stage.services import Services

#: How long a script that asked for a reboot goes on before the host takes it down.
_GRACE = 1.0


class Host:
    """``tell`` reports what happened to the outside."""

    def __init__(self, services: Services, programs: Programs, tell: Callable[..., None]) -> None:
        self._services = services
        self._programs = programs
        self._tell = tell
        self._wanted = ""

    def go_down(self, how: str, minder: int) -> None:
        """Do what a command asked for: ``reboot``, ``poweroff``, ``later …`` or ``cancelled``. While a step runs, the
        host goes down at the step's end, which comes after a short grace unless it was asked for later."""
        kind = how.split()[1] if how.startswith("later") else how
        if how == "cancelled":
            self._wanted = ""
            return
        running = self._programs.running
        if minder in running or running:
            self._wanted = kind
            if not how.startswith("later"):
                deadline = time.monotonic() + _GRACE
                while running and time.monotonic() < deadline:
                    time.sleep(0.01)
                for run in list(running):
                    processes.end_tree(run)
        else:
            self._restart(kind)

    def after_step(self) -> None:
        """Go down now, if a step that just ended asked for it."""
        wanted, self._wanted = self._wanted, ""
        if wanted:
            self._restart(wanted)

    def _restart(self, kind: str) -> None:
        began = time.time()
        kept = self._services.minders()
        for pid in [p for p in processes.parents() if p != 1 and p not in self._programs.running]:
            if processes.minder_of(pid) == pid and pid not in kept:
                processes.end_tree(pid)
        started = self._services.restart_host(kind == "reboot")
        with contextlib.suppress(ProcessLookupError):
            if kind != "reboot":
                os.kill(-1, signal.SIGKILL)
        self._tell(event="rebooted", kind=kind, units=started, began=began, took=time.time() - began)
