"""Every lock that is held for two milliseconds or more is seen, whatever takes it and whatever frees it.

Forty kinds of statements, each through the runner and through the tap; the locks are those of the manual ("Explicit
Locking", and the page of each command). Every statement is made to hold its locks for a while by the rows that it
reads or by ``pg_sleep``, so that the test does not depend on the machine.
"""

from __future__ import annotations

import os
import subprocess
import threading
from typing import NamedTuple

import pytest

from fulldress.database.postgres import Clone

AE, SUE, S, SRE, E = (
    f"{one}Lock" for one in ("AccessExclusive", "ShareUpdateExclusive", "Share", "ShareRowExclusive", "Exclusive")
)
RE, RS = "RowExclusiveLock", "RowShareLock"
HERE = ("sync-hold", "commit-hold", "gate", "poll")

SETUP = """
CREATE TABLE big (id int PRIMARY KEY, v text, n int);
INSERT INTO big SELECT g, md5(g::text), g FROM generate_series(1, 30000) g;
CREATE INDEX big_n ON big (n);
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 30000);
CREATE TABLE parted (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE loose (id int, v text);
INSERT INTO loose SELECT g, 'x' FROM generate_series(1000, 30000) g;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM big;
CREATE UNIQUE INDEX mv_id ON mv (id);
CREATE VIEW vw AS SELECT * FROM big;
CREATE SEQUENCE sq;
CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$;
CREATE FUNCTION takes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN LOCK TABLE parent IN SHARE MODE; PERFORM pg_sleep(0.02); RETURN NEW; END $$;
CREATE TABLE watched (id int);
CREATE CONSTRAINT TRIGGER locks AFTER INSERT ON watched DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION takes();
CREATE PROCEDURE steps() LANGUAGE plpgsql AS $$
    BEGIN LOCK TABLE big IN SHARE MODE; PERFORM pg_sleep(0.02); COMMIT;
    LOCK TABLE parent IN EXCLUSIVE MODE; PERFORM pg_sleep(0.02); END $$;
"""


class Kind(NamedTuple):
    sql: str
    locks: set[tuple[str, str]]
    since: int = 12
    fails: bool = False
    reader: str = ""  #: a table that somebody reads meanwhile, for a twentieth of a second


