"""An MSI's own statements: the fields of its ``.product`` (:mod:`fulldress.package.archives.msiactions` writes it)."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.facts import AnyFact, Looseness, Reboot, Release, Requirement, Witness
from fulldress.package.manifests.metadata import fields
from fulldress.package.reader import Member


def is_product(member: Member) -> bool:
    """Whether this is what an MSI's tables say of the product."""
    return member.container == "msi" and member.inner == ".product"


def product(member: Member) -> Iterator[AnyFact]:
    """The release, the conditions under which it installs, and whether it restarts the host."""
    rows = list(fields(member.text))
    found = {name: (value, line) for name, value, line in reversed(rows)}
    if "name" in found and "version" in found:
        (name, _), (version, line) = found["name"], found["version"]
        yield Release(
            witness=Witness.DECLARED, evidence=member.evidence(line, 0, f"{name} {version}"), product=name, version=version,
            aspect="control", vendor=found.get("vendor", ("", 0))[0], upgrades_from=found.get("upgrades-from", ("", 0))[0],
        )  # fmt: skip
    for field, value, line in rows:
        if field == "requires":
            yield Requirement(
                witness=Witness.DECLARED, evidence=member.evidence(line, 0, value), component=value, constraint="",
                looseness=Looseness.UNREADABLE, scheme="msi",
            )  # fmt: skip
        elif field == "reboot":
            yield Reboot(witness=Witness.DECLARED, evidence=member.evidence(line, 0, value), claim="required")
