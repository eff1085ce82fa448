"""What a database instrument works on: the options, each kind once, and what does not go together."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fulldress.cli.group import cli
from fulldress.database.postgres import Clone, Server, resolve


@pytest.fixture(scope="module")
def production() -> Iterator[Clone]:
    with Server(resolve()) as server:
        clone = server.create("prod")
        clone.execute(
            "CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL); INSERT INTO t SELECT g, 'Zsuzsanna' || g FROM"
            " generate_series(1, 500) g; ANALYZE",
            name="m.sql",
            step="",
        )
        yield clone


@pytest.fixture
def migration(tmp_path: Path) -> Path:
    path = tmp_path / "m.sql"
    path.write_text("ALTER TABLE t ALTER id TYPE bigint;\n")
    return path


def run(*words: str | Path) -> tuple[int, str]:
    from click.testing import CliRunner

    done = CliRunner().invoke(cli, ["database", *(str(word) for word in words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return getattr(done.exception, "exit_code", 99), str(done.exception)
    code = done.return_value if done.return_value is not None else done.exit_code
    return int(code), done.output


def test_capture_and_a_trace_on_made_up_rows(production: Clone, migration: Path, tmp_path: Path) -> None:
    file = tmp_path / "prod.json"
    code, said = run("capture", "--url", production.server.dsn("prod", "postgres"), "-o", file, "--json")
    assert (code, "Zsuzsanna" in file.read_text()) == (0, False)
    told = json.loads(said)
    assert (told["tables"], told["rows"], told["unknown"]) == (1, 500, [])
    code, said = run("trace", "--stand-in", file, "--scale", "0.5", migration)
    assert code == 0, said
    assert "rewrites" in said and "250" not in said.split("rewrites")[0]
    assert "not measured: production's own rows" in said and "--scale" in said


@pytest.mark.parametrize("form", ["plain", "directory"])
def test_dumps(form: str, production: Clone, migration: Path, tmp_path: Path) -> None:
    dump = tmp_path / "prod"
    programs = production.server.installation
    dsn = production.server.dsn("prod", "postgres")
    subprocess.run([programs.program("pg_dump"), f"--format={form}", "-f", dump, "-d", dsn], check=True)
    code, said = run("trace", "--dump", dump, migration)
    assert code == 0 and "rewrites" in said, said


def test_a_running_servers_folder_is_refused(production: Clone, migration: Path) -> None:
    code, said = run("trace", "--data", production.server.base / "data", migration)
    assert code == 6 and "a server runs on it" in said and "--url" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--url", "postgresql://h/x", "--dump", "."], "not both"),
        (["--data", ".", "--stand-in", __file__], "not both"),
        (["--scale", "2"], "--scale is for --stand-in"),
        (["--database", "x"], "--database is for --data"),
    ],
)
def test_what_does_not_go_together(words: list[str], said: str, migration: Path) -> None:
    code, output = run("trace", *words, migration)
    assert code == 2 and said in output, output
