"""The size of the window, from measured rehearsals; and the last minute at which giving up still fits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from fulldress.errors import UsageError
from fulldress.facts import Forecast, Timing

_ZERO = timedelta(0)
_MINUTE = timedelta(minutes=1)
#: With so many runs, their maximum lies above the 95th percentile with 95 % confidence: 1 - 0.95**59 > 0.95.
ENOUGH = 59


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Measured parts, their sum, and the instants that follow from them.

    ``missing`` names acts that no rehearsal measured: the window is then not known, however long the rest is. Instants
    are UTC and None until a start is known. ``end`` is the end of the negotiated window, or of the needed one."""

    forward: timedelta  #: ``growth`` included
    verify: timedelta
    rollback: timedelta
    decision: timedelta
    buffer: timedelta
    runs: int  #: rehearsals whose way forward was measured to its end
    failed: int = 0  #: rehearsals that did not get there; their times are not in the maximum
    missing: tuple[str, ...] = ()
    growth: timedelta = _ZERO  #: what production's size may add, by the upper end of the forecasts' bands
    growth_basis: str = ""
    vendor: timedelta | None = None
    negotiated: timedelta | None = None
    zone: str = "UTC"
    starts: datetime | None = None
    end: datetime | None = None
    decide_by: datetime | None = None  #: the decision to give up begins here at the latest
    latest_abort: datetime | None = None  #: the way back begins here at the latest
    warnings: tuple[str, ...] = ()
    shrink: tuple[str, ...] = ()

    @property
    def total(self) -> timedelta:
        """Forward, verify, decision, measured rollback and buffer, in whole minutes upwards."""
        exact = self.forward + self.verify + self.decision + self.rollback + self.buffer
        return ceil(exact / _MINUTE) * _MINUTE

    @property
    def known(self) -> bool:
        return not self.missing

    @property
    def fits(self) -> bool | None:
        """Whether the negotiated window is long enough; None when nothing was negotiated or something is not measured."""
        return None if self.negotiated is None or not self.known else self.total <= self.negotiated

    @property
    def confidence(self) -> float:
        """Probability that the maximum of so many runs is at least the 95th percentile."""
        return 1 - 0.95**self.runs

    @property
    def slack(self) -> timedelta | None:
        return None if self.negotiated is None else self.negotiated - self.total


def size(
    timings: Iterable[Timing],
    *,
    forecasts: Iterable[Forecast] = (),
    vendor: timedelta | None = None,
    decision: timedelta = timedelta(minutes=5),
    buffer: timedelta = timedelta(minutes=10),
    starts: datetime | None = None,
    negotiated: timedelta | None = None,
    zone: str = "UTC",
) -> Window:
    """From the timings of whole acts (``upgrade``, ``verify``, ``rollback``) and of their steps, and from what the
    migrations are expected to take where production is larger than what was rehearsed.

    The maximum over the runs is taken, of whole runs: the sum of every step's worst time is the time of no run."""
    facts = list(timings)
    whole = {act: _acts(facts, act) for act in ("upgrade", "verify", "rollback")}
    good = {act: [t for t in found.values() if t.outcome == "ok"] for act, found in whole.items()}
    longest = {act: max((t.duration for t in found), default=_ZERO) for act, found in good.items()}
    grown, basis, unknown = _growth(list(forecasts))
    longest["upgrade"] += grown
    missing = tuple(act for act in ("upgrade", "rollback") if not good[act])
    total = sum(longest.values(), decision + buffer)
    rounded = ceil(total / _MINUTE) * _MINUTE
    moments = _moments(starts, negotiated or rounded, longest["rollback"], decision)
    warnings = _clock_changes(starts, moments["end"], zone)
    warnings += unknown
    if negotiated is not None and not missing and rounded > negotiated:
        warnings.append(f"{_minutes(rounded)} min are needed and {_minutes(negotiated)} were negotiated")
    if starts and moments["decide_by"] and moments["decide_by"] < starts + longest["upgrade"]:
        warnings.append("the last moment to give up comes before a forward run as long as the longest one has ended")
    return Window(
        forward=longest["upgrade"],
        verify=longest["verify"],
        rollback=longest["rollback"],
        decision=decision,
        buffer=buffer,
        runs=len(good["upgrade"]),
        failed=len(whole["upgrade"]) - len(good["upgrade"]),
        missing=missing,
        growth=grown,
        growth_basis=basis,
        vendor=vendor,
        negotiated=negotiated,
        zone=zone,
        starts=starts,
        end=moments["end"],
        decide_by=moments["decide_by"],
        latest_abort=moments["latest_abort"],
        warnings=tuple(warnings),
        shrink=_shrink(facts, longest, len(good["upgrade"]), decision, buffer),
    )


