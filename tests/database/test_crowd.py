"""Behind a long reader and a long writer: who waits for whom, and what a lock_timeout leaves."""

from __future__ import annotations

from datetime import timedelta

from fulldress.database.postgres import Clone
from fulldress.database.postgres.crowd import crowd
from fulldress.database.postgres.jobs import Files, Program
from fulldress.facts import Obstruction, Unread

HALF = timedelta(seconds=0.5)


def told(clone: Clone, sql: str) -> dict[str, Obstruction]:
    facts = crowd(clone.copy, Files([("m.sql", sql)]), patience=0.5)
    return {fact.kind: fact for fact in facts if isinstance(fact, Obstruction)}


def test_everybody_queues_behind_a_migration_that_waits(clone: Clone) -> None:
    found = told(clone, "ALTER TABLE orders ADD COLUMN c int")
    for kind in ("reader", "writer"):
        one = found[kind]
        assert (one.outcome, one.state, one.tables) == ("waited", "complete", ("orders",))
        assert set(one.victims) == {"reader of orders", "writer of orders"}
        assert one.waited >= HALF * 0.9 and one.worst >= HALF * 0.8


def test_an_index_waits_for_a_writer_and_not_for_a_reader(clone: Clone) -> None:
    found = told(clone, "CREATE INDEX ot ON orders (total)")
    assert found["reader"].outcome == "passed" and found["reader"].victims == ()
    assert found["writer"].outcome == "waited" and found["writer"].victims == ("writer of orders",)


def test_a_lock_timeout_ends_it_and_nothing_stays(clone: Clone) -> None:
    found = told(clone, "SET lock_timeout = '200ms'; BEGIN; ALTER TABLE orders ADD COLUMN c int; COMMIT;")
    one = found["reader"]
    assert (one.outcome, one.state) == ("timed out", "unchanged") and "lock timeout" in one.detail


def test_a_lock_timeout_can_leave_it_half_way(clone: Clone) -> None:
    sql = "SET lock_timeout = '200ms'; CREATE TABLE kinds (k int); ALTER TABLE orders ADD COLUMN c int;"
    one = told(clone, sql)["reader"]
    assert (one.outcome, one.state) == ("timed out", "half-way") and "kinds" in one.detail


def test_programs_are_put_behind_others_in_the_same_way(clone: Clone) -> None:
    psql = clone.server.installation.program("psql")
    words = [psql, "-Xqv", "ON_ERROR_STOP=1", "-c", "UPDATE lines SET n = 1"]
    (one,) = crowd(clone.copy, Program(words), kinds=("writer",), patience=0.3)
    assert isinstance(one, Obstruction)
    assert (one.outcome, one.tables, one.victims) == ("waited", ("lines",), ())


def test_what_fails_undisturbed_is_not_judged(clone: Clone) -> None:
    (gap,) = crowd(clone.copy, Files([("m.sql", "SELECT 1/0")]))
    assert isinstance(gap, Unread) and gap.needed
