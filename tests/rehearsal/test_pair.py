"""The migrations of a runbook started twice at once, also those that make roles, which a server has only once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from fulldress.database.postgres import Server, resolve
from fulldress.findings import Outcome
from fulldress.rehearsal.pair import two_runners
from fulldress.runbook.steps import Header, Migrate, ProbeStep, Runbook

pytestmark = pytest.mark.postgres

TABLE = "CREATE TABLE quays (id int PRIMARY KEY);\nINSERT INTO quays SELECT generate_series(1, 50);\n"
ROLE = "CREATE ROLE harbour_export LOGIN;\nGRANT SELECT ON quays TO harbour_export;\n"
COLUMN = "ALTER TABLE quays ADD COLUMN depth int;\n"
GUARDED = """\
BEGIN;
SELECT pg_advisory_xact_lock(77);
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'harbour_export') THEN CREATE ROLE harbour_export; END IF; END $$;
ALTER TABLE quays ADD COLUMN IF NOT EXISTS depth int;
COMMIT;
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(resolve()) as one:
        one.clones["main"] = one.create("base")
        assert one.clones["main"].execute(TABLE, name="t", step="t").outcome is Outcome.PASS
        yield one


def verdicts(server: Server, *files: str, lock: int = 0) -> list[tuple[str, str]]:
    """Outcome and detail; each file is a step of its own."""
    entries = {hashlib.sha256(text.encode()).hexdigest(): text.encode() for text in files}
    steps = tuple(
        Migrate(name=f"m{n}", database="main", ups=(digest,), paths=(f"db/{n}.sql",), advisory_lock=lock)
        for n, digest in enumerate(entries, 1)
    )
    book = Runbook(runbook=Header(product="p", version="1", package="0"), step=(ProbeStep(name="look"), *steps))
    return [(f.outcome, f.detail) for f in two_runners(book, entries.__getitem__, server.clones.__getitem__)]


def test_without_migrations_there_is_nothing_to_start_twice(server: Server) -> None:
    assert verdicts(server) == []


def test_a_role_is_there_only_once_and_is_put_aside_between_the_runs(server: Server) -> None:
    ((outcome, detail),) = verdicts(server, ROLE)
    assert outcome == "one failed" and "harbour_export" in detail and "no migration lock" in detail
    assert server.clones["main"].query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'harbour%'") == []


def test_a_column_is_added_once(server: Server) -> None:
    ((outcome, detail),) = verdicts(server, COLUMN)
    assert outcome == "one failed" and "depth" in detail


def test_several_steps_of_one_database_are_one_start(server: Server) -> None:
    ((outcome, _),) = verdicts(server, COLUMN, ROLE)
    assert outcome == "one failed"


def test_a_lock_and_guards_serialise_roles_and_columns(server: Server) -> None:
    ((outcome, detail),) = verdicts(server, GUARDED)
    assert outcome == "serialised", detail


def test_a_script_that_fails_alone_tells_nothing_of_two(server: Server) -> None:
    ((outcome, detail),) = verdicts(server, "SELECT 1/0;\n")
    assert outcome == "unknown" and "division by zero" in detail
