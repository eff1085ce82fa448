"""Calendar events of systemd: the grammar of ``OnCalendar=`` and the instants it means.

Written from the manual page systemd.time(7); the tests compare it with ``systemd-analyze calendar``. A local time that
a zone skips is skipped here, too, as the service manager does; one that a zone has twice elapses once.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from fulldress.patterns import regex

SECOND = 1_000_000  #: seconds are counted in microseconds
LAST_YEAR = 2199

_SHORTHANDS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
    "semi-annually": "*-01,07-01 00:00:00",
    "biannually": "*-01,07-01 00:00:00",
    "bi-annually": "*-01,07-01 00:00:00",
    "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00",
    "anually": "*-01-01 00:00:00",
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = regex(r"[^:\s]+(?::[^:\s]+){1,2}")


class CalendarError(ValueError):
    """An expression that systemd would refuse; the message says which part."""


class Part(msgspec.Struct, frozen=True):
    """``start``, or ``start..stop``, every ``step``; ``stop`` None: up to the end of the field."""

    start: int
    stop: int | None
    step: int

    def at_or_after(self, value: int, high: int) -> int | None:
        """The least member of at least ``value`` and at most ``high``."""
        if value <= self.start:
            return self.start if self.start <= high else None
        if not self.step:
            return None
        found = self.start + -(-(value - self.start) // self.step) * self.step
        return found if found <= (high if self.stop is None else min(self.stop, high)) else None


Field = tuple[Part, ...]  #: empty: any value


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed expression. ``weekdays`` counts from 0 = Monday; ``seconds`` are in microseconds."""

    weekdays: frozenset[int] = frozenset(range(7))
    years: Field = ()
    months: Field = ()
    days: Field = ()
    from_end: bool = False  #: days are counted from the last of the month
    hours: Field = ()
    minutes: Field = ()
    seconds: Field = ()
    zone: str = ""  #: as written at the end of the expression

    def after(self, start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Instants (UTC) after ``start``, in order. ``zone`` counts where the expression names none."""
        place = ZoneInfo(self.zone) if self.zone else zone
        moment: datetime | None = start.astimezone(UTC)
        while moment is not None:
            moment = self._next(moment, place)
            if moment is not None:
                yield moment

    def first_between(self, low: datetime, high: datetime) -> datetime | None:
        """The first local time (naive) of at least ``low`` and before ``high`` that matches, by the calendar alone."""
        found = self._match(low)
        return found if found is not None and found < high else None

    def _next(self, start: datetime, zone: ZoneInfo) -> datetime | None:
        local = start.astimezone(zone).replace(tzinfo=None) + timedelta(microseconds=1)
        while (found := self._match(local)) is not None:
            moment = found.replace(tzinfo=zone).astimezone(UTC)
            back = moment.astimezone(zone).replace(tzinfo=None)
            if back != found:  # the zone skips this local time
                local = max(back, found + timedelta(microseconds=1))
                continue
            if moment <= start:  # the hour that comes twice: ``start`` is in its second pass
                moment = found.replace(tzinfo=zone, fold=1).astimezone(UTC)
            if moment > start:
                return moment
            local = found + timedelta(microseconds=1)
        return None

    def _match(self, time: datetime) -> datetime | None:
        """The first local time of at least ``time`` that matches."""
        while True:
            year = _least(self.years, time.year, LAST_YEAR)
            if year is None:
                return None
            if year != time.year:
                time = datetime(year, 1, 1)  # noqa: DTZ001 - local time, its zone is applied by the caller
            day = self._day(time)
            if day is None:
                if time.year >= LAST_YEAR:
                    return None
                time = datetime(time.year + 1, 1, 1)  # noqa: DTZ001
                continue
            if day.date() != time.date():
                time = day
            found = self._time(time)
            if found is not None:
                return found
            time = datetime(time.year, time.month, time.day) + timedelta(days=1)  # noqa: DTZ001
            if time.year > LAST_YEAR:
                return None

    def _day(self, time: datetime) -> datetime | None:
        """Midnight of the first matching day from ``time`` on in its year."""
        month, first = time.month, time.day
        while (found := _least(self.months, month, 12)) is not None:
            if found != month:
                month, first = found, 1
            length = monthrange(time.year, month)[1]
            days = tuple(_counted_back(part, length) for part in self.days) if self.from_end else self.days
            day = _least(days, first, length)
            while day is not None:
                candidate = datetime(time.year, month, day)  # noqa: DTZ001
                if candidate.weekday() in self.weekdays:
                    return candidate
                day = _least(days, day + 1, length)
            month, first = month + 1, 1
        return None

    def _time(self, time: datetime) -> datetime | None:
        """The first matching time of at least ``time`` on its day."""
        hour, minute, second = time.hour, time.minute, time.second * SECOND + time.microsecond
        while (found := _least(self.hours, hour, 23)) is not None:
            if found != hour:
                hour, minute, second = found, 0, 0
            while (turn := _least(self.minutes, minute, 59)) is not None:
                if turn != minute:
                    minute, second = turn, 0
                exact = _least(self.seconds, second, 60 * SECOND - 1)
                if exact is not None:
                    return time.replace(hour=hour, minute=minute, second=exact // SECOND, microsecond=exact % SECOND)
                minute, second = minute + 1, 0
            hour, minute, second = hour + 1, 0, 0
        return None


def _least(field: Field, value: int, high: int) -> int | None:
    if value > high:
        return None
    if not field:
        return value
    return min((v for part in field if (v := part.at_or_after(value, high)) is not None), default=None)


def _counted_back(part: Part, length: int) -> Part:
    """A day part counted from the end (``~1`` is the last day) as one counted from the first of a month."""
    start = length + 1 - part.start
    if part.stop is not None:
        stop = length + 1 - part.stop
        start, stop = (stop, start) if stop < start else (start, stop)
        return Part(start, stop, part.step)
    return Part(start, None, part.step)


def parse(text: str) -> Calendar:
    """Reads an expression of ``OnCalendar=``. Raises :class:`CalendarError` for one that systemd would refuse."""
    words = text.split()
    if not words:
        raise CalendarError("an empty expression")
    if len(words) == 1 and re.fullmatch(r"@\d+(\.\d+)?", words[0]):
        return _stamp(float(words[0][1:]))
    zone = ""
    if len(words) > 1 and re.fullmatch(r"[A-Za-z][A-Za-z0-9_+\-/]*", words[-1]) and _is_zone(words[-1]):
        zone = words.pop()
    if len(words) == 1 and words[0].lower() in _SHORTHANDS:
        words = _SHORTHANDS[words[0].lower()].split()
    weekdays: frozenset[int] = frozenset(range(7))
    if words[0][0].isalpha():
        weekdays = _weekdays(words.pop(0))
    date = words.pop(0) if words and not _TIME.fullmatch(words[0]) else ""
    time = words.pop(0) if words else "00:00:00"
    if words or not _TIME.fullmatch(time):
        raise CalendarError(f'"{" ".join(words) or time}" is neither a date nor a time')
    years, months, days, from_end = _date(date) if date else ((), (), (), False)
    pieces = time.split(":")
    return Calendar(
        weekdays=weekdays,
        years=years,
        months=months,
        days=days,
        from_end=from_end,
        hours=_field(pieces[0], 0, 23, "hour"),
        minutes=_field(pieces[1], 0, 59, "minute"),
        seconds=_seconds(pieces[2]) if len(pieces) == 3 else (Part(0, 0, 0),),
        zone=zone,
    )


def _stamp(seconds: float) -> Calendar:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise CalendarError(f"@{seconds:.0f} is out of range") from error
    values = (moment.year, moment.month, moment.day, moment.hour, moment.minute)
    y, m, d, hour, minute = ((Part(v, v, 0),) for v in values)
    exact = moment.second * SECOND
    return Calendar(years=y, months=m, days=d, hours=hour, minutes=minute, seconds=(Part(exact, exact, 0),), zone="UTC")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError of some and an OSError of other versions
        return False
    except KeyError:
        return False
    return True


def _weekdays(text: str) -> frozenset[int]:
    found: set[int] = set()
    for item in text.rstrip(",").split(","):
        ends = [_weekday(name) for name in re.split(r"\.\.|-", item)]
        if len(ends) > 2 or ends[0] > ends[-1]:
            raise CalendarError(f'"{item}" is no range of weekdays')
        found.update(range(ends[0], ends[-1] + 1))
    return frozenset(found)


def _weekday(name: str) -> int:
    for number, full in enumerate(_DAYS):
        if name.lower() in (full, full[:3]):
            return number
    raise CalendarError(f'"{name}" is no weekday')


def _date(text: str) -> tuple[Field, Field, Field, bool]:
    pieces = re.split(r"([-~])", text)
    marks, values = pieces[1::2], pieces[0::2]
    if len(values) == 2:
        values, marks = ["*", *values], ["-", *marks]
    if len(values) != 3 or marks[0] != "-":
        raise CalendarError(f'"{text}" is no date')
    years = _field(values[0], 1970, LAST_YEAR, "year", two_digits=True)
    from_end = marks[1] == "~"
    return (
        years,
        _field(values[1], 1, 12, "month"),
        _field(values[2], 1, 28 if from_end else 31, "day", from_end=from_end),
        from_end,
    )


def _field(text: str, low: int, high: int, name: str, *, two_digits: bool = False, from_end: bool = False) -> Field:
    if text == "*":
        return ()
    parts = []
    for item in text.split(","):
        match = re.fullmatch(r"(\d+)(?:\.\.(\d+))?(?:/(\d+))?", item)
        if not match:
            raise CalendarError(f'"{item}" is no {name}')
        start, stop = int(match[1]), int(match[2]) if match[2] else None
        step = int(match[3]) if match[3] else 0
        if two_digits:
            start, stop = _year(start), _year(stop) if stop is not None else None
        if match[3] and step == 0:
            raise CalendarError(f'"{item}" repeats after 0')
        parts.append(_part(start, stop, step, low, high, item, from_end=from_end))
    if from_end:
        # chain_valid() of systemd takes three days off the limit for each further part, counted from the least
        for number, part in enumerate(sorted(set(parts), key=lambda p: (p.start, p.stop or 0, p.step))):
            if max(part.start, part.stop or 0) > high - 3 * number:
                raise CalendarError(f'"{text}" is refused by systemd: too far from the end of the month for a list')
    return tuple(parts)


def _year(value: int) -> int:
    """Two digits as the manual page reads them: 70 to 99 are of the last century."""
    return value + (1900 if value >= 70 else 2000) if value < 100 else value


def _part(start: int, stop: int | None, step: int, low: int, high: int, item: str, *, from_end: bool = False) -> Part:
    """One checked part. At least one repetition has to fit into the field, as the service manager asks."""
    if stop is not None and stop < start:
        raise CalendarError(f'"{item}" is out of range')
    if not step and stop is not None and stop > start:
        step = 1 if high < 10_000 else SECOND
    if step and stop is not None:
        stop -= (stop - start) % step  # the last one reached; only that has to lie in the field
    if not low <= start <= high or (stop is not None and stop > high):
        raise CalendarError(f'"{item}" is out of range')
    if stop is not None and start + step > stop:
        step = 0
    if step and stop is None and step > (start - low if from_end else high - start):
        raise CalendarError(f'"{item}" repeats beyond the end of its field')
    return Part(start, stop, step) if step else Part(start, start, 0)


def _seconds(text: str) -> Field:
    if text == "*":
        return (Part(0, None, SECOND),)
    parts = []
    for item in text.split(","):
        number = r"(\d+(?:\.\d{1,6})?)"
        match = re.fullmatch(rf"{number}(?:\.\.{number})?(?:/{number})?", item)
        if not match:
            raise CalendarError(f'"{item}" is no second')
        start, stop, step = (round(float(value) * SECOND) if value else None for value in match.groups())
        if match[3] and not step:
            raise CalendarError(f'"{item}" repeats after 0')
        parts.append(_part(start or 0, stop, step or 0, 0, 60 * SECOND - 1, item))
    return tuple(parts)
