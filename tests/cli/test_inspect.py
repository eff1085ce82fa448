"""``fulldress inspect``: exit codes, one clear line for bad input, data on standard output."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "fulldress", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def package(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_the_screen_and_the_json_agree(tmp_path: Path) -> None:
    path = package(tmp_path / "widget-4.2.0.zip", {"scripts/post.sh": "#!/bin/sh\nshutdown -r now\n"})
    screen, data = run("inspect", path), run("inspect", path, "--json")
    assert screen.returncode == data.returncode and screen.stderr == data.stderr == ""
    view = json.loads(data.stdout)
    assert view["package"]["entries"] == 1
    assert any(fact["fact"] == "Reboot" for fact in view["facts"])
    assert "widget-4.2.0.zip" in screen.stdout
    assert max(map(len, screen.stdout.splitlines())) <= 80


def test_against_an_older_package(tmp_path: Path) -> None:
    old = package(tmp_path / "widget-4.1.0.zip", {"a.sh": "#!/bin/sh\n"})
    new = package(tmp_path / "widget-4.2.0.zip", {"a.sh": "#!/bin/sh\n", "etc/cron.d/j": "0 3 * * * root /opt/j\n"})
    view = json.loads(run("inspect", new, "--against", old, "--json").stdout)
    assert [(c["what"], c["family"]) for c in view["changes"]][:2] == [("changed", "Release"), ("added", "Schedule")]


def test_the_same_release_with_other_bytes_is_noticed(tmp_path: Path) -> None:
    manifest = '{"name": "widget", "version": "4.2.0"}'
    first = package(tmp_path / "widget.zip", {"manifest.json": manifest, "a.sh": "#!/bin/sh\n"})
    assert "FD030" not in run("inspect", first).stdout
    assert "FD030" not in run("inspect", first).stdout
    second = package(tmp_path / "widget.zip", {"manifest.json": manifest, "a.sh": "#!/bin/sh\n:\n"})
    assert "FD030" in run("inspect", second).stdout


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, 4, "no such file or folder"),
        (b"", 3, "it is empty"),
        (bytes(range(256)) * 9, 3, "its format is unknown"),
        (b"PK\3\4cut", 3, "no member"),
        (b"\x1f\x8b\x08\0cut", 3, "no member"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, content: bytes | None, code: int, words: str) -> None:
    path = tmp_path / "x.zip"
    if content is not None:
        path.write_bytes(content)
    done = run("inspect", path)
    assert done.returncode == code
    assert done.stdout == "" and done.stderr.count("\n") == 1
    assert words in done.stderr and str(path) in done.stderr


@pytest.mark.parametrize("option", [("--at", "yesterday"), ("--zone", "Nowhere/Town"), ("--fail-on", "bad")])
def test_a_bad_option_is_said(tmp_path: Path, option: tuple[str, str]) -> None:
    done = run("inspect", package(tmp_path / "x.zip", {"a": "1"}), *option)
    assert done.returncode == 2 and option[0] in done.stderr and "Traceback" not in done.stderr
