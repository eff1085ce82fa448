"""Stand-in data: what leaves production, and rows made from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fulldress.database.postgres import Clone, Server
from fulldress.database.postgres.standin import form, generate
from fulldress.database.postgres.standin.bounds import read
from fulldress.database.postgres.standin.capture import capture
from fulldress.errors import BadStandIn
from fulldress.findings import Outcome

#: Everything that a person could have typed into the source. None of it may be in the file.
SECRETS = (
    "Zsuzsanna",
    "Qwyzxchester",
    "geheimnis@",
    "4929-1234",
    "1977-03-11",
    "198.51.100.77",
    "8675309",
    "NULLSTRASSE",
)

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN percent AS int CHECK (VALUE >= 0 AND VALUE <= 100);
CREATE DOMAIN code AS varchar(12) CHECK (VALUE ~ '^[0-9a-f]+$');
CREATE TABLE city (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, zip char(5));
CREATE TABLE person (
    id bigserial PRIMARY KEY, name text NOT NULL, email varchar(80) NOT NULL, born date CHECK (born >= '1900-01-01'),
    city_id int NOT NULL REFERENCES city, boss bigint REFERENCES person, mood mood NOT NULL DEFAULT 'ok', score percent,
    code code, address inet, uid uuid NOT NULL UNIQUE, tags text[], extra jsonb, balance numeric(10,2) CHECK (balance > 0),
    status text NOT NULL CHECK (status IN ('new', 'paid', 'it''s odd')), height real, seen timestamptz NOT NULL,
    initials varchar(2), full_name text GENERATED ALWAYS AS (name || '!') STORED, card text, picture bytea,
    CHECK (char_length(name) >= 3 AND char_length(name) <= 20));
CREATE UNIQUE INDEX person_email ON person (lower(email));
CREATE INDEX person_boss ON person (boss);
CREATE TABLE likes (person_id bigint REFERENCES person, city_id int REFERENCES city, since date, until date,
    PRIMARY KEY (person_id, city_id), CHECK (until > since));
CREATE TABLE passport (person_id bigint PRIMARY KEY REFERENCES person ON DELETE CASCADE, number text UNIQUE NOT NULL);
CREATE TABLE husband (id int PRIMARY KEY, wife_id int); CREATE TABLE wife (id int PRIMARY KEY, husband_id int REFERENCES husband);
ALTER TABLE husband ADD FOREIGN KEY (wife_id) REFERENCES wife DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE event (id bigint, at timestamptz NOT NULL, what text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE shard (id int PRIMARY KEY, v text) PARTITION BY HASH (id);
CREATE TABLE shard0 PARTITION OF shard FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shard1 PARTITION OF shard FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE MATERIALIZED VIEW per_city AS SELECT city_id, count(*) AS n FROM person GROUP BY 1;
CREATE TABLE "Odd ""name" ("Group" int NOT NULL, "g" text, CHECK ("Group" BETWEEN 5 AND 7));
COMMENT ON TABLE person IS 'ask Zsuzsanna';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen := now(); RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION touch();
"""
ROWS = """
INSERT INTO city (name, zip) SELECT 'NULLSTRASSE ' || g, lpad(g::text, 5, '0') FROM generate_series(1, 40) g;
INSERT INTO person (name, email, born, city_id, mood, score, code, address, uid, tags, extra, balance, status, height, seen,
    initials, card, picture)
SELECT 'Zsuzsanna' || g, 'geheimnis@' || g || '.example', '1977-03-11', 1 + g % 40, 'happy', g % 100, to_hex(g),
    '198.51.100.77', md5(g::text)::uuid, ARRAY['Qwyzxchester'], '{"phone": "8675309"}', 8675309.11, 'paid', 1.7,
    now() - g * interval '1 h', 'ZQ', CASE WHEN g % 4 = 0 THEN '4929-1234' END, convert_to('Qwyzxchester' || g, 'UTF8')
FROM generate_series(1, 4000) g;
UPDATE person SET boss = id - 1 WHERE id % 3 = 0;
INSERT INTO likes SELECT p, 1 + c * 3, '1977-03-11', '1999-01-01' FROM generate_series(1, 1500) p, generate_series(0, 3) c;
INSERT INTO passport SELECT g, '8675309' || g FROM generate_series(1, 3000) g;
INSERT INTO husband SELECT g, NULL FROM generate_series(1, 100) g; INSERT INTO wife SELECT g, g FROM generate_series(1, 100) g;
UPDATE husband SET wife_id = id;
INSERT INTO event SELECT g, timestamptz '2024-03-01' + g * interval '100 min', 'Zsuzsanna' FROM generate_series(1, 5000) g;
INSERT INTO shard SELECT g, 'Zsuzsanna' FROM generate_series(1, 1000) g;
INSERT INTO "Odd ""name" SELECT 6, 'Qwyzxchester' FROM generate_series(1, 50);
REFRESH MATERIALIZED VIEW per_city;
"""


@pytest.fixture(scope="module")
def captured(server: Server) -> Iterator[tuple[Clone, form.StandIn]]:
    clone = server.create("people")
    assert clone.execute(SCHEMA, name="schema.sql", step="").error == ""
    assert clone.execute(ROWS, name="rows.sql", step="").error == ""
    assert clone.execute("ANALYZE", name="analyze.sql", step="").outcome is Outcome.PASS
    yield clone, capture(server.installation, server.dsn("people", "postgres"))
    clone.drop()


@pytest.fixture(scope="module")
def stand_in(captured: tuple[Clone, form.StandIn], server: Server) -> Iterator[Clone]:
    clone = generate.clone(server, "standin", captured[1], rows=1_000_000)
    yield clone
    clone.drop()