def words(window: Window) -> list[str]:
    """The window as two or three lines for a terminal."""
    parts = [
        f"forward {clock(window.forward)} (max of {window.runs}{_grown(window)})",
        f"verify {clock(window.verify)}",
        f"rollback {clock(window.rollback)}",
        f"decision {_minutes(window.decision)} min",
        f"buffer {_minutes(window.buffer)} min",
    ]
    if not window.known:
        return [f"not known: {' and '.join(window.missing)} not measured by any rehearsal", " + ".join(parts)]
    lines = [f"{' + '.join(parts)} = {_minutes(window.total)} min"]
    if window.vendor is not None:
        lines.append(f"the vendor says {_minutes(window.vendor)}.")
    lines.append(
        f"{window.runs} run{'s' if window.runs != 1 else ''}: the longest covers the 95th percentile with "
        f"{window.confidence:.0%} confidence ({ENOUGH} runs: 95%)"
    )
    if window.starts and window.end and window.latest_abort and window.decide_by:
        lines.append(
            f"{local(window.starts, window.zone)} to {local(window.end, window.zone)}: decide by "
            f"{local(window.decide_by, window.zone)}, latest start of the way back {local(window.latest_abort, window.zone)}"
        )
    return [*lines, *(f"warning: {warning}" for warning in window.warnings)]


def local(instant: datetime, zone: str, *, date: bool = False) -> str:
    """``02:13+01:00``: an instant as people at ``zone`` read it, with its offset, so that no hour is meant twice."""
    there = instant.astimezone(_zone(zone))
    offset = there.strftime("%z")
    return there.strftime("%Y-%m-%d %H:%M" if date else "%H:%M") + f"{offset[:3]}:{offset[3:]}"


def clock(duration: timedelta) -> str:
    """``97 s`` as ``1m37``, ``12 s``, ``1h02m``."""
    seconds = round(duration.total_seconds(), 1)
    if seconds < 10:
        return f"{seconds:g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def _grown(window: Window) -> str:
    return f", {clock(window.growth)} of it for production's size" if window.growth else ""


def _growth(forecasts: Sequence[Forecast]) -> tuple[timedelta, str, list[str]]:
    """What the upper ends of the bands add to the longest run, on what basis, and what is not known.

    Of each database the forecast of all its migrations counts, else those of each. A forecast for no more rows than were
    rehearsed adds nothing: the runs themselves are the measure."""
    whole = [one for one in forecasts if not one.statement and not one.migration]
    whole = whole or [one for one in forecasts if not one.statement]
    added, bases, unknown = _ZERO, [], []
    for one in whole:
        if one.rows <= max((sample.rows for sample in one.samples), default=0):
            continue
        if one.high is None:
            unknown.append(
                f"how long {one.migration or 'the migrations'} take at production's size is not known ({one.basis})"
            )
            continue
        longest = timedelta(seconds=max(sample.seconds for sample in one.samples))
        if one.high > longest:
            added += one.high - longest
            bases.append(f"{one.level:.0%} band of {len(one.samples)} runs: {one.basis}")
    return added, "; ".join(bases), unknown


