"""``fulldress database trace`` and ``prove`` for a build server: exit code, JUnit, SARIF."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from fulldress.cli import run

UP = "CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t SELECT g, 'n' FROM generate_series(1, 50) g;"
LOSE = "ALTER TABLE t DROP COLUMN note;"
BACK = "ALTER TABLE t ADD COLUMN note text;"


def suites_of(path: Path) -> ElementTree.Element:
    return ElementTree.parse(path).getroot()  # noqa: S314 - written by ourselves


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    (tmp_path / "seed.sql").write_text(UP)
    (tmp_path / "up.sql").write_text(UP + LOSE)
    (tmp_path / "down.sql").write_text("DROP TABLE t;")
    (tmp_path / "fails.sql").write_text(UP + "ALTER TABLE nix ADD COLUMN a int;")
    return tmp_path


def test_a_trace_that_ran_passes_and_names_no_rule_that_was_not_judged(
    scripts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = scripts / "out.xml"
    assert run(["database", "trace", str(scripts / "up.sql"), "--junit", str(out)]) == 0
    assert "DROP COLUMN note" in capsys.readouterr().out
    suites = {suite.get("name"): suite for suite in suites_of(out)}
    assert suites["rules"].get("tests") == "0"
    (case,) = suites["scripts"]
    assert case.get("name") == "up.sql" and float(case.get("time", "0")) > 0 and not list(case)


def test_a_script_that_fails_is_a_failure_everywhere(scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, log = scripts / "out.xml", scripts / "out.sarif"
    argv = ["database", "trace", str(scripts / "fails.sql"), "--junit", str(out), "--sarif", str(log)]
    assert run(argv) == 1
    said = capsys.readouterr().out
    assert 'failed: relation "nix" does not exist' in said and "FAILED fails.sql" in said
    (case,) = next(suite for suite in suites_of(out) if suite.get("name") == "scripts")
    assert case.find("failure") is not None
    assert msgspec.json.decode(log.read_bytes())["version"] == "2.1.0"


def test_a_way_back_that_loses_is_said_by_rule_and_by_exit_code(
    scripts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scripts / "lose.sql").write_text(LOSE)
    (scripts / "back.sql").write_text(BACK)
    dump = scripts / "before.sql"
    dump.write_text(UP)
    out = scripts / "out.xml"
    argv = [
        "database",
        "prove",
        "--dump",
        str(dump),
        "--up",
        str(scripts / "lose.sql"),
        "--down",
        str(scripts / "back.sql"),
    ]
    assert run([*argv, "--junit", str(out)]) == 1
    said = capsys.readouterr().out
    assert "FD209" in said and "note" in said
    failures = [case.get("name") for suite in suites_of(out) for case in suite if case.find("failure") is not None]
    assert any("t: column lost" in str(name) for name in failures)
