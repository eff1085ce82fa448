"""One job of any mechanism as a fact: its next runs, its remarks, and the script behind its command."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

from fulldress.facts import AnyFact, Reason, Schedule, Unread, Witness, excerpt
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import behind, clockchanges, fields, tally
from fulldress.patterns import regex


class Clock(msgspec.Struct, frozen=True):
    """The instant from which next runs are counted, and the zone of the hosts."""

    at: datetime
    zone: ZoneInfo


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A job as its mechanism writes it. ``dialect`` is one of :data:`.fields.DIALECTS`, empty where nothing is counted."""

    line: int
    name: str
    mechanism: str
    expression: str
    command: str = ""
    dialect: str = ""
    zone: str = ""  #: the mechanism's own zone, empty: production's
    user: str = ""
    script: str | None = None  #: None: looked for behind ``command``
    target: str = ""
    text: str = ""  #: what the excerpt shows; the expression where it is empty
    enabled: bool = True
    remarks: tuple[str, ...] = ()
    start: datetime | None = None  #: no run before this instant
    counted: str = ""  #: what ``dialect`` reads, where the mechanism writes the expression otherwise
    runs: tuple[datetime, ...] = ()  #: next runs that the mechanism's own reader has counted


def facts(package: Package, member: Member, found: Found, clock: Clock) -> Iterator[AnyFact]:
    """The :class:`Schedule`; before it an :class:`Unread` for an expression that its scheduler would refuse."""
    zone, remarks = clock.zone, list(found.remarks)
    if found.zone:
        try:
            zone = ZoneInfo(found.zone)
        except (KeyError, ValueError, OSError):
            remarks.append(f'"{excerpt(found.zone, 40)}" is no time zone; counted in {zone.key}')
    runs = found.runs
    number = tally.drawn(package)
    if limit := tally.said(member, found.line, number):
        yield limit
    if number > tally.MAX_LISTED:
        return
    if found.dialect and number <= tally.MAX_COUNTED:
        try:
            parsed = fields.parse(found.counted or found.expression, found.dialect)
        except fields.FieldsError as error:
            yield Unread(
                witness=Witness.READ,
                evidence=member.evidence(found.line, text=found.text or found.expression),
                what=f"when {excerpt(found.name, 60)} runs ({found.mechanism})",
                reason=Reason.GRAMMAR,
                detail=f'"{excerpt(found.expression, 60)}": {error}',
                needed=True,
            )
        else:
            begin = max(clock.at, found.start) if found.start else clock.at
            runs = fields.next_runs(parsed, begin, zone)
            remarks += clockchanges.remarks(
                lambda low, high: next((t for t in islice(parsed.local(low, 2), 1) if t < high), None),
                clockchanges.Habit(found.mechanism, parsed.dialect.gap, parsed.dialect.fold),
                zone,
                clock.at,
            )
    script = behind.script(package, found.command, beside=member.path) if found.script is None else found.script
    yield Schedule(
        witness=Witness.READ,
        evidence=member.evidence(found.line, text=found.text or found.expression),
        name=excerpt(found.name, 120),
        mechanism=found.mechanism,
        expression=excerpt(found.expression, 200),
        command=excerpt(found.command, 400),
        user=found.user,
        zone=zone.key,
        next_runs=runs if found.enabled else (),
        script=script,
        target=found.target,
        enabled=found.enabled,
        remarks=tuple(dict.fromkeys(remarks)),
    )


_PERIOD = regex(r"(?i)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def period(text: str) -> timedelta | None:
    """An ISO 8601 period of weeks, days and time, as schedulers write it; None for another text or for months."""
    match = _PERIOD.fullmatch(text.strip())
    if not match or match[1] or match[2] or not any(match.groups()):
        return None
    weeks, days, hours, minutes = (int(match[index] or 0) for index in (3, 4, 5, 6))
    try:
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=float(match[7] or 0))
    except OverflowError:
        return None


def every(amount: timedelta) -> str:
    """A period in words: ``90 s``, ``5 min``, ``2 h``, ``7 d``."""
    seconds = amount.total_seconds()
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"every {seconds / size:.0f} {word}"
    return f"every {seconds:g} s"


def instant(text: str, zone: ZoneInfo) -> datetime | None:
    """An ISO 8601 stamp with or without offset (then local to ``zone``), in UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
