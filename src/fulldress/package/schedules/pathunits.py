"""Path units of systemd (systemd.path(5)): a service that starts whenever a file appears or changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from fulldress.facts import AnyFact, Reason, Schedule, Unread, Witness, excerpt
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import behind, enabling
from fulldress.package.schedules.timers import service_of
from fulldress.package.schedules.units import values, with_drop_ins

MECHANISM = "systemd path"
#: What systemd watches for, in words.
_WATCHES = {
    "PathExists": "while {} is there",
    "PathExistsGlob": "while {} is there",
    "PathChanged": "after {} was changed",
    "PathModified": "when {} is written",
    "DirectoryNotEmpty": "while {} holds something",
}


def read(package: Package, member: Member, at: datetime, zone: ZoneInfo) -> Iterator[AnyFact]:
    """The schedule of one ``.path`` file; it has no hours."""
    unit = with_drop_ins(package, member)
    watched = [item for item in values(unit, "Path", *_WATCHES) if item.value]
    if not watched:
        return
    target = values(unit, "Path", "Unit")
    stem = member.name.removesuffix(".path")
    name = target[-1].value if target else f"{stem}.service"
    found = service_of(package, member, name)
    command = user = script = ""
    if found is not None:
        body = with_drop_ins(package, found)
        starts = values(body, "Service", "ExecStartPre", "ExecStart", "ExecStartPost")
        command = " && ".join(item.value.lstrip("@-:+!") for item in starts)
        users = values(body, "Service", "User")
        user = users[-1].value if users else ("" if "/systemd/user/" in f"/{member.path}" else "root")
        script = behind.script(package, command, beside=found.path)
    else:
        yield Unread(
            witness=Witness.READ, evidence=member.evidence(watched[0].line), what=f"what {member.name} starts",
            reason=Reason.MISSING, detail=f"{name} is not in the package", needed=True,
        )  # fmt: skip
    condition, remarks = enabling.of(package, member.name, unit, ".path")
    yield Schedule(
        witness=Witness.READ,
        evidence=watched[0].member.evidence(watched[0].line, text=f"{watched[0].key}={watched[0].value}"),
        name=stem,
        mechanism=MECHANISM,
        expression=excerpt("; ".join(_WATCHES[item.key].format(item.value) for item in watched), 200),
        command=excerpt(command, 400),
        user=user,
        zone=zone.key,
        script=script,
        condition=condition,
        remarks=remarks,
        target=f"/{member.inner}"
        if member.inner.startswith(("etc/", "usr/", "lib/"))
        else f"/etc/systemd/system/{member.name}",
    )
