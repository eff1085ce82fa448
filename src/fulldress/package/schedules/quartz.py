"""Triggers of Quartz: its jobs XML (``job-scheduling-data``) and the beans and tasks of Spring's XML."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from fulldress.facts import AnyFact, Reason, Unread, Witness
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import lines, placeholders, xmltree
from fulldress.package.schedules.jobs import Clock, Found, every, facts
from fulldress.patterns import regex

_MARKS = (b"job-scheduling-data", b"CronTrigger", b"SimpleTrigger", b"scheduled-tasks")


def read(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """The triggers of one XML file."""
    if not any(mark in member.data for mark in _MARKS):
        return
    try:
        root = xmltree.parse(member.text)
    except xmltree.BadXml as error:
        yield Unread(
            witness=Witness.READ, evidence=member.evidence(), what=f"the schedule in {member.name}", reason=Reason.GRAMMAR,
            detail=str(error), needed=True,
        )  # fmt: skip
        return
    if root.name == "job-scheduling-data":
        yield from _jobs(package, member, root, clock)
    elif root.name == "beans":
        yield from _beans(package, member, root, clock)


_FILES = regex(r"(?m)^[ \t]*org\.quartz\.plugin\.[\w.]+\.fileNames?[ \t]*[=:][ \t]*(\S[^\n]*?)[ \t]*$")


def properties(package: Package, member: Member, _clock: Clock) -> Iterator[AnyFact]:
    """``quartz.properties`` names the files that its triggers stand in; those that the package lacks are told of."""
    if b"org.quartz." not in member.data:
        return
    text = member.text
    for match in _FILES.finditer(text):
        for name in filter(None, (part.strip() for part in match[1].split(","))):
            base = name.rsplit("/", 1)[-1]
            if "$" in name or any(path.rsplit("/", 1)[-1] == base for path in package.members):
                continue
            yield Unread(
                witness=Witness.READ, evidence=member.evidence(lines.number(text, match.start()), text=match[0].strip()),
                what=f"the triggers of Quartz in {name}", reason=Reason.MISSING,
                detail=f"{member.name} reads it, and it is not in the package", needed=True,
            )  # fmt: skip


def _jobs(package: Package, member: Member, root: xmltree.Element, clock: Clock) -> Iterator[AnyFact]:
    classes = {e.word("name"): e.word("job-class") for e in root.walk() if e.name in ("job", "job-detail")}
    for trigger in root.walk():
        if trigger.name == "cron":
            expression, missing = placeholders.resolve(package, member, trigger.word("cron-expression"))
            yield from _one(package, member, clock, trigger, expression, missing, trigger.word("time-zone"), classes)
        elif trigger.name == "simple" and trigger.word("repeat-interval").isdecimal():
            amount = _milliseconds(trigger.word("repeat-interval"))
            yield from _one(package, member, clock, trigger, every(amount), "", "", classes, dialect="")


def _milliseconds(text: str) -> timedelta:
    return timedelta(milliseconds=int(text[:15]))


def _one(
    package: Package, member: Member, clock: Clock, trigger: xmltree.Element, expression: str, missing: str, zone: str,
    classes: dict[str, str], dialect: str = "quartz",
) -> Iterator[AnyFact]:  # fmt: skip
    job = trigger.word("job-name")
    yield from facts(
        package,
        member,
        Found(
            line=trigger.line,
            name=trigger.word("name") or job or "trigger",
            mechanism="Quartz",
            expression=expression or "(set from outside)",
            dialect="" if missing or not expression else dialect,
            command=classes.get(job, job),
            zone=zone,
            script=_class(package, classes.get(job, job)),
            remarks=(f"set by {missing}, which the package gives no value",) if missing else (),
        ),
        clock,
    )


def _class(package: Package, name: str) -> str:
    """The class file of a job's class."""
    wanted = f"{name.replace('.', '/')}.class"
    hits = [path for path in package.members if path.endswith(wanted)] if "." in name else []
    return hits[0] if len(hits) == 1 else ""


def _beans(package: Package, member: Member, root: xmltree.Element, clock: Clock) -> Iterator[AnyFact]:
    classes = {e.attributes.get("id", e.attributes.get("name", "")): _property(e, "jobClass") or e.attributes.get("class", "") for e in root.walk() if e.name == "bean"}  # fmt: skip
    for element in root.walk():
        kind = element.attributes.get("class", "").rsplit(".", 1)[-1]
        if element.name == "bean" and kind in ("CronTriggerFactoryBean", "CronTriggerBean"):
            name = element.attributes.get("id", "") or element.attributes.get("name", "") or kind
            job = _property(element, "jobDetail")
            yield from _bean(package, member, clock, element, name, _property(element, "cronExpression"), classes.get(job, job), "quartz", _property(element, "timeZone"))  # fmt: skip
        elif element.name == "bean" and kind in ("SimpleTriggerFactoryBean", "SimpleTriggerBean"):
            interval = _property(element, "repeatInterval")
            job = _property(element, "jobDetail")
            words = every(_milliseconds(interval)) if interval.isdecimal() else f"every {interval} ms"
            yield from _bean(
                package, member, clock, element, element.attributes.get("id", kind), words, classes.get(job, job), ""
            )
        elif element.name == "scheduled":  # <task:scheduled ref= method= cron=|fixed-rate=|fixed-delay=>
            given = element.attributes
            name = f"{given.get('ref', '?')}.{given.get('method', '?')}"
            if "cron" in given:
                yield from _bean(package, member, clock, element, name, given["cron"], f"{name}()", "spring")
            for key, how in (("fixed-rate", ""), ("fixed-delay", " after the last end")):
                if key in given:
                    value, _ = placeholders.resolve(package, member, given[key])
                    words = every(_milliseconds(value)) if value.isdecimal() else f"{key}={given[key]}"
                    yield from _bean(package, member, clock, element, name, words + how, f"{name}()", "")


def _bean(
    package: Package, member: Member, clock: Clock, element: xmltree.Element, name: str, written: str, command: str,
    dialect: str, zone: str = "",
) -> Iterator[AnyFact]:  # fmt: skip
    expression, missing = placeholders.resolve(package, member, written)
    yield from facts(
        package,
        member,
        Found(
            line=element.line,
            name=name,
            mechanism="Quartz" if dialect == "quartz" else "Spring task",
            expression=expression or "(set from outside)",
            dialect="" if missing or not expression or expression == "-" else dialect,
            command=command,
            zone=zone,
            script=_class(package, command),
            enabled=expression != "-",
            remarks=(f"set by {missing}, which the package gives no value",) if missing else (),
        ),
        clock,
    )


def _property(bean: xmltree.Element, name: str) -> str:
    """A ``<property>`` of a bean: its value, or what it refers to."""
    for child in bean.all("property"):
        if child.attributes.get("name") == name:
            return child.attributes.get("value") or child.attributes.get("ref") or child.word("value") or next((c.attributes.get("bean", c.attributes.get("local", "")) for c in child.all("ref")), "")  # fmt: skip
    return bean.attributes.get(name, bean.attributes.get(f"{name}-ref", ""))
