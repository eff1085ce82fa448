"""Who signed what of a package: CMS signatures, checksum files, the vendor's advisories.

Revocation is not checked: that needs the network, and fulldress sends nothing anywhere.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from fulldress.facts import AnyFact, Evidence, Integrity, Reason, Signature, Trust, Unread, Witness
from fulldress.package.reader import Member, NotRead, Package
from fulldress.package.signatures import advisories, certificates, checksums, cms
from fulldress.package.signatures.judged import Covered, Ground, signature

SUFFIXES = (".p7s", ".p7m", ".p7", ".cms", ".sig", ".sign", ".asc", ".minisig", ".signature")
_LARGEST_SIGNATURE = 4_000_000
_CHUNK = 1 << 20
_IN_DEB = re.compile(r"(?:^|/)(?:control\.tar(?:\.\w+)?!/|DEBIAN/)md5sums$")
#: Bytes hashed again to find out which entry a signature is over, when names don't tell and it is no sha256.
_SEARCH = 2_000_000_000


def read(package: Package) -> Iterator[AnyFact]:
    """Signatures with everything known about them; that nothing is signed is said, too."""
    options = package.options
    at = options.at or datetime.now(UTC)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    texts = tuple(advisories.load(options.advisories))
    yield from (text.fact for text in texts)
    trust = certificates.load(options.trust) if options.trust is not None and options.trust.is_dir() else None
    if trust is not None:
        yield from (_unreadable(path, problem) for path, problem in trust.unreadable)
    ground = Ground(trust=trust, advisories=texts, at=at, previous=options.previous)
    found: list[AnyFact] = []
    sums = {item.member.path: item for item in checksums.files(package)}
    verified: dict[str, tuple[str, ...]] = {}
    for path, item in sums.items():
        facts, good = _sums(package, item)
        found.extend(facts)
        verified[path] = good
    for path in sorted(package.members):
        member = package.members[path]
        if _may_sign(member):
            found.extend(_signature(package, member, ground, verified))
    found.extend(_beside(package, ground))
    signed = [fact for fact in found if isinstance(fact, Signature) and fact.names_a_maker]
    vouched = any(fact.integrity is Integrity.INTACT for fact in signed)
    other = {fact.evidence for fact in signed if fact.integrity is Integrity.UNVERIFIED}
    for fact in found:
        # one signature that could be verified is enough: what others say of the same package adds nothing to a verdict
        beside = vouched and isinstance(fact, Unread) and fact.evidence in other
        yield msgspec.structs.replace(fact, needed=False) if beside and isinstance(fact, Unread) else fact
    if not signed:
        # known, not unknown: the rules weigh it (FD102)
        yield Unread(
            witness=Witness.READ,
            evidence=Evidence(source=package.source),
            what="who made the package",
            reason=Reason.NO_DATA,
            detail="nothing in the package is signed",
        )
    elif any(isinstance(fact, Signature) and fact.chain for fact in found):
        yield Unread(
            witness=Witness.READ,
            evidence=Evidence(source=package.source),
            what="whether a certificate was revoked",
            reason=Reason.UNREACHABLE,
            detail="revocation needs the network, and fulldress works offline",
        )


def _may_sign(member: Member) -> bool:
    if member.kind in ("folder", "link", "device", "empty") or not member.size:
        return False
    return member.kind in ("cms", "pgp", "minisign") or member.name.lower().endswith(SUFFIXES)


def _signature(
    package: Package, member: Member, ground: Ground, verified: dict[str, tuple[str, ...]]
) -> Iterator[AnyFact]:
    if not member.kept or member.size > _LARGEST_SIGNATURE:
        yield _unread(
            member.evidence(), member.name, Reason.BUDGET, f"{member.size} bytes are too many for a signature"
        )
        return
    other = _other_format(member)
    if other:
        yield from _of_another_kind(member.evidence(), member.path, member.name, other)
        return
    try:
        data = cms.parse(member.data)
    except cms.NotCms as error:
        yield _unread(member.evidence(), member.name, Reason.DAMAGED, str(error))
        return
    if not data.signers:
        if member.name.lower().endswith((".p7s", ".sig")):
            yield _unread(member.evidence(), member.name, Reason.NO_DATA, "it holds certificates and no signature")
        return
    for signer in data.signers:
        covered = _covered(package, member, data, signer)
        extra = tuple(path for entry in covered.entries for path in verified.get(entry, ()))
        fact = signature(signer, data, covered, ground, member.evidence(), member.path)
        yield _with_entries(fact, extra)


def _with_entries(fact: Signature, extra: tuple[str, ...]) -> Signature:
    """A signature over a checksum file is one over everything that the file's lines fit."""
    if not extra or fact.integrity is not Integrity.INTACT:
        return fact
    return msgspec.structs.replace(fact, covers=(*fact.covers, *extra))


