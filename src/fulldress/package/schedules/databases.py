"""Jobs inside databases: pg_cron, MySQL events, DBMS_SCHEDULER of Oracle and the agent of SQL Server, in SQL texts."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from fulldress.facts import AnyFact
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import agent, calendaring, events, lines, zones
from fulldress.package.schedules.jobs import Clock, Found, facts
from fulldress.patterns import regex

_QUOTED = r"(?:'((?:[^']|'')*)'|\$(\w{0,40})\$(.{0,2000}?)\$\2\$)"
_PG_CRON = regex(
    rf"\bcron\.(schedule|schedule_in_database|unschedule)\s*\(\s*(?:(?:job_?name|schedule)\s*(?::=|=>)\s*)?{_QUOTED}",
    re.S | re.I,
)
_NEXT = regex(r"\s*,\s*(?:\w+\s*(?::=|=>)\s*)?(?:'((?:[^']|'')*)'|\$(\w{0,40})\$(.{0,8000}?)\$\2\$)", re.S)
_EVENT = regex(
    r"(?is)\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:DEFINER\s*=\s*\S+\s+)?EVENT\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w.`\"]+)\s+ON\s+SCHEDULE\s+"
    r"((?:EVERY|AT)\b.{0,400}?)(?=\bON\s+COMPLETION\b|\bENABLE\b|\bDISABLE\b|\bCOMMENT\b|\bDO\b)(.{0,600}?)\bDO\b\s*(?=(.{0,200}))"
)
_ORACLE = regex(r"(?is)\bDBMS_SCHEDULER\s*\.\s*CREATE_JOB\s*\((.{0,4000}?)\)\s*;")
_AGENT = regex(
    r"(?is)\b(?:msdb\s*\.\s*)?(?:dbo\s*\.\s*)?sp_add_(?:jobschedule|schedule)\b(.{0,2000}?)(?=;|\bGO\b|\bEXEC\b|\Z)"
)


def read(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """The jobs that one SQL text makes."""
    data = member.data.lower()
    if b"cron." in data:
        yield from _pg_cron(package, member, clock)
    if b"event" in data and b"on schedule" in re.sub(rb"\s+", b" ", data):
        yield from _events(package, member, clock)
    if b"dbms_scheduler" in data:
        yield from _oracle(package, member, clock)
    if b"sp_add_" in data:
        yield from _agent(package, member, clock)


def _plain(text: str) -> str:
    """Comments as spaces, lines kept."""
    return re.sub(
        r"('(?:[^']|'')*')|--[^\n]*|/\*.*?(?:\*/|\Z)", lambda m: m[1] or re.sub(r"[^\n]", " ", m[0]), text, flags=re.S
    )


def _words(match: re.Match[str], first: int) -> str:
    value = match[first] if match[first] is not None else (match[first + 2] or "")
    return " ".join(value.replace("''", "'").split())


def _pg_cron(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    text = _plain(member.text)
    for match in _PG_CRON.finditer(text):
        if match[1].lower() == "unschedule":
            continue
        given, at = [_words(match, 2)], match.end()
        while len(given) < 4 and (more := _NEXT.match(text, at)):
            given.append(_words(more, 1))
            at = more.end()
        if len(given) < 2:
            continue
        named = len(given) >= 3 or match[1].lower() == "schedule_in_database"
        name, expression, command = (
            (given[0], given[1], given[2] if len(given) > 2 else "") if named else ("", *given[:2])
        )
        zone, assumed = zones.own(package, "pg_cron")
        seconds = re.fullmatch(r"(\d+) seconds?", expression)
        yield from facts(
            package,
            member,
            Found(
                line=lines.number(text, match.start()), name=name or command[:60], mechanism="pg_cron", expression=expression,
                dialect="" if seconds else "pg_cron", command=command, zone=zone, script="",
                remarks=() if seconds else assumed,
            ),
            clock,
        )  # fmt: skip


def _events(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    text = _plain(member.text)
    for match in _EVENT.finditer(text):
        disabled = re.search(r"(?i)\bDISABLE\b", match[3]) is not None
        schedule = " ".join(match[2].split())
        counted = events.hours(schedule, clock.at, clock.zone)
        yield from facts(
            package,
            member,
            Found(
                line=lines.number(text, match.start()), name=match[1].strip('`"'), mechanism="MySQL event",
                expression=schedule, command=" ".join(match[4].split())[:200], script="", enabled=not disabled,
                runs=counted.runs, remarks=tuple(filter(None, ("runs only while event_scheduler is on", counted.remark))),
            ),
            clock,
        )  # fmt: skip


_START = regex(r"(?is)\bstart_date\s*=>\s*[^,]*?'(\d{4}-\d\d-\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?[\d.]*(?:\s+([A-Za-z]+/[\w/+-]+|UTC|GMT))?[^']*'")  # fmt: skip


def _oracle(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    text = _plain(member.text)
    for match in _ORACLE.finditer(text):
        given = {
            key.lower(): value.replace("''", "'")
            for key, value in re.findall(r"(\w+)\s*=>\s*'((?:[^']|'')*)'", match[1])
        }
        enabled = re.search(r"(?i)\benabled\s*=>\s*TRUE", match[1]) is not None
        start = _START.search(match[1])
        begun = (int(start[2]), int(start[3]), int(start[4] or 0)) if start else None
        rhythm = given.get("repeat_interval", "")
        counted = calendaring.counted(rhythm, begun) if rhythm else calendaring.Counted("")
        off = "" if enabled else "made disabled: it runs once DBMS_SCHEDULER.ENABLE is called"
        zone = (start[5] or "") if start else ""
        yield from facts(
            package,
            member,
            Found(
                line=lines.number(text, match.start()), name=given.get("job_name", "DBMS_SCHEDULER job"), mechanism="Oracle scheduler",
                expression=rhythm or given.get("schedule_name") or "once",
                command=" ".join(given.get("job_action", given.get("program_name", "")).split()), script="",
                dialect="oracle" if counted.fields else "", counted=counted.fields, zone=zone,
                remarks=tuple(filter(None, (off, counted.why))),
            ),
            clock,
        )  # fmt: skip


_JOB = regex(r"(?is)\bsp_add_job\b((?:[^';]|'[^']*'){0,4000}?)(?=;|\bGO\b|\bEXEC\b|\Z)")
_STEP = regex(r"(?is)\bsp_add_jobstep\b((?:[^';]|'[^']*'){0,4000}?)(?=;|\bGO\b|\bEXEC\b|\Z)")


def _parameters(text: str) -> dict[str, str]:
    """``@name = N'value'`` of a call."""
    return {
        key.lower(): quoted.replace("''", "'") or plain
        for key, quoted, plain in re.findall(r"@(\w+)\s*=\s*(?:N?'((?:[^']|'')*)'|(\w+))", text)
    }


def _agent(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    text = _plain(member.text)
    jobs = [(match.start(), _parameters(match[1])) for match in _JOB.finditer(text)]
    steps = [(match.start(), _parameters(match[1])) for match in _STEP.finditer(text)]
    starts = [at for at, _ in jobs]
    for match in _AGENT.finditer(text):
        given = _parameters(match[1])
        if "freq_type" not in given:
            continue
        rhythm = agent.rhythm(given)
        which = bisect_right(starts, match.start()) - 1
        begun = starts[which] if which >= 0 else 0
        job = jobs[which][1].get("job_name", "") if which >= 0 else ""
        name = given.get("job_name") or job or given.get("schedule_name") or given.get("name") or "agent job"
        nearby = steps[bisect_right(steps, begun, key=lambda step: step[0]) : bisect_right(steps, match.start(), key=lambda step: step[0])]  # fmt: skip
        own = [step["command"] for _, step in nearby if "command" in step and step.get("job_name", name) == name]
        enabled = given.get("enabled", "1") != "0" and (which < 0 or jobs[which][1].get("enabled", "1") != "0")
        yield from facts(
            package,
            member,
            Found(
                line=lines.number(text, match.start()), name=name, mechanism="SQL Server agent", expression=rhythm.words,
                dialect="oracle" if rhythm.fields else "", counted=rhythm.fields, script="", enabled=enabled,
                command=" ".join(" && ".join(own[:20]).split())[:2000],
            ),
            clock,
        )  # fmt: skip
