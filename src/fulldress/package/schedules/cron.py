"""Lines of a crontab: crontab(5) as Debian's cron and cronie read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim, CronSimError

from fulldress.patterns import regex

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ASSIGNMENT = regex(r"""\s*(["']?)([A-Za-z_]\w*)\1\s*=\s*(.*?)\s*$""")
_USER = regex(r"[a-z_][a-z0-9_.-]*\$?")
#: Words that start a command, so a sixth field of this kind is no user. Only asked where a file's place doesn't tell.
_COMMANDS = frozenset(
    [
        "cd",
        "test",
        "php",
        "python",
        "python3",
        "perl",
        "ruby",
        "node",
        "sh",
        "bash",
        "dash",
        "echo",
        "printf",
        "find",
        "curl",
        "wget",
        "rsync",
        "exec",
        "env",
        "nice",
        "ionice",
        "sleep",
        "flock",
        "timeout",
        "sudo",
        "su",
        "rm",
        "cp",
        "mv",
        "mysql",
        "psql",
        "pg_dump",
        "mysqldump",
        "systemctl",
        "service",
        "run-parts",
        "logrotate",
        "certbot",
        "docker",
    ]
)
#: Fields of a line; a letter other than the names of months and days is no vixie cron, even if a library reads it.
_FIELD = regex(r"(?i)(?:[\d*,/~-]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)+")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job. ``environment`` holds the assignments above it."""

    line: int
    expression: str
    user: str
    command: str
    environment: dict[str, str]
    text: str  #: the line as written


class BadLine(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    text: str
    problem: str


def parse(text: str, *, with_user: bool | None) -> Iterator[Job | BadLine]:
    """The jobs of a crontab in order. ``with_user``: the sixth field is a user; None: judged line by line."""
    environment: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if (match := _ASSIGNMENT.match(raw)) and not line.startswith("@"):
            value = match[3]
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            environment = {**environment, match[2]: value}
            continue
        yield _job(number, line, with_user, environment)


def _job(number: int, line: str, with_user: bool | None, environment: dict[str, str]) -> Job | BadLine:
    line = line.removeprefix("-") if re.match(r"-[\d*]", line) else line  # SUSE: a dash keeps the job out of the log
    count = 1 if line.startswith("@") else 5
    words = line.split(None, count)
    if len(words) <= count:
        return BadLine(line=number, text=line, problem="a job has five fields of time and a command")
    expression, rest = " ".join(words[:count]), words[count]
    problem = check(expression)
    if problem:
        return BadLine(line=number, text=line, problem=problem)
    user = ""
    first, after = [*rest.split(None, 1), ""][:2]
    if with_user or (with_user is None and _is_user(first, after)):
        if not after.strip() or not _USER.fullmatch(first):
            return BadLine(line=number, text=line, problem=f'"{first[:40]}" is no user, or no command follows it')
        user, rest = first, after.strip()
    return Job(line=number, expression=expression, user=user, command=rest, environment=environment, text=line)


def _is_user(first: str, after: str) -> bool:
    return bool(_USER.fullmatch(first)) and first not in _COMMANDS and bool(re.match(r"\s*(/|\[|\w+ )", after))


def check(expression: str) -> str:
    """What is wrong with an expression; empty if nothing is."""
    if expression.startswith("@"):
        if expression.lower() in _NICKNAMES or expression.lower() == "@reboot" or _every(expression):
            return ""
        return f'"{expression}" is no nickname that cron knows'
    for field in expression.split():
        if not _FIELD.fullmatch(field):
            return f'"{field}" is no field of a crontab'
    if "~" in expression:  # cronie draws a random value; judged by its lowest
        expression = _lowest(expression)
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        return str(error)
    return ""


def _every(expression: str) -> bool:
    """FreeBSD's ``@every_minute`` and cronie's ``@every``-like numbers."""
    return expression.lower() in ("@every_minute",) or bool(re.fullmatch(r"@\d+", expression))


def _lowest(expression: str) -> str:
    return re.sub(r"(\d*)~\d*", lambda m: m[1] or "0", expression)


def next_runs(expression: str, start: datetime, zone: ZoneInfo, count: int = 3) -> tuple[datetime, ...]:
    """The next instants (UTC) after ``start``; none for ``@reboot``, for random fields and for days that never come."""
    expression = "* * * * *" if expression.lower() == "@every_minute" else expression
    fields = _NICKNAMES.get(expression.lower(), expression)
    if fields.startswith("@") or "~" in fields:
        return ()
    found: list[datetime] = []
    try:
        runs = CronSim(fields, start.astimezone(zone))
        for moment in runs:
            found.append(moment.astimezone(UTC))
            if len(found) == count:
                break
    except CronSimError:
        return ()
    return tuple(found)


def nominal(expression: str) -> Callable[[datetime, datetime], datetime | None]:
    """Gives the first local time (naive) of a span that the expression names, whatever the zone makes of it."""
    fields = _NICKNAMES.get(expression.lower(), expression)

    def first(low: datetime, high: datetime) -> datetime | None:
        if fields.startswith("@") or "~" in fields:
            return None
        try:
            found = next(CronSim(fields, low - timedelta(minutes=1)))
        except (CronSimError, StopIteration, OverflowError):
            return None
        return found if found < high else None

    return first


def split_percent(command: str) -> tuple[str, str]:
    """The command that cron runs, and what it feeds to it: the first ``%`` without a backslash ends it (crontab(5))."""
    match = re.search(r"(?<!\\)%", command)
    return (command[: match.start()], command[match.end() :]) if match else (command, "")


def is_cut(command: str) -> bool:
    """Whether a ``%`` cuts a command in two that was meant as one: inside quotes, a substitution or a format of date."""
    before, _ = split_percent(command)
    if before == command:
        return False
    quotes = before.count('"') - before.count('\\"'), before.count("'"), before.count("`")
    return (
        any(number % 2 for number in quotes)
        or before.count("$(") > before.count(")")
        or re.search(r"\bdate\s+(?:-\S+\s+)*\+$", before) is not None
    )


def with_environment(command: str, environment: dict[str, str]) -> str:
    """``command`` with ``$NAME`` of the crontab's own assignments filled in, as the shell that cron starts would."""

    def fill(match: re.Match[str]) -> str:
        return environment.get(match[1] or match[2], match[0])

    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", fill, command)
