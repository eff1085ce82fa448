"""The stage as a venue: the engine runs a runbook here as it would in production."""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

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
    Privilege,
    Reason,
    Schedule,
    Unread,
    Webhook,
    Witness,
    excerpt,
    mask,
)
from fulldress.findings import Outcome
from fulldress.stage import doctor, effects, layout, observe, sweep, watch
from fulldress.stage.link import Link, StageFailed
from fulldress.stage.plan import StagePlan
from fulldress.stage.sink import SCHEMES, Sink

PACKAGE_ROOT = "/mnt/package"
_CRON_PATH = "/usr/bin:/bin"


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
        self._touched: dict[str, list[str]] = {}
        self._seen: dict[str, tuple[int, int, int, int] | None] = {}
        self._notices: list[tuple[str, str, str]] = []
        self._spaces: list[int] = []
        self._listeners: list[tuple[str, int, Path, str]] = []
        self._listener_files: list[tuple[str, int, Path, str]] = []
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
        modes = ["mapped", "same"] if os.geteuid() == 0 else ["alone"]
        try:
            for number, mode in enumerate(modes):
                try:
                    self._open(mode)
                    break
                except (StageFailed, PermissionError) as error:
                    self._drop()
                    if number == len(modes) - 1:
                        raise StageError(f"{error} {doctor.remedy()}") from None
                    self._mapping_failed = str(error)
        except BaseException:
            self._drop()
            self._sink.close()
            raise
        self._health = watch.HealthWatch(plan.services, self.http, self.observed)
        self._lay_out_package()
        for unit in plan.services:
            if self._link.ask("service", unit=unit, action="status")["known"]:
                self.service(unit, "start", step="")
        self._attribute("")
        return self

    def _open(self, mode: str) -> None:
        plan = self.plan
        self.mode = mode
        self.hub = sweep.new_folder(plan.scratch)
        made = layout.prepare(self.hub, plan, mode)
        self._layout = made["layout"]
        if plan.package is not None:
            (self.hub / "house/mnt/package").mkdir(parents=True, exist_ok=True)
            if "mnt" not in self._layout["folders"]:
                self._layout["folders"]["mnt"] = []
                for part in ("u", "w"):
                    (self.hub / "up/mnt" / part).mkdir(parents=True, exist_ok=True)
            if "house/mnt" not in self._layout["folders"]["mnt"]:
                self._layout["folders"]["mnt"].insert(0, "house/mnt")
            from fulldress import package

            self.lacks += package.lay_out(plan.package, self.hub / "house/mnt/package")
            if mode == "mapped":
                layout.give_tree(self.hub / "house/mnt", layout.BASE)
                layout.give_tree(self.hub / "up/mnt", layout.BASE)
        self._addresses()
        epoch = plan.epoch
        self._shift = epoch - datetime.now(UTC) if epoch is not None else timedelta()
        setup = {
            "hub": str(self.hub),
            "mode": mode,
            "binds": made["binds"],
            "base": layout.BASE,
            "owner": made["owner"],
            "layout": self._layout,
            "hostname": "stage",
            "zone": "" if plan.zone in ("", "UTC") else plan.zone,
            "shift": self._shift.total_seconds(),
            "faketime": made["faketime"],
            "red_hat": _is_red_hat(plan.root),
            "services": {name: msgspec.to_builtins(service) for name, service in plan.services.items()},
            "refused": layout.refused_networks(e.host for e in plan.endpoints if e.policy == "retired" and not e.port),
            "redirect": plan.redirect,
            "ports": self._ports(),
            "listen": [(at, port) for at, port, _, _ in self._listeners],
            "listen_files": [f"/run/postgresql/.s.PGSQL.{port}" for _, port, _, _ in self._listener_files],
        }
        self._know_hosts()
        self._link = Link(setup, self._on_event)
        greeting, self._spaces = self._link.wait_ready()
        shift = layout.BASE if mode == "mapped" else 0
        places = {lower: self._place(lower) for lowers in self._layout["folders"].values() for lower in lowers}
        shifts = {"up": shift, "base": shift, "house": shift}
        if mode == "alone":
            shifts["alone"] = os.getuid()
        self.layers = effects.Layers(
            self.hub, self._layout["folders"], places, shifts, made["owner"] if mode == "mapped" else 0
        )
        self._say_lacks(greeting["lacks"], made["faketime"])

    def _place(self, lower: str) -> str:
        layer, _, name = lower.partition("/")
        if layer == "h":
            return f"/{name}"
        return f"{self.plan.root}/{name}" if layer == "p" else str(self.hub / lower)

    def _say_lacks(self, sentences: list[str], faketime: str) -> None:
        def lack(what: str, detail: str) -> None:
            evidence = Evidence(source=self.source)
            self.lacks.append(
                Unread(witness=Witness.OBSERVED, evidence=evidence, what=what, reason=Reason.CANNOT, detail=detail)
            )

        for sentence in sentences:
            if sentence.startswith("redirect"):
                lack(
                    "connections to ports other than the known ones",
                    f"the kernel has no redirect here ({sentence})",
                )
            elif not sentence.startswith("refuse"):
                lack("the stage's surroundings", sentence)
        if self.mode == "alone":
            lack("file owners and other users", "without root every file and process on the stage belongs to one user")
            lack(
                "changes to this machine's own programs",
                "files below /usr, /bin and /lib that production's tree does not bring can't be changed",
            )
        if self.mode == "same":
            lack(
                "unprivileged root",
                f"this kernel maps no owners ({self._mapping_failed}); the stage's root has this machine's user id 0, without its rights",
            )
        lack("the clock of statically linked programs", "libfaketime reaches programs that use the C library" if faketime else
             "libfaketime is not on this machine: only scripts that call date see the stage's time")  # fmt: skip

    def _addresses(self) -> None:
        """Database addresses on loopback can't be redirected: they are listened at."""
        self._listeners.clear()
        self._listener_files.clear()
        for address, path in self.plan.database_addresses.items():
            host, _, port = address.rpartition(":")
            if not port.isdigit():
                raise StageError(f"{address}: a database address is host:port (production.toml, [databases] addresses)")
            if host in ("localhost", "127.0.0.1", "::1", "[::1]"):
                for at in ("127.0.0.1", "::1") if host == "localhost" else (host.strip("[]"),):
                    self._listeners.append((at, int(port), path, host))
                self._listener_files.append((host, int(port), path, host))

    def _ports(self) -> list[int]:
        """Ports listened at where nothing can be redirected: production's and the usual ones, but the staged services'."""
        found = {*SCHEMES, 8080, 8443, 9000} | {e.port for e in self.plan.endpoints if e.port}
        found |= {int(address.rpartition(":")[2]) for address in self.plan.database_addresses}
        taken = {urlsplit(s.health).port for s in self.plan.services.values()} | {
            port for _, port, _, _ in self._listeners
        }
        return sorted(found - {port for port in taken if port} - {53})

    def _know_hosts(self) -> None:
        """Addresses that production's own hosts file gives names to."""
        if self.plan.root is None:
            return
        with contextlib.suppress(OSError):
            for line in (self.plan.root / "etc/hosts").read_text(errors="replace").splitlines():
                words = line.split("#", 1)[0].split()
                if len(words) > 1 and not words[0].startswith("127."):
                    self._sink.resolver.know(words[0], words[1].lower())

    def _lay_out_package(self) -> None:
        if self.package_root and not any((self.hub / "house/mnt/package").iterdir()):
            self.lacks.append(Unread(witness=Witness.OBSERVED, evidence=Evidence(source=self.source), what="the package's entries",
                                     reason=Reason.MISSING, detail="nothing could be laid out", needed=True))  # fmt: skip

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for helper in self._helpers:
            if helper.poll() is None:
                helper.terminate()
        self._drop()
        self._sink.close()

    def _drop(self) -> None:
        link = self.__dict__.pop("_link", None)
        if link is not None:
            link.close()
        for fd in self._spaces:
            os.close(fd)
        self._spaces = []
        hub = self.__dict__.get("hub")
        if hub is not None:
            sweep.remove(hub)

    def _on_event(self, event: dict[str, Any], fds: list[int]) -> None:
        sockets = [socket.socket(fileno=fd) for fd in fds]
        kind = event["event"]
        if kind == "port":
            self._sink.listen(sockets[0])
        elif kind == "network":
            self._sink.attach(sockets, event["port"])
        elif kind in ("listener", "file listener"):
            chosen = self._listeners if kind == "listener" else self._listener_files
            _, port, path, host = chosen[event["number"]]
            self._sink.lead(sockets[0], path, (host, port))
        else:
            self.observed.take(event)
            if kind in ("started", "stopped", "died", "rebooted") and hasattr(self, "_health"):
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
        return self._run(argv, step, user, cwd, dict(environment or {}), stdin, timeout)[0]

    def _run(self, argv: Sequence[str], step: str, user: str, cwd: str, environment: dict[str, str], stdin: bytes,
             timeout: timedelta, bare: bool = False) -> tuple[Result, dict[str, Any]]:  # fmt: skip
        self._enter_step(step)
        answer = self._link.ask(
            "run", None, argv=list(argv), step=step, user=user, cwd=cwd, environment=environment, bare=bare,
            stdin=base64.b64encode(stdin).decode(), timeout=timeout.total_seconds(),
        )  # fmt: skip
        self._attribute(step)
        output = mask(base64.b64decode(answer["output"]).decode("utf-8", "replace"))
        dropped = answer["printed"] - len(base64.b64decode(answer["output"]))
        if dropped > 0:
            self._unread(step, f"{dropped} bytes of output", "only the last 64 KiB are kept", Reason.BUDGET)
        if answer["timed_out"]:
            self._unread(
                step, f"{excerpt(' '.join(argv))} after {timeout.total_seconds():g} s", "cut off", Reason.BUDGET
            )
        result = Result(
            exit_code=answer["exit"],
            output=output,
            started=datetime.fromtimestamp(answer["started"], UTC),
            duration=timedelta(seconds=answer["duration"]),
            timed_out=answer["timed_out"],
        )
        return result, answer

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
            self._attribute(self._step)
        self._step = step

    def _attribute(self, step: str) -> None:
        """Give every path that changed since the last look to ``step``."""
        paths = set(self.layers.changed())
        for path in paths | set(self._seen):
            mark = self.layers.signature(path)
            if path not in self._seen or self._seen[path] != mark:
                self._seen[path] = mark
                steps = self._touched.setdefault(path, [])
                if step not in steps:
                    steps.append(step)

    def read(self, path: str) -> bytes:
        return base64.b64decode(self._link.ask("read", path=path)["data"])

    def write(self, path: str, data: bytes, metadata: Metadata | None = None) -> None:
        wanted = msgspec.to_builtins(metadata) if metadata is not None else None
        self._link.ask("write", path=path, data=base64.b64encode(data).decode(), metadata=wanted)
        self._attribute(self._step)

    def stat(self, path: str) -> Metadata | None:
        found = self._link.ask("stat", path=path)["metadata"]
        return msgspec.convert(found, Metadata) if found is not None else None

    def remove(self, path: str) -> None:
        self._link.ask("remove", path=path)
        self._attribute(self._step)

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
        self._attribute(step)
        return ServiceState(
            unit=unit,
            known=answer["known"],
            active=answer["active"],
            enabled=answer["enabled"],
            detail=mask(answer["detail"]),
        )

    def connect(self, host: str, port: int, timeout: float = 10) -> socket.socket:
        """A TCP connection from inside the stage's network. Raises :class:`OSError`."""
        address = self._sink.resolver.address(host) if not _numeric(host) else host.strip("[]")
        _, fds = self._link.ask_with_descriptors("socket", six=":" in address)
        sock = socket.socket(fileno=fds[0])
        try:
            sock.settimeout(timeout)
            sock.connect((address, port))
        except OSError:
            sock.close()
            raise
        return sock

    def http(self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            return Answer(status=0, body=f"{url}: the stage speaks plain http only")
        connection = http.client.HTTPConnection(parts.hostname, parts.port or 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.sock = self.connect(parts.hostname, parts.port or 80)
            connection.request(method, target, body or None, dict(headers or {}))
            response = connection.getresponse()
            text = mask(response.read().decode("utf-8", "replace"))
            return Answer(status=response.status, body=text, headers=dict(response.getheaders()))
        except (OSError, http.client.HTTPException) as error:
            return Answer(status=0, body=f"{type(error).__name__}: {error}")
        finally:
            connection.close()

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
        files: dict[str, Metadata] = {}
        for path in self.layers.changed():
            node = self.layers.after(path)
            files[path] = node.metadata if node is not None else _GONE
        return Snapshot(
            at=self.now(),
            units=found["units"],
            files=files,
            schedules={k: mask(v) for k, v in found["schedules"].items()},
            users=found["users"],
            sockets=tuple(found["sockets"]),
        )

    # what only a stage can

    def set_clock(self, at: datetime) -> None:
        """Programs started from now on see this time (UTC instant), and it goes on from there."""
        self._shift = at - datetime.now(UTC)
        self._link.ask("clock", shift=self._shift.total_seconds())

    def run_schedule(
        self, schedule: Schedule, due: datetime, *, real_time: timedelta = timedelta(seconds=3)
    ) -> tuple[JobRun, dict[str, int]]:
        """Run a job at its hour as cron would, for at most ``real_time``. Also the bytes it wrote, by partition."""
        step = f"night: {schedule.name}"
        kept = self._shift
        self.set_clock(due)
        before = self._sizes()
        user = schedule.user or "root"
        home = {"root": "/root"}.get(user, f"/home/{user}")
        environment = {"SHELL": "/bin/sh", "PATH": _CRON_PATH, "HOME": home, "LOGNAME": user}
        try:
            result, answer = self._run(
                ["/bin/sh", "-c", schedule.command], step, user, "/", environment, b"", real_time, bare=True
            )
        finally:
            self._shift = kept
            self._link.ask("clock", shift=kept.total_seconds())
        written: dict[str, int] = {}
        for path, size in self._sizes().items():
            grown = size - before.get(path, self._size_below(path))
            if grown > 0:
                partition = self.partition_of(path)
                written[partition] = written.get(partition, 0) + grown
        lines = result.output.strip().splitlines()
        words = excerpt(lines[-1]) if lines else ""
        if result.timed_out:
            words = f"still running after {real_time.total_seconds():g} s, cut off" + (f"; {words}" if words else "")
        run = JobRun(
            witness=Witness.OBSERVED,
            evidence=Evidence(
                source=self.source,
                step=step,
                at=result.started,
                path=schedule.target,
                excerpt=excerpt(schedule.command),
            ),
            schedule=schedule.name,
            due=due,
            exit_code=None if result.timed_out else answer["exit"],
            duration=result.duration,
            words=words,
        )
        self.observed.add(run)
        return run, written

    def partition_of(self, path: str) -> str:
        """The mount point of production that a path lies on."""
        fitting = [p for p in ("/", *self.plan.partitions) if PurePosixPath(path).is_relative_to(p)]
        return max(fitting, key=len)

    def _sizes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for path in self.layers.changed():
            mark = self.layers.signature(path)
            if mark is not None and mark[3] & 0o170000 == 0o100000:
                found[path] = mark[2]
        return found

    def _size_below(self, path: str) -> int:
        node = self.layers.before(path)
        return node.metadata.size if node is not None else 0

    def popen_inside(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a trusted program of this machine in the stage's network. It ends with this process or the stage."""
        user, net = self._spaces
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
        found: list[FileEffect] = []
        for path in sorted(self._touched):
            steps = [s for s in self._touched[path] if s]
            if (step is not None and step not in self._touched[path]) or path.startswith(PACKAGE_ROOT + "/"):
                continue
            before, after = self.layers.before(path), self.layers.after(path)
            found += effects.compare(path, before, after, steps[-1] if steps else "", self.source)
        return found

    def undo_check(self, before: Snapshot) -> list[FileEffect]:
        """Every path that is not byte for byte what it was at ``before``: content, mode, owner, link, attributes."""
        found: list[FileEffect] = []
        for path in sorted({*self.layers.changed(), *before.files}):
            if path.startswith(PACKAGE_ROOT):
                continue
            earlier = self.layers.before(path)
            kept = before.files.get(path)
            if kept is not None:
                same = earlier is not None and earlier.metadata.sha256 == kept.sha256
                source = earlier.source if same and earlier is not None else ""
                earlier = effects.Node(metadata=kept, source=source) if kept.type != "gone" else None
            steps = [s for s in self._touched.get(path, []) if s]
            changes = effects.compare(path, earlier, self.layers.after(path), steps[-1] if steps else "", self.source)
            found += [msgspec.structs.replace(change, left=True) for change in changes]
        return found

    def connections(self) -> list[Endpoint]:
        return observe.endpoints(self._sink.contacts, self.source)

    def commands(self) -> list[Command]:
        return [fact for fact in self.observed.facts() if isinstance(fact, Command)]

    def webhooks(self, left: bool = False) -> list[Webhook]:
        """What is registered at the stand-ins and was not at first."""
        found = []
        for host, answers in self._sink.answers.items():
            for path, item in answers.added():
                target = next(
                    (str(v) for v in item.values() if isinstance(v, str) and "://" in v), f"{path}/{item.get('id')}"
                )
                found.append(
                    Webhook(
                        witness=Witness.OBSERVED,
                        evidence=Evidence(
                            source=self.source, host=host, path=f"{path}/{item.get('id')}", excerpt=excerpt(str(item))
                        ),
                        target=excerpt(target),
                        registry=f"http://{host}{path}",
                        left=left,
                    )
                )
        return found

    def facts(self) -> list[AnyFact]:
        """Everything that was observed, and what this machine could not observe."""
        file_effects = self.effects()
        setuid = [
            Privilege(witness=Witness.OBSERVED, evidence=effect.evidence, how="setuid", command=effect.path)
            for effect in file_effects
            if "setuid" in effect.detail.split("\n")[-1]
            or (effect.action == "mode" and int(effect.detail.split()[-1], 8) & 0o6000)
        ]
        defaults = {
            contact.host: Unread(
                witness=Witness.OBSERVED,
                evidence=Evidence(source=self.source, host=contact.host, step=contact.step, excerpt=contact.said),
                what=f"what {contact.host} really answers",
                reason=Reason.NOT_MEASURED,
                detail="its stand-in answered 200 {} because no answer was scripted",
            )
            for contact in self._sink.contacts
            if contact.outcome == "answered by default"
        }
        return [
            *self.observed.facts(),
            *file_effects,
            *setuid,
            *self.connections(),
            *self.webhooks(),
            *defaults.values(),
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


_GONE = Metadata(type="gone", mode=0, uid=0, gid=0, size=0, mtime_ns=0)


def _numeric(host: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_red_hat(root: Path | None) -> bool:
    for folder in filter(None, (root, Path("/"))):
        with contextlib.suppress(OSError):
            text = (folder / "etc/os-release").read_text(errors="replace")
            return any(word in text for word in ("rhel", "fedora", "centos", "suse"))
    return False
