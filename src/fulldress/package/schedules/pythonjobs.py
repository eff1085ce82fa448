"""Jobs of Python programs, read from their syntax trees: Celery beat, APScheduler, Airflow's DAGs, and smaller kin.

Constants of the module are followed; what is computed otherwise is said to be set elsewhere. Nothing is imported or run.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from datetime import timedelta

import msgspec

from fulldress.facts import AnyFact, Reason, Unread, Witness
from fulldress.package import telling
from fulldress.package.pythontree import nodes
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import pythonqueues, pythonvalues, zones
from fulldress.package.schedules.jobs import Clock, Found, every, facts
from fulldress.package.schedules.pythonvalues import Constants
from fulldress.patterns import regex

_IMPORTS = regex(
    rb"(?m)^\s*(?:from|import)\s+(celery|apscheduler|flask_apscheduler|airflow|huey|periodiq|schedule|django_q|rq_scheduler|django_rq|rq|procrastinate)\b"
)
_MAX_SIZE = 1 << 20
#: Where a package ships DAG files of its own; those of Airflow's libraries are code, not jobs.
_DAGS = regex(r"(?:^|/)dags?/")
_FIELDS = ("second", "minute", "hour", "day", "month", "day_of_week")


def read(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """The jobs of one module."""
    if not telling.holds(package, member, telling.PYTHON_JOBS):
        return
    data = member.data
    imports = {name.decode() for name in _IMPORTS.findall(data)}
    settings = b"BEAT_SCHEDULE" in data or b"CRONJOBS" in data or b"beat_schedule" in data
    if imports == {"airflow"} and not _DAGS.search(member.path):
        imports = set()
    if not imports and not settings:
        return
    if len(data) > _MAX_SIZE:
        yield Unread(
            witness=Witness.READ, evidence=member.evidence(), what=f"the schedules of {member.name}", reason=Reason.BUDGET,
            detail=f"{len(data):,} bytes are too many for a module that sets hours", needed=True,
        )  # fmt: skip
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(member.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # a module that Python cannot read runs nothing; that of a future Python is said by the scripts' reader
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    try:
        jobs = list(_jobs(tree, imports, constants, member))
    except RecursionError:
        yield Unread(
            witness=Witness.READ, evidence=member.evidence(), what=f"the schedules of {member.name}", reason=Reason.CANNOT,
            detail="its expressions nest too deep", needed=True,
        )  # fmt: skip
        return
    for found in jobs:
        yield from facts(package, member, _in_its_zone(package, found), clock)


#: Mechanisms that count in UTC where nothing names a zone, by what :mod:`.zones` calls them.
_OWNERS = {"Celery beat": "Celery", "huey": "huey", "procrastinate": "procrastinate", "periodiq": "periodiq", "Airflow DAG": "Airflow", "rq-scheduler": "rq-scheduler"}  # fmt: skip


def _in_its_zone(package: Package, found: Found) -> Found:
    """A job that is to be counted in its mechanism's own zone, with that zone."""
    if found.zone != "UTC" or found.mechanism not in _OWNERS:
        return found
    zone, said = zones.own(package, _OWNERS[found.mechanism])
    return msgspec.structs.replace(
        found, zone=zone, remarks=(*found.remarks, *said) if found.dialect else found.remarks
    )


def _jobs(tree: ast.Module, imports: set[str], constants: Constants, member: Member) -> Iterator[Found]:
    for node in nodes(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {pythonvalues.last(target) for target in targets}
            if names & {"beat_schedule", "CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE", "BEAT_SCHEDULE"}:
                yield from _beat(node.value, constants)
            elif "CRONJOBS" in names:
                yield from _django_cron(node.value, constants)
        elif isinstance(node, ast.Call):
            yield from _call(node, imports, constants, member)
            yield from pythonqueues.calls(node, imports, constants)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call):
                    yield from _decorated(decorator, node.name, imports, constants)


