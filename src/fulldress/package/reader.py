"""The one small protocol between the walker and every reader of a package.

The walker opens containers and offers their members; a reader looks at the members whose kind it knows and yields
facts. A reader is a module with a function ``read(package: Package) -> Iterator[Fact]``; its name stands in
:data:`READERS`. Readers yield facts, they don't judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from fulldress.facts import Evidence, excerpt
from fulldress.package.charset import sixteen

#: Modules of this room whose ``read(package)`` is called, in this order. A new reader is one new line.
READERS: tuple[str, ...] = (
    "fulldress.package.manifests",
    "fulldress.package.signatures",
    "fulldress.package.binaries",
    "fulldress.package.scripts",
    "fulldress.package.schedules",
    "fulldress.package.kubernetes",
    "fulldress.package.units",
    "fulldress.package.baseimages",
    "fulldress.package.unchanged",
    "fulldress.package.migrations",
    "fulldress.package.interfaces",
    "fulldress.package.settings",
    "fulldress.package.lookups",
)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A file inside a package. ``data`` holds its bytes where it is small enough to be kept (see ``kept``).

    ``kind`` is one of: elf pe macho java-class zip jar wheel tar gz xz bz2 zst deb npm ar cms pem der pgp minisign
    shell powershell python perl batch javascript sql json yaml toml ini properties xml env conf cron crontab
    systemd-timer systemd-service desktop markdown text html image data empty link folder device; besides ruby php css
    systemd-unit war font pdf sqlite and archives that are recognised but not opened (7z rar cab rpm iso cpio lzma lz4).
    """

    source: str  #: sha256 of the outermost package
    path: str  #: nested containers as ``a.zip!/b.tar!/c``; for the outermost container just ``c``
    kind: str
    size: int
    sha256: str
    mode: int | None = None
    modified: datetime | None = None
    link: str = ""
    container: str = ""  #: format of the container that holds it
    data: bytes = b""
    kept: bool = True  #: False: too large to keep; use ``Package.open``

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def inner(self) -> str:
        """The path inside the innermost container."""
        return self.path.rsplit("!/", 1)[-1]

    @property
    def prefix(self) -> str:
        """What comes before :attr:`inner`: empty, or ``a.zip!/``."""
        return self.path[: len(self.path) - len(self.inner)]

    @property
    def text(self) -> str:
        """The bytes as text: UTF-8 and UTF-16 (with or without mark), else Latin-1. Never fails, never a half character."""
        raw = self.data.removeprefix(b"\xef\xbb\xbf")
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return raw.decode("utf-16", "replace")
        if b"\0" in raw[:4096] and (codec := sixteen(raw)):
            return raw.decode(codec, "replace")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("latin-1")

    def evidence(self, line: int = 0, column: int = 0, text: str = "") -> Evidence:
        """Evidence for a place in this member; ``text`` is masked and shortened."""
        return Evidence(source=self.source, path=self.path, line=line, column=column, excerpt=excerpt(text))


class Stored(Member, frozen=True, kw_only=True):
    """A member whose bytes lie in the scratch file, since memory is for the first ones only. They are fetched at each look."""

    fetch: Callable[[], bytes]

    @property  # type: ignore[misc]
    def data(self) -> bytes:
        """Its bytes."""
        return self.fetch()


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the team adds to a package: what readers need beside its bytes."""

    trust: Path | None = None  #: folder of trust roots
    root: Path | None = None  #: a copy of production's files, in which the keys that it holds are looked for
    advisories: Path | None = None  #: folder of the vendor's advisories
    at: datetime | None = None  #: the instant to judge by; None: now
    today: datetime | None = None  #: the day of reading, said beside ``at`` where they differ; None: the clock's
    zone: str = "UTC"  #: time zone of production's hosts
    previous: tuple[str, ...] = ()  #: issuers of this vendor's earlier packages
    compared: bool = False  #: read what is only of use beside another package: the public names of modules


class NotRead(Exception):
    """The bytes of a member that is encrypted, damaged or beyond the budget; an Unread fact says so already."""


class Package(Protocol):
    """One opened package, all containers unfolded."""

    source: str  #: sha256 of the outermost file (of the sorted list of digests for a plain folder)
    name: str  #: file name as it arrived
    members: Mapping[str, Member]
    options: Options

    def of(self, *kinds: str) -> Iterator[Member]:
        """Members of these kinds, by path."""
        ...

    def open(self, path: str) -> BinaryIO:
        """The bytes of a member, seekable, also of one too large to be kept.

        Raises :class:`NotRead` for a member without a digest: its bytes could not be read, or not all of them."""
        ...
