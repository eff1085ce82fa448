"""How sizes, durations, digests and instants read to a person. The same in the terminal and in HTML."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fulldress.patterns import regex


def size(number: int) -> str:
    """Bytes with a decimal unit, as disks and download pages count them."""
    value = float(number)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{number} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{number} bytes"


def digest(sha256: str) -> str:
    return f"{sha256[:4]}…{sha256[-4:]}" if len(sha256) > 12 else sha256


def clock(value: timedelta | None) -> str:
    """``97.3 s``, ``3m52``, ``1h04``: as narrow as a table needs it."""
    if value is None:
        return "–"
    seconds = value.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}"


def long(value: timedelta) -> str:
    """``21 min``, ``1 min 31 s``, ``12 s``."""
    seconds = round(value.total_seconds())
    if seconds < 60:
        return f"{value.total_seconds():.1f} s" if value.total_seconds() < 10 else f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes >= 120:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"


def local(instant: datetime, zone: str) -> datetime:
    """``instant`` in ``zone``; UTC where this machine does not know the zone."""
    try:
        return instant.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return instant.astimezone(UTC)


def both(instant: datetime, zone: str) -> str:
    """``02:13 (+01:00), 01:13 UTC``."""
    here = local(instant, zone)
    offset = here.strftime("%z")
    return f"{here:%H:%M} ({offset[:3]}:{offset[3:]}), {instant.astimezone(UTC):%H:%M} UTC"


def tally(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


_DEB_CONTROL = regex(r"(?<![\w/!.])((?:[^\s!]+!/)?)control\.tar(?:\.\w+)?!/(?:\./)?(?=\w)")
_DEB_DATA = regex(r"(?<![\w/!.])((?:[^\s!]+!/)?)data\.tar(?:\.\w+)?!(?:/\.)?(?=/)")


def plain(text: str) -> str:
    """``text`` with the members of a .deb named as dpkg does: ``postinst`` and ``/etc/app.conf``, not the archive they lie in."""
    return _DEB_DATA.sub(r"\1", _DEB_CONTROL.sub(r"\1", text)) if ".tar" in text else text
