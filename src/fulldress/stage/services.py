"""The staged services: unit files as they stand in the staged tree, and the processes that they start.

Standard library only; runs in the stage's first process. What systemctl(1) and systemd.unit(5) say is followed as far as
upgrade scripts rely on it: unit files and drop-ins, enabling by links, order, environment files, one-shot and forking types.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fulldress.stage import processes

FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_OWN = "/etc/systemd/system"
_MOST_RESTARTS = 3
_SUFFIX = re.compile(r"\.(service|timer|socket|target|path|mount|slice|device|automount|swap|scope)$")


def full_name(unit: str) -> str:
    return unit if _SUFFIX.search(unit) else f"{unit}.service"


def short_name(unit: str) -> str:
    return unit.removesuffix(".service")


@dataclass
class Unit:
    """A unit file with its drop-ins: section.key -> values in order, an empty assignment clears."""

    name: str
    path: str = ""
    values: dict[str, list[str]] = field(default_factory=dict)
    masked: bool = False
    foreign: bool = False  #: only this machine has it, production's tree does not

    def all(self, key: str) -> list[str]:
        return self.values.get(key, [])

    def one(self, key: str, default: str = "") -> str:
        found = self.all(key)
        return found[-1] if found else default


def parse(text: str, into: dict[str, list[str]]) -> None:
    section = ""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            key, value = line.split("=", 1)
            name = f"{section}.{key.strip()}"
            if value.strip():
                into.setdefault(name, []).append(value.strip())
            else:
                into[name] = []


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
    """``plan``: unit -> {start, user, environment} from production.toml. ``spawn(argv, user, cwd, environment, log,
    service)`` starts a program. ``tell`` reports what happened to the outside. ``owned(path)``: production's, not ours."""

    def __init__(
        self,
        plan: dict[str, dict[str, object]],
        spawn: Spawn,
        tell: Callable[..., None],
        owned: Callable[[str], bool],
    ) -> None:
        self._plan = {full_name(name): settings for name, settings in plan.items()}
        self._spawn = spawn
        self._tell = tell
        self._owned = owned
        self._running: dict[str, Running] = {}
        self._targets: set[str] = set()
        self._lock = threading.RLock()

    # what there is

    def load(self, unit: str) -> Unit | None:
        """The unit as the staged tree has it now, or as production.toml describes it; None: no such unit."""
        name = full_name(unit)
        template = re.sub(r"@.*\.", "@.", name) if "@" in name else ""
        for folder in FOLDERS:
            for candidate in filter(None, (name, template)):
                path = f"{folder}/{candidate}"
                if not os.path.lexists(path):
                    continue
                found = Unit(name, path)
                if os.path.realpath(path) == "/dev/null" or (os.path.exists(path) and os.path.getsize(path) == 0):
                    found.masked = True
                    return found
                with contextlib.suppress(OSError):
                    parse(_text(path), found.values)
                    found.foreign = not self._owned(path)
                    self._add_drop_ins(name, found)
                    return found
        script = f"/etc/init.d/{short_name(name)}"
        if os.access(script, os.X_OK):
            start = {"Service.Type": ["forking"], "Service.ExecStart": [f"{script} start"]}
            return Unit(name, script, start | {"Service.ExecStop": [f"{script} stop"]}, foreign=not self._owned(script))
        described = self._plan.get(name)
        if described is not None and described.get("start"):
            return Unit(name, "production.toml", {"Service.ExecStart": [shlex.join(described["start"])]})  # type: ignore[arg-type]
        return None

    @staticmethod
    def _add_drop_ins(name: str, unit: Unit) -> None:
        for folder in reversed(FOLDERS):
            with contextlib.suppress(OSError):
                for file in sorted(os.listdir(f"{folder}/{name}.d")):
                    if file.endswith(".conf"):
                        parse(_text(f"{folder}/{name}.d/{file}"), unit.values)

    def names(self) -> list[str]:
        """Units of production (not of this machine) and of production.toml."""
        found = set(self._plan)
        for folder in FOLDERS:
            with contextlib.suppress(OSError):
                found |= {f for f in os.listdir(folder) if _SUFFIX.search(f) and self._owned(f"{folder}/{f}")}
        return sorted(found)

    def enabled(self, unit: str) -> bool:
        name = full_name(unit)
        for folder in FOLDERS[:2]:
            with contextlib.suppress(OSError):
                for entry in os.listdir(folder):
                    if entry.endswith((".wants", ".requires")) and os.path.lexists(f"{folder}/{entry}/{name}"):
                        return True
        loaded = self.load(name)
        # a unit that only production.toml describes has no file that could be enabled: it belongs to the host's start
        return name in self._plan and loaded is not None and not loaded.all("Install.WantedBy")

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
        loaded = self.load(name)
        if loaded is None:
            return "no such unit"
        if loaded.masked:
            return "masked"
        if loaded.foreign and name not in self._plan:
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
            environment = self._environment(name, unit)
        except OSError as error:
            self._tell(event="log", unit=short_name(name), text=f"{error.filename}: {error.strerror}")
            return "failed"
        described = self._plan.get(name, {})
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
        loaded = self.load(name)
        if name in self._targets:
            self._targets.discard(name)
            return "ok"
        running = self._running.get(name)
        if running is None or running.ended.is_set():
            if loaded is None:
                return "no such unit"
            return "not production's" if loaded.foreign and name not in self._plan else "ok"
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
        loaded = self.load(name)
        if loaded is None:
            return "no such unit"
        if loaded.foreign and name not in self._plan:
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

    def enable(self, unit: str) -> tuple[str, list[str]]:
        """Make the links that [Install] asks for. Returns the outcome and what systemctl would print."""
        name = full_name(unit)
        loaded = self.load(name)
        if loaded is None:
            return "no such unit", []
        if loaded.masked:
            return "masked", []
        links = [f"{_OWN}/{target}.wants/{name}" for target in " ".join(loaded.all("Install.WantedBy")).split()]
        links += [f"{_OWN}/{target}.requires/{name}" for target in " ".join(loaded.all("Install.RequiredBy")).split()]
        links += [f"{_OWN}/{alias}" for alias in " ".join(loaded.all("Install.Alias")).split()]
        printed = []
        for link in links:
            if not os.path.lexists(link):
                os.makedirs(os.path.dirname(link), exist_ok=True)
                os.symlink(loaded.path, link)
                printed.append(f"Created symlink {link} → {loaded.path}.")
        return "ok", printed

    def disable(self, unit: str) -> tuple[str, list[str]]:
        name = full_name(unit)
        printed = []
        for folder in FOLDERS[:2]:
            for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
                link = f"{folder}/{entry}/{name}"
                if entry.endswith((".wants", ".requires")) and os.path.lexists(link):
                    os.unlink(link)
                    printed.append(f"Removed {link}.")
        return ("ok" if printed or self.load(name) is not None else "no such unit"), printed

    def mask(self, unit: str, on: bool) -> tuple[str, list[str]]:
        link = f"{_OWN}/{full_name(unit)}"
        os.makedirs(_OWN, exist_ok=True)
        if not on:
            if os.path.islink(link) and os.readlink(link) == "/dev/null":
                os.unlink(link)
                return "ok", [f"Removed {link}."]
            return "ok", []
        if os.path.islink(link) or not os.path.lexists(link):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(link)
            os.symlink("/dev/null", link)
            return "ok", [f"Created symlink {link} → /dev/null."]
        return "failed", [f"File {link} already exists."]

    def restart_host(self, come_back: bool) -> list[str]:
        """What a reboot does to the services: all stop, the enabled ones start in order. Returns those started."""
        active = [name for name in self._running if self.active(name)]
        for name in reversed(active):
            self.stop(name)
        self._targets.clear()
        started: list[str] = []
        if come_back:
            chosen = [name for name in self.names() if name.endswith(".service") and self.enabled(name)]
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
            loaded = self.load(name)
            for other in " ".join(loaded.all("Unit.After") if loaded else []).split():
                if other in names:
                    visit(other, path | {name})
            ordered.append(name)

        for name in names:
            visit(name, frozenset())
        return ordered

    def _environment(self, name: str, unit: Unit) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in unit.all("Service.Environment"):
            found.update((w.partition("=")[0], w.partition("=")[2]) for w in shlex.split(line) if "=" in w)
        for path in unit.all("Service.EnvironmentFile"):
            try:
                text = _text(path.lstrip("-"))
            except OSError:
                if path.startswith("-"):
                    continue
                raise
            for line in text.splitlines():
                if "=" in line and not line.lstrip().startswith(("#", ";")):
                    key, value = line.split("=", 1)
                    with contextlib.suppress(ValueError):
                        value = " ".join(shlex.split(value))
                    found[key.strip()] = value
        described = self._plan.get(name, {}).get("environment")
        if isinstance(described, dict):
            found.update({str(key): str(value) for key, value in described.items()})
        return found


def words(line: str, name: str, environment: dict[str, str]) -> tuple[list[str], bool]:
    """A command line of a unit file as argv, and whether its failure is ignored (``-``)."""
    prefix = re.match(r"^[-@:+!]*", line)
    marks = prefix.group() if prefix else ""
    short = short_name(name)
    instance = short.partition("@")[2]
    specifiers = {"n": name, "N": short, "p": short.partition("@")[0], "i": instance, "I": instance, "%": "%"}
    text = re.sub(r"%(.)", lambda m: specifiers.get(m.group(1), m.group(0)), line[len(marks) :])
    try:
        parts = shlex.split(text)
    except ValueError:
        parts = text.split()
    argv: list[str] = []
    for part in parts:
        whole = re.fullmatch(r"\$(\w+)", part)
        if whole:
            argv += environment.get(whole.group(1), "").split()
        else:
            argv.append(re.sub(r"\$\{(\w+)\}", lambda m: environment.get(m.group(1), ""), part))
    if "@" in marks and len(argv) > 1:
        argv = [argv[0], *argv[2:]]
    return argv or ["/bin/false"], "-" in marks


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
