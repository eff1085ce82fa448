"""Time spans as .NET and PowerShell write them, put as ISO 8601 does (``PT5M``)."""

from __future__ import annotations

import re


def span(text: str) -> str:
    """A time span as ISO 8601 writes it, of ``PT5M``, ``00:05:00``, ``1.00:00:00``; empty for what is none or has no end."""
    if re.fullmatch(r"P(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?", text) and len(text) > 2:
        return text
    match = re.fullmatch(r"(?:(\d{1,5})\.)?(\d{1,2}):(\d\d)(?::(\d\d))?", text)
    return iso(*(int(part or 0) for part in match.groups())) if match else ""


def iso(days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0) -> str:
    parts = [f"{hours}H" if hours else "", f"{minutes}M" if minutes else "", f"{seconds}S" if seconds else ""]
    clock = "".join(parts)
    return f"P{f'{days}D' if days else ''}{'T' + clock if clock else ''}" if days or clock else ""
