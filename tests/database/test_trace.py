"""The trace: work, locks and waits of every statement, of our runner's and of other programs'."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from fulldress.database.postgres import Clone
from fulldress.facts import Lock, Migration, Wait, Work
from fulldress.findings import Outcome


def of(clone: Clone, family: type, words: str = "") -> list:  # type: ignore[type-arg]
    return [fact for fact in clone.facts() if isinstance(fact, family) and words in getattr(fact, "statement", words)]


def eventually(clone: Clone, sql: str) -> None:
    """Wait until ``sql`` gives a row, asking the server again and again."""
    with clone.session() as line:
        for _ in range(20000):
            if line.rows(sql):
                return
    raise AssertionError(sql)


def test_the_server_itself_says_what_is_rewritten_scanned_and_built(clone: Clone) -> None:
    run = clone.execute(
        """BEGIN;
        ALTER TABLE orders ALTER COLUMN total TYPE bigint;
        SET client_min_messages = error;
        ALTER TABLE orders ALTER COLUMN legacy_ref SET NOT NULL;
        CREATE INDEX orders_ref ON orders (legacy_ref);
        ALTER TABLE orders ADD COLUMN cheap int DEFAULT 7;
        COMMIT;""",
        name="0001.sql",
        step="migrate",
    )
    assert run.outcome is Outcome.PASS
    (rewrite,) = of(clone, Work, "TYPE bigint")
    assert rewrite.rewritten == ("orders",) and rewrite.wal_bytes > 500_000 and rewrite.evidence.line == 2
    assert of(clone, Work, "SET NOT NULL")[0].scanned == ("orders",)
    assert of(clone, Work, "CREATE INDEX")[0].built == ("orders_ref on orders",)
    cheap = of(clone, Work, "cheap")[0]
    assert not cheap.rewritten and not cheap.scanned
    (held,) = [
        lock
        for lock in of(clone, Lock, "TYPE bigint")
        if lock.object == "orders" and lock.mode == "AccessExclusiveLock"
    ]
    assert held.caught == "commit-hold"
    assert held.held >= rewrite.duration  # until the commit, not only as long as the statement


def test_autocommit_stays_autocommit_and_its_locks_are_seen(clone: Clone) -> None:
    clone.execute("ALTER TABLE lines ADD COLUMN x int; LOCK TABLE lines;", name="m.sql", step="")
    (lock,) = of(clone, Lock, "ADD COLUMN x")
    assert (lock.mode, lock.object, lock.caught) == ("AccessExclusiveLock", "lines", "sync-hold")
    (failed,) = of(clone, Work, "LOCK TABLE")
    assert "can only be used in transaction blocks" in failed.error


@pytest.mark.parametrize(
    "sql",
    [
        "VACUUM lines",
        "CREATE INDEX CONCURRENTLY lines_n ON lines (n)",
        "CREATE DATABASE brief; DROP DATABASE brief",
        "DO $$ BEGIN INSERT INTO lines VALUES (0, 0); COMMIT; END $$",
        "ALTER TYPE mood ADD VALUE 'calm'; INSERT INTO moods VALUES ('calm')",
        "COPY lines FROM STDIN;\n1\t2\n3\t4\n\\.\nSELECT 1",
        "SAVEPOINT s",
        "BEGIN; SAVEPOINT s; INSERT INTO lines VALUES (1, 1); ROLLBACK TO s; COMMIT",
    ],
)
def test_what_a_script_may_do_is_what_psql_may_do(sql: str, clone: Clone) -> None:
    clone.execute("CREATE TYPE mood AS ENUM ('wild'); CREATE TABLE moods (m mood)", name="base.sql", step="")
    twin = clone.copy("twin")
    psql = clone.server.installation.program("psql")
    done = subprocess.run(
        [psql, "-Xqv", "ON_ERROR_STOP=1", "-d", twin.dsn()], input=sql, text=True, capture_output=True, check=False
    )
    run = clone.execute(sql, name="m.sql", step="")
    try:
        assert (run.outcome is Outcome.PASS) == (done.returncode == 0), (run.error, done.stderr)
        assert clone.query("SELECT count(*) AS n FROM lines") == twin.query("SELECT count(*) AS n FROM lines")
    finally:
        twin.drop()


def test_a_failing_script_is_rolled_back_and_says_where(clone: Clone) -> None:
    run = clone.execute("BEGIN;\nDELETE FROM lines;\nSELECT 1/0;\nCOMMIT;", name="bad.sql", step="s")
    assert run.outcome is Outcome.FAIL and run.error.startswith("bad.sql:3: division by zero")
    assert clone.query("SELECT count(*) AS n FROM lines") == [{"n": 500}]
    (migration,) = of(clone, Migration)
    assert migration.outcome.startswith("failed: bad.sql:3") and migration.evidence.step == "s"


def test_psql_commands_are_followed_or_refused_before_anything_runs(clone: Clone) -> None:
    siblings = {"sub/part.sql": "INSERT INTO lines VALUES (1, 1);"}
    assert clone.execute("\\i sub/part.sql\n", name="m.sql", step="", siblings=siblings).outcome is Outcome.PASS
    run = clone.execute("DELETE FROM lines;\n\\copy lines from 'x'\n", name="m.sql", step="")
    assert run.outcome is Outcome.UNKNOWN and run.error.startswith("m.sql:2: \\copy")
    assert clone.query("SELECT count(*) AS n FROM lines") == [{"n": 501}]


def test_many_inserts_become_one_record(clone: Clone) -> None:
    clone.execute("INSERT INTO lines VALUES (4, 1);\n" * 300, name="m.sql", step="")
    (work,) = of(clone, Work)
    assert work.rows == 300 and "(×300)" in work.statement


def _traffic(clone: Clone, sql: str, end: threading.Event) -> Callable[[], None]:
    def run() -> None:
        with clone.session("shopd", "postgres") as line:
            while not end.is_set():
                line.query(sql)

    return run


def test_who_waited_for_which_statement_and_how_long(clone: Clone) -> None:
    end = threading.Event()
    threads = [
        threading.Thread(target=_traffic(clone, "SELECT total FROM orders WHERE id = 17", end)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    eventually(clone, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'shopd' AND query LIKE 'SELECT total%'")
    sql = "BEGIN; ALTER TABLE orders ADD COLUMN y int; SELECT pg_sleep(0.15); COMMIT;"
    clone.execute(sql, name="0002.sql", step="")
    end.set()
    for thread in threads:
        thread.join()
    waits = of(clone, Wait)
    (wait,) = [one for one in waits if one.object == "orders" and one.mode == "AccessShareLock"]
    assert wait.victim == "shopd: SELECT total FROM orders WHERE id = ?"
    assert wait.blocker == "ALTER TABLE orders ADD COLUMN y int;"  # not the pg_sleep that ran meanwhile
    assert wait.migration == "0002.sql" and wait.count == 2
    assert timedelta(seconds=0.12) < wait.worst < timedelta(seconds=0.6)


def test_the_migration_that_waits_for_a_reader_is_a_victim_too(clone: Clone) -> None:
    with clone.session("report", "postgres") as reader:
        reader.simple("BEGIN")
        reader.simple("SELECT count(*) FROM orders")
        worker = threading.Thread(
            target=lambda: clone.execute("ALTER TABLE orders ADD COLUMN z int", name="0003.sql", step="")
        )
        worker.start()
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass"
        eventually(clone, waiting)
        time.sleep(0.06)  # the wait itself, long enough to be told from none
        reader.simple("COMMIT")
        worker.join()
    (wait,) = of(clone, Wait)
    assert wait.victim.startswith("0003.sql: ALTER TABLE") and wait.blocker == "report: SELECT count(*) FROM orders"


def test_a_lock_of_a_subtransaction_that_was_rolled_back_is_seen(clone: Clone) -> None:
    clone.execute(
        """DO $$ BEGIN BEGIN LOCK TABLE lines; PERFORM pg_sleep(0.1); RAISE 'x'; EXCEPTION WHEN others THEN NULL; END; END $$""",
        name="m.sql",
        step="",
    )
    (lock,) = [one for one in of(clone, Lock) if one.object == "lines"]
    assert lock.mode == "AccessExclusiveLock" and lock.caught == "poll"


def test_another_programs_psql_is_traced_by_its_step(clone: Clone) -> None:
    clone.mark("vendor script")
    clone.start_watch()
    psql = clone.server.installation.program("psql")
    script = (
        "BEGIN; ALTER TABLE orders ALTER total TYPE bigint; SELECT pg_sleep(0.1); COMMIT;"
        " UPDATE lines SET n = n + 1 FROM pg_sleep(0.05); SELECT nothing;"
    )
    subprocess.run([psql, "-Xqd", clone.dsn()], input=script, text=True, capture_output=True, check=False)
    clone.stop_watch()
    clone.mark("")
    (work,) = of(clone, Work, "ALTER TABLE")
    assert work.migration == "vendor script" and work.rewritten == ("orders",) and work.duration > timedelta(0)
    assert any(
        lock.mode == "AccessExclusiveLock" and lock.migration == "vendor script"
        for lock in of(clone, Lock)
        if lock.object == "orders"
    )
    assert of(clone, Work, "UPDATE lines")
    assert any("does not exist" in one.error for one in of(clone, Work, "SELECT nothing"))


def test_facts_can_be_asked_from_an_instant_on(clone: Clone) -> None:
    first = clone.execute("SELECT 1", name="a.sql", step="")
    second = clone.execute("SELECT 2", name="b.sql", step="")
    assert {fact.migration for fact in clone.facts(second.started) if isinstance(fact, Work)} == {"b.sql"}
    assert {fact.migration for fact in clone.facts(first.started) if isinstance(fact, Work)} == {"a.sql", "b.sql"}


def test_a_look_that_is_told_after_the_end_of_its_transaction_takes_no_lock_again() -> None:
    """The poller may have looked while the lock was held, and be heard only after the runner said that it is released."""
    from fulldress.database.postgres.poller import Names, Sample, Seen
    from fulldress.database.postgres.trace import Statement, Trace

    trace = Trace(Names())
    lock = Seen(7, "advisory", "ExclusiveLock", 0, (0, 42, 1), None, ())
    trace.begin(Statement("m.sql", "SELECT pg_advisory_xact_lock(42)", 7, 100.0))
    trace.absorb(Sample(100.1, 100.11, [lock], {}))
    trace.release(7, 100.2, session=True)
    trace.absorb(Sample(100.15, 100.3, [lock], {}))
    assert [(one.taken, one.released) for one in trace.held] == [(100.0, 100.2)]
    trace.absorb(Sample(100.4, 100.41, [lock], {}))
    assert len(trace.held) == 2, "a lock that is taken afterwards is another one"


def test_what_is_read_from_end_to_end_and_spilled_is_told(clone: Clone) -> None:
    if not clone.server.has_library("auto_explain"):
        pytest.skip("this server has no auto_explain")
    with clone.session() as line:
        line.query("INSERT INTO orders (total) SELECT g FROM generate_series(1, 200000) g; ANALYZE orders")
    clone.execute(
        """SET work_mem = '64kB'; SET max_parallel_workers_per_gather = 0;
        UPDATE orders SET legacy_ref = 'x' WHERE total % 3 = 0;
        CREATE TABLE sorted AS SELECT * FROM orders ORDER BY legacy_ref, total DESC;
        UPDATE orders SET legacy_ref = 'y' WHERE id = 7;""",
        name="read.sql",
        step="",
    )
    assert of(clone, Work, "total % 3")[0].read_whole == ("orders",)
    spilled = of(clone, Work, "CREATE TABLE sorted")[0]
    assert spilled.read_whole == ("orders",) and spilled.temp_bytes > 1_000_000
    quick = of(clone, Work, "id = 7")[0]
    assert quick.read_whole == () and quick.temp_bytes is None


def test_a_deadlock_with_traffic_is_told_with_both_sides(clone: Clone) -> None:
    with clone.session("fulldress-traffic:POST /lines", clone.role) as traffic:
        traffic.query("BEGIN")
        traffic.query("LOCK TABLE lines IN ROW EXCLUSIVE MODE")
        answers: list[str] = []

        def write() -> None:
            eventually(clone, "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'lines'::regclass")
            answers.append(str(traffic.simple("UPDATE orders SET total = 1 WHERE id = 1").error))

        thread = threading.Thread(target=write)
        thread.start()
        run = clone.execute(
            "BEGIN; ALTER TABLE orders ADD COLUMN d int; ALTER TABLE lines ADD COLUMN d int; COMMIT;",
            name="dead.sql",
            step="",
        )
        thread.join()
    told = [wait for wait in of(clone, Wait) if wait.outcome == "deadlock"]
    assert len(told) == 1, [one for one in clone.facts() if isinstance(one, Wait)]
    if run.outcome is Outcome.PASS:
        assert told[0].victim == "POST /lines" and "40P01" in answers[0]
    else:
        assert "dead.sql" in told[0].victim


def test_who_gives_up_waiting_is_told(clone: Clone) -> None:
    with clone.session("psql", clone.role) as holder:
        holder.query("BEGIN; LOCK TABLE orders IN ACCESS SHARE MODE")
        run = clone.execute(
            "SET lock_timeout = '60ms'; ALTER TABLE orders ADD COLUMN g int;", name="give up.sql", step=""
        )
    assert run.outcome is Outcome.FAIL
    (wait,) = [one for one in of(clone, Wait) if one.object == "orders"]
    assert wait.outcome == "timed out" and "give up.sql" in wait.victim


def test_a_linters_advice_is_confirmed_or_cancelled(clone: Clone) -> None:
    clone.execute(
        """ALTER TABLE orders ALTER COLUMN legacy_ref TYPE varchar(80);
        ALTER TABLE orders ALTER COLUMN legacy_ref TYPE varchar(90);
        CREATE INDEX orders_total ON orders (total);
        ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0) NOT VALID;""",
        name="advice.sql",
        step="",
    )
    to_varchar, longer, index, not_valid = of(clone, Work)
    if not to_varchar.advice:
        pytest.skip("squawk is not installed")
    assert "changing-column-type: confirmed" in to_varchar.advice[0] and "rewrites orders" in to_varchar.advice[0]
    assert "changing-column-type: cancelled, nothing was rewritten" in longer.advice[0]
    assert "require-concurrent-index-creation: confirmed" in index.advice[0]
    assert not_valid.advice == ()
