"""Jobs inside databases: pg_cron, MySQL events, DBMS_SCHEDULER of Oracle and the agent of SQL Server, in SQL texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import lines
from fulldress.package.schedules.jobs import Clock, Found, facts

_QUOTED = r"(?:'((?:[^']|'')*)'|\$(\w{0,40})\$(.{0,2000}?)\$\2\$)"
_PG_CRON = re.compile(
    rf"\bcron\.(schedule|schedule_in_database|unschedule)\s*\(\s*(?:(?:job_?name|schedule)\s*(?::=|=>)\s*)?{_QUOTED}",
    re.S | re.I,
)
_NEXT = re.compile(r"\s*,\s*(?:\w+\s*(?::=|=>)\s*)?(?:'((?:[^']|'')*)'|\$(\w{0,40})\$(.{0,8000}?)\$\2\$)", re.S)
_EVENT = re.compile(
    r"(?is)\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:DEFINER\s*=\s*\S+\s+)?EVENT\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w.`\"]+)\s+ON\s+SCHEDULE\s+"
    r"((?:EVERY|AT)\b.{0,400}?)(?=\bON\s+COMPLETION\b|\bENABLE\b|\bDISABLE\b|\bCOMMENT\b|\bDO\b)(.{0,600}?)\bDO\b\s*(?=(.{0,200}))"
)
_ORACLE = re.compile(r"(?is)\bDBMS_SCHEDULER\s*\.\s*CREATE_JOB\s*\((.{0,4000}?)\)\s*;")
_AGENT = re.compile(
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
        seconds = re.fullmatch(r"(\d+) seconds?", expression)
        yield from facts(
            package,
            member,
            Found(
                line=lines.number(text, match.start()), name=name or command[:60], mechanism="pg_cron", expression=expression,
                dialect="" if seconds else "pg_cron", command=command, zone="UTC", script="",
                remarks=("counted in GMT, pg_cron's zone unless cron.timezone is set",),
            ),
            clock,
        )  # fmt: skip


def _events(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    text = _plain(member.text)
    for match in _EVENT.finditer(text):
        disabled = re.search(r"(?i)\bDISABLE\b", match[3]) is not None
        yield from facts(
            package,
            member,
            Found(
                line=lines.number(text, match.start()), name=match[1].strip('`"'), mechanism="MySQL event",
                expression=" ".join(match[2].split()), command=" ".join(match[4].split())[:200], script="", enabled=not disabled,
                remarks=("runs only while event_scheduler is on",),
            ),
            clock,
        )  # fmt: skip


def _oracle(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    text = _plain(member.text)
    for match in _ORACLE.finditer(text):
        given = {
            key.lower(): value.replace("''", "'")
            for key, value in re.findall(r"(\w+)\s*=>\s*'((?:[^']|'')*)'", match[1])
        }
        enabled = re.search(r"(?i)\benabled\s*=>\s*TRUE", match[1]) is not None
        yield from facts(
            package,
            member,
            Found(
                line=lines.number(text, match.start()), name=given.get("job_name", "DBMS_SCHEDULER job"), mechanism="Oracle scheduler",
                expression=given.get("repeat_interval") or given.get("schedule_name") or "once",
                command=" ".join(given.get("job_action", given.get("program_name", "")).split()), script="",
                remarks=() if enabled else ("made disabled: it runs once DBMS_SCHEDULER.ENABLE is called",),
            ),
            clock,
        )  # fmt: skip


_FREQUENCIES = {"1": "once", "4": "daily", "8": "weekly", "16": "monthly", "32": "monthly", "64": "when the agent starts", "128": "when the host is idle"}  # fmt: skip


def _agent(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    text = _plain(member.text)
    for match in _AGENT.finditer(text):
        given = {
            key.lower(): (quoted or plain)
            for key, quoted, plain in re.findall(r"@(\w+)\s*=\s*(?:N?'([^']*)'|(\w+))", match[1])
        }
        if "freq_type" not in given:
            continue
        hour = given.get("active_start_time", "0").zfill(6)
        daily = (
            given["freq_type"] == "4"
            and given.get("freq_interval", "1") == "1"
            and given.get("freq_subday_type", "1") in ("1", "0x1")
        )
        plain = daily and hour.isdigit() and len(hour) == 6
        yield from facts(
            package,
            member,
            Found(
                line=lines.number(text, match.start()), name=given.get("job_name", given.get("name", "agent job")),
                mechanism="SQL Server agent",
                expression=f"{int(hour[2:4])} {int(hour[:2])} * * *" if plain else f"{_FREQUENCIES.get(given['freq_type'], '?')} from {hour[:2]}:{hour[2:4]}",
                dialect="unix" if plain else "", script="", enabled=given.get("enabled", "1") != "0",
            ),
            clock,
        )  # fmt: skip
