"""What README, INSTALL, UPGRADE and release notes say of downtime and reboots, with the line of the sentence."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import timedelta

from fulldress.facts import AnyFact, Downtime, Reason, Reboot, Restart, Unread, Witness, excerpt
from fulldress.package.manifests.durations import DURATION, length
from fulldress.package.reader import Member
from fulldress.patterns import regex

NAMES = regex(
    r"(?i)^(?:read[-_ ]?me|install(?:ation|ing)?|upgrad(?:e|ing)|updat(?:e|ing)|migrat(?:e|ion|ing)|release[-_ ]?notes?|change[-_ ]?(?:log|s)|"
    r"changes|news|notes?|history|what'?s[-_ ]?new|howto|runbook|deploy(?:ment)?|rollback|downgrade)"
    r"(?:[-_. ][\w.\-]*)?(?:\.(?:md|markdown|txt|rst|adoc|asciidoc|html?))?$"
)
_SENTENCE = regex(r"[^.!?\n]*(?:[.!?](?![\s]|$)[^.!?\n]*)*(?:[.!?]+|\n|$)")
_DOWN = regex(
    r"(?i)\b(?:down[- ]?time|outage|maintenance window|service interruption|unavailab\w+|interruption of service|(?:be|goes?|is|are) (?:down|offline|unavailable))\b"
)
_NO_DOWN = regex(r"(?i)\b(?:no|zero|without(?: any)?)[- ](?:service )?(?:down[- ]?time|outage|interruption)s?\b")
_NOT_A_PROMISE = regex(
    r"(?i)\b(?:reduc\w+|minimi[sz]\w+|fix\w*|avoid\w*|bug|issue|monitor\w*|alert\w*|caus(?:e|ed|ing)|unless|assum\w+|detect\w*|timeouts?|retr(?:y|ies)\w*)\b"
)
_HOST = r"(?:the |your |this |each |all |every |affected )*(?:hosts?|servers?|systems?|machines?|computers?|nodes?|appliances?|vms?|box(?:es)?)"
_NOUN = rf"(?:(?:system |host |server |full |hard )?reboot(?: of {_HOST})?|(?:system|host|server|full|machine) restart|restart of {_HOST}|(?<=\ba )restart|(?<=\bno )restart|(?<=\bany )restart)"
_VERB = rf"(?:reboot(?:ed)?(?: {_HOST})?|restart(?:ed)? {_HOST})"
_NOT = regex(
    rf"(?i)\bno {_NOUN} (?:is |are |will be )?(?:needed|required|necessary)|\b{_NOUN} (?:is|are|will be) (?:not|never) (?:needed|required|necessary|recommended)|"
    rf"\b(?:does|do|will) not (?:require|need) (?:a |any )?{_NOUN}|\bwithout (?:a |any )?(?:reboot|restart of {_HOST})|\bno reboot(?:s| needed| required| necessary)?(?=[.;,!]|$)"
)
_REQUIRED = regex(
    rf"(?i)\b{_NOUN} (?:is|are|will be) (?:\w+ )?(?:required|needed|necessary|mandatory|performed)|\b(?:requires?|needs?) (?:a |an )?{_NOUN}|"
    rf"\b(?:must|have to|need to|needs to|has to) (?:be )?{_VERB}|^\W*(?:\d+[.)]\s*)?(?:then |finally,? |please )?(?:reboot|restart) {_HOST}\b|\b{_HOST} will (?:be )?reboot(?:ed)?"
)
_ADVISED = regex(
    rf"(?i)\b{_NOUN} (?:is|are) (?:\w+ )?(?:recommended|advised|advisable|suggested|optional|encouraged)|"
    rf"\b(?:recommend|advise|suggest)\w* (?:\w+ ){{0,3}}?(?:{_NOUN}|{_VERB})|\bshould (?:be )?{_VERB}|\brecommended(?: to)? {_VERB}"
)
_SERVICE = regex(
    r"(?i)\brestart(?:s|ed|ing)? (?:of )?(?:the )?(?:service )?[`'\"](?P<unit>[A-Za-z][\w.@\-]*)[`'\"]|systemctl (?:re)?start (?P<other>[A-Za-z][\w.@\-]*)"
)
_VAGUE = regex(r"(?i)\b(?:a few|several|some|couple of) (?:seconds|minutes|hours)\b|\b(?:brief|short|minimal)\b")


_TEXTS = ("markdown", "text", "")
_CODE = regex(r"(?i)\.(?:png|jpe?g|gif|svg|ico|css|php|js|py|rb|sh|gz|xz|bz2|zip|pdf|json|ya?ml|xml|po|mo|html?)$")


def is_document(member: Member) -> bool:
    """Whether a file is a document of the package itself: by its name, and not deep among bundled material."""
    if member.kind not in _TEXTS or not NAMES.match(member.name) or _CODE.search(member.name):
        return False
    inner = member.inner
    if "!/" in member.path and inner.count("/") == 0:  # a compressed document: its place is its container's
        inner = member.path[: -len(inner) - 2].rsplit("!/", 1)[-1]
    depth = inner.removeprefix("./").count("/")
    return depth <= 2 or (
        depth <= 5 and re.search(r"(?:^|/)(?:usr/share/doc/[^/]+|docs?)/(?:[^/]+/)?[^/]+$", inner) is not None
    )


def read(member: Member, text: str | None = None, first: int = 1) -> Iterator[AnyFact]:
    """Claims of one document. ``text`` may be a part of it that begins at line ``first``."""
    text = member.text if text is None else text
    flat = _unwrapped(text)
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    seen: set[tuple[str, str]] = set()
    for match in _SENTENCE.finditer(flat):
        sentence = match[0].strip(" \t\n*->#")
        if not sentence:
            continue
        offset = match.start() + len(match[0]) - len(match[0].lstrip())
        for fact in _sentence(member, flat, offset, sentence, starts, first):
            key = (
                type(fact).__name__,
                repr(getattr(fact, "claim", getattr(fact, "duration", getattr(fact, "unit", fact.evidence.line)))),
            )
            if key not in seen:
                seen.add(key)
                yield fact


def _unwrapped(text: str) -> str:
    """The text with single line breaks inside paragraphs turned into spaces; every character keeps its offset."""
    return re.sub(r"(?<![\n:|])\n(?=[ \t]*[A-Za-z(`\"'0-9](?![.)] ))(?![ \t]*\n)", " ", text.replace("\r", " "))


def _sentence(
    member: Member, flat: str, offset: int, sentence: str, starts: list[int], first: int
) -> Iterator[AnyFact]:
    def evidence(at: int) -> int:
        return bisect_right(starts, offset + at) + first - 1

    if re.search(r"(?i)reboot|restart", sentence):
        yield from _reboots(member, sentence, evidence)
    if not _DOWN.search(sentence) or _NOT_A_PROMISE.search(sentence):
        return
    if no := _NO_DOWN.search(sentence):
        yield _down(member, timedelta(0), sentence, evidence(no.start()))
        return
    found = list(DURATION.finditer(sentence))
    if found:
        longest = max(found, key=length)
        yield _down(member, length(longest), sentence, evidence(longest.start()))
    elif vague := _VAGUE.search(sentence):
        yield Unread(
            witness=Witness.DECLARED, evidence=member.evidence(evidence(vague.start()), 0, sentence), what="downtime in words",
            reason=Reason.NO_DATA, detail=excerpt(sentence),
        )  # fmt: skip


def _down(member: Member, duration: timedelta, sentence: str, line: int) -> Downtime:
    return Downtime(
        witness=Witness.DECLARED,
        evidence=member.evidence(line, 0, sentence),
        duration=duration,
        basis=excerpt(sentence),
    )


def _reboots(member: Member, sentence: str, line: object) -> Iterator[AnyFact]:
    at = line if callable(line) else (lambda _: 0)
    for pattern, claim in ((_NOT, "not needed"), (_ADVISED, "recommended"), (_REQUIRED, "required")):
        if match := pattern.search(sentence):
            yield Reboot(
                witness=Witness.DECLARED, evidence=member.evidence(at(match.start()), 0, sentence), claim=claim
            )
            break
    for match in _SERVICE.finditer(sentence):
        unit = (match["unit"] or match["other"]).removesuffix(".service")
        yield Restart(
            witness=Witness.DECLARED,
            evidence=member.evidence(at(match.start()), 0, sentence),
            unit=unit,
            action="restart",
        )
