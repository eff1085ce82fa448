"""Opens a package: unfolds its containers, hashes every member, and keeps what readers will look at.

Nothing is written under a member's name. Members are streamed; what has to be looked at again lies in one scratch file
without a name. Whatever the budget cuts off is said.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from fulldress.errors import PackageNotFound, PackageUnreadable
from fulldress.facts import Evidence, Reason, Unread, Witness
from fulldress.package.ahead import Taken, ahead, taken
from fulldress.package.archives import (
    CLOSED,
    FORMATS,
    MOST_ENTRIES,
    Damage,
    Exhausted,
    Gap,
    Offer,
    behind,
    folder,
    opener,
    zipdirectory,
)
from fulldress.package.archives.streams import CHUNK, Scratch, Slice
from fulldress.package.cores import cores
from fulldress.package.flow import FAULTS, TAIL, Flow, Gaps, Stop, Timed
from fulldress.package.identify import identify, refine, shown
from fulldress.package.reader import Member, NotRead, Options, Stored
from fulldress.package.telling import Telling
from fulldress.patterns import regex

Progress = Callable[[str, int, int], None]


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How far a package is unfolded. What lies beyond becomes an Unread fact."""

    bytes: int = 16 << 30  #: unpacked, over all containers
    entries: int = MOST_ENTRIES
    depth: int = 8  #: containers inside containers
    ratio: float = 300.0  #: unpacked to packed bytes of one container, from ``free`` bytes on
    free: int = 64 << 20
    seconds: float = 900.0
    kept: int = 64 << 20  #: bytes of texts held in memory for the readers; further ones lie in the scratch file
    each: int = 16 << 20  #: bytes of one text that readers look into
    workers: int = 0  #: threads and processes at work; 0: as many as there are cores (see also ``FULLDRESS_WORKERS``)


#: Kinds whose bytes readers look at through :meth:`Opened.open`; they are not held in memory.
_BULKY = frozenset({"elf", "pe", "macho", "java-class", "image", "font", "pdf", "sqlite", "data", *FORMATS, *CLOSED})
_INSTALLS = regex(r"(?i)setup|install|upgrade|update")
_WALK = 0.75  #: the walk's share of the time; the readers have what is left
_SMALL_DATA = 1 << 16  #: unknown bytes up to here are kept: signatures are among them
_NOT_A_PACKAGE = frozenset({"text", "markdown", "html", "css", "image", "font", "pdf", "data", "pem", "der"})
_MATTERS = frozenset({"shell", "powershell", "python", "perl", "sql", "cron", "crontab", "batch", "conf", "ini", "env"})


