"""Migrations in packages: case folders, and properties of the statement splitter."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefolders import check, folders
from fulldress.facts import Migration, Unread, encode
from fulldress.package import migrations
from fulldress.package.migrations.naming import order
from fulldress.package.migrations.sql import statements
from openfolder import FolderPackage, member, open_folder

CASES = Path(__file__).parent / "cases" / "migrations"


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_case(case: Path) -> None:
    check(case, migrations.read(open_folder(case)))


def test_no_password_is_ever_kept() -> None:
    said = encode(list(migrations.read(open_folder(CASES / "roles"))))
    assert b"Tr0ub4dor" not in said and b"hunter22" not in said


def test_they_come_in_the_order_in_which_they_would_run() -> None:
    names = [fact.name for fact in migrations.read(open_folder(CASES / "updown")) if isinstance(fact, Migration)]
    assert names == ["0001_accounts", "0001_accounts", "0002_wide", "0002_wide", "0010_lonely"]
    assert sorted(["delta/54/a", "delta/9/b"], key=order) == ["delta/9/b", "delta/54/a"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("select 1; select 2", 2),
        (";;; ; -- nothing\n/* at /* all */ ; */;", 0),
        ("select ';'; select E'\\';'; select U&';'", 3),
        ('select "a;b"; select $$;$$; select $x$ $$ ; $x$', 3),
        ("select a$b$c; select 1", 2),
        ("create rule r as on insert to t do also (insert into u values (1); select 2); select 1", 2),
        ("create function f() returns int begin atomic select case when true then 1 end; select 2; end; select 1", 2),
        ("create trigger t after insert on u begin update v set a = 1; delete from w; end; select 1", 2),
        ("DELIMITER //\ncreate procedure p() begin select 1; select 2; end//\nDELIMITER ;\nselect 3;", 2),
        ("select 'never closed; select 2", 1),
        ("do $$ begin commit; end $$; begin; commit", 3),
    ],
)
def test_statements_are_told_apart(text: str, count: int) -> None:
    assert len(list(statements(text))) == count


def test_lines_and_offsets_point_at_the_first_word() -> None:
    text = "-- a\n\n/* b\n*/ select 1;\r\n\n  select\n2;"
    found = list(statements(text))
    assert [(one.line, text[one.offset : one.offset + 6]) for one in found] == [(4, "select"), (6, "select")]


_PIECES = st.sampled_from(
    [
        "select 1",
        "insert into t values ('a;b')",
        'select "x;y"',
        "do $q$ begin; end $q$",
        "select E'\\';'",
        "select (1; 2)",
    ]
)
_BETWEEN = st.sampled_from([";", ";\n", "; -- c;\n", ";/* ; */", " ;\t"])


@given(st.lists(st.tuples(_PIECES, _BETWEEN), max_size=12))
def test_joining_and_splitting_is_lossless(parts: list[tuple[str, str]]) -> None:
    text = "".join(piece + between for piece, between in parts)
    found = list(statements(text))
    assert [one.text.rstrip("; \t") for one in found] == [piece for piece, _ in parts]
    for one in found:
        assert text[one.offset :].startswith(one.text)
        assert one.line == text.count("\n", 0, one.offset) + 1


@given(st.text(max_size=200))
def test_any_text_is_read_without_error(text: str) -> None:
    for one in statements(text):
        assert one.text.strip() and one.line >= 1


_SHREDS = st.sampled_from(
    ["DO $$", "$$", "DECLARE v text :=", "'DROP TABLE '", "|| 'x'", "|| v", ";", "BEGIN", "EXECUTE", "v", "format(", "'%I %2$L'", ",",
     ")", "(", "IF a THEN", "END IF", "INTO v", "SET @v =", "PREPARE p FROM", "@v", "EXECUTE p", "CALL f()", "CREATE FUNCTION f()",
     "LANGUAGE plpgsql", "AS $f$", "$f$", "E'\\'", "DELIMITER //", "\n", "//", "LANGUAGE c"]
)  # fmt: skip


@given(st.lists(_SHREDS, max_size=40))
def test_any_nested_text_is_read(shreds: list[str]) -> None:
    text = " ".join(shreds)
    package = FolderPackage({"migrations/0002_a.sql": member("migrations/0002_a.sql", text.encode(), "sql")})
    assert encode(list(migrations.read(package)))


def test_text_that_doubles_itself_is_not_followed_for_ever() -> None:
    text = (
        "DO $$ DECLARE v text := 'drop table x;'; BEGIN\n" + "v := v || v;\n" * 500 + "EXECUTE v;\n" * 500 + "END $$;"
    )
    package = FolderPackage({"migrations/0002_a.sql": member("migrations/0002_a.sql", text.encode(), "sql")})
    assert any(isinstance(fact, Unread) and fact.needed for fact in migrations.read(package))
