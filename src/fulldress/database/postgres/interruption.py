"""The migration killed at statement k: is what it did gone, can it be run again, or is the database broken?

A first, undisturbed run through the tap counts where it can be cut: before every statement, inside a string of several
where the tap holds it, and in the middle of what commits by itself half-way (CREATE INDEX CONCURRENTLY and its kind).
Every cut happens on a copy of its own: the program is killed as by a power cut, its sessions are ended, and the copy is
compared with the state before. Where it is not as it was, the migration is started again as a person would, and has to
come to the end that the undisturbed one came to.

Cuts between which nothing but reading happened leave the same, and are tried once. Where there are more than the bound,
those at the borders of transactions come first, the rest is drawn with a seed; what was not tried is told.
"""

from __future__ import annotations

import random
import re
import threading
import time
from dataclasses import dataclass
from typing import NamedTuple

from fulldress.database.postgres import proof
from fulldress.database.postgres.beside import Beside
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.jobs import Ended, Job, Running, end_sessions
from fulldress.database.postgres.likeness import Copies, Likeness, effects, words
from fulldress.database.postgres.tap import Tap
from fulldress.database.postgres.tap.session import Stop
from fulldress.database.postgres.tap.strings import Part, bare
from fulldress.database.postgres.wire import Connection
from fulldress.errors import DatabaseError
from fulldress.facts import AnyFact, Evidence, Interruption, Reason, Unread, Witness, excerpt
from fulldress.findings import Outcome
from fulldress.patterns import regex

MOST = 50  #: cuts that are tried
BUDGET = 120.0  #: seconds for all of them
_LONG = 0.05  #: seconds; quicker blocks are not cut in their middle
#: Statements that commit a first half before they wait and do the second.
_HALVES = regex(rb".*\bCONCURRENTLY\b|REINDEX\s+(?:\([^)]*\)\s*)?(?:SCHEMA|DATABASE|SYSTEM)\b", re.S)
_COMMITS_INSIDE = regex(rb"(?:CALL|DO)\b")


class Cut(NamedTuple):
    """``number``: of the stop, from 0. ``moment``: before, during, within (a string), commit (right before it)."""

    number: int
    moment: str
    text: str
    edge: bool  #: at the border of a transaction, or in the middle of what commits by itself
    after: float = 0.0  #: seconds into a statement that may commit by itself; 0: when it waits for a writer


@dataclass
class Heard:
    """A stop of the undisturbed run."""

    text: bytes
    at: str
    status: str
    when: float = 0.0  #: seconds, monotonic

    @property
    def part(self) -> Part:
        return Part(0, len(self.text), bare(self.text))


def cuts(stops: list[Heard]) -> list[Cut]:
    """Where a run with these stops can be cut with different effect."""
    found: list[Cut] = []
    for number, stop in enumerate(stops):
        text = stop.text.decode("utf-8", "replace")
        before = stops[number - 1] if number else None
        if before is not None and (stop.at == "gate" or not before.part.small):
            commits = before.status == "I" or before.part.ends
            moment = "within" if stop.at == "gate" else "commit" if stop.part.ends else "before"
            found.append(Cut(number, moment, text, commits or stop.part.ends))
        elif before is None and stop.at == "gate":
            found.append(Cut(number, "within", text, True))
        if stop.at != "before" or stop.status != "I":
            continue
        after = stops[number + 1].when - stop.when if number + 1 < len(stops) else 0.0
        if _HALVES.match(stop.part.bare):
            found.append(Cut(number, "during", text, True))
        elif _COMMITS_INSIDE.match(stop.part.bare) and after > _LONG:
            found.append(Cut(number, "during", text, True, after / 2))
    return found


def chosen(every: list[Cut], most: int, seed: int) -> list[Cut]:
    """In the order in which they are tried: all where they are few enough, else edges first and a sample of the rest."""
    shuffled = list(every)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a sample, no secret
    return sorted(shuffled, key=lambda cut: not cut.edge)[:most]


