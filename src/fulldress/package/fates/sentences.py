"""Sentences on keys: "`x.y` was removed", "renamed to", "the default changed from a to b", "must be true".

A name counts as a key where the package ships it, where it begins with the product's name, or where the sentence or the
heading above it speaks of settings. Otherwise it may be a function or a file, and is left alone.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from fulldress.facts import SettingChange, Witness, mask
from fulldress.package.changelog import Section
from fulldress.package.reader import Member
from fulldress.patterns import regex

_TICKED = r"(?:``?|[\"'“‘]|\*\*)"
_KEY = rf"(?:{_TICKED}(?P<{{0}}>[A-Za-z_][\w.\-/\[\]]*)(?:\s*=\s*[^`\"'”’*\n]*)?(?:``?|[\"'”’]|\*\*)|(?P<{{0}}b>[A-Za-z_]\w*(?:[.\-]\w+)+|[a-z]+(?:_[a-z0-9]+)+|[A-Z]+(?:_[A-Z0-9]+)+))"
_K = _KEY.format("key")
_TO = _KEY.format("to")
_WORD = r"(?:the )?(?:new |old |config(?:uration)? )?(?:setting|option|key|parameter|property|variable|flag|directive|environment variable|config(?:uration)?(?: (?:option|setting|key|parameter|value))?)s?\s*"
_BE = r"(?:was|were|is|are|has been|have been|is now|got|will be)"
_VALUE = (
    r"[`\"'“]*(?P<{0}>[^\s`\"'”,;()]+(?:\s(?:KiB|MiB|GiB|kB|MB|GB|ms|s|seconds?|minutes?|hours?|days?)\b)?)[`\"'”]*"
)
_OLD, _NEW, _MUST = _VALUE.format("old"), _VALUE.format("new"), _VALUE.format("must")
_AFTER_DOT = r"(?=[\s.,;:)]|$)"

#: kind, sentence. The first that fits wins, so the more telling stand first. They are compiled when they are first needed.
_PATTERNS: tuple[tuple[str, str], ...] = tuple(
    (kind, pattern)
    for kind, pattern in (
        ("default-changed", rf"defaults?(?: value)? (?:of|for) (?:{_WORD})?{_K}(?: {_WORD})? ?(?:{_BE} |has )?(?:changed|raised|lowered|increased|decreased|reduced|switched) from {_OLD} to {_NEW}"),
        ("default-changed", rf"(?:change[ds]?|raise[ds]?|lower(?:ed|s)?|increase[ds]?|reduce[ds]?|switch(?:ed)?)(?: the)? default(?: value)?(?: (?:of|for))? (?:{_WORD})?{_K}(?: {_WORD})? ?from {_OLD} to {_NEW}"),
        ("default-changed", rf"(?:{_WORD})?{_K}(?:'s)?:? (?:the )?default(?: value)? (?:{_BE} |has )?(?:changed )?from {_OLD} to {_NEW}"),
        ("default-changed", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?(?:{_BE} )?(?:changed|raised|lowered|increased|decreased|reduced) (?:its default )?from {_OLD} to {_NEW}"),
        ("default-changed", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?(?:now defaults to|defaults now to|is now (?:set to )?|defaults to) ?{_NEW}(?: by default)?[ ,(]*(?:instead of|rather than|previously|formerly|was|before it was|used to be)[ :]*{_OLD}"),
        ("default-changed", rf"defaults?(?: value)? (?:of|for) (?:{_WORD})?{_K}(?: {_WORD})? ?is now {_NEW}(?:[ ,(]*(?:instead of|previously|formerly|was)[ :]*{_OLD})?"),
        ("default-changed", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?(?:now defaults to|defaults now to) {_NEW}"),
        ("default-changed", rf"(?:{_WORD})?{_K}(?: {_WORD})?:? ?(?:the )?defaults?(?: value)?:? {_OLD} ?(?:→|->|=>|-->) ?{_NEW}"),
        ("renamed", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?(?:{_BE} )?(?:renamed|moved|changed name)(?: to| into| as|:)? (?:{_WORD})?{_TO}"),
        ("renamed", rf"(?:renamed?|moved?)(?: the)? (?:{_WORD})?{_K}(?: {_WORD})? ?(?:to|into|as|→|->|=>) (?:{_WORD})?{_TO}"),
        ("renamed", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?(?:{_BE} )?(?:replaced|superseded|succeeded)(?: by| with) (?:{_WORD})?{_TO}"),
        ("renamed", rf"replaced?(?: the)? (?:{_WORD})?{_K}(?: {_WORD})? ?(?:by|with) (?:{_WORD})?{_TO}"),
        ("renamed", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?is now (?:called|named|known as) (?:{_WORD})?{_TO}"),
        ("renamed", r"`(?P<key>[A-Za-z_][\w.\-]*)`\s*(?:→|->|=>|-->)\s*`(?P<to>[A-Za-z_][\w.\-]*)`"),
        ("value-invalid", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?no longer (?:accepts?|allows?|supports?|takes?)(?: the)?(?: values?)? {_OLD}"),
        ("value-invalid", rf"values? {_OLD} (?:of|for) (?:{_WORD})?{_K}(?: {_WORD})? ?{_BE} (?:no longer (?:valid|accepted|allowed|supported)|invalid|refused|rejected|removed)"),
        ("removed", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?(?:{_BE} )?(?:now )?(?:removed|dropped|deleted|gone|withdrawn|discontinued|retired){_AFTER_DOT}"),
        ("removed", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?(?:{_BE} )?(?:no longer (?:supported|available|exists?|read|used|recognized|recognised|honou?red|has (?:any|an) effect|respected)|not (?:supported|read|available) any ?more|ignored)"),
        ("removed", rf"^\W*(?:removed?|dropped?|deleted?)(?: support for)?(?: the)?(?: deprecated| obsolete| unused| legacy)? (?:{_WORD})?{_K}"),
        ("meaning-changed", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?(?:now means|now takes|is now interpreted|is now measured|changed (?:its )?meaning|has a new meaning)"),
        ("required", rf"(?:{_WORD})?{_K}(?: {_WORD})?,? ?(?:is new and )?must (?:now )?be (?:set to |explicitly set to )?(?!set\b|configured|present|provided|defined|given){_MUST}"),
        ("required", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?(?:(?:is|are)(?: now)? (?:required|mandatory)|must (?:now )?be (?:set|configured|present|provided|defined|given)|has to be set)"),
        ("required", rf"must(?: now)? (?:set|define|provide|configure)(?: a value for)? (?:{_WORD})?{_K}(?: {_WORD})?(?: to {_MUST})?"),
        ("required", rf"^\W*set (?:{_WORD})?{_K}(?: {_WORD})? ?to {_MUST} before"),
        ("deprecated", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?(?:{_BE} )?(?:now )?(?:deprecated|obsolete)(?:[^`\"]*?(?:use|favou?r of|replaced by|instead) (?:{_WORD})?{_TO})?"),
        ("deprecated", rf"^\W*deprecated?(?: the)? (?:{_WORD})?{_K}"),
        ("added", rf"(?:{_WORD})?{_K}(?: {_WORD})? ?(?:is new|(?:was|were|has been) (?:added|introduced))"),
        ("added", rf"^\W*(?:add(?:ed|s)?|introduced?s?|new)(?: a| an| the)?(?: new)? (?:{_WORD})?{_K}"),
    )
)  # fmt: skip
_CONTEXT = regex(
    r"(?i)\b(?:settings?|options?|config(?:uration|s)?|keys?|parameters?|defaults?|environment variables?|propert(?:y|ies)|directives?|\.(?:conf|ini|ya?ml|toml|cfg|properties|env))\b"
)
#: What else has names and fates in release notes; it is a key only where the sentence says that it is a setting.
_CODE = regex(
    r"(?i)\b(?:functions?|methods?|class(?:es)?|attributes?|modules?|interfaces?|plug-?ins?|packages?|mixins?|(?:database )?(?:columns?|tables?|indexes)|(?:sub-?)?commands?|APIs?|headers?|hooks?|PGP"
    r"|exceptions?|decorators?|following|documentation|parameters? (?:on|for|of|to) (?:action|all|the (?:action|API|endpoint)))\b"
)
_SETTING = regex(
    r"(?i)\b(?:settings?|configuration|config(?:uration)? (?:options?|keys?|values?|variables?)|environment variables?|directives?)\b"
)
_FILE = regex(
    r"(?i)\.(?:patch|diff|po|py|js|ts|go|rb|php|java|c|h|md|rst|txt|sh|sql|html?|css|json|ya?ml|toml|ini|conf|cfg|xml|jar|so|dist|in|dll|exe|service|timer|zip|tgz|gz|deb|rpm|com|org|net|io|tld|path|[1-9])$|^(?:e\.g|i\.e|etc)$|/|^\d"
)
_SINCE = regex(r"(?i)deprecated (?:since|in|as of)(?: version)? v?(\d+(?:\.\d+)+)")
_OTHERWISE = regex(
    r"(?i)(?:,|;|\.|—|-)?\s*(?:otherwise|or else|else|if (?:it is )?not(?: set)?,|without it,?)\s*,?\s*([^.;\n]{3,160})"
)
#: Words without which no sentence of a kind fits: looking for them first is a hundred times as fast.
_GATES = {
    "default-changed": ("default", "changed", "raised", "lowered", "increased", "decreased", "reduced", "now "),
    "renamed": ("renam", "moved", "changed name", "replace", "supersed", "succeeded", "is now", "->", "=>", "→"),
    "value-invalid": ("no longer", "invalid", "refused", "rejected", "removed"),
    "removed": ("remov", "drop", "delet", "gone", "withdrawn", "discontinued", "retired", "no longer", "not supported", "not read", "not available", "ignored"),
    "meaning-changed": ("now means", "now takes", "is now", "meaning"),
    "required": ("must", "required", "mandatory", "has to", "before"),
    "deprecated": ("deprecat", "obsolete"),
    "added": ("added", "new", "introduc", "add "),
}  # fmt: skip
_NAMED = regex(r"`|\*\*|[A-Za-z]\w*[._-]\w|[\"'“‘][A-Za-z_]")
#: Headings over lists of keys that share one fate, as "Keep a Changelog" has them, and an item of such a list.
_HEADINGS = (
    ("removed", regex(r"(?i)^#+\s*(?:removed|removals|dropped)\b")),
    ("deprecated", regex(r"(?i)^#+\s*deprecat")),
)
_LISTED = regex(rf"^\W{{0,6}}?(?:the )?(?:{_WORD})?{_K}", re.I)
_BULLET = regex(r"^(?P<indent>\s*)(?:[-*+•]|\d+[.)])\s+")
_ALSO = regex(rf"\s*(?:,|and|or|,\s*and)\s*{_TICKED}(?P<key>[A-Za-z_][\w.\-]*)(?:``?|[\"'”’]|\*\*)")


def read(member: Member, section: Section, component: str, known: set[str]) -> Iterator[SettingChange]:
    """Fates of keys in one section of a document."""
    heading = ""
    for line, text in _items(section):
        if text.startswith("#"):
            heading = text
            continue
        for sentence in re.split(r"(?<=[.!])\s+(?=[A-Z`])", text):
            yield from _sentence(member, section, component, known, heading, line, sentence, text)


def _items(section: Section) -> Iterator[tuple[int, str]]:
    """Bullets, paragraphs and headings as one line each, with the line where they begin."""
    start = 0
    parts: list[str] = []
    for number, row in enumerate(section.text.splitlines(), section.line):
        fresh = _BULLET.match(row) or not row.strip() or row.startswith("#") or row.lstrip().startswith("|")
        if fresh and parts:
            yield start, " ".join(parts)
            parts = []
        if row.startswith("#"):
            yield number, row.strip()
        elif row.strip() and not row.lstrip().startswith("|"):
            if not parts:
                start = number
            parts.append(row.strip())
    if parts:
        yield start, " ".join(parts)


def _sentence(
    member: Member, section: Section, component: str, known: set[str], heading: str, line: int, sentence: str, item: str
) -> Iterator[SettingChange]:
    if len(sentence) > 1000 or not _NAMED.search(sentence):
        return
    lower = sentence.lower()
    context = f"{heading} {sentence}"
    fits = {kind for kind, words in _GATES.items() if any(word in lower for word in words)}
    for kind, pattern in _PATTERNS:
        match = _compiled(pattern).search(sentence) if kind in fits else None
        if match is None:
            continue
        groups = match.groupdict()
        key = groups.get("key") or groups.get("keyb") or ""
        if kind == "required" and re.search(r"(?i)must(?: now)? (?:set|be set)\b", sentence):
            context += " setting"  # what is set is one
        ticked = f"`{key}" in sentence or f"**{key}" in sentence
        other = groups.get("to") or groups.get("tob") or ""
        if not _is_key(key, component, known, context, ticked=ticked) and not (other and other in known):
            continue
        yield _change(member, section, component, kind, key, groups, line, sentence, item)
        if kind in ("removed", "added", "deprecated"):
            yield from _others(member, section, component, kind, match, line, sentence, item)
        return
    fate = next((kind for kind, words in _HEADINGS if words.search(heading)), "")
    match = _LISTED.match(sentence) if fate else None
    if match is None:
        return
    key = match["key"] or match["keyb"] or ""
    if _is_key(key, component, known, context, ticked=match["key"] is not None):
        yield _change(member, section, component, fate, key, {}, line, sentence, item)
        yield from _others(member, section, component, fate, match, line, sentence, item)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)


def _others(
    member: Member,
    section: Section,
    component: str,
    kind: str,
    match: re.Match[str],
    line: int,
    sentence: str,
    item: str,
) -> Iterator[SettingChange]:
    """Further keys of an enumeration: "Removed `a.b`, `c.d` and `e.f`"."""
    at = match.end()
    while also := _ALSO.match(sentence, at):
        yield _change(member, section, component, kind, also["key"], {}, line, sentence, item)
        at = also.end()
    before = sentence[: match.start()]
    for also in re.finditer(rf"{_TICKED}([A-Za-z_][\w.\-]*)(?:``?|[\"'”’]|\*\*)\s*(?:,|and|or)\s*", before):
        if re.fullmatch(
            rf"(?:{_TICKED}[\w.\-]+(?:``?|[\"'”’]|\*\*)\s*(?:,|and|or|,\s*and)\s*)*", before[also.start() :]
        ):
            yield _change(member, section, component, kind, also[1], {}, line, sentence, item)


def _change(
    member: Member,
    section: Section,
    component: str,
    kind: str,
    key: str,
    groups: dict[str, str | None],
    line: int,
    sentence: str,
    item: str,
) -> SettingChange:
    must = (groups.get("must") or "").rstrip(".:")
    if kind == "required" and re.search(r"(?i)\bis new\b|\bnew (?:setting|option|key)", sentence):
        kind = "added"
    otherwise = _OTHERWISE.search(item) if must or kind == "required" else None
    since = _SINCE.search(sentence)
    note = sentence.strip(" -*+")
    return SettingChange(
        witness=Witness.DECLARED, evidence=member.evidence(line, 0, sentence), component=component, key=key, version=section.version,
        kind=kind, old=(groups.get("old") or "").rstrip(".:"), new=(groups.get("new") or "").rstrip(".:"),
        to=groups.get("to") or groups.get("tob") or "", must_be=must, otherwise=otherwise[1].strip() if otherwise else "",
        since=since[1] if since else "", note=mask(note[:200]),
    )  # fmt: skip


def _is_key(key: str, component: str, known: set[str], context: str, *, ticked: bool) -> bool:
    if not key or (_FILE.search(key) and key not in known) or len(key) > 120:
        return False
    if key in known:
        return True
    if _CODE.search(context) and not _SETTING.search(context):
        return False
    shaped = bool(re.search(r"[._\-]", key)) or key.isupper()
    family, dot, _ = key.partition(".")
    if dot and any(other.startswith(f"{family}.") for other in known):
        return True  # its sisters are settings of the package
    own = len(component) > 2 and re.match(rf"(?i){re.escape(component)}[._]", key) is not None
    return (own and shaped) or (ticked and bool(_CONTEXT.search(context)) and (shaped or re.fullmatch(r"[A-Za-z]\w{2,}", key) is not None)) or (
        shaped and "." in key and bool(_CONTEXT.search(context))
    )  # fmt: skip
