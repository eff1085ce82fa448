"""From a trace to facts: what the rehearsal testifies about a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fulldress.database import testimony
from fulldress.facts import AnyFact, Evidence, Migration, Reason, Unread, Witness, excerpt
from fulldress.findings import Outcome

if TYPE_CHECKING:
    from fulldress.database.postgres.clone import Clone


def facts(clone: Clone, begin: float, now: float) -> list[AnyFact]:
    """Everything that began at ``begin`` or later, in the order of time; locks still held end ``now``."""
    trace = clone.trace
    found: list[AnyFact] = []
    for ran in clone.ran:
        if ran.run.started.timestamp() >= begin - 0.0005:
            outcome = {Outcome.PASS: "ok", Outcome.FAIL: f"failed: {ran.run.error}"}.get(
                ran.run.outcome, f"unknown: {ran.run.error}"
            )
            found.append(
                Migration(
                    witness=Witness.OBSERVED,
                    evidence=Evidence(path=ran.name, step=ran.step, at=ran.run.started),
                    name=ran.name,
                    path=ran.name,
                    dialect="postgresql",
                    statements=ran.statements,
                    empty=ran.statements == 0,
                    transaction=ran.transaction,
                    duration=ran.run.duration,
                    outcome=excerpt(outcome, 400),
                )
            )
    found += [testimony.work(statement, now) for statement in trace.statements if statement.started >= begin]
    found += testimony.locks([held for held in trace.held if held.taken >= begin], now)
    found += testimony.waits([wait for wait in trace.waits if wait.since >= begin])
    found += clone.unread
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
