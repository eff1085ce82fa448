"""A signature by a key without authorities above it, judged: bytes, whose key, held where, good until when, announced, known.

Trust here means that the trust folder holds the key, and that the key is good on the day that is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from fulldress.facts import Evidence, Integrity, Key, Signature, Trust, Witness
from fulldress.package.signatures.judged import Covered, Ground, to_come, vouched_by


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What a scheme found out about one signature."""

    scheme: str
    integrity: Integrity
    problem: str = ""
    key: Key
    faults: Callable[[datetime], list[str]] = lambda at: []  #: what is wrong with key and signature on a day
    signed_at: datetime | None = None
    remarks: tuple[str, ...] = ()  #: what else is worth a word: a trusted comment, a namespace
    stale: tuple[str, ...] = ()
    lacks: str = ""  #: the tool of production that will check it and that holds other keys only


def signature(made: Made, covered: Covered, ground: Ground, evidence: Evidence, path: str) -> Signature:
    """The fact."""
    faults = to_come(made.faults(ground.at), ground)
    trust = _trust(made, faults, ground)
    today = _trust(made, made.faults(ground.today), ground) if ground.today is not None else None
    said = [_of_bytes(made), _of_key(made.key, ground), *made.remarks]
    if today is not None and today is not trust and ground.today is not None:
        said.append(f"{_word(today)} today ({ground.today:%Y-%m-%d}), {_word(trust)} on {ground.at:%Y-%m-%d}")
    if made.lacks:
        said.append(f"production's {made.lacks} does not hold that key")
    said.extend(faults)
    announced = _announced(made.key, ground)
    if announced:
        said.append(f"announced in {announced} (by fingerprint)")
        said.append(vouched_by(announced, ground))
    continuity = _continuity(made.key, ground.previous)
    if continuity:
        said.append(continuity)
    return Signature(
        witness=Witness.READ,
        evidence=evidence,
        scheme=made.scheme,
        path=path,
        covers=covered.entries,
        whole=covered.whole,
        integrity=made.integrity,
        trust=trust,
        today=today,
        judged_at=ground.at if today is not None else None,
        words="; ".join(word for word in said if word),
        signer=made.key.name or f"key {made.key.fingerprint}",
        signed_at=made.signed_at,
        announced_in=announced,
        announced_by=vouched_by(announced, ground),
        continuity=continuity,
        weaknesses=tuple(faults),
        key=made.key,
        stale=made.stale,
        lacks=made.lacks,
    )


def _word(trust: Trust) -> str:
    return {Trust.TRUSTED: "good", Trust.UNTRUSTED: "not good", Trust.UNKNOWN: "not known"}[trust]


def _trust(made: Made, faults: Sequence[str], ground: Ground) -> Trust:
    if ground.trust is None and not made.key.held_in:
        return Trust.UNKNOWN
    if not made.key.held_in:
        # a key that was not found anywhere can only be named; one that came along with the package is a stranger's
        return Trust.UNKNOWN if made.integrity is Integrity.UNVERIFIED else Trust.UNTRUSTED
    return Trust.UNTRUSTED if faults else Trust.TRUSTED


def _of_bytes(made: Made) -> str:
    if made.integrity is Integrity.INTACT:
        return "bytes intact"
    return f"bytes {'not intact' if made.integrity is Integrity.BROKEN else 'not verified'}: {made.problem}"


def _of_key(key: Key, ground: Ground) -> str:
    algorithm = f"{key.algorithm}, " if key.algorithm else ""
    who = f'"{key.name}" ({algorithm}{spelt(key)})' if key.name else f"the key {spelt(key)}"
    if ground.trust is None and not key.held_in:
        return f"signed by {who}; no trust folder was given to look it up in"
    if not key.held_in:
        return f"signed by {who}, which {ground.keys.name}/ does not hold"
    more = f" and {len(key.held_in) - 1} more" if len(key.held_in) > 1 else ""
    return f"signed by {who}, which {key.held_in[0]}{more} hold{'' if more else 's'}"


def spelt(key: Key) -> str:
    """A fingerprint as the tools of its scheme print it."""
    if re.fullmatch(r"[0-9a-f]+", key.fingerprint):
        return key.fingerprint.upper()
    return key.fingerprint


def _announced(key: Key, ground: Ground) -> str:
    """The advisory that names the whole fingerprint, however it is spelt."""
    plain = re.fullmatch(r"[0-9a-f]{40,64}", key.fingerprint)
    for text in ground.advisories:
        if plain:
            for match in re.finditer(r"(?:[0-9A-Fa-f][: \t\u00a0]*){40,64}", text.text):
                if key.fingerprint in re.sub(r"[^0-9A-Fa-f]", "", match[0]).lower():
                    return text.name
        elif key.fingerprint and key.fingerprint in text.text:
            return text.name
    return ""


def _continuity(key: Key, previous: Sequence[str]) -> str:
    """This key against those of the vendor's earlier packages."""
    if not previous:
        return ""
    wanted = {item.lower().replace(" ", "").replace(":", "") for item in previous}
    mine = key.fingerprint.lower().replace(" ", "").replace(":", "")
    if mine in wanted:
        return "same key as the vendor's last package"
    if key.name and key.name in previous:
        return f'another key than that of the vendor\'s last package, under the same name ("{key.name}")'
    return f"key {spelt(key)} is not that of the vendor's last package ({', '.join(previous[:3])})"


def sooner(ends: datetime | None, at: datetime) -> bool:
    return ends is not None and ends <= at


def utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
