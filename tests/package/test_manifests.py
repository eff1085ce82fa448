"""The case folders of ``package.manifests``: a package and the facts expected of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from casefolders import check, folders
from fulldress.package import manifests
from fulldress.package.manifests import replaced
from openfolder import member, open_folder

CASES = Path(__file__).parent / "cases" / "manifests"


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    check(case, manifests.read(open_folder(case)))


def test_what_an_rpm_obsoletes_is_taken_off_once() -> None:
    rows = [
        ("name", "relay", 1),
        ("obsoletes", "relay-core < 4", 5),
        ("obsoletes", "relay-core = 3", 6),
        ("obsoletes", "relay", 7),
    ]
    found = list(replaced.rpm(member(".header", b"Name: relay\n"), rows))
    assert [(one.what, one.detail, one.evidence.line) for one in found] == [
        ("relay-core", "Obsoletes: relay-core < 4", 5)
    ]
