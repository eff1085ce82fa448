"""The proof of a rollback, and two runners at once."""

from __future__ import annotations

import pytest

from fulldress.database.postgres import Clone, Server, bisection, proof, runners
from fulldress.facts import RESTORED, Difference


def differences(before: Clone, after: Clone) -> dict[tuple[str, str], Difference]:
    return {(one.object, one.kind): one for one in proof.compare(before, after) if one.kind not in RESTORED}


def notes(before: Clone, after: Clone) -> dict[str, str]:
    return {one.object: one.detail for one in proof.compare(before, after) if one.kind == "note"}


def test_equal_databases_are_proven_equal(shop: Clone, clone: Clone) -> None:
    found = proof.compare(shop, clone)
    assert {(one.object, one.kind, one.rows, one.equality) for one in found} == {
        ("orders", "none", 20000, "byte"),
        ("lines", "none", 500, "byte"),
        ("schema_version", "none", 1, "byte"),
    }


def test_there_and_back_is_equal_whatever_the_order_of_columns_and_rows(shop: Clone, clone: Clone) -> None:
    clone.execute(
        "ALTER TABLE orders RENAME extra TO old; ALTER TABLE orders ADD extra jsonb; UPDATE orders SET extra = old;"
        "ALTER TABLE orders DROP old; CLUSTER lines USING l; ",
        name="x.sql",
        step="",
    )
    assert differences(shop, clone) == {}


def test_a_column_that_comes_back_empty_is_lost_data(shop: Clone, clone: Clone) -> None:
    clone.execute("ALTER TABLE orders DROP legacy_ref; ALTER TABLE orders ADD legacy_ref text", name="x.sql", step="")
    found = differences(shop, clone)
    assert list(found) == [("orders", "column lost")]
    lost = found["orders", "column lost"]
    assert lost.rows == 20000 and lost.columns == ("legacy_ref",) and "empty in every row" in lost.detail


def test_rows_lost_added_and_changed_are_counted_apart(shop: Clone, clone: Clone) -> None:
    clone.execute(
        "DELETE FROM orders WHERE id BETWEEN 5 AND 9; UPDATE orders SET total = -1 WHERE id < 3;"
        "INSERT INTO orders (id, total) VALUES (99999, 1)",
        name="x.sql",
        step="",
    )
    found = differences(shop, clone)
    assert found["orders", "rows lost"].rows == 5
    assert found["orders", "rows added"].rows == 1 and "99999" in found["orders", "rows added"].detail
    assert found["orders", "rows changed"].rows == 2 and found["orders", "rows changed"].columns == ("total",)


@pytest.mark.parametrize(
    "update",
    [
        "UPDATE t SET num = 1.00",
        "UPDATE t SET doc = '{\"a\": 1.00}'",
        "UPDATE t SET flo = '-0'",
        "UPDATE t SET span = '24 hours'",
        "UPDATE t SET raw = '{\"a\":  1}'",
        "UPDATE t SET dot = '(1,3)'",
        "UPDATE t SET bits = B'101'",
        "UPDATE t SET txt = NULL",
        "UPDATE t SET nums = '{1.0,NULL}'",
    ],
)
def test_it_is_equality_of_bytes(update: str, clone: Clone) -> None:
    """Each pair is equal to the record hash, or has none."""
    clone.execute(
        """CREATE TABLE t (num numeric, doc jsonb, flo float8, span interval, raw json, dot point, bits bit(3), txt text, nums numeric[]);
        INSERT INTO t VALUES (1.0, '{"a": 1.0}', 0, '1 day', '{"a": 1}', '(1,2)', B'100', '', '{1,NULL}')""",
        name="t.sql",
        step="",
    )
    other = clone.copy("bytes")
    other.execute(update, name="u.sql", step="")
    found = differences(clone, other)
    other.drop()
    assert [kind for _, kind in found] in (["rows changed"], ["column lost"])


