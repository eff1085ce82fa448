"""FD8xx: what the rehearsal showed, and what it did not show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from fulldress.checks.index import Index
from fulldress.checks.migrations import keep, ups
from fulldress.checks.rule import Hit, count, rule, says, several
from fulldress.facts import Downtime, Fidelity, FileEffect, Health, Latency, Migration, Shift, Timing, Witness
from fulldress.findings import Finding, Severity
from fulldress.patterns import regex

#: What a program writes while it runs is no trace of the upgrade.
_EPHEMERAL = regex(r"^/(?:tmp|run|var/(?:log|tmp|cache|run|lock)|proc|sys|dev)(?:/|$)|\.(?:log|pid|lock|sock)$")
#: Slower by this factor and by this much: anything less is not worth a line.
SLOWER, BY = 2.0, timedelta(milliseconds=50)


def files_recur(finding: Finding, index: Index) -> bool | None:
    went_back = any(t.act == "rollback" for t in index.of(Timing, Witness.OBSERVED))
    left = [e for e in index.of(FileEffect, Witness.OBSERVED) if e.left and not _EPHEMERAL.search(e.path)]
    return bool(left) if went_back else None


@rule("FD801", Severity.BLOCKER, "A service is not well after the upgrade")
def not_healthy(index: Index) -> Iterator[Hit]:
    by_subject: dict[str, list[Health]] = defaultdict(list)
    well = {h.subject for h in index.of(Health, Witness.OBSERVED) if h.outcome == "pass"}
    for health in index.of(Health, Witness.OBSERVED):
        # a fall during the upgrade counts only where the service was never seen well again
        if (
            health.outcome == "fail"
            and (health.phase or health.subject not in well)
            and health.phase not in ("baseline", "before", "upgrade")
        ):
            by_subject[health.subject].append(health)
    for subject, group in by_subject.items():
        back = all(h.phase == "rollback" for h in group)
        yield Hit(
            title=f"{subject} is not well after the {'rollback' if back else 'upgrade'}: {group[0].detail or 'no answer'}",
            subject=subject,
            remedy=f"Read its log on the stage, mend the cause, and rehearse again; keep this probe as a gate: services.{subject}.health",
            testimony=tuple(says(h, f"{h.phase}: {h.detail or h.outcome}") for h in group),
        )


@rule("FD802", Severity.MAJOR, "The rollback leaves files behind", files_recur)
def files_left(index: Index) -> Iterator[Hit]:
    by_folder: dict[str, list[FileEffect]] = defaultdict(list)
    for effect in index.of(FileEffect, Witness.OBSERVED):
        if effect.left and not _EPHEMERAL.search(effect.path):
            by_folder[effect.path.rsplit("/", 1)[0] or "/"].append(effect)
    for folder, effects in sorted(by_folder.items()):
        lost = [e for e in effects if e.action in ("change", "delete", "mode", "owner")]
        paths = sorted({e.path for e in effects})
        words = several([f"{e.path.rsplit('/', 1)[-1]} ({e.action})" for e in effects])
        yield Hit(
            title=f"after the rollback {folder} is not what it was: {words}",
            subject=folder,
            remedy="Come back by restoring: take the offered snapshot before the upgrade, and rehearse again.",
            testimony=tuple(says(e, e.detail or f"{e.action} {e.path}") for e in effects),
            severity=Severity.BLOCKER if lost else None,
            offers=keep(paths=paths),
        )


@rule("FD803", Severity.BLOCKER, "The rehearsed upgrade and its way back do not fit the negotiated window")
def window_too_small(index: Index) -> Iterator[Hit]:
    negotiated = min(index.of(Downtime, Witness.RUNNING), key=lambda d: d.duration, default=None)
    worst: dict[str, Timing] = {}
    for timing in index.of(Timing, Witness.OBSERVED):
        if not timing.step and timing.act in ("upgrade", "verify", "rollback"):
            known = worst.get(timing.act)
            if known is None or timing.duration > known.duration:
                worst[timing.act] = timing
    needed = sum((t.duration for t in worst.values()), timedelta())
    if negotiated is not None and "upgrade" in worst and needed > negotiated.duration:
        yield Hit(
            title=f"there and back takes {needed.total_seconds() / 60:.0f} min, and {negotiated.duration.total_seconds() / 60:.0f} min were negotiated",
            subject="window",
            remedy="Negotiate a longer window (fulldress plan prints the sheet), or drop the slowest step from it.",
            testimony=(
                says(negotiated, negotiated.basis or "negotiated"),
                *(
                    says(t, f"{act} {t.duration.total_seconds():.0f} s (run {t.run}, the slowest)")
                    for act, t in worst.items()
                ),
            ),
        )


@rule("FD804", Severity.BLOCKER, "A step failed on the stage")
def step_failed(index: Index) -> Iterator[Hit]:
    failed: dict[tuple[str, str], list[Timing]] = defaultdict(list)
    for timing in index.of(Timing, Witness.OBSERVED):
        if timing.outcome == "failed" and timing.step and timing.act != "rollback":
            failed[timing.act, timing.step].append(timing)
    for (act, step), group in failed.items():
        yield Hit(
            title=f"{step} failed in {count(len(group), 'run')} ({act}): {group[0].words or 'no word why'}",
            subject=step,
            remedy=f"See its output in the report; mend it in runbook.toml or with the vendor, and rehearse again from {step}.",
            testimony=tuple(says(t, f"run {t.run}: {t.words or t.outcome}") for t in group),
        )


@rule("FD805", Severity.BLOCKER, "The way back failed on the stage")
def rollback_failed(index: Index) -> Iterator[Hit]:
    failed = [t for t in index.of(Timing, Witness.OBSERVED) if t.act == "rollback" and t.outcome == "failed"]
    steps = several([t.step for t in failed if t.step]) or "rollback"
    if failed:
        yield Hit(
            title=f"the way back failed at {steps}: {next((t.words for t in failed if t.words), 'no word why')}",
            subject="rollback",
            remedy="Without a proven way back there is no point of return: mend it, or come back by restoring a snapshot.",
            testimony=tuple(says(t, f"run {t.run}: {t.words or t.outcome}") for t in failed),
        )


@rule("FD806", Severity.MAJOR, "The rehearsal's traffic was not like production's")
def poor_fidelity(index: Index) -> Iterator[Hit]:
    poor = [f for f in index.of(Fidelity, Witness.OBSERVED) if f.ok is False]
    if poor:
        words = several(
            [
                f"{f.measure} {f.rehearsal:g}{f' {f.unit}' if f.unit else ''}"
                + (f" against {f.production:g}" if f.production is not None else "")
                for f in poor
            ]
        )
        yield Hit(
            title=f"the traffic was not like production's ({words}): latency and waits are not proven",
            subject="fidelity",
            remedy="Raise [traffic] scale in production.toml, free the machine of other work, and rehearse again.",
            testimony=tuple(says(f, f"{f.measure}: {f.rehearsal:g} {f.unit}".strip()) for f in poor),
        )


def _before_and_after(index: Index) -> Iterator[tuple[str, list[tuple[Latency, Latency]]]]:
    """By operation: (baseline, after) of every run that has both. Runs are told apart by their evidence's source."""
    runs: dict[str, dict[str, dict[str, Latency]]] = defaultdict(lambda: defaultdict(dict))
    for latency in index.of(Latency, Witness.OBSERVED):
        runs[latency.operation][latency.evidence.source][latency.phase] = latency
    for operation, by_run in runs.items():
        pairs = []
        for phases in by_run.values():
            before, after = phases.get("baseline"), phases.get("after") or phases.get("verify")
            if before is not None and after is not None and before.count and after.count:
                pairs.append((before, after))
        if pairs:
            yield operation, pairs


