"""Runs that a change of the clock skips or doubles, in words.

Only jobs that keep a fixed hour are told of: one that runs every few minutes, or every hour, loses nothing that matters.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

#: The first local time (naive) of at least the first and before the second that an expression names, by the calendar alone.
Nominal = Callable[[datetime, datetime], datetime | None]


class Habit(msgspec.Struct, frozen=True):
    """What a scheduler does with a time that doesn't exist, and with one that comes twice; empty: not told."""

    who: str
    gap: str
    fold: str


#: cron of Debian and cronie, cron(8): jobs of a skipped time run right after the gap, those of a doubled one once.
CRON = Habit("cron", "runs it at {end}", "runs it once")
#: systemd.time(7) says nothing; measured with ``systemd-analyze calendar`` (252): the skipped run is left out.
TIMER = Habit("systemd", "leaves it out that day", "runs it once")
#: "If the time does not exist or is ambiguous" is not described by Microsoft; nothing is claimed.
UNKNOWN = Habit("", "", "")


class Change(msgspec.Struct, frozen=True):
    """Local times from ``start`` to before ``end`` do not exist (``gap``) or come twice."""

    start: datetime
    end: datetime
    gap: bool


@lru_cache(maxsize=256)
def changes(zone: ZoneInfo, first: datetime, days: int = 360) -> tuple[Change, ...]:
    """The clock changes of a zone in the days after ``first`` (UTC)."""
    found: list[Change] = []
    before = first
    for day in range(1, days + 1):
        after = first + timedelta(days=day)
        old, new = before.astimezone(zone).utcoffset(), after.astimezone(zone).utcoffset()
        if old is not None and new is not None and old != new:
            low, high = before, after
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if middle.astimezone(zone).utcoffset() == old else (low, middle)
            instant = (high + timedelta(milliseconds=500)).replace(microsecond=0, tzinfo=None)
            at_old, at_new = instant + old, instant + new
            found.append(Change(min(at_old, at_new), max(at_old, at_new), at_new > at_old))
        before = after
    return tuple(found)


def remarks(nominal: Nominal, habit: Habit, zone: ZoneInfo, start: datetime) -> tuple[str, ...]:
    """One sentence for each clock change of the coming year that touches the job."""
    first = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    said: list[str] = []
    for change in changes(zone, first):
        local = nominal(change.start, change.end)
        if local is None or change.end <= start.astimezone(zone).replace(tzinfo=None):
            continue
        hour = timedelta(hours=1)
        if (
            nominal(change.start - hour, change.start) is not None
            and nominal(change.end, change.end + hour) is not None
        ):
            continue  # hourly, or more often
        stamp = f"{local:%Y-%m-%d %H:%M}"
        if change.gap:
            does = f": {habit.who} {habit.gap.format(end=f'{change.end:%H:%M}')}" if habit.gap else ""
            said.append(f"{stamp} does not exist in {zone.key}{does}")
        else:
            does = f": {habit.who} {habit.fold}" if habit.fold else ""
            said.append(f"{stamp} comes twice in {zone.key}{does}")
    return tuple(said)
