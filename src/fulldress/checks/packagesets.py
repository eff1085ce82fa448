"""FD452, FD453: scripts that rest on what is not there yet, or on the language of the host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.index import Index, unit_name
from fulldress.checks.rule import Hit, rule, says, several
from fulldress.facts import Hazard, Release, Requirement, Restart, Witness
from fulldress.findings import Severity

_NEEDS_UNIT = ("start", "restart", "reload", "try-restart", "enable")


def _package_of(path: str) -> str:
    """The innermost Debian package that a path lies in: its path; empty where there is none around it."""
    head, mark, _ = path.rpartition(".deb!/")
    return f"{head}.deb" if mark else ""


@rule("FD452", Severity.MINOR, "A package of the set is configured before the one that brings the unit it starts")
def configured_too_early(index: Index) -> Iterator[Hit]:
    names = {
        _package_of(r.evidence.path): r.product.lower()
        for r in index.of(Release)
        if r.aspect == "control" and _package_of(r.evidence.path)
    }
    if len(names) < 2:
        return
    needs: dict[str, set[str]] = defaultdict(set)
    for requirement in index.of(Requirement):
        needs[_package_of(requirement.evidence.path)].add(requirement.component.lower())
    for restart in index.of(Restart, Witness.READ):
        own = _package_of(restart.evidence.path)
        unit = unit_name(restart.unit)
        service = index.shipped_units.get(unit)
        if not own or service is None or restart.action not in _NEEDS_UNIT or "deb-systemd-invoke" in restart.command:
            continue  # that one passes over units that are not there
        bringer = _package_of(service.evidence.path)
        if not bringer or bringer == own or unit in index.units:
            continue
        if names.get(own, "?") in needs[bringer] and names.get(bringer, "?") not in needs[own]:
            yield Hit(
                title=f"{restart.action}s {unit} while {names[own]} is configured; {names[bringer]}, which brings it, is configured after that",
                subject=unit,
                remedy=f"Install {names[bringer]} and {names[own]} in one call of apt, and look for half-configured packages afterwards: dpkg --audit",
                testimony=(
                    says(restart, restart.command or f"{restart.action} {unit}"),
                    says(service, f"{unit} is a file of {names[bringer]}, which needs {names[own]}"),
                ),
                severity=Severity.MAJOR if index.units else None,
            )


@rule("FD453", Severity.MINOR, "A script reads English words, and hosts in another language print others")
def reads_english(index: Index) -> Iterator[Hit]:
    by_path: dict[str, list[Hazard]] = defaultdict(list)
    for hazard in index.of(Hazard, Witness.READ):
        if hazard.kind == "locale parsed":
            by_path[hazard.evidence.path].append(hazard)
    for path, found in by_path.items():
        words = several([f'"{hazard.detail}" of {hazard.what.split(" ")[0]}' for hazard in found], 3)
        yield Hit(
            title=f"{path.rsplit('!/', 1)[-1]} looks for {words}: on a host in another language it finds nothing and goes on",
            subject=path,
            remedy="Run it in English: LC_ALL=C.UTF-8 before its name. Hosts say their language with: locale",
            testimony=tuple(says(hazard, f"{hazard.what}, for {hazard.detail}") for hazard in found),
        )
