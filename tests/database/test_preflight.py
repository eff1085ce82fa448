"""Rows in the way of a statement are named before it runs; what it would not fail on is asked and found clean."""

from __future__ import annotations

from itertools import count

import pytest

from fulldress.database.postgres import Clone
from fulldress.database.postgres.preflight import ask, pieces_of
from fulldress.facts import Preflight, Unread
from fulldress.findings import Outcome

WARDS = """
CREATE TYPE mood AS ENUM ('calm', 'busy', 'gone');
CREATE DOMAIN percent AS int;
CREATE TABLE wards (id int PRIMARY KEY, name text);
INSERT INTO wards VALUES (1, 'east'), (2, 'west'), (3, 'east');
CREATE TABLE beds (ward int, bed int, label varchar(20), price numeric(10,2), state mood, share percent, code text,
                   PRIMARY KEY (ward, bed));
INSERT INTO beds VALUES (1, 1, 'a', 1.00, 'calm', 10, '1'), (1, 2, 'far too long', 12345.67, 'gone', 250, 'x1'),
                        (9, 1, NULL, NULL, 'busy', NULL, '01');
CREATE TABLE stays (room int, during int4range, note text);
INSERT INTO stays VALUES (1, '[1,5)', repeat(md5('a'), 10)), (1, '[4,9)', NULL), (2, '[1,5)', NULL);
INSERT INTO stays SELECT 3, NULL, string_agg(md5(g::text), '') FROM generate_series(1, 400) g;
CREATE TABLE logs (at int NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE logs_rest PARTITION OF logs DEFAULT;
INSERT INTO logs VALUES (5, 'x'), (15, 'y');
CREATE TABLE loose (at int NOT NULL, what text);
INSERT INTO loose VALUES (40, 'in'), (99, 'out');
"""
_numbers = count()


@pytest.fixture(scope="module")
def wards(server) -> Clone:  # type: ignore[no-untyped-def]
    clone = server.create("wards")
    run = clone.execute(WARDS, name="wards.sql", step="set up")
    assert run.outcome is Outcome.PASS, run.error
    return clone


def asked(wards: Clone, sql: str) -> list:  # type: ignore[type-arg]
    copy = wards.copy(f"wards{next(_numbers)}")
    try:
        return ask(copy, pieces_of([("m.sql", sql)]), seconds=20)
    finally:
        copy.drop()


BLOCKED = [
    ("ALTER TABLE wards ADD CONSTRAINT one_name UNIQUE (name)", "unique", 2, "id=1 and id=3"),
    ("CREATE UNIQUE INDEX ON wards (lower(name)) WHERE id > 0", "unique", 2, "id=1 and id=3"),
    ("CREATE UNIQUE INDEX CONCURRENTLY w ON wards (name)", "unique", 2, "id=1 and id=3"),
    ("ALTER TABLE beds ALTER COLUMN label SET NOT NULL", "not null", 1, "ward=9, bed=1"),
    ("ALTER TABLE beds ADD FOREIGN KEY (ward) REFERENCES wards", "foreign key", 1, "ward=9, bed=1 (ward=9 is not in wards)"),
    ("ALTER TABLE beds ADD CHECK (price < 1000)", "check", 1, "ward=1, bed=2"),
    ("ALTER TABLE beds ADD CONSTRAINT c CHECK (price < 1000) NOT VALID; ALTER TABLE beds VALIDATE CONSTRAINT c",
     "check", 1, "ward=1, bed=2"),
    ("ALTER TABLE beds ALTER label TYPE varchar(5)", "type", 1,
     "ward=1, bed=2 (value too long for type character varying(5))"),
    ("ALTER TABLE beds ALTER price TYPE numeric(5,2)", "type", 1, "ward=1, bed=2 (numeric field overflow)"),
    ("ALTER TABLE beds ALTER code TYPE int USING code::int", "type", 1,
     "ward=1, bed=2 (invalid input syntax for type integer)"),
    ("CREATE TYPE mood2 AS ENUM ('calm', 'busy'); ALTER TABLE beds ALTER state TYPE mood2 USING state::text::mood2",
     "enum", 1, "ward=1, bed=2 (invalid input value for enum mood2)"),
    ("ALTER TABLE beds ADD COLUMN floor int NOT NULL", "not null", 3, "ward=1, bed=1"),
    ("ALTER TABLE beds ADD COLUMN tag int DEFAULT 7 UNIQUE", "unique", 3, "ward=1, bed=1 and ward=1, bed=2 and ward=9, bed=1"),
    ("ALTER TABLE beds ADD COLUMN w int DEFAULT 5 REFERENCES wards", "foreign key", 3, "ward=1, bed=1 (w=5 is not in wards)"),
    ("ALTER TABLE beds ADD COLUMN half int GENERATED ALWAYS AS (code::int / 2) STORED", "generated", 1,
     "ward=1, bed=2 (invalid input syntax for type integer)"),
    ("ALTER DOMAIN percent ADD CONSTRAINT most CHECK (VALUE <= 100)", "check", 1, "ward=1, bed=2"),
    ("ALTER DOMAIN percent SET NOT NULL", "not null", 1, "ward=9, bed=1"),
    ("ALTER TABLE stays ADD EXCLUDE USING gist (during WITH &&) WHERE (room = 1)", "exclusion", 2, "stays (0,1)"),
    ("CREATE INDEX ON stays (note)", "index row", 1, "stays (0,4) (12800 bytes)"),
    ("CREATE INDEX ON beds ((code::int))", "index expression", 1, "ward=1, bed=2 (invalid input syntax for type integer)"),
    ("CREATE TABLE logs_low PARTITION OF logs FOR VALUES FROM (MINVALUE) TO (10)", "partition", 1, "logs_rest (0,1)"),
    ("ALTER TABLE logs ATTACH PARTITION loose FOR VALUES FROM (20) TO (50)", "partition", 1, "loose (0,2)"),
]  # fmt: skip

