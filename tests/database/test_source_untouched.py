"""Production sees nothing but reads: every statement that reaches a server of the test's own is looked at, and its bytes."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path

import pytest

from fulldress.database.postgres import Server, resolve
from fulldress.database.postgres.origin import Origin, opened
from fulldress.database.postgres.standin.capture import capture

#: What pg_dump and our own questions consist of. Source: the log itself, and PostgreSQL's manual on read-only transactions.
_READS = re.compile(
    r"(SELECT|WITH|SHOW|BEGIN|COMMIT|ROLLBACK|START TRANSACTION|SET|LOCK TABLE .* IN ACCESS SHARE MODE|COPY .* TO stdout"
    r"|PREPARE \w+.* AS|EXECUTE|DECLARE \w+ CURSOR FOR SELECT|FETCH|CLOSE)\b",
    re.IGNORECASE | re.DOTALL,
)
_WRITES = re.compile(
    r"\b(setval|nextval|pg_switch_wal|lo_unlink|pg_terminate_backend|pg_create_\w+)\s*\(", re.IGNORECASE
)


def statements(log: Path) -> list[tuple[str, str]]:
    """Application and statement, from the server's own log."""
    if log.suffix == ".json":
        rows = [json.loads(line) for line in log.read_text().splitlines()]
        said = [(row.get("application_name", ""), row.get("message", "")) for row in rows]
    else:
        with log.open(newline="") as file:
            said = [(row[22], row[13]) for row in csv.reader(file)]
    found = []
    for application, message in said:
        match = re.match(r"(?:statement|execute [^:]*): (.*)", message, re.DOTALL)
        if match:
            found.append((application, match[1].strip()))
    return found


def files(server: Server) -> dict[str, str]:
    """Digests of everything below the databases; what a server writes for itself (statistics, WAL) lies elsewhere."""
    top = server.base / "data" / "base"
    return {
        str(one.relative_to(top)): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in top.rglob("*")
        if one.is_file() and not one.name.startswith("pg_internal.init")  # a cache that reading fills
    }


@pytest.mark.parametrize("way", ["clone", "capture"])
def test_every_statement_is_a_read_and_no_byte_changes(way: str, server: Server) -> None:
    with Server(
        resolve(None, server.installation.major), settings={"log_statement": "all", "autovacuum": "off"}
    ) as source:
        with source.session("postgres") as line:
            line.query("CREATE DATABASE shop")  # not by Server.create, whose databases log in their own way
        for statement in [
            "CREATE TABLE orders (id serial PRIMARY KEY, ref text)",
            " INSERT INTO orders (ref) SELECT 'r' || g FROM generate_series(1, 2000) g",
            " CREATE SEQUENCE apart",
            " SELECT nextval('apart')",
            " SELECT lo_from_bytea(0, 'x')",
            " CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM orders",
            " CREATE TABLE p (a int) PARTITION BY LIST (a)",
            " CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
            " ANALYZE",
            " CREATE ROLE reader LOGIN",
        ]:
            with source.session("shop") as line:
                line.query(statement)
        with source.session("shop") as line:
            line.query("VACUUM FREEZE")  # nothing is left for a reader to tidy up
        with source.session("postgres") as line:
            line.query("CHECKPOINT")
            before, sizes = files(source), source.log.stat().st_size
            lsn = line.rows("SELECT pg_current_wal_insert_lsn()")
            counted = "SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del) FROM pg_stat_user_tables"
            with source.session("shop") as inside:
                tuples = inside.rows(counted)
            url = source.dsn("shop", "postgres")
            if way == "clone":
                with opened(Origin(url=url)) as clone:
                    assert clone.query("SELECT count(*) AS n FROM orders") == [{"n": 2000}]
                    clone.execute("UPDATE orders SET ref = 'x'; DROP TABLE p", name="m.sql", step="")
            else:
                capture(server.installation, url)
            assert line.rows("SELECT pg_current_wal_insert_lsn()") == lsn  # not a byte of WAL
            with source.session("shop") as inside:
                assert inside.rows(counted) == tuples
            line.query("CHECKPOINT")
        after = files(source)
        assert {name for name in before | after if before.get(name) != after.get(name)} == set()
        assert source.log.stat().st_size > sizes
        seen = [one for one in statements(source.log) if one[0] not in ("fulldress-observer", "fulldress-runner")]
        assert len(seen) > 5
        assert [one for one in seen if not _READS.match(one[1]) or _WRITES.search(one[1])] == []
        assert {application for application, _ in seen} <= {"fulldress-clone", "psql", "pg_dump"}


def test_sessions_there_are_read_only_by_default(production: object) -> None:
    from fulldress.database.postgres.source import ask

    server = production.server  # type: ignore[attr-defined]
    assert (
        ask(server.installation, server.dsn("prod", "postgres"), "SHOW default_transaction_read_only").strip() == "on"
    )