def test_schema_and_sequences_are_compared(shop: Clone, clone: Clone) -> None:
    clone.execute(
        "CREATE INDEX odd ON lines (n); ALTER TABLE orders ALTER total DROP NOT NULL; SELECT setval('orders_id_seq', 77777);"
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT SELECT ON lines TO PUBLIC; DROP TABLE schema_version",
        name="x.sql",
        step="",
    )
    found = differences(shop, clone)
    kinds = {name for name, kind in found if kind == "schema"}
    assert {
        "index public.odd",
        "column public.orders.total",
        "function public.f()",
        "table public.schema_version",
    } <= kinds
    assert found["schema_version", "rows lost"].rows == 1
    assert "is 77777: numbers are left out" in notes(shop, clone)["orders_id_seq"]
    assert any(name.startswith("owner and privileges") for name in kinds)


def test_without_a_primary_key_rows_are_told_apart_by_content(shop: Clone, clone: Clone) -> None:
    clone.execute("INSERT INTO lines VALUES (1, 1), (1, 1)", name="x.sql", step="")
    assert differences(shop, clone)["lines", "rows added"].rows == 2


def test_a_fingerprint_outlives_its_clone(shop: Clone, clone: Clone) -> None:
    before = proof.fingerprint(shop)
    clone.execute("DELETE FROM lines WHERE n = 0", name="x.sql", step="")
    (lost,) = [one for one in proof.compare(before, clone) if one.kind not in RESTORED]
    assert lost.kind == "rows lost" and lost.rows == 71


@pytest.mark.parametrize(
    ("sql", "outcome", "words"),
    [
        ("INSERT INTO lines VALUES (1, 1); ALTER TABLE lines ADD c int;", "one failed", "already exists"),
        ("INSERT INTO lines VALUES (1, 1); INSERT INTO lines VALUES (2, 2)", "both ran", "lines: rows added 2"),
        (
            "SELECT pg_advisory_lock(7); ALTER TABLE lines ADD COLUMN IF NOT EXISTS c int",
            "serialised",
            "waited for the lock",
        ),
        ("BEGIN; LOCK TABLE schema_version; ALTER TABLE lines ADD c int; COMMIT", "serialised", "and then failed"),
        (
            "BEGIN; SELECT pg_advisory_xact_lock(7); INSERT INTO lines VALUES (1, 1); COMMIT",
            "both ran",
            "everything again",
        ),
        ("BEGIN; ALTER TABLE lines ADD c int; COMMIT", "one failed", "no migration lock"),
        ("SELECT 1/0", "unknown", "one runner alone does not finish"),
    ],
)
def test_two_runners_at_once(sql: str, outcome: str, words: str, shop: Clone) -> None:
    told = runners.twice(shop.copy, [("0005.sql", sql)])
    assert told.outcome == outcome and words in told.detail, told
    assert told.migration == "0005.sql"
    assert set(shop.server.clones) >= {"shop"} and "two-runners" not in shop.server.clones


def changed(shop: Clone, clone: Clone, name: str, sql: str) -> dict[tuple[str, str], Difference]:
    clone.execute(sql, name="x.sql", step="")
    assert not clone.ran[-1].run.error
    return differences(shop, clone)


EVERYTHING = """
CREATE TABLE plain (a int);
CREATE TABLE kinds (id int PRIMARY KEY, n int, s text, CONSTRAINT positive CHECK (n > 0));
CREATE INDEX kinds_n ON kinds (n);
CREATE VIEW seen AS SELECT id FROM kinds;
CREATE MATERIALIZED VIEW kept AS SELECT id FROM kinds;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE mood AS ENUM ('ok', 'bad');
CREATE DOMAIN small AS int CHECK (value < 9);
CREATE SEQUENCE counter;
SELECT setval('counter', 50);
CREATE STATISTICS stat ON n, s FROM kinds;
CREATE FUNCTION tell() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE PUBLICATION pub FOR TABLE kinds;
CREATE FOREIGN DATA WRAPPER fdw;
CREATE SERVER far FOREIGN DATA WRAPPER fdw;
CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
CREATE POLICY pol ON kinds USING (true);
SELECT lo_from_bytea(4711, 'abc');
"""


