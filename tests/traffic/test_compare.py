from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulldress.facts import Shift
from fulldress.production.logs import Request
from fulldress.traffic import compare, shift_tests
from traffic.plans import START, log


def find(found: list[Shift], subject: str, measure: str) -> Shift:
    (shift,) = [shift for shift in found if (shift.subject, shift.measure) == (subject, measure)]
    return shift


def test_a_slower_endpoint_is_real_and_the_other_is_not() -> None:
    found = compare.shifts(log(1, 400, 25), log(2, 400, 25, slower=1.6))
    assert find(found, "GET /orders/{id}", "p99").real is True
    assert find(found, "GET /orders/{id}", "p50").real is True
    assert find(found, "GET /orders", "p50").real is False
    assert [shift.subject for shift in compare.worsenings(found)] == ["GET /orders/{id}"] * 2
    assert found[0].real


def test_bursts_alone_are_rarely_a_shift() -> None:
    """The chance of any false alarm is meant to be 5 % for a pair of logs, however bursty."""
    pairs = [(log(1000 + seed, 300, 20), log(2000 + seed, 300, 20)) for seed in range(12)]
    assert sum(any(shift.real for shift in compare.shifts(*pair)) for pair in pairs) <= 1


def test_too_little_is_unknown() -> None:
    found = compare.shifts(log(1, 10, 5, bursts=False), log(2, 10, 5, slower=9.0, bursts=False))
    assert find(found, "GET /orders/{id}", "p99").real is None
    assert compare.shifts([], log(2, 10, 5)) == []


def test_errors() -> None:
    before = log(1, 300, 20)
    after = [
        msgspec.structs.replace(row, status=503) if number % 20 == 0 else row
        for number, row in enumerate(log(2, 300, 20))
    ]
    found = compare.shifts(before, after)
    for subject in ("GET /orders", "GET /orders/{id}"):
        shift = find(found, subject, "error rate")
        assert (shift.real, shift.before) == (True, 0)
        assert shift.after == pytest.approx(0.05, abs=0.01)


def calls(seconds: int, attempts: int, told: bool) -> list[Request]:
    """A call each second to a third party; every tenth fails first and is tried ``attempts`` times."""
    rows = []
    for second in range(seconds):
        tries = attempts if second % 10 == 0 else 1
        for attempt in range(1, tries + 1):
            status = 503 if attempt < tries else 200
            rows.append(
                Request(
                    START + timedelta(seconds=second + attempt * 0.05), 0.04, "POST", "/pay", status, 1, "10.0.0.1", "ua",
                    "pay.example", attempt if told else 0, False,
                )
            )  # fmt: skip
    return rows


@pytest.mark.parametrize("told", [True, False])
def test_more_retries_against_a_third_party(told: bool) -> None:
    found = compare.shifts(calls(1200, 2, told), calls(1200, 4, told))
    shift = find(found, "to pay.example", "attempts per call")
    assert shift.real is True
    assert shift.before == pytest.approx(1.1)
    assert shift.after == pytest.approx(1.3)
    assert ("inferred" in shift.detail) is not told
    assert shift in compare.worsenings(found)


def test_an_endpoint_that_disappeared_is_real() -> None:
    rest = [row for row in log(2, 400, 25) if row.path == "/orders"]
    shift = find(compare.shifts(log(1, 400, 25), rest), "GET /orders/{id}", "calls per hour")
    assert (shift.real, shift.after) == (True, 0)


def test_other_hours_are_a_caution() -> None:
    later = [msgspec.structs.replace(row, start=row.start + timedelta(hours=5)) for row in log(1, 60, 5)]
    assert any("other hours" in caution for caution in compare.cautions(log(1, 60, 5), later))
    assert compare.cautions(log(1, 60, 5), log(2, 60, 5)) == []


@given(st.lists(st.floats(0.001, 10), min_size=1, max_size=200), st.sampled_from([0.5, 0.99]))
def test_a_quantile_is_one_of_the_values(values: list[float], q: float) -> None:
    estimate = shift_tests.quantile(values, [n % 40 for n in range(len(values))], q)
    assert estimate.value in values
    assert estimate.se is None or estimate.se > 0


def test_holm_is_stricter_than_each_test_alone() -> None:
    assert shift_tests.holm([0.04, None, 0.04]) == [False, None, False]
    assert shift_tests.holm([0.001, None, 0.04]) == [True, None, True]
