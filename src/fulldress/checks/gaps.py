"""What could not be judged for want of facts. Silence is never *clean*: each becomes an ``Unread``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fulldress.checks.constraint import within
from fulldress.checks.dependencies import versions_of
from fulldress.checks.index import Index, unit_name
from fulldress.checks.rule import count, several
from fulldress.facts import (
    Endpoint,
    Evidence,
    Fact,
    Fidelity,
    Health,
    InterfaceChange,
    Interruption,
    Reason,
    Requirement,
    Restart,
    Runners,
    Setting,
    SettingChange,
    Unread,
    UpgradePath,
    Use,
    Witness,
)


def gaps(facts: Iterable[Fact]) -> list[Unread]:
    """Gaps between what rules need and what is known. ``needed`` is true where a verdict rests on it.

    Without any fact of production nothing is missing from it: that is ``fulldress inspect``."""
    index = Index(facts)
    found: list[Unread] = []
    if index.has_production:
        found += _of_production(index)
    if index.has_rehearsal:
        found += _of_rehearsal(index)
    return found


def _gap(what: str, reason: Reason, detail: str, evidence: Evidence, witness: Witness, needed: bool = True) -> Unread:
    return Unread(witness=witness, evidence=evidence, what=what, reason=reason, detail=detail, needed=needed)


def _of_production(index: Index) -> Iterator[Unread]:
    running = Witness.RUNNING
    called = index.of(Endpoint, Witness.READ)
    if called and not index.policies:
        hosts = several(sorted({e.host for e in called}))
        yield _gap(
            f"whether {hosts} may be called", Reason.NO_DATA,
            "production.toml lists no [[endpoints]]; FD301, FD303 and FD306 could not be judged", called[0].evidence, running,
        )  # fmt: skip
    touched = [r for r in index.of(Restart, Witness.READ) if unit_name(r.unit) not in index.shipped_units]
    if touched and not index.units:
        yield _gap(
            f"whether {several(sorted({r.unit for r in touched}))} exist", Reason.NO_DATA,
            "no unit of production is known; FD402 and FD403 could not be judged", touched[0].evidence, running,
        )  # fmt: skip
    changes = index.of(SettingChange)
    if changes and not index.of(Setting, running):
        yield _gap(
            f"{count(len(changes), 'changed key')} against production's settings", Reason.NO_DATA,
            "no settings of production were read; FD6xx could not be judged", changes[0].evidence, running,
        )  # fmt: skip
    removed = [c for c in index.of(InterfaceChange) if c.kind in ("removed", "narrowed")]
    if removed and not index.of(Use, running):
        yield _gap(
            f"who calls {several([c.operation for c in removed])}", Reason.NO_DATA,
            "no access log was read; FD701 could not be judged", removed[0].evidence, running,
        )  # fmt: skip
    required = [r for r in index.of(Requirement, Witness.DECLARED, Witness.READ) if not r.optional]
    absent = [r for r in required if not versions_of(index, r.component)]
    if absent:
        yield _gap(
            f"version of {several(sorted({r.component for r in absent}))} in production", Reason.NO_DATA,
            "required by the package, in no inventory", absent[0].evidence, running,
        )  # fmt: skip
    unclear = [
        r for r in required
        if r.constraint and any(within(v.version, r.constraint) is None for v in versions_of(index, r.component))
        and r.looseness.value not in ("any version", "floating tag")
    ]  # fmt: skip
    if unclear:
        yield _gap(
            f"whether {several([f'{r.component} {r.constraint}' for r in unclear])} is satisfied", Reason.FORMAT,
            "version or constraint is not plain enough to be compared for certain", unclear[0].evidence, running, needed=False,
        )  # fmt: skip
    for path in index.of(UpgradePath):
        if path.possible is None:
            yield _gap(
                f"way from {path.component} {path.start} to {path.target}", Reason.NO_DATA,
                several(list(path.unknown)) or "no matrix tells", path.evidence, running,
            )  # fmt: skip


def _of_rehearsal(index: Index) -> Iterator[Unread]:
    observed = Witness.OBSERVED
    for health in index.of(Health, observed):
        if health.outcome == "unknown":
            yield _gap(
                f"health of {health.subject}", Reason.NOT_MEASURED, health.detail or f"no answer in phase {health.phase}",
                health.evidence, observed,
            )  # fmt: skip
    for runners in index.of(Runners, observed):
        if runners.outcome == "unknown":
            yield _gap(
                f"{runners.migration} started twice at once", Reason.NOT_MEASURED, runners.detail, runners.evidence, observed,
                needed=False,
            )  # fmt: skip
    for cut in index.of(Interruption, observed):
        if cut.outcome == "unknown":
            yield _gap(
                f"{cut.migration} killed {cut.moment} statement {cut.number}", Reason.NOT_MEASURED, cut.detail, cut.evidence,
                observed, needed=False,
            )  # fmt: skip
    for fidelity in index.of(Fidelity, observed):
        if fidelity.ok is None:
            yield _gap(
                f"{fidelity.measure} against production", Reason.NO_DATA, "production's figure is not known",
                fidelity.evidence, observed, needed=False,
            )  # fmt: skip
