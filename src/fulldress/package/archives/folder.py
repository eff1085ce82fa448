"""A plain folder as a container. Links are not followed, not even the one that leads to the folder's own inside."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from fulldress.facts import Reason
from fulldress.package.archives import Gap, Offer
from fulldress.package.archives.streams import CHUNK


def members(folder: Path) -> Iterator[Offer | Gap]:
    """Everything below ``folder``, sorted by path."""
    yield from _below(folder, "")


def _below(folder: Path, prefix: str) -> Iterator[Offer | Gap]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Gap(reason=Reason.UNREACHABLE, name=prefix.rstrip("/"), detail=str(error.strerror))
        return
    for entry in entries:
        path, name = Path(entry.path), prefix + entry.name
        state = entry.stat(follow_symlinks=False)
        offer = Offer(
            name=name,
            shape=_shape(state.st_mode),
            size=state.st_size if stat.S_ISREG(state.st_mode) else 0,
            packed=state.st_size,
            modified=datetime.fromtimestamp(int(state.st_mtime), UTC),
            mode=stat.S_IMODE(state.st_mode),
            link=str(path.readlink()) if entry.is_symlink() else "",
        )
        if offer.shape == "file":
            if not os.access(path, os.R_OK):
                offer.closed = (Reason.UNREACHABLE, "permission denied")
            else:
                offer.chunks = lambda path=path: _content(path)  # type: ignore[misc]
                offer.again = offer.chunks
        yield offer
        if offer.shape == "folder":
            yield from _below(path, name + "/")


def _shape(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "device"


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
