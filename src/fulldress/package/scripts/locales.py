"""Scripts that look for English words in what another program prints: in another language they find nothing, and go on.

Only programs whose words are translated (gettext), only words that the translations change. A script that sets ``LC_ALL=C``
before, or for that program, is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from fulldress.facts import AnyFact, Hazard, Witness
from fulldress.package.scripts.events import AnyEvent, Assign, Call
from fulldress.package.scripts.rule import Context
from fulldress.package.scripts.values import show
from fulldress.patterns import regex

#: Program -> words of its output that translations change.
_WORDS: dict[str, re.Pattern[str]] = {
    "df": regex(r"\b(?:Available|Avail|Used|Use%|Mounted|Filesystem)"),
    "free": regex(r"\b(?:Mem|Swap|total|buffers|available)\b"),
    "lscpu": regex(r"\b(?:CPU\(s\)|Model name|Architecture|Thread|Core|Socket|Vendor)"),
    "apt-cache": regex(r"\b(?:Installed|Candidate|Version table)\b"),
    **dict.fromkeys(("yum", "dnf"), regex(r"\b(?:Installed|Available|Nothing to do|No packages|Upgraded|Complete)\b")),
    "git": regex(r"nothing to commit|[Uu]p[ -]to[ -]date|[Aa]lready up|[Cc]hanges not staged|[Uu]ntracked files"),
    "svn": regex(r"\b(?:Revision|Last Changed|Repository Root|Working Copy)\b"),
    "fdisk": regex(r"\b(?:Disk|sectors|bytes|Device)\b"),
    "wget": regex(r"\b(?:saved|awaiting response|Length|not found)\b"),
    "ping": regex(r"\b(?:packet loss|bytes from|received|unreachable)\b"),
    "pg_ctl": regex(r"\b(?:server is running|no server running)\b"),
    "psql": regex(r"\brows?\b"),
    "stat": regex(r"\b(?:Access|Modify|Change|Size|Blocks)\b"),
    "uptime": regex(r"\b(?:load average|users?)\b"),
    "timedatectl": regex(r"\b(?:Time zone|Local time|synchronized)\b"),
}  # fmt: skip
#: ``stat -c`` prints what it is told to.
_OWN_FORMAT = {
    "stat": ("-c", "--format", "--printf", "-f"),
    "git": ("--porcelain", "-s", "--short"),
    "df": ("--output",),
}
_READERS = frozenset(["grep", "egrep", "fgrep", "awk", "gawk", "mawk", "sed"])
_ENGLISH = regex(r"[\"']?(?:C|POSIX|C\.\S*|en\w*(?:\.\S*)?)[\"']?")
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE")


class _Seen:
    """What one context has seen: scripts that chose their language, and the last call of each program."""

    def __init__(self) -> None:
        self.chosen: set[str] = set()
        self.calls: dict[tuple[str, str], Call] = {}


_seen: WeakKeyDictionary[Context, _Seen] = WeakKeyDictionary()


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    """A :class:`Hazard` of kind ``locale parsed``, with what reads and for which word."""
    seen = _seen.setdefault(context, _Seen())
    path = event.member.path
    if isinstance(event, Assign):
        if event.name in _VARIABLES and _ENGLISH.fullmatch(event.value):
            seen.chosen.add(path)
        return
    if not isinstance(event, Call) or not event.words:
        return
    if event.name in ("export", "declare", "typeset") and _chooses(event.arguments):
        seen.chosen.add(path)
    elif event.name in _WORDS:
        seen.calls[path, event.name] = event
    elif event.name in _READERS and event.piped_from in _WORDS and path not in seen.chosen:
        source = event.piped_from
        call = seen.calls.get((path, source))
        words = next((m[0] for word in event.arguments if (m := _WORDS[source].search(word))), "")
        if words and call is not None and abs(call.line - event.line) <= 5 and not _is_plain(call):
            yield Hazard(
                witness=Witness.READ, evidence=event.member.evidence(event.line, text=event.text), kind="locale parsed",
                what=f"{show(' '.join(call.words))[:60]} | {event.name}", detail=words,
            )  # fmt: skip


def _is_plain(call: Call) -> bool:
    """Whether a call prints in English, or what it is told to."""
    if any(name in _VARIABLES and _ENGLISH.fullmatch(value) for name, value in call.environment):
        return True
    return any(word.startswith(_OWN_FORMAT.get(call.name, ("\0",))) for word in call.arguments)


def _chooses(words: tuple[str, ...]) -> bool:
    pairs = (word.partition("=") for word in words)
    return any(name in _VARIABLES and mark and _ENGLISH.fullmatch(value) for name, mark, value in pairs)
