"""Starts the child in which libarchive reads (:mod:`.libarchive`), takes its frames, and ends it whatever happens."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from fulldress.package.archives.streams import CHUNK, Slice

SECONDS = 300  #: of processor time for one container
SILENCE = 120.0  #: seconds without a frame
MEMORY = 512 << 20  #: bytes of address space
_FRAME = struct.Struct(">cI")
_LARGEST = 1 << 24  #: bytes of one frame


class Unable(Exception):
    """The child could not be started, or ended before its time. The message says why, in words for a person."""


class OutOfBudget(Unable):
    """It took more time or memory than it is given."""


def library() -> str:
    """Path of the library inside ``archi``. Raises :class:`Unable`."""
    found = importlib.util.find_spec("archi")
    if found is None or not found.origin:
        raise Unable("the package archi, which brings libarchive, is not installed")
    return found.origin


class Child:
    """A container that libarchive reads in a process of its own. Close it after use.

    ``how``: ``read`` gives members and bytes, ``list`` members, ``hash`` members and digests. ``output``: a file for the
    frames, in place of the pipe. ``others``: further containers of the same file, start, length and kind of each."""

    def __init__(
        self,
        source: BinaryIO,
        kind: str,
        how: str,
        output: BinaryIO | None = None,
        others: Sequence[tuple[int, int, str]] = (),
    ) -> None:
        self._held: BinaryIO | None = None
        file, start, length = self._place(source)
        jobs = [f"{at}:{size}:{kinds}" for at, size, kinds in ((start, length, kind), *others)]
        program = Path(__file__).with_name("libarchive.py")
        words = [
            sys.executable, "-I", "-S", str(program), library(), str(file.fileno()), how, str(SECONDS), str(MEMORY), *jobs
        ]  # fmt: skip
        self._buffer = b""
        self._begun = time.monotonic()
        try:
            self.process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output or subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(file.fileno(),),
                env={"LC_ALL": "C.UTF-8"},
                bufsize=0,
            )
        except OSError as error:
            self.close()
            raise Unable(f"its reader could not be started ({error.strerror})") from error

    def _place(self, source: BinaryIO) -> tuple[BinaryIO, int, int]:
        """A file with a descriptor, and which part of it the container is."""
        found = place(source)
        if found is None:
            self._held = cast(BinaryIO, tempfile.TemporaryFile(prefix="fulldress-"))  # noqa: SIM115 - closed by close()
            source.seek(0)
            while chunk := source.read(CHUNK):
                self._held.write(chunk)
            self._held.flush()
            return self._held, 0, self._held.tell()
        return found

    def frame(self) -> tuple[bytes, bytes]:
        """The next frame. Raises :class:`Unable` where none comes."""
        letter, size = _FRAME.unpack(self._exactly(_FRAME.size))
        if size > _LARGEST:
            raise Unable("its reader sent what is no answer")
        return letter, self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        pipe = self.process.stdout
        while len(self._buffer) < size:
            if pipe is None or not select.select([pipe], [], [], SILENCE)[0]:
                raise OutOfBudget(f"its reader said nothing for {SILENCE:g} s")
            more = os.read(pipe.fileno(), CHUNK)
            if not more:
                raise self.failure()
            self._buffer += more
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def failure(self) -> Unable:
        """Why the child ended."""
        code = self.process.wait()
        if code == -signal.SIGXCPU or code == -signal.SIGKILL:
            return OutOfBudget(f"its reader took more than {SECONDS} s of processor time")
        if code == 3:
            return OutOfBudget(f"its reader would need more than {MEMORY >> 20} MiB of memory")
        if code < 0:
            return Unable(f"its reader crashed ({signal.Signals(-code).name})")
        return Unable(f"its reader ended with exit code {code}")

    def close(self) -> None:
        """End the child, if it still runs."""
        process = getattr(self, "process", None)
        if process is not None:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if self._held is not None:
            self._held.close()


def place(source: BinaryIO) -> tuple[BinaryIO, int, int] | None:
    """The file with a descriptor in which these bytes lie, where, and how many; None where there is no such file."""
    start, length, file = 0, -1, source
    while isinstance(file, Slice):
        inner, at, size = file.place()
        start, length, file = start + at, size if length < 0 else length, inner
    try:
        file.fileno()
        if file.writable():
            file.flush()
    except (OSError, io.UnsupportedOperation):
        return None
    return file, start, file.seek(0, os.SEEK_END) if length < 0 else length


def decoded(body: bytes) -> Any:
    """The JSON of a frame. Raises :class:`Unable`."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise Unable("its reader sent what is no answer") from error
