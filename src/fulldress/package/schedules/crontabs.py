"""What a crontab's line alone does not tell: when cron passes it over, whose clock it keeps, and what guards its command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from fulldress.facts import AnyFact, Reason, Schedule, Unread, Witness, excerpt
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import behind, cron, tally
from fulldress.patterns import regex

#: Names that cron of Debian takes from /etc/cron.d, and run-parts from the folders; run-parts(8), cron(8).
_RUN_PARTS = regex(r"[A-Za-z0-9_-]+")
#: The guard of Debian's own packages: cron does nothing where the timer of the same name does the work.
_UNDER_SYSTEMD = regex(
    r"(?:test|\[)\s+-[de]\s+/run/systemd/system\b\s*\]?\s*(\|\||&&)?|!\s+-[de]\s+/run/systemd/system\b"
)
_MODES = ("tar", "deb", "rpm", "cpio", "ar")


def hindered(package: Package, member: Member, text: str, job: cron.Job, target: str) -> tuple[str, bool]:
    """Why cron does not run a job as it stands (empty: it does), and whether that is sure on the hosts it is made for."""
    if cron.is_cut(job.command):
        before, _ = cron.split_percent(job.command)
        return f"cron ends the command at the first %: only `{excerpt(before[-60:], 60)}` is run; write \\%", False
    if target.startswith("/etc/cron.d/"):
        why, sure = hindered_by_name(package, member, target.rsplit("/", 1)[-1], folder=False)
        if why:
            return why, sure
        # load_user() of Debian's cron: "Missing newline before EOF, this crontab file will be ignored"
        if text and not text.endswith("\n") and member.text == text:
            return "its last line has no newline: cron of Debian ignores the whole file", _for_debian(package, member)
    return "", False


def hindered_by_name(package: Package, member: Member, name: str, *, folder: bool = True) -> tuple[str, bool]:
    """The same for a file by its name and, in the folders that run-parts goes through, by its mode."""
    debian = _for_debian(package, member)
    if not _RUN_PARTS.fullmatch(name):
        who = "run-parts of Debian" if folder else "cron of Debian"
        return f'{who} passes over "{excerpt(name, 60)}": a name with a dot is not run', debian
    executable = member.mode is None or bool(member.mode & 0o111) or not member.mode
    if folder and not executable and member.container in _MODES and "debian/" not in member.inner:
        return f"it is not executable (mode {member.mode or 0:04o}): run-parts passes over it", debian
    return "", False


def _for_debian(package: Package, member: Member) -> bool:
    return ".deb!/" in member.path or package.name.endswith(".deb") or member.container == "deb"


def remarks(job: cron.Job, zone: ZoneInfo, own: str) -> Iterator[str]:
    """What has to be known beside the hour."""
    if own and own != zone.key:
        # crontab(5) of cronie knows CRON_TZ; that of Debian: "does not support per-user timezones"
        yield f"CRON_TZ is read by cronie alone: cron of Debian runs it at this hour in {zone.key}"
    if delay := job.environment.get("RANDOM_DELAY", ""):
        yield f"up to {excerpt(delay, 10)} min later (RANDOM_DELAY, cronie)"
    if guarded(job.command):
        yield "does nothing on a host that systemd runs: it asks for /run/systemd/system"
    if "~" in job.expression:
        yield "cron draws the value of ~ when it loads the file"


def guarded(command: str) -> bool:
    """Whether a command does nothing where systemd is the init."""
    match = _UNDER_SYSTEMD.search(command)
    if not match:
        return False
    # `test -d … || work` works only without systemd; `[ ! -d … ] && work`, too; `test -x tool -a \! -d …` as certbot's
    if match[1] == "||":
        return True
    return re.search(r"!\s*-[de]\s+/run/systemd/system\b", command) is not None


def for_folder(member: Member) -> Iterator[str]:
    """The same for a script in one of the folders: a first test that ends it."""
    for row in member.text.splitlines()[:60] if member.kept else ():
        plain = row.strip()
        if plain.startswith("#") or "/run/systemd/system" not in plain:
            continue
        if re.match(r"(?:if\s+)?(?:\[|test)\s+-[de]\s+/run/systemd/system\b", plain):
            yield "may do nothing on a host that systemd runs: it asks for /run/systemd/system"
            return


_PERIODS = {"@daily": 1, "@weekly": 7, "@monthly": 30, "@yearly": 365, "@annually": 365}


def anacron(package: Package, member: Member, zone: ZoneInfo) -> Iterator[AnyFact]:
    """The lines of an anacrontab: period in days, delay in minutes, name, command. They have no hour of the clock."""
    environment: dict[str, str] = {}
    for number, raw in enumerate(member.text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if match := re.fullmatch(r"([A-Za-z_]\w*)\s*=\s*(.*)", line):
            environment[match[1]] = match[2].strip("\"'")
            continue
        drawn = tally.drawn(package)
        if limit := tally.said(member, number, drawn):
            yield limit
        if drawn > tally.MAX_LISTED:
            return
        words = line.split(None, 3)
        if len(words) < 4 or not (words[0].isdecimal() or words[0] in _PERIODS) or not words[1].isdecimal():
            yield Unread(
                witness=Witness.READ, evidence=member.evidence(number, text=line), what="a line of anacrontab",
                reason=Reason.GRAMMAR, detail="no period, delay, name and command; anacron would skip it", needed=True,
            )  # fmt: skip
            continue
        hours = environment.get("START_HOURS_RANGE", "")
        said = [f"{words[1]} min after anacron has started, once in the period"]
        if hours:
            said.append(f"only between {excerpt(hours, 10)} o'clock")
        if delay := environment.get("RANDOM_DELAY", ""):
            said.append(f"up to {excerpt(delay, 10)} min later (RANDOM_DELAY)")
        days = _PERIODS.get(words[0]) or int(words[0][:6])
        yield Schedule(
            witness=Witness.READ,
            evidence=member.evidence(number, text=line),
            name=excerpt(words[2], 80),
            mechanism="anacron",
            expression=words[0] if words[0] in _PERIODS else f"every {days} d",
            command=excerpt(words[3], 400),
            user="root",
            zone=zone.key,
            script=behind.script(package, words[3], beside=member.path),
            remarks=tuple(said),
        )
