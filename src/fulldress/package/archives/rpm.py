"""RPM packages: their payload, and as members of their own what the headers say and which scripts run when.

Beside the files a reader finds ``.header`` (name, version, dependencies: :mod:`.rpmtext`), ``.files`` (flags, owners and
capabilities of every file) and ``.scriptlets/NAME`` with the interpreter as first line. Names as rpm's ``--scripts``
prints them: see :data:`fulldress.package.archives.rpmscripts.SCRIPTLETS`.
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO, cast

from fulldress.facts import Reason
from fulldress.package.archives import Damage, Exhausted, Gap, Offer, cpio, rpmheader, rpmscripts, rpmtext
from fulldress.package.archives.rpmheader import Headers
from fulldress.package.archives.streams import CHUNK, Forward, Inflated, Slice

_COMPRESSED = (
    (b"\x1f\x8b", "gz"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bz2"),
    (b"\x28\xb5\x2f\xfd", "zst"),
)
_CPIO = (b"070701", b"070702", b"07070X", b"070707")
#: FILEDIGESTALGO and PAYLOADDIGESTALGO: the numbers of OpenPGP (RFC 4880 9.4)
_ALGORITHMS = {1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}
_HEADER_DIGESTS = ((273, "sha256"), (269, "sha1"))


def members(source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]:
    """What the headers say, the scriptlets, and the files of the payload."""
    headers = rpmheader.read(source)
    for fault in (headers.signature.faults + headers.main.faults)[:20]:
        yield Gap(reason=Reason.DAMAGED, detail=f"in its header, {fault}")
    yield from _digests(source, headers)
    files = rpmtext.files(headers)
    built = _instant(headers.main.number(1006))
    yield _said(".header", rpmtext.header(headers), built)
    if files:
        yield _said(".files", rpmtext.listing(files), built)
    for script in rpmscripts.scripts(headers):
        yield _said(f".scriptlets/{script.name}", script.text, built, 0o755)
        if script.gap:
            yield Gap(reason=Reason.FORMAT, detail=script.gap, name=f".scriptlets/{script.name}")
    source.seek(0, 2)
    payload = Slice(source, headers.payload, max(0, source.tell() - headers.payload))
    by_name = {file.path.lstrip("/"): file for file in files}
    seen: set[str] = set()
    yield from _payload(payload, headers, files, by_name, seen, limit)
    missing = [file.path for file in files if file.path.lstrip("/") not in seen and not file.is_ghost]
    if missing:
        some = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
        yield Gap(
            reason=Reason.DAMAGED, detail=f"{len(missing):,} files that its header lists are not in its payload: {some}"
        )


def _payload(
    payload: Slice,
    headers: Headers,
    files: list[rpmtext.File],
    by_name: dict[str, rpmtext.File],
    seen: set[str],
    limit: int,
) -> Iterator[Offer | Gap]:
    form = headers.main.text(1124)
    if form not in ("", "cpio"):
        yield Gap(reason=Reason.FORMAT, detail=f"its payload is of the form {form!r}, which fulldress does not open")
        seen.update(by_name)
        return
    if not payload.seek(0, 2):
        return
    payload.seek(0)
    algorithm = _ALGORITHMS.get(headers.main.number(5011) or 1, "")
    unlisted = 0
    for item in cpio.walk(Forward(_stream(payload, limit)), _stripped(files)):
        if isinstance(item, Offer):
            key = item.name.removeprefix("./").lstrip("/")
            file = by_name.get(key)
            seen.add(key)
            if file is None and files:
                unlisted += 1
            elif file is not None and file.digest and item.shape == "file" and algorithm:
                item.chunks = _checked(item.chunks, file.digest, algorithm)
        yield item
    if unlisted:
        yield Gap(
            reason=Reason.REFUSED,
            detail=f"{unlisted:,} files of its payload are not in its header's list; rpm refuses such a package",
        )


def _stream(payload: Slice, limit: int) -> BinaryIO | Inflated:
    """The cpio stream. Its own first bytes are believed, not what the header says of the compression."""
    head = payload.read(6)
    payload.seek(0)
    for magic, kind in _COMPRESSED:
        if head.startswith(magic):
            return Inflated(cast(BinaryIO, payload), kind, limit)
    if head.startswith(b"\x5d\0\0"):
        return cast(BinaryIO, Lzma(cast(BinaryIO, payload), limit))
    if head in _CPIO:
        return cast(BinaryIO, payload)
    raise Damage(f"its payload begins with {head!r}, which no known compression does")


class Lzma:
    """An LZMA stream of the form before xz ("alone"), read forwards."""

    def __init__(self, source: BinaryIO, limit: int) -> None:
        self._source, self._limit, self._given = source, limit, 0
        self._decoder = lzma.LZMADecompressor(format=lzma.FORMAT_ALONE, memlimit=1 << 28)

    def read(self, size: int = CHUNK) -> bytes:
        """About ``size`` bytes; empty at the end."""
        while not self._decoder.eof:
            fed = self._source.read(1 << 16) if self._decoder.needs_input else b""
            if self._decoder.needs_input and not fed:
                raise Damage(f"the LZMA stream ends in the middle, after {self._given:,} bytes of content")
            try:
                data = self._decoder.decompress(fed, size)
            except (lzma.LZMAError, EOFError) as fault:
                raise Damage(f"the LZMA stream is damaged after {self._given:,} bytes of content ({fault})") from fault
            if data:
                self._given += len(data)
                if self._given > self._limit:
                    raise Exhausted(f"it unpacks to more than {self._limit:,} bytes")
                return data
        return b""


def _stripped(files: list[rpmtext.File]) -> cpio.Files:
    def header(index: int) -> cpio.Header:
        if index >= len(files):
            raise Damage(f"its payload names file {index:,} of {len(files):,}")
        file = files[index]
        return cpio.Header(
            name=file.path.encode("utf-8", "surrogateescape").lstrip(b"/"),
            size=0 if file.mode >> 12 == 0o04 or file.is_ghost else file.size,
            mode=file.mode,
            modified=file.modified,
            padding=4,
        )

    return header


def _checked(chunks: Callable[[], Iterator[bytes]], wanted: str, algorithm: str) -> Callable[[], Iterator[bytes]]:
    """The same bytes, with the header's digest asked for at their end."""

    def checked() -> Iterator[bytes]:
        digest = hashlib.new(algorithm, usedforsecurity=False)
        for chunk in chunks():
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != wanted.lower():
            raise Damage(f"its {algorithm} is not the one that the package's header states; rpm refuses it")

    return checked


