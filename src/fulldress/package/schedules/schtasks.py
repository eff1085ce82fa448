"""The rhythm of ``schtasks /create``: words and next runs of its options."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from fulldress.package.schedules.jobs import Clock
from fulldress.patterns import regex

_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKS = ("FIRST", "SECOND", "THIRD", "FOURTH", "LAST")
_LATER = regex(r"\(Get-Date\) \+ (\d+ \w+)")  #: a start that PowerShell counts from the run of the script
_EVENTS = {
    "ONSTART": "at the start of the host",
    "ONLOGON": "at logon",
    "ONIDLE": "when the host is idle",
    "ONEVENT": "at an event",
}


def options(words: tuple[str, ...]) -> dict[str, str]:
    """``/NAME value`` and ``-name value`` by lower-case name; a switch without a value has an empty one."""
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if re.fullmatch(r"[/-][A-Za-z]{1,7}", word):
            name = word[1:].lower()
            found[name] = ""
        elif name:
            found[name] = f"{found[name]} {word}".strip()
    return found


def triggers(given: Mapping[str, str]) -> str:
    """The triggers of options that a single line of words does not say: repeated within the day, delayed at the start.

    Empty where there are none, or where a part is only known when it runs; ``@today`` is the day on which it runs."""
    kind, start = given.get("sc", "").upper(), re.fullmatch(r"(\d{1,2}):(\d\d)(?::\d\d)?", given.get("st", ""))
    if kind in ("ONSTART", "ONLOGON") and (delay := re.fullmatch(r"(\d{1,4}):(\d\d)", given.get("delay", ""))):
        name = "BootTrigger" if kind == "ONSTART" else "LogonTrigger"
        return f"<Triggers><{name}><Delay>PT{int(delay[1])}M{int(delay[2])}S</Delay></{name}></Triggers>"
    step = given.get("ri", "") or ("10" if "du" in given or "et" in given else "")
    if (
        kind not in ("DAILY", "ONCE")
        or not start
        or int(start[1]) > 23
        or not step.isdecimal()
        or len(step) > 8
        or given.get("mo", "1") != "1"
    ):
        return ""
    length = re.fullmatch(r"(\d{1,4}):(\d\d)", given.get("du", "1:00"))
    if length is None or "et" in given or not 0 < int(step[:6]) < 600_000 or (kind == "ONCE" and "sd" in given):
        return ""
    begin = f"<StartBoundary>@todayT{int(start[1]):02d}:{start[2]}:00</StartBoundary>"
    more = f"<Repetition><Interval>PT{step}M</Interval><Duration>PT{int(length[1])}H{int(length[2])}M</Duration></Repetition>"
    if kind == "ONCE":
        return f"<Triggers><TimeTrigger>{begin}{more}</TimeTrigger></Triggers>"
    days = "<ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>"
    return f"<Triggers><CalendarTrigger>{begin}{more}{days}</CalendarTrigger></Triggers>"


def rhythm(given: Mapping[str, str], clock: Clock) -> tuple[str, tuple[datetime, ...]]:
    """The schedule in words and its next runs (UTC); none where an option is missing or only known when it runs."""
    kind = given.get("sc", "").upper()
    if kind in _EVENTS:
        return _EVENTS[kind], ()
    start = re.fullmatch(r"(\d{1,2}):(\d\d)(?::\d\d)?", given.get("st", ""))
    hour = f" at {int(start[1]):02d}:{start[2]}" if start else (f" at {given['st']}" if given.get("st") else "")
    if later := _LATER.search(given.get("st", "")):
        hour = f" {later[1]} after the script ran"
    step = (
        int(given["mo"])
        if given.get("mo", "").isdecimal() and len(given["mo"]) < 9 and 0 < int(given["mo"][:5]) < 1440
        else 1
    )
    if kind in ("MINUTE", "HOURLY"):
        amount = timedelta(minutes=step) if kind == "MINUTE" else timedelta(hours=step)
        unit = "min" if kind == "MINUTE" else "h"
        return f"every {step} {unit}{hour.replace(' at', ' from')}", _steps(start, amount, clock)
    if kind == "ONCE":
        return f"once{hour}{' on ' + given['sd'] if given.get('sd') else ''}", ()
    if kind not in ("DAILY", "WEEKLY", "MONTHLY"):
        return " ".join(part for part in (kind.lower(), given.get("st", "")) if part), ()
    days = [word for word in re.split(r"[,\s]+", given.get("d", "").upper()) if word]
    said = {"DAILY": "daily", "WEEKLY": "weekly", "MONTHLY": "monthly"}[kind]
    modifier = given.get("mo", "").upper()
    if step > 1:
        said = f"every {step} {({'DAILY': 'days', 'WEEKLY': 'weeks', 'MONTHLY': 'months'})[kind]}"
    if modifier in (*_WEEKS, "LASTDAY"):
        said += f" on the {modifier.lower()}"
    said += f" on {','.join(days)}" if days else ""
    months = [word for word in re.split(r"[,\s]+", given.get("m", "").upper()) if word and word != "*"]
    said += f" of {','.join(months)}" if months else ""
    # beyond the first, a rhythm counts from the day on which the task is made: not known yet
    if start is None or step > 1 or int(start[1]) > 23 or int(start[2]) > 59 or not _known(days, months):
        return said + hour, ()
    if kind == "DAILY":  # as the crontab that everybody reads
        hour, said = f"{int(start[2])} {int(start[1])} * * *", ""
    return said + hour, _daily(kind, modifier, days, months, start, clock)


def _known(days: list[str], months: list[str]) -> bool:
    return all(d in (*_DAYS, "*") or (d.isdecimal() and 0 < int(d[:3]) < 32) for d in days) and set(months) <= set(
        _MONTHS
    )


def _steps(start: re.Match[str] | None, amount: timedelta, clock: Clock) -> tuple[datetime, ...]:
    if start is None or int(start[1]) > 23 or int(start[2]) > 59:
        return ()
    local = clock.at.astimezone(clock.zone)
    first = local.replace(hour=int(start[1]), minute=int(start[2]), second=0, microsecond=0).astimezone(UTC)
    if first <= clock.at:
        first += amount * ((clock.at - first) // amount + 1)
    return tuple(first + amount * index for index in range(3))


def _daily(
    kind: str, modifier: str, days: list[str], months: list[str], start: re.Match[str], clock: Clock
) -> tuple[datetime, ...]:
    found: list[datetime] = []
    for day in _ahead(clock):
        if kind == "WEEKLY" and (not days or not ("*" in days or _DAYS[day.weekday()] in days)):
            continue
        if kind == "MONTHLY" and not _monthly(day, modifier, days, months):
            continue
        local = datetime(day.year, day.month, day.day, int(start[1]), int(start[2]), tzinfo=clock.zone)
        moment = local.astimezone(UTC)
        if moment > clock.at:
            found.append(moment)
        if len(found) == 3:
            break
    return tuple(found)


def _monthly(day: date, modifier: str, days: list[str], months: list[str]) -> bool:
    if months and _MONTHS[day.month - 1] not in months:
        return False
    if modifier == "LASTDAY":
        return day.day == monthrange(day.year, day.month)[1]
    if modifier in _WEEKS:
        last = day.day + 7 > monthrange(day.year, day.month)[1]
        week = last if modifier == "LAST" else (day.day - 1) // 7 == _WEEKS.index(modifier)
        return bool(week) and _DAYS[day.weekday()] in days
    return str(day.day) in days if days else day.day == 1


def _ahead(clock: Clock) -> Iterator[date]:
    first = clock.at.astimezone(clock.zone).date()
    return (first + timedelta(days=offset) for offset in range(366 * 3))
