"""Files of this host with all their metadata, read, written atomically and removed."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

from fulldress.engine.venue import Metadata


def look(path: Path) -> Metadata | None:
    """Metadata of what is at ``path``; links are not followed. None when there is nothing."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    kind = _kind(found.st_mode)
    return Metadata(
        type=kind,
        mode=stat.S_IMODE(found.st_mode),
        uid=found.st_uid,
        gid=found.st_gid,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        sha256=_digest(path) if kind == "file" else "",
        link=str(path.readlink()) if kind == "link" else "",
        xattrs=_xattrs(path) if kind in ("file", "dir") else {},
    )


def put(path: Path, data: bytes, metadata: Metadata | None) -> None:
    """Write atomically. Everything of ``metadata`` is set before the new name appears, so that no one ever sees a file
    with the wrong owner or mode; None keeps what the file has (0644 for a new one). Flushed to the disk."""
    if metadata is None:
        there = look(path)
        if there is not None and there.type == "link":  # a settings file that is a link: what it points at is meant
            return put(path.resolve(), data, None)
        metadata = there
    path.parent.mkdir(parents=True, exist_ok=True)
    if metadata is not None and metadata.type == "dir":
        return _put_folder(path, metadata)
    half = path.with_name(f".{path.name[:200]}.fulldress-half")
    try:
        half.unlink(missing_ok=True)  # what a killed run left; there is one writer
        if metadata is not None and metadata.type == "link":
            half.symlink_to(metadata.link)
            os.chown(half, metadata.uid, metadata.gid, follow_symlinks=False)
        else:
            _fill(half, data, metadata)
        half.rename(path)
    except BaseException:
        with suppress(FileNotFoundError):
            half.unlink()
        raise
    return _flush(path.parent)


def _fill(half: Path, data: bytes, metadata: Metadata | None) -> None:
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        if metadata is None:
            os.fchmod(descriptor, 0o644)
        else:
            _dress(descriptor, metadata)
        os.fsync(descriptor)
    if metadata is not None and metadata.mtime_ns and metadata.sha256 == hashlib.sha256(data).hexdigest():
        os.utime(half, ns=(metadata.mtime_ns, metadata.mtime_ns))  # the old bytes come back with their old time


def _dress(descriptor: int, metadata: Metadata) -> None:
    """Owner first: changing it clears set-user-id bits and file capabilities."""
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (metadata.uid, metadata.gid):
        os.fchown(descriptor, metadata.uid, metadata.gid)
    os.fchmod(descriptor, metadata.mode)
    for name in set(os.listxattr(descriptor)) - set(metadata.xattrs):
        os.removexattr(descriptor, name)
    for name, value in metadata.xattrs.items():
        os.setxattr(descriptor, name, value)


def _put_folder(path: Path, metadata: Metadata) -> None:
    path.mkdir(exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _dress(descriptor, metadata)
    finally:
        os.close(descriptor)


def take_away(path: Path) -> None:
    """Remove a file, a link or an empty folder. Raises :class:`FileNotFoundError`, or OSError for a full folder."""
    if stat.S_ISDIR(path.lstat().st_mode):
        path.rmdir()
    else:
        path.unlink()
    _flush(path.parent)


def below(path: Path) -> list[str]:
    """``path`` and everything below it, sorted; links are not followed."""
    if not os.path.lexists(path):
        return []
    found = [str(path)]
    if path.is_dir() and not path.is_symlink():
        for folder, folders, files in os.walk(path):
            found += [str(Path(folder, name)) for name in (*folders, *files)]
    return sorted(found)


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "dir"
    return "link" if stat.S_ISLNK(mode) else "other"


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _xattrs(path: Path) -> dict[str, bytes]:
    try:
        return {name: os.getxattr(path, name) for name in sorted(os.listxattr(path))}
    except OSError:  # a file system without extended attributes has none to keep
        return {}


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
