"""Locks: taken or not, left behind by a failure, broken by force, or held already by whoever runs the script.

A lock that the kernel gives up with the process (``flock``) cannot stay behind; a file or folder that a script makes and
takes away again can. Facts of locks that are taken are :class:`~fulldress.facts.FileEffect` with the action ``lock``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from fulldress.facts import AnyFact, FileEffect, Hazard, Witness
from fulldress.package.reader import Member, Package
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Write
from fulldress.package.scripts.hazards import hazard
from fulldress.package.scripts.maintainer import FRESH, ways
from fulldress.package.scripts.rule import Context, operands
from fulldress.package.scripts.values import is_constant, show
from fulldress.patterns import regex

_NAMED = regex(r"(?i)(?:\.lo?ck|\.pid|[._-](?:lock|pid)(?:file|dir)?|/lock(?:file|dir)?)$|/lock/[^/]+$")
_REMOVERS = frozenset({"rm", "rmdir", "unlink", "lockfile-remove", "dotlockfile"})
#: Locks of others, which a script has no business with.
_FOREIGN = regex(
    r"/var/lib/dpkg/(?:lock(?:-frontend|\*)?|triggers/Lock)|/var/(?:lib/apt/lists|cache/apt/archives)/lock|"
    r"/var/lib/rpm/(?:\.rpm\.lock|__db\S*)|/(?:var/)?run/(?:yum|dnf|zypp)\.pid|/var/cache/(?:dnf|yum)/\S*lock\S*|"
    r"\S+/(?:postmaster\.pid|mongod\.lock)|/etc/(?:passwd|group|shadow|gshadow|\.pwd)\.lock"
)
#: Command that takes a lock by name -> letters of its options with a value.
_TAKERS = {
    "flock": "wE",
    "lockfile": "srlm",
    "dotlockfile": "rpl",
    "lockfile-create": "r",
    "setlock": "",
    "with-lock-ex": "",
    "lockrun": "",
}
#: Those whose lock is gone with the process.
_KERNEL = frozenset({"flock", "setlock", "with-lock-ex", "lockrun"})
#: What looks whether another run is alive, or how old the lock is.
_ALIVE = regex(
    r"\bkill\s+-(?:0|s\s+0)\b|\bps\s+(?:-\w+\s+)*-?p\b|/proc/\$|\bpgrep\b|\bpidof\b|-mmin\b|-mtime\b|\bstat\s+-|\blockfile-check\b|--pidfile"
)
#: Work that two runs at once do to each other's harm.
_HEAVY = frozenset(
    """
    pg_dump pg_dumpall pg_basebackup pg_restore mysqldump mariadb-dump mongodump mongorestore rsync rclone borg restic duplicity
    sftp lftp
    """.split()  # noqa: SIM905 - a table of words is read as words
)
_MIGRATES = regex(r"(?i)\bmigrate\b|\balembic\b.*\bupgrade\b|\bflyway\b|\bliquibase\b")
_PACKAGE_MANAGERS: dict[str, re.Pattern[str]] = {
    **dict.fromkeys(("apt-get", "apt", "aptitude"), regex(r"(?:^|\s)(?:install|remove|purge|upgrade|dist-upgrade|full-upgrade|autoremove|reinstall)(?:\s|$)")),
    "dpkg": regex(r"(?:^|\s)(?:-[irP]|--(?:install|remove|purge|configure|unpack))(?:\s|$)"),
    **dict.fromkeys(("yum", "dnf", "microdnf", "zypper"), regex(r"(?:^|\s)(?:install|in|remove|rm|erase|update|upgrade|up)(?:\s|$)")),
    "rpm": regex(r"(?:^|\s)(?:-[iUeF]\w*|--(?:install|upgrade|erase))(?:\s|$)"),
}  # fmt: skip
_LATER = regex(r"&\s*$|\b(?:nohup|setsid|systemd-run|at|batch|disown)\b")


class _Taken(msgspec.Struct, frozen=True):
    index: int
    event: Call | Write
    path: str
    sure: bool  #: gone with the process
    tests: bool  #: taking it fails where it is taken


def facts(events: Sequence[AnyEvent], context: Context) -> Iterator[AnyFact]:
    """``events`` are those of one script, in their order."""
    if not events or not (events[0].member.kind == "shell" or _is_crontab(events[0].member)):
        return
    text = events[0].member.text
    tested = _tested(events, text)
    heeded = bool(re.search(r"\bnoclobber\b|\bset\s+-C\b", text))
    taken = [lock for lock in _taken(events) if lock.sure or lock.tests or heeded or lock.path in tested]
    told: set[str] = set()
    for lock in taken:
        if lock.path and lock.path not in told:
            told.add(lock.path)
            yield FileEffect(
                witness=Witness.READ,
                evidence=context.evidence(lock.event),
                path=context.words(lock.path, 300),
                action="lock",
                detail="gone with the process" if lock.sure else "stays until somebody removes it",
            )
    yield from _left(events, taken, context)
    yield from _broken(events, context)
    yield from _held(events, context)
    yield from _none(events, taken, context)


def _taken(events: Sequence[AnyEvent]) -> Iterator[_Taken]:
    for index, event in enumerate(events):
        if isinstance(event, Write):
            if _NAMED.search(event.path) and not event.append:
                yield _Taken(index, event, event.path, False, False)
        elif isinstance(event, Call):
            name, words = event.name, event.arguments
            if name in _TAKERS:
                if name == "flock" and {"-u", "--unlock"} & set(words):
                    continue
                path = next(iter(operands(words, _TAKERS[name])), "")
                yield _Taken(index, event, path if "/" in path else "", name in _KERNEL, True)
            elif name in ("run-one", "solo"):
                yield _Taken(index, event, "", True, True)
            elif name in ("mkdir", "touch"):
                path = next(iter(operands(words)[-1:]), "")
                parents = any(re.match(r"-\w*p|--parents", word) for word in words)
                if _NAMED.search(path) and not parents and not (name == "mkdir" and path.endswith("/lock")):
                    tests = name != "touch" and (event.handled == "tested" or event.errexit)
                    yield _Taken(index, event, path, False, tests)


def _left(events: Sequence[AnyEvent], taken: list[_Taken], context: Context) -> Iterator[Hazard]:
    """A lock that is a file, a way out between taking and removing it, and nothing that removes it then."""
    if any(isinstance(e, Call) and e.name == "trap" and {"EXIT", "0", "ERR"} & set(e.arguments[1:]) for e in events):
        return
    text = events[0].member.text
    if _ALIVE.search(text):
        return
    seen: set[str] = set()
    removed: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        if isinstance(event, Call) and event.name in _REMOVERS:
            for path in event.arguments:
                removed.setdefault(path, []).append(index)
    for lock in taken:
        if lock.sure or not lock.path or lock.path in seen or lock.event.member is not events[0].member:
            continue
        seen.add(lock.path)
        removals = [index for index in removed.get(lock.path, ()) if index > lock.index]
        if not removals:
            if re.search(r"(?i)lo?ck", lock.path.rsplit("/", 1)[-1]):
                yield hazard(
                    lock.event, context, "lock left behind", show(lock.path), "nothing in the script removes it again"
                )
            continue
        out = _way_out(events, lock.index, removals)
        if out is not None:
            why = "exit" if out.name == "exit" else f"set -e ends the script where {show(out.name)} fails"
            yield hazard(
                lock.event,
                context,
                "lock left behind",
                show(lock.path),
                f"{why} in line {out.line}, and the removal in line {events[removals[-1]].line} is not reached; no trap removes it",
            )


def _tested(events: Sequence[AnyEvent], text: str) -> frozenset[str]:
    """Paths that the script looks for: ``[ -e PATH ]``, ``[ -e "$NAME" ]``."""
    words = set(re.findall(r"-[edfsrL]\s+[\"']?([^\s\"']+)", text))
    names = {word.strip("${}") for word in words if word.startswith("$")}
    return frozenset(words | {e.value for e in events if isinstance(e, Assign) and e.name in names})


def _way_out(events: Sequence[AnyEvent], begin: int, removals: list[int]) -> Call | None:
    for index in range(begin + 1, removals[-1]):
        event = events[index]
        if not isinstance(event, Call) or event.member is not events[begin].member:
            continue
        if event.name == "exit" and event.arguments[:1] != ("0",):
            if not any(index - 4 <= removal < index for removal in removals) and index > begin + 1:
                return event
        elif (
            event.errexit
            and not event.handled
            and event.name in _HEAVY | {"tar", "cp", "curl", "wget", "psql", "mysql", "scp"}
        ):
            return event
    return None


def _broken(events: Sequence[AnyEvent], context: Context) -> Iterator[Hazard]:
    for event in events:
        if isinstance(event, Call) and event.name in ("rm", "unlink", "fuser"):
            if event.name == "fuser" and not any(re.match(r"-\w*k", word) for word in event.arguments):
                continue
            for path in operands(event.arguments):
                if is_constant(path[:1]) and _FOREIGN.fullmatch(show(path)):
                    yield hazard(event, context, "lock broken", show(path), show(" ".join(event.words)))


def _held(events: Sequence[AnyEvent], context: Context) -> Iterator[Hazard]:
    """A package manager that is called from a script that a package manager runs finds its own lock taken."""
    if not ways(events[0].member):
        return
    for event in events:
        verbs = _PACKAGE_MANAGERS.get(event.name) if isinstance(event, Call) else None
        if verbs is None or not isinstance(event, Call) or event.when not in ("", FRESH):
            continue
        words = show(" ".join(event.arguments))
        looks = {"-s", "--simulate", "--dry-run", "--no-act", "--print-avail"} & set(event.arguments)
        if verbs.search(words) and not looks and not _LATER.search(_row(event)):
            command = show(" ".join(event.words))
            yield hazard(
                event, context, "lock held", command, "the package manager that runs this script holds the lock"
            )


def _none(events: Sequence[AnyEvent], taken: list[_Taken], context: Context) -> Iterator[Hazard]:
    """Heavy work of a script, or of a line of a crontab, that takes no lock; a schedule makes it a finding."""
    if ways(events[0].member) or _ALIVE.search(events[0].member.text):
        return
    if not _is_scheduled(events[0].member, context.package):
        return
    locked = {lock.event.line for lock in taken}
    alone = events[0].member.kind == "shell"
    if alone and taken:
        return
    told: set[int] = set()
    for event in events:
        if not isinstance(event, Call) or event.when or event.line in locked or (0 if alone else event.line) in told:
            continue
        words = show(" ".join(event.words))
        if event.name in _HEAVY or (
            is_constant(event.name)
            and _MIGRATES.search(words)
            and event.name not in ("echo", "printf", "log", "logger")
        ):
            told.add(0 if alone else event.line)
            yield hazard(
                event, context, "no lock", words, "nothing keeps a second run from starting while this one is at work"
            )


def _is_scheduled(script: Member, package: Package) -> bool:
    """Whether something in the package may start the script by the clock: a crontab, or a text that speaks of cron and names it."""
    if _is_crontab(script) or "/cron." in f"/{script.inner}":
        return True
    return any(
        script.name in other.text and ("cron" in other.path or "cron" in other.text)
        for path, other in package.members.items()
        if other.kept and path != script.path and other.kind in ("crontab", "cron", "shell", "text", "conf", "env")
    )


def _is_crontab(member: Member) -> bool:
    return member.kind in ("crontab", "cron") or bool(re.search(r"(?:^|/)cron\.d/[^/]+$", member.inner))


def _row(call: Call) -> str:
    """The whole row in which a command stands."""
    rows = call.member.text.split("\n")
    return rows[call.line - 1] if 0 < call.line <= len(rows) else call.text
