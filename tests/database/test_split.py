"""A script as psql would send it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulldress.database.postgres.split import split


def test_copy_takes_its_data_along_and_lines_stay_true() -> None:
    found = split("SELECT 1;\nCOPY t (a, b) FROM STDIN WITH (FORMAT csv);\n1,;\n'2\n\\.\nSELECT 2;\n", "m.sql")
    assert [(one.line, one.data) for one in found] == [(1, None), (2, b"1,;\n'2\n"), (6, None)]


def test_copy_without_an_end_takes_the_rest() -> None:
    assert split("COPY t FROM STDIN;\n1\t2\n")[0].data == b"1\t2\n"
    assert split("COPY t FROM STDIN;")[0].data == b""
    assert split("COPY t FROM '/tmp/x'; SELECT 1")[0].data is None


def test_included_files_are_read_beside_the_script() -> None:
    found = split("\\ir part.sql\nSELECT 3;", "m/x.sql", {"m/part.sql": "SELECT 1;\nSELECT 2;"})
    assert [(one.file, one.line, one.text) for one in found] == [
        ("m/part.sql", 1, "SELECT 1;"),
        ("m/part.sql", 2, "SELECT 2;"),
        ("m/x.sql", 2, "SELECT 3;"),
    ]


def test_files_that_include_themselves_end_in_a_refusal() -> None:
    assert split("\\i x.sql\n", "x.sql", {"x.sql": "\\i x.sql\n"})[-1].refused


@pytest.mark.parametrize("command", ["\\set x 1", "\\c other", "\\copy t from 'x'", "\\if true", "\\! ls", "\\gexec"])
def test_commands_that_would_change_what_is_sent_are_refused(command: str) -> None:
    assert split(command + "\nSELECT 1;")[0].refused


@pytest.mark.parametrize("command", ["\\echo hi; there", "\\set ON_ERROR_STOP on", "\\timing", "\\pset pager off"])
def test_commands_that_change_nothing_are_passed_over(command: str) -> None:
    assert [one.text for one in split(command + "\nSELECT 1;")] == ["SELECT 1;"]


@pytest.mark.parametrize(
    ("sql", "alone", "control"),
    [
        ("VACUUM t", True, False),
        ("create  unique index /* c */ concurrently i on t (a)", True, False),
        ("CREATE INDEX i ON t (a)", False, False),
        ("REINDEX TABLE CONCURRENTLY t", True, False),
        ("CREATE DATABASE x", True, False),
        ("BEGIN", False, True),
        ("ROLLBACK TO s", False, True),
        ("DO $$ BEGIN END $$", False, False),
        ("SELECT 'VACUUM'", False, False),
    ],
)
def test_how_a_statement_has_to_be_sent(sql: str, alone: bool, control: bool) -> None:
    (piece,) = split(sql)
    assert (piece.alone, piece.control) == (alone, control)


@given(st.text(alphabet="\\.;\n'$aC()-/*", max_size=60))
def test_any_text_is_split_without_error(text: str) -> None:
    for piece in split("COPY t FROM STDIN;\n" + text) + split(text):
        assert piece.line >= 1
