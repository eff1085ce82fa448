"""Schedules: the case folders, the calendar grammar against the service manager's own, and clock changes."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casefolders import check, folders
from fulldress.facts import Schedule, Unread
from fulldress.package import schedules
from fulldress.package.schedules import agent, calendar, calendaring, cron, events, fields, lines, tally
from openfolder import open_folder

CASES = Path(__file__).parent / "cases" / "schedules"
BERLIN = ZoneInfo("Europe/Berlin")
ORACLE = shutil.which("systemd-analyze")


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    check(case, schedules.read(open_folder(case)))


REAL = [
    "*:00/10",
    "07..23:30",
    "Sun *-*-* 03:10:00",
    "1:05:00",
    "*-*-* 6,18:00",
    "Mon-Wed *-*-* 3:00",
    "Mon,Wed..Fri 2027-*-1,5..9 11:12:13",
    "*-02~03",
    "Mon *-05~07/1",
    "05-08",
    "12-05-08",
    "3/2:0",
    "18:15:30.25",
    "2027-1..6/2-1",
    "*-*~1..3",
    "tuesday",
    "08:05:40 UTC",
    "*-*-31",
    "*:*:0/20",
    "*-*-* 02:30:00 Europe/Berlin",
    "*-*-* *:15 Europe/Berlin",
    "weekly",
    "quarterly",
    "semiannually",
    "anually",
    "@4000000000",
    "*-2-29",
    "Sat,Sun 12-*-* 00:00",
    "*-*-* 0..23/3:07:01,31",
    "Mon..Mon *-*-* 00:00",
    "*-02-31",
    "5..5:00",
    "10..12/5:00",
    "*-*~7/6",
    "*-*~12..30/5",
    "*-*-* 0..24/5:00",
    "*-*~1,25",
    "mon-wed,sun *-*~2",
]
REFUSED = [
    "*-*~29",
    "*-*~7/7",
    "*-*-31/1",
    "*/10",
    "24:00",
    "10:60",
    "now",
    "Sun..Tue",
    "*:59..10",
    "Mon..Wed 5",
    "~3",
    "10..5:00",
    "*-7-4,11-*",
    "*-*-* 0",
    "*-*~1,26",
    "*-*~1,2,23",
    "*-*-* 0..25/5:00",
]


def oracle(expression: str, start: datetime, count: int) -> list[datetime] | None:
    """What systemd says: instants, or None where it refuses the expression."""
    argv = [ORACLE or "", "calendar", f"--iterations={count}", f"--base-time={start:%Y-%m-%d %H:%M:%S} UTC", expression]
    done = subprocess.run(argv, capture_output=True, text=True, env={"TZ": "UTC", "LC_ALL": "C"}, check=False)
    if done.returncode and "Failed to parse" in done.stderr:
        return None
    local = re.findall(r"(?:elapse|Iter\. #\d+|\(in UTC\)): \w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", done.stdout)
    return [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in local]


@pytest.mark.skipif(not ORACLE, reason="systemd-analyze is not on this machine")
@pytest.mark.parametrize("expression", REAL + REFUSED)
def test_calendar_agrees_with_systemd(expression: str) -> None:
    start = datetime(2026, 10, 24, 12, tzinfo=UTC)  # the zone's hour comes twice that night
    wanted = oracle(expression, start, 4)
    try:
        runs = calendar.parse(expression).after(start, ZoneInfo("UTC"))
    except calendar.CalendarError:
        assert wanted is None
        return
    assert wanted is not None
    assert [moment.replace(microsecond=0) for moment in islice(runs, 4)] == wanted


_number = st.integers(0, 23)
_hour = st.one_of(
    st.just("*"),
    _number.map(str),
    st.tuples(_number, _number).map(lambda t: f"{min(t)}..{max(t)}"),
    st.tuples(_number, st.integers(1, 9)).map(lambda t: f"{t[0]}/{t[1]}"),
)
_day = st.one_of(st.just("*"), st.integers(1, 31).map(str), st.sampled_from(["1,15", "1/7", "10..20/3"]))
_weekday = st.sampled_from(["", "Mon ", "Sat,Sun ", "Tue..Thu ", "mon..Wed,Saturday "])
_second = st.sampled_from(["00", "0/20", "15,45", "5..50/15", "30.25", "*"])
_place = st.sampled_from(["", " UTC", " Europe/Berlin", " America/New_York", " Asia/Kolkata"])


@pytest.mark.skipif(not ORACLE, reason="systemd-analyze is not on this machine")
@settings(max_examples=40, deadline=None)
@given(
    weekday=_weekday,
    month=st.sampled_from(["*", "2", "1/3"]),
    mark=st.sampled_from("-~"),
    day=_day,
    hour=_hour,
    second=_second,
    place=_place,
)
@example(weekday="", month="2", mark="~", day="10..20/3", hour="*", second="00", place="")
@example(weekday="", month="*", mark="-", day="*", hour="2", second="00", place=" America/New_York")
def test_calendar_agrees_with_systemd_on_drawn_expressions(
    weekday: str, month: str, mark: str, day: str, hour: str, second: str, place: str
) -> None:
    expression = f"{weekday}*-{month}{mark}{day} {hour}:30:{second}{place}"
    start = datetime(2027, 3, 3, 7, 15, tzinfo=UTC)
    wanted = oracle(expression, start, 3)
    try:
        runs = islice(calendar.parse(expression).after(start, ZoneInfo("UTC")), 3)
        found = [moment.replace(microsecond=0) for moment in runs]
    except calendar.CalendarError:
        found = None
    assert found == wanted


@given(st.text(alphabet="0123456789*-~:/.,@ MonTueSu", max_size=24))
def test_any_text_is_a_calendar_or_refused(text: str) -> None:
    try:
        runs = calendar.parse(text)
    except calendar.CalendarError:
        return
    start = datetime(2026, 11, 25, tzinfo=UTC)
    found = list(islice(runs.after(start, ZoneInfo("UTC")), 2))
    assert found == sorted(set(found))
    assert all(moment > start for moment in found)


def test_a_time_that_the_zone_skips_is_skipped_by_the_timer_and_made_up_by_cron() -> None:
    start = datetime(2027, 3, 27, 12, tzinfo=BERLIN)
    timer = next(calendar.parse("02:30").after(start, BERLIN))
    job = cron.next_runs("30 2 * * *", start, BERLIN, 1)[0]
    assert timer == datetime(2027, 3, 29, 2, 30, tzinfo=BERLIN)
    assert job == datetime(2027, 3, 28, 3, 0, tzinfo=BERLIN)


def test_a_time_that_comes_twice_runs_once() -> None:
    start = datetime(2026, 10, 24, 12, tzinfo=BERLIN)
    timer = list(islice(calendar.parse("02:30").after(start, BERLIN), 2))
    job = cron.next_runs("30 2 * * *", start, BERLIN, 2)
    assert timer[0] == job[0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert timer[1] == job[1] == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@given(st.text(max_size=60))
def test_any_text_is_a_crontab(text: str) -> None:
    for item in cron.parse(text, with_user=None):
        assert item.line >= 1
        if isinstance(item, cron.Job):
            assert item.command
            assert cron.check(item.expression) == ""


def test_more_jobs_than_any_host_has_are_not_listed_and_that_is_said(tmp_path: Path) -> None:
    rows = "".join(f"{number % 60} 3 * * * root /opt/app/bin/work-{number}\n" for number in range(6000))
    place = tmp_path / "etc" / "cron.d" / "app"
    place.parent.mkdir(parents=True)
    place.write_text(rows)
    found = list(schedules.read(open_folder(tmp_path)))
    jobs = [fact for fact in found if isinstance(fact, Schedule)]
    gaps = [fact for fact in found if isinstance(fact, Unread)]
    assert len(jobs) == tally.MAX_LISTED
    assert sum(bool(job.next_runs) for job in jobs) == tally.MAX_COUNTED
    assert [(gap.needed, gap.evidence.line) for gap in gaps] == [
        (False, tally.MAX_COUNTED + 1),
        (True, tally.MAX_LISTED + 1),
    ]


def test_the_line_of_a_place() -> None:
    text = "a\n\nbc\nd"
    assert [lines.number(text, at) for at in range(len(text))] == [
        text.count("\n", 0, at) + 1 for at in range(len(text))
    ]


_AT = datetime(2026, 11, 25, tzinfo=UTC)
_CLAUSE = st.sampled_from(["EVERY", "AT", "STARTS", "ENDS", "1", "'31'", "999999", "DAY", "HOUR", "QUARTER", "YEAR", "SECOND", "'2026-02-31'", "'9999-12-31", "23:59:59'", "'0001-01-01'", "CURRENT_DATE", "+", "INTERVAL", "(", ")"])  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(_CLAUSE, max_size=12).map(" ".join)))
@example("EVERY 1 DAY STARTS '9999-12-31'")
@example("EVERY 999999 YEAR STARTS '2026-01-01'")
@example("EVERY 1 SECOND STARTS '0001-01-01'")
def test_any_text_is_an_event_or_has_no_hours(text: str) -> None:
    found = events.hours(text, _AT, BERLIN).runs
    assert all(run > _AT for run in found)
    assert list(found) == sorted(found)


_RULE = st.sampled_from(["FREQ=DAILY", "FREQ=MONTHLY", "BYDAY=-1FRI", "BYDAY=MON,2TUE", "BYMONTHDAY=-1,31", "BYMONTHDAY=0", "BYHOUR=25", "BYHOUR=3", "BYMINUTE=5", "BYMONTH=FEB", "INTERVAL=2"])  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(_RULE, max_size=6).map(";".join)))
def test_any_text_is_a_calendar_of_oracle_or_not_counted(text: str) -> None:
    found = calendaring.counted(text, (1, 2, 3))
    if found.fields:
        with contextlib.suppress(fields.FieldsError):
            fields.next_runs(fields.parse(found.fields, "oracle"), _AT, BERLIN)
    else:
        assert found.why


@given(st.dictionaries(st.sampled_from(["freq_type", "freq_interval", "freq_subday_type", "freq_subday_interval", "freq_relative_interval", "freq_recurrence_factor", "active_start_time", "active_end_time"]), st.one_of(st.integers(-2, 64).map(str), st.sampled_from(["0x4", "x", "235959", "240000"]))))  # fmt: skip
def test_any_numbers_are_a_rhythm_of_the_agent(given_: dict[str, str]) -> None:
    found = agent.rhythm(given_)
    assert found.words
    if found.fields:
        fields.next_runs(fields.parse(found.fields, "oracle"), _AT, BERLIN)
