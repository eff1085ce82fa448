"""Signed packages made once with the usual programs, each opened as a user opens it, and what has to be said of it.

A case holds ``package`` (a folder, or a file named in ``options.json``) with what lies beside it, ``trust``,
``advisories`` and ``root``, a copy of production's files. All days are fixed, so that nothing here depends on the day of the test.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from casefolders import check, folders
from fulldress.package import signatures
from fulldress.package.reader import Options
from fulldress.package.walk import Budget, Opened

CASES = Path(__file__).parent / "cases" / "signed"


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    given = json.loads((case / "options.json").read_text())
    options = Options(
        trust=case / "trust" if (case / "trust").is_dir() else None,
        root=case / "root" if (case / "root").is_dir() else None,
        advisories=case / "advisories" if (case / "advisories").is_dir() else None,
        at=datetime.fromisoformat(given["at"]),
        today=datetime.fromisoformat(given["today"]),
    )
    with Opened(case / given["package"], Budget(), options) as package:
        check(case, list(signatures.read(package)))
