"""Schedules written as cron-like fields, in the dialects that are no crontab: with seconds, years, ``?``, ``L``, ``W``, ``#``.

The dialects differ in what they count and in how the two fields for days are joined; each difference has its source at
:data:`DIALECTS`. A crontab proper is read by :mod:`.cron`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

#: Days that are looked through for the next run; eight years hold a 29th of February also around a year like 2100.
HORIZON = 366 * 8 + 2
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SHORT = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class FieldsError(ValueError):
    """An expression that its dialect refuses; the message says which part."""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How one scheduler reads its fields."""

    name: str
    lengths: tuple[int, ...]  #: numbers of fields that it takes
    seconds: tuple[int, ...] = ()  #: those numbers of fields that begin with seconds
    year: tuple[int, ...] = ()  #: those that end with a year
    sunday: int = 0  #: the number of Sunday; 7 is Sunday, too, where this is 0; 6 where Monday is 0
    either: bool = True  #: a day that fits one of two restricted day fields will do; else it has to fit both
    question: bool = False  #: one of the two day fields has to be ``?``
    extras: bool = False  #: L, W and #
    gap: str = ""  #: what it does with a time that the zone skips
    fold: str = ""  #: what it does with a time that comes twice
    skips: bool = True  #: False: a skipped run is made up when the gap ends
    doubles: bool = False  #: a fixed time that comes twice runs twice


_ROBFIG = {
    "gap": "is not run that day",
    "fold": "runs twice",
    "doubles": True,
}  # github.com/robfig/cron v3, package documentation ("leap-ahead transitions will not be run") and spec_test.go
DIALECTS = {
    dialect.name: dialect
    for dialect in (
        # https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ : five fields, read by robfig/cron
        Dialect(name="kubernetes", lengths=(5,), question=False, **_ROBFIG),  # type: ignore[arg-type]
        Dialect(name="robfig", lengths=(5, 6), seconds=(6,), **_ROBFIG),  # type: ignore[arg-type]
        # org.quartz.CronExpression: Sunday is 1; CronTrigger's documentation: a change of the clock may skip or repeat a run
        Dialect(
            name="quartz", lengths=(6, 7), seconds=(6, 7), year=(7,), sunday=1, question=True, extras=True,
            gap="may be skipped", fold="may run twice",
        ),
        # org.springframework.scheduling.support.CronExpression: both day fields have to fit; 0 and 7 are Sunday
        Dialect(name="spring", lengths=(6,), seconds=(6,), either=False, extras=True, gap="is not run at its hour", fold="runs once"),
        # EventBridge: six fields with a year, no seconds, Sunday is 1, UTC unless a scheduler's zone is given
        Dialect(name="eventbridge", lengths=(6,), year=(6,), sunday=1, question=True, extras=True, gap="runs after the gap", fold="runs once", skips=False),
        # npm node-cron: seconds may stand first; every field has to fit
        Dialect(name="node-cron", lengths=(5, 6), seconds=(6,), either=False),
        # npm cron, node-schedule, bull (cron-parser): seconds may stand first; one of two day fields will do
        Dialect(name="node", lengths=(5, 6), seconds=(6,)),
        # celery.schedules.crontab.is_due: the day has to fit all of them
        Dialect(name="celery", lengths=(5,), either=False),
        # APScheduler CronTrigger: weekdays count from 0 = Monday, and every field has to fit
        Dialect(name="apscheduler", lengths=(5, 6), seconds=(6,), sunday=6, either=False),
        # hashicorp/cronexpr (Nomad): up to seven fields; one of the day fields will do
        Dialect(name="nomad", lengths=(5, 6, 7), seconds=(7,), year=(6, 7), extras=True),
        Dialect(name="unix", lengths=(5,)),
        # the calendars of Oracle and of SQL Server's agent, as calendaring.py and agent.py write them: every clause has to fit
        Dialect(name="oracle", lengths=(6,), seconds=(6,), either=False, extras=True),
        # pg_cron's crontab is vixie cron's with $ for the last of the month; its zone is cron.timezone, GMT unless set
        Dialect(name="pg_cron", lengths=(5,), extras=True),
    )
}  # fmt: skip


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed expression: the values of every field; for days those that depend on the month as functions of it."""

    dialect: Dialect
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  #: 0 = Sunday
    years: frozenset[int]  #: empty: any
    any_day: bool
    any_weekday: bool
    last: tuple[int, ...] = ()  #: L, L-3: days before the last of the month
    workday: tuple[int, ...] = ()  #: 15W; 0 is LW
    nth: tuple[tuple[int, int], ...] = ()  #: (weekday, which); which 0 is the last

    def fits(self, day: date) -> bool:
        """Whether the job runs on this day at all."""
        if day.month not in self.months or (self.years and day.year not in self.years):
            return False
        length = monthrange(day.year, day.month)[1]
        weekday = day.isoweekday() % 7
        by_day = (
            day.day in self.days
            or any(day.day == length - before for before in self.last)
            or any(day.day == _nearest(day.year, day.month, wanted) for wanted in self.workday)
        )
        by_weekday = weekday in self.weekdays or any(
            weekday == wanted and (day.day + 7 > length if which == 0 else (day.day - 1) // 7 + 1 == which)
            for wanted, which in self.nth
        )
        if self.any_day and self.any_weekday:
            return True
        if self.any_day:
            return by_weekday
        if self.any_weekday:
            return by_day
        return (by_day or by_weekday) if self.dialect.either else (by_day and by_weekday)

    def local(self, start: datetime, days: int = HORIZON) -> Iterator[datetime]:
        """Local times (naive) of at least ``start``, by the calendar alone, of that many days."""
        for offset in range(days):
            try:
                day = start.date() + timedelta(days=offset)
            except OverflowError:
                return
            if not self.fits(day):
                continue
            for hour in self.hours:
                if offset == 0 and hour < start.hour:
                    continue
                for minute in self.minutes:
                    for second in self.seconds:
                        found = datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001 - local
                        if found >= start:
                            yield found

    def after(self, start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Instants (UTC) after ``start``, strictly increasing."""
        last = start.astimezone(UTC)
        frequent = len(self.hours) == 24
        pending: list[datetime] = []  # second passes of an hour that comes twice
        begin = start.astimezone(zone).replace(tzinfo=None, microsecond=0) - timedelta(hours=2)
        for local in self.local(begin):
            first = local.replace(tzinfo=zone).astimezone(UTC)
            while pending and pending[0] <= first:
                if (again := pending.pop(0)) > last:
                    last = again
                    yield again
            skipped = first.astimezone(zone).replace(tzinfo=None) != local
            if skipped and (self.dialect.skips or frequent):
                continue
            second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
            if second > first and (frequent or self.dialect.doubles):
                pending.append(second)
            if first > last:
                last = first
                yield first
        yield from (again for again in pending if again > last)


