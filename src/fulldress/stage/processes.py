"""Starting the vendor's programs inside the stage, and ending them with everything they started.

Standard library only; runs in the stage's first process. Each program gets a *minder*: a process that adopts whatever
the program leaves behind, so that a time-out ends the whole tree and what goes on running is seen.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from fulldress.stage import namespaces as ns

KEPT_OUTPUT = 64 * 1024
_READ_CALL = {"x86_64": "0", "aarch64": "63", "riscv64": "63"}.get(os.uname().machine, "")
_LIMITS = (
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NPROC, 512),
    (resource.RLIMIT_NOFILE, 4096),
    (resource.RLIMIT_FSIZE, 16 << 30),
)


@dataclass(frozen=True)
class User:
    name: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = "/"
    shell: str = "/bin/sh"


@dataclass
class Ended:
    """How a program ended. ``left``: command lines of processes that outlive it; ``asked``: who waited for input."""

    exit_code: int = 0
    output: bytes = b""
    printed: int = 0
    timed_out: bool = False
    asked: list[list[str]] = field(default_factory=list)
    left: list[list[str]] = field(default_factory=list)
    error: str = ""


class Reaper:
    """Collects the children of the first process, also those that nobody there started."""

    def __init__(self) -> None:
        self._more = threading.Event()
        threading.Thread(target=self._run, name="reaper", daemon=True).start()

    def notice(self) -> None:
        self._more.set()

    def _run(self) -> None:
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                self._more.wait()
                self._more.clear()


@dataclass
class Minded:
    """A program with its minder. ``reports``: descriptor on which the minder tells what happens."""

    minder: int
    reports: int
    buffer: bytes = b""

    def report(self, timeout: float | None) -> dict[str, Any] | None:
        """The next report; None on time-out; ``{"gone": True}`` when the minder ended."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while b"\n" not in self.buffer:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self.reports], [], [], left)[0]:
                return None
            data = os.read(self.reports, 4096)
            if not data:
                return {"gone": True}
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        os.close(self.reports)


def start(
    argv: list[str],
    user: User,
    cwd: str,
    environment: dict[str, str],
    streams: tuple[int, int, int],
    *,
    service: bool = False,
    alone: bool = False,
) -> Minded:
    """Fork a minder and in it the program. ``service``: the minder stays while anything of it runs. ``alone``: only
    one user exists in this namespace, so no other can be taken on."""
    reading, writing = os.pipe()
    minder = os.fork()
    if minder:
        os.close(writing)
        return Minded(minder, reading)
    try:
        _mind(argv, user, cwd, environment, streams, writing, service, alone)
    finally:
        os._exit(125)


def _mind(
    argv: list[str],
    user: User,
    cwd: str,
    environment: dict[str, str],
    streams: tuple[int, int, int],
    writing: int,
    service: bool,
    alone: bool,
) -> None:
    def tell(**words: Any) -> None:
        os.write(writing, json.dumps(words).encode() + b"\n")

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    writing_at = 3
    if writing != writing_at:
        os.dup2(writing, writing_at)
    writing = writing_at
    os.set_inheritable(writing, False)
    os.closerange(4, 65536)
    os.setsid()
    ns.adopt_orphans()
    ns.hide_memory()
    failing_read, failing_write = os.pipe()
    program = os.fork()
    if program == 0:
        try:
            _become(argv, user, cwd, environment, alone)
        except OSError as error:
            code = 127 if error.errno == 2 else 126
            os.write(failing_write, json.dumps({"error": f"{error.filename or argv[0]}: {error.strerror}"}).encode())
            os._exit(code)
        finally:
            os._exit(125)
    os.close(failing_write)
    null = os.open("/dev/null", os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    failure = os.read(failing_read, 4096)
    tell(started=program, **(json.loads(failure) if failure else {}))
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            break
        if pid != program:
            continue
        code = os.waitstatus_to_exitcode(status)
        if descendants(os.getpid()):
            time.sleep(
                0.01
            )  # a child that was just forked has its parent's command line until it starts its own program
        left = [command_line(child) for child in descendants(os.getpid())]
        tell(exit=code if code >= 0 else 128 - code, left=left)
        if not service:
            break
        program = -1
    os._exit(0)


def _become(argv: list[str], user: User, cwd: str, environment: dict[str, str], alone: bool) -> None:
    os.setsid()
    try:
        os.chdir(cwd)
    except OSError as error:
        raise OSError(error.errno, f"cannot enter {cwd}: {error.strerror}", argv[0]) from None
    for limit, value in _LIMITS:
        hard = resource.getrlimit(limit)[1]
        chosen = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (chosen, chosen))
    ns.drop_capabilities()
    if not alone:
        os.setgroups(list(user.groups))
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    ns.no_new_privileges()
    os.umask(0o022)
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.execvpe(argv[0], argv, environment)  # noqa: S606 - a shell only where the caller asked for one


