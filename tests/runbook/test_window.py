"""The window and everything that is written from the same instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from fulldress.errors import UsageError
from fulldress.facts import Evidence, Forecast, Size, Timing, Witness
from fulldress.runbook import calendar, negotiation, notices, window
from fulldress.runbook.steps import Header

HEADER = Header(product="app", version="2.0", package="ab" * 32, package_name="app.zip", from_version="1.9")
START = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def timing(act: str, run: int, seconds: float, step: str = "", outcome: str = "ok") -> Timing:
    return Timing(
        witness=Witness.OBSERVED,
        evidence=Evidence(),
        act=act,
        run=run,
        step=step,
        started=START,
        duration=timedelta(seconds=seconds),
        outcome=outcome,
    )


THREE = [
    *(timing("upgrade", n, s) for n, s in ((1, 232), (2, 250), (3, 238))),
    *(timing("verify", n, s) for n, s in ((1, 12), (2, 11), (3, 12))),
    *(timing("rollback", n, s) for n, s in ((1, 91), (2, 88), (3, 90))),
    *(timing("upgrade", n, s, "0004") for n, s in ((1, 97.3), (2, 99.0), (3, 96.1))),
]


def test_the_sum_and_the_instants() -> None:
    found = window.size(THREE, starts=START, vendor=5 * MINUTE, zone="Europe/Berlin")
    assert (found.forward, found.verify, found.rollback) == tuple(timedelta(seconds=s) for s in (250, 12, 91))
    assert found.total == 21 * MINUTE
    assert found.end == START + 21 * MINUTE
    assert found.latest_abort == START + 19 * MINUTE  # 21:00 less 1:31, on the minute before
    assert found.decide_by == START + 14 * MINUTE
    assert found.confidence == pytest.approx(1 - 0.95**3)
    assert found.shrink[0].startswith("the buffer")
    assert any("0004: 1m39, 40% of the way forward" in text for text in found.shrink)
    said = "\n".join(window.words(found))
    assert "= 21 min" in said
    assert "the vendor says 5." in said
    assert "02:00+01:00 to 02:21+01:00" in said


def forecast(high: float | None, rows: int, *measured: float, migration: str = "") -> Forecast:
    band = timedelta(seconds=high) if high is not None else None
    return Forecast(
        witness=Witness.OBSERVED,
        evidence=Evidence(),
        migration=migration,
        rows=rows,
        low=timedelta(0) if band is not None else None,
        expected=band,
        high=band,
        level=0.9 if band is not None else 0.0,
        samples=tuple(Size(rows=1000, seconds=seconds) for seconds in measured),
        basis="3 runs at 100%",
    )


def test_production_that_is_larger_makes_the_window_longer_by_the_upper_end_of_the_band() -> None:
    plain = window.size(THREE, vendor=5 * MINUTE)
    found = window.size(THREE, forecasts=[forecast(697.0, 50_000, 95.0, 97.0), forecast(5.0, 9, 1.0, migration="a")])
    assert found.growth == timedelta(seconds=600) and found.forward == plain.forward + found.growth
    assert found.total == plain.total + 10 * MINUTE
    assert "10m00 of it for production's size" in window.words(found)[0]
    same = window.size(THREE, forecasts=[forecast(697.0, 1000, 95.0)])
    assert same.growth == timedelta(0) and same.total == plain.total
    unknown = window.size(THREE, forecasts=[forecast(None, 50_000, 95.0)])
    assert "at production's size is not known" in unknown.warnings[0]


def test_what_was_not_measured_makes_the_window_unknown() -> None:
    found = window.size([t for t in THREE if t.act != "rollback"], negotiated=60 * MINUTE)
    assert (found.known, found.fits, found.missing) == (False, None, ("rollback",))
    assert window.words(found)[0] == "not known: rollback not measured by any rehearsal"
    assert "not known" in negotiation.sheet(HEADER, found)


def test_a_run_that_failed_is_not_in_the_maximum() -> None:
    found = window.size([*THREE, timing("upgrade", 4, 2, outcome="failed")])
    assert (found.runs, found.failed) == (3, 1)


def test_steps_stand_in_for_a_whole_run() -> None:
    found = window.size([timing("upgrade", 1, 60, "a"), timing("upgrade", 1, 30, "b"), timing("rollback", 1, 1)])
    assert found.forward == timedelta(seconds=90)


def test_too_short_a_window_is_told() -> None:
    found = window.size(THREE, negotiated=5 * MINUTE, starts=START)
    assert found.fits is False
    assert any("21 min are needed and 5 were negotiated" in w for w in found.warnings)
    assert any("before a forward run as long as the longest" in w for w in found.warnings)


@pytest.mark.parametrize(
    ("start", "zone", "words"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Europe/Berlin", "go back by 60 min"),
        (datetime(2026, 3, 29, 0, 50, tzinfo=UTC), "Europe/Berlin", "go forward by 60 min"),
        (datetime(2026, 11, 1, 5, 55, tzinfo=UTC), "America/New_York", "go back by 60 min"),
        (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "Europe/Berlin", "comes twice"),
        (datetime(2026, 4, 4, 14, 50, tzinfo=UTC), "Australia/Lord_Howe", "go back by 30 min"),
    ],
)
def test_clock_changes(start: datetime, zone: str, words: str) -> None:
    found = window.size(THREE, starts=start, negotiated=60 * MINUTE, zone=zone)
    assert any(words in warning for warning in found.warnings), found.warnings


def test_no_clock_change_no_warning() -> None:
    assert window.size(THREE, starts=START, negotiated=60 * MINUTE, zone="Europe/Berlin").warnings == ()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=8), st.lists(st.floats(0, 1e5), min_size=1, max_size=8))
def test_the_way_back_always_fits_behind_the_latest_abort(forward: list[float], back: list[float]) -> None:
    facts = [timing("upgrade", n, s) for n, s in enumerate(forward)] + [
        timing("rollback", n, s) for n, s in enumerate(back)
    ]
    found = window.size(facts, starts=START)
    assert found.end is not None and found.latest_abort is not None and found.decide_by is not None
    assert found.latest_abort + found.rollback <= found.end
    assert found.decide_by + found.decision <= found.end - found.rollback
    assert found.total >= max(found.forward, found.rollback)


def test_an_unknown_zone_is_one_line() -> None:
    with pytest.raises(UsageError, match="no time zone"):
        window.size(THREE, starts=START, zone="Europe/Nowhere")


def test_texts_say_the_same_instants() -> None:
    found = window.size(THREE, starts=START, zone="Europe/Berlin")
    texts = notices.texts(HEADER, found, affected=("app-core",), contact="desk")
    assert set(texts) == {"notice", "scheduled", "in-progress", "verifying", "completed", "overrun", "rolled-back"}
    for state in ("notice", "scheduled"):
        assert "2026-11-28 02:00+01:00" in texts[state]
        assert "01:00 to 01:21 UTC" in texts[state]
    assert "from app 1.9" in texts["notice"] or "from 1.9" in texts["notice"]
    assert "NEW END" in texts["overrun"]
    assert "____" in notices.texts(HEADER, window.size(THREE))["scheduled"]


def test_calendar_is_utc_with_a_stable_uid_and_a_growing_sequence() -> None:
    night = datetime(2026, 11, 1, 5, 11, tzinfo=UTC)  # 01:11 in New York, for the first of two times
    first = calendar.entry(HEADER, window.size(THREE, starts=night, zone="America/New_York"))
    event = Calendar.from_ical(first).walk("VEVENT")[0]
    assert event["dtstart"].dt == night
    assert event["dtend"].dt == night + 21 * MINUTE
    assert b"TZID" not in first
    again = calendar.entry(HEADER, window.size(THREE, starts=night, zone="America/New_York"), previous=first)
    moved = calendar.entry(HEADER, window.size(THREE, starts=night + MINUTE, zone="America/New_York"), previous=again)
    gone = calendar.entry(HEADER, window.size(THREE, starts=night + MINUTE), previous=moved, cancelled=True)
    events = [Calendar.from_ical(data).walk("VEVENT")[0] for data in (first, again, moved, gone)]
    assert [int(e["sequence"]) for e in events] == [0, 0, 1, 2]
    assert len({str(e["uid"]) for e in events}) == 1
    assert b"METHOD:CANCEL" in gone
    with pytest.raises(UsageError, match="no start"):
        calendar.entry(HEADER, window.size(THREE))
    with pytest.raises(UsageError, match="cannot be read"):
        calendar.entry(HEADER, window.size(THREE, starts=night), previous=b"nonsense")


def test_sheet() -> None:
    found = window.size(THREE, starts=START, vendor=5 * MINUTE, negotiated=60 * MINUTE, zone="Europe/Berlin")
    text = negotiation.sheet(HEADER, found, overage="every minute counts", contact="desk")
    assert "Needed: **21 minutes**.  The vendor says 5m00, which is 4.2 times less." in text
    assert "negotiated 60 min: long enough" in text
    assert "14% confidence" in text
    assert "every minute counts" in text
