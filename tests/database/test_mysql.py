"""MariaDB and MySQL: servers, clones, the trace, the ladder and the proof. Skipped where no server's programs are."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from fulldress.database import records
from fulldress.database.mysql import Clone, Server, installations, ladder, programs, proof, resolve, source
from fulldress.database.mysql.split import split
from fulldress.errors import BadMysql, BadMysqlDump, Unreachable
from fulldress.facts import Difference, Lock, Migration, Wait, Work
from fulldress.findings import Outcome

needs_server = pytest.mark.skipif(
    not installations(), reason="no MariaDB or MySQL programs here: fulldress database add mariadb"
)
SHOP = """
CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, total INT NOT NULL, legacy_ref VARCHAR(50), f FLOAT);
CREATE TABLE numbers (n INT PRIMARY KEY);
INSERT INTO numbers WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000) SELECT n FROM c;
INSERT INTO numbers SELECT n + 1000 FROM numbers; INSERT INTO numbers SELECT n + 2000 FROM numbers WHERE n <= 1000;
INSERT INTO orders (total, legacy_ref, f) SELECT n % 100, concat('it\\'s ', n), n / 3 FROM numbers;
CREATE TABLE `lines` (order_id INT, n INT); INSERT INTO `lines` SELECT n, n % 7 FROM numbers WHERE n <= 500;
DROP TABLE numbers;
DELIMITER //
CREATE PROCEDURE touch() BEGIN UPDATE orders SET total = total; SELECT 1; END//
CREATE TRIGGER t BEFORE INSERT ON `lines` FOR EACH ROW BEGIN IF NEW.n < 0 THEN SET NEW.n = 0; END IF; END //
DELIMITER ;
CREATE VIEW dear AS SELECT id FROM orders WHERE total > 90;
"""
_numbers = count()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(resolve()) as running:
        yield running


@pytest.fixture(scope="module")
def shop(server: Server) -> Clone:
    clone = server.create("shop")
    run = clone.execute(SHOP, name="shop.sql", step="set up")
    assert run.outcome is Outcome.PASS, run.error
    return clone


@pytest.fixture
def clone(shop: Clone) -> Iterator[Clone]:
    copy = shop.copy(f"copy{next(_numbers)}")
    yield copy
    copy.drop()


def differences(before: Clone, after: Clone) -> dict[tuple[str, str], Difference]:
    return {(one.object, one.kind): one for one in proof.compare(before, after) if one.kind != "none"}


# -- splitting, without a server --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT 'a;\\'b', \"c;\", `d;`; # x;\nSELECT 2 -- y;\n, 3;", ["SELECT 'a;\\'b', \"c;\", `d;`", "SELECT 2 -- y;\n, 3"]),
        ("DELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; END$$\ndelimiter ;\nSELECT 2;", ["CREATE PROCEDURE p() BEGIN SELECT 1; END", "SELECT 2"]),
        ("/* a; */ /*!50001 SET @a = 1 */; SELECT 5--1;", ["/*!50001 SET @a = 1 */", "SELECT 5--1"]),
        (";;\n  \n", []),
    ],
)  # fmt: skip
def test_statements_are_cut_as_the_client_cuts_them(text: str, pieces: list[str]) -> None:
    assert [piece.text for piece in split(text, "m.sql")] == pieces


def test_lines_stay_true_and_commands_of_the_client_are_refused() -> None:
    first, second = split("-- a\n\nSELECT\n 1;\n\\! rm x\n", "m.sql")
    assert first.line == 3 and second.line == 5 and "command of the client program" in second.refused
    (one,) = split("source more.sql;\n", "m.sql", {"more.sql": "SELECT 1;"})
    assert (one.text, one.file) == ("SELECT 1", "more.sql")
    assert "not beside it" in split("\\. gone.sql", "m.sql")[0].refused


def test_a_folder_without_programs_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadMysql, match="lacks one of mariadbd, mysqld"):
        resolve(tmp_path)


# -- servers ----------------------------------------------------------------------------------------------------------


@needs_server
def test_the_server_is_private_and_never_root(server: Server) -> None:
    pid = int((server.base / "mysqld.pid").read_text())
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    with server.session() as line:
        assert line.texts("SELECT @@skip_networking") == [("1",)]
    assert server.socket_folder.stat().st_mode & 0o007 == 0


@needs_server
def test_nothing_stays_after_a_kill(tmp_path: Path) -> None:
    words = (
        "import sys; from fulldress.database.mysql import Server, resolve\n"
        "with Server(resolve()) as server:\n"
        "    print(server.base, (server.base / 'mysqld.pid').read_text().strip(), flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stdout is not None
    base, pid = process.stdout.readline().split()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    for _ in range(1000):
        if not records.start_of(int(pid)) and not Path(base).exists():
            break
        signal.sigtimedwait([], 0.01)
    assert not records.start_of(int(pid)) and not Path(base).exists()
    records.sweep()


# -- sources ----------------------------------------------------------------------------------------------------------


@needs_server
def test_a_clone_of_a_running_server_only_reads_there(server: Server, shop: Clone) -> None:
    """The production server is another one of ours; its general log tells every statement that reached it."""
    with Server(resolve()) as copying, server.session(user="root") as line:
        line.run("CREATE USER IF NOT EXISTS 'read er'@'localhost' IDENTIFIED BY 'p\"a#s\\\\s'")
        line.run("GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON shop.* TO 'read er'@'localhost'")
        line.run("SET GLOBAL log_output = 'TABLE'")
        line.run("TRUNCATE mysql.general_log")
        line.run("SET GLOBAL general_log = 1")
        made = source.clone_url(copying, f"mysql://read%20er:p%22a%23s%5Cs@localhost/shop?socket={server.socket}")
        line.run("SET GLOBAL general_log = 0")
        ran = line.texts(
            "SELECT argument FROM mysql.general_log WHERE command_type = 'Query' AND user_host LIKE 'read er%'"
        )
        assert {re.sub(r"^/\*M?!\d*\s*", "", text).split(" ")[0].upper() for (text,) in ran} <= {
            "SELECT", "SHOW", "SET", "USE", "START", "SAVEPOINT", "ROLLBACK", "RELEASE", "UNLOCK", "COMMIT",
        }  # fmt: skip
        assert len(ran) > 5 and not [text for (text,) in ran if text.upper().startswith(("LOCK", "FLUSH"))]
        assert made.name == "shop" and made.query("SELECT count(*) AS n FROM orders") == [{"n": "3000"}]
        assert made.query("SELECT count(*) AS n FROM dear")[0]["n"] != "0"
        assert any("FLOAT columns of orders" in gap.what for gap in made.unread)


@needs_server
@pytest.mark.parametrize("packed", [False, True])
def test_a_clone_of_a_dump(packed: bool, server: Server, tmp_path: Path) -> None:
    text = b"-- MariaDB dump\nCREATE TABLE a (i INT);\nINSERT INTO a VALUES (1),(2);\n"
    path = tmp_path / "dump.sql"
    path.write_bytes(gzip.compress(text) if packed else text)
    made = source.clone_dump(server, path, f"dumped{packed}")
    assert made.query("SELECT sum(i) AS s FROM a") == [{"s": "3"}]
    made.drop()
    path.write_bytes(b"CREATE DATABASE named; USE named; CREATE TABLE a (i INT);\n")
    made = source.clone_dump(server, path, f"dumped{packed}")
    assert made.name == "named"
    made.drop()


@needs_server
def test_nothing_in_a_dump_starts_a_program(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(f"\\! touch {tmp_path}/started\nsystem touch {tmp_path}/started\n")
    with pytest.raises(BadMysqlDump):
        source.clone_dump(server, path, "evil")
    assert not (tmp_path / "started").exists()


@needs_server
def test_a_source_that_is_not_there_is_told(server: Server) -> None:
    with pytest.raises(Unreachable, match=r"refused|connect"):
        source.clone_url(server, "mysql://nobody:secret@127.0.0.1:1/shop")
    with pytest.raises(Unreachable, match="names no database"):
        source.Address.parse("mysql://nobody@127.0.0.1")


# -- the trace --------------------------------------------------------------------------------------------------------


@needs_server
def test_what_each_statement_did_and_held(clone: Clone) -> None:
    run = clone.execute(
        "-- up\nCREATE INDEX by_ref ON orders (legacy_ref);\nSTART TRANSACTION;\nUPDATE orders SET total = -5 WHERE id < 11;\n"
        "COMMIT;\nINSERT INTO `lines` VALUES (1, 1); INSERT INTO `lines` VALUES (2, 2);",
        name="0002.sql",
        step="up",
    )
    assert run.outcome is Outcome.PASS, run.error
    facts = clone.facts()
    (told,) = [fact for fact in facts if isinstance(fact, Migration)]
    assert told.dialect in ("mariadb", "mysql") and told.statements == 6 and told.transaction
    works = {fact.statement.split(" ")[0]: fact for fact in facts if isinstance(fact, Work)}
    assert works["CREATE"].built == ("by_ref",) and works["CREATE"].evidence.line == 2
    assert works["UPDATE"].rows == 10 and works["INSERT"].rows == 2 and "(×2)" in works["INSERT"].statement
    held = {(fact.mode, fact.object, fact.caught) for fact in facts if isinstance(fact, Lock)}
    assert ("SHARED_WRITE", "orders", "commit-hold") in held
    assert any(mode == "row lock" for mode, _, _ in held)


@needs_server
def test_an_alter_behind_an_open_reader_keeps_everybody_out(clone: Clone) -> None:
    reader = clone.session("root")
    reader.run("START TRANSACTION")
    reader.run("SELECT count(*) FROM orders")

    def end() -> None:
        reader.run("COMMIT")
        reader.close()

    timer = threading.Timer(0.5, end)
    timer.start()
    run = clone.execute("ALTER TABLE orders ADD note VARCHAR(10)", name="0003.sql", step="up", canaries=True)
    timer.join()
    assert run.outcome is Outcome.PASS, run.error
    waits = {fact.victim: fact for fact in clone.facts() if isinstance(fact, Wait)}
    own = waits["0003.sql: ALTER TABLE orders ADD note VARCHAR(10)"]
    assert own.blocker == "a transaction that is left open" and own.mode == "EXCLUSIVE"
    assert 0.3 < own.worst.total_seconds() < 1.5
    for victim in ("a reader of orders", "a writer of orders"):
        assert waits[victim].blocker.startswith("ALTER TABLE orders")
        assert waits[victim].chain == ("a transaction that is left open",)
        assert abs((waits[victim].worst - own.worst).total_seconds()) < 0.3


@needs_server
def test_who_waits_for_rows_is_told(clone: Clone) -> None:
    other = clone.session("root")
    other.run("START TRANSACTION")
    other.run("UPDATE orders SET total = 7 WHERE id = 1")

    def end() -> None:
        other.run("COMMIT")
        other.close()

    timer = threading.Timer(0.8, end)
    timer.start()
    run = clone.execute("UPDATE orders SET total = 8 WHERE id = 1", name="0005.sql", step="up")
    timer.join()
    assert run.outcome is Outcome.PASS, run.error
    (wait,) = [fact for fact in clone.facts() if isinstance(fact, Wait)]
    assert wait.mode == "row lock" and wait.victim.startswith("0005.sql: UPDATE") and wait.worst.total_seconds() > 0.4


@needs_server
@pytest.mark.parametrize(
    ("sql", "outcome", "words"),
    [
        ("ALTER TABLE orders ADD a INT; ALTER TABLE absent ADD a INT", Outcome.FAIL, "what ran before it stays"),
        ("START TRANSACTION; DELETE FROM orders", Outcome.FAIL, "inside of a transaction"),
        ("SELECT sleep(60)", Outcome.FAIL, "did not end within 0.3 s"),
        ("SELECT 1; system rm x", Outcome.UNKNOWN, "command of the client program"),
        ("SELECT 1 INTO OUTFILE '/tmp/fulldress-outfile'", Outcome.FAIL, "secure"),
    ],
)
def test_what_does_not_end_well(sql: str, outcome: Outcome, words: str, clone: Clone) -> None:
    run = clone.execute(sql, name="m.sql", step="up", limit=0.3 if "sleep" in sql else None)
    if "sleep" in sql and run.outcome is Outcome.PASS:
        pytest.skip("this server lets an interrupted SLEEP end without an error")
    assert run.outcome is outcome and words in run.error, run.error


# -- the ladder -------------------------------------------------------------------------------------------------------


@needs_server
def test_the_first_way_that_the_server_accepts_is_the_truth(clone: Clone) -> None:
    up = (
        "ALTER TABLE orders ADD note VARCHAR(10); ALTER TABLE orders MODIFY total BIGINT NOT NULL;"
        "CREATE INDEX by_ref ON orders (legacy_ref); DROP INDEX by_ref ON orders; INSERT INTO `lines` VALUES (1, 1);"
        "ALTER TABLE orders ENGINE = InnoDB; ALTER TABLE orders ADD x INT, ALGORITHM=COPY"
    )
    ways = ladder.climb(clone, [("0004.sql", up)])
    assert [way.algorithm for way in ways][:2] == ["INSTANT", "COPY"]
    assert [way.writers_wait for way in ways] == [False, True, False, False, False]
    assert ways[1].table == "orders" and ways[1].rewrites and len(ways[1].refused) >= 3 and ways[1].seconds > 0
    clone.execute(up, name="0004.sql", step="up")
    ladder.apply(clone, ways)
    works = [fact for fact in clone.facts() if isinstance(fact, Work)]
    assert works[0].way == "ALGORITHM=INSTANT" and works[1].way == "ALGORITHM=COPY, LOCK=SHARED"
    assert works[1].rewritten == ("orders",) and works[-1].way == ""


# -- other programs ---------------------------------------------------------------------------------------------------


@needs_server
def test_statements_of_any_program_are_told_by_the_server(clone: Clone) -> None:
    one = clone.server.installation
    words = ["-h", "{host}", "-P", "{port}", "-u", "{user}", "--protocol=tcp", "{database}", "-e"]
    sql = "ALTER TABLE orders ADD note VARCHAR(9); UPDATE orders SET note = 'x'; SELECT count(*) FROM nowhere"
    ran = programs.run(clone, [str(one.client), "--no-defaults", *words, sql], environment=one.environment())
    assert ran.run.outcome is Outcome.FAIL and ran.run.error == "exit code 1"
    works = [fact for fact in clone.facts() if isinstance(fact, Work)]
    assert [work.statement.split(" ")[0] for work in works] == ["ALTER", "UPDATE", "SELECT"]
    assert works[1].rows == 3000 and "nowhere" in works[2].error
    assert programs.run(clone, ["true"]).run.outcome is Outcome.UNKNOWN


# -- the proof --------------------------------------------------------------------------------------------------------


@needs_server
def test_equal_databases_are_proven_equal(shop: Clone, clone: Clone) -> None:
    assert {(one.object, one.kind, one.rows) for one in proof.compare(shop, clone)} == {
        ("orders", "none", 3000),
        ("lines", "none", 500),
    }


@needs_server
def test_rows_and_columns_lost_added_and_changed_are_told(shop: Clone, clone: Clone) -> None:
    run = clone.execute(
        "DELETE FROM orders WHERE id BETWEEN 5 AND 9; UPDATE orders SET total = -1 WHERE id < 3;"
        "INSERT INTO orders (id, total) VALUES (99999, 1); INSERT INTO `lines` VALUES (1, 1), (1, 1);"
        "ALTER TABLE orders DROP legacy_ref; ALTER TABLE orders ADD legacy_ref VARCHAR(50) AFTER total;"
        "DROP PROCEDURE touch; CREATE INDEX odd ON `lines` (n)",
        name="x.sql",
        step="",
    )
    assert run.outcome is Outcome.PASS, run.error
    found = differences(shop, clone)
    assert found["orders", "rows lost"].rows == 5 and "id = 5" in found["orders", "rows lost"].detail
    assert found["orders", "rows added"].rows == 1 and "99999" in found["orders", "rows added"].detail
    assert found["orders", "rows changed"].rows == 2 and found["orders", "rows changed"].columns == ("total",)
    assert found["orders", "column lost"].columns == ("legacy_ref",)
    assert found["lines", "rows added"].rows == 2
    assert ("procedure touch", "schema") in found and ("orders", "note") in found
    assert any(name.startswith("key lines.KEY `odd`") for name, kind in found if kind == "schema")


@needs_server
@pytest.mark.parametrize(
    "update",
    [
        "UPDATE orders SET f = f * 1.0000002 WHERE id = 7",
        "UPDATE orders SET legacy_ref = concat(legacy_ref, ' ') WHERE id = 7",
        "UPDATE orders SET legacy_ref = upper(legacy_ref) WHERE id = 7",
        "UPDATE orders SET legacy_ref = NULL WHERE id = 7",
        "UPDATE orders SET legacy_ref = 'N' WHERE id = 7",
    ],
)
def test_it_is_equality_of_bytes(update: str, shop: Clone, clone: Clone) -> None:
    assert clone.execute(update, name="u.sql", step="").outcome is Outcome.PASS
    assert [(kind, one.rows) for (_, kind), one in differences(shop, clone).items()] == [("rows changed", 1)]
    assert {one.kind for one in proof.compare(proof.fingerprint(shop), clone)} == {"none", "rows changed"}


@needs_server
def test_a_snapshot_puts_everything_back(shop: Clone, clone: Clone) -> None:
    clone.snapshot("kept")
    clone.execute("DROP TABLE orders; DROP VIEW dear; DELETE FROM `lines`", name="x.sql", step="")
    assert differences(shop, clone)
    clone.restore("kept")
    clone.restore("kept")
    assert differences(shop, clone) == {}
