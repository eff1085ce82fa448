"""The form is found again in what it made, and the band holds what it says it holds."""

from __future__ import annotations

import random
from math import log2

import pytest

from fulldress.database.forecast import LEVEL, fit
from fulldress.facts import Size

TRUTH = {
    "constant": lambda n: 0.2,
    "linear": lambda n: 0.05 + n * 4e-6,
    "n log n": lambda n: 0.02 + n * log2(n) * 3e-7,
}


def runs(truth, sizes, each: int, noise: float, dice: random.Random) -> list[Size]:  # type: ignore[no-untyped-def]
    return [Size(rows=n, seconds=truth(n) * dice.gauss(1, noise)) for n in sizes for _ in range(each)]


@pytest.mark.parametrize("name", TRUTH)
def test_without_noise_the_form_is_found_and_the_band_is_narrow(name: str) -> None:
    found = fit(runs(TRUTH[name], (10_000, 100_000, 1_000_000), 2, 0.0, random.Random(1)), 50_000_000)
    assert found is not None and found.model == name
    assert found.expected == pytest.approx(TRUTH[name](50_000_000), rel=0.01)
    assert found.high - found.low < 0.02 * found.expected


@pytest.mark.parametrize("name", TRUTH)
def test_the_band_holds_as_often_as_it_says(name: str) -> None:
    dice, hits, tries = random.Random(7), 0, 400
    for _ in range(tries):
        found = fit(runs(TRUTH[name], (100_000, 500_000, 1_000_000), 3, 0.08, dice), 10_000_000)
        assert found is not None
        hits += found.low <= TRUTH[name](10_000_000) * dice.gauss(1, 0.08) <= found.high
    assert hits / tries >= LEVEL - 0.05


def test_few_runs_give_a_wide_band_or_none() -> None:
    dice = random.Random(3)
    assert fit([], 10) is None
    assert fit([Size(rows=1000, seconds=1.0)], 100_000) is None
    assert fit([Size(rows=1000, seconds=1.0), Size(rows=1000, seconds=1.1)], 100_000) is None  # one size tells nothing
    assert fit(runs(TRUTH["linear"], (100_000, 1_000_000), 1, 0.05, dice), 10_000_000) is None
    three = fit(runs(TRUTH["linear"], (100_000, 500_000, 1_000_000), 1, 0.05, dice), 10_000_000)
    nine = fit(runs(TRUTH["linear"], (100_000, 500_000, 1_000_000), 3, 0.05, dice), 10_000_000)
    assert nine is not None and three is not None and three.high - three.low > nine.high - nine.low


def test_at_the_rehearsed_size_runs_alone_make_the_band() -> None:
    found = fit([Size(rows=1000, seconds=s) for s in (1.0, 1.1, 0.9)], 1000)
    assert found is not None and found.model == "constant" and found.low < 0.9 and found.high > 1.1


def test_a_line_through_noise_never_takes_less_than_no_time() -> None:
    found = fit([Size(rows=n, seconds=s) for n, s in ((100, 0.001), (100, 0.03), (1000, 0.002), (1000, 0.04))], 100_000)
    assert found is not None and found.low >= 0
