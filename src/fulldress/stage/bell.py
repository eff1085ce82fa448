"""The bell that stand-ins for commands ring: each ring is met, answered, and told to the outside.

Standard library only; runs in the stage's first process. A stand-in (:mod:`fulldress.stage.shims`) writes its arguments
into a folder of its own, rings, and waits for the answer; what the answer is says :mod:`fulldress.stage.commands`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import threading
import time
from collections.abc import Callable
from typing import Any

from fulldress.stage import accounts, files, processes
from fulldress.stage import namespaces as ns
from fulldress.stage.commands import Ask, Commands, Reply
from fulldress.stage.host import Host
from fulldress.stage.programs import Programs

_ASK = "/run/fulldress/ask"
_BELL = "/run/fulldress/bell"
#: How long the end of a step waits for what its commands told (seconds).
_PATIENCE = 10.0


class Bell:
    """``tell`` reports what happened to the outside."""

    def __init__(self, commands: Commands, programs: Programs, host: Host, tell: Callable[..., None]) -> None:
        self._commands = commands
        self._programs = programs
        self._host = host
        self._tell = tell
        self._asked: dict[int, dict[str, Any]] = {}
        self._marks: dict[str, threading.Event] = {}
        with contextlib.suppress(FileExistsError):
            os.mkfifo(_BELL)
        os.chmod(_BELL, 0o666)  # noqa: S103 - programs of every user of the stage ring it
        self._fd = os.open(_BELL, os.O_RDWR)

    def listen(self) -> None:
        """Meet whoever rings, for as long as the stage stands."""
        with open(self._fd, encoding="utf-8", errors="replace", closefd=False) as bell:
            for line in bell:
                pid, _, name = line.strip().partition(" ")
                if pid.isdigit() and name == "done":
                    self._finish(int(pid))
                elif pid.isdigit():
                    threading.Thread(target=self._meet, args=(int(pid), name), daemon=True).start()
                elif (mark := self._marks.pop(name, None)) is not None:
                    mark.set()

    def settle(self) -> None:
        """Return when everything that commands of ended programs rang for has been told to the outside.

        The bell keeps the order, so a mark of our own comes after every ring of a command that has ended. Commands that
        were killed before they could ring are told as such."""
        name = os.urandom(16).hex()
        mark = self._marks[name] = threading.Event()
        threading.Thread(target=os.write, args=(self._fd, f"mark {name}\n".encode()), daemon=True).start()
        if not mark.wait(_PATIENCE):
            self._marks.pop(name, None)
        living = processes.parents()
        for pid in [pid for pid in list(self._asked) if pid not in living]:
            self._finish(pid)

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
            reply = self._commands.answer(ask)
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
            self._answer(folder, pid, 0, "run")
            return
        files.put(f"{folder}/out", reply.out)
        files.put(f"{folder}/err", reply.err)
        self._tell(event="command", exit=reply.code, **record)
        minder = processes.minder_of(pid) if reply.reboot else 0
        self._answer(folder, pid, reply.code, "end")
        if reply.reboot:
            self._host.go_down(reply.reboot, minder)

    def _finish(self, pid: int) -> None:
        folder = f"{_ASK}/{pid}"
        record = self._asked.pop(pid, None)
        if record is None:
            return
        code = 137  # what a killed command ends with
        with contextlib.suppress(OSError, ValueError):
            code = int(files.small(f"{folder}/exit"))
        files.remove_folder(folder)
        self._tell(event="command", exit=code, **record)

    @staticmethod
    def _answer(folder: str, pid: int, code: int, how: str) -> None:
        """Tell a stand-in how to go on. It may take its time to open its end of the pipe; one that is gone is left."""
        while True:
            try:
                answer = os.open(f"{folder}/answer", os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError as error:
                if error.errno != errno.ENXIO or not os.path.exists(f"/proc/{pid}"):
                    return
                time.sleep(0.002)
                continue
            with contextlib.suppress(BrokenPipeError), open(answer, "w") as file:
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
            minded = self._programs.start(
                argv, account, cwd, self._programs.environment(account, extra), (streams[0], streams[1], streams[2])
            )
        except OSError as error:
            return Reply(1, err=f"{ask.name}: {error.strerror}\n", note="could not be carried on")
        finally:
            for stream in streams:
                os.close(stream)
        self._programs.adopted.setdefault(minder, []).append(minded.minder)
        code, failure = 137, ""
        while "gone" not in (report := minded.report(None) or {}):
            failure = failure or str(report.get("error", ""))
            if "exit" in report:
                code = int(report["exit"])
                break
        minded.close()
        return Reply(code, err=f"{failure}\n" if failure else "", note=reply.note, privilege=reply.privilege)