def _of_another_kind(evidence: Evidence, path: str, name: str, words: str) -> Iterator[AnyFact]:
    """A signature that fulldress knows by its looks only: it is there, and nobody has verified it yet."""
    yield Signature(
        witness=Witness.READ,
        evidence=evidence,
        scheme=words.split(" signature")[0].removeprefix("most likely ").removeprefix("an ").removeprefix("a "),
        path=path,
        integrity=Integrity.UNVERIFIED,
        trust=Trust.UNKNOWN,
        words=words,
    )
    yield _unread(evidence, name, Reason.FORMAT, words)


def _other_format(member: Member) -> str:
    head = member.data[:200]
    if b"BEGIN PGP" in head or member.kind == "pgp":
        return "an OpenPGP signature; check it with the vendor's key: gpg --verify"
    if head.startswith((b"untrusted comment:", b"RW")) or member.kind == "minisign":
        return "a minisign signature; check it with the vendor's key: minisign -V"
    if b"BEGIN SSH SIGNATURE" in head:
        return "an SSH signature; check it with: ssh-keygen -Y verify"
    if head[:1] in (b"\x88", b"\x89", b"\xc2"):
        return "most likely a binary OpenPGP signature; check it with the vendor's key: gpg --verify"
    if head.lstrip()[:1] == b"{":
        return "a JSON signature, of a kind that fulldress does not verify"
    return ""


# -- which bytes


def _covered(package: Package, member: Member, data: cms.SignedData, signer: cms.Signer) -> Covered:
    if data.content is not None:
        content = data.content
        return Covered(entries=(member.path,), digest=cms.digest_of(content), content=lambda: content)
    named = _by_name(package, member)
    for candidate in named:
        if signer.digest is None or _fits(package, candidate, signer):
            return _entry(package, candidate)
    if signer.digest is not None and signer.hash in cms.HASHES:
        found, complete = _by_digest(package, member, signer)
        if found is not None:
            return _entry(package, found)
        if not named:
            doubt = (
                "it is over no entry of the package" if complete else "no entry of its name; not all others were tried"
            )
            return Covered(entries=(), digest=lambda name: b"", doubt=doubt)
    if named:
        return _entry(package, named[0])
    return Covered(entries=(), digest=lambda name: b"", doubt="it does not say which entry it is over")


def _fits(package: Package, member: Member, signer: cms.Signer) -> bool:
    """Whether the signed digest is that of a member; False for one that cannot be read."""
    try:
        return signer.hash in cms.HASHES and _digest(package, member, signer.hash) == signer.digest
    except (NotRead, OSError):
        return False


def _entry(package: Package, member: Member) -> Covered:
    try:
        with package.open(member.path):
            pass
    except (NotRead, OSError):
        doubt = f"{member.path} could not be read"
        return Covered(entries=(member.path,), digest=lambda name: b"", doubt=doubt)

    def content() -> bytes:
        with package.open(member.path) as stream:
            return stream.read()

    return Covered(
        entries=(member.path,),
        digest=lambda name: _digest(package, member, name),
        content=content if member.kept else None,
    )


def _by_name(package: Package, member: Member) -> list[Member]:
    """Entries that a signature's name points to: ``a.zip.p7s`` to ``a.zip``, ``manifest.p7s`` to ``manifest.json``."""
    stem = member.path[: -len(posixpath.splitext(member.path)[1])] if "." in member.name else member.path
    found = []
    exact = package.members.get(stem)
    if exact is not None and exact.kind not in ("folder", "device"):
        found.append(exact)
    folder = posixpath.dirname(member.path)
    for path, other in package.members.items():
        if path == member.path or posixpath.dirname(path) != folder or _may_sign(other) or other.kind == "folder":
            continue
        if posixpath.splitext(path)[0] == stem and other not in found:
            found.append(other)
    return found


def _by_digest(package: Package, member: Member, signer: cms.Signer) -> tuple[Member | None, bool]:
    """The entry whose digest is the signed one, and whether all could be tried."""
    budget = _SEARCH
    for path in sorted(package.members):
        other = package.members[path]
        if path == member.path or other.kind in ("folder", "link", "device"):
            continue
        if signer.hash == "sha256" and other.sha256:
            if bytes.fromhex(other.sha256) == signer.digest:
                return other, True
            continue
        budget -= other.size
        if budget < 0:
            return None, False
        if _fits(package, other, signer):
            return other, True
    return None, True


def _digest(package: Package, member: Member, name: str) -> bytes:
    if name == "sha256" and member.sha256:
        return bytes.fromhex(member.sha256)
    if member.kept and len(member.data) == member.size:
        return hashlib.new(name, member.data, usedforsecurity=False).digest()
    state = hashlib.new(name, usedforsecurity=False)
    with package.open(member.path) as stream:
        while chunk := stream.read(_CHUNK):
            state.update(chunk)
    return state.digest()


# -- beside the package


