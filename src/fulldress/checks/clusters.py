"""FD042, FD043, FD520 to FD525 (FD522 is not taken): what a package does to a cluster, and to the base of its images."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, rule, says
from fulldress.facts import (
    Admission,
    Base,
    Change,
    ClusterService,
    DisruptionBudget,
    Timing,
    Witness,
    Workload,
)
from fulldress.findings import Severity
from fulldress.patterns import regex

#: Commands that change a database's schema. ``migrate-and-serve`` is one; ``--migrations-dir`` alone is none.
_MIGRATES = regex(
    r"(?i)(?<![\w/.-])(?:[\w./-]*/)?[\w.:-]*(?<!no-)(?<!skip-)migrate(?:[-:_]\w[\w:-]*)?(?![\w.=])|\b(?:alembic|flyway|liquibase)\s+(?:-\S+\s+)*(?:upgrade|migrate|update)\b|"
    r"\bdb:(?:migrate|setup|upgrade|schema:load)\b|\bdb\s+upgrade\b|\bprisma\s+migrate\b"
)
#: A start that may take this long is not held for killed too soon.
_PATIENT = timedelta(minutes=30)
_DATABASES = regex(r"(?i)postgres|postgis|timescale|pgvector|citus|spilo|cloudnative-?pg")


def _migrates(command: str) -> bool:
    return _MIGRATES.search(command) is not None


def _workloads(index: Index) -> list[Workload]:
    return index.of(Workload, Witness.READ, Witness.DECLARED)


@rule("FD042", Severity.MINOR, "The base of an image changes, and the C library with it")
def other_base(index: Index) -> Iterator[Hit]:
    for change in index.of(Change):
        if change.family != "Base" or change.what != "changed":
            continue
        database = _DATABASES.search(change.subject) is not None
        now = [b for b in index.of(Base) if b.component == change.subject]
        yield Hit(
            title=f"{change.subject} goes from {change.before} to {change.after}: "
            + ("its text indexes were sorted by the old C library, and lookups miss rows" if database else "its C library and tools change along"),
            subject=change.subject,
            remedy="Plan REINDEX of the indexes on text in the window, then ALTER DATABASE … REFRESH COLLATION VERSION; before it, compare datcollversion with pg_database_collation_actual_version."
            if database
            else "Ask the vendor why; rehearse what depends on sort order, on the oldest TLS peer and on tools in the image.",
            testimony=(says(change, f"{change.before} → {change.after}"), *(says(b, b.distribution) for b in now[:2])),
            severity=Severity.MAJOR if database else None,
        )  # fmt: skip


@rule("FD043", Severity.MAJOR, "A webhook of the old release stays registered, and nobody answers it")
def orphan_webhook(index: Index) -> Iterator[Hit]:
    services = {s.name.rsplit("/", 1)[-1] for s in index.of(ClusterService)}
    present = {hook.name for hook in index.of(Admission)}
    for change in index.of(Change):
        if change.family != "Admission" or change.what != "removed" or change.subject in present:
            continue
        if "/templates/" in f"/{change.evidence.path}":
            continue  # Helm takes away what a chart no longer holds
        service, _, policy = change.before.rpartition(", ")
        if service == "an address" or service.rsplit("/", 1)[-1] in services:
            continue
        yield Hit(
            title=f"{change.subject} stays registered with the cluster, and the new release brings no {service}"
            + (": what it was asked about is refused" if policy == "Fail" else ""),
            subject=change.subject,
            remedy=f"After the upgrade: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations, and delete the one that holds {change.subject}.",
            testimony=(says(change, f"in the old package: asks {service}, failurePolicy {policy}"),),
            severity=None if policy == "Fail" else Severity.MINOR,
        )


@rule("FD520", Severity.MAJOR, "A migration at the start is killed by the probe before it ends")
def killed_while_migrating(index: Index) -> Iterator[Hit]:
    for workload in _workloads(index):
        if workload.killed_after is None or not _migrates(workload.command):
            continue
        budget = timedelta(seconds=workload.killed_after)
        runs = [t for t in index.of(Timing, Witness.OBSERVED) if t.act == "upgrade" and t.step.startswith("migrate")]
        longest = max(runs, key=lambda t: t.duration, default=None)
        if (longest.duration * 2 if longest else _PATIENT) <= budget:
            continue
        over = longest is not None and longest.duration > budget
        took = f"; in the rehearsal it took {longest.duration.total_seconds():.0f} s" if longest else ""
        yield Hit(
            title=f"{workload.name} is killed {workload.killed_after} s after its start, and it migrates the database then{took}",
            subject=f"{workload.kind} {workload.name}",
            remedy="Run the migration by itself before the start, or give the container a startupProbe with more than twice the rehearsed time. "
            "After a kill look for a lock that the migration left behind.",
            testimony=(
                says(workload, f"{workload.command}; no answer for {workload.killed_after} s kills it"),
                *([says(longest, f"{longest.step} took {longest.duration}")] if longest else []),
            ),
            severity=Severity.BLOCKER if over else None,
        )


@rule("FD521", Severity.MINOR, "Several replicas start the same migration at once")
def many_migrate(index: Index) -> Iterator[Hit]:
    for workload in _workloads(index):
        if workload.kind != "Deployment" or (workload.replicas or 0) < 2:
            continue  # a StatefulSet starts one pod after the other
        where = next((words for words in (workload.command, workload.before) if _migrates(words)), "")
        if where:
            yield Hit(
                title=f"{workload.replicas} replicas of {workload.name} start its migration at the same time",
                subject=f"{workload.kind} {workload.name}",
                remedy=f"Scale to one replica for the upgrade (kubectl scale deployment {workload.name} --replicas=1), or have the vendor run the migration as a Job.",
                testimony=(says(workload, f"{workload.replicas} replicas run: {where}"),),
            )


@rule("FD523", Severity.MINOR, "A disruption budget lets no pod go, so that a node cannot be emptied")
def immovable(index: Index) -> Iterator[Hit]:
    for budget in index.of(DisruptionBudget, Witness.READ):
        wanted = set(budget.selector.split(",")) - {""}
        for workload in _workloads(index):
            if not wanted or not wanted <= set(workload.labels.split(",")) or budget.namespace != workload.namespace:
                continue
            least, most = budget.min_available, budget.max_unavailable
            replicas = workload.replicas
            stuck = (
                most in ("0", "0%")
                or least == "100%"
                or (least.isdigit() and replicas is not None and 0 < replicas <= int(least))
            )
            if stuck:
                rest = f"minAvailable {least}" if least else f"maxUnavailable {most}"
                yield Hit(
                    title=f"nodes with {workload.name} cannot be emptied: {budget.name} asks for {rest} of {replicas if replicas is not None else 'its'} replicas",
                    subject=budget.name,
                    remedy=f"Before the nodes are upgraded: kubectl scale {workload.kind.lower()} {workload.name} --replicas={(replicas or 1) + 1}, or take the budget away for the window.",
                    testimony=(says(budget, rest), says(workload, f"{replicas} replicas")),
                )  # fmt: skip


def _fixed(words: str) -> dict[str, str]:
    """The parts of a workload's words that the cluster refuses to change, by what they are."""
    found: dict[str, str] = {}
    for part in words.split("; "):
        kind, _, rest = part.partition(" ")
        if kind in ("selector", "service"):
            found[kind] = rest
        elif kind == "claim":
            found[f"claim {rest.split(' ')[0]}"] = rest
    return found


