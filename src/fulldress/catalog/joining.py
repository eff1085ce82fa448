"""Package × production × records: paths, compatibility, the fates of keys, the changes of interfaces.

Works on facts and records only: it opens no package and reads no production.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from fulldress.catalog import interface_changes, paths, setting_changes, versions
from fulldress.catalog.conditions import Known
from fulldress.catalog.graph import Graph
from fulldress.catalog.records import Compat, Edge, Record, Source
from fulldress.catalog.records import Release as ReleaseRecord
from fulldress.errors import UsageError
from fulldress.facts import (
    AnyFact,
    Compatibility,
    Evidence,
    Fact,
    Installed,
    Interface,
    InterfaceChange,
    Looseness,
    Reason,
    Release,
    Requirement,
    Running,
    Setting,
    SettingChange,
    Unread,
    UpgradePath,
    Use,
    Witness,
)

_ASPECTS = ("manifest", "control", "metadata", "file name", "binary")
_LOOSE = (Looseness.ANY, Looseness.UNBOUNDED, Looseness.FLOATING, Looseness.UNREADABLE)
_MATRICES = "asked: matrices/*.toml"


class There(msgspec.Struct, frozen=True):
    """A version of a component in production, and the fact that says so. ``version`` is the vendor's own."""

    version: str
    scheme: str
    fact: Running | Installed


def join(
    package_facts: Iterable[Fact],
    production_facts: Iterable[Fact],
    records: list[Record],
    previous_facts: Iterable[Fact] = (),
) -> list[AnyFact]:
    """UpgradePath, Compatibility, SettingChange and InterfaceChange facts, and Unread for what nobody tells.

    ``previous_facts`` are those of the package that brought what runs today (``--against``)."""
    package, production, previous = list(package_facts), list(production_facts), list(previous_facts)
    release = released(package)
    there = running(production)
    known = knowledge(there, production)
    found: list[AnyFact] = []
    if release is not None:
        found += _paths(release, there, records, known)
        found += _compatibility(release, package, there, records, known)
    found += _settings(release, package, production, previous, there, records, known)
    found += _interfaces(package, production, previous)
    return found


def released(facts: Iterable[Fact]) -> Release | None:
    """The release that the package as a whole claims to be: outermost first, then the most telling place."""
    found = [f for f in facts if isinstance(f, Release) and f.version and f.witness is not Witness.RUNNING]

    def telling(r: Release) -> tuple[int, int, int]:
        aspect = _ASPECTS.index(r.aspect) if r.aspect in _ASPECTS else len(_ASPECTS)
        return (1 if r.aspect == "file name" else r.evidence.path.count("!/"), aspect, r.evidence.path.count("/"))

    return min(found, key=telling, default=None)


def running(facts: Iterable[Fact]) -> dict[str, list[There]]:
    """Versions in production by component (lower case): those that run; those installed where nothing is known to run."""
    runs: dict[str, dict[str, There]] = defaultdict(dict)
    installed: dict[str, dict[str, There]] = defaultdict(dict)
    for fact in facts:
        if isinstance(fact, Running | Installed) and fact.version:
            own = versions.upstream(fact.version, fact.scheme)
            into = runs if isinstance(fact, Running) else installed
            into[fact.component.lower()].setdefault(
                own, There(own, "" if fact.scheme in ("deb", "rpm") else fact.scheme, fact)
            )
    return {name: list((runs.get(name) or installed[name]).values()) for name in {**installed, **runs}}


def given(component: str, version: str) -> There:
    """A version that the user names on the command line."""
    evidence = Evidence(source="command line", excerpt=f"{component} {version}")
    return There(
        version,
        "",
        Running(witness=Witness.RUNNING, evidence=evidence, component=component, version=version, scheme=""),
    )


