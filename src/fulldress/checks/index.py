"""Facts, found again by family and witness, and the joins that more than one rule needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import TypeVar

from fulldress.facts import Endpoint, Entry, Fact, Installed, Release, Running, Schedule, Service, Setting, Use, Witness
from fulldress.patterns import regex

F = TypeVar("F", bound=Fact)

#: Places that speak for the whole package, the most telling first.
ASPECTS = ("manifest", "control", "metadata", "file name", "binary")

#: Where a wheel, an sdist and an npm package say what they are (evidence paths of the package itself).
_FORMATS_OWN = regex(r"^(?:[^/]+\.dist-info/METADATA|[^/]+/PKG-INFO|package/package\.json)$")


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

        def telling(r: Release) -> tuple[int, int, int, int, str]:
            depth = r.evidence.path.count("!/")
            aspect = ASPECTS.index(r.aspect) if r.aspect in ASPECTS else len(ASPECTS)
            # A file name says the version but seldom when or from whom; inner manifests win over it.
            depth = depth if r.aspect != "file name" else 1
            # the place where the package's own format says what it is comes before documents that merely lie in it
            return (
                depth,
                0 if _FORMATS_OWN.search(r.evidence.path) else 1,
                aspect,
                r.evidence.path.count("/"),
                r.version,
            )

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
        jobs = [teller for group in self._jobs.values() for teller in group]
        own = {s.script for s in jobs if s.script} | {s.evidence.path for s in jobs}
        entries = self.of(Entry, Witness.READ)
        digests = {e.sha256 for e in entries if e.path in own and e.sha256 and e.size}
        return own | {e.path for e in entries if e.sha256 in digests}  # the same file may lie in a package twice

    @cached_property
    def new_jobs(self) -> list[Schedule]:
        """Jobs that the package brings, each once and for each witness."""
        return [min(group, key=_shipped_first) for group in self._jobs.values()]

    @cached_property
    def _jobs(self) -> dict[tuple[str, str, str, Witness], list[Schedule]]:
        """The same job told by the file that ships it and by the script that installs that file is one job.

        The file alone may not say where it will stand; then its name does, as far as a script installs one of that name."""
        found: dict[tuple[str, str, str, Witness], list[Schedule]] = defaultdict(list)
        all_jobs = self.of(Schedule, Witness.READ, Witness.OBSERVED)
        targets = {
            (s.target.rsplit("/", 1)[-1], _job_words(s)): s.target for s in all_jobs if s.installed_by and s.target
        }
        for schedule in all_jobs:
            file = (schedule.target or schedule.evidence.path).rsplit("/", 1)[-1]
            place = targets.get((file, _job_words(schedule))) or schedule.target or schedule.evidence.path
            found[place, *_job_words(schedule), schedule.witness].append(schedule)
        return found

    def tellers(self, schedule: Schedule) -> list[Schedule]:
        """Every fact that tells of the same job, ``schedule`` first."""
        group = next((g for g in self._jobs.values() if any(s is schedule for s in g)), [schedule])
        return [schedule, *(s for s in group if s is not schedule)]

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

    @cached_property
    def versions(self) -> dict[str, list[Installed | Running]]:
        """What production has of a component (lower-case), installed before running."""
        found: dict[str, list[Installed | Running]] = defaultdict(list)
        for installed in self.of(Installed):
            found[installed.component.lower()].append(installed)
        for running in self.of(Running):
            found[running.component.lower()].append(running)
        return found

    def uses(self, operation: str) -> list[Use]:
        """Calls in production's logs of an operation such as ``GET /orders/{id}``."""
        if operation not in self._uses:
            method, parts = _parts(operation)
            self._uses[operation] = [
                use
                for other_method, others, use in self._calls.get(len(parts), [])
                if _same(method, parts, other_method, others)
            ]
        return self._uses[operation]

    @cached_property
    def _uses(self) -> dict[str, list[Use]]:
        return {}

    @cached_property
    def _calls(self) -> dict[int, list[tuple[str, tuple[str | None, ...], Use]]]:
        """Calls by the number of parts of their path, taken apart once."""
        found: dict[int, list[tuple[str, tuple[str | None, ...], Use]]] = defaultdict(list)
        for use in self.of(Use, Witness.RUNNING):
            method, parts = _parts(use.operation)
            found[len(parts)].append((method, parts, use))
        return found


def _shipped_first(schedule: Schedule) -> tuple[bool, str, int]:
    return bool(schedule.installed_by), schedule.evidence.path, schedule.evidence.line


def _job_words(schedule: Schedule) -> tuple[str, str]:
    """Hour and command, whatever the white space."""
    return " ".join(schedule.expression.split()), " ".join(schedule.command.split())


def unit_name(unit: str) -> str:
    """A unit without its ``.service`` suffix; other suffixes stay, since ``x.timer`` is not ``x``."""
    return unit.removesuffix(".service")


def same_operation(template: str, other: str) -> bool:
    """Whether two operations are the same one, whatever their parameters are called.

    A parameter of ``template`` stands for one part of the path; a method ``*`` for every method."""
    return _same(*_parts(template), *_parts(other))


_PARAMETER = regex(r"\{[^}]*\}|:\w+|<[^>]*>|\*")


def _parts(operation: str) -> tuple[str, tuple[str | None, ...]]:
    """Method, and the parts of the path; None for a parameter."""
    method, _, path = operation.partition(" ")
    parts = path.split("?")[0].strip("/").split("/")
    return method.upper(), tuple(None if _PARAMETER.fullmatch(part) else part for part in parts)


def _same(method: str, parts: tuple[str | None, ...], other_method: str, others: tuple[str | None, ...]) -> bool:
    if method != other_method and "*" not in (method, other_method):
        return False
    return len(parts) == len(others) and all(a is None or a == b for a, b in zip(parts, others, strict=True))
