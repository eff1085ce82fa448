"""Packages that a package manager takes off the host to make room for this one, because this one says so.

Debian Policy 7.4 and 7.6: ``Conflicts`` and ``Breaks`` without a version leave no room for the other package; those of
versions before one are met by upgrading it. RPM: ``Obsoletes`` removes what it names with the upgrade.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import Hazard, Witness
from fulldress.package.reader import Member
from fulldress.patterns import regex

KIND = "takes others off"
Rows = list[tuple[str, str, int]]
_NAME = regex(r"\s*([A-Za-z0-9][\w.+-]*)(?::\w+)?\s*(?:\(([^)]*)\))?")


def debian(member: Member, rows: Rows) -> Iterator[Hazard]:
    """``rows`` are those of a control file."""
    found = {name: (value, line) for name, value, line in rows}
    own = found.get("package", ("", 0))[0]
    replaces, provides = (set(_names(found.get(key, ("", 0))[0])) for key in ("replaces", "provides"))
    told = {own}
    for field in ("conflicts", "breaks"):
        value, line = found.get(field, ("", 0))
        for name in _names(value):
            if name in told:
                continue
            told.add(name)
            why = f"{field.capitalize()}{' and Replaces' if name in replaces else ''}: {name}"
            others = f"{name}, and what else provides it" if name in provides else name
            yield _hazard(member, line, others, why)


def rpm(member: Member, rows: Rows) -> Iterator[Hazard]:
    """``rows`` are those of a header's text; one package is told once."""
    own = next((value for name, value, _ in rows if name == "name"), "")
    told = {own}
    for field, value, line in rows:
        match = re.match(r"([^\s(]\S*)(?:\s+([<>=]+\s*\S+))?$", value) if field == "obsoletes" else None
        if match and match[1] not in told:
            told.add(match[1])
            yield _hazard(member, line, match[1], f"Obsoletes: {value}")


def _names(value: str) -> Iterator[str]:
    """The packages of a field that are named without a version, or with one that all have."""
    for clause in value.replace("\n", " ").split(","):
        match = _NAME.match(clause)
        if match and (not match[2] or re.fullmatch(r"\s*>[>=]\s*0~?\s*", match[2])):
            yield match[1]


def _hazard(member: Member, line: int, what: str, why: str) -> Hazard:
    return Hazard(witness=Witness.DECLARED, evidence=member.evidence(line, 0, why), kind=KIND, what=what, detail=why)
