"""An RPM's own statements: the fields of its ``.header`` and the file capabilities of its ``.files``
(:mod:`fulldress.package.archives.rpmtext` writes both)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

from fulldress.facts import AnyFact, Downtime, Looseness, Privilege, Reboot, Release, Requirement, Witness
from fulldress.package.manifests import prose, replaced
from fulldress.package.manifests.looseness import score
from fulldress.package.manifests.metadata import fields
from fulldress.package.reader import Member
from fulldress.patterns import regex

_RELATION = regex(r"(\S+)(?:\s+([<>=]+)\s+(\S+))?$")
#: What rpm finds by itself in the files: paths, library names with their marks, the package's own settings. No person
#: wrote a version for them.
_FOUND = regex(r"^/|\.so(?:[.(]|$)|^(?:config|rpmlib|rtld|user|group)\(|\)\(64bit\)$")
_EARLIEST = 1_000_000_000  #: a build time before September 2001 is a constant, not a date


def is_header(member: Member) -> bool:
    """Whether this is what an RPM's header says."""
    return member.container == "rpm" and member.inner == ".header"


def is_listing(member: Member) -> bool:
    """Whether this is an RPM's list of files."""
    return member.container == "rpm" and member.inner == ".files"


def header(member: Member) -> Iterator[AnyFact]:
    """The release, what it requires, and what its description says of reboots and downtime."""
    rows = list(fields(member.text))
    found = {name: (value, line) for name, value, line in reversed(rows)}
    if "name" not in found or "version" not in found:
        return
    product, (version, line) = found["name"][0], found["version"]
    epoch = found.get("epoch", ("", 0))[0]
    full = version + (f"-{found['release'][0]}" if "release" in found else "")
    yield Release(
        witness=Witness.DECLARED, evidence=member.evidence(line, 0, f"{product} {full}"), product=product,
        version=f"{epoch}:{full}" if epoch else full, aspect="control",
        released=_built(found.get("build-time", ("", 0))[0]), vendor=re.sub(r"\s*<.*", "", found.get("vendor", ("", 0))[0]),
    )  # fmt: skip
    yield from _requirements(member, rows)
    yield from replaced.rpm(member, rows)
    description, line = found.get("description", ("", 0))
    if description:
        yield from (fact for fact in prose.read(member, description, line) if isinstance(fact, Downtime | Reboot))


def _built(value: str) -> date | None:
    try:
        built = datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return built.date() if built.timestamp() > _EARLIEST else None


def _requirements(member: Member, rows: list[tuple[str, str, int]]) -> Iterator[Requirement]:
    """One requirement a component; two bounds of one component are one constraint."""
    bounds: dict[tuple[str, bool], tuple[list[str], int]] = {}
    for field, value, line in rows:
        if not re.match(r"(?:requires(?:\([\w,]+\))?|recommends)$", field):
            continue
        optional = field in ("recommends", "requires(optional)")
        if value.startswith("("):  # a rich dependency: with and, or, if, unless
            yield Requirement(
                witness=Witness.DECLARED, evidence=member.evidence(line, 0, value), component=value, constraint="",
                looseness=Looseness.UNREADABLE, scheme="rpm", optional=optional,
            )  # fmt: skip
        elif (match := _RELATION.match(value)) and not _FOUND.search(match[1]):
            held, _ = bounds.setdefault((match[1], optional), ([], line))
            if match[2] and f"{match[2]} {match[3]}" not in held:
                held.append(f"{match[2]} {match[3]}")
    for (component, optional), (held, line) in bounds.items():
        constraint = ", ".join(held)
        looseness, admits = score(constraint, "rpm")
        yield Requirement(
            witness=Witness.DECLARED, evidence=member.evidence(line, 0, f"{component} {constraint}".strip()),
            component=component, constraint=constraint, looseness=looseness, scheme="rpm", admits=admits,
            optional=optional,
        )  # fmt: skip


def listing(member: Member) -> Iterator[Privilege]:
    """Capabilities that files get when they are placed; modes stand with the entries."""
    for number, row in enumerate(member.text.splitlines(), 1):
        columns = row.split("\t")
        if len(columns) == 6 and not row.startswith("#") and columns[4] != "-":
            yield Privilege(
                witness=Witness.READ, evidence=member.evidence(number, 0, f"{columns[5]} {columns[4]}"),
                how="capability", command=f"{columns[5]} is given {columns[4]}",
            )  # fmt: skip
