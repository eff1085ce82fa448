"""From what happened on a copy to facts, the same for every engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from fulldress.database.happenings import Held, Ran, Statement, Waiting
from fulldress.facts import Evidence, Lock, Migration, Wait, Witness, Work, excerpt
from fulldress.findings import Outcome


def instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def place(statement: Statement, at: float) -> Evidence:
    return Evidence(
        path=statement.path, line=statement.line, step=statement.step, at=instant(at), excerpt=excerpt(statement.text)
    )


def migration(ran: Ran, dialect: str) -> Migration:
    """The fact of a script that ran."""
    outcome = {Outcome.PASS: "ok", Outcome.FAIL: f"failed: {ran.run.error}"}.get(
        ran.run.outcome, f"unknown: {ran.run.error}"
    )
    return Migration(
        witness=Witness.OBSERVED,
        evidence=Evidence(path=ran.name, step=ran.step, at=ran.run.started),
        name=ran.name,
        path=ran.name,
        dialect=dialect,
        statements=ran.statements,
        empty=ran.statements == 0,
        transaction=ran.transaction,
        duration=ran.run.duration,
        outcome=excerpt(outcome, 400),
    )


def work(statement: Statement, now: float, advice: Iterable[str] = ()) -> Work:
    ended = statement.ended if statement.ended is not None else now
    return Work(
        witness=Witness.OBSERVED,
        evidence=place(statement, statement.started),
        migration=statement.migration,
        statement=statement.label,
        started=instant(statement.started),
        duration=timedelta(seconds=max(ended - statement.started, 0.0)),
        rewritten=tuple(statement.rewritten),
        scanned=tuple(statement.scanned),
        built=tuple(statement.built),
        rows=statement.rows,
        wal_bytes=statement.wal,
        error=excerpt(statement.error, 300),
        read_whole=tuple(statement.read_whole),
        temp_bytes=statement.temporary,
        way=statement.how,
        advice=tuple(advice),
    )


def locks(every: list[Held], now: float) -> list[Lock]:
    """One fact per statement, mode and object; a statement that was repeated adds up."""
    groups: dict[tuple[int, str, str], list[Held]] = defaultdict(list)
    for held in every:
        groups[id(held.statement), held.mode, held.object].append(held)
    return [_lock(members, now) for members in groups.values()]


def _lock(members: list[Held], now: float) -> Lock:
    first = min(members, key=lambda held: held.taken)
    seconds = sum(max((held.released if held.released is not None else now) - held.taken, 0.0) for held in members)
    return Lock(
        witness=Witness.OBSERVED,
        evidence=place(first.statement, first.taken),
        migration=first.statement.migration,
        statement=first.statement.label,
        mode=first.mode,
        object=first.object,
        taken=instant(first.taken),
        held=timedelta(seconds=seconds),
        caught=min((held.caught for held in members), key=("sync-hold", "commit-hold", "gate", "poll").index),
    )


def waits(every: list[Waiting]) -> list[Wait]:
    """One fact per victim, statement and object: how often, how long at worst and in all."""
    groups: dict[tuple[str, ...], list[Waiting]] = defaultdict(list)
    for wait in every:
        groups[wait.victim, wait.blocker.label, wait.blocker.migration, wait.object, wait.mode, wait.outcome].append(
            wait
        )
    facts_: list[Wait] = []
    for (victim, label, migration, object_, mode, outcome), members in groups.items():
        first = min(members, key=lambda wait: wait.since)
        seconds = [wait.seconds for wait in members]
        facts_.append(
            Wait(
                witness=Witness.OBSERVED,
                evidence=place(first.blocker, first.since),
                victim=victim,
                object=object_,
                mode=mode,
                blocker=label,
                migration=migration,
                count=len(members),
                worst=timedelta(seconds=max(seconds)),
                total=timedelta(seconds=sum(seconds)),
                first=instant(first.since),
                chain=max((wait.chain for wait in members), key=len),
                outcome=outcome,
            )
        )
    return sorted(facts_, key=lambda wait: -wait.total)
