"""The stage as a venue: the engine runs a runbook here as it would in production."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

import msgspec

from fulldress.engine.venue import Answer, Database, Metadata, Result, ServiceState, Snapshot, StatementRun
from fulldress.errors import StageError
from fulldress.facts import (
    AnyFact,
    Command,
    Endpoint,
    Evidence,
    FileEffect,
    JobRun,
    Reason,
    Schedule,
    Unread,
    Webhook,
    Witness,
    excerpt,
    mask,
)
from fulldress.findings import Outcome
from fulldress.stage import calls, changes, doctor, jobs, observe, seen, sweep, watch
from fulldress.stage.link import Link, StageFailed
from fulldress.stage.plan import StagePlan
from fulldress.stage.rig import Rig
from fulldress.stage.sink import Sink

PACKAGE_ROOT = "/mnt/package"
FULL = "steps after the scratch folder ran full"
#: Bytes left from which on a scratch folder counts as full.
_FULL = 1 << 20
_CLOSED = "the folder's mode keeps this user out; a stage that root starts can look into it"


class Stage:
    """A context manager. Set-up takes about 0.2 s; leaving it ends every process and removes every file of it."""

    def __init__(self, plan: StagePlan) -> None:
        self.plan = plan
        self.name = plan.name
        self.package_root = PACKAGE_ROOT if plan.package is not None else ""
        self.lacks: list[Unread] = []
        self.mode = ""
        self.swept: list[Path] = []
        self.source = f"run:{plan.name}"
        self._step = ""
        self._shift = timedelta()
        self._notices: list[tuple[str, str, str]] = []
        self._helpers: list[subprocess.Popen[bytes]] = []

    @staticmethod
    def possible() -> list[Unread]:
        """What keeps this machine from having a stage at all; empty: nothing does."""
        return doctor.obstacles()

    # life

    def __enter__(self) -> Stage:
        plan = self.plan
        if plan.root is not None and not plan.root.is_dir():
            raise StageError(
                f"{plan.root}: no such folder. It should hold a copy of production's files, etc/ and so on below it."
            )
        self.swept = sweep.sweep(plan.scratch)
        self.observed = observe.Observed(self.source)
        self._sink = Sink(
            plan.endpoints, plan.database_addresses, plan.folder_of_production, lambda: self._step, self._owner
        )
        try:
            self._rig = self._rigged()
            self._shift = self._rig.shift
            self.lacks = self._rig.lacks
            self.changes = changes.Changes(self._rig.layers, self.source, f"{PACKAGE_ROOT}/")
            self._health = watch.HealthWatch(plan.services, self.http, self.observed)
            for unit in plan.services:
                if self._link.ask("service", unit=unit, action="status")["known"]:
                    self.service(unit, "start", step="")
            self.changes.attribute("")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _rigged(self) -> Rig:
        """The best stage that this machine can have."""
        modes = ["mapped", "same"] if os.geteuid() == 0 else ["alone"]
        failure = ""
        for mode in modes:
            rig = Rig(self.plan, mode, self._sink, self._on_event, self.source, failure)
            self.mode = mode
            try:
                rig.up()
                return rig
            except (StageFailed, PermissionError) as error:
                rig.down()
                failure = str(error)
            except BaseException:
                rig.down()
                raise
        raise StageError(f"{failure} {doctor.remedy()}")

    @property
    def _link(self) -> Link:
        return self._rig.link

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for helper in self._helpers:
            if helper.poll() is None:
                helper.terminate()
        if hasattr(self, "_rig"):
            self._rig.down()
        self._sink.close()

    def _on_event(self, event: dict[str, Any]) -> None:
        self.observed.take(event)
        if event["event"] in ("started", "stopped", "died", "rebooted") and hasattr(self, "_health"):
            self._health.take(event)

    def _owner(self, port: int) -> list[str]:
        with contextlib.suppress(OSError, StageError, AttributeError):
            found: list[str] = self._link.ask("owner", 2, port=port)["argv"]
            return found
        return []

    # the venue

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
        return self._run(argv, step, user, cwd, dict(environment or {}), stdin, timeout)

    def run_bare(
        self, argv: Sequence[str], *, step: str, user: str, environment: Mapping[str, str], timeout: timedelta
    ) -> Result:
        """As :meth:`run`, but with this environment instead of a login's."""
        return self._run(argv, step, user, "/", dict(environment), b"", timeout, bare=True)

    def _run(self, argv: Sequence[str], step: str, user: str, cwd: str, environment: dict[str, str], stdin: bytes,
             timeout: timedelta, bare: bool = False) -> Result:  # fmt: skip
        self._enter_step(step)
        answer = self._link.ask(
            "run", None, argv=list(argv), step=step, user=user, cwd=cwd, environment=environment, bare=bare,
            stdin=base64.b64encode(stdin).decode(), timeout=timeout.total_seconds(),
        )  # fmt: skip
        self.changes.attribute(step)
        if self._rig.room() < _FULL and not any(lack.what == FULL for lack in self.lacks):
            detail = f"{self.plan.scratch} is full: what failed for want of room says nothing of production"
            self.lacks.append(self._rig.lack(FULL, detail, Reason.CANNOT, needed=True))
        output = mask(base64.b64decode(answer["output"]).decode("utf-8", "replace"))
        dropped = answer["printed"] - len(base64.b64decode(answer["output"]))
        if dropped > 0:
            self._unread(step, f"{dropped} bytes of output", "only the last 64 KiB are kept", Reason.BUDGET)
        if answer["timed_out"]:
            self._unread(
                step, f"{excerpt(' '.join(argv))} after {timeout.total_seconds():g} s", "cut off", Reason.BUDGET
            )
        return Result(
            exit_code=answer["exit"],
            output=output,
            started=datetime.fromtimestamp(answer["started"], UTC),
            duration=timedelta(seconds=answer["duration"]),
            timed_out=answer["timed_out"],
        )

    def _unread(self, step: str, what: str, detail: str, reason: Reason) -> None:
        self.observed.add(
            Unread(
                witness=Witness.OBSERVED,
                evidence=Evidence(source=self.source, step=step),
                what=what,
                reason=reason,
                detail=detail,
            )
        )

    def _enter_step(self, step: str) -> None:
        if step != self._step:
            self.changes.attribute(self._step)
        self._step = step

    def read(self, path: str) -> bytes:
        return base64.b64decode(self._link.ask("read", path=path)["data"])

    def write(self, path: str, data: bytes, metadata: Metadata | None = None) -> None:
        wanted = msgspec.to_builtins(metadata) if metadata is not None else None
        self._link.ask("write", path=path, data=base64.b64encode(data).decode(), metadata=wanted)
        self.changes.attribute(self._step)

    def stat(self, path: str) -> Metadata | None:
        found = self._link.ask("stat", path=path)["metadata"]
        return msgspec.convert(found, Metadata) if found is not None else None

    def remove(self, path: str) -> None:
        self._link.ask("remove", path=path)
        self.changes.attribute(self._step)

    def walk(self, path: str) -> list[str]:
        found: list[str] = self._link.ask("walk", path=path)["paths"]
        return found

    def database(self, name: str) -> Database:
        try:
            return self.plan.databases[name]
        except KeyError:
            known = ", ".join(sorted(self.plan.databases)) or "none"
            raise StageError(
                f"no database {name!r} on the stage (known: {known}); see [databases] in production.toml"
            ) from None

    def query(self, database: str, sql: str) -> list[dict[str, object]]:
        return self.database(database).query(sql)

    def execute(self, database: str, sql: str, *, name: str, step: str) -> StatementRun:
        self._enter_step(step)
        return self.database(database).execute(sql, name=name, step=step)

    def service(self, unit: str, action: str, *, step: str) -> ServiceState:
        self._enter_step(step)
        answer = self._link.ask("service", 300, unit=unit, action=action, step=step)
        if action in ("start", "restart"):
            self._health.settle(unit)
        self.changes.attribute(step)
        return ServiceState(
            unit=unit,
            known=answer["known"],
            active=answer["active"],
            enabled=answer["enabled"],
            detail=mask(answer["detail"]),
        )

    def connect(self, host: str, port: int, timeout: float = 10) -> socket.socket:
        """A TCP connection from inside the stage's network. Raises :class:`OSError`."""
        return calls.connect(self._link, self._sink.resolver, host, port, timeout)

    def http(self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        return calls.request(self._link, self._sink.resolver, method, url, body, headers or {})

    def notify(self, channel: str, text: str, *, step: str) -> None:
        """Kept, not sent: nobody is to be told of a rehearsal."""
        self._notices.append((channel, text, step))

    @property
    def notices(self) -> list[tuple[str, str, str]]:
        """(channel, text, step) of every status that would have gone out."""
        return list(self._notices)

    def confirm(self, instruction: str, *, step: str) -> Outcome:
        """On the stage the person's part is taken as done; that it was only assumed is said."""
        self._unread(step, excerpt(instruction), "a person's part; assumed done in the rehearsal", Reason.NOT_MEASURED)
        return Outcome.PASS

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift

    def snapshot(self) -> Snapshot:
        found = self._link.ask("snapshot")
        return Snapshot(
            at=self.now(),
            units=found["units"],
            files=self.changes.files(),
            schedules={k: mask(v) for k, v in found["schedules"].items()},
            users=found["users"],
            sockets=tuple(found["sockets"]),
        )

    # what only a stage can

    def set_clock(self, at: datetime) -> None:
        """Programs started from now on see this time (UTC instant), and it goes on from there."""
        self._shift = at - datetime.now(UTC)
        self._link.ask("clock", shift=self._shift.total_seconds())

    @contextlib.contextmanager
    def clock_at(self, at: datetime) -> Iterator[None]:
        """For as long as this lasts, programs see this time (UTC instant); then the stage's time goes on as before."""
        kept = self._shift
        self.set_clock(at)
        try:
            yield
        finally:
            self._shift = kept
            self._link.ask("clock", shift=kept.total_seconds())

    def run_schedule(
        self, schedule: Schedule, due: datetime, *, real_time: timedelta = timedelta(seconds=3)
    ) -> tuple[JobRun, dict[str, int]]:
        """Run a job at its hour as cron would, for at most ``real_time``. Also the bytes it wrote, by partition."""
        return jobs.run(self, schedule, due, real_time)

    def partition_of(self, path: str) -> str:
        """The mount point of production that a path lies on."""
        fitting = [p for p in ("/", *self.plan.partitions) if PurePosixPath(path).is_relative_to(p)]
        return max(fitting, key=len)

    def popen_inside(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a trusted program of this machine in the stage's network. It ends with this process or the stage."""
        user, net = self._rig.spaces
        spaces = [net] if os.geteuid() == 0 else [user, net]
        launcher = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launcher.py"))]
        passed = (*options.pop("pass_fds", ()), *spaces)
        helper = subprocess.Popen(
            [*launcher, ",".join(map(str, spaces)), str(os.getpid()), *argv], pass_fds=passed, **options
        )
        self._helpers.append(helper)
        return helper

    # what was seen

    def effects(self, step: str | None = None) -> list[FileEffect]:
        """Every file that is not as it was when the stage was set up; with ``step``, those that this step touched."""
        return self.changes.effects(step)

    def undo_check(self, before: Snapshot) -> list[FileEffect]:
        """Every path that is not byte for byte what it was at ``before``: content, mode, owner, link, attributes."""
        return self.changes.undo_check(before)

    def connections(self) -> list[Endpoint]:
        return observe.endpoints(self._sink.contacts, self.source)

    def commands(self) -> list[Command]:
        return [fact for fact in self.observed.facts() if isinstance(fact, Command)]

    def webhooks(self, left: bool = False) -> list[Webhook]:
        """What is registered at the stand-ins and was not at first."""
        return seen.webhooks(self._sink.answers, self.source, left)

    def facts(self) -> list[AnyFact]:
        """Everything that was observed, and what this machine could not observe."""
        file_effects = self.effects()
        return [
            *self.observed.facts(),
            *file_effects,
            *seen.setuid(file_effects),
            *self.connections(),
            *self.webhooks(),
            *seen.unscripted(self._sink.contacts, self.source),
            *(
                self._rig.lack(f"changes below {path}", _CLOSED, Reason.CANNOT, needed=True)
                for path in self.changes.closed()
            ),
            *self.lacks,
        ]

    def log(self, unit: str) -> str:
        """What a staged service printed, masked; its last 64 KiB."""
        try:
            data = self.read(f"/run/fulldress/log/{unit.removesuffix('.service').replace('/', '-')}")
        except OSError:
            return ""
        return mask(data[-65536:].decode("utf-8", "replace"))

    def wait_until(self, condition: Any, timeout: float = 10) -> bool:
        """Ask ``condition()`` again and again until it is true or the time (seconds) is over."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.01)
        return bool(condition())
