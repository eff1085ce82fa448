"""MySQL's and MariaDB's events: ``EVERY 1 DAY STARTS '2026-01-01 03:00:00'`` as instants.

Written from the manual's chapter "CREATE EVENT Statement". Steps of days and more are counted on the local clock, as the
event scheduler does it; the zone is that of the session that makes the event, taken for production's.
"""

from __future__ import annotations

import contextlib
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from zoneinfo import ZoneInfo

import msgspec

from fulldress.patterns import regex

_UNITS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 604800}
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_EVERY = regex(r"(?is)EVERY\s+'?(\d{1,6})'?\s+(\w+)(?:\s+STARTS\s+(.*?))?(?:\s+ENDS\s+(.*))?\s*|AT\s+(?P<at>.*?)\s*")
_LITERAL = regex(r"(?i)(?:TIMESTAMP\s*|DATE\s*)?'(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?)?'")
_DAY = r"(?:CURRENT_DATE(?:\(\))?|CURDATE\(\)|DATE\(\s*(?:NOW\(\)|CURRENT_TIMESTAMP(?:\(\))?)\s*\))"
_TODAY = regex(rf"(?i){_DAY}")
_JOINED = regex(rf"(?i)(?:TIMESTAMP|CONCAT)\(\s*{_DAY}\s*,\s*'\s*(\d\d:\d\d(?::\d\d)?)'\s*\)")
_PLUS = regex(r"(?i)\s*\+\s*INTERVAL\s+'?(\d{1,6})'?\s+(\w+)")
_ADDED = regex(r"(?is)(?:DATE_ADD|ADDDATE)\(\s*(.+?)\s*,\s*INTERVAL\s+'?(\d{1,6})'?\s+(\w+)\s*\)")


class Hours(msgspec.Struct, frozen=True):
    runs: tuple[datetime, ...]
    remark: str = ""  #: why there are none, or what they rest on


def hours(schedule: str, at: datetime, zone: ZoneInfo, number: int = 3) -> Hours:
    """The next instants (UTC) after ``at`` of what stands behind ``ON SCHEDULE``."""
    match = _EVERY.fullmatch(schedule.strip())
    if not match:
        return Hours(())
    today = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    written = match["at"] or match[3] or ""
    start, floating = _moment(written, today)
    if start is None:
        return Hours((), "begins at the moment when it is made" if not match["at"] else "")
    remark = "counted as if it were made today" if floating else ""
    if match["at"]:
        moment = start.replace(tzinfo=zone)
        return Hours((moment.astimezone(UTC),) if moment > at else (), remark)
    end, _ = _moment(match[4], today) if match[4] else (None, False)
    runs: list[datetime] = []
    with contextlib.suppress(OverflowError, ValueError):  # beyond the years that are counted; those before stand
        steps = (s for s in _steps(start, int(match[1]), match[2].upper(), zone, at) if s > at)
        runs.extend(islice(steps, number))
    return Hours(tuple(r for r in runs if end is None or r <= end.replace(tzinfo=zone)), remark)


def _moment(text: str, today: datetime) -> tuple[datetime | None, bool]:
    """A local time, and whether it hangs on the day on which the event is made; None for what is computed otherwise."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    if added := _ADDED.fullmatch(text):
        text = f"{added[1]} + INTERVAL {added[2]} {added[3]}"
    floating = False
    if match := _LITERAL.match(text):
        try:
            found = datetime.fromisoformat(f"{match[1]} {match[2] or '00:00:00'}")
        except ValueError:
            return None, False
    elif match := _JOINED.match(text):
        clock = [int(part) for part in match[1].split(":")]
        if clock[0] > 23 or max(clock) > 59:
            return None, False
        found, floating = today + timedelta(hours=clock[0], minutes=clock[1]), True
    elif match := _TODAY.match(text):
        found, floating = today, True
    else:
        return None, False
    end = match.end()
    try:
        while plus := _PLUS.match(text, end):
            more = _added(found, int(plus[1]), plus[2].upper())
            if more is None:
                return None, False
            found, end = more, plus.end()
    except (OverflowError, ValueError):
        return None, False
    return (found, floating) if not text[end:].strip() else (None, False)


def _added(moment: datetime, amount: int, unit: str) -> datetime | None:
    if unit in _UNITS:
        return moment + timedelta(seconds=amount * _UNITS[unit])
    if unit in _MONTHS:
        months = moment.month - 1 + amount * _MONTHS[unit]
        year, month = moment.year + months // 12, months % 12 + 1
        return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))
    return None


def _steps(start: datetime, amount: int, unit: str, zone: ZoneInfo, at: datetime) -> Iterator[datetime]:
    """Runs from shortly before ``at`` on."""
    if not amount or (unit not in _UNITS and unit not in _MONTHS):
        return
    if unit in ("SECOND", "MINUTE", "HOUR"):
        begin, size = start.replace(tzinfo=zone).astimezone(UTC), timedelta(seconds=amount * _UNITS[unit])
        first = max((at - begin) // size, 0)
        yield from (begin + number * size for number in count(first))
        return
    local = at.astimezone(zone).replace(tzinfo=None)
    days = max((local - start).days, 0)
    length = _UNITS.get(unit, 0) // 86400 or _MONTHS.get(unit, 0) * 31
    for number in count(max(days // (amount * length) - 1, 0)):
        found = _added(start, number * amount, unit)
        if found is None:
            return
        yield found.replace(tzinfo=zone).astimezone(UTC)
