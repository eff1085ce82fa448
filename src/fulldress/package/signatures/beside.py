"""What lies beside the package on disk: ``x.zip.p7s``, ``x.zip.asc``, ``x.zip.sha256``, and a ``SHA256SUMS`` that names it."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from fulldress.facts import AnyFact, Evidence, Integrity, Reason, Signature, Trust, Witness
from fulldress.package.reader import Member, Package
from fulldress.package.signatures import checksums, cms, one, stampfile
from fulldress.package.signatures.entries import LARGEST, SUFFIXES, of_bytes
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Covered, Ground

_SUMS = (".sha256", ".sha512", ".sha384", ".sha1", ".md5", ".sha256sum", ".sha512sum", ".md5sum", ".b2", ".sha3-256")
_LISTS = (
    "SHA256SUMS",
    "SHA512SUMS",
    "SHA1SUMS",
    "MD5SUMS",
    "B2SUMS",
    "CHECKSUMS",
    "checksums.txt",
    "CHECKSUMS.txt",
    "sha256sums.txt",
    "sha256sum.txt",
    "SHA256SUMS.txt",
)


def read(package: Package, ground: Ground) -> Iterator[AnyFact]:
    """Signatures and digests of the package as a whole."""
    path = getattr(package, "path", None)
    if not isinstance(path, Path) or not path.is_file():
        return
    whole = Covered(
        entries=(package.name,),
        digest=partial(_digest, path),
        content=path.read_bytes if path.stat().st_size <= 64_000_000 else None,
        feed=partial(_feed, path),
        whole=True,
    )
    stems = (path.name, path.stem) if path.suffix else (path.name,)
    names = [stem + suffix for suffix in SUFFIXES for stem in stems]
    for file in _files(path, names):
        # x.asc beside x.zip may be over x.tar.gz as well; only one that fits is told of
        sure = file.name.startswith(path.name)
        yield from _told(_signature(package, file, whole, ground), sure or not _other(path, file))
    for file in _stamp_files(path):
        member = _member(file)
        if member is not None:
            evidence = Evidence(source=str(file), path=file.name)
            yield from _told(
                stampfile.judged(member, ground, evidence, lambda name, digest: whole), file.stem == path.name
            )
    for file in _files(path, [*(path.name + suffix for suffix in _SUMS), *_LISTS]):
        yield from _sums(file, path, package, ground)


def _stamp_files(path: Path) -> Iterator[Path]:
    """Time stamps over the package; of ``x.tsr`` beside ``x.zip`` only one that fits is told of."""
    yield from _files(path, [stem + suffix for suffix in stampfile.SUFFIXES for stem in (path.name, path.stem)])


def stamps(package: Package) -> Iterator[bytes]:
    """Time-stamp files over the package and over what signs it, as bytes."""
    path = getattr(package, "path", None)
    if not isinstance(path, Path) or not path.is_file():
        return
    signing = [path.name + suffix + stamp for suffix in SUFFIXES for stamp in stampfile.SUFFIXES]
    for file in (*_stamp_files(path), *_files(path, signing)):
        if (member := _member(file)) is not None:
            yield member.data


def _other(path: Path, file: Path) -> bool:
    """Whether another file of the folder has that stem, too."""
    return any(
        p.stem == file.stem and p not in (path, file) and p.suffix not in SUFFIXES for p in path.parent.iterdir()
    )


def _told(facts: Iterator[AnyFact], sure: bool) -> Iterator[AnyFact]:
    for fact in facts:
        if sure or (isinstance(fact, Signature) and fact.integrity is Integrity.INTACT):
            yield fact


def _files(path: Path, names: list[str]) -> Iterator[Path]:
    for name in dict.fromkeys(names):
        file = path.with_name(name)
        if file != path and file.is_file():
            yield file


def _signature(package: Package, file: Path, whole: Covered, ground: Ground) -> Iterator[AnyFact]:
    member = _member(file)
    if member is None:
        evidence = Evidence(source=str(file), path=file.name)
        detail = f"{file.stat().st_size} bytes are too many for a signature"
        yield unread(evidence, file.name, Reason.BUDGET, detail)
        return
    yield from one.read(
        package,
        member,
        ground,
        over=lambda data, signer: _over(data, member, whole),
        named=lambda: whole,
        evidence=Evidence(source=str(file), path=file.name),
    )


def _over(data: cms.SignedData, member: Member, whole: Covered) -> Covered:
    return whole if data.content is None else of_bytes((member.path,), data.content)


def _member(file: Path) -> Member | None:
    size = file.stat().st_size
    if size > LARGEST:
        return None
    raw = file.read_bytes()
    return Member(source="", path=file.name, kind="data", size=size, sha256=hashlib.sha256(raw).hexdigest(), data=raw)


def _sums(file: Path, path: Path, package: Package, ground: Ground) -> Iterator[AnyFact]:
    """The line of a checksum file that names the package, and whoever signed that file."""
    member = _member(file)
    if member is None:
        return
    parsed = checksums.parse(member)
    lines = [row for row in parsed.lines if posixpath.basename(row.path.replace("\\", "/")) in (path.name, "")]
    if not lines and len(parsed.lines) == 1 and file.name.startswith(path.name + "."):
        lines = list(parsed.lines)
    known = [row for row in lines if row.hash in checksums.KNOWN]
    if not known:
        return
    wrong = [row for row in known if _digest(path, row.hash).hex() != row.digest]
    weak = sorted({row.hash for row in known if row.hash in checksums.WEAK})
    if wrong:
        words = f"the {wrong[0].hash} of {path.name} is not the one in {file.name}"
    else:
        words = f"the {known[0].hash} in {file.name} beside it fits; a checksum does not say who made it"
    evidence = Evidence(source=str(file), path=file.name, line=known[0].number)
    yield Signature(
        witness=Witness.READ,
        evidence=evidence,
        scheme="checksums",
        path=file.name,
        covers=(package.name,),
        whole=True,
        integrity=Integrity.BROKEN if wrong else Integrity.INTACT,
        trust=Trust.UNKNOWN,
        words=words,
        weaknesses=() if len(weak) < len(known) else tuple(f"{name.upper()} can be forged" for name in weak),
    )
    itself = of_bytes((file.name,), member.data)
    signers = [file.name + suffix for suffix in SUFFIXES]
    facts = [fact for other in _files(file, signers) for fact in _signature(package, other, itself, ground)]
    if b"BEGIN PGP SIGNED MESSAGE" in member.data:
        facts.extend(_signature(package, file, itself, ground))
    for fact in facts:
        if isinstance(fact, Signature) and fact.integrity is Integrity.INTACT and not wrong:
            yield msgspec.structs.replace(fact, covers=(*fact.covers, package.name), whole=True)
        else:
            yield fact


def _digest(path: Path, name: str) -> bytes:
    state = checksums.new(name)
    _feed(path, state)
    return bytes(state.digest())


def _feed(path: Path, state: Any) -> None:
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            state.update(chunk)
