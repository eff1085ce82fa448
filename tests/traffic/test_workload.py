from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulldress.errors import NothingToReplay
from fulldress.production.logs import Request
from fulldress.traffic import workload
from traffic.plans import START, log, plan


def request(
    at: float, took: float | None = 0.01, method: str = "GET", path: str = "/a", coarse: bool = False
) -> Request:
    return Request(START + timedelta(seconds=at), took, method, path, 200, 1, "c", "a", coarse=coarse)


def test_the_window_with_most_in_flight_is_chosen_not_the_one_with_most_arrivals() -> None:
    many = [request(n * 0.1, 0.01, path="/quick") for n in range(600)]
    slow = [request(600 + n * 0.5, 3.0, path="/slow") for n in range(120)]
    made = workload.from_requests([*many, *slow], window=timedelta(minutes=1))
    assert {operation.path for operation in made.operations} == {"/slow"}
    assert made.window.chosen_by == "requests in flight"
    assert made.in_flight(0.5) == pytest.approx(6, abs=1)


def test_without_durations_the_rate_decides_and_concurrency_is_not_known() -> None:
    rows = [request(n, None) for n in range(120)] + [request(60 + n * 0.1, None, path="/b") for n in range(100)]
    made = workload.from_requests(rows, window=timedelta(seconds=20))
    assert made.window.chosen_by == "rate"
    assert made.in_flight(0.99) is None
    assert made.rate > 5


def test_only_allowed_methods_are_sent_and_the_rest_is_counted() -> None:
    rows = [request(n, path="/x", method="POST" if n % 4 == 0 else "GET") for n in range(40)]
    rows.append(request(40, path="/a b"))
    made = workload.from_requests(rows)
    assert made.coverage == pytest.approx(30 / 41)
    assert made.left_out == {"POST is not allowed": 10, "no path that can be sent": 1}
    with pytest.raises(NothingToReplay, match="POST is not allowed"):
        workload.from_requests(rows[::4][:3])
    with pytest.raises(NothingToReplay):
        workload.from_requests([])


def test_whole_seconds_are_spread_in_order_and_by_seed() -> None:
    rows = [request(n // 10, None, path=f"/{'abcdefghij'[n % 10]}", coarse=True) for n in range(100)]
    made = workload.from_requests(rows, seed=1)
    assert [made.operations[pick].path for pick in made.picks[:10]] == [f"/{letter}" for letter in "abcdefghij"]
    assert len(set(made.offsets)) == 100
    assert made == workload.from_requests(rows, seed=1)
    assert made.offsets != workload.from_requests(rows, seed=2).offsets


@given(st.floats(0.1, 3), st.integers(0, 5))
def test_scaling_keeps_order_and_extent(factor: float, seed: int) -> None:
    made = plan(["/a", "/b"], 50, 10).scaled(factor, seed)
    assert made.offsets == sorted(made.offsets)
    assert all(0 <= offset < 10 for offset in made.offsets)
    assert len(made.offsets) == pytest.approx(500 * factor, abs=5 * 500**0.5)


def test_a_slice_is_the_busiest_part() -> None:
    rows = [request(n * 0.5) for n in range(200)] + [request(50 + n * 0.02, path="/burst") for n in range(100)]
    made = workload.from_requests(rows).slice(4)
    assert made.seconds == 4
    assert sum(made.operations[pick].path == "/burst" for pick in made.picks) == 100
    assert made.slice(99) is made


def test_looping_counts() -> None:
    made = plan(["/a", "/b"], 10, 2)
    assert [made.expected(seconds) for seconds in (0, 1, 2, 5)] == [0, 10, 20, 50]
    assert made.mix(3) == {"GET /a": 0.5, "GET /b": 0.5}
    assert made.limited(5).rate < 10 == made.rate


def test_in_flight_is_littles_law() -> None:
    rows = log(3, 120, 40)
    made = workload.from_requests(rows)
    mean = sum(made.durations) / made.seconds
    levels = [made.in_flight(q / 100) or 0 for q in range(5, 101, 5)]
    assert sum(levels) / 20 == pytest.approx(mean, rel=0.15, abs=0.6)


def test_it_goes_through_json() -> None:
    made = workload.from_requests(log(3, 20, 10))
    assert msgspec.json.decode(msgspec.json.encode(made), type=workload.Workload) == made
