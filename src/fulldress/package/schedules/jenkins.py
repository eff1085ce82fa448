"""Jobs of Jenkins: timers in a job's ``config.xml``, where ``H`` stands for a value that Jenkins draws from the job's name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Reason, Unread, Witness
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import cron, xmltree
from fulldress.package.schedules.jobs import Clock, Found, facts
from fulldress.patterns import regex

_HASHED = regex(r"H(?:\((\d+)-(\d+)\))?(?:/\d+)?")
_ALIASES = {
    "@hourly": "H * * * *", "@daily": "H H * * *", "@midnight": "H H(0-2) * * *", "@weekly": "H H * * H", "@monthly": "H H H * *",
    "@yearly": "H H H H *", "@annually": "H H H H *",
}  # fmt: skip


def read(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """The timers of one XML file."""
    if b"TimerTrigger" not in member.data or b"<spec>" not in member.data:
        return
    try:
        root = xmltree.parse(re.sub(r"^(\s*<\?xml version=['\"])1\.1", r"\g<1>1.0", member.text))
    except xmltree.BadXml as error:
        yield Unread(
            witness=Witness.READ, evidence=member.evidence(), what=f"the timer in {member.path}", reason=Reason.GRAMMAR,
            detail=str(error), needed=True,
        )  # fmt: skip
        return
    off = any(element.name == "disabled" and element.text.strip() == "true" for element in root.children)
    folder = member.inner.split("/")
    name = folder[-2] if len(folder) > 1 else member.name
    commands = [e.word("command") for e in root.walk() if e.name.rsplit(".", 1)[-1] in ("Shell", "BatchFile")]
    for element in root.walk():
        if element.name.rsplit(".", 1)[-1] == "TimerTrigger":
            yield from _timer(
                package, member, clock, element, name, " && ".join(" ".join(c.split()) for c in commands if c), off
            )


def _timer(
    package: Package, member: Member, clock: Clock, element: xmltree.Element, name: str, command: str, off: bool
) -> Iterator[AnyFact]:
    zone = ""
    for row in element.word("spec").splitlines():
        line = row.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("TZ="):
            zone = line[3:].strip()
            continue
        plain = _ALIASES.get(line.lower(), line)
        hashed = "H" in plain.split() or _HASHED.search(plain) is not None
        problem = cron.check(_HASHED.sub(lambda m: m[1] or "1", plain)) if len(plain.split()) == 5 else "five fields are read"  # fmt: skip
        if problem:
            yield Unread(
                witness=Witness.READ, evidence=member.evidence(element.line, text=line), what=f"when {name} runs (Jenkins)",
                reason=Reason.GRAMMAR, detail=problem, needed=not off,
            )  # fmt: skip
            continue
        yield from facts(
            package,
            member,
            Found(
                line=element.line, name=name, mechanism="Jenkins", expression=line, dialect="" if hashed else "unix",
                command=command, zone=zone, enabled=not off, script="",
                remarks=("where H stands, Jenkins draws the value from the job's name",) if hashed else (),
            ),
            clock,
        )  # fmt: skip
