"""One upgrade's record: bound to its bytes, append-only, and it shows when somebody changed it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from fulldress.case import Store
from fulldress.case.waivers import apply
from fulldress.errors import CaseError, ChainBroken, ForeignFile, NoCase
from fulldress.findings import Finding, Severity

A, B = "a" * 64, "b" * 64


def test_open_is_once_per_package_and_folders_have_names(tmp_path: Path) -> None:
    store = Store(tmp_path)
    case = store.open_case(A, "app.zip", label="app-2.0", ticket="T-1", brought_by="mail")
    assert case.folder.name == "app-2.0"
    assert store.open_case(A, "app.zip", label="app-2.0").folder == case.folder
    assert store.open_case(B, "app.zip", label="app-2.0").folder.name == "app-2.0-bbbbbbbb"
    assert store.open_case("c" * 64, "../../etc/x y.tar.gz").folder.name == "etc-x-y-cccccccc"
    assert [e.data["ticket"] for e in case.events("opened")] == ["T-1"]
    assert (case.package, case.name) == (A, "app.zip")
    with pytest.raises(NoCase):
        store.get("d" * 64)
    with pytest.raises(CaseError, match="no event"):
        case.append("invented")


def test_rehearsals_and_approvals_are_bound_to_bytes(tmp_path: Path) -> None:
    case = Store(tmp_path).open_case(A, "app.zip")
    case.append("rehearsed", {"frozen": "f1", "package": A, "verdict": "GO"})
    case.append("rehearsed", {"frozen": "f1", "package": B, "verdict": "GO"})
    case.append("approved", {"frozen": "f1", "who": "ann"})
    case.append("approved", {"frozen": "f1", "who": "ann"})
    assert len(case.rehearsals("f1")) == 1
    assert case.rehearsals("f2") == []
    assert case.approvals("f1") == ["ann"]
    assert case.approvals("f2") == []


def test_waivers(tmp_path: Path) -> None:
    case = Store(tmp_path).open_case(A, "app.zip")
    case.waive("FD1", "x", who="ann", why="known", until=date(2026, 12, 1))
    found = [Finding(rule="FD1", severity=Severity.BLOCKER, title="t", subject=s, remedy="") for s in ("x", "y")]
    today = date(2026, 11, 25)
    assert [f.counts for f in apply(found, case.waivers(), A, today)] == [False, True]
    assert all(f.counts for f in apply(found, case.waivers(), B, today))
    assert all(f.counts for f in apply(found, case.waivers(), A, date(2026, 12, 2)))


@pytest.mark.parametrize(
    ("change", "entry", "words"),
    [
        ("UPDATE entries SET data = replace(data, 'NO-GO', 'GO') WHERE number = 2", 2, "hash does not fit"),
        ("UPDATE entries SET at = '2020-01-01T00:00:00+00:00' WHERE number = 1", 1, "hash does not fit"),
        ("DELETE FROM entries WHERE number = 2", 2, "missing"),
        ("UPDATE entries SET previous = hash WHERE number = 3", 3, "does not follow"),
    ],
)
def test_tampering_shows(tmp_path: Path, change: str, entry: int, words: str) -> None:
    case = Store(tmp_path).open_case(A, "app.zip")
    case.append("rehearsed", {"verdict": "NO-GO"})
    case.append("note", {"a": 1})
    assert case.verify() == 3
    with sqlite3.connect(case.path) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="entries are never"):
            connection.execute(change)
        connection.executescript(f"DROP TRIGGER entries_keep; DROP TRIGGER entries_stay; {change};")
    with pytest.raises(ChainBroken, match=words) as raised:
        case.verify()
    assert f"entry {entry} " in str(raised.value)


def test_a_shortened_chain_shows_against_a_head_that_was_noted(tmp_path: Path) -> None:
    case = Store(tmp_path).open_case(A, "app.zip")
    case.append("rehearsed", {"verdict": "NO-GO"})
    head = case.head
    with sqlite3.connect(case.path) as connection:
        connection.executescript("DROP TRIGGER entries_stay; DELETE FROM entries WHERE number = 2")
    assert case.verify() == 1
    with pytest.raises(ChainBroken, match="ends before"):
        case.verify(head)


def test_another_file_is_told_and_left_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    case = store.open_case(A, "app.zip")
    case.path.write_bytes(b"no database at all, " * 50)
    before = case.path.read_bytes()
    with pytest.raises(ForeignFile):
        case.events()
    assert case.path.read_bytes() == before
    assert store.find(A) is None
    assert store.open_case(B, "b.zip").package == B


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    case = Store(tmp_path).open_case(A, "app.zip")
    code = f"""
from pathlib import Path
from fulldress.case import Case
case = Case(Path({str(case.folder)!r}))
for number in range(20):
    case.append("note", {{"n": number}})
"""
    writers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [w.wait(30) for w in writers] == [0, 0]
    assert case.verify() == 41
