"""Versions by scheme, ranges of every dialect, and what is refused."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fulldress.catalog import versions
from fulldress.errors import OtherScheme, UnreadableVersion
from fulldress.formats import constraint


@pytest.mark.parametrize(
    ("scheme", "low", "high"),
    [
        ("dotted", "4.9", "4.10"), ("dotted", "1.0rc1", "1.0"), ("dotted", "1.0", "1.0.1"), ("dotted", "1.1.1", "1.1.1k"),
        ("dotted", "9.6", "9.6p1"), ("dotted", "2.0-beta2", "2.0-rc1"), ("semver", "1.0.0-rc.1", "1.0.0"),
        ("deb", "1.0~rc1", "1.0"), ("deb", "2:1.0", "3:0.1"), ("rpm", "1.0~rc1-1", "1.0-1"), ("pep440", "1.0.dev1", "1.0a1"),
        ("maven", "1.0-SNAPSHOT", "1.0"), ("calendar", "2025.12", "2026.1"), ("calendar", "24.04", "24.10"),
        ("calendar", "20251231", "2026-01-01"), ("semver", "16.11.9", "16.11.10-ee"),
    ],
)  # fmt: skip
def test_order(scheme: str, low: str, high: str) -> None:
    left, right = versions.parse(scheme, low), versions.parse(scheme, high)
    assert versions.compare(left, right) == -1
    assert versions.compare(right, left) == 1


@pytest.mark.parametrize(
    ("left", "right"), [("4.2", "4.2.0"), ("16.11.10-ee", "16.11.10"), ("v1.0", "1.0"), ("1.2.RELEASE", "1.2")]
)
def test_same(left: str, right: str) -> None:
    assert versions.compare(versions.parse("dotted", left), versions.parse("dotted", right)) == 0


def test_guess_says_so() -> None:
    assert versions.parse("", "1.2").guessed
    assert versions.parse("", "1:1.2-1").scheme == "deb"
    assert not versions.parse("dotted", "1.2").guessed


def test_schemes_are_not_mixed() -> None:
    with pytest.raises(OtherScheme, match="two schemes"):
        versions.compare(versions.parse("deb", "1"), versions.parse("semver", "1.0.0"))


@pytest.mark.parametrize(
    ("scheme", "text"),
    [("dotted", "latest"), ("semver", "1.2.3.4"), ("calendar", "4.2"), ("deb", "x1"), ("pep440", "1.0-foo-bar")],
)
def test_unreadable(scheme: str, text: str) -> None:
    with pytest.raises(UnreadableVersion, match=scheme):
        versions.parse(scheme, text)


@pytest.mark.parametrize(
    ("range_", "inside", "outside"),
    [
        (">=1.18, <2", "1.20", "2.0"), ("^1.2", "1.9", "2.0"), ("^0.2.3", "0.2.9", "0.3.0"), ("~1.2.3", "1.2.9", "1.3.0"),
        ("~=1.4.2", "1.4.9", "1.5"), ("~> 1.15", "1.99", "2.0"), ("1.x", "1.7", "2.0"), ("==1.*", "1.3", "2.0"),
        ("[1.0,2.0)", "1.5", "2.0"), ("(,1.0],[1.2,)", "1.3", "1.1"), ("3.8+", "4.0", "3.7"), ("3.8 or later", "3.8", "3.7"),
        ("≥ 3.8", "3.9", "3.7"), ("1.32 - 1.36", "1.36.4", "1.37"), ("1.2 || >=3", "3.1", "2.0"), ("!=2.0", "2.1", "2.0"),
        ("up to 4.0", "4.0", "4.1"), ("before 4.0", "3.9", "4.0"), ("(>= 2.34)", "2.35", "2.33"), ("18 or 20", "20", "19"),
        ("v1.2", "1.2", "1.3"), (">=8.2 <8.5", "8.4", "8.5"),
    ],
)  # fmt: skip
def test_ranges(range_: str, inside: str, outside: str) -> None:
    assert versions.contains("dotted", range_, inside) is True
    assert versions.contains("dotted", range_, outside) is False


def test_what_is_not_understood_is_unknown() -> None:
    assert versions.contains("dotted", "whatever works", "1.0") is None
    assert versions.contains("dotted", "latest", "1.0") is None
    assert versions.contains("dotted", ">=1", "edge") is None
    assert versions.contains("dotted", "*", "edge") is True


def test_dialects() -> None:
    assert versions.contains("dotted", "16", "16.3", dialect="matrix") is True
    assert versions.contains("dotted", "16", "16.3") is False
    assert versions.contains("dotted", "1.2", "1.9", dialect="cargo") is True
    assert versions.contains("maven", "1.2", "1.9") is True
    assert versions.contains("deb", "< 2", "2") is True  # the old spelling means <=


def test_upstream() -> None:
    assert versions.upstream("1:15.5-0+deb12u1", "deb") == "15.5"
    assert versions.upstream("3.0.15-1~deb12u1", "deb") == "3.0.15"
    assert versions.upstream("4.2-rc1", "dotted") == "4.2-rc1"


@given(st.text(max_size=60))
def test_constraints_never_fail(text: str) -> None:
    ranges = constraint.read(text)
    assert ranges is None or all(
        c.operator in (">=", ">", "<=", "<", "==", "!=") for clauses in ranges for c in clauses
    )


DOTTED = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}(-?(rc|beta)[0-9]?|[a-z])?", fullmatch=True)


@given(DOTTED, DOTTED, DOTTED)
def test_dotted_is_an_order(a: str, b: str, c: str) -> None:
    x, y, z = (versions.parse("dotted", text) for text in (a, b, c))
    assert versions.compare(x, y) == -versions.compare(y, x)
    if versions.compare(x, y) <= 0 and versions.compare(y, z) <= 0:
        assert versions.compare(x, z) <= 0


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="the oracle is dpkg")
@settings(max_examples=40, deadline=None)
@given(*[st.from_regex(r"([0-9]:)?[0-9]{1,2}([.+~][0-9a-z]{1,2}){0,3}(-[0-9]{1,2})?", fullmatch=True)] * 2)
def test_deb_agrees_with_dpkg(left: str, right: str) -> None:
    order = versions.compare(versions.parse("deb", left), versions.parse("deb", right))
    operator = {-1: "lt", 0: "eq", 1: "gt"}[order]
    assert subprocess.run(["dpkg", "--compare-versions", left, operator, right], check=False).returncode == 0