def _beside(package: Package, ground: Ground) -> Iterator[AnyFact]:
    """Signatures that lie next to the package on disk: ``x.zip.p7s`` or ``x.p7s`` for ``x.zip``."""
    path = getattr(package, "path", None)
    if not isinstance(path, Path) or not path.is_file():
        return
    for suffix in SUFFIXES:
        for file in dict.fromkeys((path.with_name(path.name + suffix), path.with_suffix(suffix))):
            if file == path or not file.is_file():
                continue
            evidence = Evidence(source=str(file), path=file.name)
            if file.stat().st_size > _LARGEST_SIGNATURE:
                yield _unread(
                    evidence, file.name, Reason.BUDGET, f"{file.stat().st_size} bytes are too many for a signature"
                )
                continue
            raw = file.read_bytes()
            like = Member(source="", path=file.name, kind="data", size=len(raw), sha256="", data=raw)
            other = _other_format(like)
            if other:
                yield from _of_another_kind(evidence, file.name, file.name, other)
                continue
            try:
                data = cms.parse(raw)
            except cms.NotCms as error:
                yield _unread(evidence, file.name, Reason.DAMAGED, str(error))
                continue
            covered = Covered(entries=(package.name,), digest=partial(_file_digest, path))
            if data.content is not None:
                covered = Covered(entries=(file.name,), digest=cms.digest_of(data.content))
            for signer in data.signers:
                yield signature(signer, data, covered, ground, evidence, file.name)


def _file_digest(path: Path, name: str) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, name).digest()


# -- checksums


def _sums(package: Package, sums: checksums.Sums) -> tuple[list[AnyFact], tuple[str, ...]]:
    """The fact for a checksum file, what could not be read of it, and the entries that fit it."""
    good: list[str] = []
    wrong: list[tuple[checksums.Line, Member]] = []
    absent: list[checksums.Line] = []
    unknown: list[checksums.Line] = []
    for line in sums.lines:
        member = checksums.target(package, sums, line.path)
        if member is None:
            absent.append(line)
            continue
        try:
            fits = _digest(package, member, line.hash).hex() == line.digest
        except (ValueError, NotRead, OSError):
            unknown.append(line)
            continue
        (good.append(member.path) if fits else wrong.append((line, member)))
    facts: list[AnyFact] = []
    name = sums.member.name
    for line in unknown:
        facts.append(
            _unread(
                sums.member.evidence(line.number), f"a line of {name}", Reason.FORMAT, f"{line.hash} of {line.path}"
            )
        )
    if sums.bad:
        numbers = ", ".join(map(str, sums.bad[:5])) + (" …" if len(sums.bad) > 5 else "")
        facts.append(
            _unread(
                sums.member.evidence(sums.bad[0]),
                f"{len(sums.bad)} lines of {name}",
                Reason.GRAMMAR,
                f"lines {numbers}",
            )
        )
    weak = sorted({line.hash for line in sums.lines if line.hash in ("md5", "sha1")})
    if _IN_DEB.search(sums.member.path):
        weak = []  # dpkg's list is there to find damage; a deb is vouched for by the archive that it comes from
    if absent and (good or wrong):
        names = ", ".join(line.path for line in absent[:3]) + (" …" if len(absent) > 3 else "")
        facts.append(
            _unread(
                sums.member.evidence(absent[0].number), f"{len(absent)} files that {name} lists", Reason.MISSING, names
            )
        )
    if wrong:
        names = ", ".join(member.path for _, member in wrong[:3]) + (" …" if len(wrong) > 3 else "")
        words = f"{len(wrong)} of {len(sums.lines)} checksums do not fit: {names}"
    elif good:
        words = f"all {len(good)} checksums of entries in the package fit; a checksum does not say who made it"
    else:
        facts.append(
            _unread(
                sums.member.evidence(),
                f"the {len(sums.lines)} checksums of {name}",
                Reason.MISSING,
                "their files are not here",
            )
        )
        return facts, ()
    place = sums.member.evidence(wrong[0][0].number if wrong else 0)
    facts.append(
        Signature(
            witness=Witness.READ,
            evidence=place,
            scheme="checksums",
            path=sums.member.path,
            covers=tuple(member.path for _, member in wrong) or tuple(good),
            integrity=Integrity.BROKEN if wrong else Integrity.INTACT,
            trust=Trust.UNKNOWN,
            words=words,
            weaknesses=tuple(f"{item.upper()} can be forged" for item in weak),
        )
    )
    return facts, tuple(good)


def _unread(evidence: Evidence, what: str, reason: Reason, detail: str) -> Unread:
    needed = reason in (Reason.DAMAGED, Reason.FORMAT)
    return Unread(witness=Witness.READ, evidence=evidence, what=what, reason=reason, detail=detail, needed=needed)


def _unreadable(path: Path, problem: str) -> Unread:
    what = f"certificate {path.parent.name}/{re.sub(r'[^ -~]', '?', path.name)}"
    return _unread(Evidence(source=str(path), path=path.name), what, Reason.DAMAGED, problem)


__all__ = ["read"]
