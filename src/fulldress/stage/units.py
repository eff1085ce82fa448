"""Unit files as they stand in the staged tree: found, read, enabled by links, masked.

Standard library only; runs in the stage's first process. What systemd.unit(5) and systemctl(1) say is followed as far as
upgrade scripts rely on it: folders and drop-ins, templates, [Install], environment files, command lines with specifiers.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fulldress.patterns import regex

FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_OWN = "/etc/systemd/system"
_SUFFIX = regex(r"\.(service|timer|socket|target|path|mount|slice|device|automount|swap|scope)$")


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


Described = Mapping[str, dict[str, object]]


class Units:
    """``described``: full name -> {start, user, environment} from production.toml. ``owned(path)``: production's, not
    only this machine's."""

    def __init__(self, described: Described, owned: Callable[[str], bool]) -> None:
        self._described = described
        self._owned = owned

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
        described = self._described.get(name)
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
        found = set(self._described)
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
        return name in self._described and loaded is not None and not loaded.all("Install.WantedBy")

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

    def environment(self, name: str, unit: Unit) -> dict[str, str]:
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
        described = self._described.get(name, {}).get("environment")
        if isinstance(described, dict):
            found.update({str(key): str(value) for key, value in described.items()})
        return found


def of_the_machine(layout: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Unit files that only this machine's layers have, with size and time, so that a later change can be told."""
    found: dict[str, tuple[int, int]] = {}
    for folder in (*FOLDERS, "/etc/init.d"):
        top, _, rest = folder.strip("/").partition("/")
        with contextlib.suppress(OSError):
            for name in os.listdir(f"h/{top}/{rest}"):
                if not any(os.path.lexists(f"{layer}/{top}/{rest}/{name}") for layer in ("p", "house")):
                    status = os.lstat(f"h/{top}/{rest}/{name}")
                    found[f"{folder}/{name}"] = (status.st_size, status.st_mtime_ns)
    return found


def still_the_machines(path: str, marks: dict[str, tuple[int, int]]) -> bool:
    """Whether a unit file is this machine's alone and as it was; ``marks`` is from :func:`of_the_machine`."""
    mark = marks.get(path) or marks.get(path.removeprefix("/usr"))
    if mark is None:
        return False
    try:
        status = os.lstat(path)
    except OSError:
        return True
    return (status.st_size, status.st_mtime_ns) == mark


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
