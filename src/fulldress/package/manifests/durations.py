"""Durations and dates as manifests and prose write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from fulldress.patterns import regex

_WORDS = {
    "zero": 0, "no": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fortyfive": 45, "fifty": 50,
    "sixty": 60, "ninety": 90, "a": 1, "an": 1, "half": 0.5,
}  # fmt: skip
_UNITS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hr": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
}
NUMBER = r"(?:\d+(?:[.,]\d+)?|half an?|forty-five|zero|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety|an?)"
UNIT = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?)"
#: One duration, or a range of which the upper end counts.
DURATION = regex(
    rf"(?i)\b(?:{NUMBER}\s*(?:-|–|to)\s*)?(?P<number>{NUMBER})[\s-]*(?P<unit>{UNIT}|(?<=\d)[smhd]|(?<=\d )[smhd])\b"
)
_ISO = regex(r"(?i)^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")
_CLOCK = regex(r"^(\d{1,2}):(\d\d)(?::(\d\d))?$")


def duration(text: str, unit: str = "") -> timedelta | None:
    """``5 minutes``, ``PT5M``, ``00:05:00``, ``5`` with a ``unit`` from elsewhere; None where it says no length."""
    text = text.strip()
    if text.lower() in ("none", "no", "zero", "false", "0", "no downtime"):
        return timedelta(0)
    if (match := _ISO.match(text)) and any(match.groups()):
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return _bounded(days * 86400 + hours * 3600 + minutes * 60 + seconds)
    if match := _CLOCK.match(text):
        first, second, third = (int(part or 0) for part in match.groups())
        return timedelta(hours=first, minutes=second, seconds=third)
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return _bounded(float(text) * _UNITS[unit]) if unit in _UNITS else None
    found = [length(match) for match in DURATION.finditer(text)]
    return _bounded(sum(one.total_seconds() for one in found)) if found else None


def length(match: re.Match[str]) -> timedelta:
    """The length that a match of :data:`DURATION` says."""
    number = match["number"].lower().replace(",", ".").replace("-", "")
    value = float(number) if number[0].isdigit() else float(_WORDS[number.split()[0]])
    unit = match["unit"].lower()
    return _bounded(value * _UNITS[unit if unit in _UNITS else unit.rstrip("s")])


def _bounded(seconds: float) -> timedelta:
    """At most a century: what is longer is a slip of the pen, and more than a timedelta can hold."""
    return timedelta(seconds=min(seconds, 100 * 365.25 * 86400))


def unit_in(key: str) -> str:
    """The unit that a key names: ``downtime_minutes`` -> ``minute``."""
    match = re.search(r"(?i)(second|minute|hour|sec|min|day|hr)s?$", key)
    return match[1].lower() if match else ""


_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%Y%m%d", "%d-%b-%Y")


def day(text: str) -> date | None:
    """A calendar day; of an instant its day in UTC. Ambiguous spellings such as 04/05/2026 are not read."""
    text = text.strip()
    try:
        instant = datetime.fromisoformat(text)
        return (instant.astimezone(UTC) if instant.tzinfo else instant).date()
    except ValueError:
        pass
    for shape in _DATES:
        try:
            return datetime.strptime(text, shape).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    if re.fullmatch(r"1\d{9}", text):
        return datetime.fromtimestamp(int(text), UTC).date()
    return None
