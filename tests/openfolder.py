"""A plain folder as a :class:`~fulldress.package.reader.Package`, for the case folders of readers.

Everything below ``folder`` except ``expected.json`` and ``options.json`` is a member. Kinds are guessed by name and
first line, which is enough here; the walker's own identification has its own tests.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from fulldress.package.reader import Member, Options

_SUFFIXES = {
    ".sh": "shell",
    ".py": "python",
    ".ps1": "powershell",
    ".bat": "batch",
    ".cmd": "batch",
    ".psm1": "powershell",
    ".pl": "perl",
    ".rb": "ruby",
    ".php": "php",
    ".js": "javascript",
    ".json": "json",
    ".xml": "xml",
    ".yaml": "yaml",
    ".sql": "sql",
    ".timer": "systemd-timer",
    ".service": "systemd-service",
    ".crontab": "crontab",
    ".p7s": "cms",
    ".asc": "pgp",
}


class FolderPackage:
    """Members of a folder, held in memory."""

    def __init__(
        self, members: Mapping[str, Member], *, name: str = "package.zip", options: Options | None = None
    ) -> None:
        self.source = "0" * 64
        self.name = name
        self.members = dict(sorted(members.items()))
        self.options = options or Options()

    def of(self, *kinds: str) -> Iterator[Member]:
        return (member for member in self.members.values() if member.kind in kinds)

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(self.members[path].data)


def member(path: str, data: bytes, kind: str = "", mode: int = 0o644) -> Member:
    """One member; its kind is guessed unless given."""
    return Member(
        source="0" * 64,
        path=path,
        kind=kind or _kind(path, data),
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        mode=mode,
        data=data,
    )


def _kind(path: str, data: bytes) -> str:
    first = data.split(b"\n", 1)[0]
    if first.startswith(b"#!"):
        for word, kind in ((b"python", "python"), (b"perl", "perl"), (b"node", "javascript"), (b"sh", "shell")):
            if word in first:
                return kind
    return _SUFFIXES.get(Path(path).suffix, "text" if data else "empty")


def open_folder(folder: Path) -> FolderPackage:
    """The folder's files; ``options.json`` may hold ``at``, ``zone``, ``previous`` and ``compared``."""
    members = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in ("expected.json", "options.json"):
            inner = path.relative_to(folder).as_posix()
            members[inner] = member(inner, path.read_bytes())
    given = json.loads((folder / "options.json").read_text()) if (folder / "options.json").exists() else {}
    at = datetime.fromisoformat(given["at"]) if "at" in given else None
    options = Options(
        at=at,
        zone=given.get("zone", "UTC"),
        previous=tuple(given.get("previous", ())),
        compared=given.get("compared", False),
    )
    return FolderPackage(members, options=options)
