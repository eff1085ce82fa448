"""Jobs of Java: Spring, Quarkus, Micronaut and Jakarta annotations in class files and sources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from fulldress.facts import AnyFact
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import classfile, lines, placeholders
from fulldress.package.schedules.classfile import Value
from fulldress.package.schedules.jobs import Clock, Found, every, facts, period
from fulldress.patterns import regex

_FRAMEWORKS = {
    "org.springframework.scheduling.annotation.Scheduled": "Spring @Scheduled",
    "io.quarkus.scheduler.Scheduled": "Quarkus @Scheduled",
    "io.micronaut.scheduling.annotation.Scheduled": "Micronaut @Scheduled",
    "javax.ejb.Schedule": "EJB @Schedule",
    "jakarta.ejb.Schedule": "EJB @Schedule",
}
_LISTS = ("Schedules", "Scheduled$Schedules")
_UNITS = {
    "NANOSECONDS": 1e-9, "MICROSECONDS": 1e-6, "MILLISECONDS": 1e-3, "SECONDS": 1, "MINUTES": 60, "HOURS": 3600, "DAYS": 86400,
}  # fmt: skip
_SIMPLE = regex(r"(\d+)\s*(ms|s|m|h|d)", re.I)


def classes(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """Methods of a class file that a framework runs by itself."""
    if b"Schedule" not in member.data or not any(
        f"L{name.replace('.', '/')}".encode() in member.data for name in _FRAMEWORKS
    ):
        return
    try:
        found = list(classfile.annotated(member.data))
    except classfile.BadClass:
        return  # the walker tells of damaged classes; annotations of one cannot run either
    for item in found:
        short = item.owner.rsplit(".", 1)[-1]
        if item.annotation in _FRAMEWORKS:
            yield from _job(
                package, member, clock, _FRAMEWORKS[item.annotation], f"{short}.{item.method}", item.values, 0
            )
        elif item.annotation.rsplit(".", 1)[-1] in _LISTS and isinstance(inner := item.values.get("value"), list):
            for value in inner:
                if isinstance(value, dict) and (kind := _FRAMEWORKS.get(str(value.get("@", "")))):
                    yield from _job(package, member, clock, kind, f"{short}.{item.method}", value, 0)


_SOURCE = regex(r"@(Scheduled|Schedule)\s*\(")
_PAIR = regex(r"(\w+)\s*=\s*(\"(?:[^\"\\\n]|\\.)*\"|[\w.]+(?:\s*\*\s*[\w.]+)*)")


def sources(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """The same in sources of Java, Kotlin and Groovy, as far as the values are written out."""
    if b"@Schedule" not in member.data:
        return
    text = re.sub(
        r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?(?:\*/|\Z)',
        lambda m: m[1] or re.sub(r"[^\n]", " ", m[0]),
        member.text,
        flags=re.S,
    )
    constants = dict(re.findall(r'\bString\s+(\w+)\s*=\s*"([^"\n]*)"\s*;', text))
    kind = next((kind for name, kind in _FRAMEWORKS.items() if f"import {name}" in text), "")
    if not kind:
        packages = {name.rsplit(".", 1)[0]: kind for name, kind in _FRAMEWORKS.items()}
        kind = next((kind for name, kind in packages.items() if f"import {name}.*" in text), "")
    if not kind:
        return
    for match in _SOURCE.finditer(text):
        end = _closing(text, match.end())
        values: dict[str, Value] = {}
        for key, raw in _PAIR.findall(text[match.end() : end]):
            values[key] = raw[1:-1] if raw.startswith('"') else constants.get(raw.rsplit(".", 1)[-1], _product(raw))
        method = re.compile(r"\b(\w+)\s*\([^()]*\)\s*(?:throws[\w.,\s]+)?[{:=]").search(text, end, end + 800)
        line = lines.number(text, match.start())
        name = f"{member.name.rsplit('.', 1)[0]}.{method[1] if method else '?'}"
        yield from _job(package, member, clock, kind, name, values, line)


def _closing(text: str, at: int) -> int:
    depth = 1
    for match in re.finditer(r'"(?:[^"\\\n]|\\.)*"|[()]', text[at : at + 4000]):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if not depth:
            return at + match.start()
    return at


def _product(raw: str) -> Value:
    """``60 * 1000`` and ``60_000L`` as a number; another word as it stands."""
    total = 1
    for factor in raw.split("*"):
        plain = factor.strip().rstrip("lL").replace("_", "")
        if not plain.isdecimal() or len(plain) > 15:
            return raw.rsplit(".", 1)[-1]
        total *= int(plain)
    return total


def _job(
    package: Package, member: Member, clock: Clock, kind: str, name: str, values: Mapping[str, Value], line: int
) -> Iterator[AnyFact]:
    remarks: list[str] = []

    def said(key: str) -> str:
        value = values.get(key, "")
        text = "" if isinstance(value, (list, dict)) else str(value)
        filled, missing = placeholders.resolve(package, member, text)
        if missing:
            remarks.append(f"{key} is set by {missing}, which the package gives no value")
            return filled
        if filled != text and text:
            remarks.append(f"{key} is set by {text}")
        return filled

    if kind == "EJB @Schedule":
        expression, dialect = _ejb(values), "spring"
        zone, cron = said("timezone"), expression
    else:
        cron = said("cron")
        expression, dialect, zone = (
            cron,
            "quartz" if kind.startswith("Quarkus") else "spring",
            said("zone") or said("timeZone"),
        )
        if kind.startswith("Micronaut") and len(cron.split()) == 5:
            expression = f"0 {cron}"
    if kind.startswith("Quarkus") and expression:
        expression = _question(expression)
    off = cron.strip() in ("-", "off", "disabled")
    if off:
        remarks.append("switched off")
    if not cron:
        expression, dialect = _rhythm(values, said), ""
        if not expression and not remarks:
            return
    raw = values.get("identity") or values.get("info")
    yield from facts(
        package,
        member,
        Found(
            line=line,
            name=str(raw) if isinstance(raw, str) and raw else name,
            mechanism=kind,
            expression=expression or "(set from outside)",
            dialect="" if off or not expression else dialect,
            command=f"{name}()",
            zone="" if "${" in zone else zone,
            script=member.path,
            enabled=not off,
            remarks=tuple(remarks),
            text=f"{name}: {expression}",
        ),
        clock,
    )


def _question(expression: str) -> str:
    """Quarkus reads Quartz's fields, where one of the days has to be ``?``; it takes ``*`` for it, too."""
    words = expression.split()
    if len(words) in (6, 7) and "?" not in (words[3], words[5]):
        words[5 if words[5] == "*" else 3] = "?"
    return " ".join(words)


