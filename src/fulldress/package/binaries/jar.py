"""JAR and WAR: build date and version of their manifest, else of what Maven, Spring Boot or git wrote into them; and
the Java that their classes need.

There is no standard name for the date; the ones here are written by Maven, Gradle, bnd and Ant set-ups. The level of a
class file is its major version (Java Virtual Machine Specification, 4.1): 52 is Java 8, 61 is Java 17.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from fulldress.facts import Evidence
from fulldress.package.binaries.said import Also, Said
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
_LOOKED_AT = 24  #: classes of one JAR
_OLDEST = 51  #: Java 7; every Java that still runs reads older ones
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
    levels = _levels(package)
    for member in package.members.values():
        if member.inner == _MANIFEST and member.kept:
            attributes = dict(_attributes(member.text))
            said = _said(attributes)
            for other in _others(package, member):
                _merge(said, other)
            if level := levels.get(member.prefix, 0):
                said.requires = (f"Java {level}",)
            path = member.prefix.removesuffix("!/") or package.name
            yield said, path, member.evidence(text=said.quote)


def _levels(package: Package) -> dict[str, int]:
    """By JAR: the Java release that the looked-at classes need at least.

    A compiler gives all classes of a run one level, so a spread of them is looked at; more would only repeat it. What is
    said is a lower bound in any case. Classes for other releases (``META-INF/versions``) and module descriptions, which
    older machines skip, don't count."""
    classes: dict[str, list[Member]] = {}
    for member in package.of("java-class"):
        if member.sha256 and not member.inner.startswith("META-INF/") and member.name != "module-info.class":
            classes.setdefault(member.prefix, []).append(member)
    found = {}
    for prefix, members in classes.items():
        step = -(-len(members) // _LOOKED_AT)
        majors = [_major(package, member) for member in members[::step]]
        if (newest := max(majors)) >= _OLDEST:
            found[prefix] = newest - 44
    return found


def _major(package: Package, member: Member) -> int:
    with package.open(member.path) as file:
        head = file.read(8)
    return int.from_bytes(head[6:8], "big") if head[:4] == b"\xca\xfe\xba\xbe" and len(head) == 8 else 0


def _others(package: Package, manifest: Member) -> Iterator[tuple[dict[str, str], Member]]:
    """What build tools leave beside the manifest: Maven's ``pom.properties`` of the one artefact that the JAR is (one
    that holds several says nothing of itself), Spring Boot's ``build-info.properties``, ``git.properties``."""
    start = f"{manifest.prefix}META-INF/maven/"
    poms = [m for p, m in package.members.items() if p.startswith(start) and p.endswith("/pom.properties")]
    named = [
        package.members.get(manifest.prefix + place)
        for place in (
            "META-INF/build-info.properties",
            "BOOT-INF/classes/META-INF/build-info.properties",
            "git.properties",
            "BOOT-INF/classes/git.properties",
            "WEB-INF/classes/git.properties",
        )
    ]
    for member in (*(poms if len(poms) == 1 else ()), *(m for m in named if m is not None)):
        if not member.kept:
            continue
        values: dict[str, str] = {}
        for line in member.text.splitlines():
            if line.startswith("#"):  # java.util.Properties writes the date of its storing there
                if instant(line[1:]) is not None:
                    values.setdefault("#", line[1:].strip())
            else:
                name, equals, value = line.partition("=")
                if equals:
                    values[name.strip()] = value.strip().replace("\\:", ":")
        yield values, member


def _merge(said: Said, other: tuple[dict[str, str], Member]) -> None:
    values, member = other
    place = f"jar {member.name}"
    version = next((values[key] for key in ("version", "build.version", "git.build.version") if values.get(key)), "")
    if version and not said.version:
        said.version, said.version_from = version, place
    elif version and version[0].isdigit() and version != said.version:
        said.also += (Also(version=version, place=place, evidence=member.evidence(text=f"version={version}")),)
    if said.built is None:
        for key in ("build.time", "git.build.time", "git.commit.time", "#"):
            if (built := instant(values.get(key, ""))) is not None:
                said.built, said.built_from = built, place
                return


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
