"""The same migration started twice at once: does one wait for the other?

Two sessions take turns statement by statement on a fresh copy, the worst order that a real start of two replicas could
bring. When one waits for a lock of the other, the other goes on alone. Nothing is left to chance, so the outcome is the
same every time. What the two did is then compared with what one alone does on another copy.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fulldress.database.postgres import proof
from fulldress.database.postgres.clone import RUNNER, Clone
from fulldress.database.postgres.runner import Ran, Runner
from fulldress.database.postgres.split import Piece
from fulldress.database.postgres.wire import Connection
from fulldress.facts import RESTORED, Difference, Evidence, Runners, Witness, excerpt
from fulldress.findings import Outcome
from fulldress.patterns import regex

_HARMLESS = regex(r"(?:SET|SHOW|BEGIN|START|SELECT|LOCK|SAVEPOINT|RELEASE)\b")
_TAKES_LOCK = regex(r"LOCK\b|.*\bPG_ADVISORY_")


@dataclass
class _Block:
    """One runner waited for the other."""

    who: int
    kind: str
    object: str
    piece: Piece | None
    untouched: bool  #: it had not changed anything before


class _Turns:
    """Whose turn it is. A runner that waits for a lock of the other gives its turn back."""

    def __init__(self, observer: Connection, pids: tuple[int, int]) -> None:
        self.observer = observer
        self.pids = pids
        self.turn = 0
        self.started = [False, False]
        self.done = [False, False]
        self.changed = [False, False]
        self.piece: list[Piece | None] = [None, None]
        self.blocks: list[_Block] = []
        self.both_between = False  #: the second began to change things before the first had ended
        self._moved = threading.Condition()

    def before(self, who: int, piece: Piece) -> None:
        other = 1 - who
        with self._moved:
            if self.started[who]:
                self.turn = other
                self._moved.notify_all()
            self.started[who] = True
            while self.turn != who and not self.done[other]:
                self._moved.wait(0.004)
                if self.turn != who and self._blocked(other):
                    self.turn = who
            self.piece[who] = piece
            if not _HARMLESS.match(piece.bare) and not piece.control:
                self.both_between |= self.changed[other] and not self.done[other]
                self.changed[who] = True

    def end(self, who: int) -> None:
        with self._moved:
            self.done[who] = True
            self.turn = 1 - who
            self._moved.notify_all()

    def _blocked(self, who: int) -> bool:
        rows = self.observer.rows(
            "SELECT locktype, coalesce(relation::regclass::text, ''), pg_blocking_pids(pid)::text FROM pg_locks"
            f" WHERE pid = {self.pids[who]} AND NOT granted"
        )
        hit = next((row for row in rows if str(self.pids[1 - who]) in re.findall(r"\d+", str(row[2]))), None)
        if hit is None:
            return False
        piece = self.piece[who]
        if not self.blocks or self.blocks[-1].piece is not piece or self.blocks[-1].who != who:
            own = piece is not None and not _HARMLESS.match(piece.bare)
            untouched = not self.changed[who] or (own and self._first_change(who))
            self.blocks.append(_Block(who, str(hit[0]), str(hit[1]), piece, untouched))
        return True

    def _first_change(self, who: int) -> bool:
        return False if self.piece[who] is None else not any(b.who == who for b in self.blocks)


def twice(make_clone: Callable[[str], Clone], scripts: Sequence[tuple[str, str]]) -> Runners:
    """Start ``scripts`` (name and text, in order) twice at once. ``make_clone(name)`` gives a fresh copy of the database
    as it is before the upgrade; two are made, and dropped."""
    alone = make_clone("one-runner")
    together = make_clone("two-runners")
    try:
        single = _run(alone, scripts)
        if single and single[-1].run.outcome is not Outcome.PASS:
            return _verdict(scripts, "unknown", f"already one runner alone does not finish: {single[-1].run.error}")
        results, turns = _both(together, scripts)
        effects = [one for one in proof.compare(alone, together) if one.kind not in (*RESTORED, "sequence")]
        return _judge(scripts, results, turns, effects)
    finally:
        alone.drop()
        together.drop()


def _both(clone: Clone, scripts: Sequence[tuple[str, str]]) -> tuple[list[list[Ran]], _Turns]:
    with (
        clone.session() as observer,
        clone.session(RUNNER, clone.role) as first,
        clone.session(RUNNER, clone.role) as second,
    ):
        turns = _Turns(observer, (first.pid, second.pid))
        results: list[list[Ran]] = [[], []]

        def work(who: int, line: Connection) -> None:
            try:
                results[who] = _scripts(Runner(line, before=lambda piece: turns.before(who, piece)), scripts)
            finally:
                line.simple("ROLLBACK")
                line.simple("SELECT pg_advisory_unlock_all()")  # as if the session had ended
                turns.end(who)

        threads = [
            threading.Thread(target=work, args=(who, line), daemon=True) for who, line in enumerate((first, second))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results, turns


def _run(clone: Clone, scripts: Sequence[tuple[str, str]]) -> list[Ran]:
    with clone.session(RUNNER, clone.role) as line:
        return _scripts(Runner(line), scripts)


def _scripts(runner: Runner, scripts: Sequence[tuple[str, str]]) -> list[Ran]:
    """Up to the first that fails, as a migration tool does."""
    siblings = dict(scripts)
    done: list[Ran] = []
    for name, text in scripts:
        done.append(runner.run(text, name=name, step="two runners", siblings=siblings))
        if done[-1].run.outcome is not Outcome.PASS:
            break
    return done


def _judge(
    scripts: Sequence[tuple[str, str]], results: list[list[Ran]], turns: _Turns, effects: list[Difference]
) -> Runners:
    failed = [ran for side in results for ran in side if ran.run.outcome is Outcome.FAIL]
    guard = next((b for b in turns.blocks if b.piece is not None and _TAKES_LOCK.match(b.piece.bare)), None)
    doubled = "; ".join(_words(one) for one in effects[:3])
    if guard is not None and guard.piece is not None and not turns.both_between:
        place = f"{guard.piece.file}:{guard.piece.line}"
        if failed:
            words = f"the second waited for the lock taken at {place}, and then failed: {failed[0].run.error}"
            return _verdict(scripts, "serialised", words, guard.piece)
        if effects:
            words = f"the second waited for the lock taken at {place}, and then ran everything again: {doubled}"
            return _verdict(scripts, "both ran", words, guard.piece)
        return _verdict(scripts, "serialised", f"the second waited for the lock taken at {place}", guard.piece)
    if guard is not None and guard.piece is not None and len(failed) == 1 and not effects:
        place = f"{guard.piece.file}:{guard.piece.line}"
        words = f"each file takes the lock by itself (at {place}); the second then stopped and changed nothing"
        return _verdict(scripts, "serialised", f"{words}: {failed[0].run.error}", guard.piece)
    if len(failed) > 1:
        words = f"both failed: {failed[0].run.error}; {failed[1].run.error}"
        return _verdict(scripts, "one failed", f"no migration lock; {words}")
    if failed:
        return _verdict(scripts, "one failed", f"no migration lock; {failed[0].run.error}")
    if any(len(side) < len(scripts) for side in results):
        return _verdict(scripts, "unknown", "a runner stopped early")
    if effects:
        return _verdict(scripts, "both ran", f"no migration lock; against one runner alone: {doubled}")
    return _verdict(scripts, "both ran", "no migration lock; this time with the same effect as one runner alone")


def _words(one: Difference) -> str:
    count = f" {one.rows:,}" if one.rows else ""
    return f"{one.object}: {one.kind}{count}" + (f" ({', '.join(one.columns)})" if one.columns else "")


def _verdict(scripts: Sequence[tuple[str, str]], outcome: str, detail: str, piece: Piece | None = None) -> Runners:
    names = [name for name, _ in scripts]
    name = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}" if names else ""
    place = (
        Evidence(path=piece.file, line=piece.line, step="two runners", excerpt=excerpt(piece.text))
        if piece
        else Evidence(path=names[0] if names else "", step="two runners")
    )
    return Runners(
        witness=Witness.OBSERVED, evidence=place, migration=name, outcome=outcome, detail=excerpt(detail, 400)
    )