def _ejb(values: Mapping[str, Value]) -> str:
    """Fields of ``@Schedule``; hour, minute and second are 0 unless given (jakarta.ejb.Schedule)."""
    given = {key: str(value).replace(" ", "") for key, value in values.items() if not isinstance(value, (list, dict))}
    defaults = (
        ("second", "0"),
        ("minute", "0"),
        ("hour", "0"),
        ("dayOfMonth", "*"),
        ("month", "*"),
        ("dayOfWeek", "*"),
    )
    words = [given.get(key, default) or default for key, default in defaults]
    words[3] = "L" if words[3].lower() == "last" else words[3]
    return " ".join(words)


def _rhythm(values: Mapping[str, Value], said: object) -> str:
    """``fixedRate`` and its kin in words."""
    unit = _UNITS.get(str(values.get("timeUnit", "MILLISECONDS")).rsplit(".", 1)[-1], 1e-3)
    found: list[str] = []
    for key, how in (("fixedRate", ""), ("fixedRateString", ""), ("every", ""), ("fixedDelay", " after the last end"), ("fixedDelayString", " after the last end")):  # fmt: skip
        value = said(key)  # type: ignore[operator]
        if amount := _amount(value, unit):
            found.append(every(amount) + how)
        elif value and value not in ("-1", "off", "disabled"):
            found.append(f"{key}={value}")
    delay = said("initialDelay") or said("initialDelayString") or said("delayed")  # type: ignore[operator]
    if found and (amount := _amount(delay, unit)):
        found.append(f"first {every(amount).removeprefix('every ')} after the start")
    return ", ".join(found)


def _amount(text: str, unit: float) -> timedelta | None:
    try:
        if re.fullmatch(r"\d{1,15}", text):
            return timedelta(seconds=int(text) * unit) if int(text) else None
        if match := _SIMPLE.fullmatch(text):
            return timedelta(
                seconds=int(match[1][:12]) * {"ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2].lower()]
            )
    except OverflowError:
        return None
    return period(text.upper() if text.upper().startswith("P") else f"PT{text.upper()}") if text else None
