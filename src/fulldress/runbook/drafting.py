"""The first draft of a runbook: the vendor's own order, and the remedies that findings offer, put where they belong."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import msgspec

from fulldress.errors import RunbookError
from fulldress.facts import AnyFact, Entry, Migration, Reboot, Release, Running, Schedule, Service, Witness
from fulldress.findings import Finding
from fulldress.production.description import Description
from fulldress.runbook import remedies
from fulldress.runbook.procedure import Procedure
from fulldress.runbook.procedure import read as read_procedure
from fulldress.runbook.steps import (
    AnyStep,
    Header,
    Migrate,
    Notice,
    Person,
    Probe,
    ProbeStep,
    Runbook,
    Script,
)
from fulldress.runbook.text import PHASES, check


def draft(
    package_facts: Sequence[AnyFact],
    production: Iterable[AnyFact],
    findings: Iterable[Finding],
    production_description: Description | None = None,
    *,
    procedure: Procedure | None = None,
    apply: Collection[str] | None = None,
    package_name: str = "",
    root: Path | None = None,
    case: str = "",
) -> Runbook:
    """A runbook from what is known.

    ``apply`` names the findings whose remedies are taken up (``FD301`` or ``FD301 subject``); None takes all that are
    offered, an empty collection none: the vendor's naive order. ``procedure`` comes from
    :func:`fulldress.runbook.procedure.read`; without it, the names of the scripts decide. ``root``: a copy of the hosts'
    files, to find the place of a settings file."""
    description = production_description or Description()
    entries = {f.path: f for f in package_facts if isinstance(f, Entry)}
    procedure = procedure or read_procedure(entries.values())
    running = list(production)
    vendor = [
        *_scripts(procedure, entries, procedure.pre),
        *_migrations(package_facts, entries, procedure, description),
        *_scripts(procedure, entries, procedure.main),
        *_scripts(procedure, entries, procedure.post),
    ]
    vendor = _placed(vendor, procedure)
    header = _header(package_facts, running, package_name, case)
    probes = _health(description, running)
    steps: list[AnyStep] = [
        *_notice(description, header, "notice-starting", "before", "has started; short interruptions are expected"),
        *([msgspec.structs.replace(probes, name="healthy-before", phase="before", why=_WHY_BEFORE)] if probes else []),
        *vendor,
        *([probes] if probes else []),
        *_reboot(package_facts),
        *_notice(description, header, "notice-completed", "after", "is completed"),
    ]
    if not vendor:
        steps.insert(0, _by_hand(package_name or header.product))
    steps = remedies.add(
        steps,
        [f for f in findings if f.offers and _wanted(f, apply)],
        databases=tuple(description.databases),
        schedules=[f for f in package_facts if isinstance(f, Schedule)],
        root=root,
    )
    runbook = Runbook(runbook=header, step=tuple(sorted(steps, key=lambda step: PHASES.index(step.phase))))
    check(runbook, "draft")
    return runbook


_WHY_BEFORE = "what is not well before cannot be told from what the upgrade broke"


def _wanted(finding: Finding, apply: Collection[str] | None) -> bool:
    return apply is None or finding.rule in apply or f"{finding.rule} {finding.subject}" in apply


def _header(facts: Sequence[AnyFact], running: Sequence[AnyFact], package_name: str, case: str) -> Header:
    """Product and version from the manifest before control data before the file's name."""
    order = ("manifest", "control", "metadata", "file name", "binary")
    releases = sorted(
        (f for f in facts if isinstance(f, Release)),
        key=lambda r: (order.index(r.aspect) if r.aspect in order else len(order), r.evidence.path.count("/")),
    )
    product = releases[0].product if releases else re.split(r"[-_.]", package_name or "package")[0]
    source = next((f.evidence.source for f in facts if f.evidence.source), "")
    if not source:
        raise RunbookError("the facts name no package: inspect it first, and draft from those facts")
    return Header(
        product=product,
        version=releases[0].version if releases else "",
        package=source,
        package_name=package_name,
        from_version=next((f.version for f in running if isinstance(f, Running) and f.component == product), ""),
        case=case,
    )


def _scripts(procedure: Procedure, entries: dict[str, Entry], paths: Sequence[str]) -> list[AnyStep]:
    steps: list[AnyStep] = []
    main = procedure.main or procedure.post or procedure.pre
    for path in paths:
        back = entries.get(procedure.rollback) if path == main[-1] else None
        steps.append(
            Script(
                name=_name(path),
                why=f"order from {procedure.source}",
                sha256=entries[path].sha256,
                package_path=path,
                undo_sha256=back.sha256 if back else "",
                undo_path=back.path if back else "",
            )
        )
    return steps