def count(clone: Clone, table: str) -> int:
    return int(str(clone.query(f"SELECT count(*) AS n FROM {table}")[0]["n"]))


def test_nothing_personal_leaves(captured: tuple[Clone, form.StandIn], tmp_path: Path) -> None:
    form.write(captured[1], tmp_path / "people.json")
    text = (tmp_path / "people.json").read_text()
    assert [secret for secret in SECRETS if secret.lower() in text.lower()] == []
    assert "happy" in text  # an enum's labels are schema
    clone = captured[0]
    stored = clone.query(
        "SELECT most_common_vals::text AS v FROM pg_stats WHERE tablename = 'person' AND attname = 'extra'"
    )
    assert "8675309" in str(stored)  # it was there to be taken
    assert form.read(tmp_path / "people.json") == captured[1]


def test_no_table_of_the_users_is_read(captured: tuple[Clone, form.StandIn]) -> None:
    clone = captured[0]
    sql = "SELECT sum(seq_scan + coalesce(idx_scan, 0)) AS n FROM pg_stat_user_tables"
    before = clone.query(sql)
    capture(clone.server.installation, clone.server.dsn("people", "postgres"))
    assert clone.query(sql) == before


def test_rows_satisfy_every_constraint_and_their_numbers_agree(stand_in: Clone) -> None:
    assert [(gap.what, gap.detail) for gap in stand_in.unread if gap.needed] == []
    for table, rows in (
        ("city", 40), ("person", 4000), ("likes", 6000), ("passport", 3000), ("husband", 100), ("wife", 100),
        ("event_2024", 4400), ("event_2025", 600), ("shard", 1000), ('"Odd ""name"', 50), ("per_city", 40),
    ):  # fmt: skip
        assert count(stand_in, table) == pytest.approx(rows, rel=0.03), table
    # PRIMARY KEY, UNIQUE, FOREIGN KEY and CHECK were built over the rows by the server; so nothing is left unvalidated
    assert count(stand_in, "pg_constraint WHERE NOT convalidated") == 0
    assert count(stand_in, "pg_index WHERE NOT indisvalid") == 0


def test_statistics_agree(stand_in: Clone) -> None:
    row = stand_in.query(
        "SELECT avg((card IS NULL)::int)::float AS nulls, count(DISTINCT city_id) AS cities, count(boss) AS bosses,"
        " count(DISTINCT status) AS states, avg(pg_column_size(email))::float AS width FROM person"
    )[0]
    assert row["nulls"] == pytest.approx(0.75, abs=0.05)
    assert row["cities"] == 40
    assert row["bosses"] == pytest.approx(4000 / 3, rel=0.1)
    assert row["states"] == 1  # production has but one
    assert row["width"] == pytest.approx(24, abs=4)
    assert stand_in.query("INSERT INTO city (name) VALUES ('x') RETURNING id") == [{"id": 41}]


def test_the_same_seed_makes_the_same_rows(
    captured: tuple[Clone, form.StandIn], server: Server, stand_in: Clone
) -> None:
    def content(clone: Clone) -> object:
        return clone.query("SELECT sum(hashtextextended(p::text, 0)) AS h FROM person p")

    again = generate.clone(server, "again", captured[1], rows=1_000_000)
    other = generate.clone(server, "other", captured[1], rows=1_000_000, seed=2)
    assert content(again) == content(stand_in) != content(other)
    again.drop()
    other.drop()


def test_fewer_rows_are_said(captured: tuple[Clone, form.StandIn], server: Server) -> None:
    clone = generate.clone(server, "small", captured[1], rows=2000)
    assert count(clone, "person") == pytest.approx(400, rel=0.05)
    assert any("--rows" in gap.detail for gap in clone.unread)
    assert not [gap for gap in clone.unread if gap.needed]
    clone.drop()


def test_what_cannot_be_satisfied_is_said(server: Server) -> None:
    clone = server.create("hard")
    clone.execute(
        "CREATE TABLE t (a text NOT NULL CHECK (a ~ '^[A-Z]{3}-[0-9]{9}$')); INSERT INTO t VALUES ('ABC-123456789');"
        " CREATE TABLE never_analysed (a int) WITH (autovacuum_enabled = off); ANALYZE t;",
        name="x.sql",
        step="",
    )
    made = generate.clone(server, "hard2", capture(server.installation, server.dsn("hard", "postgres")), rows=1000)
    assert any(gap.needed and "public.t" in gap.what and "CHECK" in gap.detail for gap in made.unread)
    made.drop()
    clone.drop()


def test_no_file_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text in ("", "{}", "not json"):
        path.write_text(text)
        with pytest.raises(BadStandIn):
            form.read(path)


@pytest.mark.parametrize(
    ("condition", "low", "high", "values"),
    [
        ("((total >= 0) AND (total < 10))", ("0", True), ("10", False), None),
        ("(5 <= total)", ("5", True), None, None),
        ("(total > '-3'::integer)", ("'-3'", False), None, None),
        (
            "((total)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            None,
            None,
            ["'a'", "'b'"],
        ),
        ("(total = ANY (ARRAY[1, 2]))", None, None, ["1", "2"]),
    ],
)
def test_simple_conditions_are_understood(condition: str, low: object, high: object, values: object) -> None:
    found = read([condition])["total"]
    assert (found.low, found.high, found.values) == (low, high, values)


@pytest.mark.parametrize("condition", ["(a OR b)", "(a ~ 'x')", "f(a) > 1", "syntax (", "", "(a < b)"])
def test_others_are_left_to_the_server(condition: str) -> None:
    assert not [one for one in read([condition]).values() if one.low or one.high or one.values]
