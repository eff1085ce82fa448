"""Killed at every statement: rolled back, resumable, or broken; files and programs alike."""

from __future__ import annotations

import pytest

from fulldress.database.postgres import Clone
from fulldress.database.postgres.interruption import Cut, Heard, chosen, cuts, interrupt
from fulldress.database.postgres.jobs import Files, Program
from fulldress.facts import Interruption, Unread


def told(clone: Clone, sql: str) -> list[tuple[int, str, str]]:
    facts = interrupt(clone.copy, Files([("m.sql", sql)]))
    return [(one.number, one.moment, one.outcome) for one in facts if isinstance(one, Interruption)]


def test_one_transaction_is_rolled_back_wherever_it_is_cut(clone: Clone) -> None:
    sql = "BEGIN; ALTER TABLE lines ADD COLUMN a int; UPDATE lines SET a = 1; COMMIT;"
    assert told(clone, sql) == [(3, "before", "rolled back"), (4, "commit", "rolled back")]


def test_statements_on_their_own_cannot_be_run_again(clone: Clone) -> None:
    facts = interrupt(clone.copy, Files([("m.sql", "ALTER TABLE lines ADD COLUMN a int; UPDATE lines SET a = 1;")]))
    (one,) = [fact for fact in facts if isinstance(fact, Interruption)]
    assert (one.outcome, one.number, one.statement) == ("broken", 2, "UPDATE lines SET a = 1;")
    assert "started again it fails" in one.detail and "already exists" in one.detail
    assert "lines" in one.left


def test_what_looks_before_it_leaps_can_be_run_again(clone: Clone) -> None:
    sql = "ALTER TABLE lines ADD COLUMN IF NOT EXISTS a int; UPDATE lines SET a = 1;"
    assert told(clone, sql) == [(2, "before", "resumable")]


def test_a_second_run_that_ends_elsewhere_is_broken(clone: Clone) -> None:
    sql = "CREATE TABLE IF NOT EXISTS kinds (k int); INSERT INTO kinds VALUES (1); INSERT INTO kinds VALUES (2);"
    assert told(clone, sql) == [(2, "before", "resumable"), (3, "before", "broken")]


def test_an_index_built_concurrently_stays_invalid(clone: Clone) -> None:
    sql = "CREATE INDEX CONCURRENTLY IF NOT EXISTS ln ON lines (n);"
    (one,) = [f for f in interrupt(clone.copy, Files([("m.sql", sql)])) if isinstance(f, Interruption)]
    assert (one.moment, one.outcome) == ("during", "broken") and "ends elsewhere" in one.detail


def test_the_file_that_was_cut_off_is_what_is_run_again(clone: Clone) -> None:
    files = Files([("1.sql", "CREATE TABLE one (i int)"), ("2.sql", "CREATE TABLE two (i int)")])
    facts = interrupt(clone.copy, files)
    assert [one.outcome for one in facts if isinstance(one, Interruption)] == ["resumable"]


def test_times_of_day_are_not_held_against_it(clone: Clone) -> None:
    sql = "CREATE TABLE IF NOT EXISTS done (v int PRIMARY KEY, at timestamptz DEFAULT clock_timestamp());"
    sql += " INSERT INTO done VALUES (1) ON CONFLICT DO NOTHING; INSERT INTO done VALUES (2) ON CONFLICT DO NOTHING;"
    assert [outcome for _, _, outcome in told(clone, sql)] == ["resumable", "resumable"]


def test_a_program_is_killed_and_started_again(clone: Clone) -> None:
    psql = clone.server.installation.program("psql")
    words = [psql, "-Xq", "-v", "ON_ERROR_STOP=1"]
    words += ["-c", "ALTER TABLE lines ADD COLUMN a int; UPDATE lines SET a = 1", "-c", "CREATE INDEX la ON lines (a)"]
    facts = [fact for fact in interrupt(clone.copy, Program(words)) if isinstance(fact, Interruption)]
    assert [(one.moment, one.outcome) for one in facts] == [
        ("within", "rolled back"),
        ("within", "rolled back"),
        ("before", "broken"),
    ]
    assert "exit code" in facts[-1].detail
    assert [row["datname"] for row in clone.query("SELECT datname FROM pg_database WHERE datname LIKE 'cut-%'")] == []


def test_what_does_not_finish_undisturbed_is_not_judged(clone: Clone) -> None:
    (gap,) = interrupt(clone.copy, Files([("m.sql", "SELECT 1/0")]))
    assert isinstance(gap, Unread) and gap.needed and "already undisturbed" in gap.detail


def test_what_was_not_tried_is_told(clone: Clone) -> None:
    sql = "CREATE TABLE a (i int); CREATE TABLE b (i int); CREATE TABLE c (i int); CREATE TABLE d (i int);"
    facts = interrupt(clone.copy, Files([("m.sql", sql)]), most=1, seed=7)
    assert sum(isinstance(fact, Interruption) for fact in facts) == 1
    (gap,) = [fact for fact in facts if isinstance(fact, Unread)]
    assert "1 of 3 places" in gap.detail and "seed 7" in gap.detail


def heard(*texts: str) -> list[Heard]:
    found, status = [], "I"
    for text in texts:
        found.append(Heard(text.encode(), "before", status))
        status = "T" if text == "BEGIN" else "I" if text == "COMMIT" else status
    return found


def test_between_reads_nothing_new_can_be_cut() -> None:
    every = cuts(heard("SELECT 1", "SHOW x", "CREATE TABLE a ()", "SELECT 1", "SELECT 2"))
    assert [(cut.number, cut.edge) for cut in every] == [(3, True)]


@pytest.mark.parametrize("seed", range(3))
def test_borders_of_transactions_come_first(seed: int) -> None:
    every = [Cut(number, "before", "", number in (7, 9)) for number in range(20)]
    tried = chosen(every, 5, seed)
    assert {cut.number for cut in tried[:2]} == {7, 9} and len(tried) == 5
    assert tried == chosen(every, 5, seed)


def test_roles_are_of_the_server_and_are_put_aside_between_the_runs(clone: Clone) -> None:
    sql = "CREATE ROLE fulldress_test_role; CREATE TABLE owned (i int); ALTER TABLE owned OWNER TO fulldress_test_role;"
    facts = [fact for fact in interrupt(clone.copy, Files([("m.sql", sql)])) if isinstance(fact, Interruption)]
    assert [(one.number, one.outcome) for one in facts] == [(2, "broken"), (3, "broken")]
    assert facts[0].left == "roles: fulldress_test_role" and "already exists" in facts[0].detail
    assert clone.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'fulldress\\_test%'") == []
