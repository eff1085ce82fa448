"""Bytes to facts: what the vendor declares and what we read in the package.

:func:`read` gives the facts, :func:`lay_out` puts the entries into a folder for the stage and for D-day, :func:`extract`
gives one entry's bytes by its digest, :func:`changes` compares two readings.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from fulldress.errors import PackageEntryMissing
from fulldress.facts import AnyFact, Entry, Evidence, Reason, Schedule, Unread, Witness
from fulldress.package.against import Change, changes
from fulldress.package.layout import lay_out
from fulldress.package.names import releases
from fulldress.package.reader import READERS, Member, Options, Package
from fulldress.package.roles import roles
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
    advisories: Path | None = None,
    at: datetime | None = None,
    zone: str = "UTC",
    previous: tuple[str, ...] = (),
    progress: Progress | None = None,
    budget: Budget = _BUDGET,
) -> Reading:
    """Everything that the package declares and everything that we read in it.

    ``progress`` is called with what is done, how much of it and how much there is. Raises
    :class:`~fulldress.errors.PackageNotFound` and :class:`~fulldress.errors.PackageUnreadable`.
    """
    options = Options(trust=trust, advisories=advisories, at=at, zone=zone, previous=previous)
    with Opened(Path(path), budget, options, progress) as package:
        facts: list[AnyFact] = [*_entries(package), *package.unread, *releases(package)]
        for number, name in enumerate(READERS):
            if progress is not None:
                progress(name.rsplit(".", 1)[-1], number, len(READERS))
            facts += _from_reader(name, package)
        facts = list(_placed(facts))
        return Reading(source=package.source, name=package.name, size=package.size, kind=package.kind, facts=facts)


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


def _from_reader(name: str, package: Package) -> list[AnyFact]:
    """What one reader yields. A reader that is missing or that fails leaves a gap that the verdict needs."""
    room = name.rsplit(".", 1)[-1]
    facts: list[AnyFact] = []
    try:
        for fact in importlib.import_module(name).read(package):
            facts.append(fact)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        facts.append(_gap(package, room, Reason.MISSING, "this part of fulldress is not installed"))
    except Exception as error:  # noqa: BLE001 - whatever a hostile package breaks must not hide the rest of it
        facts.append(_gap(package, room, Reason.CANNOT, f"its reader failed: {type(error).__name__}: {error}"))
    return facts


def _gap(package: Package, room: str, reason: Reason, detail: str) -> Unread:
    return Unread(
        witness=Witness.READ,
        evidence=Evidence(source=package.source),
        what=f"{room} of {package.name}",
        reason=reason,
        detail=detail,
        needed=True,
    )


__all__ = ["Budget", "Change", "Progress", "Reading", "changes", "extract", "lay_out", "read"]
