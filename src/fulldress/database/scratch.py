"""A folder for copies that need no server of their own; gone when fulldress is gone.

A guard process keeps a pipe from fulldress open; when the pipe closes, by whatever death, the guard deletes the folder.
:func:`fulldress.database.records.sweep` is the second net.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from fulldress.database import places, records
from fulldress.errors import NoSpace

_MEBI = 1 << 20
_GUARD = 'read -r _; rm -rf -- "$0"'


class Scratch:
    """A private folder below ``parent`` (the temporary folder), as a context manager; ``need`` in bytes.

    It is a folder of a disk, not of memory: an engine that waits for its disk at every commit waits here, too."""

    def __init__(self, parent: Path | None = None, *, need: int = 64 * _MEBI) -> None:
        self._parent = parent or Path(tempfile.gettempdir())
        self._need = need
        self._guard: subprocess.Popen[bytes] | None = None
        self._record: Path | None = None
        self.folder = Path()

    def __enter__(self) -> Scratch:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> Scratch:
        """Raises :class:`NoSpace`."""
        records.sweep()
        free = shutil.disk_usage(self._parent).free
        if free < self._need:
            raise NoSpace(self._need // _MEBI, self._parent, free // _MEBI)
        folder = self._parent / f"fulldress-{secrets.token_hex(6)}"
        folder.mkdir(mode=0o700)
        self.folder = folder
        try:
            self._record = records.write(folder, Path(), 0)
            self._guard = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=places.environment(),
                start_new_session=True,
            )
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Delete everything. May be called twice."""
        guard, self._guard = self._guard, None
        if guard is not None:
            assert guard.stdin is not None  # noqa: S101
            guard.stdin.close()
            guard.wait()
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._record is not None:
            self._record.unlink(missing_ok=True)
            self._record = None
