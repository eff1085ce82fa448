"""Tables of fcron: lines by elapsed time (``@``), by the clock (``&``) and once in a period (``%``); fcrontab(5).

A line without a sign is a crontab's. Jobs of ``@`` and ``%`` have no hour: they run once the host has been up, or has time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Reason, Unread, Witness, excerpt
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import cron
from fulldress.package.schedules.jobs import Clock, Found, facts
from fulldress.patterns import regex

PLACE = regex(r"(?:^|/)etc/fcrontab$|(?:^|/)var/spool/fcron/([^/]+?)(?:\.orig)?$|\.fcrontab$")
#: Fields that follow the keyword of a ``%`` line; those that are not named are drawn by fcron.
_FIELDS = {
    "hourly": 1, "midhourly": 1, "daily": 2, "middaily": 2, "nightly": 2, "weekly": 2, "midweekly": 2, "monthly": 3, "midmonthly": 3,
    "mins": 5, "hours": 5, "days": 5, "mons": 5, "dow": 5,
}  # fmt: skip
_DURATION = regex(r"(?:(\d+)([mwdhs]?))+")
_SIGN = regex(r"([@&%])([^\s]*)\s*")


def read(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """The jobs of one table."""
    spool = PLACE.search(member.path)
    owner = (spool[1] or "") if spool else ""
    zone = ""
    for number, raw in enumerate(re.sub(r"\\\n", "  ", member.text).splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#") or re.match(r"[A-Za-z_]\w*\s*=", line):
            continue
        if line.startswith("!"):
            zone = _option(line[1:], "timezone") or zone
            continue
        yield from _line(package, member, clock, number, line, owner, zone)


def _option(text: str, name: str) -> str:
    found = re.search(rf"\b{name}\(([^()]*)\)", text)
    return found[1].strip() if found else ""


def _line(
    package: Package, member: Member, clock: Clock, number: int, line: str, owner: str, zone: str
) -> Iterator[AnyFact]:
    sign = _SIGN.match(line)
    kind, options, rest = (sign[1], sign[2], line[sign.end() :]) if sign else ("&", "", line)
    options, rest = _spaced(options, rest)
    user = _option(options, "runas") or owner
    zone = _option(options, "timezone") or zone
    expression, dialect, command, said = "", "", "", ""
    if kind == "&":
        words = rest.split(None, 5)
        if len(words) == 6 and not cron.check(" ".join(words[:5])):
            expression, dialect, command = " ".join(words[:5]), "unix", words[5]
    elif kind == "@":
        words = rest.split(None, 1)
        if len(words) == 2 and _DURATION.fullmatch(words[0]):
            expression, command = f"every {words[0]}" + (" min" if words[0].isdecimal() else ""), words[1]
            said = "counted while the host is up, from the start of fcron"
    else:
        keyword = options.split(",")[0]
        fields = _FIELDS.get(keyword, 0)
        words = rest.split(None, fields) if fields else []
        if len(words) == fields + 1:
            expression, command = f"once in its period ({keyword}) {' '.join(words[:fields])}", words[fields]
            said = "at no fixed hour: once in the period, while the fields fit and the host is up"
    if not command:
        yield Unread(
            witness=Witness.READ, evidence=member.evidence(number, text=line), what=f"a line of fcrontab {member.name}",
            reason=Reason.GRAMMAR, detail="neither a time by the clock (&), nor by what has elapsed (@), nor in a period (%)",
            needed=True,
        )  # fmt: skip
        return
    yield from facts(
        package,
        member,
        Found(
            line=number, name=f"{member.name} (line {number})", mechanism="fcron", expression=expression, dialect=dialect,
            command=command, user=user, zone=zone, text=excerpt(line), remarks=(said,) if said else (),
            target=f"/{member.inner}" if member.inner.startswith(("etc/", "var/")) else "",
        ),
        clock,
    )  # fmt: skip


def _spaced(options: str, rest: str) -> tuple[str, str]:
    """Options may hold a blank inside parentheses; and ``&`` alone is followed by its fields at once (``&0 3 * * *``)."""
    while options.count("(") > options.count(")") and rest:
        more, _, rest = rest.partition(" ")
        options += f" {more}"
    if re.match(r"[\d*]", options):
        return "", f"{options} {rest}"
    return options, rest
