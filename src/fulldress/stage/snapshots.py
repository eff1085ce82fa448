"""The state of a stage, for comparison of before and after. Standard library only; runs in the stage's first process."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from fulldress.stage import accounts
from fulldress.stage.processes import command_line, parents
from fulldress.stage.services import Services
from fulldress.stage.units import short_name

_CRON_FOLDERS = ("/etc/cron.d", "/var/spool/cron/crontabs", "/var/spool/cron")
_PERIODIC = ("hourly", "daily", "weekly", "monthly")


def take(services: Services) -> dict[str, Any]:
    """Units (state), schedules (place -> line), users, and the sockets that something listens at."""
    names = services.units.names()
    units = {
        short_name(name): f"{'active' if services.active(name) else 'inactive'}"
        f" {'enabled' if services.units.enabled(name) else 'disabled'}"
        for name in names
    }
    return {"units": units, "schedules": _schedules(services, names), "users": accounts.users(), "sockets": listening()}


def _schedules(services: Services, names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    places = ["/etc/crontab"]
    for folder in _CRON_FOLDERS:
        with contextlib.suppress(OSError):
            places += [f"{folder}/{name}" for name in sorted(os.listdir(folder))]
    for place in places:
        with contextlib.suppress(OSError), open(place, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.lstrip().startswith("#"):
                    found[f"{place}:{number}"] = line.strip()
    for period in _PERIODIC:
        with contextlib.suppress(OSError):
            for name in sorted(os.listdir(f"/etc/cron.{period}")):
                found[f"/etc/cron.{period}/{name}"] = period
    for name in names:
        if name.endswith(".timer") and services.units.enabled(name):
            unit = services.units.load(name)
            found[name] = "; ".join(unit.all("Timer.OnCalendar")) if unit is not None else ""
    return found


def listening() -> list[str]:
    return sorted({f"tcp {row[1]}" for row in _rows() if row[3] == "0A"})


def _rows() -> list[list[str]]:
    rows: list[list[str]] = []
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError), open(f"/proc/net/{name}") as file:
            for line in file.readlines()[1:]:
                fields = line.split()
                rows.append([name, _address(fields[1]), fields[2], fields[3], fields[9]])
    return rows


def _address(text: str) -> str:
    host, port = text.split(":")
    if len(host) == 8:
        host = ".".join(str(int(host[i : i + 2], 16)) for i in (6, 4, 2, 0))
    return f"{host}:{int(port, 16)}"


def owner_of(port: int) -> list[str]:
    inode = next((row[4] for row in _rows() if row[1].endswith(f":{port}") and row[3] != "0A"), "0")
    if inode == "0":
        return []
    for pid in parents():
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if os.readlink(f"/proc/{pid}/fd/{fd}") == f"socket:[{inode}]":
                    return command_line(pid)
    return []
