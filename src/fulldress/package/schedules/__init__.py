"""What the package leaves running by itself: crontabs, cron folders and systemd timers.

Schedules that a script writes are found by :mod:`fulldress.package.scripts`, with the parsers of this room.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fulldress.facts import AnyFact, Reason, Schedule, Unread, Witness, excerpt
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import behind, clockchanges, cron, crontabs, elsewhere, fcron, pathunits, tally, timers
from fulldress.package.schedules.jobs import Clock
from fulldress.patterns import regex

#: When Debian's /etc/crontab runs the folders. A host with anacron runs them at other minutes of the same day.
_FOLDERS = {
    "hourly": "17 * * * *",
    "daily": "25 6 * * *",
    "weekly": "47 6 * * 7",
    "monthly": "52 6 1 * *",
    "yearly": "47 7 1 1 *",
}
_CRON_D = regex(r"(?:^|/)cron\.d/[^/]+$|(?:^|/)debian/(?:[^/]+\.)?cron\.d$|(?:^|/)etc/crontab$")
_SPOOL = regex(r"(?:^|/)var/spool/cron/(?:crontabs/|tabs/)?([^/]+)$")
_PERIODIC = regex(r"(?:^|/)cron\.(hourly|daily|weekly|monthly|yearly)/([^/]+)$")
_DEBIAN_PERIODIC = regex(r"(?:^|/)debian/(?:([^/]+)\.)?cron\.(hourly|daily|weekly|monthly)$")
_NO_FILE = ("folder", "link", "device", "empty")


#: Examples among the documents: nobody's cron reads them.
_ASIDE = regex(r"(?:^|/)usr/share/doc/|(?:^|/)(?:docs?|examples?)/(?:[^/]+/)*examples?/")
_ANACRONTAB = regex(r"(?:^|/)etc/anacrontab$|(?:^|/)debian/anacrontab$")


def clock(package: Package) -> tuple[datetime, ZoneInfo]:
    """The instant from which next runs are counted, and the zone of the hosts."""
    at = package.options.at or datetime.now(UTC)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)), zone_of(package.options.zone)


def zone_of(name: str) -> ZoneInfo:
    """A zone by its name; UTC for one that the system doesn't know."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def read(package: Package) -> Iterator[AnyFact]:
    """The schedules that the package's files are, and :class:`Unread` for every line that is none."""
    at, zone = clock(package)
    for path in sorted(package.members):
        member = package.members[path]
        if member.kind in _NO_FILE:
            continue
        if member.kind == "systemd-timer" or (member.name.endswith(".timer") and _is_text(member)):
            if not member.kept:
                yield _too_large(member)
            elif "[Timer]" in member.text:
                yield from timers.read(package, member, at, zone)
        elif member.name.endswith(".path") and member.kept and "[Path]" in member.text:
            yield from pathunits.read(package, member, at, zone)
        elif member.kept and fcron.PLACE.search(member.path) and _is_text(member) and not _ASIDE.search(member.path):
            yield from fcron.read(package, member, Clock(at, zone))
        elif _ANACRONTAB.search(member.path) and member.kept:
            yield from crontabs.anacron(package, member, zone)
        elif periodic := _PERIODIC.search(member.path):
            yield _run_parts(package, member, periodic[1], periodic[2], at, zone)
        elif periodic := _DEBIAN_PERIODIC.search(member.path):
            yield _run_parts(package, member, periodic[2], periodic[1] or "package", at, zone)
        elif (place := _place(member)) is not None:
            if member.kept:
                yield from _crontab(package, member, *place, at, zone)
            else:
                yield _too_large(member)
        elif member.kept:
            yield from elsewhere.read(package, member, Clock(at, zone))


def _place(member: Member) -> tuple[str, bool | None, str] | None:
    """Mechanism, whether a user stands in the lines, and whose crontab it is; None for what is no crontab."""
    if _ASIDE.search(member.path):
        return None
    if _CRON_D.search(member.path):
        placeholder = member.name in (".placeholder", "README", ".gitkeep")
        return None if placeholder or not _is_text(member) else ("cron.d", True, "")
    if (spool := _SPOOL.search(member.path)) and _is_text(member):
        return ("crontab", False, spool[1])
    if member.kind == "crontab":
        return ("crontab", False if member.name.endswith(".crontab") else None, "")
    if member.kind == "cron" or (member.name.endswith((".cron", ".crontab")) and _is_text(member)):
        known = re.search(r"(?:^|\.)cron\.d$", member.name) is not None  # debhelper's debian/NAME.cron.d
        return ("cron.d" if known else "crontab", None, "")
    return None


def _is_text(member: Member) -> bool:
    return b"\0" not in member.data[:4096] and member.kind not in ("elf", "pe", "zip", "gz", "tar", "image")