class Opened:
    """A package with all containers unfolded (see :class:`~fulldress.package.reader.Package`). Close it after use."""

    def __init__(self, path: Path, budget: Budget, options: Options, progress: Progress | None = None) -> None:
        self.options = options
        self.path, self.name = path, path.name or path.resolve().name
        self.members: Mapping[str, Member] = {}
        self._rows: dict[str, Member] = {}
        self.unread: list[Unread] = []
        self.telling = Telling()
        self.source = ""
        self.size = 0
        self.kind = "folder"
        self._budget, self._progress = budget, progress
        self._scratch = Scratch()
        self._file: BinaryIO | None = None
        self._places: dict[str, Slice] = {}  #: members that can be looked at at once
        self._again: dict[str, Callable[[], Slice]] = {}  #: members that have to be read once more first
        self._skipped: dict[int, dict[int, str]] = {}  #: by container: members not stored, by their place in it
        self._gaps = Gaps()
        self._unpacked = self._kept = 0
        self._order: list[str] = []  #: paths as they came
        self.workers = cores(budget.workers)
        begin = time.monotonic()
        self.deadline = begin + budget.seconds  #: of walking and reading together
        self._deadline = begin + budget.seconds * _WALK
        self._told = 0.0
        self._stopped = ""

    def __enter__(self) -> Opened:
        try:
            self._walk()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the scratch file and the package."""
        self._scratch.close()
        if self._file is not None:
            self._file.close()

    def of(self, *kinds: str) -> Iterator[Member]:
        """Members of these kinds, by path."""
        return (member for member in self.members.values() if member.kind in kinds)

    def open(self, path: str) -> BinaryIO:
        """The bytes of a member, seekable. Raises :class:`~fulldress.package.reader.NotRead`."""
        member = self.members[path]
        if not member.sha256:
            raise NotRead(path)
        if member.kept:
            return io.BytesIO(member.data)
        if path not in self._places:
            self._places[path] = self._again[path]()
        return cast(BinaryIO, self._places[path].another())

    def apart(self) -> None:
        """What a forked process has to do first: nobody else may write where it stores."""
        self._scratch = Scratch()

    @contextmanager
    def until(self, instant: float) -> Iterator[None]:
        """Whoever passes through the members is stopped after this instant of the monotonic clock (OutOfTime)."""
        whole = self.members
        self.members = Timed(whole, instant)
        try:
            yield
        finally:
            self.members = whole

    def _walk(self) -> None:
        if not self.path.exists():
            raise PackageNotFound(self.path)
        if self.path.is_dir():
            self._contents(folder.members(self.path), "", "folder", depth=0, allowed=self._budget.bytes)
            digests = sorted(f"{member.sha256} {member.path}" for member in self._rows.values())
            self.source = hashlib.sha256("\n".join(digests).encode()).hexdigest()
            self.size = sum(member.size for member in self._rows.values())
        else:
            self._single()
        if not any(member.kind != "folder" for member in self._rows.values()) and not self._gaps:
            raise PackageUnreadable(self.path, "it holds no file")
        self._order.sort()
        rows = self._rows
        if self.kind == "folder":  # its digest is known only now
            for row in rows.values():
                msgspec.structs.force_setattr(row, "source", self.source)
        self.members = {path: rows[path] for path in self._order if path in rows}
        self._rows, self._order = {}, []
        self.unread = [self._fact(path, gap) for path, gap in self._gaps.all()]

    def _single(self) -> None:
        try:
            self._file = self.path.open("rb")
            digest = hashlib.sha256()
            while chunk := self._file.read(CHUNK):
                digest.update(chunk)
                self.size += len(chunk)
        except OSError as error:
            raise PackageUnreadable(self.path, str(error.strerror).lower()) from error
        if not self.size:
            raise PackageUnreadable(self.path, "it is empty (0 bytes)")
        self.source = digest.hexdigest()
        whole = Slice(self._file, 0, self.size)
        self.kind = identify(self.name, whole.read(CHUNK))
        if self.kind not in FORMATS and self._carries_zip(whole):
            self.kind = "zip"
        if self.kind in FORMATS:
            self.kind = self._container(whole, self.kind, "", self.name, depth=0)
            if not self._rows:
                raise self._nothing()
            return
        if self.kind in CLOSED:
            what = f"{CLOSED[self.kind]} is a format that fulldress does not open"
            raise PackageUnreadable(self.path, what, remedy="unpack it and inspect the folder")
        if self.kind in _NOT_A_PACKAGE:
            what = (
                "its format is unknown" if self.kind == "data" else f"it is a single file ({self.kind}), not a package"
            )
            raise PackageUnreadable(self.path, what)
        whole.seek(0)
        alone = Offer(name=self.name, size=self.size, chunks=lambda: iter(lambda: whole.read(CHUNK), b""))
        self._contents(iter([alone]), "", "", depth=0, allowed=self._budget.bytes)

    def _nothing(self) -> PackageUnreadable:
        """What to say of a container without a single readable member, and what helps."""
        gaps = [gap for _, gap in self._gaps]
        said = "; ".join(dict.fromkeys(gap.detail for gap in gaps[:3])) or "it holds none"
        what = f"no member of this {self.kind} archive could be read ({said})"
        reasons = {gap.reason for gap in gaps}
        if Reason.ENCRYPTED in reasons:
            return PackageUnreadable(self.path, what, remedy="unpack it with its password and inspect the folder")
        if Reason.MISSING in reasons:
            return PackageUnreadable(self.path, what, remedy="put its parts together and inspect that")
        return PackageUnreadable(self.path, what)

    @staticmethod
    def _carries_zip(whole: Slice) -> bool:
        """Whether a ZIP stands behind something else, as in self-extracting programs, or behind a picture."""
        try:
            found = zipdirectory.directory(cast(BinaryIO, whole))
        except FAULTS:
            return False
        return bool(found and found.records)

    def _container(self, source: Slice, kind: str, prefix: str, name: str, depth: int) -> str:
        """Unfold one container; its kind, which may be a finer one now that its members are known."""
        size = source.seek(0, io.SEEK_END)
        source.seek(0)
        allowed = max(self._budget.free, int(size * self._budget.ratio))
        limit = min(allowed, self._budget.bytes - self._unpacked) + (1 << 20)  # ours speaks first where it can
        before = len(self._order)
        self._contents(opener(kind).members(cast(BinaryIO, source), name, limit), prefix, kind, depth, allowed, source)
        fresh = self._order[before:]
        inner = {path[len(prefix) :] for path in fresh if "!/" not in path[len(prefix) :]}
        finer = refine(kind, inner)
        if finer != kind:
            for path in fresh:
                if "!/" not in path[len(prefix) :]:
                    msgspec.structs.force_setattr(self._rows[path], "container", finer)
        return finer

    def _contents(
        self,
        items: Iterator[Offer | Gap],
        prefix: str,
        kind: str,
        depth: int,
        allowed: int,
        source: Slice | None = None,
    ) -> None:
        place = prefix.removesuffix("!/")
        start = self._unpacked
        size = source.seek(0, io.SEEK_END) if source is not None else 0
        if source is not None:
            source.seek(0)
        offers = ahead(items, size, self.workers)
        try:
            for ordinal, (item, job) in enumerate(offers):
                if isinstance(item, Gap):
                    self._gaps.append((prefix + shown(item.name) if item.name else place, item))
                    continue
                if len(self._rows) >= self._budget.entries:
                    self._stopped = f"more than {self._budget.entries:,} entries"
                if self._stopped:
                    raise Stop
                self._member(item, job, prefix, kind, depth, start + allowed, source, ordinal)
                if depth == 0 and self._progress is not None:
                    self._tell(source, item)
        except Stop:
            detail = self._stopped or f"it unpacks to more than {self._budget.ratio:g} times its size"
            self._gaps.append((place, Gap(reason=Reason.BUDGET, detail=f"{detail}; the rest of it was not read")))
        except Exhausted as cut:
            self._gaps.append((place, Gap(reason=Reason.BUDGET, detail=f"{cut}; the rest of it was not read")))
        except FAULTS as fault:
            detail = str(fault) if isinstance(fault, Damage) else f"not as its format demands ({fault})"
            self._gaps.append((place, Gap(reason=Reason.DAMAGED, detail=detail)))
        finally:
            offers.close()  # and what runs in threads for them
            if isinstance(items, Generator):
                items.close()

    def _member(
        self,
        offer: Offer,
        job: Future[Taken] | None,
        prefix: str,
        kind: str,
        depth: int,
        most: int,
        source: Slice | None,
        ordinal: int,
    ) -> None:
        name = shown(_plain(offer.name))
        if not name:
            return  # the container's own root
        path = self._unique(prefix + name)
        if reason := _astray(offer.name):
            self._gaps.append((path, Gap(reason=Reason.REFUSED, detail=reason, needed=False)))
        self._order.append(path)
        if offer.shape == "file" and offer.whole is not None and offer.closed is None:
            got = job.result() if job is not None else taken(offer.whole)
            if got is not None and self._whole(offer, *got, path, kind, most):
                return
            if got is not None and offer.again is None:
                offer.chunks = partial(iter, (got[0],))  # it came by once
        member = Member(
            source=self.source,
            path=path,
            kind={"hardlink": "link"}.get(offer.shape, offer.shape),
            size=offer.size,
            sha256="",
            mode=offer.mode,
            modified=offer.modified,
            link=shown(offer.link),
            container=offer.container or kind,
        )
        if offer.shape != "file":
            self._rows[path] = member
            return
        if offer.closed is not None:
            reason, detail = offer.closed
            self._rows[path] = msgspec.structs.replace(member, kind="data", kept=False)
            self._gaps.append((path, Gap(reason=reason, detail=detail)))
            return
        self._read(offer, member, depth, most)
        if path not in self._places and not self._rows[path].kept:
            if offer.again is not None:
                content = offer.again
                self._again[path] = lambda: self._scratch.store(content())
            elif source is not None:
                self._skipped.setdefault(id(source), {})[ordinal] = path
                self._again[path] = lambda: self._once_more(source, kind, prefix, path)

    def _whole(self, offer: Offer, data: bytes, digest: str, path: str, container: str, most: int) -> bool:
        """Note a small member that needs no more than that; False where it has to go the long way."""
        kind = identify(path, data, offer.mode)
        if kind in FORMATS or kind in CLOSED or (kind == "shell" and b"\0" in data) or _ends_as_zip(kind, data):
            return False
        if kind in ("elf", "pe") and behind.end(data, len(data)) < len(data):
            return False
        keep = self._keeps(kind, len(data))
        if not keep and (kind not in _BULKY or offer.again is None):
            return False
        try:
            self._spend(len(data), most)
        except Stop:
            self._unpacked -= len(data)
            return False
        if not keep and offer.again is not None:
            self._again[path] = self._later(offer.again)
        self._rows[path] = self._row(
            Member(
                source=self.source,
                path=path,
                kind=kind,
                size=len(data),
                sha256=digest,
                mode=offer.mode,
                modified=offer.modified,
                container=offer.container or container,
                data=data if keep else b"",
                kept=keep,
            )
        )
        return True

    def _row(self, member: Member) -> Member:
        """The member as readers get it: its bytes in memory, or in the scratch file once there are many in memory."""
        if self._kept + len(member.data) <= self._budget.kept:
            self._kept += len(member.data)
            return member
        stored = self._scratch.store(iter((member.data,)))
        fields = {name: getattr(member, name) for name in Member.__struct_fields__ if name != "data"}
        return Stored(fetch=partial(stored.part, 0, len(member.data)), **fields)

    def _keeps(self, kind: str, size: int) -> bool:
        """Whether readers get the bytes of such a member held in memory."""
        bulky = kind in _BULKY and not (kind == "data" and size <= _SMALL_DATA)
        return not bulky and size <= self._budget.each

    def _later(self, content: Callable[[], Iterator[bytes]]) -> Callable[[], Slice]:
        return lambda: self._scratch.store(content())

    def _read(self, offer: Offer, member: Member, depth: int, most: int) -> None:
        """Hash one file, and hand it on to where it is looked at."""
        path = member.path
        flow = Flow(offer.chunks(), lambda length: self._spend(length, most))
        kind = identify(path, flow.head, member.mode)
        held: Slice | None = None
        data = b""
        keep = self._keeps(kind, offer.size)
        if kind in FORMATS or (not keep and offer.again is None):
            held = self._scratch.store(iter(flow))
            self._places[path] = held
        elif keep:
            pieces = iter(flow)
            data = b"".join(_up_to(pieces, self._budget.each))
            if len(data) > self._budget.each:  # larger than its container said, or it said nothing
                keep, data, self._places[path] = False, b"", self._scratch.store(chain((data,), pieces))
        else:
            for _ in flow:
                pass
        self._rows[path] = self._row(
            msgspec.structs.replace(
                member,
                kind=kind,
                size=flow.given,
                sha256="" if flow.fault else flow.digest.hexdigest(),
                data=data,
                kept=keep,
            )
        )
        self._remarks(path, kind, flow, keep, data)
        if _ends_as_zip(kind, flow.tail) and flow.fault is None:
            held = held or self._scratch.store(iter((data,)) if keep else offer.again() if offer.again else iter(()))
            if self._carries_zip(held):
                kind = "zip"
                msgspec.structs.force_setattr(self._rows[path], "kind", kind)
        if kind in ("elf", "pe") and flow.fault is None and (start := behind.end(flow.head, flow.given)) < flow.given:
            held = held or self._scratch.store(iter((data,)) if keep else offer.again() if offer.again else iter(()))
            self._behind(held, start, flow.given, path, member.name, depth)
        if held is not None and kind in FORMATS and not isinstance(flow.fault, Stop):
            if depth + 1 >= self._budget.depth:
                self._gaps.append(
                    (path, Gap(reason=Reason.BUDGET, detail=f"more than {self._budget.depth} containers in each other"))
                )
                return
            finer = self._container(held, kind, path + "!/", member.name, depth + 1)
            if finer != kind:
                msgspec.structs.force_setattr(self._rows[path], "kind", finer)
        if isinstance(flow.fault, Stop):
            raise flow.fault

    def _behind(self, held: Slice, start: int, size: int, path: str, name: str, depth: int) -> None:
        """What stands behind a program, where it is more than padding."""
        place, kind = behind.archive(cast(BinaryIO, held), start, size)
        if kind and depth + 1 < self._budget.depth:
            self._container(Slice(held, place, size - place), kind, path + "!/", name, depth + 1)
        elif kind or size - start > behind.SLACK:
            detail = f"{size - place:,} bytes behind the program, which it may unpack, were not read"
            installs = (depth == 0 and path == name) or _INSTALLS.search(name) is not None
            self._gaps.append((path, Gap(reason=Reason.FORMAT, detail=detail, needed=bool(kind) or installs)))

    def _remarks(self, path: str, kind: str, flow: Flow, keep: bool, data: bytes) -> None:
        """What has to be said of a file that was read in part."""
        if isinstance(flow.fault, Exhausted):
            self._gaps.append((path, Gap(reason=Reason.BUDGET, detail=str(flow.fault))))
        elif isinstance(flow.fault, Stop):
            self._gaps.append((path, Gap(reason=Reason.BUDGET, detail=f"cut after {flow.given:,} bytes")))
        elif flow.fault is not None:
            self._gaps.append((path, Gap(reason=Reason.DAMAGED, detail=str(flow.fault))))
        if kind in CLOSED:
            detail = f"{CLOSED[kind]} is a format that fulldress does not open"
            self._gaps.append((path, Gap(reason=Reason.FORMAT, detail=detail)))
        if not keep and kind not in _BULKY:
            detail = f"hashed, but with {flow.given:,} bytes too large to be looked into"
            self._gaps.append((path, Gap(reason=Reason.BUDGET, detail=detail, needed=kind in _MATTERS)))
        if kind == "shell" and b"\0" in data:
            detail = "binary data follows the script, perhaps an archive that it unpacks"
            self._gaps.append((path, Gap(reason=Reason.FORMAT, detail=detail)))

    def _spend(self, length: int, most: int) -> None:
        """Count unpacked bytes against the budget."""
        self._unpacked += length
        if self._unpacked > self._budget.bytes:
            self._stopped = f"more than {self._budget.bytes:,} bytes unpacked"
        elif time.monotonic() > self._deadline:
            self._stopped = f"more than {self._budget.seconds * _WALK:g} s of reading"
        if self._stopped or self._unpacked > most:
            raise Stop

    def _once_more(self, source: Slice, kind: str, prefix: str, path: str) -> Slice:
        """Read a stream once more for the members that nobody was expected to ask for, and store all of them."""
        skipped = self._skipped.pop(id(source), {})
        again = source.another()
        name = prefix.removesuffix("!/").rsplit("/", 1)[-1] or self.name
        for place, item in enumerate(opener(kind).members(cast(BinaryIO, again), name, 1 << 62)):
            if place in skipped and isinstance(item, Offer):
                self._places[skipped[place]] = self._scratch.store(item.chunks())
            if len(skipped) and place >= max(skipped):
                break
        if path not in self._places:
            raise NotRead(path)
        return self._places[path]

    def _unique(self, path: str) -> str:
        if path not in self._rows:
            return path
        number = 2
        while f"{path}#{number}" in self._rows:
            number += 1
        return f"{path}#{number}"

    def _tell(self, source: Slice | None, offer: Offer) -> None:
        now = time.monotonic()
        if self._progress is not None and now - self._told > 0.05:
            self._told = now
            self._progress("reading", min(source.tell() if source else self._unpacked, self.size or 1 << 62), self.size)

    def _fact(self, path: str, gap: Gap) -> Unread:
        return Unread(
            witness=Witness.READ,
            evidence=Evidence(source=self.source, path=path),
            what=path or self.name,
            reason=gap.reason,
            detail=gap.detail,
            needed=gap.needed,
        )


def _ends_as_zip(kind: str, tail: bytes) -> bool:
    """Whether what is no archive by its first bytes has the end record of a ZIP at its end."""
    return kind not in FORMATS and kind not in CLOSED and b"PK\5\6" in tail[-TAIL:]


def _up_to(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The pieces until there are more than ``most`` bytes."""
    given = 0
    for piece in pieces:
        yield piece
        given += len(piece)
        if given > most:
            return


def _plain(name: str) -> str:
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    return "" if name == "." else name.rstrip("/")


def _astray(name: str) -> str:
    """What is odd about a name beside climbing out with ``..``, which the entry itself shows; empty for most."""
    if name.startswith("/") or name[1:3] in (":\\", ":/"):
        return "its name is absolute; some programs would unpack it there"
    if "\0" in name:
        return "its name holds a NUL; programs differ in where it ends"
    return ""
