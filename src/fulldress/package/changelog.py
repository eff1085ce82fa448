"""Release notes cut at their headings: which lines speak of which version."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fulldress.patterns import regex

_CHANGELOG = regex(r"(?i)^(?:change[-_ ]?(?:log|s)|changes|news|history|release[-_ ]?notes?|what'?s[-_ ]?new)")
_VERSION = r"v?(?P<version>\d+\.\d+(?:\.\d+)*(?:[-.+~]?(?:rc|alpha|beta|pre|dev|post|b|a)[.\-]?\d*|-\d+)?)"
_HEADING = regex(
    rf"(?ix)^(?:\#{{1,4}}\s+|={{1,4}}\s+|\*\*|<h[1-4][^>]*>)?\s*\[?(?:(?:version|release|changes?\ (?:in|for)|[A-Za-z][\w\-]*(?:\ [A-Za-z][\w\-]*)?)\s+)?\(?{_VERSION}\b\)?[\]*:]*"
    r"(?:\s*(?:[-–—(:,/]|\bon\b|\breleased\b|urgency|<).*)?\s*$"
)
_RULE = regex(r"^[=\-~^*#]{3,}\s*$")


class Section(msgspec.Struct, frozen=True):
    """``line`` is that of the first line of ``text``, from 1. ``version`` is empty for what stands before any heading."""

    version: str
    line: int
    text: str


def sections(text: str) -> list[Section]:
    """The sections of release notes, in the order in which they stand."""
    lines = text.splitlines()
    heads = list(_headings(lines))
    if not heads:
        return [Section("", 1, text)]
    found = [Section("", 1, "\n".join(lines[: heads[0][0]]))] if heads[0][0] else []
    for number, (at, version) in enumerate(heads):
        end = heads[number + 1][0] if number + 1 < len(heads) else len(lines)
        found.append(Section(version, at + 1, "\n".join(lines[at:end])))
    return found


def _headings(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Lines that are headings with a version: marked as such, underlined, or alone at the margin."""
    for at, line in enumerate(lines):
        if len(line) > 120 or line[:1] in (" ", "\t") or not (match := _HEADING.match(line)):
            continue
        marked = line.startswith(("#", "=", "**", "[", "<h")) or (
            at + 1 < len(lines) and _RULE.match(lines[at + 1]) is not None
        )
        debian = re.match(r"[a-z0-9][a-z0-9+.\-]* \([^)]+\) [\w\-]+;", line) is not None
        alone = (
            re.fullmatch(r"(?i)\[?(?:version |release |v)?\d+\.\d+[\w.\-]*\]?:?(?:\s*[-–—(/].*)?\s*", line) is not None
        )
        if marked or debian or alone:
            yield at, match["version"]


def newest(name: str, text: str) -> Section:
    """The part of a document that speaks of this release: the first section of release notes, all of anything else."""
    if not _CHANGELOG.match(name):
        return Section("", 1, text)
    return next((section for section in sections(text) if section.version), Section("", 1, text))
