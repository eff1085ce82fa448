"""The tree's rules and the translators: what no case folder can show, and properties on arbitrary input."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fulldress.facts import Migration, Unread
from fulldress.package import migrations
from fulldress.package.migrations import columntypes, pgtree, sequence, squawk, undo
from fulldress.package.migrations.columntypes import Type
from fulldress.package.migrations.effects import Known, study
from fulldress.package.migrations.sql import statements, without_data
from openfolder import FolderPackage, member

CASES = Path(__file__).parent / "cases" / "migrations"


def _package(files: dict[str, str | bytes], name: str = "shop-2.4.1.zip") -> FolderPackage:
    texts = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    return FolderPackage({path: member(path, data) for path, data in texts.items()}, name=name)


def _ups(package: FolderPackage) -> list[Migration]:
    return [f for f in migrations.read(package) if isinstance(f, Migration) and f.direction == "up"]


@pytest.mark.parametrize(
    ("old", "new", "rewrites", "narrows"),
    [
        (Type("varchar", (50,)), Type("varchar", (80,)), "", False),
        (Type("varchar", (50,)), Type("varchar", (40,)), "yes", True),
        (Type("varchar", (50,)), Type("text"), "", False),
        (Type("text"), Type("varchar", (50,)), "yes", True),
        (Type("varchar"), Type("varchar", (50,)), "yes", True),
        (Type("int4"), Type("int8"), "yes", False),
        (Type("int8"), Type("int4"), "yes", True),
        (Type("numeric", (8, 2)), Type("numeric", (10, 2)), "", False),
        (Type("numeric", (8, 2)), Type("numeric"), "", False),
        (Type("numeric", (8, 2)), Type("numeric", (10, 4)), "yes", False),
        (Type("timestamp"), Type("timestamptz"), "maybe", False),
        (Type("cidr"), Type("inet"), "", False),
        (Type("bpchar", (4,)), Type("varchar", (8,)), "yes", False),
        (Type("int4", (), True), Type("int8", (), True), "yes", False),
        (None, Type("text"), "", False),
        (None, Type("int8"), "maybe", False),
        (Type("serial"), Type("int4"), "", False),
    ],
)
def test_a_change_of_type_is_free_or_not(old: Type | None, new: Type, rewrites: str, narrows: bool) -> None:
    assert columntypes.change(old, new) == (rewrites, narrows)


def test_nesting_that_would_break_the_parser_is_not_given_to_it() -> None:
    for text in (
        "SELECT " + "(" * 9000 + "1" + ")" * 9000,
        "SELECT 1" + "+1" * 9000,
        "SELECT 1" + "::int" * 3500,
        "\0",
    ):
        assert pgtree.parse(text) is None


def test_a_large_script_is_read_in_linear_time() -> None:
    text = "".join(f"ALTER TABLE t{n} DROP COLUMN c;\n" for n in range(3000))
    before = time.process_time()
    found = study(list(statements(text)), "postgresql", Known())
    assert len(found.destructive) == 3000
    assert time.process_time() - before < 10


def test_rows_of_copy_are_no_statements_and_lines_stay() -> None:
    text = "COPY t FROM stdin;\na;b\nDROP TABLE x;\n\\.\nSELECT 1;"
    assert [(one.verb, one.line) for one in statements(without_data(text))] == [("COPY", 1), ("SELECT", 5)]


def test_folders_named_after_releases_tell_which_migrations_are_new() -> None:
    files = {f"migrations/{v}/01_x.sql": "ALTER TABLE t DROP COLUMN c;" for v in ("1.9", "2.3", "2.4")}
    assert {m.path: m.current for m in _ups(_package(files))} == {
        "migrations/1.9/01_x.sql": False,
        "migrations/2.3/01_x.sql": False,
        "migrations/2.4/01_x.sql": True,
    }


def test_a_pre_release_beside_its_line_is_not_the_line() -> None:
    files = {f"data/app/upgrade/pgsql/{v}-1.sql": "DROP TABLE t;" for v in ("2.3.0", "2.4~beta", "2.4.0", "2.4.1")}
    assert {m.path.rsplit("/", 1)[-1]: m.current for m in _ups(_package(files))} == {
        "2.3.0-1.sql": False,
        "2.4~beta-1.sql": False,
        "2.4.0-1.sql": False,
        "2.4.1-1.sql": True,
    }


def test_numbers_that_are_no_releases_tell_nothing() -> None:
    files = {f"migrations/{v}/01_x.sql": "ALTER TABLE t DROP COLUMN c;" for v in ("1.9", "7.1")}
    assert {m.current for m in _ups(_package(files))} == {None}
    assert sequence.current([], "2.4") == {}


def test_alembics_chain_is_the_order() -> None:
    def text(revision: str, parent: str) -> str:
        return f"revision = {revision!r}\ndown_revision = {parent or None!r}\ndef upgrade():\n    op.drop_table({revision!r})\n"

    files: dict[str, str | bytes] = {
        "alembic/versions/a.py": text("a", "b"),
        "alembic/versions/b.py": text("b", "c"),
        "alembic/versions/c.py": text("c", ""),
    }
    assert [m.version for m in _ups(_package(files))] == ["c", "b", "a"]


def test_a_ring_of_parents_ends() -> None:
    text = "revision = {!r}\ndown_revision = {!r}\ndef upgrade():\n    op.drop_table('t')\n"
    files: dict[str, str | bytes] = {f"alembic/versions/{a}.py": text.format(a, b) for a, b in ("ab", "ba")}
    assert len(_ups(_package(files))) == 2


def test_a_squawk_that_fails_costs_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(texts: object) -> dict[int, list[object]]:
        raise squawk.Unavailable("exit code 2")

    monkeypatch.setattr(squawk, "advise", broken)
    facts = list(migrations.read(_package({"migrations/pg/1_x.sql": "TRUNCATE t;"})))
    assert [f.destructive for f in facts if isinstance(f, Migration)] == [("TRUNCATE t;",)]
    assert [f.needed for f in facts if isinstance(f, Unread)] == [False]


def test_squawk_adds_what_nobody_else_says() -> None:
    facts = _ups(_package({"migrations/pg/1_x.sql": "BEGIN;\nALTER TABLE t ADD COLUMN c int;\n"}))
    assert [e.kind for m in facts for e in m.effects] in ([], ["fails"])  # without its binary: nothing


def test_what_a_create_and_a_drop_have_in_common_is_undone() -> None:
    assert undo.unrestored(["CREATE TABLE T ( A INT )"], ["DROP TABLE T"]) == ()
    assert undo.unrestored(["DROP TABLE T"], []) == ()  # an empty way back is told of elsewhere


_SQL = st.lists(
    st.sampled_from(
        [
            "ALTER",
            "TABLE",
            "t",
            "DROP",
            "COLUMN",
            "a",
            "ADD",
            "b",
            "int",
            "DEFAULT",
            "random()",
            ";",
            "--",
            "'",
            '"',
            "$$",
            "(",
            ")",
            "CREATE",
            "INDEX",
            "ON",
            "CONCURRENTLY",
            "BEGIN",
            "COMMIT",
            "UPDATE",
            "SET",
            "WHERE",
            "DELETE",
            "FROM",
            "RENAME",
            "TO",
            "TYPE",
            "varchar(3)",
            "CHECK",
            "NOT",
            "NULL",
            "VALID",
            "\\i",
            "x",
            "COPY",
            "stdin",
            "\\.",
            "DO",
            "/*",
            "*/",
            "`",
            "E'\\",
            "LOCK",
        ]
    ),
    max_size=25,
).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(_SQL | st.text(max_size=120), st.sampled_from(["postgresql", "mysql", "sqlite", ""]))
def test_any_sql_is_judged_without_error(text: str, dialect: str) -> None:
    found = study(list(statements(without_data(text))), dialect, Known())
    lines = text.count("\n") + 1
    assert all(1 <= effect.line <= lines for effect in found.every)


_PROGRAMS = sorted(
    path
    for path in CASES.rglob("*")
    if path.suffix in (".py", ".rb", ".js", ".php", ".xml", ".yaml") and path.is_file()
)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(_PROGRAMS), st.integers(0, 600), st.integers(0, 40), st.binary(max_size=12))
def test_a_damaged_program_is_read_without_error(path: Path, at: int, cut: int, put: bytes) -> None:
    data = path.read_bytes()
    at = min(at, len(data))
    damaged = data[:at] + put + data[at + cut :]
    folder = "app/migrations/" if path.suffix == ".py" else "migrations/"
    for fact in migrations.read(_package({folder + path.name: damaged})):
        assert isinstance(fact, Migration | Unread)


@pytest.mark.parametrize(
    "text",
    [
        "revision = 'a'\ndef upgrade():\n    op.execute(" + "(" * 300 + "'x'" + ")" * 300 + ")\n",
        "revision = 'a'\ndef upgrade():\n    op.execute(" + "'x' + " * 3000 + "'x')\n",
        "revision = 'a'\nX = X\ndef upgrade():\n    op.execute(X)\n    upgrade()\n",
    ],
)
def test_hostile_python_ends(text: str) -> None:
    list(migrations.read(_package({"alembic/versions/a.py": text})))


def test_hostile_javascript_and_logs_end() -> None:
    files: dict[str, str | bytes] = {
        "migrations/1.js": "exports.up = " + "(" * 20000,
        "migrations/2.js": "exports.up = (knex) => { knex" + ".a()" * 5000 + " }",
        "db/changelog.xml": "<databaseChangeLog>" + "<a>" * 5000,
        "db/changelog.yaml": "databaseChangeLog:\n- a: &a [1,1]\n"
        + "".join(f"- b{n}: &b{n} [*a,*a]\n" for n in range(99)),
        "db/changelog.json": '{"databaseChangeLog":' + "[" * 50000,
        "database/migrations/1_x.php": "<?php class A extends Migration { function up() {" + "{" * 20000,
    }
    list(migrations.read(_package(files)))
