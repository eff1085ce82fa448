"""The case folders of ``package.lookups``: a package and the keys that its code looks up."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefolders import check, folders
from fulldress.facts import Lookup
from fulldress.package import lookups
from openfolder import FolderPackage, member, open_folder

CASES = Path(__file__).parent / "cases" / "lookups"


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    check(case, lookups.read(open_folder(case)))


@given(st.binary(max_size=300), st.sampled_from(["a.py", "a.js", "A.java", "a.go", "a.rb", "a.php"]))
def test_no_bytes_break_it(data: bytes, name: str) -> None:
    signs = b"os.environ['A'] conf.get('a', 'b') process.env.B getenv('C') ENV['D'] viper.GetInt('e.f') "
    package = FolderPackage({name: member(name, signs + data)})
    assert all(isinstance(fact, Lookup) and fact.evidence.line > 0 for fact in lookups.read(package))
