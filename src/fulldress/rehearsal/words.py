"""What happened in an act, in one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import timedelta

from fulldress.facts import RESTORED, Difference, Fact, FileEffect, Growth, Health, JobRun, Lock, Wait, Work

#: Modes that a reader of the table has to wait for.
EXCLUSIVE = "AccessExclusiveLock"


def seconds(duration: timedelta) -> str:
    value = duration.total_seconds()
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s" if value >= 0.95 else f"{value * 1000:.0f} ms"


def locked(facts: Iterable[Fact]) -> str:
    """The table that stood still for longest, and who waited."""
    facts = list(facts)
    waits = [f for f in facts if isinstance(f, Wait)]
    longest = strongest((f for f in facts if isinstance(f, Lock)), {wait.object for wait in waits})
    if longest is None:
        return "no table was locked against readers"
    text = f"{longest.object} locked {seconds(longest.held)}"
    if waits:
        count, worst = sum(w.count for w in waits), max(w.worst for w in waits)
        text += f": {count:,} {'wait' if count == 1 else 'waits'}, worst {seconds(worst)}"
    return text


def strongest(locks: Iterable[Lock], waited_for: Container[str] = ()) -> Lock | None:
    """The lock against readers that was held for longest.

    A table and its indexes are held together: of those held about as long, the one that somebody waited for, else the one
    that was taken first, which is the table."""
    exclusive = [lock for lock in locks if lock.mode == EXCLUSIVE]
    most = max((lock.held for lock in exclusive), default=timedelta())
    return min(
        (lock for lock in exclusive if lock.held >= 0.95 * most),
        key=lambda lock: (lock.object not in waited_for, lock.taken, len(lock.object)),
        default=None,
    )


def statement(works: Sequence[Work], locks: Sequence[Lock]) -> str:
    """What one migration did to its tables."""
    parts = []
    for verb, names in (
        ("rewrote", {t for w in works for t in w.rewritten}),
        ("scanned", {t for w in works for t in w.scanned}),
        ("built", {t for w in works for t in w.built}),
    ):
        if names:
            parts.append(f"{verb} {', '.join(sorted(names))}")
    held = strongest(locks)
    if held is not None:
        parts.insert(0, f"{EXCLUSIVE} on {held.object}")
    return ", ".join(parts)


def health(found: Iterable[Health]) -> str:
    """Who is well; those that are not come first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for one in found:
        groups[one.outcome].append(one.subject if one.outcome == "pass" else f"{one.subject} ({one.detail})")
    texts = {"fail": "not well: ", "unknown": "not known: ", "pass": "well: "}
    return "; ".join(texts[key] + ", ".join(groups[key]) for key in texts if groups[key]) or "nothing was asked"


def night(facts: Iterable[Fact]) -> str:
    """The job that would do most harm."""
    facts = list(facts)
    worst = max((f for f in facts if isinstance(f, Growth)), key=lambda f: f.bytes_per_hour, default=None)
    runs = [f for f in facts if isinstance(f, JobRun)]
    failed = [r for r in runs if r.exit_code != 0]
    text = f"{len(runs)} jobs run at their hour" if len(runs) != 1 else "1 job run at its hour"
    if failed:
        text += f", {len(failed)} failed or did not end"
    if worst is not None and worst.full_at is not None:
        text += f"; {worst.schedule} writes {size(worst.bytes_per_hour)} an hour to {worst.partition}"
    return text


def way_back(facts: Iterable[Fact], tables: int) -> str:
    """Whether the rollback restores what was there."""
    facts = list(facts)
    differing = sorted({f.object for f in facts if isinstance(f, Difference) and f.kind not in RESTORED})
    files = [f for f in facts if isinstance(f, FileEffect) and f.left]
    parts = []
    if tables or differing:
        bad = f"{len(differing)} {'object differs' if len(differing) == 1 else 'objects differ'} ({', '.join(differing[:2])}{' …' if len(differing) > 2 else ''})"
        parts.append(bad if differing else f"{tables} {'table' if tables == 1 else 'tables'} equal, row for row")
    parts.append(
        f"{len(files)} {'path differs' if len(files) == 1 else 'paths differ'}" if files else "every file as before"
    )
    return "; ".join(parts)


def size(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.1f} {unit}" if unit != "B" else f"{number:.0f} B"
        number /= 1024
    return f"{number:.1f} TiB"
