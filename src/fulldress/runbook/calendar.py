"""The calendar entry: UTC instants only, one stable UID, a sequence that grows with every change.

Local times with a zone id cannot say which of two equal hours is meant when clocks go back, so none are written.
"""

from __future__ import annotations

from datetime import UTC, datetime

from icalendar import Calendar, Event

from fulldress.errors import UsageError
from fulldress.runbook.steps import Header
from fulldress.runbook.window import Window, local


def entry(
    header: Header,
    window: Window,
    *,
    text: str = "",
    previous: bytes = b"",
    cancelled: bool = False,
    now: datetime | None = None,
) -> bytes:
    """An iCalendar file (RFC 5545). ``previous`` is the one written last: its sequence is raised when anything changed."""
    if window.starts is None or window.end is None:
        raise UsageError('the window has no start: set "starts" under [window] in production.toml, or give --starts')
    event = Event()
    event.add("uid", f"{header.product}-{header.package[:32]}@fulldress")
    event.add("dtstamp", (now or datetime.now(UTC)).astimezone(UTC))
    event.add("dtstart", window.starts.astimezone(UTC))
    event.add("dtend", window.end.astimezone(UTC))
    event.add("summary", f"Maintenance: {header.product} {header.version}".strip())
    event.add("description", text or _description(window))
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("transp", "OPAQUE")
    event.add("sequence", _sequence(event, previous))
    calendar = Calendar()
    calendar.add("prodid", "-//fulldress//runbook window//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if cancelled else "PUBLISH")
    calendar.add_component(event)
    data: bytes = calendar.to_ical()
    return data


def _description(window: Window) -> str:
    if window.decide_by is None or window.latest_abort is None:
        return ""
    return (
        f"Decide by {local(window.decide_by, window.zone)}; latest start of the way back "
        f"{local(window.latest_abort, window.zone)} ({window.latest_abort.astimezone(UTC):%H:%M} UTC)."
    )


def _sequence(event: Event, previous: bytes) -> int:
    if not previous:
        return 0
    try:
        old = next(iter(Calendar.from_ical(previous).walk("VEVENT")), None)
    except ValueError as error:
        raise UsageError(f"the calendar file that is there already cannot be read ({error}): move it away") from error
    if old is None or str(old.get("uid")) != str(event.get("uid")):
        return 0
    same = all(
        old[name].to_ical() == event[name].to_ical()
        for name in ("dtstart", "dtend", "summary", "description", "status")
    )
    return int(old.get("sequence", 0)) + (0 if same else 1)
