"""Stages on machines and trees that are not as one would like them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fulldress.facts import Unread
from fulldress.stage import Stage, StagePlan
from stage_shell import shell

pytestmark = pytest.mark.stage

#: Runs a stage whose scratch folder is a mount with these options, in a mount namespace of its own.
_MOUNTED = """
import subprocess, sys
from pathlib import Path
from fulldress.errors import StageError
from fulldress.stage import Stage, StagePlan
tree, scratch, options = sys.argv[1:4]
subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", scratch], check=True)
try:
    with Stage(StagePlan(root=Path(tree), scratch=Path(scratch))) as stage:
        print(stage.run(["/bin/sh", "-c", sys.argv[4]], step="x").output, [lack.what for lack in stage.lacks])
except StageError as error:
    print(type(error).__name__, error)
print(list(Path(scratch).iterdir()))
"""


def mounted(tree: Path, scratch: Path, options: str, script: str) -> str:
    if os.geteuid() != 0:
        pytest.skip("mounts a file system of its own")
    scratch.mkdir()
    argv = ["unshare", "-m", sys.executable, "-c", _MOUNTED, str(tree), str(scratch), options, script]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout


def test_programs_run_from_a_scratch_folder_without_exec(tree: Path, tmp_path: Path) -> None:
    script = "printf '#!/bin/sh\\necho ran\\n' > /tmp/p; chmod 755 /tmp/p; /tmp/p"
    assert mounted(tree, tmp_path / "s", "noexec", script).startswith("ran\n")


def test_a_scratch_folder_that_runs_full_is_told(tree: Path, tmp_path: Path) -> None:
    said = mounted(tree, tmp_path / "s", "size=3m", "head -c 9000000 /dev/zero > /opt/big")
    assert "No space left" in said and "steps after the scratch folder ran full" in said and said.endswith("[]\n")


@pytest.mark.parametrize(
    ("options", "why"), [("ro", "Read-only file system"), ("nr_inodes=40", "No space left on device")]
)
def test_a_scratch_folder_of_no_use_is_one_clear_error(tree: Path, tmp_path: Path, options: str, why: str) -> None:
    said = mounted(tree, tmp_path / "s", options, "true")
    assert said.startswith("NoScratch") and why in said and "TMPDIR" in said and said.endswith("[]\n")


def test_a_strict_umask_does_not_close_the_stage(tree: Path, tmp_path: Path) -> None:
    with Stage(StagePlan(root=tree, scratch=tmp_path / "usual")) as stage:
        usual = stage.mode
    kept = os.umask(0o077)
    try:
        with Stage(StagePlan(root=tree, scratch=tmp_path / "s")) as stage:
            assert stage.mode == usual
            assert (
                shell(stage, "cat /etc/resolv.conf; stat -c %a /etc /usr/bin/sudo /opt")[1].split()[2:] == ["755"] * 3
            )
    finally:
        os.umask(kept)
    assert os.umask(kept) == kept


def test_scratch_folders_may_have_any_name_and_no_home_is_needed(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME", raising=False)
    with Stage(StagePlan(root=tree, scratch=tmp_path / "a b,c:d")) as stage:
        assert shell(stage, "echo $HOME") == (0, "/root\n")


def test_top_folders_may_have_any_name(tree: Path, tmp_path: Path) -> None:
    (tree / "data 1,2:3\\4").mkdir()
    (tree / "data 1,2:3\\4/old").write_text("old\n")
    with Stage(StagePlan(root=tree, scratch=tmp_path / "s")) as stage:
        assert shell(stage, "cd '/data 1,2:3\\4'; cat old; echo new > new") == (0, "old\n")
        assert [(e.action, e.path) for e in stage.effects()] == [("create", "/data 1,2:3\\4/new")]


def test_trees_may_hold_what_is_no_file(tree: Path, tmp_path: Path) -> None:
    held = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(tree / "var")
    try:
        held.bind("sock")
    finally:
        os.chdir(here)
        held.close()
    os.mkfifo(tree / "var/fifo")
    (tree / "etc/loop").symlink_to("loop")
    for number in range(2000):
        (tree / f"opt/app/{number}").touch()
    with Stage(StagePlan(root=tree, scratch=tmp_path / "s")) as stage:
        assert (
            shell(stage, "test -S /var/sock && test -p /var/fifo && rm /var/sock && ls /opt/app | wc -l")[1] == "2001\n"
        )
        assert stage.undo_check(stage.snapshot()) == []
        assert [(e.action, e.path) for e in stage.effects()] == [("delete", "/var/sock")]


def test_what_an_ordinary_user_may_not_read_is_told(tree: Path, tmp_path: Path) -> None:
    (tree / "etc/closed").write_text("secret\n")
    (tree / "etc/closed").chmod(0)
    with Stage(StagePlan(root=tree, scratch=tmp_path / "s")) as stage:
        assert (
            shell(stage, "cat /etc/closed; echo more >> /etc/closed; mkdir /opt/n; echo > /opt/n/f; chmod 0 /opt/n")[0]
            == 0
        )
        assert {(e.action, e.path) for e in stage.effects()} >= {("change", "/etc/closed"), ("create", "/opt/n")}
        gaps = [fact.what for fact in stage.facts() if isinstance(fact, Unread)]
        if stage.mode == "alone":
            assert "changes below /opt/n" in gaps and "1 files or folders of production's tree" in gaps
        else:
            assert ("create", "/opt/n/f") in {(e.action, e.path) for e in stage.effects()}
