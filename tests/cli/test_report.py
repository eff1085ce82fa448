"""``fulldress report CASE``: the latest rehearsal, judged under the waivers of today."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

import rehearsed
from fulldress.case import Store
from fulldress.report import dump


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "fulldress", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    case = Store(folder).open_case(rehearsed.DIGEST, "relayd.zip", label="relayd-4.2.0", size=1)
    (case.folder / "view.json").write_text(dump(rehearsed.rehearsal()))
    Store(folder).open_case("ab" * 32, "other.zip", label="other-1", size=1)
    return folder


def test_text_json_and_html_say_the_same(store: Path) -> None:
    text = run("report", "relayd-4.2.0", "--text", "--case-store", store)
    data = run("report", "relayd-4.2.0", "--json", "--case-store", store)
    page = run("report", "relayd-4.2.0", "--case-store", store)
    assert text.returncode == data.returncode == page.returncode == 1
    view = json.loads(data.stdout)
    html = Path(page.stdout.strip()).read_text()
    assert view["kind"] == "rehearsal"
    assert view["verdict"]["counts"]["blocker"] > 0
    for finding in view["findings"]:
        assert finding["rule"] in text.stdout
        assert finding["rule"] in html


def test_the_timeline_as_a_picture(store: Path, tmp_path: Path) -> None:
    done = run("report", "relayd-4.2.0", "--json", "--png", tmp_path / "a" / "timeline.png", "--case-store", store)
    assert done.returncode == 1
    assert (tmp_path / "a" / "timeline.png").read_bytes().startswith(b"\x89PNG")


def test_a_waiver_given_since_counts(store: Path) -> None:
    before = json.loads(run("report", "relayd-4.2.0", "--json", "--case-store", store).stdout)
    until = (date.today() + timedelta(days=30)).isoformat()  # noqa: DTZ011 - a day, as a person names it
    given = run(
        "case", "waive", "FD402", "relayd-bridge", "--why", "an alias stands", "--who", "A. Ops", "--until", until,
        "--case", "relayd-4.2.0", "--case-store", store,
    )  # fmt: skip
    assert given.returncode == 0, given.stderr
    after = json.loads(run("report", "relayd-4.2.0", "--json", "--case-store", store).stdout)
    assert after["verdict"]["counts"]["blocker"] == before["verdict"]["counts"]["blocker"] - 1


@pytest.mark.parametrize(("name", "words"), [("other-1", "rehears"), ("nobody-9", "nobody-9")])
def test_no_rehearsal_and_no_case_are_one_line(store: Path, name: str, words: str) -> None:
    done = run("report", name, "--case-store", store)
    assert 2 <= done.returncode <= 9
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
