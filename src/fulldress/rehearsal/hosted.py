"""The schedules that stand on a venue's host, read by the same readers as a package's."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import BinaryIO

from fulldress.engine.venue import Venue
from fulldress.facts import Schedule
from fulldress.package import schedules
from fulldress.package.identify import identify
from fulldress.package.reader import Member, Options

#: Where a Linux host keeps its schedules. Source: cron(8), crontab(5), systemd.unit(5).
PLACES = (
    "/etc/crontab",
    "/etc/cron.d",
    "/etc/cron.hourly",
    "/etc/cron.daily",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
    "/var/spool/cron",
    "/etc/systemd/system",
)
_LARGEST = 1 << 20


class HostFiles:
    """Files of a venue below some folders, in the form of a package (:class:`fulldress.package.reader.Package`)."""

    def __init__(self, venue: Venue, places: tuple[str, ...], options: Options, source: str) -> None:
        self.source = source
        self.name = venue.name
        self.options = options
        members: dict[str, Member] = {}
        for path in sorted({path for place in places for path in venue.walk(place)}):
            found = venue.stat(path)
            if found is None or found.type != "file" or found.size > _LARGEST:
                continue
            data = venue.read(path)
            inner = path.lstrip("/")
            members[inner] = Member(
                source=source,
                path=inner,
                kind=identify(inner, data[:4096]),
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                mode=found.mode,
                data=data,
            )
        self.members: Mapping[str, Member] = members

    def of(self, *kinds: str) -> Iterator[Member]:
        return (member for member in self.members.values() if member.kind in kinds)

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(self.members[path].data)


def host_schedules(venue: Venue, at: datetime, zone: str, source: str) -> dict[str, Schedule]:
    """Every schedule of the host, by a name that stays the same: mechanism, file and expression with its command."""
    files = HostFiles(venue, PLACES, Options(at=at, zone=zone), source)
    found: dict[str, Schedule] = {}
    for fact in schedules.read(files):
        if isinstance(fact, Schedule):
            found[f"{fact.evidence.path} {fact.expression} {fact.command}"] = fact
    return found
