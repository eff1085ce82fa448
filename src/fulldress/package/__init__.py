"""Bytes to facts: what the vendor declares and what we read in the package.

:func:`read` gives the facts, :func:`lay_out` puts the entries into a folder for the stage and for D-day, :func:`extract`
gives one entry's bytes by its digest, :func:`changes` compares two readings.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from fulldress.errors import PackageEntryMissing
from fulldress.facts import AnyFact, Entry, Schedule, Secret, Unread, Witness
from fulldress.package.against import Change, arrived, changes
from fulldress.package.apart import facts_of
from fulldress.package.layout import lay_out
from fulldress.package.manifests.images import silent
from fulldress.package.names import releases
from fulldress.package.reader import READERS, Member, Options
from fulldress.package.roles import roles
from fulldress.package.secondreader import SecondReader
from fulldress.package.walk import Budget, Opened, Progress

_BUDGET = Budget()


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one package."""

    source: str  #: sha256 of the file; of the sorted list of digests for a plain folder
    name: str
    size: int  #: bytes
    kind: str = ""
    facts: list[AnyFact]


def read(
    path: Path,
    *,
    trust: Path | None = None,
    root: Path | None = None,
    advisories: Path | None = None,
    at: datetime | None = None,
    zone: str = "UTC",
    previous: tuple[str, ...] = (),
    compared: bool = False,
    progress: Progress | None = None,
    budget: Budget = _BUDGET,
) -> Reading:
    """Everything that the package declares and everything that we read in it.

    ``compared`` also reads what is only of use beside another package (see :class:`~.reader.Options`).
    ``progress`` is called with what is done, how much of it and how much there is. Raises
    :class:`~fulldress.errors.PackageNotFound` and :class:`~fulldress.errors.PackageUnreadable`.
    """
    options = Options(
        trust=trust, root=root, advisories=advisories, at=at, zone=zone, previous=previous, compared=compared
    )
    with SecondReader(Path(path)) as second, Opened(Path(path), budget, options, progress) as package:
        second.inner(package)
        facts: list[AnyFact] = [*_entries(package), *package.unread, *releases(package)]
        facts += _spoken(facts_of(package, READERS, progress), silent(package.members))
        facts += second.facts(package)
        facts = list(_placed(facts))
        return Reading(source=package.source, name=package.name, size=package.size, kind=package.kind, facts=facts)


def _spoken(facts: list[AnyFact], quiet: frozenset[str]) -> Iterator[AnyFact]:
    """Without what files of an image's lower layers say that a later one takes away. Secrets and gaps stay."""
    for fact in facts:
        if fact.evidence.path not in quiet or isinstance(fact, Secret | Unread):
            yield fact


def _placed(facts: list[AnyFact]) -> Iterator[AnyFact]:
    """Without crontabs that lie about in the package and that a script puts into their place: that one is told already."""
    jobs = [fact for fact in facts if isinstance(fact, Schedule)]
    installed = {(job.expression, job.command) for job in jobs if job.installed_by}
    for fact in facts:
        loose = isinstance(fact, Schedule) and not fact.target and not fact.installed_by
        if not (loose and isinstance(fact, Schedule) and (fact.expression, fact.command) in installed):
            yield fact


def extract(path: Path, sha256: str) -> bytes:
    """The bytes of the entry with this digest. Raises :class:`~fulldress.errors.PackageEntryMissing`."""
    with Opened(Path(path), Budget(), Options()) as package:
        for member in package.members.values():
            if member.sha256 == sha256:
                with package.open(member.path) as file:
                    return file.read()
    raise PackageEntryMissing(path, sha256)


def _entries(package: Opened) -> Iterator[AnyFact]:
    said = roles(package.members)
    for member in package.members.values():
        yield _entry(member, said.get(member.path, ""))


def _entry(member: Member, role: str) -> Entry:
    return Entry(
        witness=Witness.READ,
        evidence=member.evidence(),
        path=member.path,
        kind=member.kind,
        size=member.size,
        sha256=member.sha256,
        modified=member.modified,
        mode=member.mode,
        link=member.link,
        container=member.container,
        role=role,
    )


__all__ = ["Budget", "Change", "Progress", "Reading", "arrived", "changes", "extract", "lay_out", "read"]
