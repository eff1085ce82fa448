"""Facts, found again by family and witness, and the joins that more than one rule needs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import TypeVar

from fulldress.facts import Endpoint, Fact, Release, Schedule, Service, Setting, Use, Witness

F = TypeVar("F", bound=Fact)

#: Places that speak for the whole package, the most telling first.
ASPECTS = ("manifest", "control", "metadata", "file name", "binary")


class Index:
    """All facts of one case. Order of facts is kept, so that findings are stable."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.facts: tuple[Fact, ...] = tuple(facts)
        self._families: dict[type[Fact], list[Fact]] = defaultdict(list)
        self.witnesses: set[Witness] = set()
        for fact in self.facts:
            self._families[type(fact)].append(fact)
            self.witnesses.add(fact.witness)

    def of(self, family: type[F], *witnesses: Witness) -> list[F]:
        """Facts of one family, of these witnesses (of all where none is named)."""
        found = self._families.get(family, [])
        return [fact for fact in found if isinstance(fact, family) and (not witnesses or fact.witness in witnesses)]

    @property
    def has_production(self) -> bool:
        return Witness.RUNNING in self.witnesses

    @property
    def has_rehearsal(self) -> bool:
        return Witness.OBSERVED in self.witnesses

    @cached_property
    def release(self) -> Release | None:
        """The release that the package as a whole claims to be: outermost first, then the most telling place."""
        releases = [r for r in self.of(Release) if r.witness is not Witness.RUNNING and r.version]

        def telling(r: Release) -> tuple[int, int, int, str]:
            depth = r.evidence.path.count("!/")
            aspect = ASPECTS.index(r.aspect) if r.aspect in ASPECTS else len(ASPECTS)
            # A file name says the version but seldom when or from whom; inner manifests win over it.
            return (depth if r.aspect != "file name" else 1, aspect, r.evidence.path.count("/"), r.version)

        return min(releases, key=telling, default=None)

    @property
    def product(self) -> str:
        return self.release.product if self.release else ""

    @cached_property
    def policies(self) -> dict[tuple[str, int | None], Endpoint]:
        """What production says of a host, by (host, port); port None speaks for every port."""
        return {
            (endpoint.host.lower(), endpoint.port or None): endpoint
            for endpoint in self.of(Endpoint, Witness.RUNNING)
            if endpoint.policy
        }

    def policy(self, endpoint: Endpoint) -> Endpoint | None:
        """Production's word on an endpoint, or None when it lists no such host."""
        host = endpoint.host.lower()
        return self.policies.get((host, endpoint.port)) or self.policies.get((host, None))

    def calls_of(self, schedule: Schedule) -> list[Endpoint]:
        """Endpoints that a job calls: those found in the script it starts, in its own file, or observed at its run."""
        own = {schedule.script, schedule.evidence.path} - {""}
        return [
            endpoint
            for endpoint in self.of(Endpoint, Witness.READ, Witness.OBSERVED)
            if endpoint.evidence.path in own
            or (endpoint.witness is Witness.OBSERVED and endpoint.evidence.step in self.names_of(schedule))
        ]

    @staticmethod
    def names_of(schedule: Schedule) -> set[str]:
        """Names under which facts of the stage may refer to a job."""
        return {name for name in (schedule.name, schedule.target, schedule.evidence.path) if name}

    @cached_property
    def job_paths(self) -> set[str]:
        """Files that only jobs run."""
        return {s.script for s in self.new_jobs if s.script} | {s.evidence.path for s in self.new_jobs}

    @cached_property
    def new_jobs(self) -> list[Schedule]:
        """Jobs that the package brings."""
        return self.of(Schedule, Witness.READ, Witness.OBSERVED)

    @cached_property
    def units(self) -> dict[str, Service]:
        """Units of production by name."""
        return {unit_name(s.unit): s for s in self.of(Service, Witness.RUNNING)}

    @cached_property
    def shipped_units(self) -> dict[str, Service]:
        return {unit_name(s.unit): s for s in self.of(Service, Witness.READ)}

    @cached_property
    def settings(self) -> dict[tuple[str, str], Setting]:
        """What production sets, by (component, key), both lower-case."""
        return {(s.component.lower(), s.key.lower()): s for s in self.of(Setting, Witness.RUNNING)}

    def setting(self, component: str, key: str) -> Setting | None:
        return self.settings.get((component.lower(), key.lower()))

    def uses(self, operation: str) -> list[Use]:
        """Calls in production's logs of an operation such as ``GET /orders/{id}``."""
        return [use for use in self.of(Use, Witness.RUNNING) if same_operation(operation, use.operation)]


def unit_name(unit: str) -> str:
    """A unit without its ``.service`` suffix; other suffixes stay, since ``x.timer`` is not ``x``."""
    return unit.removesuffix(".service")


def same_operation(template: str, other: str) -> bool:
    """Whether two operations are the same one, whatever their parameters are called.

    A parameter stands for one part of the path; a method ``*`` for every method."""
    method, _, path = template.partition(" ")
    other_method, _, other_path = other.partition(" ")
    if "*" not in (method, other_method) and method.upper() != other_method.upper():
        return False
    parts, others = path.strip("/").split("/"), other_path.split("?")[0].strip("/").split("/")
    return len(parts) == len(others) and all(
        a == b or _is_parameter(a) or (_is_parameter(b) and _is_parameter(a))
        for a, b in zip(parts, others, strict=True)
    )


def _is_parameter(part: str) -> bool:
    return bool(re.fullmatch(r"\{[^}]*\}|:\w+|<[^>]*>|\*", part))
