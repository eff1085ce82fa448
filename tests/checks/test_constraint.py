from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulldress.checks.constraint import plain, within


@pytest.mark.parametrize(
    ("version", "constraint", "answer"),
    [
        ("14.2", ">=13", True),
        ("12.4", ">=13", False),
        ("1.14", ">=1.18, <2", False),
        ("3.12.1-1", ">= 3.9, << 3.12", False),
        ("2.36-9+deb12u1", ">= 2.31", True),
        ("2.31-1", ">= 2.31", None),
        ("4.2.0-rc1", ">=4.2.0", None),
        ("1:2.36-9", ">= 2.31", None),
        ("1.20", "(>= 1.18)", True),
        ("4.2", "4.2.0", True),
        ("1.9.9", "^1.2", True),
        ("2.0", "^1.2", False),
        ("0.3", "^0.2", False),
        ("1.3", "~1.2", False),
        ("1.2.9", "~1.2.3", True),
        ("1.9", "~=1.2", True),
        ("2.0", "~> 1.2", False),
        ("3.0", "<2 || >=3", True),
        ("2.5", "<2 || >=3", False),
        ("9", "*", True),
        ("1:2.0", ">=1", None),
        ("2.0-rc1", ">=2", None),
        ("2.0", "latest", None),
        ("2.0", "", None),
        ("2.0", ">=2.0~beta", None),
        ("2.0", ">= 1, garbage", None),
    ],
)
def test_within(version: str, constraint: str, answer: bool | None) -> None:
    assert within(version, constraint) is answer


@given(st.text(max_size=30), st.text(max_size=30))
def test_never_fails_on_any_text(version: str, constraint: str) -> None:
    assert within(version, constraint) in (True, False, None)


@given(st.lists(st.integers(0, 999), min_size=1, max_size=4), st.lists(st.integers(0, 999), min_size=1, max_size=4))
def test_at_least_and_below_exclude_each_other(one: list[int], other: list[int]) -> None:
    version, bound = ".".join(map(str, one)), ".".join(map(str, other))
    assert within(version, f">={bound}") is not within(version, f"<{bound}")
    assert plain(f"{version}.0") == plain(version)
