"""Production on this host."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from fulldress.engine import fence
from fulldress.engine.venue import (
    Answer,
    Database,
    Metadata,
    Result,
    ServiceState,
    Snapshot,
    StatementRun,
)
from fulldress.engine.venues import files, web
from fulldress.errors import RunbookError
from fulldress.facts import mask
from fulldress.findings import Outcome
from fulldress.production.description import Channel

#: Nothing of the operator's own environment reaches a vendor's script.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "SHELL": "/bin/sh",
}
_OUTPUT = 64 * 1024


class Local:
    """The venue ``run`` works at. ``ask`` puts a question to a person; without it nobody answers."""

    def __init__(
        self,
        name: str,
        *,
        folder: Path,
        databases: Mapping[str, Database] | None = None,
        channels: Mapping[str, Channel] | None = None,
        package_root: str = "",
        ask: Callable[[str], bool | None] | None = None,
        systemctl: str = "systemctl",
    ) -> None:
        self.name, self.folder, self.package_root = name, folder, package_root
        self._databases, self._channels, self._ask, self._systemctl = databases or {}, channels or {}, ask, systemctl

    def run(
        self,
        argv: Sequence[str],
        *,
        step: str,
        user: str = "root",
        cwd: str = "/",
        environment: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: timedelta = timedelta(hours=1),
    ) -> Result:
        who = _user(user)
        surroundings = ENVIRONMENT | {"HOME": who.pw_dir, "USER": who.pw_name, "LOGNAME": who.pw_name}
        started, clock, timed_out = datetime.now(UTC), time.monotonic(), False
        change = who.pw_uid != os.geteuid()
        # A file, not a pipe: should this program be killed, the step must not die of a broken pipe half-way.
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            try:
                process = subprocess.Popen(
                    list(argv),
                    cwd=cwd,
                    env=surroundings | dict(environment or {}),
                    stdin=given,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    user=who.pw_uid if change else None,
                    group=who.pw_gid if change else None,
                    extra_groups=os.getgrouplist(who.pw_name, who.pw_gid) if change else None,
                )
            except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
                code = 127 if isinstance(error, FileNotFoundError) else 126
                words = f"{error.filename or argv[0]}: {error.strerror}"
                return Result(exit_code=code, output=words, started=started, duration=timedelta(0))
            try:
                code = process.wait(timeout.total_seconds())
            except subprocess.TimeoutExpired:
                timed_out, code = True, _end(process)
            except BaseException:
                _end(process)
                raise
            text = _tail(output)
        spent = timedelta(seconds=time.monotonic() - clock)
        return Result(exit_code=code, output=text, started=started, duration=spent, timed_out=timed_out)

    def alive(self, token: str) -> list[str]:
        return fence.carrying(token)

    def read(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def write(self, path: str, data: bytes, metadata: Metadata | None = None) -> None:
        files.put(Path(path), data, metadata)

    def stat(self, path: str) -> Metadata | None:
        return files.look(Path(path))

    def remove(self, path: str) -> None:
        files.take_away(Path(path))

    def walk(self, path: str) -> list[str]:
        return files.below(Path(path))

    def database(self, name: str) -> Database:
        if name not in self._databases:
            known = ", ".join(self._databases) or "none"
            raise RunbookError(f'no database "{name}" in production.toml (there: {known})')
        return self._databases[name]

    def query(self, database: str, sql: str) -> list[dict[str, object]]:
        return self.database(database).query(sql)

    def execute(self, database: str, sql: str, *, name: str, step: str) -> StatementRun:
        return self.database(database).execute(sql, name=name, step=step)

    def service(self, unit: str, action: str, *, step: str) -> ServiceState:
        try:
            words = "" if action == "status" else self._control(action, unit)
            shown = subprocess.run(
                [self._systemctl, "show", unit, "--property=LoadState,ActiveState,UnitFileState"],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
        except FileNotFoundError:
            return ServiceState(unit=unit, known=False, active=None, detail=f"no {self._systemctl} on this host")
        except subprocess.TimeoutExpired:
            return ServiceState(unit=unit, known=True, active=None, detail=f"systemctl {action}: no end within 5 min")
        state = dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)
        if shown.returncode != 0 or "ActiveState" not in state:
            words = mask(shown.stderr.strip()) or "systemctl says nothing"
            return ServiceState(unit=unit, known=False, active=None, detail=words)
        known = state.get("LoadState") not in ("not-found", "masked")
        return ServiceState(
            unit=unit,
            known=known,
            active=_yes(state["ActiveState"], ("active", "reloading"), ("activating", "deactivating")),
            enabled=state.get("UnitFileState", "").startswith("enabled") if state.get("UnitFileState") else None,
            detail=words or ("" if known else "no such unit"),
        )

    def _control(self, action: str, unit: str) -> str:
        done = subprocess.run([self._systemctl, action, unit], capture_output=True, text=True, timeout=300, check=False)
        return "" if done.returncode == 0 else mask(done.stderr.strip() or f"exit {done.returncode}")

    def http(self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        return web.ask(method, url, body=body, headers=headers)

    def notify(self, channel: str, text: str, *, step: str) -> None:
        if channel not in self._channels:
            known = ", ".join(self._channels) or "none"
            raise RunbookError(f'no channel "{channel}" in production.toml (there: {known})')
        target = self._channels[channel]
        if target.file:
            path = self.folder / target.file
            with path.open("a") as stream:
                stream.write(f"{self.now():%Y-%m-%dT%H:%M:%SZ} {text}\n")
            return
        result = self.run(target.command, step=step, stdin=text.encode(), timeout=timedelta(seconds=60))
        if result.exit_code != 0:
            raise RunbookError(f'channel "{channel}": exit {result.exit_code}: {result.output.strip()[-200:]}')

    def confirm(self, instruction: str, *, step: str) -> Outcome:
        answer = self._ask(instruction) if self._ask else None
        return {None: Outcome.UNKNOWN, True: Outcome.PASS, False: Outcome.FAIL}[answer]

    def now(self) -> datetime:
        return datetime.now(UTC)

    def snapshot(self) -> Snapshot:
        """Units of this host and the schedules that stand in its files."""
        units: dict[str, str] = {}
        listed = self.run(
            [self._systemctl, "list-units", "--type=service,timer", "--all", "--plain", "--no-legend"], step="snapshot"
        )
        for line in listed.output.splitlines() if listed.exit_code == 0 else []:
            words = line.split(None, 4)
            if len(words) > 3:
                units[words[0]] = f"{words[1]} {words[2]} {words[3]}"
        schedules = {
            path: found.sha256
            for folder in ("/etc/cron.d", "/var/spool/cron")
            for path in self.walk(folder)
            if (found := self.stat(path)) is not None and found.type == "file"
        }
        users = {entry.pw_name: str(entry.pw_uid) for entry in pwd.getpwall()}
        return Snapshot(at=self.now(), units=units, schedules=schedules, users=users)


def _user(name: str) -> pwd.struct_passwd:
    """The account a step runs as. Only root can become somebody else."""
    try:
        who = pwd.getpwnam(name)
    except KeyError:
        raise RunbookError(f'no user "{name}" on this host') from None
    if who.pw_uid != os.geteuid() and os.geteuid() != 0:
        own = pwd.getpwuid(os.geteuid()).pw_name
        raise RunbookError(
            f'the step runs as "{name}", this is {own}: start fulldress as root, or set "user" in its step'
        )
    return who


def _yes(state: str, yes: tuple[str, ...], between: tuple[str, ...]) -> bool | None:
    return None if state in between else state in yes


def _end(process: subprocess.Popen[bytes]) -> int:
    """The step's whole session: politely, then not."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
        except ProcessLookupError:
            break
        try:
            return process.wait(5)
        except subprocess.TimeoutExpired:
            continue
    return process.wait()


def _tail(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _OUTPUT))
    return mask(output.read().decode(errors="replace"))