def knowledge(there: dict[str, list[There]], production: Iterable[Fact]) -> Known:
    """What conditions may ask of production."""
    settings: dict[tuple[str, str], str] = {}
    spoken: set[str] = set()
    for fact in production:
        if isinstance(fact, Setting):
            settings[fact.component.lower(), fact.key.lower()] = fact.value
            spoken.add(fact.component.lower())

    def within(component: str, range_: str) -> bool | None:
        found = there.get(component.lower())
        if not found:
            return None
        answers = {versions.contains(t.scheme, range_, t.version, dialect="matrix") for t in found}
        return answers.pop() if len(answers) == 1 else None

    def setting(component: str, key: str) -> str | None:
        value = settings.get((component.lower(), key.lower()))
        return value if value is not None else ("" if component.lower() in spoken else None)

    return Known(within=within, installed=lambda c: (c.lower() in there) if there else None, setting=setting)


def graph_for(
    release_product: str, start: str, target: str, there: dict[str, list[There]], records: list[Record], known: Known
) -> Graph:
    """The graph of a product and of everything in production that records speak of."""
    named = {record.component for record in records if not isinstance(record, Compat)}
    named |= {record.side(side)[0] for record in records if isinstance(record, Compat) for side in ("left", "right")}
    scheme_given = {r.component: r.scheme for r in records if isinstance(r, ReleaseRecord) and r.scheme}
    begin, schemes = {release_product: start}, {}
    for name in sorted(named | {release_product}):
        for one in there.get(name.lower(), []):
            if one.scheme and name not in scheme_given:
                schemes[name] = one.scheme
            given = scheme_given.get(name, "")
            begin.setdefault(name, one.fact.version if given in ("deb", "rpm") else one.version)
    return Graph(records, begin, known, schemes, {release_product: target})


def _product(release: Release, records: list[Record]) -> str:
    """The product as the records spell it."""
    names = {r.component for r in records if not isinstance(r, Compat)}
    return next((name for name in names if name.lower() == release.product.lower()), release.product)


def _paths(release: Release, there: dict[str, list[There]], records: list[Record], known: Known) -> Iterator[AnyFact]:
    product = _product(release, records)
    found = there.get(release.product.lower(), [])
    if not found:
        yield UpgradePath(
            witness=Witness.RUNNING, evidence=release.evidence, component=product, start="", target=release.version,
            possible=None, unknown=(f"which version of {product} runs: no inventory lists it",),
        )  # fmt: skip
    if release.aspect == "control":  # production's versions are the vendor's own, too
        release = msgspec.structs.replace(release, version=versions.upstream(release.version, "deb"))
    for one in found:
        if one.version != release.version:  # what runs already needs no way
            yield path_fact(product, one, release, there, records, known)


def path_fact(
    product: str, one: There, release: Release, there: dict[str, list[There]], records: list[Record], known: Known
) -> UpgradePath:
    """The path from one running version to the release."""
    spoken = any(not isinstance(r, Compat) and r.component == product for r in records)
    own: list[Record] = []
    if release.upgrades_from:
        source = Source(file=release.evidence.path, line=release.evidence.line, name="the package's manifest")
        own = [Edge(component=product, from_=release.upgrades_from, to=f"=={release.version}", source=source)]
    try:
        graph = graph_for(product, one.version, release.version, there, [*records, *own], known)
        path = paths.search(graph, {product: release.version})
    except UsageError as error:
        path = paths.Path(possible=None, unknown=(str(error),))
    if not spoken and not own:
        path = paths.doubted(path, f"no data on the way of {product} to {release.version} ({_MATRICES})")
    return UpgradePath(
        witness=Witness.DECLARED, evidence=one.fact.evidence, component=product, start=one.version, target=release.version,
        possible=path.possible, steps=tuple(map(str, path.steps)), required=tuple(str(s) for s in path.steps if s.required),
        blocked_by=path.blocked_by, nearest=path.nearest,
        one_way=tuple(f"{s}: {s.one_way}" for s in path.steps if s.one_way), unknown=path.unknown,
    )  # fmt: skip


