"""What a file name claims: the product and the version that distributions write into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from fulldress.facts import Evidence, Release, Witness
from fulldress.package.walk import Opened
from fulldress.patterns import regex

_SUFFIX = regex(
    r"(?i)(?:\.(?:zip|tar|tgz|txz|tbz2?|tzst|gz|xz|bz2|zst|jar|war|ear|whl|deb|run|bin|exe|msi|sh|7z|rpm))+$"
)
_DEB = regex(r"(?P<product>[a-z0-9][a-z0-9+.\-]+)_(?P<version>[^_]+)_[a-z0-9\-]+\.u?deb$")
_RPM = regex(r"(?P<product>[A-Za-z0-9][\w.+\-]*)-(?P<version>[^-]+-[^-]+)\.(?:\w+)\.rpm$")
_WHEEL = regex(r"(?P<product>[A-Za-z0-9._]+)-(?P<version>[^-]+)(?:-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl$")
_PLAIN = regex(
    r"(?P<product>.*?[A-Za-z].*?)[-_ .]+v?(?P<version>\d+(?:\.\d+)+(?:[-.+~_]?(?:rc|alpha|beta|a|b|p|post|dev|ga|final|release|u|r|sp|hf|build)"
    r"[-.]?\d*|[-+~]\d[\w.]*)*)(?:[-_.](?:linux|windows|win|darwin|macos|x86|x64|amd64|arm64|i386|noarch|all|any|src|source|"
    r"bin|full|setup|installer|release|final|upgrade|update|patch|en)\w*)*$",
    re.IGNORECASE,
)


def claimed(name: str) -> tuple[str, str] | None:
    """Product and version of a file name, or None where it states no version."""
    if match := _DEB.match(name):
        return match["product"], unquote(match["version"])
    if match := _RPM.match(name):
        return match["product"], match["version"]
    if match := _WHEEL.match(name):  # a wheel writes the hyphens of a name as underscores
        return match["product"].replace("_", "-"), match["version"]
    match = _PLAIN.match(_SUFFIX.sub("", name))
    if match is None:
        return None
    product = re.sub(
        r"(?i)[-_ .]+(?:release|version|ver|upgrade|update|package|setup|installer|full)$", "", match["product"]
    )
    return product.strip("-_. ") or match["product"], match["version"]


def releases(package: Opened) -> Iterator[Release]:
    """The release that the package's own file name claims."""
    if (said := claimed(package.name)) is not None:
        yield Release(
            witness=Witness.DECLARED,
            evidence=Evidence(source=package.source, path=package.name, excerpt=package.name),
            product=said[0],
            version=said[1],
            aspect="file name",
        )
