"""Tasks of the Windows Task Scheduler as XML (schema 1.0 to 1.6), mostly UTF-16.

Elements as [MS-TSCH] describes them; a ``StartBoundary`` without offset is local to the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from fulldress.facts import AnyFact, Reason, Schedule, Unread, Witness, excerpt
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import clockchanges, windowsdays, windowsfiles, xmltree
from fulldress.package.schedules.jobs import Clock, every, period

_EVENTS = {
    "BootTrigger": "at the start of the host",
    "LogonTrigger": "at logon",
    "IdleTrigger": "when the host is idle",
    "EventTrigger": "at an event",
    "RegistrationTrigger": "when it is registered",
    "SessionStateChangeTrigger": "when a session changes",
    "WnfStateChangeTrigger": "at a state of the system",
}
_ACCOUNTS = {
    "S-1-5-18": "SYSTEM",
    "S-1-5-19": "LOCAL SERVICE",
    "S-1-5-20": "NETWORK SERVICE",
    "S-1-5-32-544": "Administrators",
}


def is_task(member: Member) -> bool:
    """Whether a file is one, by its namespace in either encoding."""
    mark = "schemas.microsoft.com/windows/2004/02/mit/task"
    head = member.data[:4096]
    return mark.encode() in head or mark.encode("utf-16-le") in head or mark.encode("utf-16-be") in head


def read(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """One :class:`Schedule` a task; its triggers are joined by ``; ``."""
    if not is_task(member):
        return
    text = member.text
    if text[:2] == "<\0":  # UTF-16 without a byte-order mark
        text = member.data.decode("utf-16-le", "replace")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", lambda m: "\n" * m[0].count("\n"), text, count=1)
    try:
        root = xmltree.parse(text)
    except xmltree.BadXml as error:
        yield Unread(
            witness=Witness.READ, evidence=member.evidence(), what=f"the scheduled task {member.name}",
            reason=Reason.GRAMMAR, detail=excerpt(str(error), 120), needed=True,
        )  # fmt: skip
        return
    for task in [root] if root.name == "Task" else [e for e in root.walk() if e.name == "Task"]:
        yield _task(package, member, task, clock)


def _task(package: Package, member: Member, task: xmltree.Element, clock: Clock) -> Schedule:
    uri = task.word("RegistrationInfo", "URI")
    name = uri.strip("\\").rsplit("\\", 1)[-1] or re.sub(r"(?i)\.xml$", "", member.name)
    triggers = task.get("Triggers")
    words, runs, remarks = rhythm(triggers, clock)
    principal = task.get("Principals", "Principal")
    user = (principal.word("UserId") or principal.word("GroupId")) if principal else ""
    if principal and principal.word("RunLevel") == "HighestAvailable":
        remarks.append("with the highest rights of its user")
    settings = task.get("Settings")
    enabled = not (settings and settings.word("Enabled").lower() == "false")
    if settings and settings.word("StartWhenAvailable").lower() == "true":
        remarks.append("made up as soon as it can where it was missed")
    limit = period(settings.word("ExecutionTimeLimit")) if settings else None
    if limit and settings and settings.word("MultipleInstancesPolicy") == "Parallel":
        remarks.append("runs may overlap (MultipleInstancesPolicy Parallel)")
    command = windowsfiles.joined(task)
    return Schedule(
        witness=Witness.READ,
        evidence=member.evidence(triggers.line if triggers else task.line, text="; ".join(words)),
        name=excerpt(name, 120),
        mechanism="Windows task",
        expression="; ".join(words) or "on demand",
        command=excerpt(command, 400),
        user=_ACCOUNTS.get(user, user),
        zone=clock.zone.key,
        next_runs=tuple(sorted(runs)[:3]) if enabled else (),
        script=windowsfiles.script(package, member, command),
        enabled=enabled,
        remarks=tuple(dict.fromkeys(remarks)),
    )


def rhythm(triggers: xmltree.Element | None, clock: Clock) -> tuple[list[str], set[datetime], list[str]]:
    """What the triggers of a task say, its next runs (UTC; three of each trigger), and remarks."""
    words: list[str] = []
    remarks: list[str] = []
    runs: set[datetime] = set()
    for trigger in triggers.children if triggers else ():
        said, found, notes = _trigger(trigger, clock)
        off = trigger.word("Enabled").lower() == "false"
        words.append(f"{said} (switched off)" if off else said)
        runs.update(() if off else found)
        remarks += () if off else notes
    return words, runs, remarks


def _trigger(trigger: xmltree.Element, clock: Clock) -> tuple[str, list[datetime], list[str]]:
    """Words, next runs and remarks of one trigger."""
    notes: list[str] = []
    if delay := period(trigger.word("RandomDelay")):
        notes.append(f"up to {every(delay).removeprefix('every ')} later (RandomDelay)")
    if trigger.name in _EVENTS:
        later = period(trigger.word("Delay"))
        repeat = period(trigger.word("Repetition", "Interval"))
        said = _EVENTS[trigger.name]
        said += f", {every(later).removeprefix('every ')} later" if later else ""
        return said + (f", then {every(repeat)}" if repeat else ""), [], notes
    begin = boundary(trigger.word("StartBoundary"))
    if begin is None:
        return f"{trigger.name} without a start", [], notes
    end = boundary(trigger.word("EndBoundary"))
    dates = windowsdays.of(trigger, begin)
    said = dates.said
    repeat, length = period(trigger.word("Repetition", "Interval")), period(trigger.word("Repetition", "Duration"))
    if repeat and repeat >= timedelta(seconds=30):
        said += f", {every(repeat)}" + (f" for {every(length).removeprefix('every ')}" if length else "")
    zone: tzinfo = begin.tzinfo if begin.tzinfo else clock.zone

    def nominal(low: datetime, high: datetime) -> datetime | None:
        for day in dates.since(low.date()):
            found = datetime.combine(day, begin.time())
            if found >= low:
                return found if found < high else None
        return None

    if begin.tzinfo is None and not repeat:
        notes += clockchanges.remarks(nominal, clockchanges.UNKNOWN, clock.zone, clock.at)
    return said, _runs(dates, begin, end, repeat, length, zone, clock), notes


def _runs(
    dates: windowsdays.Days, begin: datetime, end: datetime | None, repeat: timedelta | None, length: timedelta | None,
    zone: tzinfo, clock: Clock,
) -> list[datetime]:  # fmt: skip
    """The next three instants (UTC)."""
    local = clock.at.astimezone(zone)
    found: list[datetime] = []
    repeat = repeat if repeat and repeat >= timedelta(seconds=30) else None
    span = min(length or timedelta(days=36500), timedelta(days=36500)) if repeat else timedelta(0)
    earliest = dates.first if dates.once or span > timedelta(days=31) else local.date() - span - timedelta(days=1)
    last = end.replace(tzinfo=end.tzinfo or zone).astimezone(UTC) if end else None
    for day in dates.since(earliest):
        start = datetime.combine(day, begin.time(), tzinfo=zone).astimezone(UTC)
        moments = [start]
        if repeat:
            ahead = max(0, -(-(clock.at - start) // repeat)) if clock.at >= start else 0
            moments = [start + repeat * (ahead + extra) for extra in range(4)]
            moments = [moment for moment in moments if moment - start < span]
        found += [moment for moment in moments if moment > clock.at and (last is None or moment <= last)]
        if len(set(found)) >= 6 or (found and not repeat and len(found) >= 3) or (repeat and not length):
            break
    return sorted(set(found))[:3]


def boundary(text: str) -> datetime | None:
    """A date and time of a trigger, with its offset where it has one."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found.replace(microsecond=0) if 1900 < found.year < 9000 else None  # further out, sums leave the calendar
