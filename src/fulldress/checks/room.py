"""FD254-FD258: room and time around the migrations: space, WAL that cannot go, limits of time, and what size does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, brief, rule, says
from fulldress.facts import Fact, Forecast, Keeper, Limit, Migration, Room, Setting, Wait, Witness, Work
from fulldress.findings import Severity
from fulldress.patterns import regex

_CALLED = {"data": "room for data", "wal": "room for WAL", "temp": "room for temporary files"}
_SET = regex(
    r"(?i)^SET\s+(?:LOCAL\s+|SESSION\s+)?(lock_timeout|statement_timeout|idle_in_transaction_session_timeout)\s*(?:=|TO)\s*'?([\d.]+)\s*([a-z]*)'?"
)
_ON = {"lock_timeout": "wait", "statement_timeout": "statement", "idle_in_transaction_session_timeout": "idle"}
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "": 1e-3}
#: Settings of poolers and clients that end what takes longer: the unit of a bare number, in seconds, and what they end.
_CLIENTS = {
    "query_timeout": (1.0, "statement"),  # pgbouncer
    "idle_transaction_timeout": (1.0, "idle"),  # pgbouncer
    "transaction_timeout": (1.0, "whole"),  # pgbouncer 1.25
    "sockettimeout": (1.0, "statement"),  # JDBC
    "command_timeout": (1.0, "statement"),  # asyncpg, Npgsql "Command Timeout"
    "commandtimeout": (1.0, "statement"),
    "statement_timeout": (1e-3, "statement"),
    "lock_timeout": (1e-3, "wait"),
    "idle_in_transaction_session_timeout": (1e-3, "idle"),
    "activedeadlineseconds": (1.0, "whole"),
}
_NUMBER = regex(r"^\s*'?\"?([\d.]+)\s*(us|ms|s|min|h|d)?\"?'?\s*$")
#: A rehearsed time of this part of a limit leaves too little for a busier hour.
_NEAR = 0.5
_LONGER = timedelta(minutes=1)


@rule("FD254", Severity.BLOCKER, "The migrations need more room than there is")
def no_room(index: Index) -> Iterator[Hit]:
    for room in index.of(Room):
        if room.free is None or not room.needed or room.needed <= room.free * 0.8:
            continue
        over = room.needed > room.free
        recycled = ""
        if room.what == "wal":
            if not over:
                continue
            recycled = "; less is kept at a time where the archive and every standby keep up"
        most = f", most of it for {brief(room.largest[0], 60)}" if room.largest else ""
        yield Hit(
            title=f"{_CALLED.get(room.what, room.what)}: {_size(room.needed)} needed beside what is there, "
            f"{_size(room.free)} free{most}{recycled}",
            subject=f"room {room.what}",
            remedy="Make room before the window, or have the statements apart, each in a transaction of its own, so that what one "
            "replaces is gone before the next begins.",
            testimony=(says(room, f"{room.needed:,} bytes by {room.basis or 'the rehearsal'}; {room.free:,} free"),),
            severity=None if over and not recycled else Severity.MAJOR,
        )


@rule("FD255", Severity.MAJOR, "WAL cannot go while the migrations write it")
def kept(index: Index) -> Iterator[Hit]:
    wal = max((room for room in index.of(Room) if room.what == "wal"), key=lambda room: room.needed, default=None)
    for keeper in index.of(Keeper):
        if keeper.active:
            continue
        needed = wal.needed if wal else 0
        held = (keeper.behind or 0) + needed
        archive = keeper.kind == "archive"
        words = f"{keeper.name}: " if archive else f"{keeper.kind} {keeper.name}: "
        words += "archiving fails" if archive else "nobody reads from it"
        words += f", and {_size(keeper.behind)} of WAL wait already" if keeper.behind else ""
        words += f"; the migrations write {_size(needed)} more" if needed else ""
        lost = keeper.most is not None and held > keeper.most
        full = wal is not None and wal.free is not None and held > wal.free
        if lost and keeper.most is not None:
            words += (
                f", more than max_slot_wal_keep_size allows ({_size(keeper.most)}): who reads from it has to start anew"
            )
        elif full:
            words += ": the disk is full before they end"
        yield Hit(
            title=words,
            subject=keeper.name,
            remedy="Repair the archive's command before the window, and wait until it has caught up."
            if archive
            else f"Bring its reader back and let it catch up, or drop it: SELECT pg_drop_replication_slot('{keeper.name}');",
            testimony=(
                says(keeper, keeper.detail or f"not active, {_size(keeper.behind or 0)} behind"),
                *([says(wal, f"{wal.needed:,} bytes of WAL")] if wal else []),
            ),
            severity=Severity.BLOCKER if full or lost else None,
        )


@rule("FD256", Severity.MAJOR, "A limit of time ends what the migrations need longer for")
def cut_short(index: Index) -> Iterator[Hit]:
    longest = _longest(index)
    for limit in index.of(Limit):
        yield from _cut(limit.limit, limit.on, limit.name, limit.who, limit, longest)
    for limit in _of_scripts(index):
        yield from _cut(limit.limit, limit.on, limit.name, limit.who, limit, _longest(index, limit.who))


@rule("FD257", Severity.MAJOR, "At production's size a migration takes much longer than it was rehearsed")
def grows(index: Index) -> Iterator[Hit]:
    for forecast in index.of(Forecast):
        if forecast.statement or forecast.high is None or not forecast.samples:
            continue
        measured = timedelta(seconds=max(size.seconds for size in forecast.samples))
        if forecast.high < _LONGER or forecast.high < 2 * measured:
            continue
        band = f"{_clock(forecast.low or timedelta())} to {_clock(forecast.high)}"
        yield Hit(
            title=f"{forecast.migration or 'the migrations'}: {band} at production's size, {_clock(measured)} in the rehearsal",
            subject=forecast.migration or "all migrations",
            remedy="Size the window by the upper end, or rehearse on a copy of production's own size: the band is then as wide as runs differ.",
            testimony=(
                says(
                    forecast,
                    f"{band} ({forecast.model}, {forecast.level:.0%}, {len(forecast.samples)} runs): {forecast.basis}",
                ),
            ),
        )


@rule("FD258", Severity.MAJOR, "A pooler's or client's limit of time ends what the migrations need longer for")
def cut_by_client(index: Index) -> Iterator[Hit]:
    longest = _longest(index)
    for setting in index.of(Setting, Witness.RUNNING):
        key = setting.key.rpartition(".")[2].rpartition("/")[2].lower().replace("-", "_").replace(" ", "_")
        known = _CLIENTS.get(key)
        match = _NUMBER.match(setting.value)
        if known is None or match is None or not float(match[1]):
            continue
        unit, on = known
        seconds = float(match[1]) * (_UNITS[match[2]] if match[2] else unit)
        yield from _cut(timedelta(seconds=seconds), on, setting.key, setting.component, setting, longest)


def _cut(
    limit: timedelta, on: str, name: str, who: str, said: Fact, longest: dict[str, tuple[timedelta, str, Fact]]
) -> Iterator[Hit]:
    found = longest.get(on)
    if found is None or found[0] < limit * _NEAR:
        return
    took, what, fact = found
    over = took >= limit
    forecast = isinstance(fact, Forecast)
    where = f" of {who}" if who else ""
    verb = "ends" if over else "is near to"
    how = "may take" if forecast else "took"
    parts = {
        "statement": "a statement",
        "wait": "the wait for a lock",
        "idle": "the pause in a transaction",
        "whole": "a migration",
    }
    yield Hit(
        title=f"{name}{where}, {_clock(limit)}, {verb} {parts[on]} that {how} {_clock(took)}: {brief(what, 60)}",
        subject=f"{name} {who}".strip(),
        remedy=f"For the session of the migrations set {name} to more than twice the time, or 0; "
        "and shorter again for those who have to wait for them."
        if on != "wait"
        else "Begin when nobody holds the table, and try again: the limit protects those who queue behind the migration.",
        testimony=(
            says(said, f"{name} = {_clock(limit)}"),
            says(fact, f"{how} {_clock(took)}: {brief(what)}"),
        ),
        severity=Severity.BLOCKER if over and not forecast else None,
    )


def _longest(index: Index, only: str = "") -> dict[str, tuple[timedelta, str, Fact]]:
    """What each kind of limit acts on: the longest that was seen, or that has to be expected at production's size.
    ``only``: of this migration."""
    found: dict[str, list[tuple[timedelta, str, Fact]]] = defaultdict(list)
    works = [work for work in index.of(Work, Witness.OBSERVED) if not work.error and only in ("", work.migration)]
    for work in works:
        found["statement"].append((work.duration, work.statement, work))
    for forecast in index.of(Forecast):
        if forecast.high is not None and only in ("", forecast.migration):
            on = "statement" if forecast.statement else "whole"
            found[on].append((forecast.high, forecast.statement or forecast.migration, forecast))
    for wait in index.of(Wait, Witness.OBSERVED):
        if only in ("", wait.migration) and wait.migration and wait.victim.startswith(f"{wait.migration}:"):
            found["wait"].append((wait.worst, f"{wait.victim} behind {wait.blocker}", wait))
    wrapped = {m.name for m in index.of(Migration, Witness.OBSERVED) if m.transaction}
    for m in index.of(Migration, Witness.OBSERVED):
        if m.duration is not None:
            found["whole"].append((m.duration, m.name, m))
    for first, second in pairwise(sorted(works, key=lambda work: work.started)):
        pause = second.started - (first.started + first.duration)
        if first.migration == second.migration and first.migration in wrapped:
            found["idle"].append((pause, f"before {second.statement}", second))
    return {on: max(every, key=lambda one: one[0]) for on, every in found.items()}


def _of_scripts(index: Index) -> Iterator[Limit]:
    """Limits that the scripts set for themselves."""
    seen: set[tuple[str, timedelta]] = set()
    for work in index.of(Work, Witness.OBSERVED):
        match = _SET.match(work.statement)
        if match is None or not float(match[2]) or match[3].lower() not in _UNITS:
            continue
        length = timedelta(seconds=float(match[2]) * _UNITS[match[3].lower()])
        if (match[1], length) not in seen:
            seen.add((match[1], length))
            name = match[1].lower()
            yield Limit(
                witness=work.witness, evidence=work.evidence, name=name, limit=length, on=_ON[name], who=work.migration
            )


def _clock(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _size(number: int) -> str:
    value = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
