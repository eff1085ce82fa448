"""Records: five kinds from TOML and CSV, provenance, conditions, and errors that name the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulldress.catalog import records
from fulldress.catalog.conditions import Condition, Known
from fulldress.errors import BadRecord, BadSyntax

GOOD = """
[source]
name = "guide"
retrieved = 2026-11-20

[[release]]
component = "hub"
versions = ["1.0", "2.0"]

[[stop]]
component = "hub"
version = "1.5"
when = "installed(relay)"
source = "a letter"

[[edge]]
component = "hub"
from = ">=2"
to = "<2"
allow = false

[[compat]]
left = "hub >=2"
right = "db 14"

[[change]]
component = "hub"
version = "2.0"
key = "a.b"
kind = "removed"
"""


def _write(folder: Path, text: str, name: str = "m.toml") -> Path:
    path = folder / "matrices" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path.parent


def test_five_kinds_with_their_source(tmp_path: Path) -> None:
    found = records.load(_write(tmp_path, GOOD))
    assert [type(r).__name__ for r in found] == ["Release", "Stop", "Edge", "Compat", "Change"]
    assert found[0].source.words() == "matrices/m.toml:6, guide, 2026-11-20"
    assert found[1].source.words() == "matrices/m.toml:10, a letter, 2026-11-20"
    assert isinstance(found[4], records.Change)
    assert (found[4].fate, found[4].at) == ("removed", "2.0")


def test_csv(tmp_path: Path) -> None:
    text = "kind,component,version,versions,left,right,level,allow,from,to\nstop,hub,1.5,,,,,,,\nrelease,hub,,1.0 2.0,,,,,,\ncompat,,,,hub <2,db <=14,broken,,,\nedge,hub,,,,,,no,>=2,<2\n"
    found = records.load(_write(tmp_path, text, "m.csv"))
    assert [type(r).__name__ for r in found] == ["Stop", "Release", "Compat", "Edge"]
    assert isinstance(found[3], records.Edge)
    assert found[3].allow is False
    assert found[2].source.words() == "matrices/m.csv:4"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[[stopp]]\nversion = '1'\n", 1, r"\[\[stop\]\]"),
        ("\n[[stop]]\ncomponent = 'x'\nverson = '1'\n", 2, '"version"'),
        ("[[stop]]\ncomponent = 'x'\n", 1, "missing"),
        ("[stop]\ncomponent = 'x'\n", 2, "two brackets"),
        ("[[compat]]\nleft = 'a'\nright = 'b whatever'\n", 1, "no range"),
        ("[[compat]]\nleft = 'a'\nright = 'b'\nlevel = 'good'\n", 1, "level"),
        ("[[change]]\ncomponent='a'\nat='1'\nkey='k'\nfate='lost'\n", 1, "fate"),
        ("[[stop]]\ncomponent='a'\nversion='1'\nwhen='db >'\n", 1, "condition"),
        ("[[release]]\ncomponent='a'\n", 1, "without version"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(BadRecord, match=words) as caught:
        records.load(_write(tmp_path, text))
    assert caught.value.values["line"] == line
    assert caught.value.exit_code == 5


def test_broken_toml(tmp_path: Path) -> None:
    with pytest.raises(BadSyntax, match=r"m\.toml:2"):
        records.load(_write(tmp_path, "a = 1\nb = \n"))


def test_no_folder_holds_no_records(tmp_path: Path) -> None:
    assert records.load(tmp_path / "absent") == []


KNOWN = Known(
    within=lambda component, range_: {"db": range_ == "<14"}.get(component),
    installed=lambda component: component == "relay",
    setting=lambda component, key: None if component == "dark" else {"a": "on", "n": "5"}.get(key, ""),
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True), ("db < 14", True), ("db >= 14", False), ("other < 1", None), ("not other < 1", None),
        ("other < 1 or installed(relay)", True), ("other < 1 and installed(relay)", None), ("other < 1 and installed(x)", False),
        ("setting(hub, a) = on", True), ("setting(hub, a) != on", False), ("setting(hub, b)", False), ("setting(hub, n) >= 4", True),
        ("setting(dark, a)", None), ("not (installed(x) or db < 14)", False),
    ],
)  # fmt: skip
def test_conditions_have_three_values(text: str, holds: bool | None) -> None:
    assert Condition.read(text).holds(KNOWN) is holds


@pytest.mark.parametrize("text", ["db", "db >", "(db < 1", "db < 1)", "installed(a, b)", "setting(a)", "and", "a ? b"])
def test_wrong_conditions_are_said(text: str) -> None:
    assert Condition.problem(text)
