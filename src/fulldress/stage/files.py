"""Files of the stage, read and written from within, so that no link of the upgrade's can lead outside.

Standard library only; runs in the stage's first process.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import stat as modes
from typing import Any

from fulldress.stage import accounts

Message = dict[str, Any]
_MOST_SMALL = 1 << 20


def small(path: str) -> str:
    """A small regular file as text; what is longer than 1 MiB is cut."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(fd, "rb") as file:
        return os.fsdecode(file.read(_MOST_SMALL))


def put(path: str, text: str) -> None:
    """Write a new file; one that is there already is replaced, never written through."""
    with contextlib.suppress(OSError):
        os.unlink(path)
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with open(fd, "wb") as file:
            file.write(os.fsencode(text))


def remove_folder(path: str) -> None:
    shutil.rmtree(path, ignore_errors=True)


def read(message: Message) -> Message:
    fd = os.open(message["path"], os.O_RDONLY | os.O_NONBLOCK)
    with open(fd, "rb") as file:
        if not modes.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(22, "not a regular file", message["path"])
        return {"data": base64.b64encode(file.read()).decode()}


def stat(message: Message) -> Message:
    try:
        return {"metadata": describe(message["path"])}
    except (FileNotFoundError, NotADirectoryError):
        return {"metadata": None}


def describe(path: str) -> Message:
    """Everything of a file but its bytes, of those the digest."""
    status = os.lstat(path)
    kind = "other"
    digest = link = ""
    if modes.S_ISREG(status.st_mode):
        kind = "file"
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    elif modes.S_ISDIR(status.st_mode):
        kind = "dir"
    elif modes.S_ISLNK(status.st_mode):
        kind, link = "link", os.readlink(path)
    attributes = {}
    with contextlib.suppress(OSError):
        for name in os.listxattr(path, follow_symlinks=False):
            if not name.startswith("user.overlay."):
                attributes[name] = base64.b64encode(os.getxattr(path, name, follow_symlinks=False)).decode()
    return {
        "type": kind,
        "mode": modes.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "sha256": digest,
        "link": link,
        "xattrs": attributes,
    }


def write(message: Message) -> Message:
    """Put a file, link or folder in place at once: metadata first, then the name."""
    path, data = message["path"], base64.b64decode(message["data"])
    wanted = message.get("metadata")
    if wanted is None:
        try:
            wanted = describe(os.path.realpath(path))
            path = os.path.realpath(path)
        except (FileNotFoundError, NotADirectoryError):
            wanted = {"type": "file", "mode": 0o644, "uid": 0, "gid": 0}
    os.makedirs(os.path.dirname(path) or "/", exist_ok=True)
    if wanted["type"] == "dir":
        os.makedirs(path, exist_ok=True)
        _dress(path, wanted)
        return {}
    temporary = f"{os.path.dirname(path)}/.fulldress-{os.getpid()}-{os.path.basename(path)[:200]}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    try:
        if wanted["type"] == "link":
            os.symlink(wanted["link"], temporary)
            if not accounts.alone():
                os.lchown(temporary, wanted["uid"], wanted["gid"])
        else:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(fd, "wb") as file:
                file.write(data)
            _dress(temporary, wanted)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return {}


def _dress(path: str, wanted: Message) -> None:
    if not accounts.alone():
        os.chown(path, wanted["uid"], wanted["gid"])
    os.chmod(path, wanted["mode"])
    for name, value in wanted.get("xattrs", {}).items():
        os.setxattr(path, name, base64.b64decode(value))
    if wanted.get("mtime_ns"):
        os.utime(path, ns=(wanted["mtime_ns"], wanted["mtime_ns"]))


def remove(message: Message) -> Message:
    path = message["path"]
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    return {}


def walk(message: Message) -> Message:
    """``path`` and everything below it, sorted; links are not followed."""
    top = message["path"]
    if not os.path.lexists(top):
        return {"paths": []}
    found = [top]
    for folder, folders, names in os.walk(top):
        found += [os.path.join(folder, name) for name in (*folders, *names)]
    return {"paths": sorted(found)}
