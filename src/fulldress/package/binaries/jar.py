"""JAR and WAR: build date and version of their manifest, else of Maven's own file in them.

There is no standard name for the date; the ones here are written by Maven, Gradle, bnd and Ant set-ups.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from fulldress.facts import Evidence
from fulldress.package.binaries.said import Said
from fulldress.package.reader import Member, Package

_MANIFEST = "META-INF/MANIFEST.MF"
_DATES = (
    "Build-Time",
    "Build-Timestamp",
    "Build-Date",
    "Built-Date",
    "Built-On",
    "Build-Time-ISO-8601",
    "Implementation-Build-Date",
    "Implementation-Timestamp",
    "Bnd-LastModified",
)
_VERSIONS = ("Implementation-Version", "Bundle-Version", "Specification-Version", "Version")
_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y%m%d-%H%M",
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M",
    "%a %b %d %H:%M:%S %Y",
    "%d-%m-%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%B %d %Y",
)


def read(package: Package) -> Iterator[tuple[Said, str, Evidence]]:
    """What every JAR says, with its path (the package's name for the package itself)."""
    for member in package.members.values():
        if member.inner == _MANIFEST and member.kept:
            attributes = dict(_attributes(member.text))
            said = _said(attributes)
            if not said.version or not said.built:
                _from_maven(package, member, said)
            path = member.prefix.removesuffix("!/") or package.name
            yield said, path, member.evidence(text=said.quote)


def _said(attributes: dict[str, str]) -> Said:
    said = Said(format="jar")
    for name in _DATES:
        if (built := instant(attributes.get(name.lower(), ""))) is not None:
            said.built, said.built_from = built, f"jar {name}"
            said.quote = f"{name}: {attributes[name.lower()]}"
            break
    for name in _VERSIONS:
        if (version := attributes.get(name.lower(), "")) and version[0].isalnum():
            said.version, said.version_from = version, f"jar {name}"
            said.quote = said.quote or f"{name}: {version}"
            break
    said.product = attributes.get("implementation-title") or attributes.get("bundle-symbolicname", "").split(";")[0]
    return said


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    """The main section; a line that begins with a blank goes on with the one before (JAR File Specification)."""
    joined = re.sub(r"\r?\n ", "", text)
    for line in joined.splitlines():
        if not line.strip():
            return
        name, _, value = line.partition(":")
        yield name.strip().lower(), value.strip()


def _from_maven(package: Package, manifest: Member, said: Said) -> None:
    """``pom.properties`` of the one artefact that the JAR is; a JAR that holds several says nothing of itself."""
    start = f"{manifest.prefix}META-INF/maven/"
    poms = [m for p, m in package.members.items() if p.startswith(start) and p.endswith("/pom.properties")]
    if len(poms) != 1:
        return
    for line in poms[0].text.splitlines():
        if line.startswith("version=") and not said.version:
            said.version, said.version_from = line[8:].strip(), "jar pom.properties"
        elif line.startswith("#") and not said.built and (built := instant(line[1:].strip())) is not None:
            said.built, said.built_from = built, "jar pom.properties"


def instant(text: str) -> datetime | None:
    """An instant in one of the forms that build tools write; a form without a zone is taken as UTC."""
    text = text.strip()
    if not text:
        return None
    if re.fullmatch(r"\d{13}", text):
        return datetime.fromtimestamp(int(text) // 1000, UTC)
    without_zone = re.sub(r"\b(?:UTC|GMT|[A-Z]{3,4})\s+(?=\d{4}$)", "", text)
    plain = re.sub(r"\s*(?:UTC|GMT|Z)$", "", text)
    for candidate in (text, plain):
        try:
            moment = datetime.fromisoformat(candidate)
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    for candidate in (plain, without_zone):
        for form in _FORMATS:
            try:
                return datetime.strptime(candidate, form).replace(tzinfo=UTC)
            except ValueError:
                continue
    return None
