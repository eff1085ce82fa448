"""SQLite: the source keeps every byte, what a statement did and locked, and the proof of a rollback."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fulldress.database import records
from fulldress.database.sqlite import Clone, programs, proof, rehearsal
from fulldress.errors import NotSqlite
from fulldress.facts import AnyFact, Difference, Lock, Migration, Unread, Wait, Work
from fulldress.findings import Outcome

SHOP = """
CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, total INT NOT NULL, legacy_ref TEXT, paid REAL);
CREATE TABLE lines (order_id INT, n INT);
CREATE TABLE schema_version (v INT);
INSERT INTO schema_version VALUES (3);
"""

#: Opens the database, does what it is told on its own lines of input, and says "done" after each.
HOLDER = """
import sqlite3, sys
line = sqlite3.connect(sys.argv[1], isolation_level=None)
for words in sys.stdin:
    line.execute(words).fetchall()
    print("done", flush=True)
"""


def make(path: Path, mode: str = "delete") -> None:
    with closing(sqlite3.connect(path)) as line:
        line.execute(f"PRAGMA journal_mode = {mode}")
        line.executescript(SHOP)
        line.executemany(
            "INSERT INTO orders (total, legacy_ref, paid) VALUES (?, ?, ?)",
            ((number % 100, f"ref {number}", number * 1.5) for number in range(2000)),
        )
        line.executemany("INSERT INTO lines VALUES (?, ?)", ((number, number % 7) for number in range(500)))
        line.commit()


@pytest.fixture(scope="module", params=["delete", "wal"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    make(path, request.param)
    return path


@pytest.fixture
def clone(shop: Path) -> Iterator[Clone]:
    with rehearsal(shop) as made:
        yield made


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Holder:
    """Another program that has the database open."""

    def __init__(self, path: Path) -> None:
        words = [sys.executable, "-I", "-c", HOLDER, str(path)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Holder:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def do(self, words: str) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


# -- the source -------------------------------------------------------------------------------------------------------


def test_a_copy_changes_no_byte_and_makes_no_file(shop: Path) -> None:
    before = everything(shop.parent)
    with rehearsal(shop) as clone:
        assert clone.query("SELECT count(*) AS n FROM orders") == [{"n": 2000}]
        (mode,) = clone.query("PRAGMA journal_mode")
        assert mode["journal_mode"] == ("wal" if before["shop.db"][18] == 2 else "delete")
    assert everything(shop.parent) == before


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_copy_while_another_program_has_it_open(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    make(path, mode)
    with Holder(path) as other:
        other.do("UPDATE schema_version SET v = 4")
        other.do("BEGIN IMMEDIATE")
        other.do("UPDATE schema_version SET v = 5")
        before = everything(tmp_path)
        with rehearsal(path) as clone:
            assert clone.query("SELECT v FROM schema_version") == [{"v": 4}]
        assert everything(tmp_path) == before
        other.do("COMMIT")


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_copy_after_a_crash_is_recovered_and_the_source_is_not(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "crashed.db"
    make(path, mode)
    with Holder(path) as other:
        other.do("PRAGMA cache_size = 2")  # so that pages reach the file before the commit
        other.do("UPDATE schema_version SET v = 4")
        other.do("BEGIN")
        other.do("UPDATE orders SET total = -1")
    (tmp_path / "crashed.db-shm").unlink(missing_ok=True)
    before = everything(tmp_path)
    assert len(before) == 2
    with rehearsal(path) as clone:
        assert clone.query("SELECT v, (SELECT min(total) FROM orders) AS m FROM schema_version") == [{"v": 4, "m": 0}]
    assert everything(tmp_path) == before


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("no database")
    with pytest.raises(NotSqlite, match="encrypted, or another file"), rehearsal(path):
        pass
    with pytest.raises(NotSqlite, match="No such file"), rehearsal(tmp_path / "absent.db"):
        pass


def test_nothing_stays_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(records.CACHE, str(tmp_path / "cache"))
    words = (
        "import sys, pathlib; from fulldress.database.sqlite import rehearsal\n"
        "with rehearsal(None, pathlib.Path(sys.argv[1])) as clone:\n"
        "    print(clone.path, flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", words, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    path = Path(process.stdout.readline().strip())
    assert path.is_file()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    for _ in range(500):
        if not path.parent.exists():
            break
        os.sched_yield()
        signal.sigtimedwait([], 0.01)
    assert not path.parent.exists()
    records.sweep()
    assert not list((tmp_path / "cache" / "servers").glob("*"))


# -- the trace --------------------------------------------------------------------------------------------------------


def named(facts: list[AnyFact], start: str) -> Work:
    return next(fact for fact in facts if isinstance(fact, Work) and fact.statement.startswith(start))


def test_what_each_statement_did(clone: Clone) -> None:
    run = clone.execute(
        """-- the upgrade
        CREATE INDEX by_ref ON orders (legacy_ref);
        UPDATE orders SET total = total + 1 WHERE paid > 1500;
        ALTER TABLE orders DROP COLUMN paid;
        CREATE TRIGGER t AFTER INSERT ON lines BEGIN UPDATE schema_version SET v = 4; SELECT 1; END;
        INSERT INTO lines VALUES (1, 1); INSERT INTO lines VALUES (2, 2); INSERT INTO lines VALUES (3, 3);
        """,
        name="0002.sql",
        step="up",
    )
    assert run.outcome is Outcome.PASS, run.error
    facts = clone.facts()
    (told,) = [fact for fact in facts if isinstance(fact, Migration)]
    assert (told.dialect, told.statements, told.outcome, told.transaction) == ("sqlite", 7, "ok", False)
    index = named(facts, "CREATE INDEX")
    assert index.built == ("by_ref",) and index.scanned == ("orders",) and index.evidence.line == 2
    update = named(facts, "UPDATE orders")
    assert update.rows == 999 and update.read_whole == ("orders",)
    assert named(facts, "ALTER TABLE").rewritten == ("orders",)
    assert named(facts, "INSERT INTO lines").statement.endswith("(×3)")


def test_who_is_kept_out_and_for_how_long(clone: Clone) -> None:
    """The statement counts long enough to be seen at any speed of the machine; readers of a write-ahead log never wait."""
    slow = "(WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 400000) SELECT max(n) FROM c)"
    run = clone.execute(f"UPDATE schema_version SET v = {slow};", name="0002.sql", step="up", canaries=True)
    assert run.outcome is Outcome.PASS, run.error
    facts = clone.facts()
    wal = clone.query("PRAGMA journal_mode")[0]["journal_mode"] == "wal"
    work = named(facts, "UPDATE")
    mode = "WAL WRITE" if wal else "RESERVED"
    (lock,) = [fact for fact in facts if isinstance(fact, Lock) and fact.mode == mode]
    assert abs((lock.held - work.duration).total_seconds()) < 0.25 * work.duration.total_seconds() + 0.05
    assert lock.caught == "poll" and lock.object == "the whole database"
    (wait,) = [fact for fact in facts if isinstance(fact, Wait) and fact.victim == "a writer"]
    assert wait.blocker.startswith("UPDATE schema_version") and wait.worst >= 0.5 * lock.held
    if wal:
        assert not [fact for fact in facts if isinstance(fact, Wait) and fact.victim == "a reader"]


def test_a_failure_takes_its_transaction_back(clone: Clone) -> None:
    before = proof.fingerprint(clone)
    run = clone.execute(
        "BEGIN; ALTER TABLE orders DROP COLUMN paid; DROP TABLE lines; INSERT INTO absent VALUES (1); COMMIT",
        name="0002.sql",
        step="up",
    )
    assert run.outcome is Outcome.FAIL and run.error == "0002.sql:1: no such table: absent"
    assert {one.kind for one in proof.compare(before, clone)} == {"none"}


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("ATTACH '{folder}/other.db' AS o; CREATE TABLE o.t (a)", "opens another database"),
        ("VACUUM INTO '{folder}/other.db'", "opens another database"),
        (".import data.csv lines", ".import is a command of the program sqlite3"),
        (".read absent.sql", "absent.sql is not beside it"),
    ],
)
def test_what_reaches_beyond_the_copy_is_refused(sql: str, words: str, clone: Clone, tmp_path: Path) -> None:
    run = clone.execute(sql.format(folder=tmp_path), name="m.sql", step="up")
    assert run.outcome is Outcome.UNKNOWN and words in run.error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("BEGIN; DELETE FROM lines", "inside of a transaction"),
        ("WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c", "did not end within"),
        ("DELETE FROM lines; SELEC 1", 'm.sql:1: near "SELEC": syntax error'),
    ],
)
def test_what_does_not_end_well(sql: str, words: str, clone: Clone) -> None:
    run = clone.execute(sql, name="m.sql", step="up", limit=0.5)
    assert run.outcome is Outcome.FAIL and words in run.error


def test_files_that_are_read_and_lines_that_stay_true(clone: Clone) -> None:
    text = ".bail on\n/* a\n */\n.read more.sql\nDELETE FROM lines\n  WHERE n\n= .5;\nNONSENSE;"
    run = clone.execute(text, name="m.sql", step="up", siblings={"more.sql": "UPDATE lines SET n = .5;"})
    assert run.error.startswith("m.sql:8: near")
    assert clone.query("SELECT count(*) AS n FROM lines") == [{"n": 0}]


# -- other programs ---------------------------------------------------------------------------------------------------


def test_any_program_is_told_where_the_copy_is(clone: Clone) -> None:
    words = (
        "import os, sqlite3, sys; path = os.environ['DATABASE_URL'].removeprefix('sqlite:///')\n"
        "assert path == sys.argv[1]\n"
        "line = sqlite3.connect(path); line.execute('BEGIN IMMEDIATE'); line.execute('DROP TABLE lines')\n"
        "line.execute('WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300000)"
        " SELECT max(n) FROM c').fetchall(); line.commit()"
    )
    ran = programs.run(clone, [sys.executable, "-c", words, "{path}"])
    assert ran.run.outcome is Outcome.PASS
    facts = clone.facts()
    wal = clone.query("PRAGMA journal_mode")[0]["journal_mode"] == "wal"
    assert any(isinstance(fact, Lock) and fact.mode == ("WAL WRITE" if wal else "RESERVED") for fact in facts)
    assert any(isinstance(fact, Unread) and "single statements" in fact.what for fact in facts)


def test_a_program_that_fails_never_comes_or_never_ends(clone: Clone) -> None:
    assert programs.run(clone, ["false"]).run.error == "exit code 1"
    assert programs.run(clone, ["sleep", "60"], limit=0.2).run.outcome is Outcome.FAIL
    assert programs.run(clone, ["true"]).run.outcome is Outcome.UNKNOWN


# -- the proof --------------------------------------------------------------------------------------------------------


def differences(before: Clone, after: Clone) -> dict[tuple[str, str], Difference]:
    return {(one.object, one.kind): one for one in proof.compare(before, after) if one.kind != "none"}


@pytest.fixture
def before(clone: Clone) -> Clone:
    return clone.copy("before")


def test_equal_databases_are_proven_equal(before: Clone, clone: Clone) -> None:
    assert {(one.object, one.kind, one.rows, one.equality) for one in proof.compare(before, clone)} == {
        ("orders", "none", 2000, "byte"),
        ("lines", "none", 500, "byte"),
        ("schema_version", "none", 1, "byte"),
    }


def test_a_table_made_anew_in_another_order_is_equal(before: Clone, clone: Clone) -> None:
    run = clone.execute(
        'CREATE TABLE "new" ( order_id INT , n INT );INSERT INTO new SELECT * FROM lines ORDER BY n DESC, order_id;'
        "DROP TABLE lines; ALTER TABLE new RENAME TO lines;",
        name="x.sql",
        step="",
    )
    assert run.outcome is Outcome.PASS, run.error
    assert differences(before, clone) == {}


def test_a_column_that_comes_back_empty_is_lost_data(before: Clone, clone: Clone) -> None:
    clone.execute(
        "ALTER TABLE orders DROP COLUMN legacy_ref; ALTER TABLE orders ADD legacy_ref TEXT", name="x.sql", step=""
    )
    found = differences(before, clone)
    lost = found.pop(("orders", "column lost"))
    assert lost.rows == 2000 and lost.columns == ("legacy_ref",) and "empty in every row" in lost.detail
    assert list(found) == [("order orders", "note")]  # the order of columns


def test_rows_lost_added_and_changed_are_counted_apart(before: Clone, clone: Clone) -> None:
    clone.execute(
        "DELETE FROM orders WHERE id BETWEEN 5 AND 9; UPDATE orders SET total = -1 WHERE id < 3;"
        "INSERT INTO orders (id, total) VALUES (99999, 1); INSERT INTO lines VALUES (1, 1), (1, 1);"
        "PRAGMA user_version = 7; CREATE INDEX odd ON lines (n)",
        name="x.sql",
        step="",
    )
    found = differences(before, clone)
    assert found["orders", "rows lost"].rows == 5 and "id = 5" in found["orders", "rows lost"].detail
    assert found["orders", "rows added"].rows == 1 and "99999" in found["orders", "rows added"].detail
    assert found["orders", "rows changed"].rows == 2 and found["orders", "rows changed"].columns == ("total",)
    assert found["lines", "rows added"].rows == 2
    assert found["orders", "note"].detail == "last value was 2000, is 99999"
    assert ("index lines.odd", "schema") in found and ("setting user_version", "schema") in found


@pytest.mark.parametrize(
    "update",
    [
        "UPDATE lines SET n = CAST(n AS REAL) WHERE n = 1",
        "UPDATE schema_version SET v = '3x'",
        "UPDATE orders SET legacy_ref = CAST(legacy_ref AS BLOB) WHERE id = 7",
        "UPDATE orders SET legacy_ref = CAST(x'ff' AS TEXT) WHERE id = 7",
        "UPDATE orders SET legacy_ref = 'REF 6' WHERE id = 7",
    ],
)
def test_it_is_equality_of_bytes_and_of_storage_class(update: str, before: Clone, clone: Clone) -> None:
    # NUMERIC affinity would turn 1.0 back into 1
    sql = "CREATE TABLE loose (a); INSERT INTO loose SELECT n FROM lines;"
    for one in (before, clone):
        assert one.execute(sql, name="t.sql", step="").outcome is Outcome.PASS
    clone.execute(
        update.replace("lines SET n = CAST(n AS REAL) WHERE n", "loose SET a = CAST(a AS REAL) WHERE a"),
        name="u.sql",
        step="",
    )
    (kind,) = {kind for _, kind in differences(before, clone)}
    assert kind == "rows changed"
    assert {one.kind for one in proof.compare(proof.fingerprint(before), clone)} == {"none", "rows changed"}


def test_a_snapshot_puts_everything_back(before: Clone, clone: Clone) -> None:
    clone.snapshot("kept")
    clone.execute("DROP TABLE orders; PRAGMA user_version = 9; DELETE FROM lines;", name="x.sql", step="")
    assert differences(before, clone)
    clone.restore("kept")
    clone.restore("kept")
    assert differences(before, clone) == {}
