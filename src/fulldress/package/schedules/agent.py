"""Schedules of SQL Server's agent: what the numbers of ``sp_add_schedule`` and ``sp_add_jobschedule`` mean.

Written from the documentation of msdb.dbo.sp_add_schedule: freq_type, freq_interval, freq_subday_type and their kin.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_WHICH = {1: "1", 2: "2", 4: "3", 8: "4", 16: "L"}
_ORDINALS = {1: "first", 2: "second", 4: "third", 8: "fourth", 16: "last"}
_OTHER = {1: "once", 64: "when the agent starts", 128: "when the host is idle"}
_UNITS = {2: "s", 4: "min", 8: "h"}


class Rhythm(msgspec.Struct, frozen=True):
    """``words`` for a person; ``fields`` of the dialect ``oracle`` (both day fields have to fit), empty: not counted."""

    words: str
    fields: str = ""


def rhythm(given: Mapping[str, str]) -> Rhythm:
    """The rhythm of one schedule's parameters, which are named without ``@`` and in lower case."""
    kind, interval = _number(given, "freq_type", 0), _number(given, "freq_interval", 1)
    if kind in _OTHER:
        return Rhythm(_OTHER[kind])
    factor = _number(given, "freq_recurrence_factor", 1) or 1
    start, end = _clock(given, "active_start_time", 0), _clock(given, "active_end_time", 235959)
    if start is None or end is None:
        return Rhythm("at no hour that a clock has")
    days = _days(kind, interval, _number(given, "freq_relative_interval", 0))
    if days is None:
        return Rhythm("on days of its own")
    words, day, weekday = days
    often, time = _times(_number(given, "freq_subday_type", 1), _number(given, "freq_subday_interval", 0), start, end)
    if kind == 4 and interval > 1:
        words, time = f"every {interval} d", ""
    elif kind != 4 and factor > 1:
        words, time = f"{words}, every {factor} {'weeks' if kind == 8 else 'months'}", ""
    return Rhythm(f"{words} {often}", f"{time} {day} * {weekday}" if time and day else "")


def _days(kind: int, interval: int, relative: int) -> tuple[str, str, str] | None:
    """Words, day of the month, weekday; the day is empty where it is not counted."""
    if kind == 4:
        return "daily", "*", "*"
    if kind == 8:
        names = [name for bit, name in enumerate(_DAYS) if interval & 1 << bit]
        return (",".join(names), "*", ",".join(names)) if names else None
    if kind == 16 and 1 <= interval <= 31:
        return f"day {interval} of the month", str(interval), "*"
    if kind == 32 and relative in _WHICH:
        which = _WHICH[relative]
        if 1 <= interval <= 7:
            name = _DAYS[interval - 1]
            return f"{_ORDINALS[relative]} {name} of the month", "*", f"{name}L" if which == "L" else f"{name}#{which}"
        if interval == 8:
            return f"{_ORDINALS[relative]} day of the month", which, "*"
        if interval in (9, 10):
            noun = "weekday" if interval == 9 else "day of the weekend"
            return f"{_ORDINALS[relative]} {noun} of the month", "LW" if (which, interval) == ("L", 9) else "", "*"
    return None


def _times(kind: int, interval: int, start: tuple[int, int, int], end: tuple[int, int, int]) -> tuple[str, str]:
    """Words, and second, minute and hour as fields (empty where the times of a day are no product of them)."""
    hour, minute, second = start
    at = f"{hour:02d}:{minute:02d}" + (f":{second:02d}" if second else "")
    if kind not in _UNITS or interval < 1:
        return at, f"{second} {minute} {hour}"
    span = f"from {at} to {end[0]:02d}:{end[1]:02d}" if (start, end) != ((0, 0, 0), (23, 59, 59)) else ""
    words = f"every {interval} {_UNITS[kind]} {span}".rstrip()
    last = end[0] if end[1] >= minute else end[0] - 1
    if kind == 8 and hour <= last:
        return words, f"{second} {minute} {hour}-{last}/{interval}"
    if kind == 4 and 60 % interval == 0 and minute < interval and end[1] == 59 and hour <= end[0]:
        return words, f"{second} {minute}-59/{interval} {hour}-{end[0]}"
    return words, ""


def _clock(given: Mapping[str, str], key: str, default: int) -> tuple[int, int, int] | None:
    value = _number(given, key, default)
    hour, minute, second = value // 10000, value // 100 % 100, value % 100
    return (hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _number(given: Mapping[str, str], key: str, default: int) -> int:
    text = given.get(key, "").strip()
    try:
        return int(text[:12], 16 if text[:2].lower() == "0x" else 10) if text else default
    except ValueError:
        return default
