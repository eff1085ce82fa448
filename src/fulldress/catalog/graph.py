"""The graph that a path search walks: which versions there are, which hops are allowed, what runs together.

Everything is answered as the set of rules that forbid it, so that a search can also be asked with some rules waived.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cmp_to_key, partial

import msgspec

from fulldress.catalog import versions
from fulldress.catalog.conditions import Known
from fulldress.catalog.records import Compat, Edge, Record, Release, Stop
from fulldress.errors import OtherScheme, UnreadableVersion


class Rule(msgspec.Struct, frozen=True):
    """A rule as a person reads it, and where it stands."""

    words: str
    source: str

    def __str__(self) -> str:
        return f"{self.words} ({self.source})" if self.source else self.words


Rules = frozenset[int]
NONE: Rules = frozenset()


class Graph:
    """Versions and rules of several components.

    ``start`` maps a component to the version that runs; ``schemes`` and ``editions`` to how versions are read."""

    def __init__(
        self,
        records: Iterable[Record],
        start: dict[str, str],
        known: Known,
        schemes: dict[str, str] | None = None,
        extra: dict[str, str] | None = None,
    ) -> None:
        self.records = list(records)
        self.start = start
        self.known = known
        self.rules: list[Rule] = []
        self.unknown: dict[str, None] = {}  # in order, each once
        self._ids: dict[Rule, int] = {}
        self._memory: dict[tuple[str, ...], Rules] = {}
        self.schemes = dict(schemes or {})
        self.editions: dict[str, str] = {}
        self.withdrawn: dict[tuple[str, str], Rule] = {}
        releases = [r for r in self.records if isinstance(r, Release)]
        for release in releases:
            if release.scheme:
                self.schemes.setdefault(release.component, release.scheme)
            if release.edition:
                self.editions[release.component] = release.edition
            for version in release.all if release.withdrawn else ():
                self.withdrawn[release.component, version] = Rule(
                    f"{release.component} {version} was withdrawn", release.source.words()
                )
        self.stops = [r for r in self.records if isinstance(r, Stop)]
        self.edges = [r for r in self.records if isinstance(r, Edge)]
        self.compats = [r for r in self.records if isinstance(r, Compat)]
        self.versions = {c: self._versions(c, releases, (extra or {}).get(c, "")) for c in self._components(releases)}

    def _components(self, releases: list[Release]) -> list[str]:
        return list(dict.fromkeys([*self.start, *(r.component for r in releases)]))

    def _versions(self, component: str, releases: list[Release], extra: str) -> list[str]:
        """Every version from the running one upwards, oldest first; others cannot be gone to."""
        listed = {v for r in releases if r.component == component for v in r.all}
        listed |= {s.version for s in self.stops if s.component == component}
        running = self.start.get(component, "")
        readable = []
        for version in listed | ({extra} - {""}):
            try:
                if not running or self.order(component, version, running) > 0:
                    readable.append(version)
            except (UnreadableVersion, OtherScheme) as error:
                self.unknown[str(error)] = None
        if running:
            readable.append(running)
        try:
            ordered = sorted(set(readable), key=cmp_to_key(partial(self.order, component)))
        except (UnreadableVersion, OtherScheme) as error:
            self.unknown[str(error)] = None
            return [running]
        unique: list[str] = []
        for version in ordered:  # 4.2 and 4.2.0 are one version
            if not unique or self.order(component, version, unique[-1]) != 0:
                unique.append(version)
            elif version == running or (version == extra and unique[-1] != running):
                unique[-1] = version
        return unique

    def order(self, component: str, left: str, right: str) -> int:
        return versions.compare(self._parse(component, left), self._parse(component, right))

    def _parse(self, component: str, version: str) -> versions.Version:
        return versions.parse(self.schemes.get(component, "") or "dotted", version, self.editions.get(component, ""))

    def within(self, component: str, range_: str, version: str) -> bool | None:
        scheme = self.schemes.get(component, "") or "dotted"
        return versions.contains(scheme, range_, version, self.editions.get(component, ""), dialect="matrix")

    def rule(self, words: str, source: str) -> int:
        rule = Rule(words, source)
        if rule not in self._ids:
            self._ids[rule] = len(self.rules)
            self.rules.append(rule)
        return self._ids[rule]

    def _applies(self, record: Record, subject: str) -> bool:
        """Whether a rule's condition holds. Unknown counts as yes: a rule that may apply is kept, and that is said."""
        holds = record.condition.holds(self.known)
        if holds is None:
            self.unknown[f'whether "{record.when}" holds, on which depends: {subject}'] = None
        return holds is not False

    def hop(self, component: str, old: str, new: str) -> Rules:
        """Rules that forbid to go from one version straight to another."""
        key = ("hop", component, old, new)
        if key not in self._memory:
            self._memory[key] = frozenset([*self._skipped(component, old, new), *self._denied(component, old, new)])
        return self._memory[key]

    def _skipped(self, component: str, old: str, new: str) -> Iterable[int]:
        for stop in self.stops:
            if stop.component == component and self._between(component, old, stop.version, new):
                words = f"{component} {stop.version} is a required stop" + (f": {stop.reason}" if stop.reason else "")
                if self._applies(stop, words):
                    yield self.rule(words, stop.source.words())
        if (gone := self.withdrawn.get((component, new))) is not None:
            yield self.rule(gone.words, gone.source)

    def _between(self, component: str, low: str, middle: str, high: str) -> bool:
        try:
            return self.order(component, low, middle) < 0 < self.order(component, high, middle)
        except (UnreadableVersion, OtherScheme):
            return False

    def _denied(self, component: str, old: str, new: str) -> Iterable[int]:
        leading: list[Edge] = []
        allowed = False
        for edge in self.edges:
            if edge.component != component or self.within(component, edge.to, new) is not True:
                continue
            fits = self.within(component, edge.from_, old) is True
            if edge.allow:
                leading.append(edge)
                allowed = allowed or fits
            elif fits:
                words = f"{component} {edge.from_} must not go to {edge.to}" + (
                    f": {edge.reason}" if edge.reason else ""
                )
                if self._applies(edge, words):
                    yield self.rule(words, edge.source.words())
        if leading and not allowed:
            froms = " or ".join(dict.fromkeys(edge.from_ for edge in leading))
            yield self.rule(f"{component} {new} upgrades only from {froms}", leading[0].source.words())

    def together(self, left: str, left_version: str, right: str, right_version: str) -> Rules:
        """Rules that forbid two versions to run together."""
        if left > right:
            left, left_version, right, right_version = right, right_version, left, left_version
        key = ("together", left, left_version, right, right_version)
        if key not in self._memory:
            pair = {left: left_version, right: right_version}
            self._memory[key] = frozenset(self._conflicts(pair)) if len(pair) == 2 else NONE
        return self._memory[key]

    def level(self, left: str, left_version: str, right: str, right_version: str) -> tuple[str, str]:
        """What the matrices say of two versions, and where: supported, tested, broken or unknown."""
        if rules := self.together(left, left_version, right, right_version):
            return "broken", "; ".join(str(self.rules[rule]) for rule in sorted(rules))
        pair = {left: left_version, right: right_version}
        for compat, fits in self._speaking(pair):
            if fits:
                return compat.level, compat.source.words()
        return "unknown", ""

    def speaks_of(self, component: str) -> bool:
        """Whether any record but a matrix cell is about this component."""
        return any(not isinstance(r, Compat) and r.component == component for r in self.records)

    def lacks(self, component: str, version: str) -> bool:
        """Whether records list releases of a component, and this version is not among them."""
        listed = [v for r in self.records if isinstance(r, Release) and r.component == component for v in r.all]
        return bool(listed) and all(self.order(component, v, version) != 0 for v in listed)

    def related(self, component: str) -> list[str]:
        """Components of which some matrix speaks together with this one."""
        found: dict[str, None] = {}
        for compat in self.compats:
            names = [compat.side("left")[0], compat.side("right")[0]]
            if component in names:
                found |= {name: None for name in names if name != component}
        return list(found)

    def _speaking(self, pair: dict[str, str]) -> Iterable[tuple[Compat, bool]]:
        """Matrix cells of the pair whose left side fits, and whether the right side fits as well."""
        for compat in self.compats:
            (left, left_range), (right, right_range) = compat.side("left"), compat.side("right")
            if {left, right} != set(pair) or self.within(left, left_range, pair[left]) is not True:
                continue
            if compat.skew_min is not None or compat.skew_max is not None:
                fits: bool | None = self._skew(compat, pair[left], pair[right])
            else:
                fits = self.within(right, right_range, pair[right])
            if fits is None:
                self.unknown[f"whether {right} {pair[right]} lies in {right_range} ({compat.source.words()})"] = None
            else:
                yield compat, fits

    def _conflicts(self, pair: dict[str, str]) -> Iterable[int]:
        """A broken cell that fits; or cells of one left side that list what is supported, and none of them fits.

        Cells with the same left side are alternatives; cells with different ones that both apply both have to hold."""
        listing: dict[str, list[Compat]] = {}
        supported: set[str] = set()
        for compat, fits in self._speaking(pair):
            if compat.level == "broken":
                words = f"{compat.left} does not work with {compat.right}" + (
                    f": {compat.reason}" if compat.reason else ""
                )
                if fits and self._applies(compat, words):
                    yield self.rule(words, compat.source.words())
            else:
                listing.setdefault(compat.left, []).append(compat)
                if fits:
                    supported.add(compat.left)
        for left, cells in listing.items():
            if left not in supported:
                wanted = " or ".join(dict.fromkeys(self._wanted(cell) for cell in cells))
                words = f"{left} needs {wanted}" + (f": {cells[0].reason}" if cells[0].reason else "")
                if self._applies(cells[0], words):
                    yield self.rule(words, cells[0].source.words())

    @staticmethod
    def _wanted(cell: Compat) -> str:
        if cell.skew_min is None and cell.skew_max is None:
            return cell.right
        low, high = cell.skew_min or 0, cell.skew_max or 0
        return f"{cell.side('right')[0]} within {low:+d} to {high:+d} {cell.unit} versions"

    @staticmethod
    def _skew(compat: Compat, left: str, right: str) -> bool | None:
        try:
            parts = [[int(p) for p in v.removeprefix("v").split(".")[:2]] for v in (left, right)]
            (a, b), (c, d) = parts
        except ValueError:
            return None
        if compat.unit == "minor" and a != c:
            return False
        apart = d - b if compat.unit == "minor" else c - a
        return (compat.skew_min is None or apart >= compat.skew_min) and (
            compat.skew_max is None or apart <= compat.skew_max
        )

    def one_way(self, component: str, old: str, new: str) -> Rule | None:
        """The rule that says that there is no way back from ``new`` to ``old``."""
        for stop in self.stops:
            if stop.component == component and stop.one_way and stop.version == new:
                return Rule(f"no way back once {component} {new} has run", stop.source.words())
        for edge in self.edges:
            if edge.component != component:
                continue
            back = not edge.allow and self._fits(component, edge.from_, new) and self._fits(component, edge.to, old)
            forward = edge.one_way and self._fits(component, edge.from_, old) and self._fits(component, edge.to, new)
            if back or forward:
                return Rule(edge.reason or f"no way back from {component} {new}", edge.source.words())
        return None

    def _fits(self, component: str, range_: str, version: str) -> bool:
        return self.within(component, range_, version) is True