def _nearest(year: int, month: int, wanted: int) -> int:
    """The weekday nearest to a day of the month, within the month; ``wanted`` 0 is the last one."""
    length = monthrange(year, month)[1]
    day = min(wanted or length, length)
    weekday = date(year, month, day).isoweekday()
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 7:
        return day + 1 if day < length and wanted else day - 2
    return day


def parse(text: str, dialect: str) -> Fields:
    """Raises :class:`FieldsError` for what the dialect would refuse."""
    rules = DIALECTS[dialect]
    words = text.split()
    if len(words) == 1 and words[0].lower() in _SHORT:
        words = _SHORT[words[0].lower()].split()
        if rules.question:
            words = ["?" if index == 4 else word for index, word in enumerate(words)]
        if 5 not in rules.lengths:
            words = ["0", *words]
    elif len(words) not in rules.lengths:
        wanted = " or ".join(str(length) for length in rules.lengths)
        raise FieldsError(f"{len(words)} fields where {wanted} are read")
    count = len(words)
    second = words.pop(0) if count in rules.seconds else "0"
    year = words.pop() if count in rules.year else "*"
    minute, hour, day, month, weekday = words
    day = day.replace("$", "L") if dialect == "pg_cron" else day
    if rules.question and (day == "?") == (weekday == "?"):
        raise FieldsError("either the day of the month or the day of the week has to be ?")
    days, last, workday, _ = _days(day, 1, 31, (), rules)
    weekdays, ends, _, nth = _days(weekday, 0, 8, _DAYS, rules)
    nth = (*nth, *((_sunday_first(end, rules), 0) for end in ends))
    found = Fields(
        dialect=rules,
        seconds=tuple(sorted(_values(second, 0, 59, ()))),
        minutes=tuple(sorted(_values(minute, 0, 59, ()))),
        hours=tuple(sorted(_values(hour, 0, 23, ()))),
        days=frozenset(days),
        months=frozenset(_values(month, 1, 12, _MONTHS)),
        weekdays=frozenset(weekdays),
        years=frozenset() if year == "*" else frozenset(_values(year, 1970, 2199, ())),
        any_day=day in ("*", "?"),
        any_weekday=weekday in ("*", "?"),
        last=tuple(last),
        workday=tuple(workday),
        nth=nth,
    )
    if not found.any_day and not (found.days or found.last or found.workday):
        raise FieldsError(f'"{day}" is no day')
    return found


