"""The proof of a rollback, and two runners at once."""

from __future__ import annotations

import pytest

from fulldress.database.postgres import Clone, proof, runners
from fulldress.facts import Difference


def differences(before: Clone, after: Clone) -> dict[tuple[str, str], Difference]:
    return {(one.object, one.kind): one for one in proof.compare(before, after) if one.kind != "none"}


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
    assert "is 77777" in found["orders_id_seq", "sequence"].detail
    assert any(name.startswith("owner and privileges") for name in kinds)


def test_without_a_primary_key_rows_are_told_apart_by_content(shop: Clone, clone: Clone) -> None:
    clone.execute("INSERT INTO lines VALUES (1, 1), (1, 1)", name="x.sql", step="")
    assert differences(shop, clone)["lines", "rows added"].rows == 2


def test_a_fingerprint_outlives_its_clone(shop: Clone, clone: Clone) -> None:
    before = proof.fingerprint(shop)
    clone.execute("DELETE FROM lines WHERE n = 0", name="x.sql", step="")
    (lost,) = [one for one in proof.compare(before, clone) if one.kind != "none"]
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
