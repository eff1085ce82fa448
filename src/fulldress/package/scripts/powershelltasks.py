"""Scheduled tasks and jobs that PowerShell makes, in the words of ``schtasks /create``.

Triggers are handed on as the elements that the cmdlets make of them ([MS-TSCH] 2.5.3), so what reads a task's XML file says
their rhythm, too. A start without a date is of the day on which the script runs: ``@today``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fulldress.package.scripts.cmdletarguments import argument
from fulldress.package.scripts.follower import Value, text_of
from fulldress.package.scripts.timespans import span
from fulldress.package.scripts.values import is_constant
from fulldress.patterns import regex

if TYPE_CHECKING:
    from fulldress.package.scripts.powershellvalues import Values

#: Cmdlets that make a part of a task and change nothing.
PARTS = regex(r"new-scheduledtask(action|trigger|principal|settingsset|)$|new-jobtrigger$|new-scheduledjoboption$")
REGISTERS = frozenset({"register-scheduledtask", "set-scheduledtask", "register-scheduledjob", "set-scheduledjob"})
#: What a cmdlet does to a task that is there already, as schtasks.exe says it.
CHANGES = {
    "disable-scheduledtask": ("/change", "/disable"),
    "enable-scheduledtask": ("/change", "/enable"),
    "unregister-scheduledtask": ("/delete",),
    "unregister-scheduledjob": ("/delete",),
    "start-scheduledtask": ("/run",),
    "stop-scheduledtask": ("/end",),
}
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_KINDS = ("daily", "weekly", "once", "atlogon", "atstartup")


def part(cmdlet: str, given: list[Value], named: dict[str, Value]) -> Value:
    """An action, a trigger, a principal or a whole task that is not registered yet."""
    found: dict[str, Value] = {"@type": cmdlet, **named}
    if cmdlet == "new-scheduledtaskaction" and "execute" not in found and given:
        found["execute"] = given[0]
    if "repetitioninterval" in found:
        found["repetition"] = {
            "interval": found["repetitioninterval"],
            "duration": found.get("repetitionduration", ""),
        }
    return found


def registered(
    script: Values, line: int, row: str, cmdlet: str, given: list[Value], named: dict[str, Value], fed: Value
) -> Value:
    """A task is made known to the scheduler."""
    task = named.get("inputobject", fed)
    named = {**task, **named} if isinstance(task, dict) else named
    name = argument(given, named, "taskname", "name")
    if "xml" in named:
        script.emit(line, row, ("schtasks", "/create", "/tn", name, "/xml", text_of(named["xml"], "a text")))
        return None
    command, user = _command(named), text_of(named.get("user", ""))
    principal = named.get("principal")
    highest = text_of(named.get("runlevel", "")).lower() == "highest"
    if isinstance(principal, dict):
        user = user or text_of(principal.get("userid", principal.get("groupid", "")))
        highest = highest or text_of(principal.get("runlevel", "")).lower() == "highest"
    value = named.get("trigger", [])
    triggers = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
    if cmdlet.startswith("set-") and not (triggers or command):
        return None
    elements = [_element(trigger) for trigger in triggers]
    words = ["schtasks", "/create", "/tn", name]
    if len(triggers) == 1 and not elements[0]:
        kind = next((kind for kind in _KINDS if kind in triggers[0]), "")
        words += ["/sc", kind, "/st", text_of(triggers[0].get("at", ""))]
    for switch, value in (("/tr", command), ("/ru", user), ("/rl", "HIGHEST" if highest else "")):
        words += [switch, value] if value else []
    known = "".join(elements)
    script.emit(line, row, tuple(words), **({"stdin": f"<Triggers>{known}</Triggers>"} if known else {}))
    return {"@type": "a task", "taskname": name}


def changed(script: Values, line: int, row: str, cmdlet: str, given: list[Value], named: dict[str, Value]) -> None:
    """A task that is there already is switched off, on, started or taken away."""
    task = named.get("inputobject")
    name = text_of(task.get("taskname")) if isinstance(task, dict) else argument(given, named, "taskname", "name")
    folder = text_of(named.get("taskpath", "")).rstrip("\\")
    if name:
        verb, *rest = CHANGES[cmdlet]
        script.emit(line, row, ("schtasks", verb, "/tn", f"{folder}\\{name}" if folder else name, *rest))


def _command(named: dict[str, Value]) -> str:
    action = named.get("action")
    action = action[0] if isinstance(action, list) and action else action
    if isinstance(action, dict):
        return f"{text_of(action.get('execute', ''))} {text_of(action.get('argument', ''))}".strip()
    if "filepath" in named:
        return f"powershell.exe -File {text_of(named['filepath'])}"
    return "powershell.exe, a script block" if "scriptblock" in named else ""


def _element(trigger: dict[str, Value]) -> str:
    """A trigger as its element; empty where it begins at a time that only a run would know."""
    kind = next((kind for kind in _KINDS if kind in trigger), "")
    later = span(text_of(trigger.get("randomdelay", "")))
    more = f"<RandomDelay>{later}</RandomDelay>" if later else ""
    if delay := span(text_of(trigger.get("delay", ""))):
        more += f"<Delay>{delay}</Delay>"
    repetition = trigger.get("repetition")
    if isinstance(repetition, dict) and (interval := span(text_of(repetition.get("interval", "")))):
        length = span(text_of(repetition.get("duration", "")))
        more += f"<Repetition><Interval>{interval}</Interval>{f'<Duration>{length}</Duration>' if length else ''}</Repetition>"  # fmt: skip
    if kind in ("atlogon", "atstartup"):
        name = "LogonTrigger" if kind == "atlogon" else "BootTrigger"
        return f"<{name}>{more}</{name}>"
    begin = _start(text_of(trigger.get("at", "")))
    if not kind or not begin:
        return ""
    more = f"<StartBoundary>{begin}</StartBoundary>{more}"
    if kind == "once":
        return f"<TimeTrigger>{more}</TimeTrigger>"
    if kind == "daily":
        step = _count(trigger.get("daysinterval", "1"))
        return f"<CalendarTrigger>{more}<ScheduleByDay><DaysInterval>{step}</DaysInterval></ScheduleByDay></CalendarTrigger>"
    days = "".join(f"<{day}/>" for day in _days(text_of(trigger.get("daysofweek", ""))))
    step = _count(trigger.get("weeksinterval", "1"))
    return (
        f"<CalendarTrigger>{more}<ScheduleByWeek><WeeksInterval>{step}</WeeksInterval>"
        f"<DaysOfWeek>{days}</DaysOfWeek></ScheduleByWeek></CalendarTrigger>"
    )


def _count(value: Value) -> int:
    text = text_of(value)
    return int(text) if text.isdecimal() and len(text) < 9 and 0 < int(text[:4]) < 1000 else 1


def _days(text: str) -> list[str]:
    """Names of days, or their numbers from Sunday on ([System.DayOfWeek])."""
    words = [word.strip().capitalize() for word in re.split(r"[,\s]+", text) if word.strip()]
    return [_DAYS[int(word)] if word.isdecimal() and len(word) == 1 and int(word) < 7 else word for word in words if word in _DAYS or word.isdecimal()]  # fmt: skip


def _start(text: str) -> str:
    """``3am``, ``2:30 PM``, ``03:00``, ``2026-01-10 06:00``, ``1/10/2026 6:00 AM`` as a boundary; empty for anything else."""
    match = re.fullmatch(
        r"(?i)\s*(?:(\d{4})-(\d\d?)-(\d\d?)[T ]+|[\d/.]+\s+)?(\d{1,2})(?::(\d\d))?(?::\d\d)?\s*(am|pm)?\s*", text
    )
    if not match or not is_constant(text) or not (match[5] or match[6]):
        return ""
    hour = int(match[4]) % 12 + (12 if match[6].lower() == "pm" else 0) if match[6] else int(match[4])
    day = f"{match[1]}-{int(match[2]):02d}-{int(match[3]):02d}" if match[1] else "@today"
    return f"{day}T{hour:02d}:{match[5] or '00'}:00" if hour < 24 else ""
