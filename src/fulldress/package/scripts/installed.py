"""Schedules that a script installs: into cron.d, a user's crontab, a cron folder, as a timer, or with ``at``."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fulldress.facts import AnyFact, Reason, Schedule, Unread, Witness
from fulldress.package.schedules import behind, cron, crontab_facts, timers
from fulldress.package.scripts.events import AnyEvent, Call, Write
from fulldress.package.scripts.rule import Context, operands, option
from fulldress.package.scripts.sourced import member_of
from fulldress.package.scripts.values import is_constant, show
from fulldress.patterns import regex

_CRON_D = regex(r"/etc/cron\.d/[^/]+$|/etc/crontab$")
_SPOOL = regex(r"/var/spool/cron/(?:crontabs/|tabs/)?([^/]+)$")
_PERIODIC = regex(r"/etc/cron\.(hourly|daily|weekly|monthly)/([^/]+)$")
_TIMER = regex(r"/systemd/system/[^/]+\.timer$")


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    if isinstance(event, Write):
        yield from _written(event, context)
    elif isinstance(event, Call):
        if event.name == "crontab":
            yield from _crontab(event, context)
        elif event.name in ("at", "batch"):
            yield from _at(event, context)
        elif event.name in ("cp", "install", "mv", "ln"):
            yield from _placed(event, context)
        elif event.name == "systemd-run" and any("--on-" in word for word in event.arguments):
            yield from _transient(event, context)


def _written(event: Write, context: Context) -> Iterator[AnyFact]:
    path = show(event.path)
    spool = _SPOOL.search(path)
    if _CRON_D.search(path):
        yield from _jobs(event, context, event.content, "cron.d", True, "", path)
    elif spool:
        yield from _jobs(event, context, event.content, "crontab", False, spool[1], path)
    elif match := _PERIODIC.search(path):
        yield _folder(event, context, match[1], match[2], "")
    elif _TIMER.search(path):
        if event.content is None:
            yield _unread(event, context, path)
        else:
            first = event.first_line or event.line
            text = show(event.content)
            yield from timers.installed(context.package, event.member, text, path, first, context.at, context.zone)


def _jobs(
    event: Write | Call,
    context: Context,
    content: str | None,
    mechanism: str,
    with_user: bool,
    owner: str,
    target: str,
) -> Iterator[AnyFact]:
    if content is None or not content.strip():
        if content is None:
            yield _unread(event, context, target)
        return
    rows = content.split("\n")
    known = "\n".join("" if re.match(r"\s*\ue000\$?[^\ue001]*\ue001\s*$", row) else show(row) for row in rows)
    if not known.strip() and "\ue000" in content:
        yield _unread(event, context, target)
        return
    first = getattr(event, "first_line", 0) or event.line
    single = len([row for row in rows if row.strip()]) <= 1 or not getattr(event, "first_line", 0)
    for fact in crontab_facts(
        context.package,
        event.member,
        context.scrubbed(known),
        mechanism=mechanism,
        with_user=with_user,
        owner=owner,
        at=context.at,
        zone=context.zone,
        target=target,
        installed_by=event.member.path,
    ):
        inside = fact.evidence.line
        line = event.line if single else first + inside - 1
        evidence = msgspec.structs.replace(fact.evidence, line=line)
        if isinstance(fact, Unread) and "\ue000" in content:
            detail = f"{fact.detail}; parts of it are only known when the script runs"
            yield msgspec.structs.replace(fact, evidence=evidence, detail=detail, needed=False)
            continue
        if isinstance(fact, Schedule):
            name = re.sub(r" \(line \d+\)$", f" (line {line})", fact.name)
            yield msgspec.structs.replace(fact, evidence=evidence, name=name)
            continue
        yield msgspec.structs.replace(fact, evidence=evidence)


def _crontab(event: Call, context: Context) -> Iterator[AnyFact]:
    """``… | crontab -``, ``crontab FILE``, ``crontab -r``."""
    user = option(event.arguments, "-u") or ""
    plain = operands(event.arguments, "u")
    letters = "".join(word for word in event.arguments if word.startswith("-") and word != "-")
    if "l" in letters or "e" in letters:
        return
    target = f"/var/spool/cron/crontabs/{show(user) or 'root'}"
    if "r" in letters:
        return
    if plain and plain[0] != "-":
        found = member_of(context.package, event.member, plain[0])
        content = found.text if found is not None and found.kept else None
    else:
        content = event.stdin
    # `(crontab -l; echo …) | crontab -` keeps what stands there; a file alone takes its place
    kept = "crontab -l" in event.member.text or re.search(r"crontab\s+-u\s+\S+\s+-l", event.member.text)
    said = () if kept else (f"replaces the whole crontab of {show(user) or 'root'}: what stands there is lost",)
    for fact in _jobs(event, context, content, "crontab", False, show(user) or "root", target):
        if isinstance(fact, Schedule) and said:
            fact = msgspec.structs.replace(fact, remarks=(*fact.remarks, *said))
        yield fact


def _placed(event: Call, context: Context) -> Iterator[AnyFact]:
    """A file of the package copied to where cron or systemd looks."""
    plain = operands(event.arguments, "mogtS")
    if len(plain) < 2 or not is_constant(plain[-1]):
        return
    for source in plain[:-1]:
        file = source.rstrip("/").rsplit("/", 1)[-1]
        target = plain[-1].rstrip("/")
        target = f"{target}/{file}" if re.search(r"/(cron\.\w+|system|crontabs)$", target) else target
        found = member_of(context.package, event.member, source)
        spool = _SPOOL.search(target)
        if match := _PERIODIC.search(target):
            yield _folder(event, context, match[1], match[2], found.path if found else "")
        elif _CRON_D.search(target) or spool:
            if found is None and is_constant(source):
                yield _unread(event, context, target, f"{show(source)} is not in the package")
                continue
            text = found.text if found is not None and found.kept else None
            yield from _jobs(
                event, context, text, "crontab" if spool else "cron.d", not spool, spool[1] if spool else "", target
            )
        elif _TIMER.search(target) and found is None:
            yield _unread(
                event, context, target, f"{show(source)} is not in the package" if is_constant(source) else ""
            )


def _folder(event: Write | Call, context: Context, period: str, name: str, script: str) -> Schedule:
    expression = {"hourly": "17 * * * *", "daily": "25 6 * * *", "weekly": "47 6 * * 7", "monthly": "52 6 1 * *"}[
        period
    ]
    return Schedule(
        witness=Witness.READ,
        evidence=context.evidence(event),
        name=name,
        mechanism=f"cron.{period}",
        expression=expression,
        command=f"/etc/cron.{period}/{name}",
        user="root",
        zone=context.zone.key,
        next_runs=cron.next_runs(expression, context.at, context.zone),
        script=script,
        target=f"/etc/cron.{period}/{name}",
        installed_by=event.member.path,
    )


def _at(event: Call, context: Context) -> Iterator[AnyFact]:
    words = event.arguments
    if event.name == "at" and (not words or words[0] in ("-l", "-d", "-r", "-c")):
        return
    when = " ".join(show(word) for word in operands(words, "fqM")) or "when the load allows"
    command = event.stdin or ""
    file = option(words, "-f")
    yield Schedule(
        witness=Witness.READ,
        evidence=context.evidence(event),
        name=f"{event.name} {when}",
        mechanism="at",
        expression=when,
        command=context.words(command.strip() or file, 400),
        zone=context.zone.key,
        script=behind.script(context.package, show(command or file), beside=event.member.path),
        installed_by=event.member.path,
    )


def _transient(event: Call, context: Context) -> Iterator[AnyFact]:
    when = [word.removeprefix("--on-") for word in event.arguments if word.startswith("--on-")]
    command = [word for word in event.arguments if not word.startswith("-")]
    yield Schedule(
        witness=Witness.READ,
        evidence=context.evidence(event),
        name=option(event.arguments, "--unit") or "systemd-run",
        mechanism="systemd-run",
        expression=show("; ".join(when)),
        command=context.words(" ".join(command), 400),
        zone=context.zone.key,
        script=behind.script(context.package, show(" ".join(command)), beside=event.member.path),
        installed_by=event.member.path,
    )


def _unread(event: Write | Call, context: Context, target: str, detail: str = "") -> Unread:
    return Unread(
        witness=Witness.READ,
        evidence=context.evidence(event),
        what=f"the schedule that {event.member.name} writes to {target}",
        reason=Reason.NO_DATA,
        detail=detail or "its text is only known when the script runs",
        needed=True,
    )
