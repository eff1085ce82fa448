"""``fulldress database prove``: folders, files and programs; the release, its steps, and rows that are written later."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fulldress.cli import run

BASE = (
    "CREATE TABLE t (id int PRIMARY KEY, ref text);\nINSERT INTO t SELECT g, 'r' || g FROM generate_series(1, 900) g;\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.sql").write_text(BASE)
    made = tmp_path / "migrations"
    made.mkdir()
    (made / "0001_t.up.sql").write_text("CREATE TABLE t (id int PRIMARY KEY, ref text);\n")
    (made / "0001_t.down.sql").write_text("DROP TABLE t;\n")
    (made / "0002_u.up.sql").write_text("CREATE TABLE u (id int PRIMARY KEY); ALTER TABLE t ADD COLUMN n int;\n")
    (made / "0002_u.down.sql").write_text("ALTER TABLE t DROP COLUMN n; DROP TABLE u;\n")
    return tmp_path


def prove(folder: Path, *words: str) -> int:
    return run(
        ["database", "prove", str(folder / "migrations"), "--dump", str(folder / "base.sql"), "--since", "0001", *words]
    )


def test_a_release_that_comes_back_and_what_it_loses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "later.sql").write_text("INSERT INTO u VALUES (1), (2); INSERT INTO t (id) VALUES (5000);")
    assert prove(folder, "--after", str(folder / "later.sql")) == 0
    told = capsys.readouterr().out
    assert "release 0002_u: restored (900 rows)" in told
    assert "of 3 rows written after the upgrade (recorded):" in told
    assert "down scripts  1 survive, 2 lost (u: 2 of 2); old rows whole" in told
    assert "FD240  major: the best way back (down scripts) loses 2 of 3 rows" in told


def test_a_lost_column_is_no_go(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "migrations/0003_ref.up.sql").write_text("ALTER TABLE t DROP COLUMN ref;")
    (folder / "migrations/0003_ref.down.sql").write_text("ALTER TABLE t ADD COLUMN ref text;")
    assert prove(folder, "--no-window", "--json") == 1
    facts = json.loads(capsys.readouterr().out)
    undone = {fact["name"]: fact["outcome"] for fact in facts if fact["fact"] == "Undo"}
    assert undone == {"2 migrations": "not restored", "0002_u": "restored", "0003_ref": "not restored"}


def test_from_an_empty_database_the_steps_decide(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "migrations/0003_ref.up.sql").write_text("ALTER TABLE t DROP COLUMN ref;")
    (folder / "migrations/0003_ref.down.sql").write_text("ALTER TABLE t ADD COLUMN ref text;")
    assert run(["database", "prove", str(folder / "migrations"), "--no-window"]) == 1
    told = capsys.readouterr().out
    assert "steps: 2 of 3 restore what was before" in told
    assert "FD241  blocker: the way back of 0003_ref does not bring back what was there" in told


def test_programs_go_there_and_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def words(sql: str) -> str:
        return f'psql -Xq -d {{url}} -c "{sql}"'

    arguments = ["--dump", str(folder / "base.sql"), "--no-window"]
    back = words("ALTER TABLE t DROP n")
    assert (
        run(["database", "prove", *arguments, "--up-command", words("ALTER TABLE t ADD n int"), "--down-command", back])
        == 0
    )
    assert (
        run(
            [
                "database",
                "prove",
                *arguments,
                "--up-command",
                words("ALTER TABLE t DROP ref"),
                "--down-command",
                words("ALTER TABLE t ADD ref text"),
            ]
        )
        == 1
    )
    assert "column lost (ref): t in 900 rows" in capsys.readouterr().out
    assert run(
        ["database", "prove", *arguments, "--up-command", f"{sys.executable} -c pass", "--down-command", back]
    ) in (1, 3)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Give a folder, or --up and --down files, or --up-command"),
        (["{folder}", "--up", "{folder}/0001_t.up.sql"], "Give a folder, or"),
        (["{folder}", "--since", "0009"], "has no migration 0009; the last are 0001_t, 0002_u"),
        (["{folder}", "--since", "0002"], "nothing comes after it"),
    ],
)
def test_what_is_not_said_well_is_two(
    words: list[str], says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.format(folder=folder / "migrations") for word in words]
    assert run(["database", "prove", *given]) == 2
    assert says in capsys.readouterr().err
