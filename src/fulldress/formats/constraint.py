"""Version constraints as manifests, matrices and prose write them, brought to one normal form.

Reads the dialects of npm, PEP 440, Debian, RPM, RubyGems, Cargo, Composer and Maven, and what people write by hand:
``3.8+``, ``≥ 3.8``, ``3.8 or later``, ``1.32 - 1.36``, ``1.x``. It knows what a clause means, not which of two versions
is newer: that depends on the scheme (see :mod:`fulldress.catalog.versions`).
"""

from __future__ import annotations

import re

import msgspec

from fulldress.patterns import regex


class Clause(msgspec.Struct, frozen=True):
    """``operator`` is one of ``>= > <= < == !=``."""

    operator: str
    version: str


#: Alternatives, each of which is a list of clauses that all have to hold. An empty inner tuple admits every version.
Ranges = tuple[tuple[Clause, ...], ...]

_ANY = regex(r"(?i)^(?:\*|x|any(?: version)?|all|>=\s*0|)$")
_FLOATING = regex(r"(?i)^(?:latest|stable|edge|nightly|current|newest|head|next|main|master|trunk|develop|dev|lts|rolling|snapshot|recent|unstable)$|^(?:git\+|git:|https?:|file:|github:|[\w.-]+/[\w.-]+(?:#|$))|^dev-|:latest$|-SNAPSHOT$")  # fmt: skip
_VERSION = r"v?\d+(?:[0-9A-Za-z.+:~_\-]*[0-9A-Za-z~+])?"
_CLAUSE = regex(
    rf"\s*(?P<op>===|~=|~>|==|!=|<>|>=|=>|<=|=<|>>|<<|[≥≤><=^~])?\s*(?P<version>{_VERSION}(?:\.[*xX])*|[*xX])\s*"
)
_HYPHEN = regex(rf"\s*({_VERSION})\s+(?:-|–|—|to|through|until|\.\.)\s+({_VERSION})\s*$")
_MAVEN = regex(r"\s*([\[(])\s*([^,\[\]()]*?)\s*(?:(,)\s*([^,\[\]()]*?)\s*)?([\])])\s*")
_WORDS = (
    (regex(rf"(?i)^(?:at least|min(?:imum)?(?: version)?|from|since|version)?\s*({_VERSION})\s*(?:\+|or (?:newer|later|higher|above|greater|up)|and (?:newer|later|above|up|higher)|upwards?|onwards?)$"), ">="),
    (regex(rf"(?i)^(?:at least|min(?:imum)?(?: version)?|from|since)\s+({_VERSION})$"), ">="),
    (regex(rf"(?i)^(?:at most|max(?:imum)?(?: version)?|up to|until)\s+({_VERSION})$"), "<="),
    (regex(rf"(?i)^({_VERSION})\s+(?:or|and)\s+(?:older|earlier|below|lower)$"), "<="),
    (regex(rf"(?i)^(?:before|below|older than|less than|earlier than)\s+({_VERSION})$"), "<"),
    (regex(rf"(?i)^(?:after|above|newer than|greater than|later than)\s+({_VERSION})$"), ">"),
)  # fmt: skip
_SAME = {"=": "==", "===": "==", "=>": ">=", "≥": ">=", "=<": "<=", "≤": "<=", ">>": ">", "<<": "<", "<>": "!="}


def is_floating(text: str) -> bool:
    """Whether a constraint names a moving target: ``latest``, a branch, an address."""
    return bool(_FLOATING.search(text.strip()))


def read(text: str, dialect: str = "") -> Ranges | None:
    """The normal form, or None where the text is not understood (or floats).

    ``dialect`` matters where the same spelling means different things: ``deb`` (``<`` is ``<=``), ``cargo`` (a bare
    version is a caret), ``maven`` (a bare version is only preferred, so it admits anything newer), ``matrix`` (a bare ``16``
    is every 16.x, as in our records)."""
    text = text.strip().strip("\"'")
    if text.startswith("(") and text.endswith(")") and "," not in text:
        text = text[1:-1].strip()
    if _ANY.match(text):
        return ((),)
    if is_floating(text):
        return None
    if text[0] in "[(" and (found := _maven(text)) is not None:
        return found
    alternatives = []
    for part in re.split(r"\s*\|\|?\s*|\s+or\s+(?=[\d<>=~^v])", text):
        clauses = _all(part, dialect)
        if clauses is None:
            return None
        alternatives.append(tuple(clauses))
    return tuple(alternatives)