def interrupt(
    make_clone: Copies,
    job: Job,
    *,
    most: int = MOST,
    budget: float = BUDGET,
    seed: int = 0,
    limit: float = 600.0,
) -> list[AnyFact]:
    """Kill ``job`` wherever it makes a difference, each time on a copy of its own.

    ``limit``: seconds that the undisturbed run may take. Facts: an :class:`Interruption` per cut, and what was not tried."""
    deadline = time.monotonic() + budget
    base, first, second = (make_clone(f"cut-{name}") for name in ("before", "first", "second"))
    beside = Beside(base.server)
    try:
        heard: list[Heard] = []
        started = time.monotonic()
        ended = _run(
            first, job, lambda stop: heard.append(Heard(stop.text, stop.at, stop.status, time.monotonic())), limit
        )
        took = time.monotonic() - started
        if not ended.passed:
            return [_unread(job, f"already undisturbed it does not finish: {ended.error}")]
        end = proof.fingerprint(first)
        beside.put_aside()
        ended = _run(second, job, None, limit)
        if not ended.passed:
            return [_unread(job, f"undisturbed it finished once, and not a second time: {ended.error}")]
        trial = _Trial(make_clone, job, base, Likeness(first, end, second), took, heard, beside)
        beside.put_aside()
        every = cuts(heard)
        facts: list[AnyFact] = []
        wanted = chosen(every, most, seed)
        tried = 0
        for cut in wanted:
            if time.monotonic() > deadline:
                break
            facts.append(trial.cut(cut))
            tried += 1
        facts.sort(key=lambda fact: (fact.number, fact.moment) if isinstance(fact, Interruption) else (0, ""))
        if tried < len(every):
            why = f"the bound is {most}, seed {seed}" if tried == most else f"{budget:g} s were over"
            said = f"{tried} of {len(every)} places were tried ({why}); those at the borders of transactions first"
            facts.append(_unread(job, said, needed=False))
        return facts
    finally:
        for clone in (base, first, second):
            clone.drop()
        beside.drop_new(everything=True)


def _run(clone: Clone, job: Job, stops: object, limit: float) -> Ended:
    tap = clone.open_tap(always=True, migration=job.name, tcp=True)
    tap.stops = stops  # type: ignore[assignment]
    try:
        return job.start(clone, tap).wait(limit)
    finally:
        end_sessions(clone, tap)
        clone.close_tap(tap)


class _Trial:
    """Everything that is the same for all cuts."""

    def __init__(
        self,
        make_clone: Copies,
        job: Job,
        base: Clone,
        likeness: Likeness,
        took: float,
        heard: list[Heard],
        beside: Beside,
    ) -> None:
        self.make_clone = make_clone
        self.job = job
        self.likeness = likeness
        self.limit = took * 5 + 20
        self.heard = heard
        self.before = proof.fingerprint(base)
        self.beside = beside

    def cut(self, cut: Cut) -> Interruption:
        clone = self.make_clone(f"cut-{cut.number}-{cut.moment}")
        try:
            knife = _Knife(clone, cut)
            ended = knife.run(self.job, self.limit)
            if not knife.fell:
                return self._fact(cut, "unknown", f"this time it never came there: {ended.error or 'it ended before'}")
            if knife.text != self.heard[cut.number].text:
                cut = cut._replace(text=knife.text.decode("utf-8", "replace"))
            return self._judge(cut, clone, ended)
        except DatabaseError as error:
            return self._fact(cut, "unknown", str(error))
        finally:
            clone.drop()
            self.beside.drop_new()

    def _judge(self, cut: Cut, clone: Clone, ended: Ended) -> Interruption:
        changed = effects(self.before, proof.fingerprint(clone))
        if not changed and not self.beside.new:
            return self._fact(cut, "rolled back", "nothing of it stays")
        left = words(changed) or f"roles: {', '.join(sorted(self.beside.new))}"
        again = _run(clone, self.job.rest(ended.done), None, self.limit)
        if not again.passed:
            return self._fact(cut, "broken", f"started again it fails: {again.error}", left)
        elsewhere = self.likeness.differences(clone)
        if elsewhere:
            return self._fact(cut, "broken", f"started again it ends elsewhere: {words(elsewhere)}", left)
        return self._fact(cut, "resumable", "started again it comes to the same end", left)

    def _fact(self, cut: Cut, outcome: str, detail: str, left: str = "") -> Interruption:
        return Interruption(
            witness=Witness.OBSERVED,
            evidence=Evidence(path=self.job.name, step="interruption", excerpt=excerpt(cut.text)),
            migration=self.job.name,
            number=cut.number + 1,
            moment=cut.moment,
            statement=excerpt(cut.text, 120),
            outcome=outcome,
            detail=excerpt(detail, 400),
            left=excerpt(left, 300),
        )


