"""Time stamps that lie beside what they are over (RFC 3161): ``x.zip.tsr`` with a reply, ``x.zip.tst`` with its token.

A stamp says when bytes were there already, never who made them. One that is over a signature file says that the signature
was there, and so moves the instant by which its certificate is judged (:mod:`judged`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from asn1crypto import cms as asn1
from asn1crypto import parser, tsp

from fulldress.facts import AnyFact, Evidence, Integrity, Reason, Signature, Trust, Witness
from fulldress.package.reader import Member, NotRead, Package
from fulldress.package.signatures import certificates as certs
from fulldress.package.signatures import cms, entries
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Covered, Ground, chain_words, trust_of

SUFFIXES = (".tsr", ".tst")
_DAMAGES = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


def claims(member: Member) -> bool:
    return member.path.lower().endswith(SUFFIXES)


def read(package: Package, member: Member, ground: Ground) -> Iterator[AnyFact]:
    """The stamp over the entry of its name, or over the one that has its digest."""
    yield from judged(member, ground, member.evidence(), partial(_over, package, member))


def token(data: bytes) -> Any:
    """The token in a reply, or the token itself. Raises :class:`ValueError` where there is none."""
    try:
        info = asn1.ContentInfo.load(data)
        if info["content_type"].native != "signed_data":
            raise ValueError("no token")
        _ = info["content"]["encap_content_info"].native
    except _DAMAGES:
        if (status := _status(data)) > 1:  # RFC 3161, 2.4.2: 0 granted, 1 granted with changes
            raise ValueError(f"the authority gave no stamp (its answer has status {status})") from None
        try:
            info = tsp.TimeStampResp.load(data)["time_stamp_token"]
            _ = info["content"]["encap_content_info"].native
        except _DAMAGES as error:
            raise ValueError("it is no time stamp of RFC 3161") from error
    return info


def _status(data: bytes) -> int:
    """The status of a reply, which has no token where it is a refusal; -1: it is no reply."""
    try:
        reply = parser.parse(parser.parse(parser.parse(data)[4])[4])
    except _DAMAGES:
        return -1
    return int.from_bytes(reply[4][:4], "big") if reply[0] == 0 and reply[2] == 2 else -1


def imprint(info: Any) -> tuple[str, bytes]:
    """Hash and digest that a token is over. Raises :class:`ValueError`."""
    try:
        content = cms.signed_data(info["content"]).content
        said = tsp.TSTInfo.load(content or b"")["message_imprint"]
        return str(said["hash_algorithm"]["algorithm"].native), bytes(said["hashed_message"].native)
    except _DAMAGES as error:
        raise ValueError("it does not say what it is over") from error


def judged(
    member: Member,
    ground: Ground,
    evidence: Evidence,
    over: Callable[[str, bytes], Covered],
) -> Iterator[AnyFact]:
    """The fact for one file."""
    try:
        if not member.kept:
            raise ValueError("it is too large for a time stamp")
        info = token(member.data)
        name, digest = imprint(info)
    except ValueError as error:
        yield unread(evidence, f"time stamp {member.name}", Reason.DAMAGED, str(error), needed=False)
        return
    covered = over(name, digest)
    integrity, problem = Integrity.UNVERIFIED, covered.doubt
    stamp = cms.token(info, lambda asked: digest)
    if stamp.problem:
        integrity, problem = Integrity.BROKEN, stamp.problem
    elif not covered.doubt:
        fits = name in cms.HASHES and covered.digest(name) == digest
        integrity = Integrity.INTACT if fits else Integrity.BROKEN
        problem = "" if fits else "the bytes are not those that were stamped"
    said = (
        "bytes intact"
        if not problem
        else f"bytes {'not intact' if integrity is Integrity.BROKEN else 'not verified'}: {problem}"
    )
    words = [said]
    trust, faults, chain = Trust.UNKNOWN, list[str](), None
    if stamp.at is not None and stamp.certificate is not None:
        chain = certs.build(stamp.certificate, stamp.certificates, ground.trust or certs.Folder())
        faults = certs.unfit(chain, stamp.at, certs.STAMPING)
        if stamp.weak:
            faults.append(f"it uses {stamp.weak}, which can be forged")
        trust = trust_of(chain, faults, ground)
        subject = certs.common_name(stamp.certificate.subject)
        words += [f'time-stamped {stamp.at:%Y-%m-%d %H:%M} UTC by "{subject}"', chain_words(chain, ground), *faults]
    yield Signature(
        witness=Witness.READ,
        evidence=evidence,
        scheme="time stamp",
        path=member.path,
        covers=covered.entries,
        integrity=integrity,
        trust=trust,
        words="; ".join(words),
        signer=stamp.certificate.subject.rfc4514_string() if stamp.certificate is not None else "",
        chain=tuple(certs.described(one) for one in chain.certificates) if chain is not None else (),
        stamped_at=stamp.at,
        weaknesses=tuple(faults),
        whole=covered.whole,
    )


def _over(package: Package, member: Member, name: str, digest: bytes) -> Covered:
    named = entries.by_name(package, member)
    for candidate in (*named, *package.members.values()):
        if candidate.kind in ("folder", "link", "device") or candidate.path == member.path:
            continue
        if candidate not in named and not (name == "sha256" and candidate.sha256 == digest.hex()):
            continue  # only the digests that are known already: all entries hashed again for a stamp would be much
        try:
            if name in cms.HASHES and entries.digest(package, candidate, name) == digest:
                return entries.entry(package, candidate)
        except (NotRead, OSError, ValueError):
            continue
    if named:
        return entries.entry(package, named[0])
    return Covered(entries=(), digest=lambda asked: b"", doubt="it is over no entry of the package that could be found")
