"""The negotiation sheet: what the vendor says, what was measured, and what would make it less."""

from __future__ import annotations

from fulldress.runbook.steps import Header
from fulldress.runbook.window import ENOUGH, Window, clock, local


def sheet(header: Header, window: Window, *, overage: str = "", contact: str = "") -> str:
    """One page of Markdown for product, support and operations to agree on."""
    minutes = f"{window.total.total_seconds() / 60:g}"
    asked = f"**{minutes} minutes**" if window.known else f"**not known**: {' and '.join(window.missing)} not measured"
    lines = [
        f"# Window for {header.product} {header.version}".rstrip(),
        "",
        f"Package `{header.package[:12]}…` {header.package_name}".rstrip(),
        "",
        f"Needed: {asked}.  {_vendor(window)}",
        "",
        "| part | minutes | from |",
        "|---|---:|---|",
        _row("forward", window.forward, f"longest of {window.runs} rehearsals that got there"),
        _row("verify", window.verify, "longest of the same"),
        _row("decision", window.decision, "agreed"),
        _row("way back", window.rollback, "longest measured rollback"),
        _row("buffer", window.buffer, "agreed"),
        f"| **sum** | **{minutes if window.known else 'not known'}** | rounded up |",
        "",
        "## How sure",
        "",
        f"The longest of {window.runs} runs covers the 95th percentile with {window.confidence:.0%} confidence; "
        f"{ENOUGH} runs would give 95%."
        + (f" {window.failed} more did not get there and are not counted." if window.failed else ""),
        "",
        "## When",
        "",
        *_when(window),
        *[f"- **Warning**: {warning}" for warning in window.warnings],
        "",
        "## What would make it less",
        "",
        *[f"- {text}" for text in window.shrink],
        "",
        "## What an overrun costs",
        "",
        overage
        or "Not stated. Ask whether minutes past the announced end count double before announcing a short window.",
        "",
        "## Agreed",
        "",
        f"Minutes: ____   From (UTC): ____   By: ____   {f'Contact: {contact}' if contact else ''}".rstrip(),
        "",
    ]
    return "\n".join(lines)


def _row(part: str, value: object, source: str) -> str:
    from datetime import timedelta

    minutes = f"{value.total_seconds() / 60:.1f}" if isinstance(value, timedelta) else str(value)
    return f"| {part} | {minutes} | {source} |"


def _vendor(window: Window) -> str:
    if window.vendor is None:
        return "The vendor names no time."
    factor = window.total / window.vendor if window.vendor and window.known else None
    return f"The vendor says {clock(window.vendor)}" + (f", which is {factor:.1f} times less." if factor else ".")


def _when(window: Window) -> list[str]:
    if window.starts is None or window.end is None or window.decide_by is None or window.latest_abort is None:
        return ["- no start is set yet"]
    fits = {True: "long enough", False: "too short", None: "not comparable"}[window.fits]
    negotiated = f"; negotiated {window.negotiated.total_seconds() / 60:g} min: {fits}" if window.negotiated else ""
    return [
        f"- from {local(window.starts, window.zone, date=True)} to {local(window.end, window.zone)} ({window.zone}){negotiated}",
        f"- give up or go on is decided from {local(window.decide_by, window.zone)} at the latest",
        f"- the way back starts at {local(window.latest_abort, window.zone)} at the latest",
    ]