def _compatibility(
    release: Release, package: list[Fact], there: dict[str, list[There]], records: list[Record], known: Known
) -> Iterator[Compatibility]:
    """Every component that a matrix ties to the product, and those that the package asks for loosely."""
    product = _product(release, records)
    left = f"{product} {release.version}"
    graph = graph_for(product, release.version, release.version, {}, records, known)
    tied = graph.related(product)
    for name in tied:
        found = there.get(name.lower(), [])
        if not found:
            yield _pair(left, f"{name} (version not known)", "unknown", "in no inventory", release.evidence)
        for one in found:
            if one.scheme:
                graph.schemes.setdefault(name, one.scheme)
            level, source = graph.level(product, release.version, name, one.version)
            yield _pair(
                left,
                f"{name} {one.version}",
                level,
                source or f"no matrix speaks of it ({_MATRICES})",
                one.fact.evidence,
            )
    spoken = {name.lower() for name in tied} | {product.lower()}
    for fact in package:
        if (
            not isinstance(fact, Requirement)
            or fact.optional
            or fact.scheme in ("deb", "rpm")
            or fact.looseness not in _LOOSE
        ):
            continue
        name = fact.component.lower()
        if name not in spoken:
            spoken.add(name)
            for one in there.get(name, []):
                source = (
                    f"the package asks for {fact.constraint or 'any version'}, and no matrix speaks of it ({_MATRICES})"
                )
                yield _pair(left, f"{fact.component} {one.version}", "unknown", source, fact.evidence)


def _pair(left: str, right: str, level: str, source: str, evidence: Evidence) -> Compatibility:
    return Compatibility(
        witness=Witness.DECLARED, evidence=evidence, left=left, right=right, level=level, source=source
    )


def _settings(
    release: Release | None,
    package: list[Fact],
    production: list[Fact],
    previous: list[Fact],
    there: dict[str, list[There]],
    records: list[Record],
    known: Known,
) -> Iterator[AnyFact]:
    shipped = [f for f in package if isinstance(f, Setting)]
    old = [f for f in previous if isinstance(f, Setting)] or _installed_defaults(production)
    version = release.version if release else ""
    found: list[SettingChange] = []
    found += setting_changes.difference(old, shipped, version)
    components = {f.component for f in shipped} | {
        f.component for f in production if isinstance(f, Setting) and f.component
    }
    if release is not None:
        components.add(_product(release, records))
    for component in sorted(components):
        runs = there.get(component.lower(), [])
        start, scheme = (runs[0].version, runs[0].scheme) if runs else ("", "")
        own = release is not None and component.lower() == release.product.lower()
        target = version if own else start
        found += setting_changes.recorded(records, component, scheme, start, target, known)
    yield from setting_changes.news(found, package)
    if shipped and production and not old:
        yield Unread(
            witness=Witness.READ, evidence=shipped[0].evidence, what=f"old defaults of {release.product if release else 'the product'}",
            reason=Reason.NO_DATA,
            detail="a default that changes without a word cannot be seen; give the package that runs today with --against",
        )  # fmt: skip


def _installed_defaults(production: Iterable[Fact]) -> list[Setting]:
    """Settings of production that stand in files of defaults, which the vendor's last package brought."""
    return [f for f in production if isinstance(f, Setting) and re.search(r"(?i)defaults?\b|\.dist$|\.sample$", f.file)]


def _interfaces(package: list[Fact], production: list[Fact], previous: list[Fact]) -> Iterator[AnyFact]:
    new = [f for f in package if isinstance(f, Interface)]
    old = [f for f in previous if isinstance(f, Interface)]
    said = [f for f in package if isinstance(f, InterfaceChange)]
    known = {(interface_changes.key(f.operation), f.kind) for f in said}
    if old and new:
        changes = interface_changes.compare(old, new)
        yield from (c for c in changes if (interface_changes.key(c.operation), c.kind) not in known)
    elif new:
        spoken = {interface_changes.key(f.operation) for f in said}
        calls = interface_changes.unlisted(new, (f for f in production if isinstance(f, Use)))
        lost = [use for use in calls if interface_changes.key(use.operation) not in spoken]
        if lost:
            names = ", ".join(use.operation for use in lost[:3]) + (
                f" and {len(lost) - 3} more" if len(lost) > 3 else ""
            )
            yield Unread(
                witness=Witness.READ, evidence=new[0].evidence, what=f"what becomes of {names}", reason=Reason.NO_DATA,
                detail=f"called today, and not in {new[0].evidence.path}; give the package that runs today with --against",
            )  # fmt: skip
