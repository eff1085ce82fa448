"""The notice and the status texts, all from the same instants as the run itself."""

from __future__ import annotations

from datetime import UTC, datetime

from fulldress.runbook.steps import Header
from fulldress.runbook.window import Window, local

#: state -> its text; ``{name}`` fields are those of :func:`_fields`. The states are those that status pages know.
TEXTS: dict[str, str] = {
    "notice": """\
Planned maintenance: {what}

When      {start} to {end} ({start_utc} to {end_utc} UTC)
Affected  {affected}
Expect    {impact}
Why       upgrade to {version}{from_version}
If it has to be given up, that is decided by {decide_by}; service is then back as before by {end}.
Next word at the start, at every change of state, and at the end.
Contact   {contact}
""",
    "scheduled": "Scheduled: {what}, {start} to {end} ({start_utc} to {end_utc} UTC). Affected: {affected}.",
    "in-progress": "In progress since {start}: {what}. Planned end {end}. Next word by {half}.",
    "verifying": "Verifying: {what} is in place and being checked. Planned end {end}.",
    "completed": "Completed: {what}. All checks passed. Questions: {contact}.",
    "overrun": 'Delayed: {what} needs longer than {end}. NEW END: ____ (give one, do not say "shortly"). Reason: ____.',
    "rolled-back": "Taken back: {what} was given up, and service is as it was before {start}. "
    "Nothing is needed from you. What went wrong, and the next date: ____. Contact: {contact}.",
}


def texts(
    header: Header, window: Window, *, affected: tuple[str, ...] = (), contact: str = "", overage: str = ""
) -> dict[str, str]:
    """state -> text. Instants that are not known yet stand as ``____``: a blank that everyone sees."""
    fields = _fields(header, window, affected, contact)
    filled = {state: text.format_map(fields) for state, text in TEXTS.items()}
    if overage:
        filled["overrun"] += f" (Note to ourselves: {overage}.)"
    return filled


def _fields(header: Header, window: Window, affected: tuple[str, ...], contact: str) -> dict[str, str]:
    blank = "____"

    def there(instant: datetime | None, *, date: bool = False) -> str:
        return local(instant, window.zone, date=date) if instant else blank

    half = window.starts + (window.end - window.starts) / 2 if window.starts and window.end else None
    return {
        "what": f"{header.product} {header.version}".strip(),
        "version": f"{header.product} {header.version}".strip(),
        "from_version": f" from {header.from_version}" if header.from_version else "",
        "start": there(window.starts, date=True),
        "end": there(window.end),
        "decide_by": there(window.decide_by),
        "half": there(half),
        "start_utc": f"{window.starts.astimezone(UTC):%H:%M}" if window.starts else blank,
        "end_utc": f"{window.end.astimezone(UTC):%H:%M}" if window.end else blank,
        "affected": ", ".join(affected) or header.product,
        "impact": _impact(window),
        "contact": contact or blank,
    }


def _impact(window: Window) -> str:
    if not window.known:
        return "interruptions of a length that no rehearsal has measured yet"
    return "interruptions, at the longest for the whole of this time"
