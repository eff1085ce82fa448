"""One picture of one run: what the report draws."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fulldress.facts import AnyFact, Gate, JobRun, Lock, Point, Span, Timeline, Timing, Wait

#: Modes that stop readers or writers of a table; the weaker ones would only fill the picture.
#: Source: PostgreSQL manual, "Explicit Locking", table of conflicting lock modes.
DRAWN_MODES = frozenset(
    {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock", "ShareUpdateExclusiveLock"}
)


def draw(
    run: int,
    start: datetime,
    end: datetime,
    zone: str,
    facts: Iterable[AnyFact],
    points: Iterable[Point] = (),
    gates: Iterable[Gate] = (),
) -> Timeline:
    """Gather spans from the facts of a run; ``points`` and ``gates`` come from traffic and engine."""
    spans: list[Span] = []
    for fact in facts:
        if isinstance(fact, Timing):
            lane, row = ("step", fact.step) if fact.step else ("act", fact.act)
            spans.append(
                Span(
                    lane=lane,
                    row=row,
                    start=fact.started,
                    end=fact.started + fact.duration,
                    label=fact.words,
                    outcome=fact.outcome,
                )
            )
        elif isinstance(fact, Lock) and fact.mode in DRAWN_MODES:
            spans.append(
                Span(
                    lane="lock",
                    row=fact.object,
                    start=fact.taken,
                    end=fact.taken + fact.held,
                    label=f"{fact.mode}: {fact.statement}",
                )
            )
        elif isinstance(fact, Wait) and fact.first is not None:
            spans.append(
                Span(
                    lane="wait",
                    row=fact.victim,
                    start=fact.first,
                    end=fact.first + fact.worst,
                    label=f"{fact.count} waited for {fact.object}, worst {fact.worst.total_seconds():.2f} s: {fact.blocker}",
                )
            )
        elif isinstance(fact, JobRun):
            spans.append(
                Span(
                    lane="job",
                    row=fact.schedule,
                    start=fact.due,
                    end=fact.due + fact.duration,
                    label=fact.words,
                    outcome="ok" if fact.exit_code == 0 else "failed",
                )
            )
    return Timeline(
        run=run, start=start, end=end, zone=zone, spans=tuple(spans), points=tuple(points), gates=tuple(gates)
    )
