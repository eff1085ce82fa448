"""The stage's first process: carries out what the outside asks for, and answers the recorded commands.

Standard library only, and everything is imported before the root changes: afterwards this machine's Python is out of reach.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import os
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from fulldress.stage import accounts, files, network, overlay, processes, snapshots
from fulldress.stage import namespaces as ns
from fulldress.stage.channel import Channel, Message
from fulldress.stage.commands import Ask, Commands, Reply
from fulldress.stage.services import FOLDERS, Services
from fulldress.stage.systemctl import Systemctl

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ASK = "/run/fulldress/ask"
_BELL = "/run/fulldress/bell"
#: How long a script that asked for a reboot goes on before the host takes it down.
_GRACE = 1.0


class Inside:
    def __init__(self, channel: Channel, setup: Message, host_units: dict[str, tuple[int, int]]) -> None:
        self.channel = channel
        self.setup = setup
        self.step = ""
        self.shift = 0.0
        self._host_units = host_units
        self._reaper = processes.Reaper()
        self._adopted: dict[int, list[int]] = {}
        self._runs: set[int] = set()
        self._reboot = ""
        self._asked: dict[int, dict[str, Any]] = {}
        self._slow_ops = {"run"}
        self.services = Services(setup["services"], self._spawn_service, self._tell, self._owned)
        self.commands = Commands(Systemctl(self.services, self._acted), self._real, setup["red_hat"])
        self._ops: dict[str, Callable[[Message], Message]] = {
            "run": self._run,
            "read": files.read,
            "write": files.write,
            "stat": files.stat,
            "remove": files.remove,
            "walk": files.walk,
            "service": self._service,
            "clock": self._clock,
            "owner": self._owner,
            "snapshot": lambda m: snapshots.take(self.services),
            "units": lambda m: {"units": self.services.names()},
        }

    # talk with the outside

    def _tell(self, **event: Any) -> None:
        with contextlib.suppress(OSError):
            self.channel.send({"at": time.time(), "step": self.step, **event})

    def serve(self) -> None:
        threading.Thread(target=self._listen_for_bell, daemon=True).start()
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

    # programs

    def environment(self, user: processes.User, extra: dict[str, str]) -> dict[str, str]:
        """What a login gives a program and nothing of ours; where the clock is shifted, the library that tells it."""
        found = {
            "PATH": _PATH,
            "HOME": user.home,
            "USER": user.name,
            "LOGNAME": user.name,
            "SHELL": user.shell,
            "LANG": "C.UTF-8",
        }
        if self.setup["zone"]:
            found["TZ"] = self.setup["zone"]
        if self.shift and self.setup["faketime"]:
            found |= {
                "LD_PRELOAD": f"/run/fulldress/real/{self.setup['faketime']}",
                "FAKETIME": f"{self.shift:+f}",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }
        return found | extra

    def _start(self, argv: list[str], user: processes.User, cwd: str, environment: dict[str, str],
               streams: tuple[int, int, int], service: bool = False) -> processes.Minded:  # fmt: skip
        minded = processes.start(argv, user, cwd, environment, streams, service=service, alone=accounts.alone())
        self._reaper.notice()
        return minded

    def _spawn_service(self, argv: list[str], user: str, cwd: str, environment: dict[str, str], log: str,
                       service: bool) -> processes.Minded:  # fmt: skip
        account = accounts.find(user) or processes.User("root", 0, 0, (0,), "/root")
        null = os.open("/dev/null", os.O_RDONLY)
        os.makedirs("/run/fulldress/log", exist_ok=True)
        out = os.open(log or "/dev/null", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            return self._start(argv, account, cwd, self.environment(account, environment), (null, out, out), service)
        finally:
            os.close(null)
            os.close(out)

    def _run(self, message: Message) -> Message:
        account = accounts.find(message["user"])
        if account is None:
            return _ended(127, f"{message['user']}: no such user on the stage\n")
        prompt_end = -1
        given = base64.b64decode(message.get("stdin", ""))
        stdin, write_end = os.pipe()
        if given:
            threading.Thread(target=_feed, args=(write_end, given), daemon=True).start()
        else:
            prompt_end = write_end
        reading, out = os.pipe()
        extra = message["environment"]
        environment = extra if message.get("bare") else self.environment(account, extra)
        if message.get("bare"):
            environment = {k: v for k, v in self.environment(account, {}).items() if k in ("TZ", "LD_PRELOAD", "FAKETIME", "DONT_FAKE_MONOTONIC")} | extra  # fmt: skip
        try:
            minded = self._start(message["argv"], account, message["cwd"], environment, (stdin, out, out))
        finally:
            os.close(stdin)
            os.close(out)
        self._runs.add(minded.minder)
        started = time.time()
        prompt = processes.Prompt(prompt_end, minded.minder) if prompt_end >= 0 else None
        ended = processes.attend(minded, reading, prompt, message["timeout"])
        duration = time.time() - started
        self._runs.discard(minded.minder)
        minded.close()
        os.close(reading)
        for other in self._adopted.pop(minded.minder, []):
            if ended.timed_out:
                processes.end_tree(other)
        for asked in ended.asked:
            self._tell(event="asked", argv=asked)
        for left in ended.left:
            self._tell(event="left", argv=left)
        wanted, self._reboot = self._reboot, ""
        if wanted:
            self._restart_host(wanted)
        return {
            "exit": ended.exit_code,
            "output": base64.b64encode(ended.output).decode(),
            "printed": ended.printed,
            "timed_out": ended.timed_out,
            "started": started,
            "duration": duration,
        }

    # services

    def _service(self, message: Message) -> Message:
        action, unit = message["action"], message["unit"]
        detail = ""
        if action != "status":
            code, out, err, _ = self.commands_control([action, unit])
            detail = (err or out).strip() if code else ""
        loaded = self.services.load(unit)
        return {
            "known": loaded is not None,
            "active": self.services.active(unit),
            "enabled": self.services.enabled(unit) if loaded is not None else None,
            "detail": detail or ("masked" if loaded is not None and loaded.masked else ""),
        }

    def commands_control(self, arguments: list[str]) -> tuple[int, str, str, str]:
        return Systemctl(self.services, self._acted).run(arguments)

    def _acted(self, unit: str, action: str, outcome: str) -> None:
        self._tell(event="acted", unit=unit, action=action, outcome=outcome)

    def _owned(self, path: str) -> bool:
        """Whether a unit file is production's (or the upgrade's), rather than this machine's alone."""
        mark = self._host_units.get(path) or self._host_units.get(path.removeprefix("/usr"))
        if mark is None:
            return True
        try:
            status = os.lstat(path)
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) != mark

    def _restart_host(self, kind: str) -> None:
        began = time.time()
        for pid in [p for p in processes.parents() if p != 1 and p not in self._runs]:
            if processes.minder_of(pid) == pid and not self._is_service(pid):
                processes.end_tree(pid)
        started = self.services.restart_host(kind == "reboot")
        with contextlib.suppress(ProcessLookupError):
            if kind != "reboot":
                os.kill(-1, signal.SIGKILL)
        self._tell(event="rebooted", kind=kind, units=started, began=began, took=time.time() - began)

    def _is_service(self, pid: int) -> bool:
        return pid in self.services.minders()

    # recorded commands

    def _listen_for_bell(self) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(_BELL)
        os.chmod(_BELL, 0o666)  # noqa: S103 - programs of every user of the stage ring it
        with open(os.open(_BELL, os.O_RDWR), encoding="utf-8", errors="replace") as bell:
            for line in bell:
                pid, _, name = line.strip().partition(" ")
                if pid.isdigit():
                    handler = self._finish if name == "done" else self._meet
                    threading.Thread(target=handler, args=(int(pid), name), daemon=True).start()

    def _meet(self, pid: int, name: str) -> None:
        folder = f"{_ASK}/{pid}"
        try:
            argv = files.small(f"{folder}/argv").split("\0")[:-1]
            stdin = files.small(f"{folder}/stdin") if os.path.lexists(f"{folder}/stdin") else None
            ask = Ask(name, [name, *argv[1:]], pid, os.stat(folder).st_uid, folder, stdin)
        except OSError:
            return
        record: dict[str, Any] = {"argv": ask.argv, "pid": pid, "stdin": bool(stdin), "began": time.time()}
        try:
            reply = self.commands.answer(ask)
        except OSError as error:
            reply = Reply(1, err=f"{name}: {error.filename or ''}: {error.strerror}\n")
        record |= {
            "note": reply.note,
            "unrehearsed": reply.unrehearsed,
            "privilege": reply.privilege,
            "account": reply.account,
        }
        if reply.become is not None:
            reply = self._become(ask, reply, record)
        if reply.reboot:
            record["reboot"] = reply.reboot
        if reply.run is not None:
            self._asked[pid] = record
            files.put(f"{folder}/run", f"{shlex.join(reply.run)}\n")
            self._answer(folder, 0, "run")
            return
        files.put(f"{folder}/out", reply.out)
        files.put(f"{folder}/err", reply.err)
        self._tell(event="command", exit=reply.code, **record)
        minder = processes.minder_of(pid) if reply.reboot else 0
        self._answer(folder, reply.code, "end")
        if reply.reboot:
            self._go_down(reply.reboot, minder)

    def _finish(self, pid: int, _: str) -> None:
        folder = f"{_ASK}/{pid}"
        record = self._asked.pop(pid, None)
        if record is None:
            return
        code = 125
        with contextlib.suppress(OSError, ValueError):
            code = int(files.small(f"{folder}/exit"))
        files.remove_folder(folder)
        self._tell(event="command", exit=code, **record)

    @staticmethod
    def _answer(folder: str, code: int, how: str) -> None:
        for _ in range(500):
            try:
                answer = os.open(f"{folder}/answer", os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError as error:
                if error.errno != 6:  # ENXIO: the stand-in has not opened its end yet
                    return
                time.sleep(0.002)
                continue
            with open(answer, "w") as file:
                file.write(f"{code} {how}\n")
            return

    def _become(self, ask: Ask, reply: Reply, record: dict[str, Any]) -> Reply:
        """Run a program as another user with the stand-in's own standard streams, and wait for it."""
        argv, name, extra = reply.become or ([], "", {})
        account = accounts.find(name)
        if account is None:
            return Reply(1, err=f"{ask.name}: unknown user {name}\n")
        streams: list[int] = []
        try:
            for number in range(3):
                streams.append(ns.take_descriptor(ask.pid, number))
            cwd = os.readlink(f"/proc/{ask.pid}/cwd")
            minder = processes.minder_of(ask.pid)
            minded = self._start(
                argv, account, cwd, self.environment(account, extra), (streams[0], streams[1], streams[2])
            )
        except OSError as error:
            return Reply(1, err=f"{ask.name}: {error.strerror}\n", note="could not be carried on")
        finally:
            for stream in streams:
                os.close(stream)
        self._adopted.setdefault(minder, []).append(minded.minder)
        code, failure = 137, ""
        while "gone" not in (report := minded.report(None) or {}):
            failure = failure or str(report.get("failure", ""))
            if "exit" in report:
                code = int(report["exit"])
                break
        minded.close()
        return Reply(code, err=f"{failure}\n" if failure else "", note=reply.note, privilege=reply.privilege)

    def _go_down(self, how: str, minder: int) -> None:
        kind = how.split()[1] if how.startswith("later") else how
        if how == "cancelled":
            self._reboot = ""
            return
        if minder in self._runs or self._runs:
            self._reboot = kind
            if not how.startswith("later"):
                deadline = time.monotonic() + _GRACE
                while self._runs and time.monotonic() < deadline:
                    time.sleep(0.01)
                for run in list(self._runs):
                    processes.end_tree(run)
        else:
            self._restart_host(kind)

    # small things

    def _real(self, name: str) -> str:
        path = f"/run/fulldress/real/{name}"
        return path if os.path.exists(path) else ""

    def _clock(self, message: Message) -> Message:
        self.shift = float(message["shift"])
        with open("/run/fulldress/clock", "w") as file:
            file.write(f"{round(self.shift)}\n")
        return {}

    def _owner(self, message: Message) -> Message:
        """The command line of the process with this local port, from /proc/net/tcp and its descriptors."""
        return {"argv": snapshots.owner_of(int(message["port"]))}


def _ended(code: int, text: str) -> Message:
    data = base64.b64encode(text.encode()).decode()
    return {
        "exit": code,
        "output": data,
        "printed": len(text),
        "timed_out": False,
        "started": time.time(),
        "duration": 0.0,
    }


def _feed(fd: int, data: bytes) -> None:
    with contextlib.suppress(OSError), open(fd, "wb") as pipe:
        pipe.write(data)


def _open_network(setup: Message, channel: Channel) -> list[str]:
    """Sockets for the outside: sink (IPv4, IPv6), resolver (datagrams, streams), watcher. Sentences on what is lacking."""
    lacks: list[str] = []
    network.loopback_up()
    network.all_addresses_local(socket.AF_INET)
    six = socket.has_ipv6
    try:
        network.all_addresses_local(socket.AF_INET6)
    except OSError as error:
        six = False
        lacks.append(f"IPv6 addresses are not led to the stand-ins ({error.strerror})")
    sink = _listener(socket.AF_INET, "0.0.0.0", 0)  # noqa: S104 - the namespace has no way out
    port = int(sink.getsockname()[1])
    sockets = [sink, _listener(socket.AF_INET, "0.0.0.0", 53)]  # noqa: S104
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO: answer from the address that was asked
    datagrams.bind(("0.0.0.0", 53))  # noqa: S104
    sockets += [datagrams, network.watch()]
    if six:
        sockets.append(_listener(socket.AF_INET6, "::", port))
    redirected = True
    direct = [ipaddress.ip_network(text) for text in setup["refused"]]
    try:
        if not setup["redirect"]:
            raise OSError(95, "not wanted")
        network.redirect(port, direct)
    except OSError as error:
        redirected = False
        lacks.append(f"redirect: {error.strerror}")
    try:
        network.refuse(direct)
    except OSError as error:
        lacks.append(f"refuse: {error.strerror}")
    channel.send(
        {"event": "network", "port": port, "redirected": redirected, "six": six, "at": time.time(), "step": ""},
        [sock.fileno() for sock in sockets],
    )
    for sock in sockets:
        sock.close()
    for number in [] if redirected else setup["ports"]:
        # at every address: the one that was meant is the connection's own. A service that takes the port later fails.
        with contextlib.suppress(OSError):
            sock = _listener(socket.AF_INET, "0.0.0.0", number)  # noqa: S104
            channel.send({"event": "port", "at": time.time(), "step": ""}, [sock.fileno()])
            sock.close()
    return lacks


def _listener(family: int, address: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((address, port))
    sock.listen(512)
    return sock


def _open_addresses(setup: Message, channel: Channel) -> list[str]:
    """Listeners at addresses that can't be redirected: those on loopback, and socket files."""
    lacks: list[str] = []
    for number, (address, port) in enumerate(setup["listen"]):
        try:
            sock = _listener(socket.AF_INET6 if ":" in address else socket.AF_INET, address, port)
        except OSError as error:
            lacks.append(f"{address}:{port} can't be listened at ({error.strerror})")
            continue
        channel.send({"event": "listener", "number": number, "at": time.time(), "step": ""}, [sock.fileno()])
        sock.close()
    for number, path in enumerate(setup["listen_files"]):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(path)
        os.chmod(path, 0o777)  # noqa: S103 - as a server's own socket file is
        sock.listen(128)
        channel.send({"event": "file listener", "number": number, "at": time.time(), "step": ""}, [sock.fileno()])
        sock.close()
    return lacks


def _host_units(layout: dict[str, Any]) -> dict[str, tuple[int, int]]:
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


def main(channel: Channel, setup: Message, locked: list[str]) -> None:
    """Everything from the fork to the end of the stage."""
    ns.die_with_parent()
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    try:
        ns.unshare(ns.CLONE_NEWNS)
        units = _host_units(setup["layout"])
        lacks = overlay.build(setup["layout"], locked)
        if setup["mode"] == "alone":
            accounts.only_root()
        socket.sethostname(setup["hostname"])
        os.umask(0o022)
        lacks += _open_network(setup, channel)
        lacks += _open_addresses(setup, channel)
        ns.hide_memory()
        server = Inside(channel, setup, units)
        server._clock({"shift": setup["shift"]})
        spaces = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in ("user", "net")]
        channel.send({"ready": os.getpid(), "lacks": lacks}, spaces)
        for fd in spaces:
            os.close(fd)
    except OSError as error:
        channel.send({"failed": f"{error.filename or 'set-up'}: {error.strerror}", "errno": error.errno or 5})
        return
    server.serve()
    sys.stderr.flush()
