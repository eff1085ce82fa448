"""The stage's first process: sets the stage up from within, then carries out what the outside asks for.

Standard library only, and everything is imported before the root changes: afterwards this machine's Python is out of reach.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from fulldress.stage import accounts, files, listeners, overlay, snapshots, units
from fulldress.stage import namespaces as ns
from fulldress.stage.bell import Bell
from fulldress.stage.channel import Channel, Message
from fulldress.stage.commands import Commands
from fulldress.stage.host import Host
from fulldress.stage.programs import Programs
from fulldress.stage.services import Services
from fulldress.stage.systemctl import Systemctl


class Inside:
    """``marks``: unit files that are this machine's alone, from :func:`fulldress.stage.units.of_the_machine`."""

    def __init__(self, channel: Channel, setup: Message, marks: dict[str, tuple[int, int]]) -> None:
        self.channel = channel
        self.step = ""
        self.programs = Programs(setup["zone"], setup["faketime"], self._tell)
        self.services = Services(
            setup["services"],
            self.programs.spawn_service,
            self._tell,
            lambda path: not units.still_the_machines(path, marks),
        )
        self.host = Host(self.services, self.programs, self._tell)
        self._systemctl = Systemctl(self.services, self._acted)
        commands = Commands(self._systemctl, self._real, setup["red_hat"])
        self.bell = Bell(commands, self.programs, self.host, self._tell)
        self._ops: dict[str, Callable[[Message], Message]] = {
            "run": self._run,
            "read": files.read,
            "write": files.write,
            "stat": files.stat,
            "remove": files.remove,
            "walk": files.walk,
            "service": self._service,
            "clock": self.set_clock,
            "owner": self._owner,
            "snapshot": lambda m: snapshots.take(self.services),
            "units": lambda m: {"units": self.services.units.names()},
        }

    def _tell(self, **event: Any) -> None:
        with contextlib.suppress(OSError):
            self.channel.send({"at": time.time(), "step": self.step, **event})

    def serve(self) -> None:
        threading.Thread(target=self.bell.listen, daemon=True).start()
        while (received := self.channel.receive()) is not None:
            message, _ = received
            if message["op"] == "end":
                return
            if "step" in message:
                self.step = message["step"]
            threading.Thread(target=self._carry_out, args=(message,), daemon=True).start()

    def _carry_out(self, message: Message) -> None:
        fds: list[int] = []
        try:
            if message["op"] == "socket":
                sock = socket.socket(socket.AF_INET6 if message.get("six") else socket.AF_INET, socket.SOCK_STREAM)
                fds = [sock.detach()]
                answer: Message = {}
            else:
                answer = self._ops[message["op"]](message)
        except OSError as error:
            answer = {
                "error": error.strerror or str(error),
                "errno": error.errno or 5,
                "path": str(error.filename or ""),
            }
        except (ValueError, KeyError, MemoryError) as error:
            answer = {"error": f"{type(error).__name__}: {error}", "errno": 22, "path": ""}
        with contextlib.suppress(OSError):
            self.channel.send({"id": message["id"], **answer}, fds)
        for fd in fds:
            os.close(fd)

    def _run(self, message: Message) -> Message:
        answer = self.programs.run(message)
        self.bell.settle()
        self.host.after_step()
        return answer

    def _service(self, message: Message) -> Message:
        action, unit = message["action"], message["unit"]
        detail = ""
        if action != "status":
            code, out, err, _ = self._systemctl.run([action, unit])
            detail = (err or out).strip() if code else ""
        loaded = self.services.units.load(unit)
        return {
            "known": loaded is not None,
            "active": self.services.active(unit),
            "enabled": self.services.units.enabled(unit) if loaded is not None else None,
            "detail": detail or ("masked" if loaded is not None and loaded.masked else ""),
        }

    def _acted(self, unit: str, action: str, outcome: str) -> None:
        self._tell(event="acted", unit=unit, action=action, outcome=outcome)

    def _real(self, name: str) -> str:
        path = f"/run/fulldress/real/{name}"
        return path if os.path.exists(path) else ""

    def set_clock(self, message: Message) -> Message:
        shift = self.programs.shift = float(message["shift"])
        with open("/run/fulldress/clock", "w") as file:
            file.write(f"{math.ceil(shift)}\n")  # never a second before the hour that was asked for
        return {}

    def _owner(self, message: Message) -> Message:
        """The command line of the process with this local port, from /proc/net/tcp and its descriptors."""
        return {"argv": snapshots.owner_of(int(message["port"]))}


def main(channel: Channel, setup: Message, locked: list[str]) -> None:
    """Everything from the fork to the end of the stage."""
    ns.die_with_parent()
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    try:
        ns.unshare(ns.CLONE_NEWNS)
        marks = units.of_the_machine(setup["layout"])
        lacks = overlay.build(setup["layout"], locked)
        if setup["mode"] == "alone":
            accounts.only_root()
        socket.sethostname(setup["hostname"])
        os.umask(0o022)
        lacks += listeners.open_network(setup, channel)
        lacks += listeners.open_addresses(setup, channel)
        ns.hide_memory()
        server = Inside(channel, setup, marks)
        server.set_clock({"shift": setup["shift"]})
        spaces = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in ("user", "net")]
        channel.send({"ready": os.getpid(), "lacks": lacks}, spaces)
        for fd in spaces:
            os.close(fd)
    except OSError as error:
        channel.send({"failed": f"{error.filename or 'set-up'}: {error.strerror}", "errno": error.errno or 5})
        return
    server.serve()
    sys.stderr.flush()
