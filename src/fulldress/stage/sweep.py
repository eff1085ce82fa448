"""Scratch folders of stages and rehearsals, and removing those whose owner was killed.

A folder's name carries the pid of its owner and the tick at which that process started, so that a pid that was given out
again is not taken for the owner."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from fulldress.patterns import regex

_NAME = regex(r"^fulldress(?:-stage)?-(\d+)-(\d+)-")


def started(pid: int) -> int:
    """Clock tick at which a process started; 0 when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    return int(text[text.rindex(b")") + 2 :].split()[19])


def new_folder(scratch: Path, kind: str = "fulldress-stage") -> Path:
    """A fresh folder below ``scratch`` that :func:`sweep` will know."""
    scratch.mkdir(parents=True, exist_ok=True)
    pid = os.getpid()
    folder = Path(tempfile.mkdtemp(prefix=f"{kind}-{pid}-{started(pid)}-", dir=scratch))
    folder.chmod(0o711)
    return folder


def sweep(scratch: Path) -> list[Path]:
    """Remove folders below ``scratch`` whose owner has ended. Returns those that were removed."""
    removed = []
    with contextlib.suppress(OSError):
        for entry in list(scratch.iterdir()):
            match = _NAME.match(entry.name)
            if match and started(int(match[1])) != int(match[2]) and entry.is_dir() and not entry.is_symlink():
                remove(entry)
                if not entry.exists():
                    removed.append(entry)
    return removed


def remove(folder: Path) -> None:
    """Remove a tree whatever the modes of its folders are. Links are not followed."""
    shutil.rmtree(folder, ignore_errors=True)
    if not os.path.lexists(folder):
        return
    for path, folders, _ in os.walk(folder):
        for name in folders:
            inner = os.path.join(path, name)
            if not os.path.islink(inner):
                with contextlib.suppress(OSError):
                    os.chmod(inner, 0o700)
    shutil.rmtree(folder, ignore_errors=True)
