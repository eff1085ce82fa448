"""Programs of the package that stand in production already, byte for byte, as far as a copy of its files is at hand.

Only files whose place on the host the package says (``usr/…``, ``opt/…`` …), and only those of the same size are opened.
A path that leads out of the copy, by its name or by a link, is not followed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from fulldress.facts import AnyFact, Entry, Evidence, Witness
from fulldress.package.reader import Member, Package

_PROGRAMS = ("elf", "pe", "macho", "jar", "war")
_PLACES = ("usr/", "opt/", "srv/", "bin/", "sbin/", "lib/", "lib64/", "var/")
_PIECE = 1 << 20


def read(package: Package) -> Iterator[AnyFact]:
    """An :class:`Entry` of production for every program that is the same there."""
    root = package.options.root
    if root is None:
        return
    for path in sorted(package.members):
        member = package.members[path]
        place = _place(member)
        if place and member.kind in _PROGRAMS and member.sha256 and _same(root, place, member):
            yield Entry(
                witness=Witness.RUNNING, evidence=Evidence(source="root", path=f"/{place}"), path=f"/{place}", kind=member.kind,
                size=member.size, sha256=member.sha256,
            )  # fmt: skip


def _place(member: Member) -> str:
    inner = member.inner.removeprefix("./")
    return inner if inner.startswith(_PLACES) and ".." not in inner.split("/") and "\0" not in inner else ""


def _same(root: Path, place: str, member: Member) -> bool:
    try:
        found = (root / place).resolve(strict=True)
        if not found.is_relative_to(root.resolve()) or not found.is_file() or found.stat().st_size != member.size:
            return False
        counted = hashlib.sha256()
        with found.open("rb") as file:
            while piece := file.read(_PIECE):
                counted.update(piece)
    except (OSError, RuntimeError, ValueError):  # a loop of links; a name that no file system takes
        return False
    return counted.hexdigest() == member.sha256


__all__ = ["read"]
