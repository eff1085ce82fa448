"""What migrates, files or a program, started against a tap: so that it can be started twice, held, and killed.

Both kinds come through the tap, so that everything that is tried on one is tried on the other in the same way.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from fulldress.database.postgres import programs
from fulldress.database.postgres.clone import RUNNER, Clone
from fulldress.database.postgres.runner import Runner
from fulldress.database.postgres.server import PORT
from fulldress.database.postgres.split import split
from fulldress.database.postgres.tap import Tap
from fulldress.database.postgres.wire import Connection
from fulldress.errors import DatabaseError, ProgramNotFound
from fulldress.findings import Outcome


class Ended(NamedTuple):
    """``done``: how many files ran to their end (of a program: 0). Outcome unknown: it was refused, or never came."""

    outcome: Outcome
    error: str
    done: int = 0

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.PASS


class Running(Protocol):
    """Something that was started."""

    @property
    def over(self) -> bool:
        """Whether it has ended by itself or was killed."""

    def kill(self) -> None:
        """End it as a power cut would: it gets no chance to react. Its sessions are the caller's to end."""

    def wait(self, limit: float | None) -> Ended:
        """Until its end; after ``limit`` seconds it is killed, and that is its outcome."""


class Job(Protocol):
    """What can be started, any number of times."""

    @property
    def name(self) -> str:
        """As a person calls it."""

    def start(self, clone: Clone, tap: Tap) -> Running:
        """Begin. Raises :class:`ProgramNotFound`."""

    def rest(self, done: int) -> Job:
        """What a person would start again when ``done`` files were through: the file that was cut off, and those after
        it; a program as a whole."""

    def place(self, text: str) -> tuple[str, int]:
        """File and line at which a statement stands; the job's own name and 0 where that is not known."""


@dataclass(frozen=True)
class Files:
    """SQL files (name and text), in order, each over a session of its own, as ``psql -v ON_ERROR_STOP=1 -f`` runs them."""

    scripts: Sequence[tuple[str, str]]
    siblings: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        names = [name for name, _ in self.scripts]
        return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}" if names else ""

    def start(self, clone: Clone, tap: Tap) -> Running:
        return _RunningFiles(self, clone, tap)

    def rest(self, done: int) -> Files:
        return Files(self.scripts[done:], {**self.siblings, **dict(self.scripts)})

    def place(self, text: str) -> tuple[str, int]:
        for name, script in self.scripts if text else ():
            for piece in split(script, name, {**self.siblings, **dict(self.scripts)}):
                if piece.text.strip() == text.strip():
                    return piece.file, piece.line
        return (self.scripts[0][0] if self.scripts else "", 0)


class _RunningFiles:
    def __init__(self, files: Files, clone: Clone, tap: Tap) -> None:
        self._files, self._clone, self._tap = files, clone, tap
        self._ended: Ended | None = None
        self._killed = False
        self._thread = threading.Thread(target=self._work, name="fulldress-files", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        siblings = {**self._files.siblings, **dict(self._files.scripts)}
        done = 0
        try:
            for name, text in self._files.scripts:
                if self._killed:
                    break
                with Connection(
                    self._tap.folder, PORT, user=self._clone.role, database=self._clone.name, application=RUNNER
                ) as line:
                    run = Runner(line).run(text, name=name, step="", siblings=siblings).run
                if run.outcome is not Outcome.PASS:
                    self._ended = Ended(run.outcome, run.error, done)
                    return
                done += 1
            self._ended = Ended(Outcome.PASS, "", done)
        except DatabaseError as error:
            self._ended = Ended(Outcome.FAIL, str(error), done)

    @property
    def over(self) -> bool:
        return not self._thread.is_alive()

    def kill(self) -> None:
        self._killed = True

    def wait(self, limit: float | None) -> Ended:
        self._thread.join(limit)
        if self._thread.is_alive():
            self.kill()
            end_sessions(self._clone, self._tap)
            self._thread.join(20)
            return Ended(Outcome.FAIL, f"it did not end within {limit:g} s, and was ended")
        return self._ended or Ended(Outcome.UNKNOWN, "it ended without a word")


@dataclass(frozen=True)
class Program:
    """A command. What it writes is kept for its last words alone."""

    words: Sequence[str]
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return Path(self.words[0]).name

    def start(self, clone: Clone, tap: Tap) -> Running:
        return _RunningProgram(self, clone, tap)

    def rest(self, done: int) -> Program:
        return self

    def place(self, text: str) -> tuple[str, int]:
        return self.name, 0


class _RunningProgram:
    def __init__(self, program: Program, clone: Clone, tap: Tap) -> None:
        there = programs.address(clone, tap)
        words = [there.fill(word) for word in program.words]
        self._clone, self._tap = clone, tap
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - closed in wait
        try:
            self._process = subprocess.Popen(
                words,
                cwd=program.folder,
                env={**programs.surroundings(there), **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=self._out,
                stderr=self._out,
                start_new_session=True,
            )
        except OSError as error:
            self._out.close()
            raise ProgramNotFound(words[0], error.strerror or str(error)) from error

    @property
    def over(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self, limit: float | None) -> Ended:
        try:
            code = self._process.wait(limit)
        except subprocess.TimeoutExpired:
            return Ended(Outcome.FAIL, f"it did not end within {limit:g} s, and was ended")
        finally:
            self.kill()  # and what it has left running
            self._process.wait()
            said = self._said()
        if code == 0:
            came = bool(self._tap.sessions)
            return Ended(Outcome.PASS, "") if came else Ended(Outcome.UNKNOWN, "it never connected to the copy")
        how = f"exit code {code}" if code > 0 else f"ended by signal {-code}"
        return Ended(Outcome.FAIL, f"{how}: {said}" if said else how)

    def _said(self) -> str:
        """The last error that the server gave it, else the last line that it wrote."""
        try:
            size = self._out.seek(0, os.SEEK_END)
            self._out.seek(max(size - 4096, 0))
            lines = self._out.read().decode("utf-8", "replace").splitlines()
        finally:
            self._out.close()
        pids = {session.pid for session in self._tap.sessions}
        refused = [one.error for one in self._clone.trace.statements if one.pid in pids and one.error]
        return refused[-1] if refused else next((line.strip() for line in reversed(lines) if line.strip()), "")


def end_sessions(clone: Clone, tap: Tap, patience: float = 10.0) -> None:
    """End every session that came through the tap, and wait until the server knows that they have gone."""
    pids = ", ".join(str(session.pid) for session in tap.sessions if session.pid)
    if not pids:
        return
    with clone.server.session("postgres") as line:
        there = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN ({pids}) AND datname IS NOT NULL"
        pause, waited = threading.Event(), 0.0
        while line.rows(there) and waited < patience:
            pause.wait(0.003)
            waited += 0.003
