"""A second reader for what our own readers opened: libarchive, in a child process, lists the same containers.

It starts with the walk and runs beside it; only the package itself and the containers directly in it are compared, up to
the limits below. A package that two readers see differently installs something else than what was inspected.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from fulldress.facts import AnyFact, Disagreement, Evidence, Reason, Unread, Witness
from fulldress.package.archives.child import Child, Unable, decoded, place
from fulldress.package.archives.streams import CHUNK, Scratch, Slice
from fulldress.package.archives.zip import BEFORE
from fulldress.package.identify import identify, shown
from fulldress.package.reader import Member, NotRead
from fulldress.package.walk import Opened

#: kind of ours -> what libarchive is told to expect. bzip2 is not compiled into the library that archi brings.
_KINDS = {
    "zip": "zip", "wheel": "zip", "jar": "zip", "war": "zip", "tar": "tar", "gz": "tar", "npm": "tar", "xz": "tar",
    "zst": "tar", "ar": "ar", "deb": "ar", "cpio": "cpio", "rpm": "rpm",
}  # fmt: skip
_HASHED = 16 << 20  #: bytes of a container up to which the content of members is compared, too: 0.1 s of a core or so
_LISTED = {"zip": 8 << 30, "ar": 8 << 30, "cpio": 1 << 30}  #: bytes of a container whose names stand in the clear
_UNPACKED = 64 << 20  #: of one that has to be unpacked for them: about 1 s of the other core
_XZ = 16 << 20  #: of one that xz packed: as long
_INNER = 64 << 20  #: of all containers directly in the package
_JOBS = 500  #: of them
_PATIENCE = 5.0  #: seconds that are waited for it when all else is done
_SHOWN = 40  #: disagreements of one container that are told one by one
_OURS = (".header", ".files", ".scriptlets/")  #: what our RPM reader adds to the payload


class _Row(msgspec.Struct, frozen=True):
    shape: str
    size: int | None
    sha256: str
    is_hard: bool = False  #: one of several names in a cpio; readers choose differently which of them carries the bytes


class _Listing(msgspec.Struct):
    rows: dict[str, list[_Row]] = msgspec.field(default_factory=dict)
    ended: str = ""
    is_whole: bool = False
    is_tar: bool = False


class SecondReader:
    """Starts at the package when it is entered; :meth:`inner` starts the containers in it; :meth:`facts` waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._children: list[tuple[Child, BinaryIO, list[str]]] = []
        self._left_out: list[str] = []
        self._unable = ""
        self._scratch = Scratch()

    def __enter__(self) -> SecondReader:
        try:
            if self._path.is_file():
                with self._path.open("rb") as file:
                    size = file.seek(0, io.SEEK_END)
                    file.seek(0)
                    kind = identify(self._path.name, file.read(CHUNK))
                    if kind in _KINDS and size > _limit(kind):
                        self._left_out.append("")
                    elif kind in _KINDS:
                        whole = cast(BinaryIO, Slice(cast(BinaryIO, file), 0, size))
                        self._start([("", whole, _KINDS[kind])], hashed=size <= _HASHED)
        except OSError:
            pass  # the walk says why the package cannot be read
        return self

    def __exit__(self, *_: object) -> None:
        for child, output, _names in self._children:
            child.close()
            output.close()
        self._scratch.close()

    def _start(self, jobs: list[tuple[str, BinaryIO, str]], hashed: bool) -> None:
        places = [place(source) for _, source, _ in jobs]
        others = [(at[1], at[2], kind) for at, (_, _, kind) in zip(places, jobs, strict=True) if at is not None]
        output = cast(BinaryIO, tempfile.TemporaryFile(prefix="fulldress-"))  # noqa: SIM115 - closed by __exit__
        try:
            child = Child(jobs[0][1], jobs[0][2], "hash" if hashed else "list", output, others[1:])
        except Unable as unable:
            self._unable = str(unable)
            output.close()
            return
        self._children.append((child, output, [path for path, _, _ in jobs]))

    def inner(self, package: Opened) -> None:
        """Start with the containers directly in the package."""
        by_file: dict[int, list[tuple[str, BinaryIO, str]]] = {}
        total = jobs = 0
        for path, member in package.members.items():
            kind = _KINDS.get(member.kind)
            if kind is None or "!/" in path or not member.sha256 or member.size == 0:
                continue
            if member.size > _limit(member.kind) or jobs >= _JOBS or total + member.size > _INNER:
                self._left_out.append(path)
                continue
            with contextlib.suppress(NotRead):
                source = package.open(path)
                if (at := place(source)) is None:  # it lies in memory
                    with source:
                        held = self._scratch.store(iter(partial(source.read, CHUNK), b""))
                    source, at = cast(BinaryIO, held), place(cast(BinaryIO, held))
                if at is not None:
                    by_file.setdefault(at[0].fileno(), []).append((path, source, kind))
                    total += member.size
                    jobs += 1
        for found in by_file.values():
            self._start(found, hashed=total <= _HASHED)

    def facts(self, package: Opened) -> Iterator[AnyFact]:
        """What the readers disagree on, and what was not read a second time."""
        end = time.monotonic() + _PATIENCE
        broken = {gap.evidence.path for gap in package.unread if gap.reason in (Reason.DAMAGED, Reason.BUDGET)}
        for child, output, paths in self._children:
            try:
                child.process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.close()
            output.seek(0)
            for path, listing in zip(paths, _listings(output, len(paths)), strict=True):
                if listing.is_whole:
                    yield from self._compared(package, path, listing, path in broken)
                else:
                    self._left_out.append(path)
        if self._left_out or self._unable:
            yield self._said(package)

    def _compared(self, package: Opened, path: str, listing: _Listing, is_broken: bool) -> Iterator[AnyFact]:
        first = _first(package.members, path)
        if not first or (not listing.rows and _is_stream(package.members, path)):
            return  # a compressed file, not a tar: libarchive has nothing to list in it
        cut = is_broken or bool(listing.ended)
        if listing.ended and not is_broken and not _cannot(listing.ended):
            yield self._fact(package, path, "", f"{len(first):,} names", f"it stops: {listing.ended}")
        found = 0
        for name in sorted(first.keys() | listing.rows.keys()):
            for one, other in _differences(first.get(name, []), listing.rows.get(name, []), cut):
                found += 1
                if found <= _SHOWN:
                    yield self._fact(package, path, name, one, other)
        if found > _SHOWN:
            yield self._fact(package, path, "", f"{found - _SHOWN:,} more members", "otherwise")

    def _fact(self, package: Opened, path: str, name: str, first: str, second: str) -> Disagreement:
        whole = f"{path}!/{name}" if path and name else path or name
        evidence = Evidence(source=package.source, path=whole)
        return Disagreement(
            witness=Witness.READ, evidence=evidence, container=path, member=name, first=first, second=second
        )

    def _said(self, package: Opened) -> Unread:
        inner = [path for path in self._left_out if path]
        what = package.name if "" in self._left_out or not inner else inner[0]
        more = f" and {len(inner) - 1:,} more" if what != package.name and len(inner) > 1 else ""
        return Unread(
            witness=Witness.READ,
            evidence=Evidence(source=package.source),
            what=f"a second reading of {what}{more}",
            reason=Reason.NOT_MEASURED,
            detail=self._unable
            or "too large or slow to be listed once more, or of a compression that libarchive lacks here",
        )


