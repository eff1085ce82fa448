"""Two programs at once: which lock keeps them apart, and what the loser does. (SQL files: test_proof.py.)"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from fulldress.database.postgres import Clone, runners
from fulldress.database.postgres.jobs import Program
from fulldress.database.postgres.tap import Tap
from fulldress.database.postgres.turns import Block, Side, changes, locks

WORK = "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM schema_version WHERE v = 4) THEN ALTER TABLE lines ADD c int; INSERT INTO schema_version VALUES (4); END IF; END $$;"


@pytest.mark.parametrize(
    ("script", "outcome", "lock", "loser"),
    [
        # as golang-migrate does: a lock of the session, the version looked at behind it
        (f"SELECT pg_advisory_lock(4711);\n{WORK}\nSELECT pg_advisory_unlock(4711);", "serialised", "advisory (session)", "waits then skips"),
        # as Rails does: tried for once, and given up
        (
            f"SELECT pg_try_advisory_lock(4712) AS got \\gset\n\\if :got\n{WORK}\n\\else\nSELECT 1/0;\n\\endif",
            "serialised",
            "try-lock",
            "fails at once",
        ),
        (f"BEGIN;\nLOCK TABLE schema_version;\n{WORK}\nCOMMIT;", "serialised", "table", "waits then skips"),
        (f"BEGIN;\nSELECT v FROM schema_version FOR UPDATE;\n{WORK}\nCOMMIT;", "serialised", "row", "waits then skips"),
        ("ALTER TABLE lines ADD c int;\nINSERT INTO schema_version VALUES (4);", "one failed", "none", "fails at once"),
    ],
)  # fmt: skip
def test_the_kind_of_lock_and_the_loser(
    script: str, outcome: str, lock: str, loser: str, shop: Clone, tmp_path: Path
) -> None:
    file = tmp_path / "m.sql"
    file.write_text(script)
    psql = shop.server.installation.program("psql")
    told = runners.twice(shop.copy, Program([psql, "-Xqv", "ON_ERROR_STOP=1", "-f", str(file)]), limit=30)
    assert (told.outcome, told.lock, told.loser) == (outcome, lock, loser), told


def side(*texts: str, held: str = "", outlived: str = "") -> Side:
    one = Side(cast(Tap, None), stops=len(texts), texts=list(texts))
    one.changes = sum(changes(text.encode()) for text in texts)
    one.advisory, one.outlived = set(held.split()), set(outlived.split())
    return one


def test_a_flag_in_a_row_is_told_from_none() -> None:
    """As Liquibase does it: an UPDATE that only one can win, and the loser asks again."""
    take = "UPDATE databasechangeloglock SET locked = true WHERE NOT locked"
    winner = side(
        "SELECT locked FROM databasechangeloglock", take, "ALTER TABLE a ADD b int", "CREATE TABLE c ()", "COMMIT"
    )
    loser = side(*["SELECT locked FROM databasechangeloglock"] * 3, take)
    assert runners.keeps((winner, loser), []).kind == "flag"
    assert runners.keeps((winner, side(*winner.texts)), []).kind == "none"


def test_an_advisory_lock_of_the_transaction_ends_with_it() -> None:
    block = Block(1, "advisory", "ExclusiveLock", "advisory 5", "SELECT pg_advisory_xact_lock(5)", True)
    assert runners.keeps((side(held="5"), side()), [block]).kind == "advisory (transaction)"
    assert runners.keeps((side(held="5", outlived="5"), side()), [block]).kind == "advisory (session)"


def test_waiting_for_what_the_other_changed_is_no_migration_lock() -> None:
    block = Block(1, "relation", "AccessExclusiveLock", "lines", "ALTER TABLE lines ADD c int", True)
    assert runners.keeps((side(), side()), [block]).kind == "none"
    late = Block(1, "advisory", "ExclusiveLock", "advisory 5", "SELECT pg_advisory_lock(5)", False)
    assert runners.keeps((side(held="5"), side()), [late]).kind == "none"


@pytest.mark.parametrize(
    ("text", "keeps_out"),
    [
        ("LOCK TABLE a", True),
        ("/* x */ select pg_advisory_lock($1)", True),
        ("SELECT * FROM v FOR UPDATE NOWAIT", True),
        ("UPDATE a SET b = 1", False),
        ("SELECT 1", False),
    ],
)
def test_statements_that_are_there_to_keep_others_out(text: str, keeps_out: bool) -> None:
    assert locks(text) is keeps_out
