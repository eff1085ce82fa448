"""Scheduled tasks that PowerShell makes, in the words of ``schtasks /create``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fulldress.package.scripts.cmdletarguments import argument
from fulldress.package.scripts.follower import Value, text_of

if TYPE_CHECKING:
    from fulldress.package.scripts.powershellvalues import Values


def registered(script: Values, line: int, row: str, cmdlet: str, given: list[Value], named: dict[str, Value]) -> Value:
    """A scheduled task in the words of ``schtasks /create``."""
    name = argument(given, named, "taskname", "name")
    action, trigger = named.get("action"), named.get("trigger")
    action = action[0] if isinstance(action, list) and action else action
    trigger = trigger[0] if isinstance(trigger, list) and trigger else trigger
    command = ""
    if isinstance(action, dict):
        command = f"{text_of(action.get('execute', ''))} {text_of(action.get('argument', ''))}".strip()
    rhythm: tuple[str, ...] = ()
    if isinstance(trigger, dict):
        kind = next((key for key in ("daily", "weekly", "once", "atlogon", "atstartup") if key in trigger), "")
        at = _clock(text_of(trigger.get("at", "")))
        words = {"atlogon": "onlogon", "atstartup": "onstart"}.get(kind, kind)
        rhythm = (*(("/sc", words) if words else ()), *(("/st", at) if at else ()))
    user = text_of(named.get("user", ""))
    principal = named.get("principal")
    if isinstance(principal, dict):
        user = user or text_of(principal.get("userid", principal.get("groupid", "")))
    if cmdlet == "set-scheduledtask" and not (rhythm or command):
        return None
    script.emit(line, row, ("schtasks", "/create", "/tn", name, *rhythm, *(("/tr", command) if command else ()), *(("/ru", user) if user else ())))  # fmt: skip
    return None


def _clock(text: str) -> str:
    """``3am``, ``3:30 PM``, ``03:00`` as ``HH:MM``."""
    match = re.fullmatch(r"(?i)\s*(\d{1,2})(?::(\d\d))?(?::\d\d)?\s*(am|pm)?\s*", text)
    if not match or (not match[2] and not match[3]):
        return text
    hour = int(match[1]) % 12 + (12 if match[3].lower() == "pm" else 0) if match[3] else int(match[1])
    return f"{hour:02d}:{match[2] or '00'}"
