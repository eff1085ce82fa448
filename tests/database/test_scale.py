"""Smaller copies in which every key still holds, and bands for a size that nobody rehearsed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from fulldress.database.postgres import Clone, sampling, scale
from fulldress.facts import Forecast, Unread
from fulldress.findings import Outcome

WARD = """
CREATE TABLE countries (code text PRIMARY KEY);
INSERT INTO countries SELECT 'c' || g FROM generate_series(1, 50) g;
CREATE TABLE patients (id int PRIMARY KEY, country text REFERENCES countries, doctor int, note text);
INSERT INTO patients SELECT g, 'c' || g % 50 + 1, NULL, repeat('x', 40) FROM generate_series(1, 8000) g;
CREATE TABLE stays (id int PRIMARY KEY, patient int NOT NULL REFERENCES patients, next int REFERENCES stays, price int);
INSERT INTO stays SELECT g, g % 8000 + 1, CASE WHEN g > 1 AND g % 500 = 0 THEN g - 1 END, g FROM generate_series(1, 24000) g;
ALTER TABLE patients ADD FOREIGN KEY (doctor) REFERENCES stays;
UPDATE patients SET doctor = id WHERE id % 100 = 0;
CREATE TABLE readings (at int NOT NULL, stay int NOT NULL REFERENCES stays) PARTITION BY RANGE (at);
CREATE TABLE readings_1 PARTITION OF readings FOR VALUES FROM (0) TO (5000);
CREATE TABLE readings_2 PARTITION OF readings FOR VALUES FROM (5000) TO (100000);
INSERT INTO readings SELECT g, g % 24000 + 1 FROM generate_series(1, 12000) g;
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''a trigger ran''; END';
CREATE TRIGGER never BEFORE DELETE ON patients FOR EACH ROW EXECUTE FUNCTION never();
"""
_numbers = count()


@pytest.fixture(scope="module")
def ward(server) -> Clone:  # type: ignore[no-untyped-def]
    clone = server.create("ward")
    run = clone.execute(WARD, name="ward.sql", step="set up")
    assert run.outcome is Outcome.PASS, run.error
    return clone


@pytest.fixture
def copy(ward: Clone) -> Iterator[Clone]:
    made = ward.copy(f"ward{next(_numbers)}")
    yield made
    made.drop()


def test_a_tenth_of_the_rows_keeps_every_key(copy: Clone) -> None:
    left = sampling.shrink(copy, 0.1)
    assert left["countries"] == 50
    assert 600 < left["patients"] < 1200 and 1800 < left["stays"] < 3800
    assert 700 < left["readings"] < 2000
    with copy.session() as line:  # the server's own opinion of every key
        for name, table, text in line.rows(
            "SELECT conname::text, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conparentid = 0"
        ):
            line.query(f"ALTER TABLE {table} ADD CONSTRAINT {name}_again {text}")


def test_the_same_seed_keeps_the_same_rows(ward: Clone) -> None:
    sums = []
    for seed in (5, 5, 6):
        made = ward.copy(f"ward{next(_numbers)}")
        sampling.shrink(made, 0.2, seed)
        sums.append(made.query("SELECT sum(id) AS s, count(*) AS n FROM stays")[0])
        made.drop()
    assert sums[0] == sums[1] != sums[2]


def test_each_statement_gets_a_band_with_its_basis(ward: Clone) -> None:
    scripts = [("1.sql", "ALTER TABLE stays ALTER price TYPE bigint;\nCREATE INDEX by_price ON stays (price);")]
    facts = scale.rehearse(ward, scripts, shares=(0.25, 1.0), runs=2, production={"stays": 2_000_000})
    assert not [fact for fact in facts if isinstance(fact, Unread)], facts
    rewrite, index, whole = [fact for fact in facts if isinstance(fact, Forecast)]
    assert (rewrite.table, rewrite.rows, len(rewrite.samples)) == ("stays", 2_000_000, 4)
    assert "2 runs at 25%, 2 runs at 100% of 24,000 rows; 83 times the largest size" in rewrite.basis
    assert rewrite.low is not None and rewrite.high is not None and rewrite.expected is not None
    assert rewrite.low <= rewrite.expected <= rewrite.high
    assert index.high is not None and whole.high == rewrite.high + index.high and not whole.statement
    assert ward.query("SELECT count(*) AS n FROM stays") == [{"n": 24000}]


def test_one_size_is_no_basis_for_another(ward: Clone) -> None:
    facts = scale.rehearse(ward, [("1.sql", "UPDATE stays SET price = 1")], shares=(1.0,), runs=2, factor=10)
    (gap,) = [fact for fact in facts if isinstance(fact, Unread)]
    assert gap.needed and "production's size" in gap.what
    assert [fact.high for fact in facts if isinstance(fact, Forecast)] == [None, None]


def test_a_migration_that_fails_at_a_size_is_said(ward: Clone) -> None:
    facts = scale.rehearse(ward, [("1.sql", "ALTER TABLE nothing ADD x int")], shares=(1.0,), runs=2)
    assert [fact.needed for fact in facts if isinstance(fact, Unread)] == [True]
