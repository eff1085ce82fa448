"""FD3xx: what keeps running afterwards, and whom it calls."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, count, rule, says, several
from fulldress.facts import Command, Endpoint, Fact, FileEffect, Growth, JobRun, Schedule, Timing, Webhook, Witness
from fulldress.findings import Finding, Severity, Testimony
from fulldress.patterns import regex

#: How the stage says that a host is a database of production, for which it put the clone.
LED = "led to the clone"
WEEK = timedelta(days=7)
MONTH = timedelta(days=30)
#: How a remark begins on a job that does nothing where systemd is the init (package/schedules/crontabs.py).
IDLE = "does nothing on a host that systemd runs"
#: How one begins on a crontab that takes the place of what stood there (package/scripts/installed.py).
REPLACES = "replaces the whole crontab"


def disable(schedule: Schedule) -> dict[str, object] | None:
    """The runbook step that keeps a job from running; None where it is not known where the job will stand."""
    if not schedule.target:
        return None
    short = re.sub(r"[^a-z0-9]+", "-", schedule.target.rsplit("/", 1)[-1].lower()).strip("-") or "job"
    offer: dict[str, object] = {
        "kind": "schedule",
        "name": f"disable-{short}",
        "target": schedule.target,
        "action": "disable",
        "phase": "before",
        "why": "it must not run before, during or after the upgrade until it has been put right",
    }
    if schedule.expression:
        offer["expression"] = schedule.expression
    return offer


def place_of(schedule: Schedule) -> str:
    """Where the job is defined. A crontab with several jobs adds the job's name."""
    path = schedule.evidence.path or schedule.target
    return path if not schedule.name or path.endswith(schedule.name) else f"{path} {schedule.name}".strip()


def _told(index: Index, schedule: Schedule) -> tuple[Testimony, ...]:
    """What each teller of one job says: the file that ships it, the script that installs it."""
    return tuple(
        says(s, f"{s.expression}  {s.command}" + (f" (installed by {s.installed_by})" if s.installed_by else ""))
        for s in index.tellers(schedule)
    )


def _when(schedule: Schedule) -> str:
    daily = re.fullmatch(r"(\d{1,2}) (\d{1,2}) \* \* \*", schedule.expression.strip())
    return f"{int(daily[2]):02d}:{int(daily[1]):02d} job" if daily else f'job "{schedule.expression}"'


def job_recurs(finding: Finding, index: Index) -> bool | None:
    """Whether the job still ran, or its file still stands enabled, although a step disables it."""
    offered = str((finding.offers or {}).get("target", ""))
    names = {n for n in (offered, offered.rsplit("/", 1)[-1], *finding.subject.split()) if n}
    ran = [r for r in index.of(JobRun, Witness.OBSERVED) if r.schedule in names]
    grew = [g for g in index.of(Growth, Witness.OBSERVED) if g.schedule in names]
    stands = [s for s in index.of(Schedule, Witness.OBSERVED) if s.enabled and index.names_of(s) & names]
    return bool(ran or grew or stands)


def _shown(endpoint: Endpoint) -> str:
    scheme = f"{endpoint.scheme}://" if endpoint.scheme else ""
    return f"{scheme}{endpoint.host}" + (f":{endpoint.port}" if endpoint.port else "")


@rule("FD301", Severity.BLOCKER, "A job needs a host that production.toml calls retired", job_recurs)
def job_needs_retired_host(index: Index) -> Iterator[Hit]:
    for schedule in index.new_jobs:
        by_host: dict[str, list[tuple[Endpoint, Endpoint]]] = defaultdict(list)
        for endpoint in index.calls_of(schedule):
            policy = index.policy(endpoint)
            if policy is not None and policy.policy == "retired":
                by_host[endpoint.host].append((endpoint, policy))
        if not by_host or not schedule.enabled or schedule.witness is Witness.OBSERVED:
            continue
        pairs = [pair for group in by_host.values() for pair in group]
        yield Hit(
            title=f"{_when(schedule)} needs {several(list(by_host))}, which production.toml calls retired",
            subject=place_of(schedule),
            remedy=f"Disable it before the upgrade starts: mv {schedule.target or '/etc/cron.d/JOB'} /root/ "
            "(the offered step does it and puts it on record); ask the vendor where the data comes from now.",
            testimony=(
                *_told(index, schedule),
                *(says(e, _shown(e) + (f" {e.outcome}" if e.outcome else "")) for e, _ in pairs),
                says(pairs[0][1], f"{pairs[0][1].host} is retired"),
            ),
            offers=disable(schedule),
        )


