"""One signature file, whatever its kind: recognised by its bytes, read, and judged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from fulldress.facts import AnyFact, Evidence, Integrity, Reason, Signature, Trust, Witness
from fulldress.package.reader import Member, Package
from fulldress.package.signatures import bykey, cms, minisign, openpgp, packets, sigstore, sshsig
from fulldress.package.signatures.entries import of_bytes
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Covered, Ground, signature

#: What a CMS signature is over.
Over = Callable[[cms.SignedData, cms.Signer], Covered]


def read(
    package: Package,
    member: Member,
    ground: Ground,
    *,
    over: Over,
    named: Callable[[], Covered],
    evidence: Evidence,
) -> Iterator[AnyFact]:
    """Facts for one file. ``named`` gives the entry that the file's own name points to."""
    data, path = member.data, member.path
    if openpgp.is_key(data):
        return
    try:
        if sigstore.looks(data):
            yield from _bundles(package, member, ground, named, evidence)
        elif b"BEGIN PGP" in data[:4096] or (openpgp.looks(data) and member.kind != "cms"):
            message = openpgp.parse(data)
            covered = named() if message.content is None else of_bytes((path,), message.content)
            yield from openpgp.judged(message, covered, ground, evidence, path)
        elif minisign.looks(data):
            parsed = minisign.parse(data)
            covered = named() if parsed.content is None else of_bytes((path,), parsed.content)
            yield bykey.signature(minisign.check(parsed, covered, ground), covered, ground, evidence, path)
        elif sshsig.looks(data):
            covered = named()
            yield bykey.signature(sshsig.check(sshsig.parse(data), covered, ground), covered, ground, evidence, path)
        elif data.lstrip()[:1] == b"{":
            yield from _unknown(evidence, path, member.name)
        else:
            yield from _cms(member, ground, over, evidence)
    except packets.NotOpenPgp as error:
        yield from _damaged(evidence, path, member.name, "OpenPGP", str(error))
    except minisign.NotMinisign as error:
        if str(error) != minisign.PUBLIC:
            yield from _damaged(evidence, path, member.name, "minisign", str(error))
    except sshsig.NotSsh as error:
        yield from _damaged(evidence, path, member.name, "SSH", str(error))
    except sigstore.NotBundle as error:
        yield from _damaged(evidence, path, member.name, "sigstore", str(error))


def _damaged(evidence: Evidence, path: str, name: str, scheme: str, problem: str) -> Iterator[AnyFact]:
    """A signature is there, and nothing can be said of it."""
    yield Signature(
        witness=Witness.READ,
        evidence=evidence,
        scheme=scheme,
        path=path,
        integrity=Integrity.UNVERIFIED,
        trust=Trust.UNKNOWN,
        words=f"bytes not verified: {problem}",
    )
    yield unread(evidence, name, Reason.DAMAGED, problem)


def _unknown(evidence: Evidence, path: str, name: str) -> Iterator[AnyFact]:
    words = "a JSON signature, of a kind that fulldress does not verify"
    yield Signature(
        witness=Witness.READ,
        evidence=evidence,
        scheme="JSON",
        path=path,
        integrity=Integrity.UNVERIFIED,
        trust=Trust.UNKNOWN,
        words=words,
    )
    yield unread(evidence, name, Reason.FORMAT, words)


def _cms(member: Member, ground: Ground, over: Over, evidence: Evidence) -> Iterator[AnyFact]:
    try:
        data = cms.parse(member.data)
    except cms.NotCms as error:
        yield unread(evidence, member.name, Reason.DAMAGED, str(error))
        return
    if not data.signers and member.name.lower().endswith((".p7s", ".sig")):
        yield unread(evidence, member.name, Reason.NO_DATA, "it holds certificates and no signature")
    for signer in data.signers:
        yield signature(signer, data, over(data, signer), ground, evidence, member.path)


def _bundles(
    package: Package, member: Member, ground: Ground, named: Callable[[], Covered], evidence: Evidence
) -> Iterator[AnyFact]:
    target = named()
    entry = target.entries[0] if target.entries and not target.doubt else ""
    sha256 = None
    if entry and target.feed is not None:
        state = hashlib.sha256()
        target.feed(state)
        sha256 = state.digest()

    def find(name: str, digests: dict[str, str]) -> str:
        if "sha256" in digests:
            wanted = digests["sha256"].lower()
            if sha256 is not None and sha256.hex() == wanted:
                return entry
            return next((path for path, other in package.members.items() if other.sha256 == wanted), "")
        for algorithm in ("sha512", "sha384"):
            if algorithm in digests and entry and target.feed is not None:
                state = hashlib.new(algorithm)
                target.feed(state)
                if state.hexdigest() == digests[algorithm].lower():
                    return entry
        return ""

    roots = [root for path, raw in ground.keys.roots if (root := sigstore.root(path.name, raw)) is not None]
    for bundle in sigstore.parse(member.data):
        yield sigstore.judged(bundle, roots, ground, evidence, member.path, find, (entry, sha256))
