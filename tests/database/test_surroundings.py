"""What production says around the migrations, and the room that a trace shows to be needed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fulldress.database.postgres import Clone
from fulldress.database.postgres.preflight import space, surroundings
from fulldress.database.postgres.preflight.reading import of_clone
from fulldress.facts import Collation, Keeper, Limit, Room
from fulldress.findings import Outcome


def test_limits_of_time_with_whom_they_hold_for(clone: Clone) -> None:
    with clone.server.session("postgres") as line:
        line.query(f"ALTER DATABASE \"{clone.name}\" SET lock_timeout = '2s'")
        line.query("CREATE ROLE ward_app")
        line.query(f'ALTER ROLE ward_app IN DATABASE "{clone.name}" SET statement_timeout = 1500')
    try:
        limits = surroundings.limits(of_clone(clone), "ward_app")
        found = {(one.name, one.who): one for one in limits if isinstance(one, Limit)}
        assert found["lock_timeout", ""].limit == timedelta(seconds=2)
        assert found["statement_timeout", "ward_app"].limit == timedelta(seconds=1.5)
        assert found["statement_timeout", "ward_app"].on == "statement"
        assert ("statement_timeout", "ward_app") not in {
            (one.name, one.who) for one in surroundings.limits(of_clone(clone)) if isinstance(one, Limit)
        }
        assert ("idle_in_transaction_session_timeout", "") not in found
    finally:
        with clone.server.session("postgres") as line:
            line.query(f'ALTER ROLE ward_app IN DATABASE "{clone.name}" RESET ALL; DROP ROLE ward_app')


def test_a_sort_order_whose_library_changed_names_its_indexes(clone: Clone) -> None:
    run = clone.execute(
        """CREATE COLLATION swedish (provider = icu, locale = 'sv');
        CREATE TABLE names (id int PRIMARY KEY, name text COLLATE swedish UNIQUE, plain text);
        CREATE INDEX names_like ON names (name text_pattern_ops);
        CREATE INDEX names_hash ON names USING hash (name);
        CREATE INDEX names_two ON names (id, name);""",
        name="m",
        step="",
    )
    if "ICU is not supported" in run.error:
        pytest.skip(run.error)
    assert run.outcome is Outcome.PASS, run.error
    with clone.session() as line:
        line.query("UPDATE pg_collation SET collversion = '1.2.3' WHERE collname = 'swedish'")
    (found,) = [
        one
        for one in surroundings.collations(of_clone(clone), clone.server.installation.major)
        if isinstance(one, Collation) and one.name == "swedish"
    ]
    assert (found.provider, found.recorded) == ("icu", "1.2.3") and found.actual not in ("", "1.2.3")
    assert found.indexes == ("names_name_key", "names_two") and found.constraints == ("names_name_key",)


def test_who_keeps_the_wal(clone: Clone) -> None:
    with clone.session() as line:
        line.query("SELECT pg_create_physical_replication_slot('standby_2', true)")
    try:
        clone.execute("INSERT INTO lines SELECT g, g FROM generate_series(1, 5000) g", name="m", step="")
        (slot,) = [one for one in surroundings.keepers(of_clone(clone)) if isinstance(one, Keeper)]
        assert (slot.name, slot.kind, slot.active) == ("standby_2", "physical slot", False)
        assert slot.behind is not None and slot.behind > 100_000
        assert slot.most is None
    finally:
        with clone.session() as line:
            line.query("SELECT pg_drop_replication_slot('standby_2')")


def test_room_for_what_is_written_anew_is_the_table_with_its_indexes(clone: Clone) -> None:
    before = space.sizes(clone)
    clone.execute(
        "ALTER TABLE orders ALTER total TYPE bigint; CREATE INDEX by_ref ON orders (legacy_ref); REINDEX INDEX orders_pkey;"
        "INSERT INTO lines SELECT g, 1 FROM generate_series(1, 20000) g",
        name="0001.sql",
        step="",
    )
    after = space.sizes(clone)
    found = {one.what: one for one in space.room(clone.facts(), before, after, free=10**9)}
    data = found["data"]
    assert isinstance(data, Room) and data.free == 10**9 and data.migration == "0001.sql"
    anew = after.tables["orders"] + after.indexes["orders_pkey"]
    assert data.needed == anew + after.tables["lines"] - before.tables["lines"]
    assert "ALTER TABLE orders" in data.largest[0]
    assert found["wal"].needed > after.tables["orders"] // 3
    again = {one.what: one for one in space.room(clone.facts(), before, after, scale=10.0)}
    assert again["data"].needed == data.needed * 10
