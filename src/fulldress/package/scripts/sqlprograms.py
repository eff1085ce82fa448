"""Programs that a SQL script starts: on the database's host, or on the one where its client runs.

``COPY … PROGRAM`` of PostgreSQL; ``\\!``, ``\\copy … program``, ``\\o |command``, ``\\g |command`` and back-ticks in ``\\set`` of psql;
``\\!`` and ``system`` of mysql's client; ``xp_cmdshell`` of SQL Server; ``sys_exec()``. And the servers that statements call by a
connection's words: dblink, foreign servers, subscriptions, replication, FEDERATED tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fulldress.package.reader import Member, Package
from fulldress.package.scripts.events import AnyEvent, Call
from fulldress.package.scripts.values import clean
from fulldress.patterns import regex

_TEXT = r"(?:[eE]?'((?:[^'\\]|''|\\.)*)')"
_STARTS = regex(
    rf"(?i)\bCOPY\b[^;]{{0,2000}}?\bPROGRAM\s+{_TEXT}|\bxp_cmdshell\s+N?{_TEXT}|\bsys_(?:exec|eval)\s*\(\s*{_TEXT}"
)
_META = regex(
    r"(?m)^[ \t]*(?:\\!|\\(?:g|gx|o|out|w|write)[ \t]*\||system[ \t]+(?=\S+[^;\n]*$))[ \t]*(.*)$|^[ \t]*\\set[ \t]+\w+[ \t]+`([^`\n]*)`"
)
_INCLUDED = regex(r"--[^\n]*|/\*.*?\*/", re.S)
_ANY = regex(
    rb"(?i)\bprogram\s+e?'|xp_cmdshell|sys_(?:exec|eval)|^[ \t]*(?:\\[!gow]|\\set\b|system[ \t])|dblink|create\s+server|"
    rb"create\s+subscription|(?:master|source)_host|connection\s*=|\bhost\s*=",
    re.M,
)
#: One of these matches in small letters wherever :data:`_ANY` finds something. Each begins with letters that always stand
#: there, which the engine looks for much faster than for any of many in large and small letters.
_SCREENS = tuple(
    regex(screen)
    for screen in (
        rb"program\s+e?'", rb"xp_cmdshell", rb"sys_e(?:xec|val)", rb"\\(?:[!gow]|set\b)", rb"system[ \t]", rb"dblink",
        rb"create\s+s(?:erver|ubscription)", rb"master_host", rb"source_host", rb"connection\s*=", rb"host\s*=",
    )
)  # fmt: skip
_CONNECTION = regex(
    r"(?is)\b(?:dblink\w*|postgres_fdw_\w+)\s*\(\s*(?:'\w+'\s*,\s*)?'([^']*\bhost(?:addr)?\s*=[^']*)'"
    r"|\bCONNECTION\s*=?\s*'([^']+)'|\bOPTIONS\s*\(([^)]*\bhost\s+'[^)]*)\)|\bCHANGE\s+(?:MASTER|REPLICATION\s+SOURCE)\s+TO\s+([^;]+)"
)
_HOST = regex(r"(?i)\b(?:(?:master|source)_)?host(?:addr)?\s*=?\s*'?([\w.:-]+)")
_PORT = regex(r"(?i)\b(?:(?:master|source)_)?port\s*=?\s*'?(\d{1,5})")
_USER = regex(r"(?i)\b(?:(?:master|source)_)?user\s*=?\s*'?([\w.-]+)")


def starts(member: Member) -> bool:
    """Whether a SQL script may start programs or name other servers; a quick look."""
    return member.kind == "sql" and member.kept and _any(member.data)


def may_start(text: str) -> bool:
    """The same of a text that a client is given."""
    return _any(text.encode("utf-8", "replace"))


def _any(data: bytes) -> bool:
    small = data.lower()
    return any(screen.search(small) for screen in _SCREENS) and _ANY.search(data) is not None


def read(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Follows the programs as the shell would, and names the servers as their client would."""
    text = _INCLUDED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), member.text)
    for pattern in (_STARTS, _META):
        for match in pattern.finditer(text):
            command = next((group for group in match.groups() if group), "")
            if command.strip() and not (match[0].lstrip()[:1] in "sS" and not _begins(text, match.start())):
                line = text.count("\n", 0, match.start()) + 1
                windows = match[0].lower().startswith("xp_cmdshell")
                _follow(package, member, emit, clean(command.replace("''", "'")).strip(), line, windows)
    for match in _CONNECTION.finditer(text):
        words = next((group for group in match.groups() if group), "")
        line = text.count("\n", 0, match.start()) + 1
        if "://" in words:
            emit(Call(member=member, line=line, text=match[0].split("\n")[0], words=("connect", clean(words))))
        elif host := _HOST.search(words):
            mysql = "MASTER" in match[0].upper() or "SOURCE" in match[0].upper().partition("_HOST")[0]
            port, user = _PORT.search(words), _USER.search(words)
            given = (("-p" if not mysql else "-P", port[1]) if port else ()) + (
                ("-U" if not mysql else "-u", user[1]) if user else ()
            )
            client = ("mysql" if mysql else "psql", "-h", clean(host[1]), *given)
            emit(Call(member=member, line=line, text=match[0].split("\n")[0][:200], words=client))


def _begins(text: str, at: int) -> bool:
    """Whether a statement begins there: the word ``system`` is a column's name elsewhere."""
    return text[max(at - 2000, 0) : at].rstrip()[-1:] in ("", ";", "/")


def _follow(
    package: Package, member: Member, emit: Callable[[AnyEvent], None], command: str, line: int, windows: bool
) -> None:
    if windows:
        from fulldress.package.scripts import batch
        from fulldress.package.scripts.follower import Trail

        batch.follow(Trail(package, emit), member, command, line - 1)
    else:
        from fulldress.package.scripts.shell import Shell

        Shell(package, member, emit).text(command, line)
