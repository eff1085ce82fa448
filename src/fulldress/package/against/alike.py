"""What makes two names the same thing in two releases: versions, and the packing around a file, set aside."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fulldress.facts import Fact, Release
from fulldress.patterns import regex

_PACKING = regex(r"\.(?:tar(?:\.(?:gz|xz|bz2|zst|lzma|lz4))?|tgz|txz|tbz2?|tzst|zip|cpio|gz|xz|bz2|zst|7z)!/")


class Alike:
    """Keys under which a name of the old package and its successor in the new one are equal."""

    def __init__(self, old: Iterable[Fact], new: Iterable[Fact]) -> None:
        self._old, self._new = _versions(old), _versions(new)

    def old(self, name: str) -> str:
        """The key of a name in the old package."""
        return _key(name, self._old)

    def new(self, name: str) -> str:
        """The key of a name in the new package."""
        return _key(name, self._new)


def _versions(facts: Iterable[Fact]) -> re.Pattern[str] | None:
    """The versions that a package says of itself; the longest first, so that 4.2.0-1 is not read as 4.2.0."""
    found = {f.version.removeprefix("v") for f in facts if isinstance(f, Release) and "." in f.version}
    found |= {version.split(":", 1)[-1] for version in found}
    found |= {re.sub(r"[-+~].*", "", version) for version in found}
    known = sorted((v for v in found if "." in v), key=len, reverse=True)
    if not known:
        return None
    return re.compile(rf"(?<![\d.])(?:{'|'.join(map(re.escape, known))})(?!\d|\.\d)")


def _key(name: str, versions: re.Pattern[str] | None) -> str:
    name = _PACKING.sub("!/", name)
    return versions.sub("*", name) if versions else name