def _digests(source: BinaryIO, headers: Headers) -> Iterator[Gap]:
    """Where the digests over the main header and over the payload are not what is stated."""
    for tag, algorithm in _HEADER_DIGESTS:
        stated = headers.signature.text(tag)
        if stated and stated.lower() != rpmheader.header_digest(source, headers.main, algorithm):
            yield Gap(reason=Reason.DAMAGED, detail=f"the {algorithm} of its header is not the one that is stated")
    stated = headers.main.text(5092)
    algorithm = _ALGORITHMS.get(headers.main.number(5093) or 8, "")
    if stated and algorithm:
        digest = hashlib.new(algorithm, usedforsecurity=False)
        source.seek(headers.payload)
        at = headers.payload
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            at += len(chunk)
            source.seek(at)
        if digest.hexdigest() != stated.lower():
            yield Gap(
                reason=Reason.DAMAGED, detail=f"the {algorithm} of its payload is not the one that its header states"
            )


def _said(name: str, text: str, built: datetime | None, mode: int = 0o644) -> Offer:
    raw = text.encode("utf-8", "surrogateescape")
    return Offer(name=name, size=len(raw), packed=len(raw), modified=built, mode=mode, chunks=lambda: iter((raw,)))


def _instant(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds < 1 << 34 else None
