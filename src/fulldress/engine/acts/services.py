"""Services and schedules."""

from __future__ import annotations

import hashlib

from fulldress.engine.acts.act import Act, Context, Done
from fulldress.engine.acts.files import put_back
from fulldress.engine.keeping import keep
from fulldress.engine.venue import ServiceState
from fulldress.findings import Outcome
from fulldress.runbook.steps import Schedule, Service

#: action -> (field of the state, value it leaves)
_LEAVES: dict[str, tuple[str, bool]] = {
    "start": ("active", True),
    "stop": ("active", False),
    "enable": ("enabled", True),
    "disable": ("enabled", False),
}
_INVERSE = {"active": {True: "start", False: "stop"}, "enabled": {True: "enable", False: "disable"}}

#: What stands before a line of a crontab that was put out of use.
MARK = "# disabled by fulldress: "


class ControlService(Act[Service]):
    def do(self, step: Service, at: Context) -> Done:
        before = at.venue.service(step.unit, "status", step=step.name)
        if not before.known:
            return Done(Outcome.FAIL, f"{step.unit}: {before.detail or 'no such unit'}")
        at.keep(active=before.active, enabled=before.enabled)
        after = at.venue.service(step.unit, step.action, step=step.name)
        return _judged(after, step.action)

    def settle(self, step: Service, at: Context) -> Done:
        """Start, stop, enable and disable leave a state that can be seen; a restart leaves none."""
        if step.action not in _LEAVES or step.verify:
            return super().settle(step, at)
        field, wanted = _LEAVES[step.action]
        now = getattr(at.venue.service(step.unit, "status", step=step.name), field)
        if now is None:
            return Done(Outcome.UNKNOWN, f"{step.unit}: state unknown")
        return Done(Outcome.PASS if now is wanted else Outcome.FAIL, f"{step.unit}: {field} {now}")

    def undo(self, step: Service, at: Context) -> Done:
        if not at.position.kept:
            return Done(Outcome.PASS, "nothing was changed yet")
        field = _LEAVES.get(step.action, ("active", True))[0]
        was = at.position.kept.get(field)
        if was is None:
            return Done(Outcome.UNKNOWN, f"{step.unit}: its state before is not known")
        now = at.venue.service(step.unit, "status", step=step.name)
        if getattr(now, field) is was and step.action in _LEAVES:
            return Done(Outcome.PASS, f"{step.unit}: {field} as before")
        action = _INVERSE[field][was] if step.action in _LEAVES else ("restart" if was else "stop")
        after = at.venue.service(step.unit, action, step=step.name)
        if getattr(after, field) is not was:
            return Done(Outcome.FAIL, f"{step.unit}: {field} is not {was} again {after.detail}".rstrip())
        return Done(Outcome.PASS, f"{step.unit}: {action}")


def _judged(state: ServiceState, action: str) -> Done:
    if not state.known:
        return Done(Outcome.FAIL, f"{state.unit}: {state.detail or 'no such unit'}")
    field, wanted = _LEAVES.get(action, ("active", True))
    now = getattr(state, field)
    if now is None:
        return Done(Outcome.UNKNOWN, f"{state.unit}: {state.detail or 'its state cannot be seen'}")
    if now is not wanted:
        return Done(Outcome.FAIL, f"{state.unit}: not {field} after {action}. {state.detail}".rstrip(". "))
    return Done(Outcome.PASS, f"{state.unit}: {action}")


#: Units that start others, and are switched off as units; all other jobs stand in lines of files.
_UNITS = (".timer", ".path")


class DisableSchedule(Act[Schedule]):
    """A timer unit by its unit, a cron file by its lines; a file with no other job is put aside whole."""

    repeatable = True

    def do(self, step: Schedule, at: Context) -> Done:
        if step.target.endswith(_UNITS) or "/" not in step.target:
            return self._timer(step, at)
        there = at.venue.stat(step.target)
        if there is None:
            at.keep(before=keep(step.target, at.venue, at.journal).plain(), after="")
            brings = f"; looked at again right after {step.after}" if step.after else ""
            return Done(Outcome.PASS, f"{step.target}: not there{brings}")
        old = at.venue.read(step.target).decode("utf-8", "surrogateescape")
        new = switch(old, step.expression, off=step.action == "disable")
        aside = step.action == "disable" and not jobs(new)
        data = new.encode("utf-8", "surrogateescape")
        after = "" if aside else hashlib.sha256(data).hexdigest()
        at.keep(before=keep(step.target, at.venue, at.journal).plain(), after=after)
        if aside:
            at.venue.remove(step.target)
            return Done(Outcome.PASS, f"{step.target}: put aside, its bytes are kept")
        if step.action == "disable" and step.expression and matching(new, step.expression):
            return Done(Outcome.FAIL, f"{step.target}: {step.expression} still runs")
        if new != old:
            at.venue.write(step.target, data, None)
        return Done(Outcome.PASS, f"{step.target}: {step.action}d")

    def undo(self, step: Schedule, at: Context) -> Done:
        if step.target.endswith(_UNITS) or "/" not in step.target:
            return self._timer_back(step, at)
        return put_back(step.target, at)

    def _timer(self, step: Schedule, at: Context) -> Done:
        unit = _timer_unit(step.target)
        before = at.venue.service(unit, "status", step=step.name)
        at.keep(known=before.known, active=before.active, enabled=before.enabled)
        if not before.known:
            return Done(
                Outcome.PASS, f"{unit}: not there" + (f"; looked at again after {step.after}" * bool(step.after))
            )
        on = step.action == "enable"
        at.venue.service(unit, step.action, step=step.name)
        after = at.venue.service(unit, "start" if on else "stop", step=step.name)
        if after.active is not on:
            return Done(Outcome.FAIL if after.active is not None else Outcome.UNKNOWN, f"{unit}: {after.detail}")
        return Done(Outcome.PASS, f"{unit}: {step.action}d")

    def _timer_back(self, step: Schedule, at: Context) -> Done:
        unit, kept = _timer_unit(step.target), at.position.kept
        if not kept or not kept["known"]:
            return Done(Outcome.PASS, f"{unit}: was not there")
        at.venue.service(unit, "enable" if kept["enabled"] else "disable", step=step.name)
        after = at.venue.service(unit, "start" if kept["active"] else "stop", step=step.name)
        good = after.active is kept["active"]
        return Done(Outcome.PASS if good else Outcome.FAIL, f"{unit}: {'as before' if good else after.detail}")


def _timer_unit(target: str) -> str:
    name = target.rsplit("/", 1)[-1]
    return name if name.endswith(_UNITS) else f"{name}.timer"


def jobs(text: str) -> list[str]:
    """Lines of a crontab that start something."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return [line for line in lines if not _assigns(line)]


def matching(text: str, expression: str) -> list[str]:
    """Jobs with this expression; of no expression: all jobs."""
    return [line for line in jobs(text) if not expression or _expression(line, expression)]


def switch(text: str, expression: str, *, off: bool) -> str:
    """Put the jobs with this expression out of use, or back in use; everything else stays byte for byte."""
    out: list[str] = []
    for line in text.splitlines(keepends=True):
        if off and matching(line, expression):
            line = MARK + line
        elif not off and line.startswith(MARK) and (not expression or _expression(line[len(MARK) :], expression)):
            line = line[len(MARK) :]
        out.append(line)
    return "".join(out)


def _assigns(line: str) -> bool:
    name, equals, _ = line.partition("=")
    return bool(equals) and name.strip().isidentifier()


def _expression(line: str, expression: str) -> bool:
    wanted = expression.split()
    return line.split()[: len(wanted)] == wanted
