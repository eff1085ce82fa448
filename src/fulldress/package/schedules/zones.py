"""The zone of mechanisms that keep their own: looked for in the package, else assumed, which is said (decision 0130)."""

from __future__ import annotations

from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from fulldress.facts.schedules import ASSUMED_ZONE
from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

#: Who keeps UTC unless told otherwise, and what would tell it so.
OWNERS = {
    "Kubernetes": "usual for a cluster's controller manager",
    "Celery": "Celery's own unless the application sets timezone",
    "huey": "huey's own unless it is made with utc=False",
    "procrastinate": "procrastinate's own",
    "periodiq": "periodiq's own",
    "Airflow": "Airflow's own unless default_timezone is set",
    "rq-scheduler": "rq-scheduler's own unless use_local_timezone is set",
    "pg_cron": "pg_cron's own unless cron.timezone is set",
    "ofelia": "usual for its container",
}
_NAME = rb"""["']?([A-Z][A-Za-z_+-]*(?:/[A-Za-z_+-]+){0,2})["']?"""
#: Settings that hold the zone of a whole application: a mark that its files have, and the setting.
_SETTINGS = {
    "Celery": (b"celery", regex(rb"(?im)(?:^[ \t]*CELERY_TIMEZONE|^[ \t]*[\w.]*\bconf\.timezone|^[ \t]+timezone)[ \t]*=[ \t]*(?-i:" + _NAME + rb")[ \t]*,?[ \t]*(?:#.*)?\r?$")),
    "pg_cron": (b"cron.timezone", regex(rb"(?im)\bcron\.timezone[ \t]*(?:=|TO)[ \t]*(?-i:" + _NAME + rb")")),
}  # fmt: skip
_SUFFIXES = {"Celery": (".py",), "pg_cron": (".sql", ".conf", ".sh", ".yml", ".yaml", ".pgsql")}
_found: WeakKeyDictionary[Package, dict[str, str]] = WeakKeyDictionary()


def own(package: Package, who: str) -> tuple[str, tuple[str, ...]]:
    """The zone that ``who`` counts in, and the remark where nothing in the package names it."""
    known = _found.setdefault(package, {})
    if who not in known:
        known[who] = _set(package, who) if who in _SETTINGS else ""
    return (known[who], ()) if known[who] else ("UTC", (f"{ASSUMED_ZONE}, {OWNERS[who]}",))


def _set(package: Package, who: str) -> str:
    """The one zone that the package's own settings name; empty where they name none, or several."""
    mark, pattern = _SETTINGS[who]
    named: set[str] = set()
    for member in package.members.values():
        if member.kept and member.name.endswith(_SUFFIXES[who]) and _says(member, mark):
            named |= {found.decode() for found in pattern.findall(member.data)}
    if len(named) != 1:
        return ""
    try:
        return ZoneInfo(next(iter(named))).key
    except (KeyError, ValueError, OSError):
        return ""


def _says(member: Member, mark: bytes) -> bool:
    return mark in member.data or mark.upper() in member.data
