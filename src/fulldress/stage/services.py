"""The staged services: the processes that unit files start, from start to end.

Standard library only; runs in the stage's first process. What systemd.service(5) says is followed as far as upgrade
scripts rely on it: order, one-shot and forking types, restarts, stopping by command and by signal.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fulldress.stage import processes
from fulldress.stage.units import Unit, Units, full_name, short_name, words

_MOST_RESTARTS = 3


@dataclass
class Running:
    minded: processes.Minded | None
    started: float
    program: int = 0
    exit_code: int | None = None
    stopping: bool = False
    restarts: int = 0
    ended: threading.Event = field(default_factory=threading.Event)


Spawn = Callable[[list[str], str, str, dict[str, str], str, bool], processes.Minded]


class Services:
    """``described``: unit -> {start, user, environment} from production.toml. ``spawn(argv, user, cwd, environment, log,
    service)`` starts a program. ``tell`` reports what happened to the outside. ``owned(path)``: production's, not ours."""

    def __init__(
        self,
        described: dict[str, dict[str, object]],
        spawn: Spawn,
        tell: Callable[..., None],
        owned: Callable[[str], bool],
    ) -> None:
        self._described = {full_name(name): settings for name, settings in described.items()}
        self.units = Units(self._described, owned)
        self._spawn = spawn
        self._tell = tell
        self._running: dict[str, Running] = {}
        self._targets: set[str] = set()
        self._lock = threading.RLock()

    def active(self, unit: str) -> bool:
        name = full_name(unit)
        if name in self._targets:
            return True
        running = self._running.get(name)
        return running is not None and running.minded is not None and not running.ended.is_set()

    def minders(self) -> set[int]:
        return {running.minded.minder for running in self._running.values() if running.minded is not None}

    def main_pid(self, unit: str) -> int:
        running = self._running.get(full_name(unit))
        return running.program if running is not None and self.active(unit) else 0

    def exit_code(self, unit: str) -> int | None:
        running = self._running.get(full_name(unit))
        return running.exit_code if running is not None else None

    # what is done

    def start(self, unit: str, seen: tuple[str, ...] = ()) -> str:
        """Returns ``ok``, or ``no such unit``, ``masked``, ``failed``, ``not production's``."""
        name = full_name(unit)
        loaded = self.units.load(name)
        if loaded is None:
            return "no such unit"
        if loaded.masked:
            return "masked"
        if loaded.foreign and name not in self._described:
            return "not production's"
        if self.active(name):
            return "ok"
        for other in " ".join(loaded.all("Unit.Requires") + loaded.all("Unit.Wants")).split():
            if other not in seen and full_name(other) != name:
                outcome = self.start(other, (*seen, name))
                if outcome in ("failed", "no such unit") and other in " ".join(loaded.all("Unit.Requires")).split():
                    return "failed"
        if not name.endswith(".service"):
            self._targets.add(name)
            return "ok"
        return self._launch(name, loaded)

    def _launch(self, name: str, unit: Unit) -> str:
        try:
            environment = self.units.environment(name, unit)
        except OSError as error:
            self._tell(event="log", unit=short_name(name), text=f"{error.filename}: {error.strerror}")
            return "failed"
        described = self._described.get(name, {})
        user = str(described.get("user") or unit.one("Service.User") or "root")
        cwd = unit.one("Service.WorkingDirectory", "/").lstrip("-").replace("~", "/root")
        log = f"/run/fulldress/log/{short_name(name).replace('/', '-')}"
        kind = unit.one("Service.Type", "simple")
        for line in unit.all("Service.ExecStartPre"):
            argv, tolerant = words(line, name, environment)
            code = self._wait(self._spawn(argv, user, cwd, environment, log, False), 90)
            if code and not tolerant:
                return "failed"
        lines = unit.all("Service.ExecStart")
        if not lines:
            return "failed" if kind != "oneshot" else "ok"
        for line in lines[:-1] if kind == "oneshot" else []:
            argv, tolerant = words(line, name, environment)
            if self._wait(self._spawn(argv, user, cwd, environment, log, False), 90) and not tolerant:
                return "failed"
        argv, tolerant = words(lines[-1], name, environment)
        minded = self._spawn(argv, user, cwd, environment, log, True)
        first = minded.report(10) or {}
        running = Running(minded, time.time(), int(first.get("started", 0)))
        if "error" in first:
            self._tell(event="log", unit=short_name(name), text=str(first["error"]))
            return "failed"
        with self._lock:
            self._running[name] = running
        if kind in ("oneshot", "forking"):
            report = minded.report(90) or {}
            running.exit_code = int(report.get("exit", 1))
            if kind == "oneshot" or running.exit_code:
                processes.end_tree(minded.minder)
                running.ended.set()
                if (
                    kind == "oneshot"
                    and running.exit_code == 0
                    and unit.one("Service.RemainAfterExit") in ("yes", "true")
                ):
                    self._targets.add(name)
                return "ok" if running.exit_code == 0 or tolerant else "failed"
        threading.Thread(target=self._follow, args=(name, unit, running), daemon=True).start()
        self._tell(event="started", unit=short_name(name))
        return "ok"

    @staticmethod
    def _wait(minded: processes.Minded, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            report = minded.report(deadline - time.monotonic()) or {}
            if "exit" in report or "gone" in report:
                minded.close()
                return int(report.get("exit", 1))
        processes.end_tree(minded.minder)
        return 124

    def _follow(self, name: str, unit: Unit, running: Running) -> None:
        """Waits for the end of a service, and starts it again where the unit asks for that."""
        minded = running.minded
        if minded is None:
            return
        forking = unit.one("Service.Type") == "forking"
        while (report := minded.report(None) or {}) and "gone" not in report:
            if "exit" in report:
                running.exit_code = int(report["exit"])
                if not forking:
                    break
        processes.end_tree(minded.minder)
        if running.stopping:
            running.exit_code = 0
        running.ended.set()
        if running.stopping:
            return
        self._tell(event="died", unit=short_name(name), exit=running.exit_code)
        policy = unit.one("Service.Restart", "no")
        if policy == "always" or (policy == "on-failure" and running.exit_code):
            if running.restarts >= _MOST_RESTARTS:
                self._tell(event="log", unit=short_name(name), text="start request repeated too quickly")
                return
            time.sleep(0.1)
            if self._running.get(name) is running and self._launch(name, unit) == "ok":
                self._running[name].restarts = running.restarts + 1

    def stop(self, unit: str) -> str:
        name = full_name(unit)
        loaded = self.units.load(name)
        if name in self._targets:
            self._targets.discard(name)
            return "ok"
        running = self._running.get(name)
        if running is None or running.ended.is_set():
            if loaded is None:
                return "no such unit"
            return "not production's" if loaded.foreign and name not in self._described else "ok"
        running.stopping = True
        minded = running.minded
        if minded is not None:
            for line in loaded.all("Service.ExecStop") if loaded else []:
                argv, _ = words(line, name, {"MAINPID": str(running.program)})
                self._wait(self._spawn(argv, "root", "/", {"MAINPID": str(running.program)}, "", False), 30)
            if not running.ended.is_set():
                for pid in processes.descendants(minded.minder):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGTERM)
            if not running.ended.wait(10):
                self._tell(event="log", unit=short_name(name), text="killed: did not stop within 10 s of SIGTERM")
                processes.end_tree(minded.minder)
                running.ended.wait(2)
        self._tell(event="stopped", unit=short_name(name))
        return "ok"

    def reload(self, unit: str) -> str:
        name = full_name(unit)
        loaded = self.units.load(name)
        if loaded is None:
            return "no such unit"
        if loaded.foreign and name not in self._described:
            return "not production's"
        if not self.active(name):
            return "not active"
        lines = loaded.all("Service.ExecReload")
        if not lines:
            return "cannot reload"
        environment = {"MAINPID": str(self.main_pid(name))}
        for line in lines:
            argv, tolerant = words(line, name, environment)
            if self._wait(self._spawn(argv, "root", "/", environment, "", False), 30) and not tolerant:
                return "failed"
        return "ok"

    def restart_host(self, come_back: bool) -> list[str]:
        """What a reboot does to the services: all stop, the enabled ones start in order. Returns those started."""
        active = [name for name in self._running if self.active(name)]
        for name in reversed(active):
            self.stop(name)
        self._targets.clear()
        started: list[str] = []
        if come_back:
            chosen = [name for name in self.units.names() if name.endswith(".service") and self.units.enabled(name)]
            for name in self._ordered(chosen):
                if self.start(name) == "ok":
                    started.append(short_name(name))
        return started

    def _ordered(self, names: list[str]) -> list[str]:
        """By ``After=`` among themselves; else by name. Circles are cut where they are met."""
        ordered: list[str] = []

        def visit(name: str, path: frozenset[str]) -> None:
            if name in ordered or name in path:
                return
            loaded = self.units.load(name)
            for other in " ".join(loaded.all("Unit.After") if loaded else []).split():
                if other in names:
                    visit(other, path | {name})
            ordered.append(name)

        for name in names:
            visit(name, frozenset())
        return ordered