def _migrations(
    facts: Sequence[AnyFact], entries: dict[str, Entry], procedure: Procedure, description: Description
) -> list[AnyStep]:
    """One step for each SQL file, so that each has its own time, gate and way back."""
    ups = sorted(
        (f for f in facts if isinstance(f, Migration) and f.witness is Witness.READ and f.direction == "up"),
        key=lambda m: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", m.path or m.name)],
    )
    ups = [m for m in ups if m.path in entries and entries[m.path].kind == "sql"]
    if not ups or procedure.runs_migrations:
        return []
    if not description.databases:
        listed = ", ".join(m.path for m in ups)
        return [Person(name="apply-migrations", instruction=f"production.toml names no database. Apply: {listed}")]
    database = next(iter(description.databases))
    steps: list[AnyStep] = []
    for up in ups:
        down = entries.get(up.counterpart)
        steps.append(
            Migrate(
                name=f"migrate-{_name(up.path)}",
                why=""
                if len(description.databases) == 1
                else f"production.toml names several databases; {database} is a guess",
                database=database,
                ups=(entries[up.path].sha256,),
                paths=(up.path,),
                downs=(down.sha256,) if down else (),
                down_paths=(down.path,) if down else (),
            )
        )
    return steps


def _placed(steps: list[AnyStep], procedure: Procedure) -> list[AnyStep]:
    """Migrations right after the script that the README names before them, and all names made unique."""
    if procedure.migrations_after:
        sql = [s for s in steps if not isinstance(s, Script)]
        rest = [s for s in steps if isinstance(s, Script)]
        at = next((i for i, s in enumerate(rest) if s.package_path == procedure.migrations_after), len(rest) - 1) + 1
        steps = [*rest[:at], *sql, *rest[at:]]
    seen: dict[str, int] = {}
    unique: list[AnyStep] = []
    for step in steps:
        seen[step.name] = seen.get(step.name, 0) + 1
        number = seen[step.name]
        unique.append(step if number == 1 else msgspec.structs.replace(step, name=f"{step.name}-{number}"))
    return unique


def _health(description: Description, running: Sequence[AnyFact]) -> ProbeStep | None:
    """Every service with a health address, and every other that production says is running."""
    active = {
        f.unit
        for f in running
        if isinstance(f, Service) and f.witness is Witness.RUNNING and f.state in ("active", "running")
    }
    probes = [
        Probe(http=service.health, within=service.ready_within)
        if service.health
        else Probe(service=unit, within=service.ready_within)
        for unit, service in description.services.items()
        if service.health or unit in active
    ]
    if not probes:
        return None
    return ProbeStep(name="healthy-after", phase="verify", why="health as production.toml says", verify=tuple(probes))


def _notice(description: Description, header: Header, name: str, phase: str, what: str) -> list[AnyStep]:
    text = f"{header.product} {header.version}: the upgrade {what}.".replace(" :", ":")
    return [
        Notice(name=name if index == 0 else f"{name}-{channel}", phase=phase, channel=channel, text=text, gate=False)
        for index, channel in enumerate(description.channels)
    ]


def _reboot(facts: Sequence[AnyFact]) -> list[AnyStep]:
    claims = [f for f in facts if isinstance(f, Reboot) and f.claim not in ("not needed", "none")]
    if not claims:
        return []
    said = "; ".join(dict.fromkeys(f"{c.claim} ({c.evidence.where()})" for c in claims))
    performed = any(c.claim == "performed" for c in claims)
    return [
        Person(
            name="reboot",
            phase="after",
            why=f"reboot: {said}",
            instruction="A script of the package reboots the host by itself. Confirm that it came back and that all is well."
            if performed
            else "Decide on the reboot, carry it out at a time of your choosing, and confirm that the host came back.",
        )
    ]


def _by_hand(package: str) -> Person:
    return Person(
        name="install",
        why="the package holds no script to start and no migration; its kind is installed by the host's own tools",
        instruction=f"Install {package} with the package manager of the host, and confirm.",
        undo_instruction=f"Put the earlier version of {package} back with the package manager of the host, and confirm.",
    )


def _name(path: str) -> str:
    """``scripts/pre.sh`` -> ``pre``; ``sql/0004_total_bigint.up.sql`` -> ``0004_total_bigint``."""
    stem = path.rsplit("/", 1)[-1]
    stem = re.sub(r"(?i)(?:[._-]up)?\.(?:sql|sh|bash|py|pl)$", "", stem)
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:80] or "step"
