"""Timers of systemd, joined with the service that they start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from fulldress.facts import AnyFact, Reason, Schedule, Unread, Witness, excerpt
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import behind, calendar, clockchanges, enabling
from fulldress.package.schedules.units import EVENTS, MONOTONIC, Assignment, assignments_of, values, with_drop_ins

#: On…= lines of one timer that are looked at.
MAX_CONDITIONS = 200
_YES = ("yes", "true", "on", "1", "y", "t")


def read(package: Package, member: Member, at: datetime, zone: ZoneInfo) -> Iterator[AnyFact]:
    """The schedule of one ``.timer`` file. One fact a timer: its conditions are joined by ``; ``."""
    yield from schedules(package, member, with_drop_ins(package, member), member.name, at, zone)


def installed(
    package: Package, member: Member, text: str, target: str, line: int, at: datetime, zone: ZoneInfo
) -> Iterator[AnyFact]:
    """The schedule of a timer that a script writes to ``target``; ``line`` is where its text begins in the script."""
    unit = [Assignment(a.section, a.key, a.value, a.line + line - 1, a.member) for a in assignments_of(text, member)]
    name = target.rsplit("/", 1)[-1]
    for fact in schedules(package, member, unit, name, at, zone):
        if isinstance(fact, Schedule):
            yield Schedule(
                witness=fact.witness,
                evidence=fact.evidence,
                name=fact.name,
                mechanism=fact.mechanism,
                expression=fact.expression,
                command=fact.command,
                user=fact.user,
                zone=fact.zone,
                next_runs=fact.next_runs,
                script=fact.script,
                target=target,
                installed_by=member.path,
                remarks=tuple(word for word in fact.remarks if "enables it" not in word and "[Install]" not in word),
            )
        else:
            yield fact


def schedules(
    package: Package, member: Member, unit: list[Assignment], name: str, at: datetime, zone: ZoneInfo
) -> Iterator[AnyFact]:
    """The facts of a timer's assignments."""
    stem = name.removesuffix(".timer")
    when = values(unit, "Timer", "OnCalendar", *MONOTONIC, *EVENTS)
    when = [item for item in when if item.key not in EVENTS or item.value.lower() in _YES]
    if not when:
        if stem.endswith("@") or unit:
            yield Unread(
                witness=Witness.READ,
                evidence=member.evidence(),
                what=f"when {name} elapses",
                reason=Reason.NO_DATA,
                detail="no On…= line in its [Timer] section",
            )
        return
    place, expressions = zone, []
    said: list[str] = []
    runs: set[datetime] = set()
    for number, item in enumerate(when, 1):
        if number > MAX_CONDITIONS:
            yield Unread(
                witness=Witness.READ, evidence=item.member.evidence(item.line), what=f"conditions of {name} after the {MAX_CONDITIONS}th",
                reason=Reason.BUDGET, detail=f"{len(when):,} On…= lines in one timer", needed=True,
            )  # fmt: skip
            break
        if item.key != "OnCalendar":
            expressions.append(f"{item.key}={item.value}")
            continue
        try:
            parsed = calendar.parse(item.value)
        except calendar.CalendarError as error:
            yield Unread(
                witness=Witness.READ,
                evidence=item.member.evidence(item.line, text=item.value),
                what=f"OnCalendar={excerpt(item.value, 60)} of {name}",
                reason=Reason.GRAMMAR,
                detail=str(error),
                needed=True,
            )
            continue
        expressions.append(item.value)
        place = ZoneInfo(parsed.zone) if parsed.zone else place
        runs.update(islice(parsed.after(at, zone), 3))
        said += clockchanges.remarks(parsed.first_between, clockchanges.TIMER, place, at)
    if not expressions:
        return
    target = values(unit, "Timer", "Unit")
    service = target[-1].value if target else f"{stem}.service"
    command, user, script = "", "", ""
    found = service_of(package, member, service)
    if found is None:
        yield Unread(
            witness=Witness.READ,
            evidence=member.evidence(when[0].line),
            what=f"what {name} starts",
            reason=Reason.MISSING,
            detail=f"{service} is not in the package",
            needed=True,
        )
    else:
        body = with_drop_ins(package, found)
        starts = values(body, "Service", "ExecStartPre", "ExecStart", "ExecStartPost")
        command = " && ".join(item.value.lstrip("@-:+!") for item in starts)
        users = values(body, "Service", "User")
        user = users[-1].value if users else ("" if "/systemd/user/" in f"/{member.path}" else "root")
        main = " && ".join(item.value.lstrip("@-:+!") for item in starts if item.key == "ExecStart")
        script = behind.script(package, main, beside=found.path) or behind.script(package, command, beside=found.path)
    condition, more = enabling.of(package, name, unit)
    yield Schedule(
        witness=Witness.READ,
        evidence=when[0].member.evidence(when[0].line, text=f"{when[0].key}={when[0].value}"),
        name=stem,
        mechanism="systemd timer",
        expression="; ".join(expressions),
        command=excerpt(command, 400),
        user=user,
        zone=place.key,
        next_runs=tuple(sorted(runs)[:3]),
        script=script,
        condition=condition,
        remarks=tuple(dict.fromkeys((*more, *_said(unit, member), *said))),
        target=f"/{member.inner}" if _stands_in_root(member.inner) else f"/etc/systemd/system/{name}",
    )


def _said(unit: list[Assignment], member: Member) -> Iterator[str]:
    """What shifts the runs, systemd.timer(5)."""
    for key, words in (("RandomizedDelaySec", "up to {} later (RandomizedDelaySec)"),):
        given = values(unit, "Timer", key)
        if given and given[-1].value.lower() not in ("0", "0s"):
            fixed = values(unit, "Timer", "FixedRandomDelay")
            same = ", the same on every run of a host" if fixed and fixed[-1].value.lower() in _YES else ""
            amount = given[-1].value
            yield words.format(excerpt(f"{amount} s" if amount.isdecimal() else amount, 20)) + same
    accuracy = values(unit, "Timer", "AccuracySec")
    if accuracy and re.search(
        r"(?i)\d\s*(?:h|hours?|hr|d|days?|w|weeks?)\b|\d\d\s*(?:m|min|minutes?)\b", accuracy[-1].value
    ):
        yield f"up to {excerpt(accuracy[-1].value, 20)} later, together with others (AccuracySec)"
    persistent = values(unit, "Timer", "Persistent")
    if persistent and persistent[-1].value.lower() in _YES:
        yield "made up right after the start where the host was off at its hour (Persistent)"
    if "/systemd/user/" in f"/{member.path}":
        yield "a timer of every user's own service manager, not of the host"


def _stands_in_root(inner: str) -> bool:
    return inner.startswith(("etc/", "usr/", "lib/"))


def service_of(package: Package, member: Member, name: str) -> Member | None:
    """The unit file of this name; of the same container and folder before any other; the template for an instance."""
    wanted = [name]
    if "@" in name:
        wanted.append(f"{name.split('@', 1)[0]}@.service")
    for want in wanted:
        hits = [other for path, other in package.members.items() if path.rsplit("/", 1)[-1] == want and other.kept]
        hits = [other for other in hits if other.kind not in ("folder", "link", "device")]
        if hits:
            folder = member.path.rsplit("/", 1)[0]
            return min(
                hits,
                key=lambda other: (
                    other.path.rsplit("/", 1)[0] != folder,
                    other.prefix != member.prefix,
                    len(other.path),
                    other.path,
                ),
            )
    return None
