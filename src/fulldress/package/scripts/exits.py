"""Exit codes that are lost in a shell script, and steps that rest on an earlier one whose exit code nobody looks at.

Only steps whose failure surely matters count: backups, migrations, unpacking, installing. Without ``set -e`` a shell goes
on; with it, it still goes on behind a pipe (without ``pipefail``), behind ``local X=$(…)`` and behind ``|| true``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fulldress.facts import Hazard
from fulldress.package.scripts import services
from fulldress.package.scripts.events import AnyEvent, Call
from fulldress.package.scripts.hazards import hazard
from fulldress.package.scripts.rule import Context
from fulldress.package.scripts.values import is_constant, show
from fulldress.patterns import regex

_BACKUP = frozenset("pg_dump pg_dumpall pg_basebackup mysqldump mariadb-dump mongodump xtrabackup".split())  # noqa: SIM905
_MIGRATION = regex(
    r"(?i)\bmanage\.py\s+migrate\b|\balembic\s.*\bupgrade\b|\bflyway\b.*\bmigrate\b|\bliquibase\b.*\bupdate\b|\bdb:migrate\b|"
    r"\bknex\b.*\bmigrate|\bgoose\b.*\bup\b|\bartisan\s+migrate\b|\bsqlx\s+migrate\b|\bprisma\s+migrate\b|"
    r"(?:^|/)[\w-]*migrat(?:e|ion)s?[\w-]*(?:\.\w+)?(?:\s|$)"
)
_TALK = frozenset(
    [
        "echo",
        "printf",
        "log",
        "logger",
        "print",
        "cat",
        "grep",
        "ls",
        "find",
        "test",
        "[",
        "cp",
        "mkdir",
        "rm",
        "touch",
        "chmod",
        "chown",
        "sed",
        "awk",
        "cd",
    ]
)
_INSTALL: dict[str, re.Pattern[str]] = {
    **dict.fromkeys(("apt-get", "apt", "yum", "dnf", "zypper", "pip", "pip3", "npm"), regex(r"(?:^|\s)(?:install|upgrade|ci)(?:\s|$)")),
    "dpkg": regex(r"(?:^|\s)(?:-i|--install)(?:\s|$)"),
    "rpm": regex(r"(?:^|\s)(?:-[iUF]\w*|--install|--upgrade)(?:\s|$)"),
}  # fmt: skip
#: What steps follow that must not happen where the first one failed.
_RESTS = {
    "backup": ("migration", "install", "destroys"),
    "migration": ("start", "destroys"),
    "unpack": ("migration", "switch", "start", "destroys"),
    "install": ("migration",),
}
_FILTERS = regex(r"\|&?\s*(?:sudo\s+)?(tee|logger|ts|sed|awk|grep|egrep|cat|head|tail|while)\b")
_CHECKED = regex(r"\$\?|\bPIPESTATUS\b|\$\{PIPESTATUS")
_ASKS = regex(r"\|\|\s*(?:exit|return|die|fail\w*|abort|error|\{|\()|^\s*(?:if|elif|until|while)\b")


def facts(events: Sequence[AnyEvent], context: Context) -> Iterator[Hazard]:
    """``events`` are those of one script, in their order."""
    calls = [e for e in events if isinstance(e, Call) and e.member.kind == "shell" and not e.unheard]
    if not calls:
        return
    rows = calls[0].member.text.split("\n")
    own = [call for call in calls if call.member is calls[0].member]
    told: set[int | None] = set()
    for look in (_declared, _piped, _rested, _said_well):  # one sentence for a line, the most certain one
        for found in look(own, rows, context):
            if found.evidence.line not in told:
                told.add(found.evidence.line)
                yield found


def step_of(call: Call) -> str:
    """``backup``, ``migration``, ``unpack``, ``install``; empty for what is none of these."""
    name, words = call.name, show(" ".join(call.arguments))
    if not is_constant(name) or {"--version", "--help", "-V", "--dry-run", "-n", "status"} & set(call.arguments[:2]):
        return ""
    if name in _BACKUP:
        return "backup"
    if (verbs := _INSTALL.get(name)) and verbs.search(words):
        return "install"
    if name == "tar" and call.arguments and re.match(r"-?[a-zA-Z]*x|--extract|--get", call.arguments[0]):
        return "unpack"
    if name == "unzip" and not {"-l", "-t", "-p"} & set(call.arguments):
        return "unpack"
    if name not in _TALK and _MIGRATION.search(show(" ".join(call.words))):
        return "migration"
    return ""


def _later(call: Call) -> str:
    if step := step_of(call):
        return step
    if any(action in ("start", "restart") for _, action in services.restarts(call)):
        return "start"
    words = call.arguments
    if (
        call.name == "ln"
        and any(re.match(r"-\w*f", word) for word in words)
        and any(re.match(r"-\w*s", word) for word in words)
    ):
        return "switch"
    if call.name in ("dropdb", "psql", "mysql", "mariadb") and (
        call.name == "dropdb"
        or re.search(r"(?i)\bDROP\s+(?:TABLE|DATABASE|SCHEMA)\b", " ".join((*words, call.stdin or "")))
    ):
        return "destroys"
    return ""


def _is_checked(call: Call, rows: list[str]) -> bool:
    """Whether the rows right after the command look at its exit code."""
    end = call.line
    while end < len(rows) and rows[end - 1].rstrip().endswith(("\\", "|")):
        end += 1
    following = [row for row in rows[end : end + 6] if row.strip() and not row.lstrip().startswith("#")][:1]
    return any(_CHECKED.search(row) for row in (*rows[call.line - 1 : end], *following))


def _declared(calls: list[Call], rows: list[str], context: Context) -> Iterator[Hazard]:
    """``local x=$(cmd)``, then ``$?``: that is the exit code of ``local``, which always succeeds."""
    for call in calls:
        match = (
            re.match(r"\s*(local|declare|typeset|export|readonly)\b", rows[call.line - 1])
            if call.line <= len(rows)
            else None
        )
        if (
            call.handled != "declared"
            or match is None
            or call.name in ("echo", "printf", "cat", "basename", "dirname", "date")
        ):
            continue
        after = [row for row in rows[call.line : call.line + 3] if row.strip()][:1]
        if (after and "$?" in after[0]) or "$?" in rows[call.line - 1]:
            how = f"$? after it is that of {match[1]}, which always succeeds"
        elif call.errexit and step_of(call):
            how = f"set -e does not see it: {match[1]} always succeeds"
        else:
            continue
        yield hazard(call, context, "exit code lost", show(" ".join(call.words)), how)


def _piped(calls: list[Call], rows: list[str], context: Context) -> Iterator[Hazard]:
    """``step | tee log`` without pipefail, where the script relies on the exit code of the pipe."""
    text = "\n".join(rows)
    if "PIPESTATUS" in text:
        return
    for call in calls:
        row = rows[call.line - 1] if call.line <= len(rows) else ""
        step = step_of(call)
        if call.handled != "piped" or call.pipefail or step not in ("install", "unpack"):
            continue
        behind = _FILTERS.search(row)
        if behind is None:
            continue
        if _ASKS.search(row) or any(
            "$?" in after for after in [r for r in rows[call.line : call.line + 3] if r.strip()][:1]
        ):
            how = f"what is tested is the exit code of {behind[1]}, not that of {show(call.name)}"
        elif call.errexit and step in ("install", "unpack"):
            how = f"set -e does not see it: the pipe's exit code is that of {behind[1]}"
        else:
            continue
        yield hazard(call, context, "exit code lost", show(" ".join(call.words)), how)


def _rested(calls: list[Call], rows: list[str], context: Context) -> Iterator[Hazard]:
    """A step that may have failed unseen, and a later one that rests on it."""
    told: set[tuple[int, str]] = set()
    for index, call in enumerate(calls):
        step = step_of(call)
        lost = (call.handled in ("", "piped") and not call.errexit) or call.handled == "swallowed"
        if not step or not lost or call.when or (call.handled and step in ("backup", "migration")):
            continue  # of these, FD418 tells what is swallowed or piped
        if (call.line, step) in told or _is_checked(call, rows):
            continue
        after = next(
            (c for c in calls[index + 1 : index + 40] if c.line != call.line and _later(c) in _RESTS[step]), None
        )
        if after is None or after.when or (after.handled == "tested" and _later(after) == ""):
            continue
        told.add((call.line, step))
        why = (
            "|| true lets the script go on"
            if call.handled == "swallowed"
            else "nothing looks at its exit code and there is no set -e"
        )
        yield hazard(
            call,
            context,
            "step not checked",
            show(" ".join(call.words)),
            f"{why}; line {after.line} then goes on: {show(' '.join(after.words))[:100]}",
        )


def _said_well(calls: list[Call], rows: list[str], context: Context) -> Iterator[Hazard]:
    """A script that ends with ``exit 0`` whatever became of its steps."""
    last = calls[-1]
    if last.name != "exit" or last.arguments[:1] != ("0",) or last.errexit or last.when:
        return
    final = [row for row in rows if row.strip() and not row.lstrip().startswith("#")][-1:]
    if not final or not re.match(r"exit\s+0\b", final[0]):
        return
    for call in calls:
        if step_of(call) and not call.handled and not call.errexit and not call.when and not _is_checked(call, rows):
            yield hazard(
                call,
                context,
                "exit code lost",
                show(" ".join(call.words)),
                f"the script ends with exit 0 in line {last.line}, whether or not this worked",
            )
            return
