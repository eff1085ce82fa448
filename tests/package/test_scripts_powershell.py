"""Scripts in powershell: the case folders, and that no text makes the reader fall over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefolders import check, folders
from fulldress.facts import encode
from fulldress.package import scripts
from fulldress.package.scripts.powershellrepair import repaired
from openfolder import FolderPackage, member, open_folder

CASES = Path(__file__).parent / "cases" / "scripts-powershell"
PIECES = sorted(
    {
        piece
        for path in CASES.rglob("*")
        if path.is_file() and path.name != "expected.json"
        for line in path.read_text().splitlines()
        for piece in (line, *line.split())
    }
)


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    check(case, scripts.read(open_folder(case)))


@settings(max_examples=120, deadline=None)
@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=14).map("\n".join), st.text(max_size=120)))
def test_any_text_is_read(text: str) -> None:
    """Whole lines of the cases in any order, pieces of them, and texts of any kind."""
    data = text.encode("utf-8", "surrogatepass")
    lifecycle = member("package.json", b'{"scripts": {"postinstall": "node bin/a"}}', "json")
    package = FolderPackage(
        {"bin/a": member("bin/a", b"#!/bin/x\n" + data, "powershell", mode=0o755), "package.json": lifecycle}
    )
    for fact in scripts.read(package):
        assert encode([fact])


@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=14).map("\n".join), st.text(max_size=160)))
def test_repair_keeps_the_rows(text: str) -> None:
    """Lines are counted in what the grammar sees, so nothing may move them."""
    assert repaired(text).count("\n") == text.count("\n")
