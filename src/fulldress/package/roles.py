"""What a package says a file is for: a setting that an upgrade keeps or replaces, documentation, a file made later.

Debian: ``conffiles`` of the control archive (deb-conffiles(5)); RPM: the flags of the header's list of files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from fulldress.package.reader import Member
from fulldress.patterns import regex

_CONTROL = regex(r"(?:^|(?<=/))control\.tar(?:\.\w+)?!/$")


def roles(members: Mapping[str, Member]) -> dict[str, str]:
    """The role of each member that has one, by its path."""
    found: dict[str, str] = {}
    for member in members.values():
        if not member.kept:
            continue
        if member.inner == "conffiles" and (match := _CONTROL.search(member.prefix)):
            outer = member.prefix[: match.start()]
            data = [f"{path}!/" for path in members if re.fullmatch(re.escape(outer) + r"data\.tar(?:\.\w+)?", path)]
            _give(found, members, data, ((name, "conffile") for name in _conffiles(member.text)))
        elif member.container == "rpm" and member.inner == ".files":
            _give(found, members, [member.prefix], _listed(member.text))
    return found


def _give(
    found: dict[str, str], members: Mapping[str, Member], prefixes: list[str], said: Iterator[tuple[str, str]]
) -> None:
    for name, role in said:
        for prefix in prefixes:
            path = prefix + name.lstrip("/")
            if path in members:
                found[path] = role


def _conffiles(text: str) -> Iterator[str]:
    for row in text.splitlines():
        if row.strip():
            yield row.strip().removeprefix("remove-on-upgrade ").strip()


def _listed(text: str) -> Iterator[tuple[str, str]]:
    for row in text.splitlines():
        columns = row.split("\t")
        if len(columns) == 6 and columns[3] not in ("-", "role"):
            yield columns[5], columns[3]
