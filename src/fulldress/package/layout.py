"""Lays out a package's entries below a folder, for the stage and for D-day only.

A name is walked part by part from a descriptor of the folder, and no part of it may be a link (O_NOFOLLOW). Links come
last, and each may only lead to a place that lies inside by its own words: first up, never above the folder, then down.
By induction no chain of such links leaves the folder. ``tarfile``'s own filters are not used; they are broken in many
versions in use (CVE-2025-4517 and later).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from fulldress.errors import PackageNotFound, PackageUnreadable
from fulldress.facts import Evidence, Reason, Unread, Witness
from fulldress.package.archives import FORMATS, Gap, Offer, folder, opener
from fulldress.package.archives.streams import CHUNK, Scratch, Slice
from fulldress.package.flow import FAULTS
from fulldress.package.identify import identify, shown

_LIMIT = 64 << 30  #: bytes that one container may unpack to here
_RATIO, _FREE = 1000, 1 << 30  #: of unpacked to packed bytes, and bytes up to which the ratio does not matter
_PATH_MAX = 4096  #: bytes of a name, as Linux has it


class _Refused(Exception):
    """Why an entry is not laid out."""


class _Full(Exception):
    """More bytes than the package may unpack to."""


def lay_out(path: Path, folder: Path) -> list[Unread]:
    """Put the entries of the outermost container of ``path`` below ``folder``; what was left out, and why.

    Modes and times are kept; setuid, setgid and sticky bits, devices and links that lead outside are not. Containers
    inside stay files, as the vendor's scripts expect them. A Debian package is laid out as ``dpkg-deb -R`` does it:
    its files, and its control files in ``DEBIAN/``. ``folder`` has to exist; existing files are replaced.
    """
    if not path.exists():
        raise PackageNotFound(path)
    with _Ground(folder, _FREE if path.is_dir() else max(_FREE, path.stat().st_size * _RATIO)) as ground:
        if path.is_dir():
            ground.left = _LIMIT  # what lies in a folder takes this room already
            _all(_below(path), ground)
        else:
            with path.open("rb") as file, contextlib.closing(Scratch()) as scratch:
                size = file.seek(0, os.SEEK_END)
                whole = Slice(file, 0, size)
                kind = identify(path.name, whole.read(CHUNK))
                whole.seek(0)
                if kind not in FORMATS:
                    raise PackageUnreadable(path, "it is no archive that can be laid out")
                items = opener(kind).members(cast(BinaryIO, whole), path.name, _LIMIT)
                _all(_debian(items, ground, scratch) if kind == "deb" else items, ground)
        return ground.left_out


def _below(path: Path) -> Iterator[Offer | Gap]:
    return folder.members(path)


def _debian(items: Iterator[Offer | Gap], ground: _Ground, scratch: Scratch) -> Iterator[Offer | Gap]:
    """The members of both tars of a Debian package, the control files below ``DEBIAN/``."""
    for item in items:
        if isinstance(item, Offer) and item.name.startswith(("control.tar", "data.tar")):
            held = scratch.store(item.chunks())
            kind = identify(item.name, held.read(CHUNK))
            held.seek(0)
            if kind in FORMATS:
                for inner in opener(kind).members(cast(BinaryIO, held), item.name, _LIMIT):
                    if isinstance(inner, Offer) and item.name.startswith("control"):
                        inner.name = "DEBIAN/" + inner.name.removeprefix("./")
                    yield inner
        elif isinstance(item, Gap):
            yield item


def _all(items: Iterator[Offer | Gap], ground: _Ground) -> None:
    """Files and folders as they come, links and folder modes at the end."""
    links: list[Offer] = []
    folders: list[Offer] = []
    try:
        for item in items:
            if isinstance(item, Gap):
                ground.leave_out(item.name, item.reason, item.detail)
            elif item.shape in ("link", "hardlink"):
                links.append(item)
            else:
                ground.place(item)
                if item.shape == "folder":
                    folders.append(item)
    except FAULTS as damage:
        ground.leave_out("", Reason.DAMAGED, str(damage))
    except _Full:
        ground.leave_out(
            "", Reason.BUDGET, f"it unpacks to more than {_RATIO:,} times its size; the rest was not laid out"
        )
    for link in sorted(links, key=lambda link: link.shape != "hardlink"):
        ground.place(link)
    for made in reversed(folders):
        ground.finish(made)


class _Ground:
    """The folder, held by its descriptor."""

    def __init__(self, folder: Path, left: int) -> None:
        self.left = min(left, _LIMIT)  #: bytes that may still be written
        self._root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self.left_out: list[Unread] = []

    def __enter__(self) -> _Ground:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._root)

    def leave_out(self, name: str, reason: Reason, detail: str, needed: bool = True) -> None:
        self.left_out.append(
            Unread(
                witness=Witness.READ,
                evidence=Evidence(path=shown(name)),
                what=shown(name) or "package",
                reason=reason,
                detail=detail,
                needed=needed,
            )
        )

    def place(self, offer: Offer) -> None:
        """Lay out one entry, or note why it was left out."""
        try:
            parts = _parts(offer.name)
            if not parts:
                return
            if offer.closed is not None:
                self.leave_out(offer.name, *offer.closed)
                return
            if offer.shape == "device":
                raise _Refused("a device, a pipe or a socket")
            with self._parent(parts) as parent:
                self._put(parent, parts, offer)
        except _Refused as refused:
            self.leave_out(offer.name, Reason.REFUSED, f"not laid out: {refused}")
        except FAULTS as damage:
            self.leave_out(offer.name, Reason.DAMAGED, f"laid out in part: {damage}")
        except OSError as error:
            self.leave_out(offer.name, Reason.CANNOT, f"not laid out: {error.strerror or error}")

    def _put(self, parent: int, parts: list[str], offer: Offer) -> None:
        name = parts[-1]
        if offer.shape == "folder":
            _folder(parent, name)
        elif offer.shape == "link":
            _check_target(parts, offer.link)
            self._clear(parent, name)
            os.symlink(offer.link, name, dir_fd=parent)
        elif offer.shape == "hardlink":
            source = _parts(offer.link)
            with self._parent(source) as there:
                self._clear(parent, name)
                try:
                    os.link(source[-1], name, src_dir_fd=there, dst_dir_fd=parent, follow_symlinks=False)
                except OSError as error:
                    raise _Refused(f"a hard link to {shown(offer.link)}: {error.strerror}") from error
        else:
            self._clear(parent, name)
            self._write(parent, name, offer)

    def _write(self, parent: int, name: str, offer: Offer) -> None:
        mode = 0o644 if offer.mode is None else offer.mode
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        target = os.open(name, flags, 0o600, dir_fd=parent)
        try:
            for chunk in offer.chunks():
                self.left -= len(chunk)
                if self.left < 0:
                    raise _Full
                view = memoryview(chunk)
                while view:
                    view = view[os.write(target, view) :]
        finally:
            os.fchmod(target, mode & 0o777)
            if offer.modified is not None:
                os.utime(target, (offer.modified.timestamp(),) * 2)
            os.close(target)
        if mode & 0o7000:
            self.leave_out(
                offer.name, Reason.REFUSED, f"laid out without the bits {mode & 0o7000:04o} of its mode", False
            )

    def _clear(self, parent: int, name: str) -> None:
        """Make room for an entry that comes a second time; the later one wins, as it does everywhere."""
        try:
            os.unlink(name, dir_fd=parent)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise _Refused(f"a folder stands in its place ({error.strerror})") from error

    def finish(self, offer: Offer) -> None:
        """Give a folder its mode, now that everything in it is laid out."""
        with contextlib.suppress(_Refused, OSError):
            parts = _parts(offer.name)
            if parts and offer.mode is not None:
                with self._parent([*parts, ""]) as made:
                    os.fchmod(made, offer.mode & 0o777 | 0o700)

    @contextlib.contextmanager
    def _parent(self, parts: list[str]) -> Iterator[int]:
        """A descriptor of the folder that the last part stands in; folders on the way are made."""
        here = os.dup(self._root)
        try:
            for part in parts[:-1]:
                _folder(here, part)
                try:
                    there = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
                except OSError as error:
                    raise _Refused(f"{shown(part)} on its way is a link or no folder") from error
                os.close(here)
                here = there
            yield here
        finally:
            os.close(here)


def _folder(parent: int, name: str) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        return
    except OSError as error:
        raise _Refused(error.strerror or "its folder cannot be made") from error


def _parts(name: str) -> list[str]:
    """The parts of a relative name. Raises for every other name."""
    if name.startswith("/") or "\0" in name:
        raise _Refused("its name is absolute" if name.startswith("/") else "its name holds a NUL")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _Refused("its name leads out of the package")
    if len(os.fsencode(name)) > _PATH_MAX:
        raise _Refused(f"its name is longer than {_PATH_MAX:,} bytes")
    if any(len(os.fsencode(part)) > 255 for part in parts):
        raise _Refused("a part of its name is longer than 255 bytes")
    return parts


def _check_target(parts: list[str], target: str) -> None:
    """Refuse a link that could lead outside: absolute, above the folder, or up again after a name."""
    if not target or target.startswith("/") or "\0" in target:
        raise _Refused(f"a link to {shown(target) or 'nothing'}")
    steps = [step for step in target.split("/") if step not in ("", ".")]
    ups = next((place for place, step in enumerate(steps) if step != ".."), len(steps))
    if ups > len(parts) - 1 or ".." in steps[ups:]:
        raise _Refused(f"a link to {shown(target)}, which may lie outside")
