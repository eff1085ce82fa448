"""Opens a package: unfolds its containers, hashes every member, and keeps what readers will look at.

Nothing is written under a member's name. Members are streamed; what has to be looked at again lies in one scratch file
without a name. Whatever the budget cuts off is said.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from fulldress.errors import PackageNotFound, PackageUnreadable
from fulldress.facts import Reason, Unread
from fulldress.package import remarks
from fulldress.package.ahead import Taken, ahead
from fulldress.package.archives import (
    CLOSED,
    FORMATS,
    Damage,
    Exhausted,
    Gap,
    Offer,
    behind,
    folder,
    opener,
    zipdirectory,
)
from fulldress.package.archives.streams import CHUNK, Slice
from fulldress.package.budget import Budget, Spending
from fulldress.package.cores import cores
from fulldress.package.flow import FAULTS, TAIL, Flow, Gaps, Stop, Timed, up_to
from fulldress.package.holding import BULKY, PROGRAMS, STORED, Holding
from fulldress.package.identify import identify, refine, shown
from fulldress.package.reader import Member, Options
from fulldress.package.telling import Telling
from fulldress.patterns import regex

Progress = Callable[[str, int, int], None]


_ARCHIVES = frozenset((*FORMATS, *CLOSED))
_INSTALLS = regex(r"(?i)setup|install|upgrade|update")


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
        self._held = Holding(budget)
        self._spending = Spending(budget)
        self._file: BinaryIO | None = None
        self._gaps = Gaps()
        self._order: list[str] = []  #: paths as they came
        self.workers = cores(budget.workers)
        self.deadline = self._spending.deadline  #: of walking and reading together
        self._told = 0.0

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
        self._held.close()
        if self._file is not None:
            self._file.close()

    def of(self, *kinds: str) -> Iterator[Member]:
        """Members of these kinds, by path."""
        return (member for member in self.members.values() if member.kind in kinds)

    def open(self, path: str) -> BinaryIO:
        """The bytes of a member, seekable. Raises :class:`~fulldress.package.reader.NotRead`."""
        return self._held.open(self.members[path])

    def apart(self) -> None:
        """What a forked process has to do first: nobody else may write where it stores."""
        self._held.apart()

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
        self.unread = [remarks.fact(self.source, self.name, path, gap) for path, gap in self._gaps.all()]

    def _single(self) -> None:
        try:
            self._file = self.path.open("rb")
            digest = hashlib.file_digest(self._file, "sha256")
            self.size = self._file.tell()
        except OSError as error:
            raise PackageUnreadable(self.path, str(error.strerror).lower()) from error
        if not self.size:
            raise PackageUnreadable(self.path, "it is empty (0 bytes)")
        self.source = digest.hexdigest()
        whole = Slice(self._file, 0, self.size)
        self.kind = identify(self.name, whole.read(CHUNK))
        if self.kind not in FORMATS and zipdirectory.stands_in(cast(BinaryIO, whole)):
            self.kind = "zip"
        if self.kind in FORMATS:
            self.kind = self._container(whole, self.kind, "", self.name, depth=0)
            if not self._rows:
                raise remarks.nothing(self.path, self.kind, [gap for _, gap in self._gaps])
            return
        if (no_package := remarks.no_package(self.path, self.kind)) is not None:
            raise no_package
        whole.seek(0)
        alone = Offer(name=self.name, size=self.size, chunks=lambda: iter(lambda: whole.read(CHUNK), b""))
        self._contents(iter([alone]), "", "", depth=0, allowed=self._budget.bytes)

    def _container(self, source: Slice, kind: str, prefix: str, name: str, depth: int) -> str:
        """Unfold one container; its kind, which may be a finer one now that its members are known."""
        size = source.seek(0, io.SEEK_END)
        source.seek(0)
        allowed = self._spending.allowance(size)
        limit = min(allowed, self._budget.bytes - self._spending.unpacked) + (1 << 20)  # ours speaks first where it can
        before = len(self._order)
        self._contents(opener(kind).members(cast(BinaryIO, source), name, limit), prefix, kind, depth, allowed, source)
        source.let_go()
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
        start = self._spending.unpacked
        size = source.seek(0, io.SEEK_END) if source is not None else 0
        if source is not None:
            source.seek(0)
        offers = ahead(items, size, self.workers)
        most, rows, entry = start + allowed, self._rows, self._spending.entry
        try:
            for ordinal, (item, got) in enumerate(offers):
                if isinstance(item, Gap):
                    self._gaps.append((prefix + shown(item.name) if item.name else place, item))
                    continue
                entry(len(rows))
                self._member(item, got, prefix, kind, depth, most, source, ordinal)
                if depth == 0 and self._progress is not None:
                    self._tell(source, item)
        except Stop:
            detail = f"{self._spending.words()}; the rest of it was not read"
            self._gaps.append((place, Gap(reason=Reason.BUDGET, detail=detail)))
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
        got: Taken,
        prefix: str,
        kind: str,
        depth: int,
        most: int,
        source: Slice | None,
        ordinal: int,
    ) -> None:
        name = offer.name
        odd = None
        if not _ordinary(name):
            odd = remarks.of_name(name)
            name = shown(_plain(name))
            if not name:
                return  # the container's own root
        path = prefix + name
        if path in self._rows:
            path = self._unique(path)
        if odd is not None:
            self._gaps.append((path, odd))
        self._order.append(path)
        if got is not None:
            if self._whole(offer, *got, path, kind, most):
                return
            if offer.again is None:
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
        if not self._held.is_stored(path) and not self._rows[path].kept:
            if offer.again is not None:
                self._held.packed(path, offer.again)
            elif source is not None:
                self._held.passed(path, source, kind, prefix, self.name, ordinal)

    def _whole(self, offer: Offer, data: bytes, digest: str, path: str, container: str, most: int) -> bool:
        """Note a small member that needs no more than that; False where it has to go the long way."""
        kind = identify(path, data, offer.mode)
        if kind in _ARCHIVES or (kind == "shell" and b"\0" in data) or _ends_as_zip(data):
            return False
        if kind in ("elf", "pe") and behind.end(data, len(data)) < len(data):
            return False
        size, held = len(data), self._held
        keep = held.keeps(kind, size)
        if not keep and (kind not in BULKY or offer.again is None):
            return False
        try:
            self._spending.spend(size, most)
        except Stop:
            self._spending.unpacked -= size
            return False
        if not keep and kind in PROGRAMS:
            held.hold(path, data)
        elif not keep and offer.again is not None:
            held.packed(path, offer.again)
        self._rows[path] = held.row(
            Member(
                source=self.source,
                path=path,
                kind=kind,
                size=size,
                sha256=digest,
                mode=offer.mode,
                modified=offer.modified,
                container=offer.container or container,
                data=data if keep else b"",
                kept=keep,
            )
        )
        return True

    def _read(self, offer: Offer, member: Member, depth: int, most: int) -> None:
        """Hash one file, and hand it on to where it is looked at."""
        path = member.path
        flow = Flow(offer.chunks(), lambda length: self._spending.spend(length, most))
        kind = identify(path, flow.head, member.mode)
        held: Slice | None = None
        data = b""
        keep = self._held.keeps(kind, offer.size)
        if kind in FORMATS or (not keep and offer.again is None) or (kind in PROGRAMS and offer.size <= STORED):
            held = self._held.store(path, iter(flow))
        elif keep:
            pieces = iter(flow)
            data = b"".join(up_to(pieces, self._budget.each))
            if len(data) > self._budget.each:  # larger than its container said, or it said nothing
                self._held.store(path, chain((data,), pieces))
                keep, data = False, b""
        else:
            for _ in flow:
                pass
        self._rows[path] = self._held.row(
            msgspec.structs.replace(
                member,
                kind=kind,
                size=flow.given,
                sha256="" if flow.fault else flow.digest.hexdigest(),
                data=data,
                kept=keep,
            )
        )
        for gap in remarks.of_file(kind, flow, keep, data):
            self._gaps.append((path, gap))
        if _is_zip_behind(kind, flow.tail) and flow.fault is None:
            held = held or self._held.aside(iter((data,)) if keep else offer.again() if offer.again else iter(()))
            if zipdirectory.stands_in(cast(BinaryIO, held)):
                kind = "zip"
                msgspec.structs.force_setattr(self._rows[path], "kind", kind)
        if kind in ("elf", "pe") and flow.fault is None and (start := behind.end(flow.head, flow.given)) < flow.given:
            held = held or self._held.aside(iter((data,)) if keep else offer.again() if offer.again else iter(()))
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
            self._progress(
                "reading", min(source.tell() if source else self._spending.unpacked, self.size or 1 << 62), self.size
            )


def _is_zip_behind(kind: str, tail: bytes) -> bool:
    """Whether what is no archive by its first bytes has the end record of a ZIP at its end."""
    return kind not in _ARCHIVES and _ends_as_zip(tail)


def _ends_as_zip(tail: bytes) -> bool:
    # Texts have no such byte, and a single one is looked for much faster.
    return tail.find(6, -TAIL) >= 0 and tail.find(b"PK\5\6", -TAIL) >= 0


def _ordinary(name: str) -> bool:
    """Whether a name is the path of its member as it stands: nothing in it moves the cursor, climbs, or has to be said."""
    return (
        name.isascii() and name.isprintable() and name[:1] not in ("", ".", "/")
        and name[-1] != "/" and name[1:3] not in (":\\", ":/")
    )  # fmt: skip


def _plain(name: str) -> str:
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    return "" if name == "." else name.rstrip("/")


__all__ = ["Budget", "Opened", "Progress"]