KINDS: dict[str, Kind] = {
    "add a column": Kind("ALTER TABLE big ADD COLUMN a int", {(AE, "big")}),
    "another type": Kind("ALTER TABLE parent ALTER COLUMN id TYPE bigint", {(AE, "parent"), (AE, "parent_pkey")}),
    "not null": Kind("ALTER TABLE big ALTER COLUMN v SET NOT NULL", {(AE, "big")}),
    "statistics": Kind("ALTER TABLE big ALTER COLUMN v SET STATISTICS 10", {(SUE, "big")}),
    "a check that is not valid": Kind("ALTER TABLE big ADD CONSTRAINT c CHECK (n > 0) NOT VALID", {(AE, "big")}),
    "validate": Kind(
        "ALTER TABLE big ADD CONSTRAINT c CHECK (n > 0) NOT VALID; ALTER TABLE big VALIDATE CONSTRAINT c",
        {(SUE, "big")},
    ),
    "a foreign key": Kind(
        "ALTER TABLE big ADD FOREIGN KEY (id) REFERENCES parent", {(SRE, "big"), (SRE, "parent"), (RS, "parent")}
    ),
    "a trigger": Kind("CREATE TRIGGER tr BEFORE INSERT ON big FOR EACH ROW EXECUTE FUNCTION slow()", {(SRE, "big")}),
    "an index": Kind("CREATE INDEX bv ON big (v)", {(S, "big")}),
    "an index, concurrently": Kind("CREATE INDEX CONCURRENTLY bv ON big (v)", {(SUE, "big")}),
    "drop an index": Kind("DROP INDEX big_n", {(AE, "big"), (AE, "big_n")}),
    "drop an index, concurrently": Kind("DROP INDEX CONCURRENTLY big_n", {(SUE, "big")}, reader="big"),
    "reindex": Kind("REINDEX INDEX big_n", {(S, "big"), (AE, "big_n")}),
    "reindex a table": Kind("REINDEX TABLE big", {(S, "big"), (AE, "big_n")}),
    "reindex, concurrently": Kind("REINDEX INDEX CONCURRENTLY big_n", {(SUE, "big")}),
    "vacuum": Kind("VACUUM big", {(SUE, "big")}),
    "vacuum full": Kind("VACUUM FULL big", {(AE, "big")}),
    "analyze": Kind("ANALYZE big", {(SUE, "big")}),
    "cluster": Kind("CLUSTER big USING big_n", {(AE, "big")}),
    "truncate": Kind("TRUNCATE big", {(AE, "big")}),
    "refresh": Kind("REFRESH MATERIALIZED VIEW mv", {(AE, "mv")}),
    "refresh, concurrently": Kind("REFRESH MATERIALIZED VIEW CONCURRENTLY mv", {(E, "mv")}),
    "drop a table": Kind("DROP TABLE loose", {(AE, "loose")}),
    "rename": Kind("ALTER TABLE loose RENAME TO other", {(AE, "loose")}),
    "rename a column": Kind("ALTER TABLE loose RENAME v TO w", {(AE, "loose")}),
    "replace a view": Kind("CREATE OR REPLACE VIEW vw AS SELECT *, 1 AS one FROM big", {(AE, "vw")}),
    "a sequence": Kind("ALTER SEQUENCE sq RESTART", {(SRE, "sq")}),
    "attach a partition": Kind(
        "ALTER TABLE parted ATTACH PARTITION loose FOR VALUES FROM (1000) TO (40000)", {(SUE, "parted"), (AE, "loose")}
    ),
    "detach a partition": Kind("ALTER TABLE parted DETACH PARTITION part1", {(AE, "parted")}),
    "a new partition": Kind("CREATE TABLE p2 PARTITION OF parted FOR VALUES FROM (200) TO (300)", {(AE, "parted")}),
    "inherit": Kind("CREATE TABLE heir (LIKE loose); ALTER TABLE heir INHERIT loose", {(SUE, "loose")}),
    "lock": Kind("BEGIN; LOCK TABLE big IN SHARE MODE; COMMIT", {(S, "big")}),
    "lock, a string of two": Kind("LOCK TABLE big IN EXCLUSIVE MODE\\; SELECT 1", {(E, "big")}),
    "rows": Kind("UPDATE big SET n = n + 1", {(RE, "big")}),
    "rows that are locked": Kind("SELECT count(*) FROM (SELECT 1 FROM big FOR UPDATE) x", {(RS, "big")}),
    "an advisory lock": Kind(
        "SELECT pg_advisory_lock(42)\\; SELECT pg_sleep(0.02)", {("ExclusiveLock", "advisory 42")}
    ),
    "an advisory lock of two numbers": Kind(
        "BEGIN; SELECT pg_advisory_xact_lock(1, 2); COMMIT", {("ExclusiveLock", "advisory 1, 2")}
    ),
    "a subtransaction that is rolled back": Kind(
        "BEGIN; SAVEPOINT a; ALTER TABLE big ADD COLUMN gone int; ROLLBACK TO a; COMMIT", {(AE, "big")}
    ),
    "a subtransaction inside of DO": Kind(
        "DO $$ BEGIN BEGIN ALTER TABLE big ADD COLUMN gone int; PERFORM pg_sleep(0.02); RAISE 'no';"
        " EXCEPTION WHEN raise_exception THEN NULL; END; END $$",
        {(AE, "big")},
    ),
    "a foreign key at the commit": Kind(
        "BEGIN; INSERT INTO child SELECT generate_series(1, 20000); COMMIT", {(RS, "parent"), (RE, "child")}
    ),
    "a trigger at the commit": Kind("BEGIN; INSERT INTO watched VALUES (1); COMMIT", {(S, "parent")}),
    "a trigger at the end of one": Kind("INSERT INTO watched VALUES (1)", {(S, "parent")}),
    "DO that commits": Kind(
        "DO $$ BEGIN LOCK TABLE big IN SHARE MODE; PERFORM pg_sleep(0.02); COMMIT;"
        " LOCK TABLE parent IN EXCLUSIVE MODE; PERFORM pg_sleep(0.02); END $$",
        {(S, "big"), (E, "parent")},
    ),
    "CALL that commits": Kind("CALL steps()", {(S, "big"), (E, "parent")}),
    "what fails in the end": Kind(
        "ALTER TABLE big ADD CONSTRAINT c CHECK (n <> 29999 OR pg_sleep(0.02) IS NULL)",
        {(AE, "big")},
        fails=True,
    ),
    # its two transactions are over within a millisecond each, and while it waits between them it holds nothing
    "detach, concurrently": Kind(
        "ALTER TABLE parted DETACH PARTITION part1 CONCURRENTLY", set(), since=14, reader="parted"
    ),
    "a copy": Kind(
        "COPY parent (id) FROM STDIN;\n" + "".join(f"{n}\n" for n in range(40000, 80000)) + "\\.\n", {(RE, "parent")}
    ),
}


