"""The migrations of a runbook started twice at once, also those that make roles, which a server has only once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from fulldress.database.postgres import Clone, Server, resolve
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


class Servers:
    """Two servers with the same table; ``asked`` counts how often the second was needed."""

    def __init__(self, first: Server, second: Server) -> None:
        self.first, self.second = first, second
        self.asked: list[str] = []

    def base(self, name: str) -> Clone:
        return self.first.clones[name]

    def apart(self, name: str) -> Clone:
        self.asked.append(name)
        return self.second.clones[name]


@pytest.fixture
def servers() -> Iterator[Servers]:
    with Server(resolve()) as first, Server(resolve()) as second:
        for server in (first, second):
            server.clones["main"] = server.create("base")
            assert server.clones["main"].execute(TABLE, name="t", step="t").outcome is Outcome.PASS
        yield Servers(first, second)


def verdicts(servers: Servers, *files: str, lock: int = 0) -> list[tuple[str, str]]:
    """Outcome and detail; each file is a step of its own."""
    entries = {hashlib.sha256(text.encode()).hexdigest(): text.encode() for text in files}
    steps = tuple(
        Migrate(name=f"m{n}", database="main", ups=(digest,), paths=(f"db/{n}.sql",), advisory_lock=lock)
        for n, digest in enumerate(entries, 1)
    )
    book = Runbook(runbook=Header(product="p", version="1", package="0"), step=(ProbeStep(name="look"), *steps))
    return [(f.outcome, f.detail) for f in two_runners(book, entries.__getitem__, servers.base, servers.apart)]


def test_without_migrations_there_is_nothing_to_start_twice(servers: Servers) -> None:
    assert verdicts(servers) == [] and servers.asked == []


def test_a_role_in_the_script_takes_a_second_server(servers: Servers) -> None:
    ((outcome, detail),) = verdicts(servers, ROLE)
    assert outcome == "one failed" and "harbour_export" in detail and "no migration lock" in detail
    assert servers.asked == ["main"]


def test_without_a_role_one_server_does(servers: Servers) -> None:
    ((outcome, detail),) = verdicts(servers, COLUMN)
    assert outcome == "one failed" and "depth" in detail
    assert servers.asked == []


def test_several_steps_of_one_database_are_one_start(servers: Servers) -> None:
    ((outcome, _),) = verdicts(servers, COLUMN, ROLE)
    assert outcome == "one failed" and servers.asked == ["main"]


def test_a_lock_and_guards_serialise_roles_and_columns(servers: Servers) -> None:
    ((outcome, detail),) = verdicts(servers, GUARDED)
    assert outcome == "serialised", detail


def test_a_script_that_fails_alone_tells_nothing_of_two(servers: Servers) -> None:
    ((outcome, detail),) = verdicts(servers, "SELECT 1/0;\n")
    assert outcome == "unknown" and "division by zero" in detail