PASSED = [
    ("ALTER TABLE wards ADD CONSTRAINT one_name UNIQUE (name, id)", "unique"),
    ("CREATE UNIQUE INDEX ON wards (lower(name)) WHERE id < 3", "unique"),
    ("UPDATE wards SET name = 'north' WHERE id = 3; CREATE UNIQUE INDEX CONCURRENTLY w ON wards (name)", "unique"),
    ("BEGIN; UPDATE beds SET label = 'b' WHERE label IS NULL; ALTER TABLE beds ALTER label SET NOT NULL; COMMIT", "not null"),
    ("INSERT INTO wards VALUES (9, 'new'); ALTER TABLE beds ADD FOREIGN KEY (ward) REFERENCES wards", "foreign key"),
    ("ALTER TABLE beds ADD CHECK (price < 100000)", "check"),
    ("ALTER TABLE beds ALTER label TYPE varchar(12)", "type"),
    ("ALTER TABLE beds ALTER price TYPE numeric(7,2)", "type"),
    ("DELETE FROM beds WHERE code = 'x1'; ALTER TABLE beds ALTER code TYPE int USING code::int", "type"),
    ("UPDATE beds SET state = 'busy' WHERE state = 'gone'; CREATE TYPE mood2 AS ENUM ('calm', 'busy');"
     "ALTER TABLE beds ALTER state TYPE mood2 USING state::text::mood2", "enum"),
    ("ALTER TABLE beds ADD COLUMN w int DEFAULT 2 REFERENCES wards", "foreign key"),
    ("ALTER TABLE beds ADD COLUMN twice int GENERATED ALWAYS AS (bed * 2) STORED", "generated"),
    ("ALTER DOMAIN percent ADD CONSTRAINT most CHECK (VALUE <= 300)", "check"),
    ("ALTER TABLE stays ADD EXCLUDE USING gist (during WITH &&) WHERE (room = 2)", "exclusion"),
    ("CREATE INDEX ON stays (note) WHERE room < 3", "index row"),
    ("CREATE TABLE logs_low PARTITION OF logs FOR VALUES FROM (100) TO (MAXVALUE)", "partition"),
    ("ALTER TABLE logs ATTACH PARTITION loose FOR VALUES FROM (20) TO (100)", "partition"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "kind", "offending", "first"), BLOCKED, ids=[sql[:60] for sql, *_ in BLOCKED])
def test_rows_in_the_way_are_named_by_key(sql: str, kind: str, offending: int, first: str, wards: Clone) -> None:
    facts = asked(wards, sql)
    found = [fact for fact in facts if isinstance(fact, Preflight) and fact.offending]
    assert [(one.kind, one.offending, one.rows[0]) for one in found] == [(kind, offending, first)], facts


@pytest.mark.parametrize(("sql", "kind"), PASSED, ids=[sql[:60] for sql, _ in PASSED])
def test_its_twin_is_asked_and_clean(sql: str, kind: str, wards: Clone) -> None:
    facts = asked(wards, sql)
    assert not [fact for fact in facts if isinstance(fact, Unread)]
    assert kind in {fact.kind for fact in facts if isinstance(fact, Preflight) and not fact.offending}
    assert not [fact for fact in facts if isinstance(fact, Preflight) and fact.offending], facts


@pytest.mark.parametrize("sql", [sql for sql, *_ in BLOCKED])
def test_the_server_agrees_that_they_are_in_the_way(sql: str, wards: Clone) -> None:
    copy = wards.copy(f"wards{next(_numbers)}")
    try:
        assert copy.execute(sql, name="m.sql", step="").outcome is Outcome.FAIL
    finally:
        copy.drop()
