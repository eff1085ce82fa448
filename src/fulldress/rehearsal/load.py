"""Synthetic traffic over the whole of a pass, in processes of their own; cut by phase afterwards."""

from __future__ import annotations

import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path

import msgspec

from fulldress.database.postgres.clone import Clone
from fulldress.errors import StageError
from fulldress.production.description import Description, Query
from fulldress.stage import Stage
from fulldress.traffic import worker
from fulldress.traffic.samples import Samples
from fulldress.traffic.workload import Workload

#: Seconds that a generator may take to come up, and to write its result after it was told to stop.
PATIENCE = 30.0


class Load:
    """HTTP inside the stage's network, SQL beside the clones. Start, do what is to be observed, stop, look at samples."""

    def __init__(
        self,
        stage: Stage,
        clones: dict[str, Clone],
        description: Description,
        workload: Workload | None,
        *,
        folder: Path,
        seed: int,
    ) -> None:
        self.stage = stage
        self.folder = folder
        self.workload = workload
        self.http: Samples | None = None
        self.sql: dict[str, Samples] = {}
        self._running: list[tuple[str, subprocess.Popen[bytes], Path, Path]] = []
        self._plans: dict[str, worker.Plan] = {}
        if workload is not None and description.traffic.target:
            self._plans["http"] = worker.Plan(
                workload=workload, target=description.traffic.target, seed=seed, isolated=True
            )
        for name, clone in clones.items():
            queries: tuple[Query, ...] = description.databases[name].traffic
            if queries:
                self._plans[f"sql {name}"] = worker.Plan(dsn=clone.dsn(), queries=queries, seed=seed)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is sent: ``http``, ``sql NAME``; empty when nothing is."""
        return tuple(self._plans)

    def start(self) -> None:
        """Returns when every generator sends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for number, (kind, plan) in enumerate(self._plans.items()):
            plan_file, out = self.folder / f"plan{number}.json", self.folder / f"out{number}.json"
            ready, halt = self.folder / f"ready{number}", self.folder / f"halt{number}"
            for old in (out, ready, halt):
                old.unlink(missing_ok=True)
            worker.write(msgspec.structs.replace(plan, started_file=str(ready), stop_file=str(halt)), plan_file)
            argv = worker.command(plan_file, out)
            started = (
                self.stage.popen_inside(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                if kind == "http"
                else subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            )
            self._running.append((kind, started, out, halt))
        deadline = time.monotonic() + PATIENCE
        for number, (kind, started, _, _) in enumerate(self._running):
            while not (self.folder / f"ready{number}").exists():
                if started.poll() is not None or time.monotonic() > deadline:
                    words = self._words(started)
                    self.abandon()
                    raise StageError(f"the {kind} traffic generator did not start: {words}")
                time.sleep(0.01)

    def stop(self) -> None:
        """Let the generators end, and read what they measured."""
        for _, _, _, halt in self._running:
            halt.touch()
        for kind, started, out, _ in self._running:
            try:
                started.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.abandon()
                raise StageError(f"the {kind} traffic generator did not stop within {PATIENCE:.0f} s") from None
            http, statements = worker.collect(out)
            if http is not None:
                self.http = http
            if statements is not None:
                self.sql[kind.partition(" ")[2]] = statements
        self._running.clear()

    def abandon(self) -> None:
        """End what still runs, after an error or an interrupt."""
        for _, started, _, _ in self._running:
            if started.poll() is None:
                started.send_signal(signal.SIGKILL)
                started.wait()
        self._running.clear()

    def samples(self) -> list[Samples]:
        return [samples for samples in (self.http, *self.sql.values()) if samples is not None]

    def _words(self, process: subprocess.Popen[bytes]) -> str:
        if process.poll() is None:
            return f"nothing within {PATIENCE:.0f} s"
        _, error = process.communicate()
        lines = error.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"it ended with {process.returncode}"


Phases = dict[str, tuple[datetime, datetime]]
