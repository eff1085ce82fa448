from hypothesis import given
from hypothesis import strategies as st

from fulldress.traffic.histogram import Histogram, bucket, middle

MICROSECONDS = st.integers(0, 10**10)


@given(MICROSECONDS)
def test_a_bucket_is_within_its_error(value: int) -> None:
    assert abs(middle(bucket(value)) - value) <= value / 256 + 0.5


@given(MICROSECONDS, MICROSECONDS)
def test_buckets_ascend(left: int, right: int) -> None:
    low, high = sorted((left, right))
    assert bucket(low) <= bucket(high)


@given(st.lists(st.floats(0, 1000)), st.lists(st.floats(0, 1000)))
def test_merging_and_cutting_are_exact(first: list[float], second: list[float]) -> None:
    whole = Histogram.of([*first, *second])
    assert Histogram.of(first) + Histogram.of(second) == whole
    assert whole - Histogram.of(first) == Histogram.of(second)


@given(st.lists(st.floats(0.001, 100), min_size=1), st.floats(0.01, 1))
def test_quantiles_are_nearest_ranks(values: list[float], q: float) -> None:
    exact = sorted(values)[max(1, -int(-len(values) * q // 1)) - 1]
    assert abs(Histogram.of(values).quantile(q) - exact) <= exact / 256 + 1e-6


def test_something_else_cannot_be_cut_out() -> None:
    try:
        Histogram.of([1.0]) - Histogram.of([2.0])
    except ValueError as error:
        assert "earlier state" in str(error)
    else:
        raise AssertionError("a foreign histogram was subtracted")
