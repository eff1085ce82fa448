"""A run that is killed at any moment goes on without doing anything twice."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import select
import signal
from pathlib import Path

from fulldress.engine import Engine, Journal
from fulldress.engine.venues.files import below
from fulldress.engine.venues.local import Local
from fulldress.errors import StillAlive
from fulldress.runbook.steps import Command, File, Header, Probe, Runbook

USER = pwd.getpwuid(os.geteuid()).pw_name
STEPS = 12


def _runbook(folder: Path, probes: bool) -> Runbook:
    """Every command appends a line to a log and creates a file that may not be there yet: twice would show in both."""
    steps: list[Command | File] = []
    for number in range(STEPS):
        mark = str(folder / "world" / f"effect-{number}")
        if number % 3 == 2:
            steps.append(File(name=f"file-{number}", path=mark, text=f"bytes {number}", owner=USER))
            continue
        argv = ("/bin/sh", "-c", 'echo "$1" >> "$2"; : > "$1"', "sh", mark, str(folder / "log"))
        verify = (Probe(file=mark),) if probes else ()
        steps.append(Command(name=f"step-{number}", argv=argv, user=USER, verify=verify))
    return Runbook(runbook=Header(product="p", version="2", package="0" * 64), step=tuple(steps))


def _attempt(folder: Path, life: float) -> str:
    """One run in a process of its own, killed after ``life`` seconds: pass, alive (it refused), or killed."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        word = b"broken"
        try:
            with Journal(folder / "journal.db") as journal:
                engine = Engine(_runbook(folder, True), Local("here", folder=folder), journal, entries=lambda _: b"")
                word = engine.run().outcome.value.encode()
        except StillAlive:
            word = b"alive"
        finally:
            os.write(writer, word)
            os._exit(0)
    os.close(writer)
    select.select([reader], [], [], life)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    word = os.read(reader, 20).decode() or "killed"
    os.close(reader)
    return word


def test_no_effect_twice_under_kill_9(tmp_path: Path) -> None:
    dice, kills, trial = random.Random(20261125), 0, 0
    while trial < 6 or (kills < 20 and trial < 40):  # a fast machine ends many a run before the dice do
        trial += 1
        folder = tmp_path / str(trial)
        (folder / "world").mkdir(parents=True)
        word, attempts = "", 0
        while word != "pass":
            attempts += 1
            assert attempts < 100
            # every attempt may live a little longer than the one before, so that a slow machine gets there, too
            word = _attempt(folder, dice.random() * 0.03 * (1 + attempts / 2))
            assert word in ("pass", "killed", "alive")
            kills += word == "killed"
        lines = (folder / "log").read_text().splitlines()
        assert len(lines) == len(set(lines)) == STEPS * 2 // 3
        assert len(below(folder / "world")) == STEPS + 1
        with Journal(folder / "journal.db", read_only=True) as journal:
            assert journal.chain.verify() > STEPS * 2
            done = [entry.key for entry in journal.chain.entries("done")]
            assert len(done) == len(set(done))
    assert kills >= 20, "the dice never hit"