@rule("FD807", Severity.MAJOR, "An operation stays slower after the upgrade")
def slower(index: Index) -> Iterator[Hit]:
    for operation, pairs in _before_and_after(index):
        # a p99 of fewer than a hundred requests is its single worst one
        enough = [(b, a) for b, a in pairs if min(b.count, a.count) >= 100]
        worse = [(b, a) for b, a in enough if a.p99 > b.p99 * SLOWER and a.p99 - b.p99 > BY]
        if not worse or len(worse) * 2 < len(enough):
            continue  # seen in less than half of the runs: a bad minute of this machine, not the new version
        before, after = max(worse, key=lambda pair: pair[1].p99)
        yield Hit(
            title=f"{operation} p99 goes from {_ms(before.p99)} to {_ms(after.p99)} and stays there",
            subject=operation,
            remedy="Run ANALYZE after the migration, look at the plan of its queries, and rehearse again.",
            testimony=(
                says(before, f"baseline p99 {_ms(before.p99)}"),
                says(after, f"{after.phase} p99 {_ms(after.p99)}"),
            ),
        )
    for shift in index.of(Shift):
        if shift.real and shift.after > shift.before:
            yield Hit(
                title=f"{shift.subject}: {shift.measure} from {shift.before:g} to {shift.after:g}",
                subject=f"{shift.subject} {shift.measure}",
                remedy="Look for a changed time-out, retry or pool default in the new version.",
                testimony=(says(shift, shift.detail or f"{shift.before:g} → {shift.after:g}"),),
            )