def _acts(facts: Sequence[Timing], act: str) -> dict[int, Timing]:
    """run -> timing of the whole act; where only its steps were timed, their sum."""
    whole = {t.run: t for t in facts if t.act == act and not t.step}
    steps: dict[int, list[Timing]] = defaultdict(list)
    for timing in facts:
        if timing.act == act and timing.step and timing.run not in whole:
            steps[timing.run].append(timing)
    for run, found in steps.items():
        outcome = next((t.outcome for t in found if t.outcome != "ok"), "ok")
        spent = sum((t.duration for t in found), _ZERO)
        whole[run] = msgspec.structs.replace(found[0], step="", duration=spent, outcome=outcome)
    return whole


def _moments(
    starts: datetime | None, length: timedelta, rollback: timedelta, decision: timedelta
) -> dict[str, datetime | None]:
    if starts is None:
        return {"end": None, "latest_abort": None, "decide_by": None}
    end = starts + length
    abort = _floor(end - rollback)
    return {"end": end, "latest_abort": abort, "decide_by": _floor(end - rollback - decision)}


def _floor(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def _clock_changes(starts: datetime | None, end: datetime | None, zone: str) -> list[str]:
    """Where the clocks of ``zone`` change inside the window, or make its start an hour that comes twice."""
    if starts is None or end is None:
        return []
    there, found = _zone(zone), []
    at = starts
    while at < end:
        following = min(at + timedelta(minutes=15), end)
        before, after = at.astimezone(there).utcoffset(), following.astimezone(there).utcoffset()
        if before is not None and after is not None and before != after:
            change = after - before
            found.append(
                f"the clocks in {zone} go {'forward' if change > _ZERO else 'back'} by {_minutes(abs(change))} min between "
                f"{at:%H:%M}Z and {following:%H:%M}Z, inside the window: count in UTC"
            )
        at = following
    for name, instant in (("start", starts), ("end", end)):
        wall = instant.astimezone(there).replace(tzinfo=None)
        offsets = {wall.replace(tzinfo=there, fold=fold).utcoffset() for fold in (0, 1)}
        if len(offsets) > 1:
            found.append(
                f"the {name}, {wall:%H:%M} in {zone}, comes twice that night: it is {instant.astimezone(UTC):%H:%M}Z"
            )
    return found


def _shrink(
    facts: Sequence[Timing], longest: dict[str, timedelta], runs: int, decision: timedelta, buffer: timedelta
) -> tuple[str, ...]:
    """What would make the window smaller, largest first."""
    found: list[tuple[timedelta, str]] = []
    steps: dict[tuple[str, str], timedelta] = defaultdict(timedelta)
    for timing in facts:
        if timing.step and timing.act in ("upgrade", "rollback"):
            key = (timing.act, timing.step)
            steps[key] = max(steps[key], timing.duration)
    for (act, step), spent in steps.items():
        share = spent / longest[act] if longest[act] else 0.0
        if share >= 0.1 and spent >= timedelta(seconds=1):
            found.append(
                (
                    spent,
                    f"{step}: {clock(spent)}, {min(share, 1):.0%} of the way {'forward' if act == 'upgrade' else 'back'}",
                )
            )
    found.append(
        (
            buffer,
            f"the buffer: {_minutes(buffer)} min, which more than {runs} rehearsal{'s' if runs != 1 else ''} could justify lowering",
        )
    )
    found.append((decision, f"the decision: {_minutes(decision)} min, less if its rule is agreed on before"))
    return tuple(text for spent, text in sorted(found, key=lambda item: -item[0]) if spent)[:6]


def _minutes(duration: timedelta) -> str:
    return f"{duration / _MINUTE:g}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise UsageError(f'"{name}" is no time zone that this machine knows. Write it as in Europe/Berlin') from None