@rule("FD524", Severity.BLOCKER, "The cluster refuses the new object: a field that cannot be changed is changed")
def refused_change(index: Index) -> Iterator[Hit]:
    for change in index.of(Change):
        if change.family != "Workload" or change.what != "changed":
            continue
        before, after = _fixed(change.before), _fixed(change.after)
        differ = [key for key in before if key in after and before[key] != after[key]]
        lost = (
            [key for key in before.keys() ^ after.keys() if key.startswith("claim")]
            if "StatefulSet" in change.subject
            else []
        )
        if differ or lost:
            key = (differ or sorted(lost))[0]
            kind, _, name = change.subject.partition(" ")
            yield Hit(
                title=f"the cluster refuses the new {name}: {key} goes from {before.get(key, 'nothing')} to {after.get(key, 'nothing')}",
                subject=change.subject,
                remedy=f"Delete it first and let the upgrade make it anew: kubectl delete {kind.lower()} {name}"
                + (" --cascade=orphan" if kind == "StatefulSet" else " (its pods go with it: count that as downtime)"),
                testimony=(says(change, f"{change.before} → {change.after}"),),
            )  # fmt: skip


@rule("FD525", Severity.MINOR, "A webhook is registered for a service that the package does not bring")
def unanswered_webhook(index: Index) -> Iterator[Hit]:
    services = {s.name.rsplit("/", 1)[-1] for s in index.of(ClusterService)}
    if not services or any("…" in name for name in services):
        return  # they may come from another package, or under a name that the installation gives
    for hook in index.of(Admission, Witness.READ):
        name = hook.service.rsplit("/", 1)[-1]
        if name and name not in services:
            yield Hit(
                title=f"{hook.name} asks {hook.service}, a service that the package does not bring"
                + (": until somebody does, what it watches is refused" if hook.policy == "Fail" else ""),
                subject=hook.name,
                remedy=f"Make sure that {name} is there before the webhook is applied: kubectl get service {name} -A",
                testimony=(says(hook, f"failurePolicy {hook.policy}"),),
                severity=Severity.MAJOR if hook.policy == "Fail" else None,
            )
