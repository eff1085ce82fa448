"""Jobs of task queues of Python that are made by calls: Django Q, rq-scheduler and rq's cron, and the library ``schedule``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from fulldress.package.schedules.jobs import Found, every
from fulldress.package.schedules.pythonvalues import Constants, keywords, last, number, text

#: Kinds of Django Q's Schedule, by the letter that the database keeps and the name of the constant.
_KINDS = {
    "I": "every {} min", "MINUTES": "every {} min", "H": "every hour", "HOURLY": "every hour", "D": "every day", "DAILY": "every day",
    "BI": "every 2 weeks", "BIWEEKLY": "every 2 weeks", "W": "every week", "WEEKLY": "every week", "M": "every month",
    "MONTHLY": "every month", "Q": "every quarter", "QUARTERLY": "every quarter", "Y": "every year", "YEARLY": "every year",
}  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SIZES = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_FLOATS = "its hour is that of the moment when it is made"


def calls(node: ast.Call, imports: set[str], constants: Constants) -> Iterator[Found]:
    """The job that one call makes, if it makes one."""
    name, given = last(node.func), keywords(node)
    if "django_q" in imports and (
        name in ("schedule", "Schedule") or (name in ("create", "get_or_create", "update_or_create") and _of_schedules(node))
    ):  # fmt: skip
        yield from _django_q(node, given, constants)
    elif (
        name in ("cron", "schedule")
        and imports & {"rq_scheduler", "django_rq"}
        and isinstance(node.func, ast.Attribute)
    ):
        yield from _rq_scheduler(node, name, given, constants)
    elif name == "register" and "rq" in imports and "cron" in given:
        yield _cron(node.lineno, _function(node, given, constants), "rq cron", text(given["cron"], constants))
    elif name == "do" and "schedule" in imports:
        yield from _schedule(node, constants)


def _of_schedules(node: ast.Call) -> bool:
    """``Schedule.objects.create`` and its kin."""
    return isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value).endswith("Schedule.objects")


def _cron(line: int, function: str, mechanism: str, expression: str, label: str = "", zone: str = "", remark: str = "") -> Found:  # fmt: skip
    return Found(
        line=line, name=label or function or "task", mechanism=mechanism, expression=expression or "(computed)",
        dialect="unix" if expression else "", command=f"{function}()" if function else "", zone=zone, script="",
        remarks=tuple(filter(None, (remark, "" if expression else "its hour is computed by the program"))),
    )  # fmt: skip


def _function(node: ast.Call, given: Mapping[str, ast.expr], constants: Constants) -> str:
    function = given.get("func", node.args[0] if node.args else None)
    return text(function, constants) or (ast.unparse(function)[:80] if function is not None else "")


def _django_q(node: ast.Call, given: Mapping[str, ast.expr], constants: Constants) -> Iterator[Found]:
    if last(node.func) == "update_or_create" and isinstance(defaults := given.get("defaults"), ast.Dict):
        inner = {text(k, constants): v for k, v in zip(defaults.keys, defaults.values, strict=True) if k is not None}
        given = {**inner, **given}
    function = _function(node, given, constants)
    if "schedule_type" not in given and "cron" not in given:
        return
    kind = text(given.get("schedule_type"), constants) or last(given.get("schedule_type", node))
    label = text(given.get("name"), constants)
    if "cron" in given:
        yield _cron(node.lineno, function, "Django Q", text(given["cron"], constants), label, remark=_ZONE)
        return
    words = _KINDS.get(kind, "")
    minutes = number(given.get("minutes"), constants)
    if words:
        words = words.format(f"{minutes:g}" if minutes else "n")
        yield Found(
            line=node.lineno, name=label or function or "task", mechanism="Django Q", expression=words, command=f"{function}()",
            script="", remarks=(_FLOATS,) if "next_run" not in given else (),
        )  # fmt: skip


_ZONE = "counted in production's zone; Django's TIME_ZONE decides"


def _rq_scheduler(node: ast.Call, name: str, given: Mapping[str, ast.expr], constants: Constants) -> Iterator[Found]:
    if name == "cron" and ("func" in given or len(node.args) > 1):
        expression = text(node.args[0] if node.args else given.get("cron_string"), constants)
        function = _function(ast.Call(node.func, node.args[1:], []), given, constants)
        local = isinstance(used := given.get("use_local_timezone"), ast.Constant) and used.value is True
        label = text(given.get("id"), constants)
        if expression:
            yield _cron(node.lineno, function, "rq-scheduler", expression, label, "" if local else "UTC")
    elif name == "schedule" and "interval" in given and "func" in given:
        seconds = number(given["interval"], constants)
        function = _function(node, given, constants)
        if seconds and 0 < seconds < 1e10:
            yield Found(
                line=node.lineno, name=text(given.get("id"), constants) or function, mechanism="rq-scheduler",
                expression=every(timedelta(seconds=seconds)), command=f"{function}()", script="",
            )  # fmt: skip


def _schedule(node: ast.Call, constants: Constants) -> Iterator[Found]:
    """``schedule.every(2).hours.do(work)``, ``schedule.every().monday.at("03:00").do(work)``."""
    unit, at, zone, amount = "", "", "", 1.0
    inner: ast.AST = node.func.value if isinstance(node.func, ast.Attribute) else node
    for _ in range(12):
        if isinstance(inner, ast.Call):
            name = last(inner.func)
            if name == "every":
                amount = (number(inner.args[0], constants) or 0.0) if inner.args else 1.0
                break
            if name == "at" and inner.args:
                at = text(inner.args[0], constants)
                zone = text(inner.args[1], constants) if len(inner.args) > 1 else ""
            inner = inner.func
        elif isinstance(inner, ast.Attribute):
            unit = inner.attr if inner.attr.rstrip("s") in (*_SIZES, *_DAYS) else unit
            inner = inner.value
        else:
            return
    else:
        return
    function = ast.unparse(node.args[0])[:80] if node.args else ""
    clock = re.fullmatch(r"(\d{1,2}):(\d\d)(?::\d\d)?", at)
    day = unit.rstrip("s") if unit else ""
    expression, dialect = "", ""
    if clock and amount == 1 and (day == "day" or day in _DAYS) and int(clock[1]) < 24:
        weekday = "*" if day == "day" else day[:3]
        expression, dialect = f"{int(clock[2])} {int(clock[1])} * * {weekday}", "unix"
    elif day in _SIZES and amount > 0:
        expression = every(timedelta(seconds=amount * _SIZES[day])) + (f" at {at}" if at else "")
    elif day in _DAYS:
        expression = f"every {day}" + (f" at {at}" if at else "")
    else:
        return
    yield Found(
        line=node.lineno, name=function or "task", mechanism="schedule", expression=expression, dialect=dialect,
        command=f"{function}()", zone=zone, script="", remarks=() if dialect else ("counted from the start of the program",),
    )  # fmt: skip
