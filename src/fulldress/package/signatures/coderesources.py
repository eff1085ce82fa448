"""The files of a macOS bundle that its program's signature covers: ``Info.plist``, and those that ``CodeResources`` lists.

Source: Apple, "Technical Note TN2206: macOS Code Signing In Depth". ``CodeResources`` itself is not signed: its digest
stands in the program's list (:mod:`apple`).
"""

from __future__ import annotations

import hashlib
import plistlib
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any
from xml.parsers.expat import ExpatError

import msgspec

from fulldress.facts import AnyFact, Reason
from fulldress.package.reader import Member, NotRead, Package
from fulldress.package.signatures import entries
from fulldress.package.signatures.carriers import Held
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Ground

_NAME = "_CodeSignature/CodeResources"
_MOST = 200_000


def claims(member: Member) -> bool:
    return member.path.endswith(f"/{_NAME}") or member.path == _NAME


def read(package: Package, member: Member, ground: Ground) -> Iterator[AnyFact]:
    """What to say of the list itself: something only where no program of its bundle can vouch for it."""
    base = member.path[: -len(_NAME)]
    if not any(other.kind == "macho" for path, other in package.members.items() if path.startswith(base)):
        detail = "it lists digests, and the program whose signature vouches for it is not here"
        yield unread(
            member.evidence(), f"signature of {base.rstrip('/') or 'the bundle'}", Reason.MISSING, detail, needed=False
        )


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What a program's signature says of its bundle."""

    good: tuple[str, ...] = ()  #: entries that it covers
    problem: str = ""  #: what does not fit
    remarks: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()  #: entries of the bundle that it does not know


def beside(held: Held, wanted: Mapping[str, bytes], name: str) -> Beside:
    """What of a bundle the digests of its program cover.

    ``wanted`` holds the digests of ``info`` (Info.plist) and ``resources`` (CodeResources), empty where there is none."""
    base = _base(held)
    if base is None:
        return Beside()
    good: list[str] = []
    members = held.package.members
    for path, digest in ((f"{base}Info.plist", wanted["info"]), (f"{base}{_NAME}", wanted["resources"])):
        member = members.get(path)
        if member is None or not digest:
            continue
        if not _fits(held.package, member, name, digest):
            return Beside(problem=f"{posixpath.basename(path)} of its bundle was changed")
        good.append(path)
    listing = members.get(f"{base}{_NAME}")
    if listing is None or listing.path not in good:
        return Beside(good=tuple(good))
    rows = _rows(listing)
    if rows is None:
        return Beside(good=tuple(good), remarks=("the list of its bundle's files could not be read",))
    return _listed(held, base, rows, good)


def _base(held: Held) -> str | None:
    """The folder to which a bundle's list is relative; None for a program that is in no bundle."""
    folder = posixpath.dirname(held.path)
    for candidate in (posixpath.dirname(folder), folder):  # Contents/MacOS/x; a bundle without such folders
        base = f"{candidate}/" if candidate else ""
        if f"{base}{_NAME}" in held.package.members:
            return base
    return None


def _rows(listing: Member) -> dict[str, Any] | None:
    if not listing.kept:
        return None
    try:
        whole = plistlib.loads(listing.data)
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        ExpatError,
        RecursionError,
        OverflowError,
        plistlib.InvalidFileException,
    ):
        return None
    rows = whole.get("files2") or whole.get("files") if isinstance(whole, dict) else None
    return rows if isinstance(rows, dict) and len(rows) <= _MOST else None


def _listed(held: Held, base: str, rows: dict[str, Any], good: list[str]) -> Beside:
    package = held.package
    gone: list[str] = []
    for relative, row in rows.items():
        digests, optional = _digests(row)
        if not digests:
            continue  # a link, or nested code that has a signature of its own
        member = package.members.get(f"{base}{relative}")
        if member is None:
            gone += [] if optional else [str(relative)]
            continue
        name, digest = digests
        if not _fits(package, member, name, digest):
            return Beside(problem=f"{relative} of its bundle was changed")
        good.append(member.path)
    if gone:
        # A file that is gone breaks the seal, too.
        return Beside(good=tuple(good), problem=f"{len(gone)} files of its bundle are gone: {', '.join(gone[:3])}")
    return Beside(good=tuple(good), left_out=tuple(_unknown(held, base, rows)))


def _unknown(held: Held, base: str, rows: Mapping[str, Any]) -> Iterator[str]:
    """Entries of the bundle that neither its list nor a line for nested code knows."""
    own = {held.path, f"{base}Info.plist", f"{base}PkgInfo"}
    for path, member in held.package.members.items():
        if not path.startswith(base) or path in own or member.kind in ("folder", "link"):
            continue
        inner = path[len(base) :]
        if inner.startswith("_CodeSignature/") or inner.endswith(".DS_Store"):
            continue
        above = inner.partition("!/")[0]  # what lies in an archive goes with it
        while above and above not in rows:
            above = posixpath.dirname(above)
        if not above:
            yield path


def _digests(row: Any) -> tuple[tuple[str, bytes] | None, bool]:
    if isinstance(row, bytes):
        return ("sha1", row), False
    if not isinstance(row, dict):
        return None, False
    optional = bool(row.get("optional"))
    for key, name in (("hash2", "sha256"), ("hash", "sha1")):
        if isinstance(row.get(key), bytes):
            return (name, row[key]), optional
    return None, optional


def _fits(package: Package, member: Member, name: str, digest: bytes) -> bool:
    try:
        return entries.digest(package, member, name)[: len(digest)] == digest and len(digest) >= min(
            20, hashlib.new(name).digest_size
        )
    except (NotRead, OSError, ValueError):
        return False
