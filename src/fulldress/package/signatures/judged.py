"""One CMS signature judged: bytes, chain, time, announcement, continuity, and the sentence that says it all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography import x509

from fulldress.facts import Evidence, Integrity, Signature, Trust, Witness
from fulldress.package.signatures import certificates as certs
from fulldress.package.signatures import cms, revocation
from fulldress.package.signatures.advisories import Text
from fulldress.package.signatures.keys import Keys
from fulldress.package.signatures.pgpkeys import Holder
from fulldress.patterns import regex


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What signatures are judged by."""

    trust: certs.Folder | None  #: None: no trust folder was given
    advisories: tuple[Text, ...]
    at: datetime
    previous: tuple[str, ...]
    keys: Keys = Keys()
    brought: tuple[Holder, ...] = ()  #: OpenPGP keys that the package brings itself: they prove no more than it does
    product: certs.Folder | None = None  #: the installed product's own anchors; None: not known
    revocations: revocation.Known = revocation.Known()
    today: datetime | None = None  #: the day of reading, where ``at`` is another one
    tools: frozenset[str] = frozenset()  #: of apt and rpm, those of production whose keys are all known
    anchors: tuple[tuple[str, x509.Certificate], ...] = ()  #: what Java and products in production hold, with the file
    unheld: tuple[tuple[str, str], ...] = ()  #: files of production with keys that could not be read, and why
    stamps: tuple[Any, ...] = ()  #: tokens of time-stamp files, for the signature files that they are over


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes that a signature is said to be over."""

    entries: tuple[str, ...]
    digest: cms.Digest
    content: Callable[[], bytes] | None = None
    feed: Callable[[Any], None] | None = None  #: writes the bytes into a hash
    whole: bool = False  #: they are the package itself
    doubt: str = ""  #: why it isn't known which entry is meant; integrity is then not verified


def signature(
    signer: cms.Signer,
    data: cms.SignedData,
    covered: Covered,
    ground: Ground,
    evidence: Evidence,
    path: str,
    *,
    scheme: str = "",
    remarks: Sequence[str] = (),
    more: Sequence[str] = (),
) -> Signature:
    """The fact for one signer of a CMS file."""
    scheme = scheme or ("CMS detached" if data.content is None else "CMS attached")
    integrity, problem = Integrity.UNVERIFIED, covered.doubt
    if not covered.doubt:
        integrity, problem = cms.verify(signer, covered.digest, covered.content)
    said = [_of_bytes(integrity, problem), *remarks]
    if signer.certificate is None:
        return Signature(
            witness=Witness.READ,
            evidence=evidence,
            scheme=scheme,
            path=path,
            covers=covered.entries,
            integrity=integrity,
            trust=Trust.UNKNOWN,
            words="; ".join([*said, "without the certificate nothing can be said of the signer"]),
            signer=signer.wanted,
        )
    chain = certs.build(signer.certificate, data.certificates, ground.trust or certs.Folder())
    stamped, stamp_words, stamp_trusted = _stamped(signer, data, ground)
    held = stamped if stamped is not None and stamp_trusted else None
    lasting = [f"the signature uses {signer.hash.upper()}, which can be forged"] if signer.hash in _WEAK else []
    lasting.extend(more)

    known = revocation.more(ground.revocations, data.revocations)

    def faults_at(day: datetime) -> list[str]:
        return [
            *certs.unfit(chain, held or day, certs.SIGNING),
            *revocation.faults(chain, known, held),
            *lasting,
        ]

    faults = to_come(faults_at(ground.at), ground)
    trust = trust_of(chain, faults, ground)
    today = trust_of(chain, faults_at(ground.today), ground) if ground.today is not None else None
    said.append(chain_words(chain, ground))
    holds = _held_by(chain, ground)
    if holds:
        said.append(
            f"production holds it in {', '.join(holds[:2])}"
            + (f" and {len(holds) - 2} more files" if len(holds) > 2 else "")
        )
    said.extend(stamp_words)
    if today is not None and today is not trust and ground.today is not None:
        said.append(f"{_GOOD[today]} today ({ground.today:%Y-%m-%d}), {_GOOD[trust]} on {ground.at:%Y-%m-%d}")
    expired = signer.certificate.not_valid_after_utc < ground.at
    if expired and not any("expired" in fault for fault in faults):
        said.append(
            f"the signer's certificate expired on {signer.certificate.not_valid_after_utc:%Y-%m-%d}, after the stamp"
        )
    said.extend(faults)
    announced, announced_words, doubts = _announced(chain, ground.advisories)
    said.extend(announced_words)
    said.append(vouched_by(announced, ground))
    continuity = _continuity(chain, ground.previous)
    if continuity:
        said.append(continuity)
    return Signature(
        witness=Witness.READ,
        evidence=evidence,
        scheme=scheme,
        path=path,
        covers=covered.entries,
        integrity=integrity,
        trust=trust,
        words="; ".join(word for word in said if word),
        signer=signer.certificate.subject.rfc4514_string(),
        chain=tuple(certs.described(certificate) for certificate in chain.certificates),
        signed_at=signer.signed_at.astimezone(UTC) if signer.signed_at else None,
        stamped_at=stamped,
        announced_in=announced,
        announced_by=vouched_by(announced, ground),
        continuity=continuity,
        weaknesses=(*faults, *doubts),
        whole=covered.whole,
        today=today,
        judged_at=ground.at if today is not None else None,
        product=_product(chain, ground),
        held_by=holds,
        revocation_known=revocation.checked(chain, known, ground.at),
    )


_WEAK = ("md5", "sha1")
_GOOD = {Trust.TRUSTED: "good", Trust.UNTRUSTED: "not good", Trust.UNKNOWN: "not known"}


def _product(chain: certs.Chain, ground: Ground) -> str:
    """Why the installed product itself would refuse this chain, by the anchors of it that the team keeps in ``product/``."""
    if ground.product is None:
        return ""
    own = certs.build(chain.certificates[0], (*chain.certificates[1:], *ground.product.others), ground.product)
    names = ", ".join(dict.fromkeys(quoted(certs.common_name(root.subject)) for root in ground.product.roots[:3]))
    if not own.anchored:
        return f"the installed product holds {names}, and this is not signed under it"
    ended = [c for c in own.certificates[1:] if c.not_valid_after_utc <= ground.at]
    if ended:
        return f"{quoted(certs.common_name(ended[-1].subject))} in the installed product ends on {ended[-1].not_valid_after_utc:%Y-%m-%d}"
    return ""


def vouched_by(announced: str, ground: Ground) -> str:
    """Who signed the advisory of that name."""
    from fulldress.package.signatures.vouched import words

    return next((words(text) for text in ground.advisories if text.name == announced), "")


def _held_by(chain: certs.Chain, ground: Ground) -> tuple[str, ...]:
    """Files of production that hold the root of a chain, be it that the signature itself does not bring it."""
    last, prints = chain.last, {certs.fingerprint(one) for one in chain.certificates}
    return tuple(
        dict.fromkeys(
            f"/{name}"
            for name, anchor in ground.anchors
            if certs.fingerprint(anchor) in prints
            or (chain.missing and anchor.subject == last.issuer and certs.issued(anchor, last))
        )
    )


def _of_bytes(integrity: Integrity, problem: str) -> str:
    if integrity is Integrity.INTACT:
        return "bytes intact"
    return f"bytes {'not intact' if integrity is Integrity.BROKEN else 'not verified'}: {problem}"


def chain_words(chain: certs.Chain, ground: Ground) -> str:
    end = f'"{certs.common_name(chain.last.subject)}"'
    if ground.trust is None:
        return f"chain ends at {end if not chain.missing else quoted(chain.missing)}; no trust folder was given to look it up in"
    if chain.anchored:
        return f"chain ends at {end}, which {ground.trust.name}/ holds"
    if chain.missing:
        return f"chain is incomplete: {quoted(chain.missing)} is neither in the signature nor in {ground.trust.name}/"
    if len(chain.certificates) == 1:
        return f"{end} signed itself, and {ground.trust.name}/ does not hold it"
    return f"chain ends at {end}, which {ground.trust.name}/ does not hold"


def to_come(faults: list[str], ground: Ground) -> list[str]:
    """Faults as they are said of a day that has not come yet."""
    if ground.today is None or ground.at <= ground.today:
        return faults
    day = f"{ground.today:%Y-%m-%d}"
    return [
        fault.replace(" expired on ", " will have expired, on ")
        if (match := _ENDED.search(fault)) and match[1] > day
        else fault
        for fault in faults
    ]


_ENDED = regex(r" expired on (\d{4}-\d\d-\d\d)")


def quoted(text: str) -> str:
    return f'"{text}"'


def trust_of(chain: certs.Chain, faults: Sequence[str], ground: Ground) -> Trust:
    if ground.trust is None:
        return Trust.UNKNOWN
    if faults or (not chain.anchored and not chain.missing):
        return Trust.UNTRUSTED
    return Trust.TRUSTED if chain.anchored else Trust.UNKNOWN


def _stamped(signer: cms.Signer, data: cms.SignedData, ground: Ground) -> tuple[datetime | None, list[str], bool]:
    """The instant of a time-stamp that holds, what to say, and whether its authority is trusted."""
    words: list[str] = []
    beside = (cms.token(one, cms.digest_of(data.raw)) for one in ground.stamps) if data.raw else ()
    for stamp in (*cms.stamps(signer, data.certificates), *(one for one in beside if one.problem != cms.ELSEWHERE)):
        if stamp.problem or stamp.at is None or stamp.certificate is None:
            words.append(f"its time-stamp does not hold: {stamp.problem or 'its certificate is missing'}")
            continue
        chain = certs.build(stamp.certificate, stamp.certificates, ground.trust or certs.Folder())
        name = quoted(certs.common_name(stamp.certificate.subject))
        faults = certs.unfit(chain, stamp.at, certs.STAMPING)
        if stamp.weak:
            faults.append(f"its stamp uses {stamp.weak}, which can be forged")
        trusted = chain.anchored and not faults
        why = ""
        if not trusted:
            what = "which does not count here" if chain.anchored else "an authority that is not trusted here"
            why = f", {what}{': ' + faults[0] if faults else ''}"
        return stamp.at, [*words, f"time-stamped {stamp.at:%Y-%m-%d %H:%M} UTC by {name}{why}"], trusted
    return None, words, False


def _announced(chain: certs.Chain, advisories: Iterable[Text]) -> tuple[str, list[str], list[str]]:
    """The advisory that names a certificate of the chain by fingerprint, words for it, and doubts.

    A name alone announces nothing: anybody can choose it. An advisory that names an authority of the chain together with
    other fingerprints speaks against it."""
    prints = {certs.fingerprint(item): certs.common_name(item.subject) for item in chain.certificates}
    named: list[str] = []
    doubts: list[str] = []
    for advisory in advisories:
        if hits := [prints[value] for value in advisory.fact.fingerprints if value in prints]:
            return advisory.name, [f"announced in {advisory.name} ({quoted(hits[0])}, by fingerprint)"], []
        for name in dict.fromkeys([*prints.values(), chain.missing]):
            if len(name) > 3 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", advisory.text):
                if advisory.fact.fingerprints:
                    doubts.append(f"{advisory.name} names {quoted(name)} with another fingerprint")
                else:
                    named.append(f"{advisory.name} names {quoted(name)}, without a fingerprint to compare")
    return "", [*doubts, *named[:1]], doubts


def _continuity(chain: certs.Chain, previous: Sequence[str]) -> str:
    """The issuer now against those of the vendor's earlier packages (fingerprints, whole names or common names)."""
    if not previous:
        return ""
    wanted = {normal(item) for item in previous}
    for certificate in chain.certificates[1:] or chain.certificates:
        if wanted & {normal(item) for item in _names(certificate)}:
            return f"same issuer as the vendor's last package ({quoted(certs.common_name(certificate.subject))})"
    now = certs.common_name(chain.certificates[0].issuer)
    if normal(now) in wanted or normal(chain.certificates[0].issuer.rfc4514_string()) in wanted:
        return f"same name of issuer as the vendor's last package ({quoted(now)}); its certificate was not seen"
    return f"issuer {quoted(now)} is not that of the vendor's last package ({', '.join(previous[:3])})"


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    return certs.fingerprint(certificate), certificate.subject.rfc4514_string(), certs.common_name(certificate.subject)


def normal(text: str) -> str:
    bare = re.sub(r"[:\s]", "", text).lower()
    return bare if re.fullmatch(r"[0-9a-f]{64}", bare) else " ".join(text.split()).lower()
