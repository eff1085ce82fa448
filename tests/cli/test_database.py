"""``fulldress database``: exit codes, one clear line for errors, data on stdout and talk on stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fulldress.cli import run

BASE = (
    "CREATE TABLE t (id int PRIMARY KEY, ref text);\nINSERT INTO t SELECT g, 'r' || g FROM generate_series(1, 900) g;\n"
)


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    (tmp_path / "0.sql").write_text(BASE)
    (tmp_path / "1.up.sql").write_text("ALTER TABLE t DROP COLUMN ref;\n")
    (tmp_path / "1.down.sql").write_text("ALTER TABLE t ADD COLUMN ref text;\n")
    (tmp_path / "bad.sql").write_text("SELECT 1;\n\nSELECT 1/0;\n")
    return tmp_path


def test_trace_tells_statement_lock_and_two_runners(scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["database", "trace", str(scripts / "0.sql"), str(scripts / "1.up.sql"), "--twice"]) == 0
    told = capsys.readouterr()
    assert "ALTER TABLE t DROP COLUMN ref;" in told.out and "AccessExclusiveLock on t" in told.out
    assert "two runners at once: one failed" in told.out
    assert "cloning an empty database" in told.err and "cloning" not in told.out


def test_a_failing_script_is_no_go_with_its_line(scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["database", "trace", str(scripts / "bad.sql")]) == 1
    assert "FAILED bad.sql:3: division by zero" in capsys.readouterr().out


def test_prove_names_the_lost_column(scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--up", "0.sql", "--up", "1.up.sql", "--down", "1.down.sql"]
    arguments = [str(scripts / one) if one.endswith(".sql") else one for one in options]
    assert run(["database", "prove", *arguments, "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert any(fact["fact"] == "Difference" and fact["kind"] == "rows added" for fact in facts)


def test_errors_are_one_line_and_six(scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["database", "trace", str(scripts / "0.sql"), "--url", "postgresql://u:geheim@127.0.0.1:1/x"]
    assert run(arguments) == 6
    told = capsys.readouterr().err
    assert told.startswith("fulldress: Database postgresql://u:********@") and told.count("\n") == 1
    assert run(["database", "servers", "--pg-bin", str(scripts)]) == 6
    assert run(["database", "trace", "--url", "a", "--dump", str(scripts / "0.sql"), str(scripts / "0.sql")]) == 2


def test_servers_are_listed_with_their_origin(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["database", "servers", "--json"]) == 0
    assert {"bin", "version", "major", "origin"} <= json.loads(capsys.readouterr().out)[0].keys()


def test_a_migration_among_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.sql").write_text(
        "CREATE ROLE fulldress_test_cli; CREATE TABLE kinds (k int); INSERT INTO kinds VALUES (1);"
    )
    arguments = [
        "database",
        "trace",
        str(tmp_path / "m.sql"),
        "--twice",
        "--crowd",
        "--interrupt",
        "--fail-on",
        "blocker",
    ]
    run(arguments)
    told = capsys.readouterr()
    assert "two runners at once: one failed [none; the loser" in told.out
    assert "killed at 2 of 2 places: broken" in told.out
    assert 'before statement 3, INSERT INTO kinds VALUES (1);: started again it fails: m.sql:1: role "fulldress_test_cli"' in told.out  # fmt: skip


def test_a_script_that_never_ends_is_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.sql").write_text("SELECT pg_sleep(600);")
    assert run(["database", "trace", str(tmp_path / "m.sql"), "--limit", "0.5"]) == 1
    assert "FAILED m.sql: it did not end within 0.5 s, and was ended" in capsys.readouterr().out
