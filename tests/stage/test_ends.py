"""However it ends, a stage leaves nothing: no process, no mount, no file."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fulldress.stage import Stage, StagePlan, sweep
from stage_shell import shell

pytestmark = pytest.mark.stage

_HOLD = """
import sys, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell is born deaf to it
from pathlib import Path
from fulldress.stage import Stage, StagePlan
with Stage(StagePlan(root=Path(sys.argv[1]), scratch=Path(sys.argv[2]))) as stage:
    import threading
    threading.Thread(target=lambda: stage.run(["/bin/sleep", "987654"], step="x"), daemon=True).start()
    helper = stage.popen_inside(["/bin/sh", "-c", "echo; exec /bin/sleep 987655"], stdout=-1)
    helper.stdout.readline()
    stage.wait_until(lambda: stage.run(["/bin/sh", "-c", "grep -qsa '98765[4]' /proc/[0-9]*/cmdline"], step="y").exit_code == 0)
    print("up", flush=True)
    signal.pause()
"""


def _sleepers() -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if words.startswith(b"/bin/sleep\x0098765"):
                found.append(entry.name)
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_from_outside(tree: Path, tmp_path: Path, number: int) -> None:
    scratch = tmp_path / "scratch"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tree), str(scratch)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"up\n"
        deadline = time.monotonic() + 5
        while len(_sleepers()) != 2 and time.monotonic() < deadline:
            os.sched_yield()
        held = [os.pidfd_open(int(pid)) for pid in _sleepers()]
        holder.send_signal(number)
        holder.wait(10)
        holder.stdout.close()
        assert len(held) == 2
        for sleeper in held:
            assert select.select([sleeper], [], [], 5)[0], "a process outlived its stage"
            os.close(sleeper)
    finally:
        holder.kill()  # where the test failed before it did
    assert _sleepers() == []
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    if number == signal.SIGINT:
        assert list(scratch.iterdir()) == []
    else:
        assert len(list(scratch.iterdir())) == 1
        with Stage(StagePlan(root=tree, scratch=scratch)) as stage:
            assert len(stage.swept) == 1 and len(list(scratch.iterdir())) == 1
        assert list(scratch.iterdir()) == []


def test_a_stage_of_a_living_process_is_not_swept(tree: Path, tmp_path: Path) -> None:
    with (
        Stage(StagePlan(root=tree, scratch=tmp_path)) as first,
        Stage(StagePlan(root=tree, scratch=tmp_path)) as second,
    ):
        assert first.swept == second.swept == []
        shell(first, "echo 1 > /etc/first")
        assert second.stat("/etc/first") is None


def test_a_pid_given_out_again_is_not_the_owner(tmp_path: Path) -> None:
    folder = tmp_path / f"fulldress-stage-{os.getpid()}-1-x"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep").chmod(0)
    assert sweep.sweep(tmp_path) == [folder]