def _crontab(
    package: Package,
    member: Member,
    mechanism: str,
    with_user: bool | None,
    owner: str,
    at: datetime,
    zone: ZoneInfo,
) -> Iterator[AnyFact]:
    yield from crontab_facts(
        package,
        member,
        member.text,
        mechanism=mechanism,
        with_user=with_user,
        owner=owner,
        at=at,
        zone=zone,
        target=_target(member, mechanism),
    )


def crontab_facts(
    package: Package,
    member: Member,
    text: str,
    *,
    mechanism: str,
    with_user: bool | None,
    owner: str,
    at: datetime,
    zone: ZoneInfo,
    target: str,
    first_line: int = 1,
    installed_by: str = "",
) -> Iterator[AnyFact]:
    """The jobs of a crontab's ``text``, which begins at ``first_line`` of ``member``.

    Scripts that write a crontab call this with what they write; ``installed_by`` is then their path."""
    name = target.rsplit("/", 1)[-1] if target else member.name
    jobs = list(cron.parse(text, with_user=with_user))
    total = sum(isinstance(job, cron.Job) for job in jobs)
    for job in jobs:
        line = job.line + first_line - 1
        number = tally.drawn(package)
        if limit := tally.said(member, line, number):
            yield limit
        if number > tally.MAX_LISTED:
            return
        counted = number <= tally.MAX_COUNTED
        if isinstance(job, cron.BadLine):
            yield Unread(
                witness=Witness.READ,
                evidence=member.evidence(line, text=job.text),
                what=f"a line of {mechanism} {name}",
                reason=Reason.GRAMMAR,
                detail=f"{job.problem}; cron would refuse the whole file"
                if mechanism == "crontab"
                else f"{job.problem}; cron would skip it",
                needed=True,
            )
            continue
        own = job.environment.get("CRON_TZ", "")
        place = zone_of(own) if own else zone
        if own and place.key != own:
            yield Unread(
                witness=Witness.READ,
                evidence=member.evidence(line, text=f"CRON_TZ={own}"),
                what=f"the zone of {name}",
                reason=Reason.GRAMMAR,
                detail=f'"{excerpt(own, 40)}" is no time zone; next runs are counted in {place.key}',
                needed=True,
            )
        command = cron.with_environment(job.command, job.environment)
        script = behind.script(package, command, beside=member.path)
        hindered, certain = crontabs.hindered(package, member, text, job, target if not installed_by else "")
        yield Schedule(
            witness=Witness.READ,
            evidence=member.evidence(line, text=job.text),
            name=name if total == 1 else f"{name} (line {line})",
            mechanism=mechanism,
            expression=job.expression,
            command=excerpt(job.command, 400),
            user=job.user or owner,
            zone=place.key,
            next_runs=cron.next_runs(job.expression, at, place) if counted and not (hindered and certain) else (),
            enabled=not (hindered and certain),
            hindered=hindered,
            remarks=(
                *crontabs.remarks(job, zone, own),
                *(clockchanges.remarks(cron.nominal(job.expression), clockchanges.CRON, place, at) if counted else ()),
            ),
            script="" if script == member.path and not installed_by else script,
            target=target,
            installed_by=installed_by,
        )


def _target(member: Member, mechanism: str) -> str:
    for root in ("etc/cron.d/", "var/spool/cron/", "etc/crontab"):
        index = f"/{member.path}".rfind(f"/{root}")
        if index >= 0:
            return f"/{member.path}"[index:]
    if mechanism == "cron.d":
        name = member.name
        if name.endswith(".cron.d") or name == "cron.d":  # debhelper's debian/NAME.cron.d
            name = name.removesuffix("cron.d").rstrip(".") or "package"
        return f"/etc/cron.d/{name}"
    return ""


def _run_parts(package: Package, member: Member, period: str, name: str, at: datetime, zone: ZoneInfo) -> Schedule:
    expression = _FOLDERS[period]
    hindered, certain = crontabs.hindered_by_name(package, member, name)
    return Schedule(
        witness=Witness.READ,
        evidence=member.evidence(),
        name=name,
        mechanism=f"cron.{period}",
        expression=expression,
        command=f"/etc/cron.{period}/{name}",
        user="root",
        zone=zone.key,
        next_runs=() if hindered and certain else cron.next_runs(expression, at, zone),
        enabled=not (hindered and certain),
        hindered=hindered,
        remarks=(
            *crontabs.for_folder(member),
            *clockchanges.remarks(cron.nominal(expression), clockchanges.CRON, zone, at),
        ),
        script=member.path,
        target=f"/etc/cron.{period}/{name}",
    )


def _too_large(member: Member) -> Unread:
    return Unread(
        witness=Witness.READ,
        evidence=member.evidence(),
        what=f"schedule {member.name}",
        reason=Reason.BUDGET,
        detail=f"{member.size} bytes are too many for a schedule",
        needed=True,
    )


__all__ = ["clock", "crontab_facts", "read", "zone_of"]
