"""The outside's end of a stage: starts the keeper, asks the first process, receives its events."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

import fulldress
from fulldress.errors import StageError
from fulldress.stage.channel import Channel

_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(3)); sys.dont_write_bytecode = True; "
    "from fulldress.stage.keeper import main; main()"
)


class StageGone(StageError):
    """the stage ended while {0} was under way. {1}"""


class Link:
    """Starts the stage and talks with it. ``on_event(event, descriptors)`` is called in the receiving thread."""

    def __init__(self, setup: dict[str, Any], on_event: Callable[[dict[str, Any], list[int]], None]) -> None:
        mine, theirs = socket.socketpair()
        self._errors = Path(setup["hub"]) / "keeper.err"
        self._on_event = on_event
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[tuple[dict[str, Any], list[int]]]] = {}
        self._ready: Future[tuple[dict[str, Any], list[int]]] = Future()
        self._gone = False
        with self._errors.open("wb") as errors:
            source = str(Path(fulldress.__file__).parent.parent)
            self.keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _START, str(theirs.fileno()), str(os.getpid()), source],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env={"PATH": os.environ.get("PATH", os.defpath)},
            )
        theirs.close()
        self._channel = Channel(mine)
        self._channel.send(setup)
        self._thread = threading.Thread(target=self._receive, name="stage events", daemon=True)
        self._thread.start()

    def wait_ready(self, timeout: float = 20) -> tuple[dict[str, Any], list[int]]:
        """The first process' greeting with its user and network namespace. Raises :class:`StageError`."""
        try:
            message, fds = self._ready.result(timeout)
        except FutureTimeout:
            raise StageError(f"the stage was not ready within {timeout:g} s") from None
        if "failed" in message:
            raise StageFailed(message["failed"], message.get("errno", 0))
        return message, fds

    def _receive(self) -> None:
        while (received := self._channel.receive()) is not None:
            message, fds = received
            if "event" in message:
                self._on_event(message, fds)
            elif "ready" in message or "failed" in message:
                if not self._ready.done():
                    self._ready.set_result((message, fds))
            else:
                waiting = self._waiting.pop(message["id"], None)
                if waiting is not None:
                    waiting.set_result((message, fds))
        self._gone = True
        if not self._ready.done():
            self._ready.set_result(({"failed": self._last_words()}, []))
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(StageGone("a request", self._last_words()))

    def _last_words(self) -> str:
        try:
            lines = self._errors.read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1] if lines else "its first process said nothing more"

    def ask(self, op: str, within: float | None = 60, **message: Any) -> dict[str, Any]:
        """One request and its answer. An error inside becomes the same :class:`OSError` here."""
        return self.ask_with_descriptors(op, within, **message)[0]

    def ask_with_descriptors(
        self, op: str, within: float | None = 60, **message: Any
    ) -> tuple[dict[str, Any], list[int]]:
        number = next(self._numbers)
        future: Future[tuple[dict[str, Any], list[int]]] = Future()
        self._waiting[number] = future
        if self._gone:
            raise StageGone(op, self._last_words())
        try:
            self._channel.send({"id": number, "op": op, **message})
        except OSError:
            raise StageGone(op, self._last_words()) from None
        answer, fds = future.result(within)
        if "error" in answer:
            raise OSError(int(answer["errno"]), answer["error"], answer["path"] or message.get("path") or op)
        return answer, fds

    def close(self) -> None:
        """End the stage and everything on it; waits until the kernel has taken it down."""
        with contextlib.suppress(OSError):
            self._channel.send({"op": "end"})
        try:
            self.keeper.wait(5)
        except subprocess.TimeoutExpired:
            self.keeper.kill()
            self.keeper.wait(5)
        self._thread.join(5)
        self._channel.close()


class StageFailed(StageError):
    """this machine cannot set up a stage: {0}. "fulldress doctor" tells what is missing and how to get it."""

    @property
    def errno(self) -> int:
        return int(self.args[1])
