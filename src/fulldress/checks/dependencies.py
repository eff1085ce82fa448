"""FD5xx: what has to be there, and whether we can get from here to there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.constraint import plain, within
from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, count, rule, says, several
from fulldress.facts import Compatibility, Installed, Looseness, Requirement, Running, UpgradePath, Witness
from fulldress.findings import Severity


def _requirements(index: Index) -> list[Requirement]:
    return [r for r in index.of(Requirement, Witness.DECLARED, Witness.READ) if not r.optional]


def versions_of(index: Index, component: str) -> list[Installed | Running]:
    return index.versions.get(component.lower(), [])


@rule("FD501", Severity.MAJOR, "A dependency floats: another day brings another version")
def floating(index: Index) -> Iterator[Hit]:
    for requirement in _requirements(index):
        if requirement.looseness is Looseness.FLOATING:
            yield Hit(
                title=f"{requirement.component} {requirement.constraint!r}: what is fetched on the day is not what was rehearsed",
                subject=requirement.component,
                remedy=f"Pin it to the version that was rehearsed, and keep that file beside the package: {requirement.component} == VERSION",
                testimony=(says(requirement, requirement.constraint or "no version"),),
            )


@rule("FD502", Severity.MINOR, "Dependencies are held loosely")
def loose(index: Index) -> Iterator[Hit]:
    fetched = [r for r in _requirements(index) if not r.host]
    found = [r for r in fetched if r.looseness in (Looseness.ANY, Looseness.UNBOUNDED)]
    if not found:
        return
    total = len(fetched)
    examples = [_example(r) for r in found]
    have = "has" if len(found) == 1 else "have"
    # A distribution's own packages are held by the release of the distribution, not by their bounds.
    by_distribution = all(r.scheme in ("deb", "rpm") for r in found)
    yield Hit(
        title=f"{len(found)} of {count(total, 'dependency', 'dependencies')} {have} no upper bound: {several(examples, 3)}",
        severity=Severity.NOTE if by_distribution else None,
        subject="dependencies",
        remedy="Resolve them now, write the versions down (a lock file), and install from that list in the window.",
        testimony=tuple(says(r, f"{r.component} {r.constraint}: {r.looseness.value}") for r in found),
    )


def _is_release(index: Index, requirement: Requirement) -> bool:
    """Whether it is the release itself that is asked for: ``app==3.2.0`` in the list that installs app 3.2.0."""
    release = index.release
    return (
        release is not None
        and requirement.component.lower() == release.product.lower()
        and within(release.version, requirement.constraint) is True
    )


def _example(requirement: Requirement) -> str:
    words = " or ".join((f"{requirement.component} {requirement.constraint}".strip(), *requirement.alternatives))
    if requirement.looseness is Looseness.ANY:
        return f"{words} in any version"
    return f"{words} admits {requirement.admits}" if requirement.admits else words


@rule("FD503", Severity.BLOCKER, "Production's version is outside what the package asks for")
def outside(index: Index) -> Iterator[Hit]:
    for requirement in _requirements(index):
        if _is_release(index, requirement):
            continue
        wrong = [
            v for v in versions_of(index, requirement.component) if within(v.version, requirement.constraint) is False
        ]
        if wrong:
            hosts = several(sorted({v.host for v in wrong if v.host}))
            yield Hit(
                title=f"needs {requirement.component} {requirement.constraint}; production has {wrong[0].version}"
                + (f" on {hosts}" if hosts else ""),
                subject=requirement.component,
                remedy=f"Bring {requirement.component} to {requirement.constraint} first, in a window of its own; "
                f"see: fulldress paths {requirement.component}",
                testimony=(
                    says(requirement, f"{requirement.component} {requirement.constraint}"),
                    *(says(v, v.version + (f" on {v.host}" if v.host else "")) for v in wrong),
                ),
            )


@rule("FD505", Severity.BLOCKER, "There is no way from what runs to what the package brings")
def no_path(index: Index) -> Iterator[Hit]:
    for path in index.of(UpgradePath):
        if path.possible is False:
            rules = several(list(path.blocked_by), 2) or "no edge leads there"
            yield Hit(
                title=f"no way from {path.component} {path.start} to {path.target}: {rules}",
                subject=f"{path.component} {path.start} → {path.target}",
                remedy=f"The nearest target that works: {path.nearest}. Ask the vendor for that package."
                if path.nearest
                else "Ask the vendor for a supported way from your version; show the blocking rule.",
                testimony=(says(path, rules),),
            )


@rule("FD506", Severity.BLOCKER, "A required stop on the way is skipped")
def required_stop(index: Index) -> Iterator[Hit]:
    for path in index.of(UpgradePath):
        missing = [step for step in path.required if step != f"{path.component} {path.target}"]
        if path.possible and missing:
            yield Hit(
                title=f"{path.component} {path.start} must stop at {several(missing)} before {path.target}",
                subject=f"{path.component} {path.start} → {path.target}",
                remedy=f"Upgrade in this order, each with a window of its own: {' → '.join(path.steps)}",
                testimony=(says(path, " → ".join((path.start, *path.steps))),),
            )


@rule("FD507", Severity.MAJOR, "There is no way back after a step")
def one_way(index: Index) -> Iterator[Hit]:
    for path in index.of(UpgradePath):
        if path.one_way and path.possible is not False:
            yield Hit(
                title=f"no way back after {several(list(path.one_way))}, says the vendor",
                subject=f"{path.component} {path.target} one way",
                remedy="Put the go/no-go decision before this step, and plan to come back by restoring, not by downgrading.",
                testimony=(says(path, several(list(path.one_way))),),
            )


@rule("FD508", Severity.MAJOR, "What runs is not what is installed")
def installed_not_running(index: Index) -> Iterator[Hit]:
    running = {(r.component.lower(), r.host): r for r in index.of(Running)}
    for installed in index.of(Installed):
        other = running.get((installed.component.lower(), installed.host))
        if other is None or other.version == installed.version:
            continue
        if plain(other.version) is not None and plain(other.version) == plain(installed.version):
            continue
        where = f" on {installed.host}" if installed.host else ""
        yield Hit(
            title=f"{installed.component}{where}: {installed.version} is installed, {other.version} runs: the next restart changes it",
            subject=f"{installed.component} {installed.host}".strip(),
            remedy=f"Restart whatever still runs {installed.component} {other.version} before the window and watch it, so that the upgrade starts from a known state.",
            testimony=(says(installed, f"installed {installed.version}"), says(other, f"running {other.version}")),
        )


@rule("FD509", Severity.BLOCKER, "Two versions that would run together are known not to work")
def incompatible(index: Index) -> Iterator[Hit]:
    for pair in index.of(Compatibility):
        if pair.level in ("broken", "incompatible", "unsupported"):
            yield Hit(
                title=f"{pair.left} does not work with {pair.right}",
                subject=f"{pair.left} × {pair.right}",
                remedy=f"Move {pair.right.split()[0]} first, or choose another target: fulldress paths {pair.left.split()[0]}",
                testimony=(says(pair, f"{pair.level} ({pair.source or pair.evidence.where()})"),),
            )


@rule("FD510", Severity.MINOR, "Nobody knows whether two versions work together")
def untested(index: Index) -> Iterator[Hit]:
    for pair in index.of(Compatibility):
        if pair.level in ("unknown", "untested"):
            yield Hit(
                title=f"nobody knows whether {pair.left} works with {pair.right}",
                subject=f"{pair.left} × {pair.right}",
                remedy="Ask the vendor and write the answer into matrices/, with its source.",
                testimony=(says(pair, pair.source or "no matrix speaks of it"),),
            )


@rule("FD511", Severity.MAJOR, "Hosts of one component run different versions")
def fleet_drift(index: Index) -> Iterator[Hit]:
    by_component: dict[str, dict[str, list[Installed]]] = defaultdict(lambda: defaultdict(list))
    for installed in index.of(Installed):
        if installed.host:
            by_component[installed.component][installed.version].append(installed)
    concerned = {r.component.lower() for r in _requirements(index)} | {index.product.lower()}
    for component, versions in by_component.items():
        if len(versions) > 1 and component.lower() in concerned:
            said = [f"{version} on {several(sorted(i.host for i in group), 2)}" for version, group in versions.items()]
            yield Hit(
                title=f"{component} differs from host to host: {several(said)}: one rehearsal does not speak for all",
                subject=component,
                remedy="Bring them to one version first, or rehearse once for each group of hosts.",
                testimony=tuple(says(i, f"{i.version} on {i.host}") for group in versions.values() for i in group),
            )


@rule("FD512", Severity.BLOCKER, "Production already runs a newer version")
def downgrade(index: Index) -> Iterator[Hit]:
    release = index.release
    target = plain(release.version) if release else None
    if release is None or target is None:
        return
    newer = [v for v in versions_of(index, release.product) if (plain(v.version) or ()) > target]
    if newer:
        yield Hit(
            title=f"production has {release.product} {newer[0].version}: this package would take it back to {release.version}",
            subject=release.product,
            remedy="Check that this is the package that was meant.",
            testimony=(says(release, release.version), *(says(v, v.version) for v in newer)),
        )


@rule("FD513", Severity.BLOCKER, "The package does not upgrade from the version that runs")
def not_from_here(index: Index) -> Iterator[Hit]:
    release = index.release
    if release is None or not release.upgrades_from:
        return
    wrong = [v for v in versions_of(index, release.product) if within(v.version, release.upgrades_from) is False]
    if wrong:
        yield Hit(
            title=f"upgrades from {release.upgrades_from}, and production has {wrong[0].version}",
            subject=release.product,
            remedy=f"Look for the stops in between: fulldress paths {release.product}",
            testimony=(says(release, f"upgrades from {release.upgrades_from}"), *(says(v, v.version) for v in wrong)),
        )
