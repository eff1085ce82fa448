"""From a trace to facts: what the rehearsal testifies about a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fulldress.database import testimony
from fulldress.database.postgres import advice, reach
from fulldress.facts import AnyFact, Evidence, Reason, Unread, Witness

if TYPE_CHECKING:
    from fulldress.database.postgres.clone import Clone


def facts(clone: Clone, begin: float, now: float) -> list[AnyFact]:
    """Everything that began at ``begin`` or later, in the order of time; locks still held end ``now``."""
    trace = clone.trace
    found: list[AnyFact] = []
    for ran in clone.ran:
        if ran.run.started.timestamp() >= begin - 0.0005:
            found.append(testimony.migration(ran, "postgresql"))
    statements = [statement for statement in trace.statements if statement.started >= begin]
    weighed = advice.weigh(statements, trace.held)
    found += [testimony.work(one, now, map(str, weighed.get(id(one), []))) for one in statements]
    found += testimony.locks([held for held in trace.held if held.taken >= begin], now)
    found += testimony.waits([wait for wait in trace.waits if wait.since >= begin])
    found += reach.beyond(statements)
    found += clone.unread
    for tap in clone.taps:
        found += tap.gaps(f"programs on {clone.name}")
    if clone._log.damaged:
        found.append(
            Unread(
                witness=Witness.OBSERVED,
                evidence=Evidence(path=clone.server.log.name),
                what="lines of the database server's log",
                reason=Reason.FORMAT,
                detail=f"{clone._log.damaged} lines could not be read",
            )
        )
    return found
