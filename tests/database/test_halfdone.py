"""A migration tool's records against the schema: left-overs of an earlier, half upgrade are said before the next begins."""

from __future__ import annotations

import hashlib
import zlib
from itertools import count

import pytest

from fulldress.database.postgres import Clone
from fulldress.database.postgres.preflight import bookkeeping, leftovers
from fulldress.database.postgres.preflight.reading import of_clone
from fulldress.facts import HalfDone
from fulldress.findings import Outcome

ONE = "CREATE TABLE wards (id int PRIMARY KEY, name text);\nCREATE INDEX wards_name ON wards (name);\n"
TWO = "ALTER TABLE wards ADD COLUMN floor int;\n"
THREE = "CREATE TABLE IF NOT EXISTS beds (id int, ward int, price numeric);\n"
FILES = [
    ("migrations/0001_wards.up.sql", ONE),
    ("migrations/0002_floor.up.sql", TWO),
    ("migrations/0003_beds.up.sql", THREE),
]
_numbers = count()


def crc(text: str) -> int:
    found = 0
    for line in text.splitlines():
        found = zlib.crc32(line.encode(), found)
    return found - (1 << 32) if found >= 1 << 31 else found


SHA = hashlib.sha384(ONE.encode()).hexdigest()
MIGRATE = "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES"
GOOSE = (
    "CREATE TABLE goose_db_version (id serial, version_id bigint, is_applied boolean, tstamp timestamp);"
    "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true)"
)
FLYWAY = (
    "CREATE TABLE flyway_schema_history (installed_rank int, version text, description text, type text, script text,"
    " checksum int, success boolean); INSERT INTO flyway_schema_history VALUES"
)
SQLX = (
    "CREATE TABLE _sqlx_migrations (version bigint, description text, success boolean, checksum bytea);"
    "INSERT INTO _sqlx_migrations VALUES"
)
LIQUIBASE = (
    "CREATE TABLE databasechangelog (id text, author text, filename text, exectype text);"
    "CREATE TABLE databasechangeloglock (id int, locked boolean, lockgranted timestamp, lockedby text);"
)
PRISMA = "CREATE TABLE _prisma_migrations (migration_name text, finished_at timestamp, rolled_back_at timestamp, checksum text);"
#: state of the database, files, kinds and objects that have to be said
BLOCKED = {
    "dirty": (ONE + TWO + MIGRATE + " (2, true)", FILES, [("dirty", "version 2")]),
    "recorded, not there": (ONE + MIGRATE + " (2, false)", FILES, [("missing", "column wards.floor")]),
    "there, not recorded": (
        ONE + TWO + "CREATE TABLE beds (id int);" + MIGRATE + " (2, false)", FILES, [("unrecorded", "table beds")],
    ),
    "there, no tool": ("CREATE TABLE beds (id int)", FILES[2:], [("unrecorded", "table beds")]),
    "ahead of the files": (ONE + GOOSE + ", (9, true)", FILES, [("unknown version", "version 9")]),
    "an older one left out": (ONE + THREE + GOOSE + ", (3, true)", FILES, [("gap", "migrations/0002_floor.up.sql")]),
    "Flyway failed": (ONE + FLYWAY + " (1, '1', '', 'SQL', '', NULL, true), (2, '2', '', 'SQL', '', NULL, false)",
                      [], [("failed", "version 2")]),
    "Flyway checksum": (ONE + FLYWAY + f" (1, '1', '', 'SQL', '', {crc(ONE) + 1}, true)",
                        [("V1__wards.sql", ONE)], [("checksum", "V1__wards.sql")]),
    "sqlx checksum": (ONE + SQLX + " (1, '', true, '\\x00')", FILES[:1], [("checksum", FILES[0][0])]),
    "sqlx dirty": (SQLX + " (1, '', false, '\\x00')", [], [("dirty", "version 1")]),
    "Liquibase lock": (LIQUIBASE + "INSERT INTO databasechangeloglock VALUES (1, true, now(), 'pod 1')", [],
                       [("locked", "lock of Liquibase")]),
    "Prisma failed": (PRISMA + "INSERT INTO _prisma_migrations VALUES ('20240101_a', NULL, NULL, 'x')", [],
                      [("failed", "version 20240101_a")]),
}  # fmt: skip
PASSED = {
    "dirty": (ONE + TWO + MIGRATE + " (2, false)", FILES),
    "recorded, and there": (ONE + TWO + GOOSE + ", (2, true)", FILES),
    "renamed since": (
        ONE + "ALTER TABLE wards RENAME TO rooms;" + MIGRATE + " (2, false)",
        [FILES[0], ("0002_x.up.sql", "ALTER TABLE wards RENAME TO rooms")],
    ),
    "Flyway": (ONE + FLYWAY + f" (1, '1', '', 'SQL', '', {crc(ONE)}, true)", [("V1__wards.sql", ONE)]),
    "sqlx": (ONE + SQLX + f" (1, '', true, '\\x{SHA}')", FILES[:1]),
    "Liquibase": (LIQUIBASE + "INSERT INTO databasechangeloglock VALUES (1, false, NULL, NULL)", []),
    "Diesel": (
        ONE + "CREATE TABLE __diesel_schema_migrations (version text, run_on timestamp);"
        "INSERT INTO __diesel_schema_migrations VALUES ('20190101000000')",
        [("migrations/2019-01-01-000000_wards/up.sql", ONE), ("migrations/2020-01-01-000000_floor/up.sql", TWO)],
    ),
    "dropped first": (ONE, [("0002.sql", "DROP TABLE IF EXISTS wards; CREATE TABLE wards (id int)")]),
}


