"""Tasks of the Windows Task Scheduler that a script makes, switches off, removes or starts: ``schtasks`` and its kin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from fulldress.facts import AnyFact, FileEffect, Reason, Restart, Schedule, Unread, Witness
from fulldress.package.schedules import schtasks, windows, xmltree
from fulldress.package.schedules.jobs import Clock
from fulldress.package.scripts.events import Call
from fulldress.package.scripts.rule import Context
from fulldress.package.scripts.sourced import member_of
from fulldress.package.scripts.values import show

#: Where the scheduler keeps its tasks, one file each.
_FOLDER = "C:\\Windows\\System32\\Tasks\\"


def facts(event: Call, context: Context) -> Iterator[AnyFact]:
    """``event`` is a call of ``schtasks``."""
    given = schtasks.options(event.arguments)
    name = show(given.get("tn", "")).lstrip("\\")
    if "create" in given:
        yield from _created(event, context, {key: value for key, value in given.items() if key != "create"})
    elif name and ("delete" in given or "change" in given):
        detail = "a scheduled task" if "delete" in given else _change(given)
        if detail:
            action = "delete" if "delete" in given else "change"
            path = context.words(_FOLDER + name, 300)
            yield FileEffect(
                witness=Witness.READ, evidence=context.evidence(event), path=path, action=action, detail=detail
            )
    elif name and ("run" in given or "end" in given):
        yield Restart(
            witness=Witness.READ,
            evidence=context.evidence(event),
            unit=context.words(f"task {name}", 80),
            action="start" if "run" in given else "stop",
            command=context.command(event),
        )


def _change(given: dict[str, str]) -> str:
    if "disable" in given or "enable" in given:
        return f"the scheduled task is switched {'off' if 'disable' in given else 'on'}"
    said = [f"/{key} {show(given[key])}" for key in ("tr", "ru", "st", "sd", "ri", "du", "et", "ed") if given.get(key)]
    return f"a scheduled task: {', '.join(said)}" if said else ""


def _created(event: Call, context: Context, given: dict[str, str]) -> Iterator[AnyFact]:
    if "xml" in given:
        yield from _from_a_file(event, context, given)
        return
    clock = Clock(context.at, context.zone)
    expression, runs, remarks = _rhythm(event, given, clock)
    if given.get("rl", "").upper() == "HIGHEST":
        remarks = (*remarks, "with the highest rights of its user")
    yield Schedule(
        witness=Witness.READ,
        evidence=context.evidence(event),
        name=context.words(given.get("tn", "a task")),
        mechanism="Windows task",
        expression=show(expression),
        command=context.words(given.get("tr", ""), 400),
        user=show(given.get("ru", "")),
        zone=context.zone.key,
        next_runs=runs,
        remarks=remarks,
        script=_beside(event, context, show(given.get("tr", ""))),
        installed_by=event.member.path,
    )


def _rhythm(event: Call, given: dict[str, str], clock: Clock) -> tuple[str, tuple[datetime, ...], tuple[str, ...]]:
    """Words, next runs and remarks, of options or of the triggers that a cmdlet made (:mod:`.powershelltasks`)."""
    text = event.stdin or schtasks.triggers(given)
    if not text:
        return *schtasks.rhythm(given, clock), ()
    today = clock.at.astimezone(clock.zone).date()
    root = xmltree.parse(text.replace("@today", today.isoformat()))
    words, runs, remarks = windows.rhythm(root, clock)
    counted = re.search(r"<(?:Days|Weeks)Interval>(?!1<)", text)  # from the day on that the script runs
    known = () if counted and "@today" in text else tuple(sorted(runs)[:3])
    said = (
        "; ".join(words).replace(f" at {today.isoformat()} ", " on the day at ")
        if "@today" in text
        else "; ".join(words)
    )
    return said or "on demand", known, tuple(dict.fromkeys(remarks))


def _from_a_file(event: Call, context: Context, given: dict[str, str]) -> Iterator[Unread]:
    """``/xml FILE``: a task of the package is a schedule by itself."""
    text = given["xml"]
    path = show(text).strip().split("Get-Content ")[-1].strip("$(){} ")
    found = member_of(context.package, event.member, path.replace("\\", "/").removeprefix("./")) if path else None
    if (found is not None and windows.is_task(found)) or "schemas.microsoft.com/windows/2004/02/mit/task" in text:
        return
    name = show(given.get("tn", "")) or "a task"
    yield Unread(
        witness=Witness.READ,
        evidence=context.evidence(event),
        what=f"the scheduled task {context.words(name)}",
        reason=Reason.NO_DATA,
        detail="the XML that it is made from is not in the package",
        needed=True,
    )


def _beside(event: Call, context: Context, command: str) -> str:
    """The member of the same container that a Windows command names by its last part."""
    match = re.search(r"([^\\/\s\"']+\.(?:bat|cmd|ps1|exe|vbs))\b", command, re.I)
    prefix = event.member.prefix
    for path, member in context.package.members.items() if match else ():
        if match and member.prefix == prefix and member.name.lower() == match[1].lower():
            return path
    return ""