def _limit(kind: str) -> int:
    """Up to how many bytes a container of this kind is listed a second time."""
    return _XZ if kind == "xz" else _LISTED.get(_KINDS[kind], _UNPACKED)


def _first(members: Mapping[str, Member], path: str) -> dict[str, list[_Row]]:
    """What our reader saw in a container, by name, members of one name in their order."""
    prefix = f"{path}!/" if path else ""
    found: dict[str, list[tuple[int, _Row]]] = {}
    for whole, member in members.items():
        name = whole[len(prefix) :]
        if not whole.startswith(prefix) or "!/" in name:
            continue
        if (member.container == "rpm" and name.startswith(_OURS)) or (prefix and name == BEFORE):
            continue  # ours alone: no entry of the archive
        base, _, number = name.rpartition("#")
        twin = bool(base) and number.isdigit() and prefix + base in members
        shape = member.kind if member.kind in ("folder", "link", "device") else "file"
        hard = shape == "link" and member.container in ("cpio", "rpm")
        hard = hard and prefix + member.link.removeprefix("./").lstrip("/") in members
        row = _Row(shape, member.size if member.sha256 else None, member.sha256, hard)
        found.setdefault(base if twin else name, []).append((int(number) if twin else 1, row))
    return {name: [row for _, row in sorted(rows, key=lambda pair: pair[0])] for name, rows in found.items()}


