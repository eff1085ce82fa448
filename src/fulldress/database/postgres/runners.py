"""The same migrations started twice at once, files or a program: what keeps the two apart, and what the loser does.

Which kind of migration lock there is, is read off what the second one waited for: an advisory lock (of the session, when
it outlives transactions, else of the transaction), one that is only tried for (the SQL says so), a table, a row, or a flag
in a row that it asks for again and again; or nothing, and then the two meet wherever their statements do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from fulldress.database.postgres import proof
from fulldress.database.postgres.beside import Beside
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.jobs import Ended, Files, Job, end_sessions
from fulldress.database.postgres.likeness import Copies, Likeness, words
from fulldress.database.postgres.turns import Block, Side, Turns, changes, locks
from fulldress.facts import Difference, Evidence, Runners, Witness, excerpt
from fulldress.findings import Outcome
from fulldress.patterns import regex

_TRIES = regex(r"(?i)\bpg_try_advisory_(xact_)?lock")
_CONDITIONAL = regex(r"(?i)\s*(?:DO|CALL)\b|\bIF\s+(?:NOT\s+)?EXISTS\b|\bON\s+CONFLICT\b|\bOR\s+REPLACE\b")
_UPDATES = regex(r"(?i)\s*UPDATE\s+(?:ONLY\s+)?([\w.\"]+)")
_POLLS = 2  #: times that a runner asks the same before it is said to wait so


class Kept(NamedTuple):
    """What keeps two runners apart. ``kind`` as in :class:`Runners`; ``block`` where one was seen waiting."""

    kind: str
    words: str
    block: Block | None = None
    flag: str = ""  #: the table of the flag


def twice(make_clone: Copies, job: Job | Sequence[tuple[str, str]], *, limit: float = 600.0) -> Runners:
    """Start ``job`` twice at once on one fresh copy; compare with what one alone does on others.

    ``job`` may be SQL files, as names and texts. ``make_clone(name)`` gives a copy of the database as it is before."""
    if isinstance(job, Sequence):
        job = Files(job)
    first, second, both = (make_clone(f"runner-{name}") for name in ("alone", "again", "two"))
    beside = Beside(first.server)
    try:
        ended = _alone(first, job, limit)
        end = proof.fingerprint(first)
        beside.put_aside()
        if ended.passed:
            ended = _alone(second, job, limit)
            beside.put_aside()
        if not ended.passed:
            return _fact(job, "unknown", f"already one runner alone does not finish: {ended.error}")
        likeness = Likeness(first, end, second)
        results, turns, deadlock = _both(both, job, limit)
        return judge(job, results, turns.sides, turns.blocks, likeness.differences(both), deadlock)
    finally:
        for clone in (first, second, both):
            clone.drop()
        beside.drop_new(everything=True)


def _alone(clone: Clone, job: Job, limit: float) -> Ended:
    tap = clone.open_tap(always=True, migration=job.name, tcp=True)
    try:
        return job.start(clone, tap).wait(limit)
    finally:
        end_sessions(clone, tap)
        clone.close_tap(tap)


def _both(clone: Clone, job: Job, limit: float) -> tuple[list[Ended], Turns, bool]:
    first, second = (clone.open_tap(always=True, migration=f"{job.name} ({n})", tcp=True) for n in (1, 2))
    with clone.session() as observer:
        turns = Turns(observer, (first, second))
        first.stops = lambda stop: turns.stop(0, stop)
        second.stops = lambda stop: turns.stop(1, stop)
        try:
            for side in turns.sides:
                side.running = job.start(clone, side.tap)
            results = [side.running.wait(limit) for side in turns.sides if side.running is not None]
        finally:
            for side in turns.sides:
                if side.running is not None:
                    side.running.kill()
            for tap in (first, second):
                end_sessions(clone, tap)
                clone.close_tap(tap)
        return results, turns, any("40P01" in statement.error for statement in clone.trace.statements)


def judge(
    job: Job,
    results: list[Ended],
    sides: tuple[Side, Side],
    blocks: list[Block],
    effects: list[Difference],
    deadlock: bool,
) -> Runners:
    """The verdict: the kind of lock, how the loser behaves, and whether both did it."""
    kept = keeps(sides, blocks)
    loser = _loser(results, sides, kept)
    behaves = _behaviour(results[loser], sides, loser, kept, effects, deadlock, blocks)
    failed = [one for one in results if one.outcome is Outcome.FAIL]
    apart = kept.kind != "none" and not (sides[loser].changed_while_other and behaves.endswith("runs again"))
    if any(one.outcome is Outcome.UNKNOWN for one in results):
        outcome = "unknown"
    elif failed and (deadlock or len(failed) > 1 or effects or not apart):
        outcome = "one failed"
    elif effects or (behaves.endswith("runs again") and not apart):
        outcome = "both ran"
    else:
        outcome = "serialised"
    return _fact(job, outcome, _told(job, kept, behaves, failed, effects), kept, behaves)


def _told(job: Job, kept: Kept, behaves: str, failed: list[Ended], effects: list[Difference]) -> str:
    """In a sentence."""
    doubled = words(effects)
    errors = "; ".join(dict.fromkeys(one.error for one in failed))
    said = f"both failed: {errors}" if len(failed) > 1 else errors
    if kept.kind == "none":
        against = f"against one runner alone: {doubled}" if doubled else ""
        same = "" if failed or doubled else "this time with the same effect as one runner alone"
        how = "a deadlock" if behaves == "deadlock" else ""
        return "; ".join(part for part in ("no migration lock", how, said, against, same) if part)
    where = job.place(kept.block.text) if kept.block is not None else ("", 0)
    lock = f"the lock taken at {where[0]}:{where[1]}, {kept.words}" if where[1] else kept.words
    text = f"the second found {lock}" if behaves == "fails at once" else f"the second waited for {lock}"
    if failed:
        text += f"; and then failed: {said}"
    if behaves.endswith("runs again"):
        text += f"; and then ran everything again{f': {doubled}' if doubled else ', with the same effect'}"
    elif doubled:
        text += f"; against one runner alone: {doubled}"
    return text


def keeps(sides: tuple[Side, Side], blocks: list[Block]) -> Kept:
    """What the two were kept apart by, before the one that waited had changed anything."""
    for block in blocks:
        if not block.untouched:
            continue
        holder = sides[1 - block.who]
        if block.kind == "advisory":
            key = block.object.removeprefix("advisory ")
            of = "session" if key in holder.outlived else "transaction"
            return Kept(f"advisory ({of})", f"an advisory lock of the {of}, {key}", block)
        if locks(block.text):
            if block.kind == "relation":
                return Kept("table", f"a lock on the table {block.object} ({block.mode})", block)
            return Kept("row", f"a lock on a row: {excerpt(block.text, 100)}", block)
    tries = [side for side in sides if any(_TRIES.search(text) for text in side.texts)]
    if len(tries) == 2 and any(side.advisory for side in sides):
        held = sorted({key for side in sides for key in side.advisory})
        return Kept("try-lock", f"an advisory lock that is tried for, {', '.join(held)}")
    for side, other in (sides, sides[::-1]):
        table = _first_updated(other)
        asked = [text for text in side.texts if table and _asks(text, table)]
        if len(asked) >= _POLLS and len(_work(side, table)) <= len(_work(other, table)) / 2:
            return Kept(
                "flag", f"a flag in {table}, asked for {len(asked)} times: {excerpt(asked[0], 100)}", flag=table
            )
    return Kept("none", "")


def _first_updated(side: Side) -> str:
    """The table whose rows a runner changed before it did anything else; empty where it began with something else."""
    first = next((text for text in side.texts if changes(text.encode())), "")
    match = _UPDATES.match(first)
    return match[1].rpartition(".")[2].strip('"') if match else ""


def _asks(text: str, table: str) -> bool:
    return text.lstrip()[:6].upper() == "SELECT" and table.lower() in text.lower()


def _work(side: Side, flag: str) -> list[str]:
    """What a runner changed, apart from the flag."""
    return [text for text in side.texts if changes(text.encode()) and not (flag and _is_flag(text, flag))]


def _is_flag(text: str, flag: str) -> bool:
    match = _UPDATES.match(text)
    return match is not None and match[1].rpartition(".")[2].strip('"') == flag


def _loser(results: list[Ended], sides: tuple[Side, Side], kept: Kept) -> int:
    if kept.block is not None:
        return kept.block.who
    failed = [who for who, one in enumerate(results) if not one.passed]
    if len(failed) == 1:
        return failed[0]
    return 0 if len(_work(sides[0], kept.flag)) < len(_work(sides[1], kept.flag)) else 1


def _behaviour(
    result: Ended,
    sides: tuple[Side, Side],
    loser: int,
    kept: Kept,
    effects: list[Difference],
    deadlock: bool,
    blocks: list[Block],
) -> str:
    if deadlock:
        return "deadlock"
    waited = kept.block is not None or kept.kind in ("try-lock", "flag")
    if not result.passed:
        if "did not end within" in result.error:
            return "waits without end"
        asked = Counter(text for text in sides[loser].texts if _TRIES.search(text))
        waited = waited or any(block.who == loser for block in blocks)
        polled = kept.kind == "try-lock" and max(asked.values(), default=0) < _POLLS
        return "waits then fails" if waited and not polled else "fails at once" if polled or not waited else "fails"
    mine, theirs = (_work(sides[who], kept.flag) for who in (loser, 1 - loser))
    again = len(mine) > len(theirs) / 2
    if waited:  # then what looks by itself whether it is done has found that it is
        again = again and any(not _CONDITIONAL.search(text) for text in mine)
        return "waits then runs again" if effects or again else "waits then skips"
    return "runs again" if effects or again else "skips"


def _fact(job: Job, outcome: str, detail: str, kept: Kept | None = None, behaves: str = "") -> Runners:
    block = kept.block if kept is not None else None
    path, line = job.place(block.text) if block is not None else job.place("")
    return Runners(
        witness=Witness.OBSERVED,
        evidence=Evidence(path=path, line=line, step="two runners", excerpt=excerpt(block.text) if block else ""),
        migration=job.name,
        outcome=outcome,
        detail=excerpt(detail, 400),
        lock=kept.kind if kept is not None else "",
        loser=behaves,
    )
