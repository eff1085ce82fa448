"""The vendor's programs on the stage: an environment and nothing of ours, a start, and an answer when they ended.

Standard library only; runs in the stage's first process.
"""

from __future__ import annotations

import base64
import contextlib
import os
import threading
import time
from collections.abc import Callable

from fulldress.stage import accounts, processes
from fulldress.stage.channel import Message

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Programs:
    """``faketime``: name of the library that shifts clocks, or empty. ``tell`` reports what happened to the outside."""

    def __init__(self, zone: str, faketime: str, tell: Callable[..., None]) -> None:
        self.shift = 0.0  #: seconds that the stage's clock is ahead
        self.running: set[int] = set()  #: minders of the steps that are under way
        self.adopted: dict[int, list[int]] = {}  #: minder of a step -> minders of what it runs as other users
        self._zone = zone
        self._faketime = faketime
        self._tell = tell
        self._reaper = processes.Reaper()

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
        if self._zone:
            found["TZ"] = self._zone
        if self.shift and self._faketime:
            found |= {
                "LD_PRELOAD": f"/run/fulldress/real/{self._faketime}",
                "FAKETIME": f"{self.shift:+f}",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }
        return found | extra

    def start(self, argv: list[str], user: processes.User, cwd: str, environment: dict[str, str],
               streams: tuple[int, int, int], service: bool = False) -> processes.Minded:  # fmt: skip
        minded = processes.start(argv, user, cwd, environment, streams, service=service, alone=accounts.alone())
        self._reaper.notice()
        return minded

    def spawn_service(self, argv: list[str], user: str, cwd: str, environment: dict[str, str], log: str,
                       service: bool) -> processes.Minded:  # fmt: skip
        account = accounts.find(user) or processes.User("root", 0, 0, (0,), "/root")
        null = os.open("/dev/null", os.O_RDONLY)
        os.makedirs("/run/fulldress/log", exist_ok=True)
        out = os.open(log or "/dev/null", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            return self.start(argv, account, cwd, self.environment(account, environment), (null, out, out), service)
        finally:
            os.close(null)
            os.close(out)

    def run(self, message: Message) -> Message:
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
            minded = self.start(message["argv"], account, message["cwd"], environment, (stdin, out, out))
        finally:
            os.close(stdin)
            os.close(out)
        self.running.add(minded.minder)
        started = time.time()
        prompt = processes.Prompt(prompt_end, minded.minder) if prompt_end >= 0 else None
        ended = processes.attend(minded, reading, prompt, message["timeout"])
        duration = time.time() - started
        self.running.discard(minded.minder)
        minded.close()
        os.close(reading)
        for other in self.adopted.pop(minded.minder, []):
            if ended.timed_out:
                processes.end_tree(other)
        for asked in ended.asked:
            self._tell(event="asked", argv=asked)
        for left in ended.left:
            self._tell(event="left", argv=left)
        return {
            "exit": ended.exit_code,
            "output": base64.b64encode(ended.output).decode(),
            "printed": ended.printed,
            "timed_out": ended.timed_out,
            "started": started,
            "duration": duration,
        }


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
