"""Stages for tests: a small production tree, and the whole room skipped where no stage can be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulldress.stage import Stage, StagePlan

OBSTACLES = Stage.possible()

UNIT = """[Unit]
Description=The core
After=network.target

[Service]
ExecStart=/usr/bin/sleep 1000
EnvironmentFile=-/etc/default/core

[Install]
WantedBy=multi-user.target
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if OBSTACLES:
        for item in items:
            if "stage" in str(item.path):
                item.add_marker(pytest.mark.skip(reason=OBSTACLES[0].detail))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A production tree with one setting, one unit, one crontab of root's, one enabled unit."""
    root = tmp_path / "production"
    (root / "etc/app").mkdir(parents=True)
    (root / "etc/app/app.conf").write_text("mode = old\npassword = hunter2hunter2\n")
    (root / "etc/systemd/system/multi-user.target.wants").mkdir(parents=True)
    (root / "etc/systemd/system/core.service").write_text(UNIT)
    (root / "etc/systemd/system/multi-user.target.wants/core.service").symlink_to("/etc/systemd/system/core.service")
    (root / "var/spool/cron/crontabs").mkdir(parents=True)
    (root / "var/spool/cron/crontabs/root").write_text("5 1 * * * /usr/local/bin/backup\n")
    (root / "var/log").mkdir(parents=True)
    (root / "opt/app/bin").mkdir(parents=True)
    (root / "opt/app/bin/app").write_text("#!/bin/sh\necho app 1\n")
    (root / "opt/app/bin/app").chmod(0o755)
    return root


@pytest.fixture
def stage(tree: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    with Stage(StagePlan(root=tree, scratch=tmp_path / "scratch")) as opened:
        yield opened