@rule("FD808", Severity.BLOCKER, "Requests fail after the upgrade that did not fail before")
def errors_after(index: Index) -> Iterator[Hit]:
    for operation, pairs in _before_and_after(index):
        worse = [(b, a) for b, a in pairs if a.errors / a.count > 0.01 and a.errors / a.count > 5 * b.errors / b.count]
        if not worse:
            continue
        before, after = max(worse, key=lambda pair: pair[1].errors / pair[1].count)
        yield Hit(
            title=f"{operation} fails for {after.errors / after.count:.0%} of requests after the upgrade "
            f"(before: {before.errors / before.count:.1%})",
            subject=operation,
            remedy="Look at the answers in the report; an operation that was removed or renamed shows as 404 or 410.",
            testimony=(
                says(before, f"{before.errors} of {before.count} failed"),
                says(after, f"{after.errors} of {after.count} failed"),
            ),
        )


@rule("FD809", Severity.MAJOR, "Migrations of the package did not run in the rehearsal")
def not_rehearsed(index: Index) -> Iterator[Hit]:
    if not index.has_rehearsal:
        return
    ran = {name for m in index.of(Migration, Witness.OBSERVED) for name in (m.name, m.path) if name}
    missed = [m for m in ups(index) if not ({m.name, m.path} & ran) and not m.empty]
    if missed:
        yield Hit(
            title=f"{count(len(missed), 'migration')} did not run in the rehearsal: {several([m.name for m in missed])}",
            subject="migrations",
            remedy="Put them into the migrate step of runbook.toml and rehearse again.",
            testimony=tuple(says(m, "read, never run") for m in missed),
        )


@rule("FD810", Severity.MINOR, "The runs took very different times")
def spread(index: Index) -> Iterator[Hit]:
    runs: dict[str, list[Timing]] = defaultdict(list)
    for timing in index.of(Timing, Witness.OBSERVED):
        if not timing.step and timing.act in ("upgrade", "rollback"):
            runs[timing.act].append(timing)
    for act, group in runs.items():
        shortest, longest = min(group, key=lambda t: t.duration), max(group, key=lambda t: t.duration)
        if len(group) > 1 and longest.duration > shortest.duration * 2 and longest.duration > timedelta(seconds=30):
            yield Hit(
                title=f"{act} took {shortest.duration.total_seconds():.0f} s to {longest.duration.total_seconds():.0f} s: the window rests on the slowest",
                subject=act,
                remedy="Rehearse more often (-n 5) and find out what differed.",
                testimony=(
                    says(shortest, f"run {shortest.run}: {shortest.duration}"),
                    says(longest, f"run {longest.run}: {longest.duration}"),
                ),
            )


def _ms(duration: timedelta) -> str:
    value = duration.total_seconds() * 1000
    return f"{value:,.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"
