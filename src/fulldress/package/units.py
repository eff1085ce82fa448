"""Units that the package ships: a script may control them although production has never heard of them.

What a unit's file says of itself (``Description``, ``Alias``, comments) is kept as the excerpt, since that is where a renamed
unit mentions its old name.
"""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.facts import AnyFact, Reason, Service, Unread, Witness, excerpt
from fulldress.formats import unitfile
from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

_KINDS = ("systemd-service", "systemd-unit")
_LINE = regex(r"^(Description|Documentation|Alias|Conflicts|Requires|Also|ExecStart)\s*=\s*(.*\S)")


def read(package: Package) -> Iterator[AnyFact]:
    """One :class:`Service` a unit file, and one for each of its aliases."""
    for path in sorted(package.members):
        member = package.members[path]
        if member.kind not in _KINDS:
            continue
        if not member.kept:
            yield Unread(
                witness=Witness.READ, evidence=member.evidence(), what=f"unit {member.name}", reason=Reason.BUDGET,
                detail=f"{member.size} bytes are too many for a unit",
            )  # fmt: skip
            continue
        yield from _unit(member)


def _unit(member: Member) -> Iterator[Service]:
    said: list[tuple[int, str, str]] = []
    words: list[str] = []
    for number, line in enumerate(member.text.splitlines(), 1):
        if match := _LINE.match(line):
            said.append((number, match[1], match[2]))
            if match[1] in ("Description", "Alias", "Conflicts"):
                words.append(f"{match[1]}={match[2]}")
        elif line.lstrip().startswith(("#", ";")):
            words.append(line.strip())
    start = next((value.lstrip("@-:+!") for _, key, value in said if key == "ExecStart"), "")
    place = next((number for number, key, _ in said if key == "Description"), 1)
    evidence = member.evidence(place, text="; ".join(words))
    aliases = [(n, name) for n, key, value in said if key == "Alias" for name in value.split()]
    needs = unitfile.depends(member.text)
    yield Service(witness=Witness.READ, evidence=evidence, unit=_name(member.name), start=excerpt(start), depends=needs)
    for number, alias in aliases:
        yield Service(
            witness=Witness.READ, evidence=member.evidence(number, text=f"Alias={alias}"), unit=_name(alias),
            start=excerpt(start),
        )  # fmt: skip


def _name(file: str) -> str:
    return file.removesuffix(".service")