@rule("FD302", Severity.MAJOR, "A job is still running when its next run starts", job_recurs)
def job_overlaps(index: Index) -> Iterator[Hit]:
    for schedule in index.new_jobs:
        runs = schedule.next_runs
        if len(runs) < 2:
            continue
        interval = min(b - a for a, b in itertools.pairwise(runs))
        slow = [
            r
            for r in index.of(JobRun, Witness.OBSERVED)
            if r.schedule in index.names_of(schedule) and r.duration > interval
        ]
        if slow:
            yield Hit(
                title=f"{schedule.name} takes {slow[0].duration.total_seconds():.0f} s and starts every "
                f"{interval.total_seconds():.0f} s: runs pile up",
                subject=place_of(schedule),
                remedy=f"Guard it: flock -n /run/lock/{schedule.name}.lock {schedule.command}\nor disable it (the offered step).",
                testimony=(says(schedule, schedule.expression), *(says(r, f"ran {r.duration}") for r in slow)),
                offers=disable(schedule),
            )


@rule("FD303", Severity.MAJOR, "The package calls a host that production.toml does not know")
def unknown_host(index: Index) -> Iterator[Hit]:
    if not index.policies:
        return  # gaps() says that nothing can be judged
    by_host: dict[str, list[Endpoint]] = defaultdict(list)
    known = {e.host for e in index.of(Endpoint, Witness.OBSERVED) if e.outcome == LED}
    for endpoint in index.of(Endpoint, Witness.READ, Witness.OBSERVED):
        listed = endpoint.host in known or _local(endpoint.host) or index.policy(endpoint) is not None
        if not listed and not _only_registered(endpoint, index):
            by_host[endpoint.host].append(endpoint)
    for host, endpoints in by_host.items():
        yield Hit(
            title=f"calls {host}, of which production.toml says nothing: it was not rehearsed",
            subject=host,
            remedy=f'Say what it is in production.toml:\n[[endpoints]]\nhost = "{host}"\npolicy = "stub"   # or "live", or "retired"',
            testimony=tuple(says(e, _shown(e)) for e in endpoints),
            severity=Severity.MINOR if all(e.scheme in ("http", "https") and not e.user for e in endpoints) else None,
        )


def _only_registered(endpoint: Endpoint, index: Index) -> bool:
    """Whether a host stands there only as the target that a webhook is registered for: others will call it."""
    return endpoint.witness is Witness.READ and any(
        hook.evidence.path == endpoint.evidence.path
        and hook.evidence.line == endpoint.evidence.line
        and (urlsplit(hook.target).hostname or "") == endpoint.host
        and (urlsplit(hook.registry).hostname or "") != endpoint.host
        for hook in index.of(Webhook, Witness.READ)
    )


def _local(host: str) -> bool:
    # a name that still holds a variable is not a host that anybody could list
    return host in ("localhost", "::1", "0.0.0.0", "") or host.startswith("127.") or "$" in host  # noqa: S104


_GUARD = regex(
    r"(?:test\s+-[xefd]\s+\S+|\[\s+-[xefd]\s+\S+\s+\]|command\s+-v\s+\S+(?:\s*>\s*/dev/null(?:\s+2>&1)?)?)\s*&&\s*"
)
_WRAPPER = regex(
    r"(?:(?:/usr)?/bin/)?(?:nice|ionice|chronic|flock|timeout|env)(?:\s+-\w+(?:\s+\d+)?|\s+[A-Z_]+=\S+|\s+\d+[smhd]?|\s+/\S+\.lock)+\s+|chronic\s+"
)
_REST = regex(r"(?:\s*(?:&>>?|\d?>>?)\s*(?:&\d|\S+)|\s*\|\|\s*(?:true|:)|\s*\|\s*logger\b.*|\s*;)+\s*$")


