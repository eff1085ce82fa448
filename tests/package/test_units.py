"""Units that a package ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from casefolders import check, folders
from fulldress.package import units
from openfolder import open_folder

CASES = Path(__file__).parent / "cases" / "units"


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    check(case, units.read(open_folder(case)))