def found(server, sql: str, files: list[tuple[str, str]]) -> list[HalfDone]:  # type: ignore[no-untyped-def]
    clone: Clone = server.create(f"half{next(_numbers)}")
    try:
        run = clone.execute(sql, name="m.sql", step="")
        assert run.outcome is Outcome.PASS, run.error
        return [fact for fact in bookkeeping.read(of_clone(clone), files) if isinstance(fact, HalfDone)]
    finally:
        clone.drop()


@pytest.mark.parametrize("name", BLOCKED)
def test_what_is_half_done_is_said(name: str, server) -> None:  # type: ignore[no-untyped-def]
    sql, files, wanted = BLOCKED[name]
    facts = found(server, sql, files)
    assert [(fact.kind, fact.object) for fact in facts] == wanted, facts


@pytest.mark.parametrize("name", PASSED)
def test_its_twin_is_not(name: str, server) -> None:  # type: ignore[no-untyped-def]
    assert found(server, *PASSED[name]) == []


def test_what_if_not_exists_would_hide_is_said_with_what_it_lacks(server) -> None:  # type: ignore[no-untyped-def]
    (fact,) = found(server, "CREATE TABLE beds (id int)", FILES[2:])
    assert "it lacks price, ward; IF NOT EXISTS hides it" in fact.detail


def test_what_the_catalogue_itself_shows(clone: Clone) -> None:
    clone.execute("INSERT INTO lines VALUES (1, 1)", name="a", step="")
    clone.execute("CREATE UNIQUE INDEX CONCURRENTLY lines_once ON lines (n)", name="b", step="")
    clone.execute("ALTER TABLE lines ADD CONSTRAINT c CHECK (n > 0) NOT VALID", name="c", step="")
    facts = leftovers.read(of_clone(clone), "the copy")
    assert [(fact.kind, fact.object) for fact in facts] == [("invalid index", "lines_once"), ("not valid", "lines.c")]
    assert facts[0].remedy == 'DROP INDEX CONCURRENTLY "public"."lines_once";'
    clone.execute(facts[0].remedy, name="d", step="")
    clone.execute("DELETE FROM lines WHERE n = 0; " + facts[1].remedy, name="e", step="")
    assert leftovers.read(of_clone(clone), "the copy") == []