def parents() -> dict[int, int]:
    """Every process of the stage with its parent."""
    found: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                with open(f"/proc/{name}/stat", "rb") as stat:
                    text = stat.read()
                fields = text[text.rindex(b")") + 2 :].split()
                if fields[0] != b"Z":
                    found[int(name)] = int(fields[1])
    return found


def descendants(root: int) -> list[int]:
    family = parents()
    found, frontier = [], {root}
    while frontier:
        frontier = {pid for pid, parent in family.items() if parent in frontier}
        found += sorted(frontier)
    return found


def minder_of(pid: int) -> int:
    """The child of the first process that ``pid`` descends from; 0 when it is gone."""
    family = parents()
    while pid in family and family[pid] != 1:
        pid = family[pid]
    return pid if pid in family else 0


def command_line(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return [os.fsdecode(word) for word in file.read().rstrip(b"\0").split(b"\0")]
    except OSError:
        return []


def end_tree(minder: int) -> None:
    """Kill everything below a minder, then the minder. Stopped first, so that nothing can fork ahead of us."""
    for signal_number in (signal.SIGSTOP, signal.SIGKILL):
        for _ in range(100):
            family = descendants(minder)
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal_number)
            if signal_number == signal.SIGSTOP and set(descendants(minder)) <= set(family):
                break
            if not family:
                break
            time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError):
        os.kill(minder, signal.SIGKILL)


class Prompt:
    """Watches for programs that wait at an empty standard input, and ends the wait."""

    def __init__(self, pipe: int, minder: int) -> None:
        self._pipe = pipe
        self._minder = minder
        self._inode = f"pipe:[{os.fstat(pipe).st_ino}]"
        self.asked: list[list[str]] = []
        self.open = True
        self._since = time.monotonic()
        if not _READ_CALL:
            self.close()

    def close(self) -> None:
        if self.open:
            os.close(self._pipe)
            self.open = False

    def look(self) -> None:
        if not self.open:
            return
        for pid in descendants(self._minder):
            try:
                with open(f"/proc/{pid}/syscall") as file:
                    words = file.read().split()
                if words[0] == _READ_CALL and os.readlink(f"/proc/{pid}/fd/{int(words[1], 16)}") == self._inode:
                    self.asked.append(command_line(pid))
            except (OSError, IndexError, ValueError):
                continue
        if self.asked or time.monotonic() - self._since > 30:
            self.close()


def attend(minded: Minded, output: int, prompt: Prompt | None, timeout: float) -> Ended:
    """Wait for a program's end, keeping the last of its output. On time-out everything it started is killed."""
    ended = Ended()
    deadline = time.monotonic() + timeout
    tail = bytearray()
    finished = False
    os.set_blocking(output, False)
    waiting = [minded.reports, output]
    pause = 0.03
    while not finished:
        left = deadline - time.monotonic()
        if left <= 0:
            ended.timed_out = True
            ended.exit_code = 124
            end_tree(minded.minder)
            break
        watching = prompt is not None and prompt.open
        ready = select.select(waiting, [], [], min(left, pause) if watching else left)[0]
        if watching and prompt is not None and not ready:
            prompt.look()
            pause = min(0.5, pause * 1.1)
        if output in ready and not _drain(output, tail, ended):
            waiting.remove(output)
        if minded.reports in ready:
            report = minded.report(0)
            if report is None:
                continue
            if "exit" in report:
                ended.exit_code, ended.left = int(report["exit"]), report["left"]
                finished = True
            elif report.get("gone"):
                ended.exit_code = 137
                finished = True
            ended.error = ended.error or str(report.get("error", ""))
    if prompt is not None:
        prompt.close()
        ended.asked = prompt.asked
    for _ in range(64):
        if not _drain(output, tail, ended, once=True):
            break
    if ended.left:
        _swallow(os.dup(output))
    if ended.error:
        tail += f"{ended.error}\n".encode(errors="surrogateescape")
    ended.output = bytes(tail[-KEPT_OUTPUT:])
    return ended


def _swallow(output: int) -> None:
    """Keep reading for what goes on running, or its next line of output would end it."""

    def read() -> None:
        with contextlib.suppress(OSError), open(output, "rb", 0) as stream:
            while stream.read(1 << 16):
                pass

    os.set_blocking(output, True)
    threading.Thread(target=read, daemon=True).start()


def _drain(output: int, tail: bytearray, ended: Ended, once: bool = False) -> bool:
    """Read what is there. False at the end of the stream, or with ``once`` when nothing is there."""
    try:
        data = os.read(output, 1 << 16)
    except BlockingIOError:
        return not once
    except OSError:
        return False
    tail += data
    ended.printed += len(data)
    if len(tail) > 2 * KEPT_OUTPUT:
        del tail[:-KEPT_OUTPUT]
    return bool(data)
