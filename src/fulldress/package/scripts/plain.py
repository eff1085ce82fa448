"""PowerShell, batch files and Perl, by plain line rules: no variables are followed, and the report says so."""

from __future__ import annotations

import re
from collections.abc import Callable

from fulldress.package.reader import Member, Package
from fulldress.package.scripts.events import AnyEvent, Call, Gap
from fulldress.package.scripts.shell import Shell
from fulldress.package.scripts.values import clean

_COMMENT = {"powershell": r"\s*#", "batch": r"(?i)\s*(@?rem\b|::)", "perl": r"\s*#"}
_TALK = re.compile(
    r"(?i)^\s*(@?echo\b|write-(host|output|verbose|warning|error|information)\b|print\b|printf\b|say\b|die\b|warn\b)"
)
#: Pattern of a line -> the words of the command that does the same; ``\1`` is what the pattern took.
_LINES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern, re.I), words)
    for pattern, words in (
        (r"\brestart-service\s+(?:-name\s+)?['\"]?([\w.$ -]+?)['\"]?(?:\s+-|\s*$|;)", ("service", r"\1", "restart")),
        (r"\bstop-service\s+(?:-name\s+)?['\"]?([\w.$ -]+?)['\"]?(?:\s+-|\s*$|;)", ("service", r"\1", "stop")),
        (r"\bstart-service\s+(?:-name\s+)?['\"]?([\w.$ -]+?)['\"]?(?:\s+-|\s*$|;)", ("service", r"\1", "start")),
        (r"^\s*@?(?:call\s+)?(?:net|sc(?:\.exe)?)\s+stop\s+\"?([\w.$ -]+?)\"?\s*$", ("service", r"\1", "stop")),
        (r"^\s*@?(?:call\s+)?(?:net|sc(?:\.exe)?)\s+start\s+\"?([\w.$ -]+?)\"?\s*$", ("service", r"\1", "start")),
        (r"\brestart-computer\b|^\s*@?shutdown(?:\.exe)?\s+[/-][rs]\b", ("reboot",)),
        (r"\b(?:read-host)\b|^\s*@?(?:pause|set\s+/p)\b|<STDIN>", ("read", "-p", "an answer")),
        (
            r"\binvoke-expression\b.*\b(?:downloadstring|invoke-webrequest|iwr)\b|\b(?:iwr|irm)\b.*\|\s*iex\b",
            ("curl|sh",),
        ),
        (r"\bnew-localuser\s+(?:-name\s+)?['\"]?([\w.-]+)", ("useradd", r"\1")),
        (r"^\s*@?net\s+user\s+([\w.-]+)\s.*/add\b", ("useradd", r"\1")),
        (
            r"\bregister-scheduledtask\b.*-taskname\s+['\"]?([^'\"]+?)['\"]?(?:\s+-|\s*$)",
            ("schtasks", "/create", "/tn", r"\1"),
        ),
        (
            r"\bconvertto-securestring\s+(?:-string\s+)?['\"]([^'\"$]{4,})['\"].*-asplaintext",
            ("plaintext", r"--password=\1"),
        ),
    )
)
_URL = re.compile(r"(?i)\b(?:https?|ftps?|sftp|ldaps?|amqps?|wss?)://[^\s'\"<>|)]+")
_SYSTEM = re.compile(r"""\b(?:system|exec|qx)\s*\(?\s*(["'])(.+?)\1|`([^`]+)`""")
_COMMANDS = re.compile(
    r"(?i)^\s*@?(?:call\s+|start\s+|&\s*)?(?P<words>(?:ftp|sftp|scp|pscp|ssh|plink|curl|psql|mysql|sqlcmd|schtasks|icacls|cacls)(?:\.exe)?\s.*)"
)
_WORD = re.compile(r"\"([^\"]*)\"|'([^']*)'|(\S+)")


def _command(row: str) -> tuple[str, ...]:
    """The words of a line that starts a program which is known here, as Windows splits them: a backslash is no escape."""
    match = _COMMANDS.match(row)
    if match is None:
        return ()
    words = [found[1] or found[2] or found[3] or "" for found in _WORD.finditer(re.split(r"[|&>]", match["words"])[0])]
    return re.sub(r"(?i)\.exe$", "", words[0]).lower(), *words[1:]


def read(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Events of the lines that a rule knows, and a :class:`~.events.Gap` over the whole file."""
    rows = clean(member.text).split("\n")
    inside = False
    for number, row in enumerate(rows, 1):
        if member.kind == "powershell":
            inside = (inside or "<#" in row) and "#>" not in row
        elif member.kind == "perl":
            inside = (inside or bool(re.match(r"=[a-z]", row))) and not row.startswith("=cut")
        if inside or re.match(_COMMENT[member.kind], row):
            continue
        if member.kind == "perl" and (found := _SYSTEM.search(row)) and re.search(r"system|exec|qx|`", row):
            Shell(package, member, lambda event: None if isinstance(event, Gap) else emit(event)).text(
                (found[2] or found[3]).replace("$", "\\$"), number
            )
        for pattern, words in _LINES:
            if not _TALK.match(row) and (match := pattern.search(row)):
                filled = tuple(match.expand(word) if "\\" in word else word for word in words)
                if filled == ("curl|sh",):
                    emit(Call(member=member, line=number, text=row, words=("sh",), fed=True, piped_from="curl"))
                    continue
                emit(Call(member=member, line=number, text=row, words=filled))
        if not _TALK.match(row):
            if words := _command(row):
                emit(Call(member=member, line=number, text=row, words=words))
            for found_url in _URL.finditer(row):
                emit(Call(member=member, line=number, text=row, words=("curl", found_url[0].rstrip(".,;"))))
    problem = f"{member.kind}: read line by line with plain rules; variables and branches were not followed"
    emit(Gap(member=member, line=1, text="", last=max(1, len(rows)), problem=problem))
