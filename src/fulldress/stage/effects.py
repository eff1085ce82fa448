"""What an upgrade did to files, read out of the overlays' upper layers.

An upper layer holds exactly what was created or changed; a deletion is a character device 0:0, a folder that was replaced
has an attribute. Whatever reads the same as below is no effect (a file that was only opened for writing)."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import stat as modes
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fulldress.engine.venue import Metadata
from fulldress.facts import Evidence, FileEffect, Witness, excerpt, mask
from fulldress.patterns import regex

MOST_DIFF = 64 * 1024
#: Stands for the digest of a file that this user may not read.
UNREADABLE = "unreadable"
#: Files whose every line is a secret: no difference of them is ever shown.
_SECRETS = regex(
    r"/(?:g?shadow-?|ssh_host_\w+_key|id_(?:rsa|dsa|ecdsa|ed25519)|\.pgpass|\.netrc|[^/]+\.(?:key|p12|pfx|jks))$"
)
_OPAQUE = "user.overlay.opaque"


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A path in one layer: its metadata, and where its bytes can be read from outside."""

    metadata: Metadata
    source: str


class Layers:
    """The layers of a stage as they lie outside. ``base``: first outside id of the stage's users, per layer."""

    def __init__(
        self, hub: Path, folders: dict[str, list[str]], places: dict[str, str], shift: dict[str, int], owner: int
    ) -> None:
        self._hub = hub
        self._folders = folders
        self._places = places
        self._shift = shift
        self._owner = owner
        self._closed: set[str] = set()

    def upper(self, name: str) -> str:
        return str(self._hub / "up" / name / "u")

    def changed(self) -> Iterator[str]:
        """Every path of the upper layers, folders before what is in them, as absolute paths of the stage."""
        self._closed = set()
        for name in sorted(self._folders):
            top = self.upper(name)
            yield from self._walk(top, f"/{name}")

    def _walk(self, folder: str, path: str) -> Iterator[str]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except PermissionError:
            self._closed.add(path)
            return
        except OSError:  # it was removed meanwhile
            return
        for entry in entries:
            inner = f"{path}/{entry.name}"
            yield inner
            if entry.is_dir(follow_symlinks=False):
                if _attribute(entry.path, _OPAQUE) == b"y":
                    yield from self._hidden_by(entry.path, inner)
                yield from self._walk(entry.path, inner)

    def closed(self) -> list[str]:
        """Folders that the last look at what changed could not look into."""
        return sorted(self._closed)

    def _hidden_by(self, folder: str, path: str) -> Iterator[str]:
        """What a folder that was removed and made anew no longer has."""
        if self.before(path) is None:
            return
        kept = set(os.listdir(folder))
        name, _, rest = path.lstrip("/").partition("/")
        gone: set[str] = set()
        for layer in self._folders.get(name, []):
            with contextlib.suppress(OSError):
                gone |= set(os.listdir(f"{self._places[layer]}/{rest}")) - kept
        yield from (f"{path}/{entry}" for entry in sorted(gone) if self.before(f"{path}/{entry}") is not None)

    def signature(self, path: str) -> tuple[int, int, int, int] | None:
        """What changes when the upper layer's entry changes."""
        name, _, rest = path.lstrip("/").partition("/")
        try:
            status = os.lstat(f"{self.upper(name)}/{rest}" if rest else self.upper(name))
        except OSError:
            return None
        return status.st_ino, status.st_ctime_ns, status.st_size, status.st_mode

    def after(self, path: str) -> Node | None:
        """The path as the stage has it now: from the upper layer, else from below."""
        name, _, rest = path.lstrip("/").partition("/")
        found = self._in(self.upper(name), rest, "up")
        if found == "gone":
            return None
        return found if isinstance(found, Node) else self.before(path)

    def before(self, path: str) -> Node | None:
        """The path as it was when the stage was set up."""
        name, _, rest = path.lstrip("/").partition("/")
        for layer in self._folders.get(name, []):
            found = self._in(self._places[layer], rest, layer.split("/")[0])
            if found == "gone":
                return None
            if isinstance(found, Node):
                return found
        return None

    def _in(self, top: str, rest: str, layer: str) -> Node | str | None:
        """The node; ``gone`` when this layer hides what lies deeper; None when it says nothing of the path."""
        at = top
        parts = rest.split("/") if rest else []
        hidden = False
        for number, part in enumerate(["", *parts]):
            at = f"{at}/{part}" if part else at
            try:
                status = os.lstat(at)
            except OSError:
                return "gone" if hidden else None
            if modes.S_ISCHR(status.st_mode) and status.st_rdev == 0:
                return "gone"
            last = number == len(parts)
            if not last and not modes.S_ISDIR(status.st_mode):
                return "gone"
            if modes.S_ISDIR(status.st_mode) and not last:
                hidden = hidden or _attribute(at, _OPAQUE) == b"y"
        return Node(metadata=self._describe(at, os.lstat(at), layer), source=at)

    def _describe(self, path: str, status: os.stat_result, layer: str) -> Metadata:
        kind, digest, link = "other", "", ""
        if modes.S_ISREG(status.st_mode):
            kind, digest = "file", _digest(path)
        elif modes.S_ISDIR(status.st_mode):
            kind = "dir"
        elif modes.S_ISLNK(status.st_mode):
            kind, link = "link", os.readlink(path)
        names = os.listxattr(path, follow_symlinks=False) if kind in ("file", "dir") else []
        attributes = {n: _attribute(path, n) for n in names if not n.startswith(("user.overlay.", "security.selinux"))}
        shift = self._shift.get(layer, 0)

        def inside(number: int) -> int:
            number -= shift if number >= shift else 0
            if layer == "p" and self._owner:
                return {self._owner: 0, 0: self._owner}.get(number, number)
            return number

        alone = self._shift.get("alone", -1)
        return Metadata(
            type=kind,
            mode=modes.S_IMODE(status.st_mode),
            uid=0 if status.st_uid == alone else inside(status.st_uid),
            gid=0 if alone >= 0 else inside(status.st_gid),
            size=status.st_size if kind == "file" else 0,
            mtime_ns=status.st_mtime_ns,
            sha256=digest,
            link=link,
            xattrs=attributes,
        )


