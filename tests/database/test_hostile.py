"""Scripts that fail, never end, end others, drop their own database, make roles; servers that die, disks that fill.

Each ends in a finding that says so, and nothing is left running. (Files and programs of this machine: test_contain.py.)
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fulldress.database import places
from fulldress.database.postgres import Clone, Server, programs, resolve
from fulldress.facts import Migration, Overreach, Unread, Work
from fulldress.findings import Outcome


def test_what_does_not_parse_says_where(clone: Clone) -> None:
    run = clone.execute("CREATE TABLE a (i int);\nALTER TALBE a ADD b int;", name="typo.sql", step="")
    assert run.outcome is Outcome.FAIL and run.error.startswith("typo.sql:2: syntax error")


def test_a_quote_that_never_ends_says_where(clone: Clone) -> None:
    run = clone.execute("SELECT 1;\nSELECT 'never", name="quote.sql", step="")
    assert run.outcome is Outcome.FAIL and "quote.sql:2" in run.error


def test_one_that_never_ends_is_ended(clone: Clone) -> None:
    run = clone.execute("CREATE TABLE a (i int); SELECT pg_sleep(600);", name="long.sql", step="", limit=0.3)
    assert run.outcome is Outcome.FAIL and run.error == "long.sql: it did not end within 0.3 s, and was ended"
    assert run.duration.total_seconds() < 10
    assert clone.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()") == []  # fmt: skip
    (migration,) = [fact for fact in clone.facts() if isinstance(fact, Migration)]
    assert "did not end within" in migration.outcome


def test_one_that_ends_in_time_is_not_touched(clone: Clone) -> None:
    assert clone.execute("SELECT 1", name="quick.sql", step="", limit=60).outcome is Outcome.PASS


def test_one_that_ends_every_other_session_is_traced_all_the_same(clone: Clone) -> None:
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database();"
    sql = f"{others}\nALTER TABLE lines ADD COLUMN c int;\nCREATE INDEX lc ON lines (c);"
    assert clone.execute(sql, name="others.sql", step="").outcome is Outcome.PASS
    facts = clone.facts()
    assert [fact for fact in facts if isinstance(fact, Work) and fact.built == ("lc on lines",)]
    assert not [fact for fact in facts if isinstance(fact, Unread) and fact.needed]
    (reach,) = [fact for fact in facts if isinstance(fact, Overreach)]
    assert (reach.kind, reach.outcome, reach.evidence.line) == ("session", "done", 1)


def test_one_that_ends_itself_failed(clone: Clone) -> None:
    run = clone.execute("SELECT 1;\nSELECT pg_terminate_backend(pg_backend_pid());", name="self.sql", step="")
    assert run.outcome is Outcome.FAIL and "self.sql:2" in run.error and "terminating connection" in run.error


def test_one_that_drops_its_database_leaves_a_gap_and_no_crash(shop: Clone) -> None:
    clone = shop.copy("to-be-dropped")
    psql = clone.server.installation.program("psql")
    force = " WITH (FORCE)" if clone.server.installation.major >= 13 else ""
    ran = programs.run(clone, [psql, "-Xqd", "postgres", "-c", f'DROP DATABASE "to-be-dropped"{force}'])
    assert ran.run.outcome is Outcome.PASS
    facts = clone.facts()
    assert [fact for fact in facts if isinstance(fact, Unread) and fact.needed and "cannot be reached" in fact.detail]
    assert [fact for fact in facts if isinstance(fact, Overreach) and fact.kind == "database"]
    clone.drop()
    assert "to-be-dropped" not in shop.server.clones


@pytest.mark.parametrize(
    ("sql", "kind", "outcome"),
    [
        ("CREATE ROLE fulldress_test_hostile", "role", "done"),
        ("COPY (SELECT 1) TO PROGRAM 'true'", "program", "refused"),
        ("DO $$ BEGIN EXECUTE 'COPY (SELECT 1) TO ' || 'PROGRAM ''true'''; END $$", "program", "refused"),
        ("COPY (SELECT 1) TO '/var/tmp/fulldress-test'", "file", "refused"),
        ("DROP DATABASE nowhere", "database", "failed"),
    ],
)
def test_what_reaches_beyond_the_database_is_told(clone: Clone, sql: str, kind: str, outcome: str) -> None:
    if "files" in clone.server.lacking():
        pytest.skip("this kernel has no Landlock")
    clone.execute(sql, name="m.sql", step="")
    told = [(fact.kind, fact.outcome) for fact in clone.facts() if isinstance(fact, Overreach)]
    assert told == [(kind, outcome)]
    with clone.server.session("postgres") as line:
        line.query("DROP ROLE IF EXISTS fulldress_test_hostile")


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO schema_version SELECT 1 -- CREATE ROLE x",
        "SELECT 'COPY a TO PROGRAM'",
        "CREATE TABLE user_database (role text)",
    ],
)
def test_what_only_speaks_of_it_is_not(clone: Clone, sql: str) -> None:
    clone.execute(sql, name="m.sql", step="")
    assert not [fact for fact in clone.facts() if isinstance(fact, Overreach)]


def test_a_server_that_dies_is_a_finding_and_leaves_nothing() -> None:
    with Server(resolve()) as server:
        clone = server.create("doomed")
        postmaster = int((server.base / "data" / "postmaster.pid").read_text().split("\n")[0])
        threading.Timer(0.5, os.kill, (postmaster, signal.SIGKILL)).start()
        run = clone.execute("SELECT pg_sleep(30)", name="m.sql", step="")
        assert run.outcome is Outcome.FAIL and "the connection was lost" in run.error
        facts = clone.facts()
        assert [
            fact for fact in facts if isinstance(fact, Unread) and fact.needed and "cannot be reached" in fact.detail
        ]
        clone.drop()
        base = server.base
    assert not base.exists() and not Path(f"/proc/{postmaster}").exists()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 96 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", disk], capture_output=True, check=False
    ).returncode:
        pytest.skip("no right to mount a small disk here")

    def base_folder(*_: object) -> Path:
        base = disk / "server"
        base.mkdir()
        places.give(base, places.account())
        return base

    for folder in (disk, *disk.parents[:3]):
        if folder.is_relative_to(tmp_path.parent.parent.parent) and folder != Path("/tmp"):
            folder.chmod(0o755)
    monkeypatch.setattr(places, "base_folder", base_folder)
    yield disk
    subprocess.run(["umount", "-l", disk], check=False)


def test_a_full_disk_is_a_finding(small: Path) -> None:
    with Server(resolve()) as server:
        clone = server.create("full")
        sql = "CREATE TABLE big AS SELECT repeat(md5(g::text), 20) AS t FROM generate_series(1, 400000) g"
        run = clone.execute(sql, name="big.sql", step="", limit=60)
        assert run.outcome is Outcome.FAIL, run
        assert "No space left" in run.error or "the connection was lost" in run.error
        clone.facts()
    assert not (small / "server").exists()


def test_where_the_kernel_cannot_hold_the_server_such_scripts_are_not_run(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clone.server, "lacking", lambda: ["files", "network"])
    run = clone.execute("CREATE TABLE a (i int); COPY a TO PROGRAM 'cat'", name="m.sql", step="")
    assert run.outcome is Outcome.UNKNOWN and "COPY a TO PROGRAM: not run" in run.error
    assert clone.query("SELECT to_regclass('a') AS a") == [{"a": None}]
    other = clone.server.create("not-held")
    assert [gap for gap in other.unread if "leaves this machine alone" in gap.what and "files, network" in gap.detail]
    other.drop()
