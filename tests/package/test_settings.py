"""The case folders of ``package.settings``: a package and the facts expected of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from casefolders import check, folders
from fulldress.package import settings
from openfolder import open_folder

CASES = Path(__file__).parent / "cases" / "settings"


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    check(case, settings.read(open_folder(case)))
