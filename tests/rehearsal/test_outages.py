import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fulldress.rehearsal.outages import Call, outages, total

START = datetime(2026, 11, 29, 1, tzinfo=UTC)


def calls(pattern: str) -> list[Call]:
    """One call every 100 ms: ``+`` answered, ``-`` failed, ``s`` answered after two seconds."""
    return [
        Call(START + timedelta(milliseconds=100 * i), c != "-", timedelta(seconds=2 if c == "s" else 0.01))
        for i, c in enumerate(pattern)
    ]


def seconds(pattern: str) -> list[tuple[float, float]]:
    return [((a - START).total_seconds(), (b - START).total_seconds()) for a, b in outages(calls(pattern))]


def test_an_outage_lasts_from_the_first_bad_call_to_the_next_good_one() -> None:
    assert seconds("++---++") == [(0.2, 0.5)]


def test_a_single_failure_is_an_error_not_an_outage() -> None:
    assert seconds("++-+-++") == []


def test_a_call_that_waits_longer_than_patience_counts_as_bad() -> None:
    assert seconds("+sss+") == [(0.1, 0.4)]


def test_an_outage_that_does_not_end_is_counted_to_the_last_call() -> None:
    assert seconds("+---") == [(0.1, 0.3)]


@given(st.text(alphabet="+-s", max_size=60))
def test_intervals_are_in_order_and_never_overlap(pattern: str) -> None:
    found = outages(calls(pattern))
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(found))
    assert timedelta() <= total(found) <= timedelta(milliseconds=100 * len(pattern))
