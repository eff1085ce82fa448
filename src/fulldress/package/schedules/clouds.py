"""Schedules of clouds and orchestrators written as text: EventBridge, Nomad, and labels of containers (ofelia)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import lines, zones
from fulldress.package.schedules.jobs import Clock, Found, facts
from fulldress.patterns import regex

_EVENTBRIDGE = regex(
    r"""(?ix)(?:\bschedule(?:_?expression)?["']?\s*[:=]\s*|^[ \t]*-?[ \t]*(?:schedule|rate)[ \t]*:\s*(?:-\s*)?|^[ \t]*-[ \t]*)
    ["']?((?:cron|rate)\(([^)"'\n]{1,80})\))["']?""",
    re.M,
)
_TERRAFORM = regex(r'^[ \t]*resource\s+"(?:aws_cloudwatch_event_rule|aws_scheduler_schedule)"\s+"([\w-]+)"', re.M)


def eventbridge(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """``rate(…)`` and ``cron(…)`` of CloudFormation, SAM, the Serverless framework and Terraform."""
    if b"cron(" not in member.data and b"rate(" not in member.data:
        return
    text = member.text
    if not re.search(r"AWS::|aws_|(?m:^service:)|serverless|ScheduleExpression", text):
        return
    rows = text.splitlines()
    for match in _EVENTBRIDGE.finditer(text):
        line = lines.number(text, match.start(1))
        if rows[line - 1].lstrip().startswith(("#", "//")):
            continue
        is_cron = match[1].lower().startswith("cron")
        near = "\n".join(_siblings(rows, line))
        zone = re.search(r"(?i)ScheduleExpressionTimezone[\"']?\s*[:=]\s*[\"']?([\w/+-]+)", near)
        zone = zone or re.search(r"schedule_expression_timezone\s*=\s*\"([\w/+-]+)\"", near)
        disabled = re.search(
            r"(?i)\b(?:state[\"']?\s*[:=]\s*[\"']?disabled|enabled[\"']?\s*[:=]\s*[\"']?false|is_enabled\s*=\s*false)",
            near,
        )
        yield from facts(
            package,
            member,
            Found(
                line=line,
                name=_owner(rows, line, text, match.start()) or member.name,
                mechanism="EventBridge",
                expression=match[2].strip() if is_cron else match[1],
                dialect="eventbridge" if is_cron else "",
                zone=zone[1] if zone else "UTC",
                text=rows[line - 1],
                enabled=disabled is None,
            ),
            clock,
        )


def _siblings(rows: list[str], line: int) -> list[str]:
    """The rows around one that are indented as far or further: what is said of the same thing."""
    indent = len(rows[line - 1]) - len(rows[line - 1].lstrip())
    found = [rows[line - 1]]
    for nearby in (rows[line : line + 40], reversed(rows[max(0, line - 40) : line - 1])):
        for row in nearby:
            if row.strip() and len(row) - len(row.lstrip()) < indent:
                break
            found.append(row)
    return found


def _owner(rows: list[str], line: int, text: str, at: int) -> str:
    """The resource or function that a line belongs to: by Terraform's block, else the second key from outside."""
    blocks = [match[1] for match in _TERRAFORM.finditer(text, 0, at)]
    if blocks:
        return blocks[-1]
    keys: list[str] = []
    indent = len(rows[line - 1]) - len(rows[line - 1].lstrip())
    for row in reversed(rows[: line - 1]):
        width = len(row) - len(row.lstrip())
        if row.strip() and width < indent and (match := re.match(r"""\s*["']?([\w.-]+)["']?\s*:""", row)):
            keys.append(match[1])
            indent = width
    return keys[-2] if len(keys) > 1 else ""


_PERIODIC = regex(r"\bperiodic\s*\{([^{}]*)\}")


def nomad(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """``periodic`` blocks of job files of Nomad (HCL)."""
    if b"periodic" not in member.data or b"job" not in member.data:
        return
    text = re.sub(r"(?m)^[ \t]*(?:#|//).*$", "", member.text)
    for match in _PERIODIC.finditer(text):
        names = re.findall(r'(?m)^[ \t]*job\s+"([^"]+)"', text[: match.start()])
        if not names:
            continue
        body = match[1]
        crons = re.search(r'\bcrons?\s*=\s*(\[[^\]]*\]|"[^"]*")', body)
        zone = re.search(r'\btime_zone\s*=\s*"([^"]+)"', body)
        overlap = re.search(r"\bprohibit_overlap\s*=\s*true", body)
        commands = re.findall(r'\bcommand\s*=\s*"([^"]+)"', text)
        arguments = re.search(r"\bargs\s*=\s*\[([^\]]*)\]", text)
        command = commands[0] if len(commands) == 1 else ""
        if command and arguments:
            command = " ".join([command, *re.findall(r'"([^"]*)"', arguments[1])])
        off = re.search(r"\benabled\s*=\s*false", body) is not None
        for expression in re.findall(r'"([^"]+)"', crons[1]) if crons else ():
            yield from facts(
                package,
                member,
                Found(
                    line=lines.number(text, match.start(1) + (crons.start() if crons else 0)),
                    name=names[-1],
                    mechanism="Nomad periodic",
                    expression=expression,
                    dialect="" if expression.startswith("@every") else "nomad",
                    command=command,
                    zone=zone[1] if zone else "UTC",
                    enabled=not off,
                    remarks=() if overlap else ("runs may overlap (no prohibit_overlap)",),
                ),
                clock,
            )


_OFELIA = regex(
    r"""(?m)["']?\bofelia\.(job-(?:exec|run|local|service-run))\.([\w.-]+?)\.(schedule|command|user)["']?\s*[:=]\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^"'\n#]+))"""
)


def labels(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """Jobs of ofelia in the labels of a compose file or an image."""
    if b"ofelia.job" not in member.data:
        return
    found: dict[tuple[str, str], dict[str, tuple[str, int]]] = {}
    text = member.text
    for match in _OFELIA.finditer(text):
        line = lines.number(text, match.start())
        value = next(value for value in (match[4], match[5], match[6]) if value is not None)
        found.setdefault((match[1], match[2]), {})[match[3]] = (value.strip().rstrip("\"'"), line)
    for (kind, name), said in found.items():
        if "schedule" not in said:
            continue
        expression, line = said["schedule"]
        plain = not expression.startswith("@every")
        yield from facts(
            package,
            member,
            Found(
                line=line,
                name=name,
                mechanism=f"ofelia {kind}",
                expression=expression,
                dialect="robfig" if plain else "",
                command=said.get("command", ("", 0))[0],
                user=said.get("user", ("", 0))[0],
                remarks=zones.own(package, "ofelia")[1] if plain else (),
                zone="UTC",
            ),
            clock,
        )
