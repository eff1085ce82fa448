"""``fulldress check``: one verdict on the screen, in JSON, SARIF, JUnit and HTML, and a case that remembers it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

TOML = """name = "the desk"
zone = "Europe/Berlin"

[services.relayd]
start = ["/opt/relayd/bin/relayd"]

[[endpoints]]
host = "imports.old.example"
policy = "retired"

[window]
minutes = 45.0
"""
FILES = {
    "manifest.json": '{"name": "relayd", "version": "4.2.0"}',
    "etc/cron.d/relayd-import": "0 3 * * * root curl -s http://imports.old.example/x\n",
    "scripts/post.sh": "#!/bin/sh\nsystemctl restart relayd-bridge\n",
}


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "fulldress", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("check")
    (folder / "production").mkdir()
    (folder / "production" / "production.toml").write_text(TOML)
    with zipfile.ZipFile(folder / "relayd-4.2.0.zip", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
    return folder


def test_one_verdict_in_every_form(place: Path) -> None:
    package, production, cases = place / "relayd-4.2.0.zip", place / "production", place / "cases"
    screen = run(
        "check", package, "-p", production, "--case-store", cases, "--sarif", place / "a.sarif", "--junit", place / "a.xml",
        "--html", place / "a.html",
    )  # fmt: skip
    data = run("check", package, "-p", production, "--case-store", cases, "--json")
    assert screen.returncode == data.returncode == 1
    view = json.loads(data.stdout)
    rules = [finding["rule"] for finding in view["findings"]]
    assert {"FD301", "FD402", "FD102"} <= set(rules)
    assert rules.count("FD301") == 1
    assert all(rule in screen.stdout for rule in rules)
    assert max(len(line) for line in screen.stdout.splitlines() if "fulldress plan" not in line) <= 80
    log = json.loads((place / "a.sarif").read_text())
    assert [r["ruleId"] for r in log["runs"][0]["results"]] == rules
    assert ElementTree.parse(place / "a.xml").getroot().tag == "testsuites"  # noqa: S314 - our own text
    assert "NO-GO" in (place / "a.html").read_text()
    assert [folder.name for folder in cases.iterdir()] == ["relayd-4.2.0"]


def test_without_a_case_nothing_is_kept(place: Path) -> None:
    store = place / "none"
    assert (
        run(
            "check", place / "relayd-4.2.0.zip", "-p", place / "production", "--case-store", store, "--no-case"
        ).returncode
        == 1
    )
    assert not store.exists()


def test_the_negotiated_window_is_a_witness(place: Path) -> None:
    done = run("check", place / "relayd-4.2.0.zip", "-p", place / "production", "--no-case", "--json")
    said = [f for f in json.loads(done.stdout)["facts"] if f["fact"] == "Downtime" and f["witness"] == "running"]
    assert [(f["duration"], f["basis"]) for f in said] == [("PT2700S", "production.toml [window]")]


def test_a_package_that_nobody_signed_is_known_to_be_so(tmp_path: Path) -> None:
    package = tmp_path / "relayd-4.2.0.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("scripts/post.sh", "#!/bin/sh\necho done\n")
    done = run("inspect", package)
    assert done.returncode == 0, "a major finding, and nothing unknown"
    assert "FD102" in done.stdout
    assert "nobody, as far as this program can tell" in done.stdout
    assert "needed" not in done.stdout
