"""Oracle's calendaring syntax (``FREQ=DAILY;BYHOUR=3``) as fields that can be counted.

Written from the chapter "DBMS_SCHEDULER" of Oracle's PL/SQL Packages and Types Reference. What a clause leaves open is taken
from the start date; where that is the moment of the job's making, its minute is nobody's to know.
"""

from __future__ import annotations

import re

import msgspec

from fulldress.patterns import regex

_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_CLAUSES = ("FREQ", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND")
#: Clauses of the syntax that are known and not counted.
_BEYOND = ("BYWEEKNO", "BYYEARDAY", "BYDATE", "BYSETPOS", "BYTIME", "INCLUDE", "EXCLUDE", "INTERSECT", "PERIODS", "BYPERIOD")  # fmt: skip
_WORD = regex(r"[A-Z0-9,+\- ]+")


class Counted(msgspec.Struct, frozen=True):
    """Six fields of the dialect ``oracle``, empty where they cannot be counted; then why, in words."""

    fields: str
    why: str = ""


def counted(text: str, start: tuple[int, int, int] | None) -> Counted:
    """``text`` as fields. ``start`` is hour, minute and second of the start date where the job names one."""
    given: dict[str, str] = {}
    for clause in filter(None, (part.strip() for part in text.upper().split(";"))):
        key, _, value = (piece.strip() for piece in clause.partition("="))
        if key in _BEYOND:
            return Counted("", f"{key} is not counted here")
        if key not in _CLAUSES or not _WORD.fullmatch(value):
            return Counted("", "no calendar of its syntax: counted by the database alone")
        given[key] = value.replace(" ", "")
    frequency = given.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        return Counted("", "the rhythm of a named schedule, or of an expression that the database computes")
    if given.get("INTERVAL", "1") != "1":
        return Counted("", "counted from its start date")
    finer = _FREQUENCIES.index(frequency)
    hour = given.get("BYHOUR") or ("*" if finer >= 4 else _start(start, 0))
    minute = given.get("BYMINUTE") or ("*" if finer >= 5 else _start(start, 1))
    second = given.get("BYSECOND") or ("*" if finer >= 6 else _start(start, 2) or "0")
    if not hour or not minute:
        return Counted("", f"the {'minute' if hour else 'hour'} is that of the moment when it is made")
    days, weekdays = given.get("BYMONTHDAY", "*"), given.get("BYDAY", "*")
    if (frequency in ("YEARLY", "MONTHLY") and days == weekdays == "*") or (
        frequency == "WEEKLY" and weekdays == days == "*"
    ):
        return Counted("", "the day is that of its start date")
    if frequency == "YEARLY" and "BYMONTH" not in given:
        return Counted("", "the month is that of its start date")
    fields = (second, minute, hour, _days(days), _months(given.get("BYMONTH", "*")), _weekdays(weekdays))
    return Counted(" ".join(fields)) if all(fields) else Counted("", "its days are not counted here")


def _start(start: tuple[int, int, int] | None, index: int) -> str:
    return str(start[index]) if start else ""


def _days(text: str) -> str:
    """``-1`` is the last day of the month, ``-2`` the one before."""
    found = []
    for item in text.split(","):
        back = re.fullmatch(r"-(\d{1,2})", item)
        found.append(("L" if back[1] == "1" else f"L-{int(back[1]) - 1}") if back and int(back[1]) else item)
    return ",".join(found)


def _months(text: str) -> str:
    return ",".join(str(_MONTHS.index(item) + 1) if item in _MONTHS else item for item in text.split(","))


def _weekdays(text: str) -> str:
    """``MON,FRI``; ``2TUE`` is the second of the month, ``-1FRI`` the last."""
    found = []
    for item in text.split(","):
        match = re.fullmatch(r"([+-]?[1-5])?(MON|TUE|WED|THU|FRI|SAT|SUN)", item)
        if item != "*" and (not match or ((match[1] or "").startswith("-") and match[1] != "-1")):
            return ""
        which = (match[1] or "").lstrip("+") if match else ""
        found.append(item if not which or not match else f"{match[2]}L" if which == "-1" else f"{match[2]}#{which}")
    return ",".join(found)