def _all(part: str, dialect: str) -> list[Clause] | None:
    if _ANY.match(part.strip()):
        return []
    if match := _HYPHEN.match(part):
        high = match[2]
        return [
            Clause(">=", match[1]),
            *([Clause("<", _bump(high, high.count(".")))] if _short(high) else [Clause("<=", high)]),
        ]
    for pattern, operator in _WORDS:
        if match := pattern.match(part.strip()):
            return [Clause(operator, match[1])]
    clauses: list[Clause] = []
    at = 0
    part = re.sub(r"(?i)\band\b|&&|,|;", " ", part)
    while at < len(part.rstrip()):
        match = _CLAUSE.match(part, at)
        if match is None or match.end() == at:
            return None
        expanded = _expand(match["op"] or "", match["version"].removeprefix("v"), dialect)
        if expanded is None:
            return None
        clauses += expanded
        at = match.end()
    return clauses


def _expand(operator: str, version: str, dialect: str) -> list[Clause] | None:
    """One clause in basic operators."""
    if re.search(r"(?:^|\.)[*xX](?:\.|$)", version):
        stem = re.split(r"\.?[*xX]", version)[0]
        if not stem:
            return []
        if operator in ("", "=", "==", "^", "~", "~=", "~>", "==="):
            return [Clause(">=", stem), Clause("<", _bump(stem, stem.count(".")))]
        version = stem
    match _SAME.get(operator, operator):
        case "":
            if dialect == "cargo":
                return _expand("^", version, dialect)
            if dialect == "matrix" and re.fullmatch(r"\d+(?:\.\d+)?", version):
                return _expand("==", f"{version}.x", dialect)
            return [Clause(">=" if dialect == "maven" else "==", version)]
        case "^":
            return [Clause(">=", version), Clause("<", _bump(version, _first_that_counts(version)))]
        case "~":
            return [Clause(">=", version), Clause("<", _bump(version, min(1, _numbers(version) - 1)))]
        case "~=" | "~>":
            return [Clause(">=", version), Clause("<", _bump(version, max(0, _numbers(version) - 2)))]
        case ">" | "<" as plain if dialect == "deb" and operator in (">", "<"):
            return [Clause(f"{plain}=", version)]  # deb-control(5): the old < and > mean <= and >=
        case (">=" | ">" | "<=" | "<" | "==" | "!=") as plain:
            return [Clause(plain, version)]
    return None


def _numbers(version: str) -> int:
    return len(_head(version))


def _head(version: str) -> list[int]:
    match = re.match(r"\d+(?:\.\d+)*", version)
    return [int(part) for part in match[0].split(".")] if match else [0]


def _bump(version: str, position: int) -> str:
    """``1.4.2`` with the number at ``position`` raised and the rest cut off."""
    head = _head(version)
    position = min(position, len(head) - 1)
    return ".".join(map(str, [*head[:position], head[position] + 1]))


def _first_that_counts(version: str) -> int:
    head = _head(version)
    return next((i for i, number in enumerate(head) if number), len(head) - 1)


def _short(version: str) -> bool:
    return re.fullmatch(r"\d+(?:\.\d+)?", version) is not None


def _maven(text: str) -> Ranges | None:
    """``[1.0,2.0)``, ``(,1.0],[1.2,)``, ``[1.5]``."""
    alternatives, at = [], 0
    while at < len(text):
        match = _MAVEN.match(text, at)
        if match is None:
            return None
        opening, low, comma, high, closing = match.groups()
        clauses = []
        if not comma:
            clauses.append(Clause("==", low))
        else:
            if low:
                clauses.append(Clause(">=" if opening == "[" else ">", low))
            if high:
                clauses.append(Clause("<=" if closing == "]" else "<", high))
        alternatives.append(tuple(clauses))
        at = match.end()
        if text[at : at + 1] == ",":
            at += 1
    return tuple(alternatives)


def bump_major(version: str) -> str:
    """A version that a range without upper bound would let in: the next major one."""
    return f"{_head(version)[0] + 1}.0"
