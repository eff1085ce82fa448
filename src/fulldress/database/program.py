"""A program that works on a copy: started, ended with all that it started, and its outcome, whichever engine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from fulldress.errors import ProgramNotFound
from fulldress.findings import Outcome


def carry_out(
    words: Sequence[str], limit: float | None, folder: Path | None, environment: Mapping[str, str]
) -> int | None:
    """The program's exit code; None where its time was over. Its words go where ours go.

    Raises :class:`ProgramNotFound`."""
    try:
        process = subprocess.Popen(list(words), cwd=folder, env=dict(environment), start_new_session=True)
    except OSError as error:
        raise ProgramNotFound(words[0], error.strerror or str(error)) from error
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)


def outcome(code: int | None, limit: float | None) -> tuple[Outcome, str]:
    """What an exit code means, and in which words."""
    if code is None:
        return Outcome.FAIL, f"it did not end within {limit:g} s, and was ended"
    if code:
        return Outcome.FAIL, f"exit code {code}" if code > 0 else f"ended by signal {-code}"
    return Outcome.PASS, ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and what it has started; first politely."""
    for number, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 10.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    process.wait()
