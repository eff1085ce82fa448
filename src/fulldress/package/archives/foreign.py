"""Formats that libarchive reads for us, in a child process: 7-Zip, RAR, cabinet, ISO 9660, xar, LHA, and what LZ4, LZMA and
Unix compress pack.

Nothing that such a container says is done: links, devices and names are facts. What libarchive cannot read is said with
its own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from fulldress.facts import Reason
from fulldress.package.archives import Damage, Exhausted, Gap, Offer, volumes
from fulldress.package.archives.child import Child, OutOfBudget, Unable, decoded
from fulldress.package.archives.streams import CHUNK
from fulldress.package.identify import identify
from fulldress.patterns import regex

_UNKNOWN = regex(r"(?i)unsupported|not supported|unknown|unrecognized|cannot be read|isn't supported")
_SECRET = regex(r"(?i)encrypt|passphrase|password")
_MEMORY = regex(r"(?i)memory|allocate")
_PACKED = {"lz4": ".lz4", "lzma": ".lzma", "compress": ".Z"}  #: one file, or a tar


def members(source: BinaryIO, name: str, limit: int) -> Iterator[Offer | Gap]:
    """The members, in the order in which they stand in the container."""
    source.seek(0)
    kind = identify(name, source.read(CHUNK))
    yield from volumes.missing(source, kind)
    try:
        child = Child(source, kind, "read")
    except Unable as unable:
        yield Gap(reason=Reason.CANNOT, detail=str(unable))
        return
    told: list[tuple[Reason, str]] = []
    listed = 0
    try:
        for item in _frames(child, kind, name, limit, told):
            listed += isinstance(item, Offer)
            yield item
    except OutOfBudget as spent:
        yield Gap(reason=Reason.BUDGET, detail=f"{spent}; the rest of it was not read")
    except Unable as unable:
        yield Gap(reason=Reason.CANNOT, detail=f"{unable}; the rest of it was not read")
    finally:
        child.close()
    for reason, detail in told:
        rest = list(_names(source, kind, name, listed, (reason, detail)))
        yield from rest
        if not rest or reason is Reason.DAMAGED:
            yield Gap(reason=reason, detail=f"{detail}; what follows was not read")


def _names(source: BinaryIO, kind: str, name: str, after: int, why: tuple[Reason, str]) -> Iterator[Offer]:
    """The members that stand behind the one whose bytes could not be read: their names at least."""
    if why[0] not in (Reason.FORMAT, Reason.ENCRYPTED):
        return
    try:
        child = Child(source, kind, "list")
    except Unable:
        return
    try:
        number = 0
        while (frame := child.frame())[0] != b"Z":
            if frame[0] == b"E":
                number += 1
                offer = _offer(decoded(frame[1]), kind, name)
                if number > after:
                    offer.closed = offer.closed or (why if offer.shape == "file" else None)
                    yield offer
    except Unable:
        return
    finally:
        child.close()


def _frames(child: Child, kind: str, name: str, limit: int, told: list[tuple[Reason, str]]) -> Iterator[Offer | Gap]:
    given = [0]
    while True:
        letter, body = child.frame()
        if letter == b"Z":
            told += _ended(*decoded(body))
            return
        if letter == b"E":
            ended: list[bool] = []
            offer = _offer(decoded(body), kind, name)
            if offer.shape == "file":
                offer.chunks = _chunks(child, given, limit, ended)
            yield offer
            while not ended:
                letter, body = child.frame()
                _spend(given, len(body) if letter == b"D" else 0, limit)
                if letter == b".":
                    break


def _chunks(child: Child, given: list[int], limit: int, ended: list[bool]) -> Callable[[], Iterator[bytes]]:
    def chunks() -> Iterator[bytes]:
        while not ended:
            try:
                letter, body = child.frame()
            except OutOfBudget as spent:
                raise Exhausted(str(spent)) from spent
            except Unable as unable:
                raise Damage(str(unable)) from unable
            if letter == b".":
                ended.append(True)
            elif letter == b"F":
                raise Damage(f"its content cannot be read to its end ({decoded(body)})")
            elif letter == b"D":
                _spend(given, len(body), limit)
                yield body

    return chunks


def _spend(given: list[int], length: int, limit: int) -> None:
    given[0] += length
    if given[0] > limit:
        raise Exhausted(f"it unpacks to more than {limit:,} bytes")


def _offer(said: dict[str, Any], kind: str, name: str) -> Offer:
    closed = None
    fault = str(said["closed"])
    if said["secret"]:
        closed = (Reason.ENCRYPTED, "it needs a password")
    elif fault:
        closed = (_reason(fault), f"libarchive says of it: {fault}")
    inside = str(said["format"]).lower()
    label = str(said["name"])
    if kind in _PACKED and inside == "raw":
        suffix = _PACKED[kind]
        base = name.rsplit("/", 1)[-1]
        label = base[: -len(suffix)] if base.lower().endswith(suffix.lower()) else f"{base}.content"
    packed = "tar" if kind in _PACKED and "tar" in inside else "cpio" if kind in _PACKED and "cpio" in inside else ""
    stamp = said["modified"]
    return Offer(
        name=label,
        shape=str(said["shape"]),
        size=max(0, int(said["size"] or 0)) if said["shape"] == "file" else 0,
        modified=datetime.fromtimestamp(stamp, UTC) if stamp and 0 < stamp < 1 << 34 else None,
        mode=int(said["mode"]) or None,
        link=str(said["link"] or ""),
        container=packed,
        closed=closed,
    )


def _reason(fault: str) -> Reason:
    if _SECRET.search(fault):
        return Reason.ENCRYPTED
    if _MEMORY.search(fault):
        return Reason.BUDGET
    return Reason.FORMAT if _UNKNOWN.search(fault) else Reason.DAMAGED


def _ended(fault: str, secret: bool) -> Iterator[tuple[Reason, str]]:
    """Why there are no more members, where it is not the container's end."""
    if fault:
        reason = Reason.ENCRYPTED if secret and _SECRET.search(fault) else _reason(fault)
        yield reason, f"libarchive says: {fault}"
