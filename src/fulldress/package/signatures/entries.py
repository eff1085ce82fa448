"""Which bytes a signature is over: by its name, by the digest in it, and those bytes as a stream."""

from __future__ import annotations

import posixpath
from functools import partial
from typing import Any

from fulldress.package.reader import Member, NotRead, Package
from fulldress.package.signatures import cms
from fulldress.package.signatures.checksums import new
from fulldress.package.signatures.judged import Covered

SUFFIXES = (
    ".p7s",
    ".p7m",
    ".p7",
    ".cms",
    ".sig",
    ".sign",
    ".asc",
    ".minisig",
    ".signature",
    ".gpg",
    ".pgp",
    ".sshsig",
    ".sigstore",
    ".sigstore.json",
    ".attestation",
    ".bundle",
    ".provenance",
)
LARGEST = 4_000_000  #: bytes of a signature
_CHUNK = 1 << 20
#: Bytes hashed again to find out which entry a signature is over, when names don't tell and it is no sha256.
_SEARCH = 2_000_000_000
_NO_BYTES = ("folder", "link", "device")


def may_sign(member: Member) -> bool:
    """Whether a member could be a signature, by its kind and name."""
    if member.kind in (*_NO_BYTES, "empty") or not member.size:
        return False
    return member.kind in ("cms", "pgp", "minisign") or member.name.lower().endswith(SUFFIXES)


def covered(package: Package, member: Member, data: cms.SignedData, signer: cms.Signer) -> Covered:
    """What a CMS signature is over: its own content, the entry of its name, or the entry with the signed digest."""
    if data.content is not None:
        content = data.content
        return Covered(
            entries=(member.path,), digest=cms.digest_of(content), content=lambda: content, feed=_writes(content)
        )
    named = by_name(package, member)
    for candidate in named:
        if signer.digest is None or _fits(package, candidate, signer):
            return entry(package, candidate)
    if signer.digest is not None and signer.hash in cms.HASHES:
        found, complete = _by_digest(package, member, signer)
        if found is not None:
            return entry(package, found)
        if not named:
            doubt = (
                "it is over no entry of the package" if complete else "no entry of its name; not all others were tried"
            )
            return Covered(entries=(), digest=lambda name: b"", doubt=doubt)
    if named:
        return entry(package, named[0])
    return Covered(entries=(), digest=lambda name: b"", doubt="it does not say which entry it is over")


def named(package: Package, member: Member) -> Covered:
    """What a signature is over that holds no digest to look for: the entry of its name."""
    found = by_name(package, member)
    if not found:
        return Covered(entries=(), digest=lambda name: b"", doubt="it does not say which entry it is over")
    return entry(package, found[0])


def _writes(content: bytes) -> Any:
    return lambda state: state.update(content)


def of_bytes(entries: tuple[str, ...], content: bytes) -> Covered:
    return Covered(entries=entries, digest=cms.digest_of(content), content=lambda: content, feed=_writes(content))


def _fits(package: Package, member: Member, signer: cms.Signer) -> bool:
    """Whether the signed digest is that of a member; False for one that cannot be read."""
    try:
        return signer.hash in cms.HASHES and digest(package, member, signer.hash) == signer.digest
    except (NotRead, OSError):
        return False


def entry(package: Package, member: Member) -> Covered:
    """A member as what is signed."""
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
        digest=partial(digest, package, member),
        content=content if member.kept else None,
        feed=partial(_feed, package, member),
    )


def by_name(package: Package, member: Member) -> list[Member]:
    """Entries that a signature's name points to: ``a.zip.p7s`` to ``a.zip``, ``manifest.p7s`` to ``manifest.json``."""
    low = member.path.lower()
    suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if low.endswith(s)), "")
    stem = member.path[: -len(suffix)] if suffix else posixpath.splitext(member.path)[0]
    found = []
    exact = package.members.get(stem)
    if exact is not None and exact.kind not in ("folder", "device") and exact.path != member.path:
        found.append(exact)
    folder = posixpath.dirname(member.path)
    for path, other in package.members.items():
        if path == member.path or posixpath.dirname(path) != folder or may_sign(other) or other.kind == "folder":
            continue
        if posixpath.splitext(path)[0] == stem and other not in found:
            found.append(other)
    return found


def _by_digest(package: Package, member: Member, signer: cms.Signer) -> tuple[Member | None, bool]:
    """The entry whose digest is the signed one, and whether all could be tried."""
    budget = _SEARCH
    for path in sorted(package.members):
        other = package.members[path]
        if path == member.path or other.kind in _NO_BYTES:
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


def digest(package: Package, member: Member, name: str) -> bytes:
    """Raises :class:`NotRead`, :class:`OSError`, and :class:`ValueError` for a hash that nobody knows."""
    if name == "sha256" and member.sha256:
        return bytes.fromhex(member.sha256)
    state = new(name)
    _feed(package, member, state)
    return bytes(state.digest())


def _feed(package: Package, member: Member, state: Any) -> None:
    if member.kept and len(member.data) == member.size:
        state.update(member.data)
        return
    with package.open(member.path) as stream:
        while chunk := stream.read(_CHUNK):
            state.update(chunk)
