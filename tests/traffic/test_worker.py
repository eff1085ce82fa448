from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fulldress.errors import BadPlan
from fulldress.traffic import worker
from traffic.plans import plan


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)


@pytest.mark.parametrize("how", ["signal", "file", "seconds"])
def test_a_process_of_its_own(server, tmp_path: Path, how: str) -> None:
    stop, started = tmp_path / "stop", tmp_path / "started"
    worker.write(
        worker.Plan(
            workload=plan(["/a"], 100, 0.2), target=server.address, stop_file=str(stop), started_file=str(started),
            seconds=0.3 if how == "seconds" else None,
        ),
        tmp_path / "plan.json",
    )  # fmt: skip
    process = subprocess.Popen(worker.command(tmp_path / "plan.json", tmp_path / "out.json"))
    wait_for(started)
    if how == "signal":
        process.send_signal(signal.SIGTERM)
    elif how == "file":
        stop.touch()
    assert process.wait(timeout=20) == 0
    http, statements = worker.collect(tmp_path / "out.json")
    assert statements is None
    assert http is not None
    assert set(http.status) <= {200}
    assert len(http) == 30 or how != "seconds"


def test_what_went_wrong_reaches_the_caller(tmp_path: Path) -> None:
    worker.write(worker.Plan(workload=plan(["/a"], 10, 1), target="http://192.0.2.1"), tmp_path / "plan.json")
    process = subprocess.run(worker.command(tmp_path / "plan.json", tmp_path / "out.json"), check=False)
    assert process.returncode == 7
    with pytest.raises(BadPlan, match=r"192\.0\.2\.1 was refused"):
        worker.collect(tmp_path / "out.json")
    with pytest.raises(BadPlan, match="without a result"):
        worker.collect(tmp_path / "none.json")
    (tmp_path / "plan.json").write_text("{")
    assert worker.main([str(tmp_path / "plan.json"), str(tmp_path / "out.json")]) == 7
    assert sys.executable in worker.command(tmp_path, tmp_path)
