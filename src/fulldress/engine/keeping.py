"""Keep a file of the venue as it is, and put it back byte for byte, metadata included.

Three states are compared on the way back: what was *before*, what the step left (*after*), and what is there *now*. Only
where now is after may before be put back; anything else is somebody's hotfix, and stays.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from fulldress.engine.journal import Journal
from fulldress.engine.venue import Metadata, Venue


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file as it was found. ``metadata`` None: there was nothing at ``path``."""

    path: str
    sha256: str = ""
    metadata: Metadata | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON of the journal."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def from_plain(plain: dict[str, Any]) -> Kept:
    return msgspec.convert(plain, Kept)


def keep(path: str, venue: Venue, journal: Journal) -> Kept:
    """The file at ``path`` into the journal's folder."""
    metadata = venue.stat(path)
    if metadata is None or metadata.type != "file":
        return Kept(path=path, metadata=metadata)
    return Kept(path=path, sha256=journal.keep(venue.read(path)), metadata=metadata)


def digest(path: str, venue: Venue) -> str:
    """sha256 of what is at ``path`` now; of a link its target; empty when there is nothing."""
    metadata = venue.stat(path)
    if metadata is None:
        return ""
    if metadata.type == "link":
        return hashlib.sha256(metadata.link.encode(errors="surrogateescape")).hexdigest()
    return hashlib.sha256(venue.read(path)).hexdigest() if metadata.type == "file" else metadata.type


def restore(kept: Kept, venue: Venue, journal: Journal) -> str:
    """Put the file back and look again. Returns what still differs, in words; empty: nothing."""
    if kept.metadata is None:
        if venue.stat(kept.path) is not None:
            venue.remove(kept.path)
        return "" if venue.stat(kept.path) is None else f"{kept.path}: could not be removed"
    data = journal.kept(kept.sha256) if kept.metadata.type == "file" else b""
    venue.write(kept.path, data, kept.metadata)
    return differs(kept, venue)


def differs(kept: Kept, venue: Venue) -> str:
    """What of ``kept`` is not so now, in words. Modification times of folders are not compared."""
    now, then = venue.stat(kept.path), kept.metadata
    if now is None or then is None:
        return "" if now is then else f"{kept.path}: {'is gone' if now is None else 'was not there'}"
    wrong = [
        f"{name} {_show(name, getattr(now, name))} instead of {_show(name, getattr(then, name))}"
        for name in ("type", "mode", "uid", "gid", "link", "xattrs")
        if getattr(now, name) != getattr(then, name)
    ]
    if then.type == "file" and now.type == "file" and digest(kept.path, venue) != kept.sha256:
        wrong.append("other bytes")
    return f"{kept.path}: {', '.join(wrong)}" if wrong else ""


def _show(name: str, value: object) -> str:
    if name == "mode" and isinstance(value, int):
        return f"{value:04o}"
    return ", ".join(sorted(value)) or "none" if isinstance(value, dict) else str(value)
