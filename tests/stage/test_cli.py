"""``fulldress stage`` and ``fulldress doctor`` as a user meets them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from fulldress.cli import run

pytestmark = pytest.mark.stage


def test_effects_connections_and_commands_on_one_screen(tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = "echo x >> /etc/app/app.conf; systemctl restart nope; python3 -c 'import socket; socket.create_connection((\"a.example\", 80)).recv(1)'"
    assert run(["stage", "--root", str(tree), "--", "sh", "-c", script + "; exit 7"]) == 1
    out, err = capfd.readouterr()
    assert "exit code 7" in out and "change  /etc/app/app.conf" in out and "http://a.example:80" in out
    assert "restart nope: no such unit" in out and "Unit nope.service not found." in err
    assert all(len(line) <= 80 for line in out.splitlines())


def test_json(tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["stage", "--root", str(tree), "--json", "--", "touch", "/etc/x"]) == 0
    facts = json.loads(capfd.readouterr().out)
    assert [f["path"] for f in facts if f["fact"] == "FileEffect"] == ["/etc/x"]


def _root_is_an_overlay() -> bool:
    """As in a container; another overlay can't lie over it."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [kind for _, place, kind, *_ in mounts if place == "/"][-1:] == ["overlay"]


def test_this_machines_own_files_lie_below_where_no_tree_is_given(capfd: pytest.CaptureFixture[str]) -> None:
    probe = Path.home() / ".fulldress-stage-probe"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        code = run(["stage", "--scratch", scratch, "--", "sh", "-c", f"echo x > {probe} && cat {probe}"])
    said = capfd.readouterr()
    if _root_is_an_overlay() and (
        "is read-only: no overlay over it" in said.out or "cannot set up a stage" in said.err
    ):
        pytest.skip("this machine's root is an overlay itself, and can't lie under another")
    assert code == 0
    assert not probe.exists()


def test_a_folder_of_this_machine_that_the_scratch_folder_hides_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        code = run(["stage", "--scratch", scratch, "--json", "--", "true"])
    said = capfd.readouterr()
    if _root_is_an_overlay() and "cannot set up a stage" in said.err:
        pytest.skip("this machine's root is an overlay itself, and can't lie under another")
    assert code == 0
    assert "this machine's /var" in [fact.get("what") for fact in json.loads(said.out)]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--root", "/no/such/tree", "--", "true"], 7, "no such folder"),
        (["--root", "/", "-p", "/", "--", "true"], 2, "either"),
        (["--package", "/no/such/file.zip", "--", "true"], 4, "no such file"),
        ([], 2, "Missing argument"),
    ],
)
def test_mistakes_are_one_clear_line(
    arguments: list[str], code: int, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["stage", *arguments]) == code
    assert words in capfd.readouterr().err


def test_doctor_tells_what_can_be_rehearsed(capfd: pytest.CaptureFixture[str]) -> None:
    code = run(["doctor", "--json"])
    told = json.loads(capfd.readouterr().out)
    by_name = {ability["name"]: ability for ability in told["abilities"]}
    assert {"namespaces", "file overlay", "file owners", "network redirect", "names", "clock", "PostgreSQL"} <= set(
        by_name
    )
    assert code == (0 if all(ability["ok"] is not False for ability in told["abilities"]) else 3)
    assert all(ability.get("remedy") for ability in told["abilities"] if not ability["ok"])
