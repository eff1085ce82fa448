"""Steps whose exit code nobody looks at, and steps that nobody waits for, though later ones rest on them.

The shell has ``set -e``; batch files, Perl, Python's ``subprocess.run``, programs that PowerShell starts go on by themselves.
Readers of these languages say so with the event (:attr:`.Call.unheard`, :attr:`.Call.apart`); what matters is judged here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fulldress.facts import Hazard
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Gap, Swallowed
from fulldress.package.scripts.hazards import hazard
from fulldress.package.scripts.rule import Context
from fulldress.package.scripts.values import holes, is_constant, show
from fulldress.package.scripts.windowswords import name_of
from fulldress.patterns import regex

#: Programs whose work later steps surely want to find done.
_STEPS = frozenset(
    """
    msiexec wusa dism sqlcmd osql bcp mysql mariadb psql pg_restore pg_dump pg_dumpall mysqldump mariadb-dump mongodump
    mongorestore flyway liquibase alembic xcopy robocopy dpkg rpm rsync tar unzip 7z 7za expand
    """.split()  # noqa: SIM905 - a table of words is read as words
)
#: Programs of many uses, and the words that make a step of them.
_VERBS = {
    **dict.fromkeys(("apt-get", "apt", "yum", "dnf", "zypper", "pip", "pip3", "npm", "choco", "winget"), regex(r"\b(?:install|ci|upgrade|update|remove)\b")),
    **dict.fromkeys(("cp", "mv", "copy", "move"), regex(r"\S+\s+\S")),
}  # fmt: skip
_MIGRATES = regex(
    r"(?i)\bmigrat(?:e|ion|or)\w*\b|\bupgrade[-_]?(?:db|schema|database)|\bdb:\w*migrate|(?:^|\s)update-?db\b"
)
_BACKUP = regex(r"(?i)^(?:pg_dump|pg_dumpall|mysqldump|mariadb-dump|mongodump|pg_restore|mongorestore)$")
_ONLY_LOOKS = regex(
    r"(?i)(?:-[cQq]|/Q)\s*\W?\s*(?:select|show)\b|--version\b|--help\b|\b(?:status|info|validate|list)\s*$"
)
#: What follows without resting on anything.
_TALK = frozenset(
    """
    echo printf exit read sleep timeout pause set cd export logger write-host write-output write-eventlog start-sleep isuseranadmin
    verify-off set-member curl del erase rm remove-item rd rmdir
    """.split()  # noqa: SIM905 - a table of words is read as words
)


def facts(events: Sequence[AnyEvent], context: Context) -> Iterator[Hazard]:
    """``events`` are those of one script, in their order."""
    told: set[tuple[int, str]] = set()
    for event, after in zip(events, _next(events), strict=True):
        if after is None or not isinstance(event, Call) or not (event.unheard or event.apart) or not _matters(event):
            continue
        words = show(" ".join(event.words))
        if (event.line, words) in told:
            continue
        told.add((event.line, words))
        if event.apart:
            yield hazard(event, context, "not waited for", words, f"line {after.line} goes on while it runs")
            continue
        lost = (
            _BACKUP.match(name_of(event))
            or _MIGRATES.search(words)
            or name_of(event) in ("flyway", "liquibase", "alembic")
        )
        kind = "error swallowed" if lost else "failure passed over"
        yield hazard(event, context, kind, words, "nothing looks whether it worked")


def _next(events: Sequence[AnyEvent]) -> list[AnyEvent | None]:
    """For each event the next one on another line that does something."""
    found: list[AnyEvent | None] = []
    near: AnyEvent | None = None
    other: AnyEvent | None = None  #: the next on another line than ``near``
    for event in reversed(events):
        found.append(other if near is not None and near.line == event.line else near)
        if _acts(event):
            other = other if near is not None and near.line == event.line else near
            near = event
    return found[::-1]


def _acts(event: AnyEvent) -> bool:
    """Whether an event does something that may rest on what came before."""
    if isinstance(event, Call):
        return name_of(event) not in _TALK
    return not isinstance(event, Assign | Gap | Swallowed)


def _matters(call: Call) -> bool:
    name = re.sub(r"(?i)\.(?:cmd|bat|sh)$", "", name_of(call))
    words = show(" ".join(call.arguments))
    if holes(call.words[0]) and not is_constant(call.words[0][-4:]):
        return False
    if _ONLY_LOOKS.search(words):
        return False
    if name in _STEPS or bool(re.match(r"(?i)(?:setup|install\w*|vc_?redist[\w.]*)(?:\.\w+)?$", name)):
        return True
    verbs = _VERBS.get(name)
    return bool(verbs and verbs.search(words)) or bool(_MIGRATES.search(f"{name} {words}"))
