"""The journal of one run: intent, act, done; keyed by the step's name, pinned to one frozen runbook.

An intent is flushed to the disk before the act begins, its end after the act ended. What lies between at a restart is *in
doubt*, and only the world (the step's probe) or a person settles it. An intent carries who was acting: process id, its
start time, the boot and the control group.

The bytes and metadata of whatever a step is about to change are kept beside the journal, by digest, in a folder that only
its owner can enter.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from fulldress.engine.chain import Chain, Entry
from fulldress.errors import JournalOther, RunbookError

#: How a step stands. ``doubt``: cut off between intent and end; ``undo-doubt``: the same on the way back.
STATES = ("fresh", "doubt", "done", "failed", "undo-doubt", "undone", "undo-failed")

_AFTER = {
    "intent": "doubt",
    "undo-intent": "undo-doubt",
}


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where one step stands, from all its entries."""

    state: str = "fresh"
    gate: str = ""  #: outcome of its last gate
    detail: str = ""
    kept: dict[str, Any] = {}  #: what the step found before it changed anything
    parts: tuple[str, ...] = ()  #: parts of it that are done
    seconds: float = 0.0


class _JournalChain(Chain):
    what = "a journal"


class Journal:
    """``with Journal(path) as journal`` holds the writer's lock until the end of the block."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.chain = _JournalChain(path, read_only=read_only)
        self.folder = path.with_name(path.stem + ".kept")

    def begin(self, frozen: str, venue: str) -> None:
        """Pin the journal to a frozen runbook. Raises :class:`~fulldress.errors.JournalOther` for another one."""
        there = self.frozen
        if there and there != frozen:
            raise JournalOther(path=self.path, there=there[:12], here=frozen[:12])
        if not there:
            self.chain.append("begin", data={"frozen": frozen, "venue": venue})

    @property
    def frozen(self) -> str:
        """Digest of the runbook it is pinned to; empty before it began."""
        return next((str(entry.data["frozen"]) for entry in self.chain.entries("begin")), "")

    @property
    def state(self) -> str:
        """fresh, running, rolling back, rolled back, completed."""
        state = "fresh"
        for entry in self.chain.entries("begin", "rollback", "rolled-back", "completed"):
            state = {
                "begin": "running",
                "rollback": "rolling back",
                "rolled-back": "rolled back",
                "completed": "completed",
            }[entry.kind]
        return state

    def write(self, kind: str, step: str = "", **data: Any) -> Entry:
        return self.chain.append(kind, step, data)

    def intent(self, step: str, token: str, *, undo: bool = False) -> None:
        self.write("undo-intent" if undo else "intent", step, token=token, **acting())

    def position(self, step: str) -> Position:
        """Where ``step`` stands now."""
        state, gate, detail, kept, parts, seconds = "fresh", "", "", dict[str, Any](), list[str](), 0.0
        for entry in self.chain.entries():
            if entry.key != step:
                continue
            if entry.kind in _AFTER:
                state = _AFTER[entry.kind]
            elif entry.kind == "kept":
                kept = kept or entry.data  # what the very first attempt found is what undo restores
            elif entry.kind == "part":
                parts.append(str(entry.data["part"]))
            elif entry.kind in ("done", "undone"):
                ended = entry.data["outcome"] == "pass"
                state = {("done", True): "done", ("done", False): "failed", ("undone", True): "undone"}.get(
                    (entry.kind, ended), "undo-failed"
                )
                detail, seconds = str(entry.data.get("detail", "")), float(entry.data.get("seconds", 0.0))
            elif entry.kind == "gate":
                gate = str(entry.data["outcome"])
            elif entry.kind == "settled":
                state = str(entry.data["state"])
        return Position(state=state, gate=gate, detail=detail, kept=kept, parts=tuple(parts), seconds=seconds)

    def order(self) -> list[str]:
        """Steps in the order in which they were first begun."""
        return list(dict.fromkeys(entry.key for entry in self.chain.entries("intent")))

    def token(self, step: str) -> tuple[str, dict[str, Any]]:
        """Token and acting process of the last intent of ``step``."""
        last = [entry for entry in self.chain.entries("intent", "undo-intent") if entry.key == step][-1]
        return str(last.data["token"]), last.data

    def keep(self, data: bytes) -> str:
        """Store bytes by their digest, flushed to the disk before this returns."""
        digest = hashlib.sha256(data).hexdigest()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        path = self.folder / digest
        if path.exists():
            return digest
        half = self.folder / f".{digest}.{os.getpid()}"
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            half.rename(path)
        except BaseException:
            with suppress(FileNotFoundError):
                half.unlink()
            raise
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return digest

    def kept(self, digest: str) -> bytes:
        """Bytes stored earlier. Raises :class:`~fulldress.errors.RunbookError` when they are not what was stored."""
        path = self.folder / digest
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise RunbookError(f"{path}: the bytes kept for the way back are gone") from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise RunbookError(f"{path}: the bytes kept for the way back were changed")
        return data

    def close(self) -> None:
        self.chain.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def acting() -> dict[str, Any]:
    """Who acts: enough to tell later whether that very process still lives."""
    return {
        "pid": os.getpid(),
        "started": started(os.getpid()),
        "boot": _line("/proc/sys/kernel/random/boot_id"),
        "cgroup": _line("/proc/self/cgroup"),
    }


def started(pid: int) -> int:
    """Start time of a process in clock ticks since boot (field 22 of ``/proc/PID/stat``); 0 when it is gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    fields = words.rpartition(")")[2].split()
    return 0 if fields[0] == "Z" else int(fields[19])


def _line(path: str) -> str:
    try:
        return Path(path).read_text().splitlines()[0]
    except (OSError, IndexError):
        return ""
