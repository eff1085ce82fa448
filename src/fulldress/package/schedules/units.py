"""Unit files of systemd: sections and keys with their lines, and the drop-ins beside them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fulldress.package.reader import Member, Package

MONOTONIC = ("OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec")
EVENTS = ("OnClockChange", "OnTimezoneChange")


class Assignment(msgspec.Struct, frozen=True):
    section: str
    key: str
    value: str
    line: int
    member: Member


def assignments(member: Member) -> Iterator[Assignment]:
    """Every ``Key=value`` of a unit file; a line that ends with a backslash goes on in the next (systemd.syntax(7))."""
    yield from assignments_of(member.text, member)


def assignments_of(text: str, member: Member) -> Iterator[Assignment]:
    """The same for text that is not a member itself, e.g. one that a script writes."""
    section, pending, begun = "", "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if pending and line.startswith(("#", ";")):
            continue
        if not pending and (not line or line.startswith(("#", ";"))):
            continue
        if line.endswith("\\"):
            begun = begun or number
            pending += line[:-1] + " "
            continue
        line, pending, first, begun = pending + line, "", begun or number, 0
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            key, value = line.split("=", 1)
            yield Assignment(section, key.strip(), value.strip(), first, member)


def with_drop_ins(package: Package, member: Member) -> list[Assignment]:
    """The assignments of a unit and, after them, of its drop-ins ``NAME.d/*.conf`` in the package, by file name."""
    found = list(assignments(member))
    folder = f"{member.name}.d/"
    drop_ins = [
        other
        for other in package.members.values()
        if other.name.endswith(".conf") and other.path.rsplit("/", 2)[-2:-1] == [folder[:-1]] and other.kept
    ]
    for other in sorted(drop_ins, key=lambda drop_in: drop_in.name):
        found.extend(assignments(other))
    return found


def values(unit: list[Assignment], section: str, *keys: str) -> list[Assignment]:
    """Assignments that hold: an empty value resets the list before it."""
    held: list[Assignment] = []
    for assignment in unit:
        if assignment.section == section and assignment.key in keys:
            if assignment.value:
                held.append(assignment)
            else:
                held = [other for other in held if other.key != assignment.key]
    return held
