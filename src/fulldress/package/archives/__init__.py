"""Containers: one module a format, behind one small protocol.

A format is a module with a function ``members(source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]``. It offers
what it holds in the order in which it stands there, and says in a :class:`Gap` what it cannot offer. The bytes of an offer
have to be taken before the next offer is asked for, because most formats can only be read forwards.

No format writes a file, follows a link or believes a name. Adding one is one new module and one line in
:data:`FORMATS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import BinaryIO, Protocol, cast

import msgspec

from fulldress.facts import Reason

#: kind of a file (see :mod:`fulldress.package.identify`) -> the module that opens it
FORMATS: dict[str, str] = {
    "zip": "fulldress.package.archives.zip",
    "tar": "fulldress.package.archives.tar",
    "gz": "fulldress.package.archives.compressed",
    "xz": "fulldress.package.archives.compressed",
    "bz2": "fulldress.package.archives.compressed",
    "zst": "fulldress.package.archives.compressed",
    "ar": "fulldress.package.archives.ar",
    "deb": "fulldress.package.archives.ar",
    "cpio": "fulldress.package.archives.cpio",
    "rpm": "fulldress.package.archives.rpm",
    "7z": "fulldress.package.archives.foreign",
    "rar": "fulldress.package.archives.foreign",
    "cab": "fulldress.package.archives.foreign",
    "iso": "fulldress.package.archives.foreign",
    "xar": "fulldress.package.archives.foreign",
    "lha": "fulldress.package.archives.foreign",
    "lz4": "fulldress.package.archives.foreign",
    "lzma": "fulldress.package.archives.foreign",
    "compress": "fulldress.package.archives.foreign",
    "run": "fulldress.package.archives.run",
    "cfb": "fulldress.package.archives.msi",
}

#: Archives that are recognised and not opened. Each becomes an Unread fact that a verdict needs.
CLOSED: dict[str, str] = {
    "dmg": "Apple disk image (7z opens it)",
    "squashfs": "SquashFS image (unsquashfs opens it)",
    "appimage": "AppImage, a program before a SquashFS image (unsquashfs opens it),",
    "udf": "disc image with a UDF file system alone (7z opens it)",
    "disk": "image of a virtual disk (guestmount or 7z opens it)",
    "wim": "Windows image (wimlib or 7z opens it)",
}


#: Entries of one package that are read: a directory of more, read at once, would take more memory than we allow ourselves
#: (about 1 kB an entry until the verdict, measured with benchmarks/bench_hostile.py; decision 0101).
MOST_ENTRIES = 200_000


class Damage(Exception):
    """Bytes that are not what their format demands. The message says what is wrong, in words for a person."""


class Exhausted(Damage):
    """More bytes than the budget allows."""


class Offer(msgspec.Struct, kw_only=True):
    """One member, as its container offers it."""

    name: str  #: as it stands in the container; never used as a path on disk
    shape: str = "file"  #: file, folder, link, hardlink, device
    size: int = 0  #: what the container says, in bytes
    packed: int = 0  #: bytes it takes in the container, 0 where that is unknown
    modified: datetime | None = None
    mode: int | None = None
    link: str = ""
    container: str = ""  #: format of the container, where it is not the one that was asked
    chunks: Callable[[], Iterator[bytes]] = lambda: iter(())  #: its bytes, once, before the next offer; raises Damage
    again: Callable[[], Iterator[bytes]] | None = None  #: its bytes at any later time, where the format allows that
    #: all of it at once, at its turn (with ``again``: at any time, in any thread). Raises Damage, and ``chunks`` says how far
    #: it is sound. None where it may be large.
    whole: Callable[[], bytes] | None = None
    closed: tuple[Reason, str] | None = None  #: why its bytes cannot be read


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """What a container does not give, or gives in a way that other programs would read otherwise."""

    reason: Reason
    detail: str
    name: str = ""  #: the member it is about; empty: the container itself
    needed: bool = True


class Format(Protocol):
    """What a module of this room offers. ``source`` is seekable; ``limit`` is how many bytes a stream may unpack to."""

    def members(self, source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]: ...


def opener(kind: str) -> Format:
    """The module for a kind of :data:`FORMATS`."""
    return cast(Format, importlib.import_module(FORMATS[kind]))
