"""Tar archives of our own trade (a server's programs, a base backup) laid out in a folder, and nowhere else.

``tarfile`` has filters for this from Python 3.11.4 on; Debian 12 has 3.11.2, so what they refuse is refused here.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path, PurePosixPath


def unpack(archive: tarfile.TarFile, folder: Path, *, links: bool = True) -> None:
    """Files, folders and links into ``folder``, owned by us, without set-id bits. ``links``: symbolic ones, too.

    Raises :class:`tarfile.TarError` at a member that leads out of the folder or is a device, before it is written."""
    top = folder.resolve()
    for member in archive:
        if member.issym() and not links:
            continue
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            raise tarfile.TarError(f"{member.name} is neither file, folder nor link")
        _inside(top, member.name, PurePosixPath(member.name))
        if member.issym():
            _inside(top, member.name, PurePosixPath(member.name).parent / member.linkname)
        elif member.islnk():
            _inside(top, member.name, PurePosixPath(member.linkname))
        member.mode = (0o755 if member.isdir() else 0o644) | (member.mode & 0o100 and 0o111)
        member.uid, member.gid, member.uname, member.gname = os.geteuid(), os.getegid(), "", ""
        archive.extract(member, folder, set_attrs=not member.issym(), numeric_owner=False)


def _inside(top: Path, name: str, place: PurePosixPath) -> None:
    """The place, links on the way followed, has to lie below ``top``."""
    if place.is_absolute() or not (top / place).resolve().is_relative_to(top):
        raise tarfile.TarError(f"{name} leads out of the archive")