def _when(node: ast.AST | None, constants: Constants, dialect: str) -> tuple[str, str]:
    """Expression and dialect of a schedule's value: ``crontab(…)``, ``timedelta(…)``, seconds, a text."""
    node = pythonvalues.value(node, constants)
    seconds = pythonvalues.number(node, constants)
    if seconds is not None:
        return (every(timedelta(seconds=seconds)), "") if 0 < seconds < 1e10 else ("", "")
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.strip(), dialect
    if not isinstance(node, ast.Call):
        return "", ""
    name, given = pythonvalues.last(node.func), pythonvalues.keywords(node)
    if name == "crontab":
        order = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
        alias = {"day": "day_of_month", "month": "month_of_year"}  # huey's names
        values = {alias.get(key, key): value for key, value in given.items()}
        values.update(zip(order, node.args, strict=False))
        words = []
        for field in ("minute", "hour", "day_of_month", "month_of_year", "day_of_week"):
            word = pythonvalues.text(values[field], constants).replace(" ", "") if field in values else "*"
            if not word:
                return "", ""
            words.append(word)
        return " ".join(words), "celery"
    if name in ("timedelta", "schedule"):
        if "run_every" in given or (name == "schedule" and node.args):
            return _when(given.get("run_every", node.args[0] if node.args else None), constants, dialect)
        if name == "timedelta" and node.args and "days" not in given:
            given = {**dict(zip(("days", "seconds"), node.args, strict=False)), **given}
        amount = pythonvalues.delta(given, constants)
        return (every(amount), "") if amount else ("", "")
    if name == "solar":
        return f"at {pythonvalues.text(node.args[0], constants) if node.args else 'an event of the sun'}", ""
    if name in ("CronTriggerTimetable", "CronDataIntervalTimetable"):
        return pythonvalues.text(node.args[0], constants) if node.args else "", dialect
    return "", ""


def _found(line: int, name: str, mechanism: str, when: tuple[str, str], command: str, zone: str = "", remarks: tuple[str, ...] = ()) -> Found:  # fmt: skip
    expression, dialect = when
    if not expression:
        return Found(line=line, name=name, mechanism=mechanism, expression="(computed)", command=command, zone=zone, script="", remarks=(*remarks, "its hour is computed by the program"))  # fmt: skip
    return Found(line=line, name=name, mechanism=mechanism, expression=expression, dialect=dialect, command=command, zone=zone, script="", remarks=remarks)  # fmt: skip


def _beat(node: ast.AST, constants: Constants) -> Iterator[Found]:
    node = pythonvalues.value(node, constants) or node
    if not isinstance(node, ast.Dict):
        return
    for key, value in zip(node.keys, node.values, strict=True):
        entry = pythonvalues.value(value, constants)
        if not isinstance(entry, ast.Dict):
            continue
        fields = {
            pythonvalues.text(k, constants): v for k, v in zip(entry.keys, entry.values, strict=True) if k is not None
        }
        if "task" not in fields and "schedule" not in fields:
            continue
        task = pythonvalues.text(fields.get("task"), constants)
        when = _when(fields.get("schedule"), constants, "celery")
        yield _found(
            value.lineno,
            pythonvalues.text(key, constants) or task or "task",
            "Celery beat",
            when,
            task,
            "UTC",
        )


def _django_cron(node: ast.AST, constants: Constants) -> Iterator[Found]:
    """``CRONJOBS = [("0 3 * * *", "app.cron.job")]`` of django-crontab."""
    node = pythonvalues.value(node, constants) or node
    for item in node.elts if isinstance(node, (ast.List, ast.Tuple)) else ():
        if isinstance(item, (ast.Tuple, ast.List)) and len(item.elts) >= 2:
            expression, function = (
                pythonvalues.text(item.elts[0], constants),
                pythonvalues.text(item.elts[1], constants),
            )
            if expression and function:
                yield _found(item.lineno, function, "django-crontab", (expression, "unix"), function)


def _call(node: ast.Call, imports: set[str], constants: Constants, member: Member) -> Iterator[Found]:
    name, given = pythonvalues.last(node.func), pythonvalues.keywords(node)
    if name == "add_periodic_task" and "celery" in imports and node.args:
        task = ast.unparse(node.args[1])[:80] if len(node.args) > 1 else ""
        when = _when(node.args[0], constants, "celery")
        yield _found(
            node.lineno,
            pythonvalues.text(given.get("name"), constants) or task,
            "Celery beat",
            when,
            task,
            "UTC",
        )
    elif name == "add_job" and imports & {"apscheduler", "flask_apscheduler"} and (node.args or "func" in given):
        function = given.get("func", node.args[0] if node.args else None)
        words = pythonvalues.text(function, constants) or (ast.unparse(function)[:80] if function else "")
        trigger = given.get("trigger", node.args[1] if len(node.args) > 1 else None)
        label = (
            pythonvalues.text(given.get("id"), constants) or pythonvalues.text(given.get("name"), constants) or words
        )
        yield from _apscheduler(node.lineno, label, words, trigger, given, constants)
    elif name == "DAG" and "airflow" in imports and _DAGS.search(member.path):
        dag = pythonvalues.text(given.get("dag_id", node.args[0] if node.args else None), constants)
        yield from _airflow(node.lineno, dag, given, constants)