class _Knife:
    """Cuts a run at one place."""

    def __init__(self, clone: Clone, cut: Cut) -> None:
        self.clone = clone
        self.wanted = cut
        self.fell = False
        self.text = b""
        self._count = 0
        self._guard = threading.Lock()
        self._running: Running | None = None
        self._started = threading.Event()
        self._tap: Tap | None = None
        self._thread: threading.Thread | None = None

    def run(self, job: Job, limit: float) -> Ended:
        tap = self._tap = self.clone.open_tap(always=True, migration=job.name, tcp=True)
        tap.stops = self._stop
        holder = self._hold() if self.wanted.moment == "during" else None
        try:
            self._running = job.start(self.clone, tap)
            self._started.set()
            return self._running.wait(limit)
        finally:
            end_sessions(self.clone, tap)
            if self._thread is not None:
                self._thread.join(30)
            if holder is not None:
                holder.close()
            self.clone.close_tap(tap)

    def _stop(self, stop: Stop) -> None:
        with self._guard:
            number, self._count = self._count, self._count + 1
            if self._thread is not None and not self.fell:
                self._thread.join(30)  # what was to be cut in its middle is through; nothing more may follow
            if self.fell or number != self.wanted.number:
                return
            self.text = stop.text
            if self.wanted.moment == "during":
                if not self.wanted.after:
                    self._lock()
                self._thread = threading.Thread(target=self._amid, args=(stop.session.pid,), daemon=True)
                self._thread.start()
                return
            self._fall()

    def _fall(self) -> None:
        self._started.wait(10)
        self.fell = True
        assert self._running is not None and self._tap is not None  # noqa: S101 - a stop comes after the start
        self._running.kill()
        end_sessions(self.clone, self._tap)

    # -- in the middle of a statement that commits half-way ---------------------------------------------------------

    def _hold(self) -> Connection:
        self._holder = self.clone.session()
        return self._holder

    def _lock(self) -> None:
        """A writer on every table: CREATE INDEX CONCURRENTLY and its kind wait for it when their first half is committed."""
        rows = self._holder.rows(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
        )
        self._holder.query("BEGIN")
        if rows:
            self._holder.query(f"LOCK TABLE {', '.join(str(row[0]) for row in rows)} IN ROW EXCLUSIVE MODE")

    def _amid(self, pid: int) -> None:
        pause = threading.Event()
        if self.wanted.after:
            pause.wait(self.wanted.after)
            self._fall()
            return
        try:
            with self.clone.session() as line:
                seen = False
                while not self._running or not self._running.over:
                    rows = line.rows(f"SELECT state, wait_event_type FROM pg_stat_activity WHERE pid = {pid}")
                    busy = bool(rows) and rows[0][0] == "active"
                    if (busy and rows[0][1] == "Lock") or (seen and not busy):
                        break  # it waits for the writer; or it did not have to, and is through
                    seen = seen or busy
                    pause.wait(0.002)
                self._fall()
        except DatabaseError:
            return


def outcome(facts: list[AnyFact]) -> Outcome:
    """Over all cuts: failed where one left the database broken, unknown where one could not be judged."""
    found = [fact.outcome for fact in facts if isinstance(fact, Interruption)]
    if "broken" in found:
        return Outcome.FAIL
    return Outcome.PASS if found and "unknown" not in found else Outcome.UNKNOWN


def _unread(job: Job, detail: str, *, needed: bool = True) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(path=job.name, step="interruption"),
        what=f"what stays when {job.name} is killed",
        reason=Reason.NOT_MEASURED,
        detail=excerpt(detail, 400),
        needed=needed,
    )
