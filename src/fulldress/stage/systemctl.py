"""systemctl(1) on the stage: its verbs, its messages, its exit codes, acting on the staged services.

Standard library only; runs in the stage's first process.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from fulldress.stage.services import Services
from fulldress.stage.units import full_name, short_name

_WITH_VALUE = {"-t", "--type", "--state", "-p", "--property", "-n", "--lines", "-o", "--output", "-H", "--host", "-M",
               "--machine", "-s", "--signal", "--root", "--kill-whom", "--preset-mode"}  # fmt: skip
_NOTHING = {"daemon-reload", "daemon-reexec", "reset-failed", "set-default", "preset-all", "import-environment"}
_DOWN = {"reboot": "reboot", "kexec": "reboot", "soft-reboot": "reboot", "poweroff": "poweroff", "halt": "poweroff"}
_ALIASES = {"condrestart": "try-restart", "force-reload": "reload-or-restart", "condreload": "try-reload-or-restart"}

Result = tuple[int, str, str, str]


class Systemctl:
    """``tell(unit, action, outcome)`` is called for every unit that is acted on."""

    def __init__(self, services: Services, tell: Callable[[str, str, str], None]) -> None:
        self._services = services
        self._tell = tell

    def run(self, arguments: list[str]) -> Result:
        """Exit code, output, errors, and ``reboot`` or ``poweroff`` when the host goes down."""
        verb, units, options = "", [], set()
        rest = list(arguments)
        while rest:
            word = rest.pop(0)
            if word in _WITH_VALUE and rest:
                options.add(f"{word}={rest.pop(0)}")
            elif word.startswith("-"):
                options.add(word)
            elif not verb:
                verb = _ALIASES.get(word, word)
            else:
                units.append(word)
        if "--version" in options:
            return 0, "systemd 252 (stage)\n", "", ""
        if verb in _DOWN:
            return 0, "", "", _DOWN[verb]
        if verb == "isolate" and units[:1] in (["reboot.target"], ["poweroff.target"]):
            return 0, "", "", units[0].removesuffix(".target")
        if verb in _NOTHING:
            if verb == "daemon-reload":
                self._tell("", verb, "ok")
            return 0, "", "", ""
        if verb in (
            "",
            "list-units",
            "list-unit-files",
            "list-timers",
            "is-system-running",
            "get-default",
            "show-environment",
        ):
            return self._lists(verb)
        if not units:
            return 1, "", "Too few arguments.\n", ""
        act = {
            "start": self._start, "stop": self._stop, "restart": self._restart, "reload": self._reload,
            "try-restart": self._try_restart, "reload-or-restart": self._reload_or_restart,
            "try-reload-or-restart": self._try_restart,
            "enable": self._enable, "reenable": self._enable, "preset": self._enable, "disable": self._disable,
            "mask": self._mask, "unmask": self._mask, "kill": self._stop,
            "is-active": self._is_active, "is-enabled": self._is_enabled, "is-failed": self._is_failed,
            "status": self._status, "show": self._show, "cat": self._cat,
        }.get(verb)  # fmt: skip
        if act is None:
            return 1, "", f"Unknown command verb {verb}.\n", ""
        code, out, err = 0, "", ""
        for unit in units:
            one, printed, errors = act(unit, verb, options)
            code, out, err = (one or code) if verb != "is-active" else max(code, one), out + printed, err + errors
        if "-q" in options or "--quiet" in options:
            out = ""
        return code, out, err, ""

    def _acted(self, unit: str, verb: str, outcome: str) -> tuple[int, str, str]:
        """The messages of a failed job, as systemctl words them."""
        self._tell(short_name(unit), verb, outcome)
        name = full_name(unit)
        if outcome in ("ok", "not production's"):
            return 0, "", ""
        if outcome == "no such unit":
            how = "not loaded" if verb in ("stop", "kill") else "not found"
            return 5, "", f"Failed to {verb} {name}: Unit {name} {how}.\n"
        if outcome == "masked":
            return 1, "", f"Failed to {verb} {name}: Unit {name} is masked.\n"
        if outcome == "not active":
            return 1, "", f"{name} is not active, cannot {verb}.\n"
        if outcome == "cannot reload":
            return 1, "", f"Failed to reload {name}: Job type reload is not applicable for unit {name}.\n"
        text = f'Job for {name} failed because the control process exited with error code.\nSee "systemctl status {name}" and "journalctl -xeu {name}" for details.\n'
        return 1, "", text

    def _start(self, unit: str, verb: str, _: set[str]) -> tuple[int, str, str]:
        return self._acted(unit, verb, self._services.start(unit))

    def _stop(self, unit: str, verb: str, _: set[str]) -> tuple[int, str, str]:
        return self._acted(unit, verb, self._services.stop(unit))

    def _restart(self, unit: str, verb: str, _: set[str]) -> tuple[int, str, str]:
        if self._services.units.load(unit) is None:
            return self._acted(unit, verb, "no such unit")
        self._services.stop(unit)
        return self._acted(unit, verb, self._services.start(unit))

    def _reload(self, unit: str, verb: str, _: set[str]) -> tuple[int, str, str]:
        return self._acted(unit, verb, self._services.reload(unit))

    def _try_restart(self, unit: str, verb: str, options: set[str]) -> tuple[int, str, str]:
        return self._restart(unit, verb, options) if self._services.active(unit) else (0, "", "")

    def _reload_or_restart(self, unit: str, verb: str, options: set[str]) -> tuple[int, str, str]:
        if self._services.active(unit) and self._services.reload(unit) == "ok":
            return self._acted(unit, verb, "ok")
        return self._restart(unit, verb, options)

    def _enable(self, unit: str, verb: str, options: set[str]) -> tuple[int, str, str]:
        outcome, printed = self._services.units.enable(unit)
        self._tell(short_name(unit), verb, outcome)
        if outcome == "no such unit":
            return 1, "", f"Failed to {verb} unit: Unit file {full_name(unit)} does not exist.\n"
        if outcome == "masked":
            return 1, "", f"Failed to {verb} unit: Unit file /etc/systemd/system/{full_name(unit)} is masked.\n"
        code, out, err = self._start(unit, "start", options) if "--now" in options else (0, "", "")
        return code, out, "".join(f"{line}\n" for line in printed) + err

    def _disable(self, unit: str, verb: str, options: set[str]) -> tuple[int, str, str]:
        outcome, printed = self._services.units.disable(unit)
        self._tell(short_name(unit), verb, outcome)
        if outcome == "no such unit":
            return 1, "", f"Failed to disable unit: Unit file {full_name(unit)} does not exist.\n"
        code, out, err = self._stop(unit, "stop", options) if "--now" in options else (0, "", "")
        return code, out, "".join(f"{line}\n" for line in printed) + err

    def _mask(self, unit: str, verb: str, options: set[str]) -> tuple[int, str, str]:
        outcome, printed = self._services.units.mask(unit, verb == "mask")
        self._tell(short_name(unit), verb, outcome)
        if "--now" in options and verb == "mask":
            self._services.stop(unit)
        text = "".join(f"{line}\n" for line in printed)
        return (0, "", text) if outcome == "ok" else (1, "", f"Failed to mask unit: {text}")

    def _is_active(self, unit: str, _: str, __: set[str]) -> tuple[int, str, str]:
        if self._services.active(unit):
            return 0, "active\n", ""
        return 3, "failed\n" if self._services.exit_code(unit) else "inactive\n", ""

    def _is_failed(self, unit: str, _: str, __: set[str]) -> tuple[int, str, str]:
        out = self._is_active(unit, "", set())[1]
        return (0 if out == "failed\n" else 1), out, ""

    def _is_enabled(self, unit: str, _: str, __: set[str]) -> tuple[int, str, str]:
        loaded = self._services.units.load(unit)
        if loaded is None:
            return 1, "", f"Failed to get unit file state for {full_name(unit)}: No such file or directory\n"
        if loaded.masked:
            return 1, "masked\n", ""
        if self._services.units.enabled(unit):
            return 0, "enabled\n", ""
        wanted = any(key.startswith("Install.") for key in loaded.values)
        return (1, "disabled\n", "") if wanted else (0, "static\n", "")

    def _status(self, unit: str, _: str, __: set[str]) -> tuple[int, str, str]:
        loaded = self._services.units.load(unit)
        name = full_name(unit)
        if loaded is None:
            return 4, "", f"Unit {name} could not be found.\n"
        active = self._services.active(unit)
        state = "active (running)" if active else "inactive (dead)"
        enabled = self._is_enabled(unit, "", set())[1].strip()
        text = f"{'●' if active else '○'} {name} - {loaded.one('Unit.Description', short_name(unit))}\n"
        text += f"     Loaded: loaded ({loaded.path}; {enabled})\n     Active: {state}\n"
        if active:
            text += f"   Main PID: {self._services.main_pid(unit)}\n"
        return (0 if active else 3), text, ""

    def _show(self, unit: str, _: str, options: set[str]) -> tuple[int, str, str]:
        loaded = self._services.units.load(unit)
        active = self._services.active(unit)
        values = {
            "Id": full_name(unit),
            "LoadState": "not-found" if loaded is None else "masked" if loaded.masked else "loaded",
            "ActiveState": "active" if active else "inactive",
            "SubState": "running" if active else "dead",
            "UnitFileState": self._is_enabled(unit, "", set())[1].strip(),
            "FragmentPath": loaded.path if loaded else "",
            "MainPID": str(self._services.main_pid(unit)),
            "ExecMainStatus": str(self._services.exit_code(unit) or 0),
        }
        chosen = [o.split("=", 1)[1] for o in options if o.startswith(("-p=", "--property="))]
        chosen += [o[2:] for o in options if o.startswith("-p") and "=" not in o and len(o) > 2]
        wanted = [key for value in chosen for key in value.split(",")] or list(values)
        bare = "--value" in options
        return 0, "".join((values.get(k, "") if bare else f"{k}={values.get(k, '')}") + "\n" for k in wanted), ""

    def _cat(self, unit: str, _: str, __: set[str]) -> tuple[int, str, str]:
        loaded = self._services.units.load(unit)
        if loaded is None or not os.path.isfile(loaded.path):
            return 1, "", f"No files found for {full_name(unit)}.\n"
        with open(loaded.path, encoding="utf-8", errors="replace") as file:
            return 0, f"# {loaded.path}\n{file.read()}", ""

    def _lists(self, verb: str) -> Result:
        if verb == "is-system-running":
            return 0, "running\n", "", ""
        if verb == "get-default":
            return 0, "multi-user.target\n", "", ""
        if verb == "show-environment":
            return 0, "", "", ""
        names = self._services.units.names()
        if verb == "list-unit-files":
            lines = [f"{name} {self._is_enabled(name, '', set())[1].strip()}" for name in names]
        elif verb == "list-timers":
            lines = [name for name in names if name.endswith(".timer")]
        else:
            lines = [f"{name} loaded active running" for name in names if self._services.active(name)]
        return 0, "".join(f"{line}\n" for line in lines), "", ""
