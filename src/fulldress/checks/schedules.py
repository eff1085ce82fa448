"""FD311 to FD329, FD428: jobs that will not run, run twice a night or not at all, and jobs that others may change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from fulldress.checks.index import Index
from fulldress.checks.jobs import disable, place_of
from fulldress.checks.rule import Hit, brief, rule, says
from fulldress.facts import Entry, FileEffect, Hazard, Schedule, Witness
from fulldress.findings import Severity
from fulldress.patterns import regex

#: A clock change this near to the next run concerns the people of this upgrade.
SOON = timedelta(days=14)
_FRESH = "fresh install"
_ROOT = ("root", "SYSTEM")
#: Containers whose modes are those that the files will have.
_MODES = ("tar", "deb", "rpm", "cpio")


def _brought(index: Index) -> list[Schedule]:
    return [s for s in index.new_jobs if s.witness is Witness.READ]


@rule("FD311", Severity.MINOR, "A job of the package will not run as it stands")
def will_not_run(index: Index) -> Iterator[Hit]:
    for schedule in _brought(index):
        if schedule.hindered:
            yield Hit(
                title=f"{schedule.name} will not run: {schedule.hindered}",
                subject=place_of(schedule),
                remedy="Ask the vendor for a corrected file. If the job does not matter, note that it never ran.",
                testimony=(says(schedule, f"{schedule.expression}  {schedule.command}"),),
                severity=None if schedule.enabled else Severity.MAJOR,
            )


@rule("FD312", Severity.MINOR, "A timer is enabled on a fresh install only, so an upgrade leaves it off")
def only_when_fresh(index: Index) -> Iterator[Hit]:
    running = index.of(Schedule, Witness.RUNNING)
    for schedule in _brought(index):
        if not schedule.condition.startswith(_FRESH):
            continue
        unit = f"{schedule.name}.timer"
        if any(
            unit in (s.name, f"{s.name}.timer", s.target.rsplit("/", 1)[-1]) for s in running if "timer" in s.mechanism
        ):
            continue
        if not running and "$2" not in schedule.condition:
            continue  # every rpm says so; it matters where production is known to lack the timer
        before = [s for s in running if _same_work(s, schedule)]
        yield Hit(
            title=f"{unit} stays off after the upgrade: it is enabled only on a {schedule.condition}"
            + (f"; today {before[0].target or before[0].name} does its work" if before else ""),
            subject=place_of(schedule),
            remedy=f"After the upgrade: systemctl enable --now {unit}",
            testimony=(
                says(schedule, f"{schedule.expression}  {schedule.command}"),
                *(says(s, f"{s.mechanism} {s.expression}  {s.command}") for s in before),
            ),
            severity=Severity.BLOCKER if before else Severity.MAJOR if running else None,
        )


def _same_work(old: Schedule, new: Schedule) -> bool:
    """Whether a job of production does what a new timer does: by its name, or by the program it starts."""
    names = {old.name.split(" ", 1)[0].lower(), old.target.rsplit("/", 1)[-1].lower()} - {""}
    programs = set(re.findall(r"/[\w./-]*/([\w.-]+)", old.command)) & set(
        re.findall(r"/[\w./-]*/([\w.-]+)", new.command)
    )
    return new.name.lower() in names or bool(
        programs - {"sh", "bash", "env", "php", "python3", "perl", "test", "null", "true", "system"}
    )


@rule("FD313", Severity.MINOR, "A change of the clock skips or doubles a run in the next days")
def clock_change(index: Index) -> Iterator[Hit]:
    for schedule in _brought(index):
        if not schedule.next_runs or not schedule.enabled:
            continue
        for remark in schedule.remarks:
            match = re.match(r"(\d{4}-\d\d-\d\d) \d\d:\d\d (?:does not exist|comes twice) in ", remark)
            if match and date.fromisoformat(match[1]) - schedule.next_runs[0].date() <= SOON:
                yield Hit(
                    title=f"{schedule.name}: {remark}",
                    subject=place_of(schedule),
                    remedy="Look at that night's run, or move the upgrade's night away from the change of the clock.",
                    testimony=(says(schedule, f"{schedule.expression}  {schedule.command}"),),
                )
                break


@rule("FD314", Severity.MAJOR, "Root runs by schedule a file that everybody may change")
def open_to_everybody(index: Index) -> Iterator[Hit]:
    modes = {
        e.path: e
        for e in index.of(Entry, Witness.READ)
        if e.mode and e.mode & 0o002 and e.container in _MODES and not e.link
    }
    for schedule in _brought(index):
        entry = modes.get(schedule.script) or modes.get(schedule.evidence.path)
        if entry is not None and schedule.user in _ROOT and entry.kind not in ("link", "folder"):
            yield Hit(
                title=f"{schedule.name} runs {entry.path.rsplit('!/', 1)[-1]} as {schedule.user}, and everybody may change that file",
                subject=place_of(schedule),
                remedy=f"After the upgrade: chmod o-w /{entry.path.rsplit('!/', 1)[-1]}",
                testimony=(
                    says(schedule, f"{schedule.expression}  {schedule.command}"),
                    says(entry, f"mode {(entry.mode or 0) & 0o7777:04o}"),
                ),
                offers=disable(schedule),
            )


_PROGRAM = regex(
    r"(?:^|&&\s*|;\s*|\|\|\s*|\bthen\s+)\s*(/(?:opt|srv|usr/(?:lib|share|local|libexec))/[\w./@+-]*/[\w.@+-]+)(?=\s|;|$)"
)


@rule("FD315", Severity.MINOR, "A job starts a file that the package does not ship, though it ships that folder")
def missing_program(index: Index) -> Iterator[Hit]:
    paths = [e.path.rsplit("!/", 1)[-1] for e in index.of(Entry, Witness.READ)]
    ends = {path.lstrip("./") for path in paths}
    folders: set[str] = set()
    for path in ends:
        folders.add(path.rsplit("/", 1)[0])
    for schedule in _brought(index):
        if schedule.script or not schedule.enabled:
            continue
        for program in _PROGRAM.findall(schedule.command):
            wanted = program.lstrip("/")
            folder = wanted.rsplit("/", 1)[0]
            near = [f for f in folders if f == folder or f.endswith(f"/{folder}")]
            if near and not any(f"{f}/{wanted.rsplit('/', 1)[1]}" in ends for f in near):
                yield Hit(
                    title=f"{schedule.name} starts {program}, which the package does not bring; what else stands in that folder it brings",
                    subject=place_of(schedule),
                    remedy=f"Ask the vendor what makes {program}, and look for it after the rehearsal: ls -l {program}",
                    testimony=(says(schedule, f"{schedule.expression}  {schedule.command}"),),
                )
                break


#: A run that starts sooner than this after the one before may well find it at work.
_OFTEN = timedelta(hours=1)
_LOCKS = regex(r"\b(?:flock|lockrun|setlock|run-one|solo|lockfile)\b")


@rule("FD428", Severity.MINOR, "A job that starts often takes no lock: a slow run and the next one work at once")
def no_lock(index: Index) -> Iterator[Hit]:
    hazards = [h for h in index.of(Hazard, Witness.READ) if h.kind == "no lock"]
    locked = {e.evidence.path for e in index.of(FileEffect, Witness.READ) if e.action == "lock"}
    for schedule in _brought(index):
        if "cron" not in schedule.mechanism.lower() or "kubernetes" in schedule.mechanism.lower():
            continue  # systemd starts no second run, and clusters have their own word on it
        gaps = [two - one for one, two in pairwise(schedule.next_runs)]
        if not gaps or min(gaps) > _OFTEN or _LOCKS.search(schedule.command) or schedule.script in locked:
            continue
        own = (schedule.evidence.path, schedule.evidence.line)
        found = [h for h in hazards if h.evidence.path == schedule.script or (h.evidence.path, h.evidence.line) == own]
        if found:
            minutes = min(gaps).total_seconds() / 60
            yield Hit(
                title=f"{schedule.name} starts every {minutes:.0f} minutes and takes no lock: {brief(found[0].what, 60)}",
                subject=place_of(schedule),
                remedy=f"Start it as: flock -n /run/lock/{schedule.name} COMMAND",
                testimony=(says(schedule, schedule.expression), *(says(h, h.detail) for h in found)),
            )


#: How a remark ends on a job whose own file lets it run longer than the time between two runs (package/schedules/clusters.py).
_OVERLAPS = "concurrencyPolicy Allow lets runs overlap"


@rule("FD316", Severity.MINOR, "A job may still run when its next run starts, by its own words")
def may_overlap(index: Index) -> Iterator[Hit]:
    for schedule in _brought(index):
        remark = next((r for r in schedule.remarks if r.endswith(_OVERLAPS)), "")
        if remark and schedule.enabled:
            yield Hit(
                title=f"{schedule.name} {remark.removesuffix(f'; {_OVERLAPS}')}: two runs at once are allowed",
                subject=place_of(schedule),
                remedy=f'Until the vendor says that this is meant: kubectl patch cronjob {schedule.name} -p \'{{"spec":{{"concurrencyPolicy":"Forbid"}}}}\'',
                testimony=(says(schedule, f"{schedule.expression}  {schedule.command}"),),
            )
