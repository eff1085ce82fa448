"""A stage's rig: its scratch folder, its layers, its namespaces and its first process, from set-up to the last trace removed."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from fulldress.errors import StageError
from fulldress.facts import Evidence, Reason, Unread, Witness, excerpt
from fulldress.stage import effects, layout, sweep
from fulldress.stage.link import Link
from fulldress.stage.plan import StagePlan
from fulldress.stage.sink import SCHEMES, Sink


class NoScratch(StageError):
    """{0}: {1}. A stage keeps its files below {2}, which must be writable and have room: free some, or name another
    folder with TMPDIR."""


class Rig:
    """``mode``: ``mapped`` (root, owners kept apart), ``same`` (root without mapping) or ``alone`` (an ordinary user).

    ``failed_before``: why an earlier mode could not be had. ``on_event`` gets what the first process tells, in its thread.
    Use :meth:`up`, then :meth:`down`, also when ``up`` failed."""

    def __init__(
        self,
        plan: StagePlan,
        mode: str,
        sink: Sink,
        on_event: Callable[[dict[str, Any]], None],
        source: str,
        failed_before: str = "",
    ) -> None:
        self._plan = plan
        self._mode = mode
        self._sink = sink
        self._on_event = on_event
        self._source = source
        self._failed_before = failed_before
        self.lacks: list[Unread] = []  #: what this machine can't show
        self.shift = timedelta()  #: how far the stage's clock is ahead
        self.spaces: list[int] = []  #: descriptors of the user and the network namespace
        self._listeners: list[tuple[str, int, Path, str]] = []
        self._listener_files: list[tuple[str, int, Path, str]] = []

    def up(self) -> None:
        """Set everything up. Raises :class:`StageFailed` or :class:`PermissionError` where this machine can't."""
        plan, mode = self._plan, self._mode
        self._addresses()
        made = self._folders()
        if plan.epoch is not None:
            self.shift = plan.epoch - datetime.now(UTC)
        setup = {
            "hub": str(self.hub),
            "mode": mode,
            "binds": made["binds"],
            "base": layout.BASE,
            "owner": made["owner"],
            "layout": self._layout,
            "hostname": "stage",
            "zone": _zone(plan.zone),
            "shift": self.shift.total_seconds(),
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
        self.link = Link(setup, self._take)
        greeting, self.spaces = self.link.wait_ready()
        shift = layout.BASE if mode == "mapped" else 0
        places = {lower: self._place(lower) for lowers in self._layout["folders"].values() for lower in lowers}
        shifts = {"up": shift, "base": shift, "house": shift}
        if mode == "alone":
            shifts["alone"] = os.getuid()
        self.layers = effects.Layers(
            self.hub, self._layout["folders"], places, shifts, made["owner"] if mode == "mapped" else 0
        )
        top = self.hub.resolve().parts[1]
        if plan.root is None and top not in layout.PRIVATE:
            detail = f"the scratch folder {plan.scratch} lies below it: name another one with TMPDIR or --scratch"
            self.lacks.append(self.lack(f"this machine's /{top}", detail, Reason.CANNOT))
        self._say_lacks(greeting["lacks"], made["faketime"])

    def _folders(self) -> dict[str, Any]:
        try:
            self.hub = sweep.new_folder(self._plan.scratch)
            with layout.modes_as_on_hosts():
                made = layout.prepare(self.hub, self._plan, self._mode)
                self._layout = made["layout"]
                if self._plan.package is not None:
                    self._lay_out(self._plan.package)
        except OSError as error:
            if self._mode == "mapped" and error.errno in (errno.EPERM, errno.EINVAL):
                raise PermissionError(error.errno, error.strerror, error.filename) from error  # root of a container
            raise NoScratch(error.filename or self._plan.scratch, error.strerror, self._plan.scratch) from error
        return made

    def room(self) -> int:
        """Bytes that the scratch folder still has room for."""
        state = os.statvfs(self.hub)
        return state.f_bavail * state.f_frsize

    def _lay_out(self, package: Path) -> None:
        """The package's entries below ``/mnt/package``, changeable, but never the package itself."""
        (self.hub / "house/mnt/package").mkdir(parents=True, exist_ok=True)
        if "mnt" not in self._layout["folders"]:
            self._layout["folders"]["mnt"] = []
            for part in ("u", "w"):
                (self.hub / "up/mnt" / part).mkdir(parents=True, exist_ok=True)
        if "house/mnt" not in self._layout["folders"]["mnt"]:
            self._layout["folders"]["mnt"].insert(0, "house/mnt")
        from fulldress import package as packages

        self.lacks += packages.lay_out(package, self.hub / "house/mnt/package")
        if self._mode == "mapped":
            layout.give_tree(self.hub / "house/mnt", layout.BASE)
            layout.give_tree(self.hub / "up/mnt", layout.BASE)
        if not any((self.hub / "house/mnt/package").iterdir()):
            self.lacks.append(
                self.lack("the package's entries", "nothing could be laid out", Reason.MISSING, needed=True)
            )

    def _place(self, lower: str) -> str:
        layer, _, name = lower.partition("/")
        if layer == "h":
            return f"/{name}"
        return f"{self._plan.root}/{name}" if layer == "p" else str(self.hub / lower)

    def _say_lacks(self, sentences: list[str], faketime: str) -> None:
        def lack(what: str, detail: str) -> None:
            self.lacks.append(self.lack(what, detail, Reason.CANNOT))

        for sentence in sentences:
            if sentence.startswith("redirect"):
                lack(
                    "connections to ports other than the known ones",
                    f"the kernel has no redirect here ({sentence})",
                )
            elif not sentence.startswith("refuse"):
                lack("the stage's surroundings", sentence)
        if self._mode == "alone":
            self._say_unreadable()
            lack("file owners and other users", "without root every file and process on the stage belongs to one user")
            lack(
                "changes to this machine's own programs",
                "files below /usr, /bin and /lib that production's tree does not bring can't be changed",
            )
        if self._mode == "same":
            lack(
                "unprivileged root",
                f"this kernel maps no owners ({self._failed_before}); the stage's root has this machine's user id 0, without its rights",
            )
        lack("the clock of statically linked programs", "libfaketime reaches programs that use the C library" if faketime else
             "libfaketime is not on this machine: only scripts that call date see the stage's time")  # fmt: skip

    def _say_unreadable(self) -> None:
        if self._plan.root is None:
            return
        paths, whole = layout.kept_from_reading(self._plan.root)
        if paths:
            detail = f"{', '.join(paths[:3])}{' and more' if len(paths) > 3 else ''}: not readable by this user"
            what = f"{len(paths)} files or folders of production's tree"
            self.lacks.append(self.lack(what, excerpt(detail), Reason.CANNOT))
        if not whole:
            detail = "looking for what this user may not read was cut off after 2 s"
            self.lacks.append(self.lack("the rest of production's tree", detail, Reason.BUDGET))

    def _addresses(self) -> None:
        """Database addresses on loopback can't be redirected: they are listened at."""
        self._listeners.clear()
        self._listener_files.clear()
        for address, path in self._plan.database_addresses.items():
            host, _, port = address.rpartition(":")
            if not port.isdigit():
                raise StageError(f"{address}: a database address is host:port (production.toml, [databases] addresses)")
            if host in ("localhost", "127.0.0.1", "::1", "[::1]"):
                for at in ("127.0.0.1", "::1") if host == "localhost" else (host.strip("[]"),):
                    self._listeners.append((at, int(port), path, host))
                self._listener_files.append((host, int(port), path, host))

    def _ports(self) -> list[int]:
        """Ports listened at where nothing can be redirected: production's and the usual ones, but the staged services'."""
        found = {*SCHEMES, 8080, 8443, 9000} | {e.port for e in self._plan.endpoints if e.port}
        found |= {int(address.rpartition(":")[2]) for address in self._plan.database_addresses}
        taken = {urlsplit(s.health).port for s in self._plan.services.values()} | {
            port for _, port, _, _ in self._listeners
        }
        return sorted(found - {port for port in taken if port} - {53})

    def _know_hosts(self) -> None:
        """Addresses that production's own hosts file gives names to."""
        if self._plan.root is None:
            return
        with contextlib.suppress(OSError):
            for line in (self._plan.root / "etc/hosts").read_text(errors="replace").splitlines():
                words = line.split("#", 1)[0].split()
                if len(words) > 1 and not words[0].startswith("127."):
                    self._sink.resolver.know(words[0], words[1].lower())

    def lack(self, what: str, detail: str, reason: Reason, needed: bool = False) -> Unread:
        evidence = Evidence(source=self._source)
        return Unread(
            witness=Witness.OBSERVED, evidence=evidence, what=what, reason=reason, detail=detail, needed=needed
        )

    def _take(self, event: dict[str, Any], fds: list[int]) -> None:
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
            self._on_event(event)

    def down(self) -> None:
        """End every process of the stage and remove every file of it. What was never set up is no matter."""
        link = self.__dict__.pop("link", None)
        if link is not None:
            link.close()
        for fd in self.spaces:
            os.close(fd)
        self.spaces = []
        hub = self.__dict__.get("hub")
        if hub is not None:
            sweep.remove(hub)


def _is_red_hat(root: Path | None) -> bool:
    for folder in filter(None, (root, Path("/"))):
        with contextlib.suppress(OSError):
            text = (folder / "etc/os-release").read_text(errors="replace")
            return any(word in text for word in ("rhel", "fedora", "centos", "suse"))
    return False


def _zone(name: str) -> str:
    """What TZ is to be on the stage. A machine without time zones gets the zone's rule (POSIX) from Python's own data."""
    if name in ("", "UTC") or (Path("/usr/share/zoneinfo") / name).exists():
        return "" if name == "UTC" else name
    import importlib.resources

    data = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    return data.rstrip(b"\n").rsplit(b"\n", 1)[-1].decode("ascii")  # the footer of RFC 8536