#: A change to every kind of object, and what the difference is then called.
CHANGES = [
    ("ALTER TABLE kinds DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (n > 0) NOT VALID", "constraint public.kinds positive"),
    ("ALTER TABLE plain SET UNLOGGED", "table public.plain"),
    ("ALTER TABLE kinds ALTER n SET STATISTICS 7", "column public.kinds.n"),
    ("ALTER TABLE kinds REPLICA IDENTITY FULL", "table public.kinds"),
    ("COMMENT ON FUNCTION f() IS 'one'", "comment function public.f()"),
    ("COMMENT ON CONSTRAINT positive ON kinds IS 'why'", "comment table constraint positive on public.kinds"),
    ("COMMENT ON DATABASE {database} IS 'ours'", "comment database"),
    ("COMMENT ON TYPE mood IS 'how'", "comment type public.mood"),
    ("GRANT CREATE ON SCHEMA public TO PUBLIC; GRANT CREATE ON DATABASE {database} TO PUBLIC", "owner and privileges database"),
    ("REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC", "owner and privileges function public.f()"),
    ("REVOKE USAGE ON TYPE mood FROM PUBLIC", "owner and privileges type public.mood"),
    ("GRANT UPDATE (n) ON kinds TO PUBLIC", "privileges column public.kinds.n"),
    ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC", "default privileges of postgres for r"),
    ("ALTER DATABASE {database} SET work_mem = '9MB'", "setting of the database work_mem"),
    ("ALTER TYPE mood ADD VALUE 'worse'", "type public.mood"),
    ("ALTER DOMAIN small SET NOT NULL", "type public.small"),
    ("ALTER STATISTICS stat SET STATISTICS 7", "statistics public.stat"),
    ("CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION tell()", "event trigger et"),
    ("ALTER PUBLICATION pub DROP TABLE kinds", "publication pub"),
    ("ALTER SERVER far OPTIONS (host 'x')", "foreign server far"),
    ("ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING FOR word", "text search configuration public.words"),
    ("CREATE CAST (mood AS int) WITH INOUT", "cast public.mood as integer"),
    ("CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq)", "operator public.===(integer,integer)"),
    ("ALTER POLICY pol ON kinds USING (false)", "policy public.kinds pol"),
    ("SELECT lo_put(4711, 0, 'xyz')", "large objects"),
    ("REFRESH MATERIALIZED VIEW kept WITH NO DATA", "view public.kept"),
    ("SELECT setval('counter', 7)", "counter"),
    ("CREATE AGGREGATE ag(int) (sfunc = int4pl, stype = int)", "aggregate public.ag(integer)"),
]  # fmt: skip


def test_every_kind_of_object_is_compared(everything: Clone) -> None:
    copy = everything.copy("another")
    try:
        for sql, _ in CHANGES:
            if "STATISTICS stat" not in sql or everything.server.installation.major >= 13:
                copy.execute(sql.format(database="another"), name="x.sql", step="")
                assert not copy.ran[-1].run.error, sql
        found = {name for name, _ in differences(everything, copy)}
    finally:
        copy.drop()
    wanted = {
        name for sql, name in CHANGES if everything.server.installation.major >= 13 or "STATISTICS stat" not in sql
    }
    assert wanted <= found, wanted - found


@pytest.fixture(scope="module")
def everything(server: Server) -> Clone:
    clone = server.create("everything")
    clone.execute(EVERYTHING, name="everything.sql", step="")
    assert not clone.ran[-1].run.error
    return clone