def _bare(command: str) -> str:
    """A command without the tests before it, what it is wrapped in, and where its output goes."""
    words = " ".join(command.split())
    for pattern in (_GUARD, _WRAPPER):
        while match := pattern.match(words):
            words = words[match.end() :]
    return _REST.sub("", words)


@rule("FD304", Severity.MAJOR, "The same job runs twice", job_recurs)
def job_twice(index: Index) -> Iterator[Hit]:
    seen: dict[str, list[Schedule]] = defaultdict(list)
    for schedule in index.of(Schedule, Witness.READ, Witness.RUNNING):
        command = _bare(schedule.command)
        if command and schedule.enabled:
            seen[command].append(schedule)
    for command, whole in seen.items():
        timed = any(s.mechanism == "systemd timer" for s in whole)
        # Debian's own packages ship both, and the one for cron does nothing where the timer runs
        group = [s for s in whole if not (timed and any(r.startswith(IDLE) for r in s.remarks))]
        places = {s.target or s.evidence.path for s in group}
        brought = [s for s in group if s.witness is Witness.READ]
        if len(places) > 1 and brought:
            yield Hit(
                title=f"{command.split()[0]} will run twice: {several(sorted(places))}",
                subject=command,
                remedy=f"Keep one of them; disable the other before the upgrade: {several(sorted(places))}",
                testimony=tuple(says(s, f"{s.mechanism} {s.expression}") for s in group),
                offers=disable(brought[-1]),
            )


@rule("FD305", Severity.BLOCKER, "A job fills a partition", job_recurs)
def fills_partition(index: Index) -> Iterator[Hit]:
    for growth in index.of(Growth, Witness.OBSERVED):
        if growth.free is None or growth.bytes_per_hour <= 0:
            continue
        left = timedelta(hours=min(growth.free / growth.bytes_per_hour, 1e6))
        if left >= MONTH:
            continue
        schedule = next((s for s in index.new_jobs if growth.schedule in index.names_of(s)), None)
        at = f" at {growth.full_at:%H:%M} UTC" if growth.full_at and left < timedelta(days=1) else ""
        soon = f" in {left.total_seconds() / 3600:.1f} h" if left < timedelta(days=2) else f" in {left.days} days"
        yield Hit(
            title=f"{growth.schedule} writes {_size(growth.bytes_per_hour)} an hour: {growth.partition} is full{at or soon}",
            subject=place_of(schedule) if schedule else f"{growth.schedule} {growth.partition}",
            remedy="Disable it before the upgrade starts (the offered step), or cap what it writes: logrotate with maxsize 100M.",
            testimony=(
                says(
                    growth,
                    f"{growth.written:,} bytes in {growth.over}, {growth.runs_per_hour:g} runs an hour; {growth.free:,} free",
                ),
                *([says(schedule, f"{schedule.expression}  {schedule.command}")] if schedule else []),
            ),
            severity=None if left < WEEK else Severity.MAJOR,
            offers=disable(schedule) if schedule else None,
        )


