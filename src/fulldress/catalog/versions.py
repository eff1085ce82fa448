"""Versions, one scheme at a time. Two versions of different schemes are never compared, and a guess says so.

``deb``, ``rpm``, ``semver``, ``pep440``, ``maven`` and ``npm`` are read by univers; ``dotted`` (what most products use) and
``calendar`` are our own. Editions such as ``-ee`` are no pre-releases: they are taken off by rule before anything else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from fulldress.errors import OtherScheme, UnreadableVersion, UsageError
from fulldress.formats import constraint
from fulldress.patterns import regex

SCHEMES = ("deb", "rpm", "semver", "pep440", "maven", "npm", "dotted", "calendar")
_ALIASES = {
    "debian": "deb",
    "pypi": "pep440",
    "python": "pep440",
    "calver": "calendar",
    "generic": "dotted",
    "node": "npm",
}
_EDITION = regex(r"(?i)[-._+](?:ee|ce|enterprise|community|oss|lts|fips|pro|final|release|ga)(?:[-.]\d+)?$")
_DOTTED = regex(r"v?\d+(?:[._-]?(?:\d+|[A-Za-z]+))*(?:\+[\w.]+)?$")
_TOKEN = regex(r"\d+|[A-Za-z]+")
_BEFORE = ("dev", "snapshot", "alpha", "a", "beta", "b", "pre", "preview", "milestone", "m", "rc", "cr", "c")
_CALENDAR = regex(r"(?:\d{8}|\d{2,4}(?:[.\-_]\d{1,2}){1,2}(?:[.\-_]\d+)?)$")


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """``key`` orders versions of one scheme. ``guessed``: nobody named the scheme."""

    scheme: str
    text: str
    key: Any
    guessed: bool = False
    edition: str = ""


def scheme_of(text: str) -> str:
    """The scheme that a version's spelling suggests. Only ever a guess."""
    if re.match(r"\d+:\d", text) or re.search(r"[~+](?:deb|ubuntu|dfsg|b)\d*|-\d+(?:\+|~|ubuntu)", text):
        return "deb"
    if re.search(r"\.(?:el|fc|amzn|sles)\d", text):
        return "rpm"
    return "dotted"


@lru_cache(maxsize=65_536)
def parse(scheme: str, text: str, edition: str = "") -> Version:
    """A version that can be compared. An empty scheme is guessed. Raises :class:`UnreadableVersion`."""
    guessed = not scheme
    name = _ALIASES.get(scheme.lower(), scheme.lower()) or scheme_of(text)
    bare, taken = strip_edition(text.strip(), edition)
    if name in ("dotted", "calendar"):
        key: Any = _dotted(bare) if name == "dotted" else _calendar(bare)
    elif name in SCHEMES:
        key = _univers(name, bare)
    else:
        raise UsageError(f'unknown version scheme "{scheme}". Known are {", ".join(SCHEMES)}.')
    if key is None:
        raise UnreadableVersion(text=text, scheme=name)
    return Version(scheme=name, text=text.strip(), key=key, guessed=guessed, edition=taken)


def strip_edition(text: str, edition: str = "") -> tuple[str, str]:
    """``16.11.10-ee`` -> (``16.11.10``, ``-ee``). ``edition`` is the team's own suffix, beside the known ones."""
    if edition and text.endswith(edition) and len(text) > len(edition):
        return text[: -len(edition)], edition
    match = _EDITION.search(text)
    return (text[: match.start()], match[0]) if match and text[:1].isdigit() | text.startswith("v") else (text, "")


def compare(left: Version, right: Version) -> int:
    """-1, 0 or 1. Raises :class:`OtherScheme`."""
    if left.scheme != right.scheme:
        raise OtherScheme(left=f"{left.text} ({left.scheme})", right=f"{right.text} ({right.scheme})")
    if left.key < right.key:
        return -1
    return 1 if right.key < left.key else 0


def contains(scheme: str, range: str, version: str, edition: str = "", dialect: str = "") -> bool | None:
    """Whether a version lies in a range of any dialect; None where one of the two is not understood."""
    alternatives = constraint.read(range, dialect or scheme)
    if alternatives is None:
        return None
    if any(not clauses for clauses in alternatives):
        return True
    answers = []
    try:
        own = parse(scheme, version, edition)
        for clauses in alternatives:
            answers.append(all(_holds(own, clause, own.scheme, edition) for clause in clauses))
    except UsageError:
        return True if True in answers else None
    return True in answers


def _holds(own: Version, clause: constraint.Clause, scheme: str, edition: str) -> bool:
    order = compare(own, parse(scheme, clause.version, edition))
    return {">=": order >= 0, ">": order > 0, "<=": order <= 0, "<": order < 0, "==": order == 0, "!=": order != 0}[
        clause.operator
    ]


def upstream(version: str, scheme: str) -> str:
    """The vendor's own version inside a distribution's: ``1:15.5-0+deb12u1`` -> ``15.5``. Others stay as they are."""
    if scheme not in ("deb", "rpm"):
        return version
    bare = version.split(":", 1)[-1]
    bare = bare.rsplit("-", 1)[0] if "-" in bare else bare
    return re.split(r"[~+](?:deb|ubuntu|dfsg|ds|really|git|\d)|[~+]", bare)[0] or version


class Dotted(msgspec.Struct, frozen=True):
    """Numbers and words in order; ``4.2`` and ``4.2.0`` are one version, ``1.0rc1`` comes before ``1.0``."""

    tokens: tuple[tuple[int, str, int], ...]

    def __lt__(self, other: Dotted) -> bool:
        width = max(len(self.tokens), len(other.tokens))
        return _padded(self.tokens, width) < _padded(other.tokens, width)


def _padded(tokens: tuple[tuple[int, str, int], ...], width: int) -> tuple[tuple[int, str, int], ...]:
    return tokens + ((0, "", 0),) * (width - len(tokens))


def _dotted(text: str) -> Dotted | None:
    if not _DOTTED.match(text):
        return None
    tokens: list[tuple[int, str, int]] = []
    for token in _TOKEN.findall(text.removeprefix("v").split("+")[0]):
        if token.isdigit():
            tokens.append((0, "", int(token)))
        elif token.lower() in _BEFORE:
            tokens.append((-1, f"{_BEFORE.index(token.lower()):02}", 0))
        else:
            tokens.append((1, token.lower(), 0))
    while tokens and tokens[-1] == (0, "", 0):
        tokens.pop()
    return Dotted(tuple(tokens))


def _calendar(text: str) -> tuple[int, ...] | None:
    if not _CALENDAR.match(text):
        return None
    if text.isdigit():
        return int(text[:4]), int(text[4:6]), int(text[6:])
    parts = [int(part) for part in re.split(r"[.\-_]", text)]
    return (parts[0] + (2000 if parts[0] < 100 else 0), *parts[1:])


def _univers(scheme: str, text: str) -> Any:
    from univers import versions as univers

    classes = {
        "deb": univers.DebianVersion,
        "rpm": univers.RpmVersion,
        "semver": univers.SemverVersion,
        "npm": univers.SemverVersion,
        "pep440": univers.PypiVersion,
        "maven": univers.MavenVersion,
    }
    if not re.match(r"v?\d|[0-9]+!", text):
        return None
    if scheme in ("semver", "npm") and not re.fullmatch(
        r"v?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.\-]+)?(?:\+[0-9A-Za-z.\-]+)?", text
    ):
        return None  # univers would coerce it, and not say so
    try:
        return classes[scheme](text)
    except (univers.InvalidVersion, ValueError):
        return None