def _sunday_first(number: int, rules: Dialect) -> int:
    """A weekday of the dialect as one that counts from 0 = Sunday."""
    return (number - rules.sunday) % 7


def _days(
    text: str, low: int, high: int, names: tuple[str, ...], rules: Dialect
) -> tuple[set[int], list[int], list[int], tuple[tuple[int, int], ...]]:
    """Values, ends of the month, nearest workdays, and n-th weekdays of a field of days."""
    plain: list[str] = []
    last: list[int] = []
    workday: list[int] = []
    nth: list[tuple[int, int]] = []
    for item in text.upper().split(","):
        if rules.extras and not names and (match := re.fullmatch(r"L(?:-(\d{1,2}))?", item)):
            last.append(int(match[1] or 0))
        elif rules.extras and not names and (match := re.fullmatch(r"(\d{1,2}|L)W", item)):
            workday.append(0 if match[1] == "L" else int(match[1]))
        elif rules.extras and names and (match := re.fullmatch(r"(\d|[A-Z]{3})L", item)):
            last.append(_number(match[1], names, rules))
        elif rules.extras and names and item == "L":
            plain.append("SAT")
        elif rules.extras and names and (match := re.fullmatch(r"(\d|[A-Z]{3})#([1-5])", item)):
            nth.append((_sunday_first(_number(match[1], names, rules), rules), int(match[2])))
        else:
            plain.append("*" if item == "?" else item)
    if not plain:
        return set(), last, workday, tuple(nth)
    if not names:
        return _values(",".join(plain), low, high, ()), last, workday, tuple(nth)
    return _weekdays(plain, rules), last, workday, tuple(nth)


def _number(text: str, names: tuple[str, ...], rules: Dialect) -> int:
    """A weekday as the dialect counts it."""
    if text.isdecimal() and len(text) < 5:
        top = 7 if rules.sunday in (0, 1) else 6
        if not (1 if rules.sunday == 1 else 0) <= int(text) <= top:
            raise FieldsError(f'"{text}" is no weekday')
        return int(text)
    if text.lower()[:3] not in names or not 3 <= len(text) <= 9:
        raise FieldsError(f'"{text}" is no weekday')
    return (names.index(text.lower()[:3]) + rules.sunday) % 7 or (7 if rules.sunday == 1 else 0)


def _weekdays(items: list[str], rules: Dialect) -> set[int]:
    found: set[int] = set()
    for item in items:
        match = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", item)
        if not match or (match[1] == "*" and match[2]):
            raise FieldsError(f'"{item}" is no weekday')
        step = int(match[3] or 1)
        if not step:
            raise FieldsError(f'"{item}" repeats after 0')
        if match[1] == "*":
            start, length = (1 if rules.sunday == 1 else 0), 6
        else:
            start = _number(match[1], _DAYS, rules)
            if match[2]:
                length = (_number(match[2], _DAYS, rules) - start) % 7  # fri-mon goes over the end of the week
                if not length and match[1] != match[2]:
                    length = 7  # 0-7
            else:
                length = ((7 if rules.sunday == 1 else 6) - start) if match[3] else 0
        found.update(_sunday_first(start + ahead, rules) for ahead in range(0, length + 1, step))
    return found


def _values(text: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    found: set[int] = set()
    for item in text.split(","):
        match = re.fullmatch(r"(\*|\?|\w+)(?:-(\w+))?(?:/(\d{1,4}))?", item)
        if not match:
            raise FieldsError(f'"{item[:40]}" is not understood')
        step = int(match[3] or 1)
        if not step:
            raise FieldsError(f'"{item}" repeats after 0')
        if match[1] in ("*", "?"):
            start, stop = low, high
        else:
            start = _value(match[1], low, names)
            stop = _value(match[2], low, names) if match[2] else (high if match[3] else start)
        if not (low <= start <= high and low <= stop <= high):
            raise FieldsError(f'"{item}" is out of range')
        if start <= stop:
            found.update(range(start, stop + 1, step))
        else:  # 22-2 goes over the end of the field
            size = high - low + 1
            found.update((value - low) % size + low for value in range(start, stop + size + 1, step))
    return found


def _value(text: str, low: int, names: tuple[str, ...]) -> int:
    if text.isdecimal() and len(text) <= 4:
        return int(text)
    if text.lower()[:3] in names:
        return names.index(text.lower()[:3]) + low
    raise FieldsError(f'"{text[:20]}" is no number')


def next_runs(fields: Fields, start: datetime, zone: ZoneInfo, count: int = 3) -> tuple[datetime, ...]:
    """The next instants (UTC) after ``start``."""
    return tuple(islice(fields.after(start, zone), count))
