"""The days on which a trigger of the Windows Task Scheduler starts, [MS-TSCH] 2.5.3 and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from fulldress.package.schedules import xmltree

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")  # fmt: skip
_AHEAD = 366 * 4


class Days:
    """Days from ``first`` on that ``fits`` takes; ``once``: the first alone."""

    def __init__(self, said: str, first: date, fits: Callable[[date], bool], *, once: bool = False) -> None:
        self.said, self.first, self.once = said, first, once
        self._fits = fits

    def since(self, day: date) -> Iterator[date]:
        """Days from ``day`` on, for the next four years."""
        if self.once:
            if day <= self.first:
                yield self.first
            return
        day = max(day, self.first)
        for offset in range(_AHEAD):
            if day.toordinal() + offset > date.max.toordinal() - 40:
                return
            here = day + timedelta(days=offset)
            if self._fits(here):
                yield here


def of(trigger: xmltree.Element, begin: datetime) -> Days:
    """The days of a time or calendar trigger that begins at ``begin``."""
    first, hour = begin.date(), f"{begin:%H:%M}"
    if trigger.name != "CalendarTrigger":
        return Days(f"once at {begin:%Y-%m-%d %H:%M}", first, lambda day: True, once=True)
    rule = next((child for child in trigger.children if child.name.startswith("ScheduleBy")), None)
    makers = {
        "ScheduleByDay": _by_day,
        "ScheduleByWeek": _by_week,
        "ScheduleByMonth": _by_month,
        "ScheduleByMonthDayOfWeek": _by_weekday_of_month,
    }
    if rule is None or rule.name not in makers:
        return Days(f"at {hour}, by a rule that is not known", first, lambda day: False)
    return makers[rule.name](rule, first, hour)


def _by_day(rule: xmltree.Element, first: date, hour: str) -> Days:
    step = _count(rule.word("DaysInterval"))
    said = f"daily at {hour}" if step == 1 else f"every {step} days at {hour}"
    return Days(said, first, lambda day: (day - first).days % step == 0)


def _by_week(rule: xmltree.Element, first: date, hour: str) -> Days:
    step = _count(rule.word("WeeksInterval"))
    days = _named(rule.get("DaysOfWeek"), _DAYS)
    sunday = first.toordinal() - (first.weekday() + 1) % 7  # its weeks begin on Sunday
    said = f"{'weekly' if step == 1 else f'every {step} weeks'} on {_short(days, _DAYS)} at {hour}"
    return Days(said, first, lambda day: day.weekday() in days and (day.toordinal() - sunday) // 7 % step == 0)


def _by_month(rule: xmltree.Element, first: date, hour: str) -> Days:
    months = _named(rule.get("Months"), _MONTHS) or list(range(12))
    found = rule.get("DaysOfMonth")
    wanted = [child.text.strip() for child in found.children] if found else []
    said = f"monthly on day {', '.join(wanted)}{_of(months)} at {hour}"
    return Days(said, first, lambda day: day.month - 1 in months and _in_month(day, wanted))


def _by_weekday_of_month(rule: xmltree.Element, first: date, hour: str) -> Days:
    months = _named(rule.get("Months"), _MONTHS) or list(range(12))
    weeks = [child.text.strip() for child in (rule.get("Weeks") or rule).children if child.name == "Week"]
    days = _named(rule.get("DaysOfWeek"), _DAYS)
    said = f"monthly on {_short(days, _DAYS)} of week {', '.join(weeks)}{_of(months)} at {hour}"
    return Days(said, first, lambda day: day.month - 1 in months and day.weekday() in days and _in_week(day, weeks))


def _of(months: list[int]) -> str:
    return "" if len(months) == 12 else f" of {_short(months, _MONTHS)}"


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 and 0 < int(text[:5]) < 1000 else 1


def _named(element: xmltree.Element | None, names: tuple[str, ...]) -> list[int]:
    return sorted(names.index(child.name) for child in element.children if child.name in names) if element else []


def _short(values: list[int], names: tuple[str, ...]) -> str:
    return ",".join(names[value][:3] for value in values)


def _in_month(day: date, wanted: list[str]) -> bool:
    return str(day.day) in wanted or ("Last" in wanted and (day + timedelta(days=1)).day == 1)


def _in_week(day: date, weeks: list[str]) -> bool:
    last = (day + timedelta(days=7)).month != day.month
    return str((day.day - 1) // 7 + 1) in weeks or ("Last" in weeks and last)