def _is_stream(members: Mapping[str, Member], path: str) -> bool:
    prefix = f"{path}!/" if path else ""
    inside = [
        member for whole, member in members.items() if whole.startswith(prefix) and "!/" not in whole[len(prefix) :]
    ]
    return len(inside) == 1 and inside[0].container in ("gz", "xz", "zst", "bz2")


def _differences(first: list[_Row], second: list[_Row], cut: bool) -> Iterator[tuple[str, str]]:
    if len(first) != len(second):
        if not cut:
            yield _words(first), _words(second)
        return
    pairs = [(one, other) for one, other in zip(first, second, strict=True) if not _same(one, other)]
    if pairs and len(first) > 1 and all(any(_same(one, other) for other in second) for one in first):
        yield f"{len(first)} members of this name, {_words(first[-1:])} the last", f"{_words(second[-1:])} the last"
        return
    for one, other in pairs:
        yield _words([one]), _words([other]) if one.size != other.size or one.shape != other.shape else "other content"


def _same(one: _Row, other: _Row) -> bool:
    if one.shape != other.shape:
        return {one.shape, other.shape} == {"file", "link"} and (one.is_hard or other.is_hard)
    if one.shape != "file":
        return True
    if one.size is not None and other.size is not None and one.size != other.size:
        return False
    return not (one.sha256 and other.sha256) or one.sha256 == other.sha256


def _words(rows: list[_Row]) -> str:
    if not rows:
        return "not there"
    size = f", {rows[0].size:,} bytes" if rows[0].shape == "file" and rows[0].size is not None else ""
    return f"{len(rows)} members" if len(rows) > 1 else f"{rows[0].shape}{size}"


def _cannot(fault: str) -> bool:
    """Whether libarchive only says that it lacks something."""
    low = fault.lower()
    return any(
        word in low for word in ("unsupported", "not supported", "unrecognized", "memory", "allocate", "encrypt")
    )


def _listings(output: BinaryIO, count: int) -> Iterator[_Listing]:
    """What the child wrote, container by container; those that it did not come to are not whole."""
    listing, told = _Listing(), 0
    last: dict[str, Any] | None = None
    given: tuple[int, str] | None = None
    while told < count and len(head := output.read(5)) == 5:
        size = int.from_bytes(head[1:], "big")
        body = output.read(size)
        if len(body) < size:
            break
        letter = head[:1]
        if letter == b"E":
            last, given = decoded(body), None
        elif letter == b"X":
            given = (int(decoded(body)[0]), str(decoded(body)[1]))
        elif letter == b"." and last is not None:
            _note(listing, last, given)
        elif letter == b"Z":
            listing.ended, listing.is_whole = str(decoded(body)[0]), True
            told += 1
            yield listing
            listing = _Listing()
    for _ in range(count - told):
        yield listing
        listing = _Listing()


def _note(listing: _Listing, said: dict[str, Any], given: tuple[int, str] | None) -> None:
    shape = {"hardlink": "link"}.get(str(said["shape"]), str(said["shape"]))
    is_hard = said["shape"] == "hardlink" and "cpio" in str(said["format"]).lower()
    size = given[0] if given else said["size"]
    if said["closed"] or said["secret"]:
        size = None
    row = _Row(shape, size if isinstance(size, int) else None, given[1] if given else "", is_hard)
    if name := _name(str(said["name"]), str(said["format"])):
        listing.rows.setdefault(name, []).append(row)


def _name(raw: str, form: str) -> str:
    """The name as the walk would show it. ZIP names that are no UTF-8 are of code page 437 (APPNOTE 4.4.4)."""
    if form.upper().startswith("ZIP") and any(0xDC80 <= ord(char) <= 0xDCFF for char in raw):
        raw = raw.encode("utf-8", "surrogateescape").decode("cp437")
    while raw.startswith("./"):
        raw = raw[2:].lstrip("/")
    return "" if raw == "." else shown(raw.rstrip("/"))