@pytest.fixture(scope="module")
def stock(server: object) -> Clone:
    clone: Clone = server.create("stock")  # type: ignore[attr-defined]
    clone.execute(SETUP, name="stock.sql", step="")
    return clone


#: Those whose locks no look at their end can see; the others are run by ``make real``, for they take a minute.
HARD = {
    "an index, concurrently",
    "reindex, concurrently",
    "drop an index, concurrently",
    "vacuum",
    "a subtransaction inside of DO",
    "a trigger at the commit",
    "a trigger at the end of one",
    "DO that commits",
    "what fails in the end",
    "a copy",
}


@pytest.mark.parametrize("way", ["runner", "tap"])
@pytest.mark.parametrize(
    "name", [name if name in HARD else pytest.param(name, marks=pytest.mark.real) for name in KINDS]
)
def test_a_lock_is_seen(stock: Clone, name: str, way: str) -> None:
    kind = KINDS[name]
    if way == "runner" and "\\;" in kind.sql:
        pytest.skip("the runner sends the statements of a file one by one, as psql does")
    if stock.server.installation.major < kind.since:
        pytest.skip(f"since PostgreSQL {kind.since}")
    clone = stock.copy("kind")
    try:
        clone.start_watch()
        if kind.reader:
            reader = clone.session("app", "postgres")
            reader.simple(f"BEGIN; SELECT 1 FROM {kind.reader} LIMIT 1")
            threading.Timer(0.05, reader.close).start()
        if way == "runner":
            clone.execute(kind.sql.replace("\\;", ";"), name="kind.sql", step="up")
        else:
            _psql(clone, kind.sql)
        clone.stop_watch()
        seen = {(one.mode, one.object) for one in clone.trace.held}
        assert kind.locks <= seen
        assert all(one.caught in HERE for one in clone.trace.held)
        assert any(one.error for one in clone.trace.statements) == kind.fails
    finally:
        clone.drop()


def _psql(clone: Clone, sql: str) -> None:
    tap = clone.open_tap(always=True)
    subprocess.run(
        [clone.server.installation.program("psql"), "-Xq"],
        env={**os.environ, "PGHOST": str(tap.folder), "PGUSER": "postgres", "PGDATABASE": clone.name},
        input=sql,
        text=True,
        capture_output=True,
        check=True,
        timeout=60,
    )
    clone.close_tap(tap)


def test_a_wait_takes_as_long_as_the_server_says(clone: Clone) -> None:
    """The poller's own figures, before the log corrects them, are within 10 ms of it: of the waits that the log tells."""
    clone.start_watch()
    for seconds in (0.05, 0.12, 0.2):
        with clone.session("app", "postgres") as line:
            line.simple("BEGIN; SELECT count(*) FROM lines")
            release = threading.Timer(seconds, line.simple, ("COMMIT",))
            release.start()
            clone.execute("ALTER TABLE lines ALTER n SET DEFAULT 1", name="waits.sql", step="up")
            release.join()
    clone.stop_watch()
    own = [(wait.ended or wait.seen) - wait.since for wait in clone.trace.waits]
    clone.facts()  # reads the log
    told = [wait.exact for wait in clone.trace.waits]
    assert len(own) == len(told) == 3
    for mine, exact in zip(own, told, strict=True):
        assert exact is not None and abs(mine - exact) < 0.01