def compare(path: str, before: Node | None, after: Node | None, step: str, source: str) -> list[FileEffect]:
    """The effects that lead from one to the other; none when they are the same in all but time."""
    evidence = Evidence(source=source, path=path, step=step)

    def effect(action: str, detail: str = "") -> FileEffect:
        return FileEffect(
            witness=Witness.OBSERVED,
            evidence=evidence,
            path=path,
            action=action,
            detail=detail,
            before_sha256=before.metadata.sha256 if before else "",
            after_sha256=after.metadata.sha256 if after else "",
            size=after.metadata.size if after else 0,
        )

    if before is None and after is None:
        return []
    if before is None and after is not None:
        setuid = " setuid" if after.metadata.mode & 0o6000 and after.metadata.type == "file" else ""
        return [effect("create", _created(after) + setuid)]
    if after is None and before is not None:
        return [effect("delete", before.metadata.type)]
    if before is None or after is None:
        return []
    old, new = before.metadata, after.metadata
    if old.type != new.type:
        return [effect("change", f"{old.type} became {new.type}")]
    found = []
    if old.sha256 == new.sha256 == UNREADABLE:
        if (old.size, old.mtime_ns) != (new.size, new.mtime_ns):
            detail = f"{old.size} → {new.size} bytes, written to; this user may not read it, so it can't be compared"
            found.append(effect("change", detail))
    elif old.sha256 != new.sha256:
        found.append(effect("change", _difference(before, after)))
    if old.link != new.link:
        found.append(effect("link", f"{excerpt(old.link)} → {excerpt(new.link)}"))
    if old.mode != new.mode and new.type != "link":
        found.append(effect("mode", f"{old.mode:04o} → {new.mode:04o}"))
    if (old.uid, old.gid) != (new.uid, new.gid):
        found.append(effect("owner", f"{old.uid}:{old.gid} → {new.uid}:{new.gid}"))
    if old.xattrs != new.xattrs:
        names = sorted(n for n in {*old.xattrs, *new.xattrs} if old.xattrs.get(n) != new.xattrs.get(n))
        found.append(effect("xattr", ", ".join(names)))
    return found


def _created(node: Node) -> str:
    data = node.metadata
    if data.type == "link":
        return f"link to {excerpt(data.link)}"
    if data.type != "file":
        return data.type
    text = _text(node.source)
    lines = text.splitlines() if text is not None else []
    return "\n".join(f"+{mask(line)}" for line in lines[:200]) + ("\n…" if len(lines) > 200 else "")


def _difference(before: Node, after: Node) -> str:
    old, new = _text(before.source), _text(after.source)
    if old is None or new is None:
        return f"{before.metadata.size} → {after.metadata.size} bytes"
    if new.startswith(old) and old:
        grown = f"only appended to: {after.metadata.size - before.metadata.size} bytes\n"
    else:
        grown = ""
    return grown + "\n".join(
        mask(line)
        for line in difflib.unified_diff(old.splitlines(), new.splitlines(), "before", "after", lineterm="", n=2)
    )


def _text(path: str) -> str | None:
    """Text of a file of at most 64 KiB; None for anything else, and for files of secrets."""
    if _SECRETS.search(path):
        return None
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            if os.fstat(fd).st_size > MOST_DIFF:
                return None
            data = file.read(MOST_DIFF + 1)
        return None if b"\0" in data else data.decode()
    except (OSError, UnicodeDecodeError):
        return None


def _digest(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return UNREADABLE


def _attribute(path: str, name: str) -> bytes:
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError:
        return b""
