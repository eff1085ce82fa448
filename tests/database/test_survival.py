"""What each way back leaves of the rows that were written after the upgrade."""

from __future__ import annotations

import pytest

from fulldress.database.postgres import Clone, survival
from fulldress.database.postgres.steps import Script, Step
from fulldress.facts import Survival

UP = """
CREATE TABLE notes (id int PRIMARY KEY, words text);
ALTER TABLE orders ADD COLUMN note_id int;
ALTER TABLE lines RENAME TO order_lines;
"""
DOWN = "ALTER TABLE order_lines RENAME TO lines; ALTER TABLE orders DROP COLUMN note_id; DROP TABLE notes;"


def write(clone: Clone) -> None:
    clone.execute(
        "INSERT INTO notes SELECT g, 'n' FROM generate_series(1, 4) g;"
        "INSERT INTO orders (id, total, note_id) SELECT 30000 + g, g, g FROM generate_series(1, 3) g;"
        "UPDATE orders SET total = -9 WHERE id = 1; INSERT INTO order_lines VALUES (1, 1), (1, 1)",
        name="written.sql",
        step="",
    )


def ways(clone: Clone, up: str, down: str | None) -> dict[str, Survival]:
    back = None if down is None else Script(name="1.down.sql", text=down)
    step = Step(name="1", up=Script(name="1.up.sql", text=up), down=back)
    found = survival.ways(clone, [step], write, "recorded")
    assert all(isinstance(one, Survival) for one in found), found
    return {one.way: one for one in found if isinstance(one, Survival)}


def test_ways_back_side_by_side(clone: Clone) -> None:
    found = ways(clone, UP, DOWN)
    assert set(found) == {"down scripts", "snapshot", "dump", "transaction"}
    assert {one.written for one in found.values()} == {10, 0}
    downs, snapshot, dump, transaction = (found[way] for way in ("down scripts", "snapshot", "dump", "transaction"))
    assert (downs.survive, downs.lost, downs.changed) == (6, 4, 0), downs
    assert downs.tables == ("notes: 4 of 4",) and downs.whole
    assert snapshot.survive == 0 and snapshot.whole and snapshot.duration
    # the row that was changed is there again, as it was before
    assert (snapshot.lost, snapshot.changed) == (9, 1) and "orders: 3 of 4" in snapshot.tables
    assert (dump.lost, dump.changed) == (9, 1) and dump.whole and dump.outcome == "ok"
    assert transaction.outcome == "ok" and transaction.whole and "until it is committed" in transaction.detail
    assert not [name for name in clone.server.clones if name.startswith(f"{clone.name}@")]


@pytest.mark.parametrize(
    ("up", "down", "outcome"),
    [
        (UP, None, "not possible: there are none"),
        (UP, "DROP TABLE notes; SELECT 1/0;", "failed: 1.down.sql:1: division by zero (SQLSTATE 22012)"),
    ],
)
def test_ways_that_lead_nowhere_say_so(up: str, down: str | None, outcome: str, clone: Clone) -> None:
    assert ways(clone, up, down)["down scripts"].outcome == outcome


def test_old_rows_that_a_way_back_loses_make_it_not_whole(clone: Clone) -> None:
    lossy = DOWN + "ALTER TABLE orders DROP legacy_ref; ALTER TABLE orders ADD legacy_ref text;"
    assert ways(clone, UP, lossy)["down scripts"].whole is False


def test_what_commits_by_itself_is_no_transaction(clone: Clone) -> None:
    told = ways(clone, UP + "CREATE INDEX CONCURRENTLY i ON orders (total);", DOWN)["transaction"]
    assert told.outcome.startswith("not possible: 1.up.sql commits by itself")


def test_rows_are_made_where_nobody_says_what_is_written(clone: Clone) -> None:
    step = Step(name="1", up=Script(name="u", text=UP), down=Script(name="d", text=DOWN))
    downs = next(one for one in survival.ways(clone, [step]) if isinstance(one, Survival))
    assert downs.sample == "made" and downs.written == 20 and downs.tables == ("notes: 5 of 5",)
