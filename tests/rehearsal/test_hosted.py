"""Schedules that stand on a host are found under a name that stays the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fulldress.facts import JobRun, Unread
from fulldress.rehearsal.hosted import HostFiles, host_schedules
from fulldress.rehearsal.night import night_after
from fulldress.stage import Stage, StagePlan

OBSTACLES = Stage.possible()
pytestmark = [pytest.mark.stage, pytest.mark.skipif(bool(OBSTACLES), reason=OBSTACLES[0].detail if OBSTACLES else "")]
AT = datetime(2026, 11, 29, 1, tzinfo=UTC)
TIMER = "[Timer]\nOnCalendar=*-*-* 02:30:00\nUnit=tide.service\n\n[Install]\nWantedBy=timers.target\n"
SERVICE = "[Service]\nType=oneshot\nExecStart=/bin/echo low tide\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {
        "etc/cron.d/harbour": "# m h\n5 1 * * * root /bin/echo lights\n0 4 1 * * root /bin/echo fees\n",
        "etc/crontab": "SHELL=/bin/sh\n17 3 * * * nobody /bin/false\n",
        "etc/systemd/system/tide.timer": TIMER,
        "etc/systemd/system/tide.service": SERVICE,
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
    }.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "root"


def test_every_schedule_of_the_host_has_its_place_and_hour(root: Path, tmp_path: Path) -> None:
    with Stage(StagePlan(root=root, scratch=tmp_path / "s", epoch=AT)) as stage:
        found = host_schedules(stage, AT, "UTC", "run:1")
        again = host_schedules(stage, AT + timedelta(hours=5), "UTC", "run:1")
        assert found.keys() == again.keys(), "a name holds no instant"
        by_command = {s.command: s for s in found.values() if s.command}
        assert by_command["/bin/echo lights"].next_runs[0] == AT + timedelta(minutes=5)
        assert by_command["/bin/false"].next_runs[0] == datetime(2026, 11, 29, 3, 17, tzinfo=UTC)
        assert by_command["/bin/false"].user == "nobody"
        assert by_command["/bin/echo lights"].evidence.path == "etc/cron.d/harbour"
        timer = next(s for s in found.values() if s.mechanism == "systemd timer")
        assert timer.next_runs[0] == datetime(2026, 11, 29, 2, 30, tzinfo=UTC)
        assert HostFiles(stage, ("/etc/nowhere",), found_options(), "run:1").members == {}


def found_options():  # type: ignore[no-untyped-def]
    from fulldress.package.reader import Options

    return Options(at=AT, zone="UTC")


def test_the_night_after_runs_what_is_due_and_says_what_is_not(root: Path, tmp_path: Path) -> None:
    with Stage(StagePlan(root=root, scratch=tmp_path / "s", epoch=AT)) as stage:
        before = host_schedules(stage, stage.now(), "UTC", "run:1")
        stage.remove("/etc/crontab")
        stage.write("/etc/cron.d/new", b"0 6 7 * * root echo fresh > /var/fresh; exit 3\n")
        facts = list(
            night_after(
                stage, before, {}, horizon=timedelta(hours=24), limit=timedelta(seconds=5), zone="UTC", source="run:1"
            )
        )
        assert stage.read("/var/fresh") == b"fresh\n"
    runs = [f for f in facts if isinstance(f, JobRun)]
    assert [(r.exit_code, r.words) for r in runs] == [(0, "lights"), (0, "low tide"), (3, "")]
    assert [r.due for r in runs] == sorted(r.due for r in runs) and runs[0].due == AT + timedelta(minutes=5)
    gaps = {f.what: f.detail for f in facts if isinstance(f, Unread)}
    assert any("gone after it" in detail for detail in gaps.values()), "the job that the upgrade took away is told"
    assert any("due at 2026-12-01 04:00 UTC, after the night" in detail for detail in gaps.values())
