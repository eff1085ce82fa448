"""Any program that migrates: told where the copy is, seen by the tap, ended in time, and never mistaken for one that ran."""

from __future__ import annotations

import sys

import pytest

from fulldress.database.postgres import Clone, programs
from fulldress.errors import ProgramNotFound
from fulldress.facts import Lock, Unread, Work
from fulldress.findings import Outcome


def test_a_program_is_traced_statement_by_statement(clone: Clone) -> None:
    psql = clone.server.installation.program("psql")
    ran = programs.run(
        clone, [psql, "-Xq", "-c", "ALTER TABLE orders ADD COLUMN x int", "-c", "CREATE INDEX oi ON orders (total)"]
    )
    assert ran.run.outcome is Outcome.PASS and ran.statements == 2
    facts = clone.facts()
    works = {fact.statement: fact for fact in facts if isinstance(fact, Work)}
    assert works["CREATE INDEX oi ON orders (total)"].built == ("oi on orders",)
    assert works["CREATE INDEX oi ON orders (total)"].evidence.step == "up"
    held = {(fact.mode, fact.object): fact for fact in facts if isinstance(fact, Lock)}
    assert held["AccessExclusiveLock", "orders"].caught == held["ShareLock", "orders"].caught == "sync-hold"


def test_the_address_goes_where_a_program_wants_it(clone: Clone) -> None:
    psql = clone.server.installation.program("psql")
    ran = programs.run(
        clone, [psql, "-Xq", "{url}", "-c", "CREATE TABLE from_url (i int)"], environment={"PGHOST": "nowhere.example"}
    )
    assert ran.run.outcome is Outcome.PASS
    assert clone.query("SELECT 1 FROM from_url") == []


def test_a_program_that_never_came_is_not_taken_for_one_that_ran(clone: Clone) -> None:
    ran = programs.run(clone, [sys.executable, "-c", "pass"])
    assert ran.run.outcome is Outcome.UNKNOWN
    assert any(isinstance(fact, Unread) and fact.needed and "never connected" in fact.detail for fact in clone.facts())


def test_one_that_does_not_end_is_ended(clone: Clone) -> None:
    psql = clone.server.installation.program("psql")
    ran = programs.run(clone, [psql, "-Xq", "-c", "SELECT pg_sleep(600)"], limit=0.5)
    assert ran.run.outcome is Outcome.FAIL and "0.5 s" in ran.run.error
    assert (
        clone.query("SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%' AND state = 'active'")
        == []
    )
    assert ran.run.duration.total_seconds() < 20


def test_one_that_is_not_there_is_an_error_with_its_name(clone: Clone) -> None:
    with pytest.raises(ProgramNotFound, match="no-such-migrator"):
        programs.run(clone, ["no-such-migrator"])
    assert not clone.watching


def test_an_exit_code_is_an_outcome(clone: Clone) -> None:
    psql = clone.server.installation.program("psql")
    ran = programs.run(clone, [psql, "-Xq", "-v", "ON_ERROR_STOP=1", "-c", "SELECT 1/0"])
    assert ran.run.outcome is Outcome.FAIL and "exit code" in ran.run.error
    (work,) = [fact for fact in clone.facts() if isinstance(fact, Work) and "1/0" in fact.statement]
    assert "22012" in work.error
