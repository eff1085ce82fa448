"""Folders of production and the facts that they hold."""

from pathlib import Path

import pytest

from casefolders import check, folders
from fulldress import production

CASES = folders(Path(__file__).parent / "cases")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_case(case: Path) -> None:
    check(case, production.load(case).facts())