def _size(number: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= scale:
            return f"{number / scale:.1f} {unit}"
    return f"{number:.0f} B"


@rule("FD306", Severity.BLOCKER, "A script of the upgrade needs a host that is retired")
def script_needs_retired_host(index: Index) -> Iterator[Hit]:
    by_place: dict[tuple[str, str], list[Endpoint]] = defaultdict(list)
    for endpoint in index.of(Endpoint, Witness.READ):
        policy = index.policy(endpoint)
        if policy is not None and policy.policy == "retired" and endpoint.evidence.path not in index.job_paths:
            by_place[endpoint.evidence.path, endpoint.host].append(endpoint)
    for (path, host), endpoints in by_place.items():
        policy = index.policy(endpoints[0])
        yield Hit(
            title=f"{path} needs {host}, which production.toml calls retired: it hangs or fails there",
            subject=f"{path} {host}",
            remedy=f"Ask the vendor for the address that took over from {host}; do not start before the script names it.",
            testimony=(*(says(e, _shown(e)) for e in endpoints), *([says(policy, "retired")] if policy else [])),
        )


@rule("FD307", Severity.MAJOR, "A job fails at its hour", job_recurs)
def job_fails(index: Index) -> Iterator[Hit]:
    by_job: dict[str, list[JobRun]] = defaultdict(list)
    for run in index.of(JobRun, Witness.OBSERVED):
        if run.exit_code not in (0, None):
            by_job[run.schedule].append(run)
    for name, runs in by_job.items():
        schedule = next((s for s in index.new_jobs if name in index.names_of(s)), None)
        yield Hit(
            title=f"{name} fails at its hour (exit {runs[0].exit_code}): {runs[0].words or 'it printed nothing'}",
            subject=place_of(schedule) if schedule else name,
            remedy="Disable it until the vendor has put it right (the offered step).",
            testimony=tuple(says(r, f"due {r.due:%H:%M} UTC, exit {r.exit_code}: {r.words}") for r in runs),
            offers=disable(schedule) if schedule else None,
        )


@rule("FD308", Severity.BLOCKER, "A script overwrites a user's crontab")
def overwrites_crontab(index: Index) -> Iterator[Hit]:
    places: list[tuple[str, Fact]] = [
        (effect.path, effect)
        for effect in index.of(FileEffect, Witness.READ, Witness.OBSERVED)
        if effect.path.startswith("/var/spool/cron") and effect.action in ("create", "change", "delete")
    ]
    places += [
        ("crontab", command)
        for command in index.of(Command, Witness.READ, Witness.OBSERVED)
        if command.argv
        and command.argv[0].rsplit("/", 1)[-1] == "crontab"
        and not {"-l", "-e", "-T"} & set(command.argv[1:])
    ]
    places += [
        (schedule.target or "crontab", schedule)
        for schedule in index.of(Schedule, Witness.READ)
        if any(remark.startswith(REPLACES) for remark in schedule.remarks)
        and not any(path == schedule.target for path, _ in places)
    ]
    if places:
        yield Hit(
            title=f"overwrites {several([p for p, _ in places])}: jobs that your people put there are lost",
            subject="crontab",
            remedy="Before: crontab -l > /root/crontab.before. Ask the vendor for a file in /etc/cron.d instead.",
            testimony=tuple(says(fact, f"writes {place}") for place, fact in places),
        )


@rule("FD309", Severity.NOTE, "The package brings a job that keeps running")
def new_job(index: Index) -> Iterator[Hit]:
    known = {s.target or s.evidence.path for s in index.of(Schedule, Witness.RUNNING)}
    for schedule in index.new_jobs:
        if (
            schedule.witness is Witness.READ
            and (schedule.target or schedule.evidence.path) not in known
            and schedule.enabled
        ):
            yield Hit(
                title=f"{schedule.name} keeps running afterwards: {schedule.mechanism} {schedule.expression}",
                subject=place_of(schedule),
                remedy="Decide who owns it. To keep it from running for now, take the offered step.",
                testimony=_told(index, schedule),
                offers=disable(schedule),
            )


@rule("FD310", Severity.MINOR, "A job runs in the night after the upgrade without having been rehearsed")
def job_not_rehearsed(index: Index) -> Iterator[Hit]:
    if not index.has_rehearsal:
        return
    ran = {r.schedule for r in index.of(JobRun, Witness.OBSERVED)}
    missed = [s for s in index.new_jobs if s.witness is Witness.READ and s.enabled and not index.names_of(s) & ran]
    disabled = {s.target for s in index.of(Schedule, Witness.OBSERVED) if not s.enabled}
    put_out = {
        t.step for t in index.of(Timing, Witness.OBSERVED) if t.step and t.act != "rollback" and t.outcome == "ok"
    }
    missed = [s for s in missed if s.target not in disabled and (disable(s) or {}).get("name") not in put_out]
    if missed:
        yield Hit(
            title=f"{count(len(missed), 'job')} did not run in the rehearsal: {several([s.name for s in missed])}",
            subject="jobs",
            remedy="Rehearse the night after as well, or disable them until somebody has.",
            testimony=tuple(says(s, f"{s.expression}  {s.command}") for s in missed),
        )