@pytest.mark.parametrize(
    ("sql", "object_", "words"),
    [
        ("ALTER INDEX kinds_n RENAME TO other; COMMENT ON INDEX other IS NULL", "index public.kinds_n", "another name: other"),
        ("ALTER TABLE kinds RENAME CONSTRAINT positive TO above", "constraint public.kinds positive", "another name: above"),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT   1'", "function public.f()", "white space"),
        ("ALTER TABLE kinds DROP n CASCADE; ALTER TABLE kinds ADD n int, ADD CONSTRAINT positive CHECK (n > 0);"
         "CREATE INDEX kinds_n ON kinds (n); CREATE STATISTICS stat ON n, s FROM kinds", "table public.kinds", "n was number 2, now s is"),
        ("SELECT setval('counter', 99)", "counter", "is 99: numbers are left out"),
    ],
)  # fmt: skip
def test_what_only_looks_otherwise_is_a_note(sql: str, object_: str, words: str, everything: Clone) -> None:
    copy = everything.copy("another")
    try:
        found = changed(everything, copy, object_, sql)
        told = notes(everything, copy)
    finally:
        copy.drop()
    assert found == {} or object_.startswith("table"), sorted(found)
    assert words in told[object_.removeprefix("public.")], told


def test_the_instant_that_now_stood_for_is_a_note(clone: Clone) -> None:
    clone.execute("CREATE TABLE log (at timestamptz DEFAULT '2020-01-01 00:00:00+00')", name="x.sql", step="")
    copy = clone.copy("another")
    try:
        assert changed(clone, copy, "", "ALTER TABLE log ALTER at SET DEFAULT 'now'") == {}
        assert "'now'" in notes(clone, copy)["column public.log.at"]
        assert changed(clone, copy, "", "ALTER TABLE log ALTER at SET DEFAULT '2030-01-01'") != {}
    finally:
        copy.drop()


def test_rows_are_named_by_their_keys_and_columns(shop: Clone, clone: Clone) -> None:
    found = changed(
        shop, clone, "", "UPDATE orders SET total = 0, paid = 0 WHERE id IN (9, 100); DELETE FROM orders WHERE id = 7"
    )
    assert found["orders", "rows changed"].first == ("id = 9 (paid, total)", "id = 100 (paid, total)")
    assert found["orders", "rows lost"].first == ("id = 7",)


def test_values_that_change_places_are_found_though_every_column_sums_up_the_same(shop: Clone, clone: Clone) -> None:
    found = changed(shop, clone, "", "UPDATE orders SET total = 3 - total WHERE id IN (1, 2)")
    assert found["orders", "rows changed"].rows == 2 and found["orders", "rows changed"].columns == ("total",)


def test_a_column_that_comes_back_with_a_default_is_lost_data(shop: Clone, clone: Clone) -> None:
    found = changed(
        shop,
        clone,
        "",
        "ALTER TABLE orders DROP total; ALTER TABLE orders ADD total int NOT NULL DEFAULT 0; ALTER TABLE orders ALTER total DROP DEFAULT",
    )
    assert "one value in every row" in found["orders", "column lost"].detail


def test_which_equality_was_proven(shop: Clone, clone: Clone) -> None:
    if shop.server.installation.major < 14:
        pytest.skip("records have no hash before 14: bytes are compared whatever was asked for")
    clone.execute("UPDATE orders SET extra = '{\"a\": 1.0}' WHERE id = 1", name="x.sql", step="")
    told = {one.object: (one.kind, one.equality) for one in proof.compare(shop, clone, "semantic")}
    assert told["orders"] == ("none", "semantic") and told["lines"] == ("none", "byte")
    (only,) = differences(shop, clone).values()
    assert only.equality == "byte" and "written otherwise" in only.detail


def test_more_rows_than_travel_are_told_at_least(shop: Clone, clone: Clone) -> None:
    clone.execute("UPDATE orders SET total = total + 1", name="x.sql", step="")
    with shop.session() as left, clone.session() as right:
        told = bisection.compare(left, right, "public.orders", limit=1000)
    assert 0 < told.changed <= 1000 and told.detail.startswith("at least: more than 1,000 rows differ")


def test_roles_that_stay_are_told(clone: Clone) -> None:
    before = proof.fingerprint(clone)
    clone.execute("CREATE ROLE left_over LOGIN", name="x.sql", step="")
    (role,) = [one for one in proof.compare(before, clone, roles=True) if one.kind not in RESTORED]
    clone.execute("DROP ROLE left_over", name="x.sql", step="")
    assert role.object == "role left_over" and role.detail == "was not there"