def _decorated(call: ast.Call, function: str, imports: set[str], constants: Constants) -> Iterator[Found]:
    name, given = pythonvalues.last(call.func), pythonvalues.keywords(call)
    if name == "scheduled_job" and imports & {"apscheduler", "flask_apscheduler"}:
        trigger = given.get("trigger", call.args[0] if call.args else None)
        yield from _apscheduler(
            call.lineno,
            pythonvalues.text(given.get("id"), constants) or function,
            f"{function}()",
            trigger,
            given,
            constants,
        )
    elif name == "periodic_task" and imports & {"celery", "huey"} and (call.args or "run_every" in given):
        when = _when(given.get("run_every", call.args[0] if call.args else None), constants, "celery")
        yield _found(
            call.lineno, function, "huey" if "huey" in imports else "Celery beat", when, f"{function}()", "UTC"
        )
    elif name == "periodic" and "procrastinate" in imports and "cron" in given:
        yield _found(
            call.lineno,
            function,
            "procrastinate",
            (pythonvalues.text(given["cron"], constants), "unix"),
            f"{function}()",
            "UTC",
        )
    elif "periodic" in given and "periodiq" in imports and isinstance(given["periodic"], ast.Call):
        inner = given["periodic"]
        yield _found(call.lineno, function, "periodiq", (pythonvalues.text(inner.args[0] if inner.args else None, constants), "unix"), f"{function}()", "UTC")  # fmt: skip
    elif name == "dag" and "airflow" in imports:
        yield from _airflow(
            call.lineno, pythonvalues.text(given.get("dag_id"), constants) or function, given, constants
        )


def _airflow(line: int, name: str, given: Mapping[str, ast.expr], constants: Constants) -> Iterator[Found]:
    schedule = given.get("schedule", given.get("schedule_interval", given.get("timetable")))
    value = pythonvalues.value(schedule, constants)
    if schedule is None or (
        isinstance(value, ast.Constant) and (value.value is None or value.value in ("@once", "@continuous"))
    ):
        return
    if isinstance(value, (ast.List, ast.BinOp, ast.BoolOp)):
        return  # runs when data arrives, not by the clock
    yield _found(line, name or "DAG", "Airflow DAG", _when(schedule, constants, "unix"), "", "UTC")


def _apscheduler(
    line: int, name: str, command: str, trigger: ast.AST | None, given: Mapping[str, ast.expr], constants: Constants
) -> Iterator[Found]:
    trigger = pythonvalues.value(trigger, constants)
    kind = pythonvalues.text(trigger, constants)
    if isinstance(trigger, ast.Call):
        function, given = pythonvalues.last(trigger.func), pythonvalues.keywords(trigger)
        if function == "from_crontab" and trigger.args:
            yield _found(
                line,
                name,
                "APScheduler",
                (pythonvalues.text(trigger.args[0], constants), "apscheduler"),
                command,
                _zone(given, constants),
            )
            return
        kind = {"CronTrigger": "cron", "IntervalTrigger": "interval", "DateTrigger": "date"}.get(function, "")
    if kind == "interval":
        amount = pythonvalues.delta(given, constants)
        yield _found(line, name, "APScheduler", (every(amount), "") if amount else ("", ""), command)
    elif kind == "cron":
        yield _found(line, name, "APScheduler", _cron(given, constants), command, _zone(given, constants))


def _zone(given: Mapping[str, ast.expr], constants: Constants) -> str:
    return pythonvalues.text(given.get("timezone"), constants)


def _cron(given: Mapping[str, ast.expr], constants: Constants) -> tuple[str, str]:
    """Six fields; those finer than the finest that is given start at their least value (APScheduler's user guide)."""
    named = [field for field in _FIELDS if field in given]
    if not named or {"year", "week"} & set(given):
        return "", ""
    order = ("month", "day", "day_of_week", "hour", "minute", "second")
    finest = max(order.index(field) for field in named)
    words: dict[str, str] = {}
    for index, field in enumerate(order):
        if field in given:
            words[field] = pythonvalues.text(given[field], constants).replace(" ", "")
            if not words[field]:
                return "", ""
        else:
            words[field] = (
                "*" if index < finest or field == "day_of_week" else {"day": "1", "month": "1"}.get(field, "0")
            )
    return " ".join(words[field] for field in _FIELDS), "apscheduler"
