"""Run a program, or an entry of the package, unmodified."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import PurePosixPath

from fulldress.engine.acts.act import Act, Context, Done, last_line
from fulldress.engine.venue import Metadata, Result
from fulldress.errors import RunbookError
from fulldress.findings import Outcome
from fulldress.runbook.steps import Command, Script

#: Where an entry is put when the venue has no folder with the whole package.
ENTRIES = "/var/lib/fulldress/entries"

_BY_SUFFIX = {".sh": ("/bin/sh",), ".bash": ("/bin/bash",), ".py": ("python3",), ".pl": ("perl",)}


class RunCommand(Act[Command]):
    def do(self, step: Command, at: Context) -> Done:
        return self._run(step, step.argv, at)

    def undoes(self, step: Command) -> bool:
        return bool(step.undo)

    def undo(self, step: Command, at: Context) -> Done:
        return self._run(step, step.undo, at)

    def _run(self, step: Command, argv: tuple[str, ...], at: Context) -> Done:
        result = at.venue.run(
            argv,
            step=step.name,
            user=step.user,
            cwd=step.cwd,
            environment=step.environment | at.environment,
            timeout=timedelta(seconds=step.timeout),
        )
        return ended(result, 0, step.timeout)


class RunScript(Act[Script]):
    def do(self, step: Script, at: Context) -> Done:
        return self._run(step, step.sha256, step.package_path, step.arguments, step.expect_exit, at)

    def undoes(self, step: Script) -> bool:
        return bool(step.undo_sha256)

    def undo(self, step: Script, at: Context) -> Done:
        return self._run(step, step.undo_sha256, step.undo_path, (), 0, at)

    def _run(
        self, step: Script, sha256: str, path: str, arguments: tuple[str, ...], expected: int, at: Context
    ) -> Done:
        data = at.entries(sha256)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise RunbookError(f"{path}: the package gives other bytes than the runbook names; nothing was run")
        place = _place(path, sha256, data, at)
        result = at.venue.run(
            (*(step.interpreter or interpreter(path, data)), place, *arguments),
            step=step.name,
            user=step.user,
            cwd=_folder(place, path, at.venue.package_root),
            environment=step.environment | at.environment,
            timeout=timedelta(seconds=step.timeout),
        )
        return ended(result, expected, step.timeout)


def interpreter(path: str, data: bytes) -> tuple[str, ...]:
    """What runs a script: its first line, read as the kernel reads it, else its suffix."""
    first = data.split(b"\n", 1)[0].rstrip(b"\r")
    if first.startswith(b"#!"):
        words = first[2:].decode(errors="replace").strip().split(None, 1)
        if words:
            return tuple(words)
    known = _BY_SUFFIX.get(PurePosixPath(path).suffix)
    if known is None:
        raise RunbookError(f'{path}: no "#!" line tells what runs it. Set "interpreter" in its step')
    return known


def ended(result: Result, expected: int, timeout: float) -> Done:
    """A result against the exit code that is expected."""
    if result.timed_out:
        return Done(Outcome.FAIL, f"no end within {timeout:.0f} s; it was ended")
    words = last_line(result.output)
    if result.exit_code != expected:
        return Done(Outcome.FAIL, f"exit {result.exit_code}" + (f": {words}" if words else ""))
    return Done(Outcome.PASS, words)


def _place(path: str, sha256: str, data: bytes, at: Context) -> str:
    """Where the script stands at the venue: among its siblings if its very bytes are there, else alone."""
    root = at.venue.package_root
    if root:
        place = f"{root.rstrip('/')}/{path.replace('!/', '/')}"
        there = at.venue.stat(place)
        if there is not None and there.type == "file":
            if hashlib.sha256(at.venue.read(place)).hexdigest() == sha256:
                return place
            raise RunbookError(f"{place}: other bytes than the runbook names; nothing was run")
    place = f"{ENTRIES}/{sha256}"
    meta = Metadata(type="file", mode=0o700, uid=0, gid=0, size=len(data), mtime_ns=0)
    at.venue.write(place, data, meta)
    return place


def _folder(place: str, path: str, root: str) -> str:
    """Vendors say "unpack it and change into it": the package's folder, or its only top folder."""
    if not root or not place.startswith(root):
        return "/"
    parts = path.replace("!/", "/").split("/")
    return f"{root.rstrip('/')}/{parts[0]}" if len(parts) > 2 else root
