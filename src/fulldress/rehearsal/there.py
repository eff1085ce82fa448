"""The way there: baseline, upgrade under traffic, verify, the night after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from fulldress.engine import Engine
from fulldress.engine.journal import Journal
from fulldress.facts import (
    AnyFact,
    Downtime,
    Evidence,
    JobRun,
    Lock,
    Partition,
    Point,
    Reason,
    Schedule,
    Timeline,
    Timing,
    Unread,
    Witness,
    Work,
)
from fulldress.findings import Outcome
from fulldress.rehearsal import ahead, night, words
from fulldress.rehearsal.hosted import host_schedules
from fulldress.rehearsal.load import Load, Phases
from fulldress.rehearsal.options import Options
from fulldress.rehearsal.outages import Call, outages, total
from fulldress.rehearsal.recorder import WORDS, Recorder, theirs
from fulldress.rehearsal.timeline import draw
from fulldress.rehearsal.world import World
from fulldress.runbook.steps import Runbook
from fulldress.traffic import fidelity
from fulldress.traffic.samples import Samples
from fulldress.traffic.workload import Workload

#: Phases of a runbook that belong to the act "upgrade"; the others to "verify".
UPGRADING = ("before", "upgrade")


class There:
    """One pass through the upgrade in a world of its own. ``facts`` and ``timeline`` are there after :meth:`play`."""

    def __init__(
        self,
        number: int,
        world: World,
        runbook: Runbook,
        entries: Callable[[str], bytes],
        workload: Workload | None,
        options: Options,
        folder: Path,
        tell: Callable[[str], None],
    ) -> None:
        self.number = number
        self.world = world
        self.runbook = runbook
        self.entries = entries
        self.options = options
        self.folder = folder
        self.tell = tell
        self.source = f"run:{number}"
        self.facts: list[AnyFact] = list(world.facts)
        self.timeline: Timeline | None = None
        self.recorder = Recorder(number, self.source, world.clones.values(), tell)
        self.load = Load(
            world.stage,
            world.clones,
            world.description,
            workload if options.traffic else None,
            folder=folder / "traffic",
            seed=options.seed + number,
        )
        self.workload = workload

    def play(self) -> None:
        """All four acts, in order."""
        world, stage = self.world, self.world.stage
        self.facts += world.await_services("before")
        jobs = host_schedules(stage, stage.now(), world.description.zone, self.source)
        begin = _now()
        for clone in world.clones.values():
            clone.start_watch()
        try:
            self.load.start()
            self.tell("baseline")
            baseline = self._baseline()
            upgrade = self._upgrade()
            verify = self._verify()
            after = self._after()
            self.load.stop()
        finally:
            self.load.abandon()
            for clone in world.clones.values():
                clone.stop_watch()
        self._observe(begin, {"baseline": baseline, "upgrade": upgrade, "verify": verify, "after": after})
        if self.options.night:
            self._night(jobs)
        # The night's runs are told by the night, with what they wrote.
        self.facts += [fact for fact in theirs(stage.facts()) if not isinstance(fact, JobRun)]
        points = [point for samples in self.load.samples() for point in samples.points()]
        self._draw(begin, points)

    # -- acts -----------------------------------------------------------------------------------------------------

    def _baseline(self) -> tuple[datetime, datetime]:
        start = _now()
        if self.load.kinds:
            _wait(self.options.baseline)
        return start, _now()

    def _upgrade(self) -> tuple[datetime, datetime]:
        self.recorder.act = "upgrade"
        self.engine = Engine(
            self.runbook,
            self.world.stage,
            Journal(self.folder / "there"),
            entries=self.entries,
            on_event=self.recorder,
            roll_back=False,
        )
        last = next((s.name for s in reversed(self.runbook.step) if s.phase in UPGRADING), None)
        start = _now()
        self.outcome = self.engine.run(until=last)
        end = _now()
        self._upgraded = self.recorder.timing(start, end, outcome=WORDS[self.outcome.outcome], words=self.outcome.why)
        return start, end

    def _verify(self) -> tuple[datetime, datetime]:
        self.recorder.act = "verify"
        start = _now()
        self.tell("verify")
        if self.outcome.outcome is Outcome.PASS:
            self.outcome = self.engine.run()
        else:  # what a failed upgrade leaves running is looked at, too
            self.facts.append(_stopped(self.source, self.outcome.stopped_at, self.outcome.why, start))
        found = self.world.await_services("verify")
        self.facts += found
        end = _now()
        text = (
            words.health(found)
            if self.outcome.outcome is Outcome.PASS
            else f"{self.outcome.why}; {words.health(found)}"
        )
        self._verified = self.recorder.timing(start, end, outcome=WORDS[self.outcome.outcome], words=text)
        return start, end

    def _after(self) -> tuple[datetime, datetime]:
        """Traffic on the new release, once it says that it is well."""
        start = _now()
        if self.load.kinds:
            _wait(self.options.settle)
        return start, _now()

    def _night(self, jobs: dict[str, Schedule]) -> None:
        stage = self.world.stage
        known = {f.mount: f for f in self.world.production.facts() if isinstance(f, Partition)}
        start = _now()
        self.tell("the night after")
        found = list(
            night.night_after(
                stage,
                jobs,
                known,
                horizon=self.options.horizon,
                limit=self.options.job_limit,
                zone=self.world.description.zone,
                source=self.source,
                theirs=self.world.production.root is not None,
            )
        )
        self.facts.append(
            self.recorder.timing(start, _now(), act="night after", outcome="ok", words=words.night(found))
        )
        self.facts += found

    # -- what was seen ----------------------------------------------------------------------------------------------

    def _observe(self, begin: datetime, phases: Phases) -> None:
        seen: list[AnyFact] = []
        room: list[AnyFact] = []
        for name, clone in self.world.clones.items():
            mine = clone.facts(begin)
            seen += mine
            room += ahead.room(name, clone, mine, self.world.bases, self.world.production)
        latencies = [f for samples in self.load.samples() for f in samples.latencies(phases, run=str(self.number))]
        if self.load.kinds:
            self.facts.append(self.recorder.timing(*phases["baseline"], act="baseline", words=self._load_words()))
        self.facts += self._timings(seen)
        self.facts += seen
        self.facts += room
        self.facts += latencies
        http = self.load.http
        if http is not None and self.workload is not None:
            length = (phases["baseline"][1] - phases["baseline"][0]).total_seconds()
            self.facts += fidelity.compare(self.workload, http, run=str(self.number), seconds=length)
            self.facts += self._downtime(http, phases)
        elif self.options.traffic:
            self.facts.append(
                Unread(
                    witness=Witness.OBSERVED,
                    evidence=Evidence(source=self.source),
                    what="how callers fare during the upgrade",
                    reason=Reason.NOT_MEASURED,
                    detail="no HTTP traffic: production.toml names no log or no target under [traffic]",
                )
            )

    def _load_words(self) -> str:
        """Rate and requests in flight, with production's own beside them where its log tells."""
        http = self.load.http
        if http is None or self.workload is None:
            return ", ".join(self.load.kinds)
        text = f"{self.workload.rate:.0f} req/s"
        known = self.workload.in_flight(0.99)
        levels = sorted(http.in_flight(http.start, http.start + self.options.baseline.total_seconds()))
        if levels:
            text += f", {levels[int(0.99 * (len(levels) - 1))]} in flight at p99"
        return text + (f" (production: {known:.0f})" if known is not None else " (production: its log does not tell)")

    def _timings(self, seen: list[AnyFact]) -> list[Timing]:
        """The acts and their steps, in order; the words of a step tell what it did to its tables."""
        by_step: dict[str, tuple[list[Work], list[Lock]]] = {}
        for fact in seen:
            if isinstance(fact, Work):
                by_step.setdefault(fact.evidence.step, ([], []))[0].append(fact)
            elif isinstance(fact, Lock):
                by_step.setdefault(fact.evidence.step, ([], []))[1].append(fact)
        steps = []
        for timing in self.recorder.timings:
            did = words.statement(*by_step.get(timing.step, ([], [])))
            text = did if timing.outcome == "ok" and did else timing.words
            steps.append(msgspec.structs.replace(timing, words=text))
        act = self._upgraded
        if act.outcome == "ok":
            act = msgspec.structs.replace(act, words=words.locked(seen))
        return [
            act,
            *(step for step in steps if step.act == "upgrade"),
            self._verified,
            *(step for step in steps if step.act == "verify"),
        ]

    def _downtime(self, http: Samples, phases: Phases) -> list[AnyFact]:
        """How long callers went without an answer, from the start of the upgrade on."""
        start, end = phases["upgrade"][0], phases["after"][1]
        calls = [
            Call(
                datetime.fromtimestamp(http.due[row], start.tzinfo),
                not http.failed(row),
                timedelta(seconds=http.latency[row]),
            )
            for row in http.rows(start.timestamp(), end.timestamp())
        ]
        away = outages(calls)
        return [
            Downtime(
                witness=Witness.OBSERVED,
                evidence=Evidence(source=self.source, step="upgrade", at=away[0][0] if away else start),
                duration=total(away),
                basis=f"run {self.number}: {len(away)} {'interval' if len(away) == 1 else 'intervals'} in which every "
                "call failed or took longer than a second",
            )
        ]

    def _draw(self, begin: datetime, points: list[Point]) -> None:
        end = max([point.at for point in points] + [_now()])
        acts = [f for f in self.facts if isinstance(f, Timing)]
        if acts:
            end = max(f.started + f.duration for f in acts if f.act in ("upgrade", "verify"))
            end = max([end, *[point.at for point in points]])
        self.timeline = draw(
            self.number, begin, end, self.world.description.zone, self.facts, points, self.recorder.gates
        )


def _stopped(source: str, step: str, why: str, at: datetime) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(source=source, step=step, at=at),
        what="the steps after " + step,
        reason=Reason.NOT_MEASURED,
        detail=f"the upgrade stopped there: {why}",
        needed=True,
    )


def _now() -> datetime:
    from datetime import UTC

    return datetime.now(UTC)


def _wait(span: timedelta) -> None:
    import time

    time.sleep(span.total_seconds())
