"""Plain line rules for what no grammar covers: spans of a script, and languages that have none here.

No variables are followed, and whoever calls this says so.
"""

from __future__ import annotations

import re

from fulldress.package.reader import Member, Package
from fulldress.package.scripts.events import Call, Gap
from fulldress.package.scripts.follower import Emit
from fulldress.package.scripts.shell import Shell
from fulldress.package.scripts.values import clean
from fulldress.patterns import regex

_COMMENT = {"powershell": r"\s*#", "batch": r"(?i)\s*(@?rem\b|::)", "perl": r"\s*#", "python": r"\s*#", "ruby": r"\s*#",
            "tcl": r"\s*#", "php": r"\s*(//|#|\*|/\*)", "vbscript": r"(?i)\s*('|rem\b)", "javascript": r"\s*(//|\*|/\*)"}  # fmt: skip
_TALK = regex(
    r"(?i)^\s*(@?echo\b|write-(host|output|verbose|warning|error|information)\b|print\w*\b|say\b|die\b|warn\b|puts\b|"
    r"wscript\.echo\b|msgbox\b|raise\b|log\w*[.(]|console\.)"
)
#: Pattern of a line -> the words of the command that does the same; ``\1`` is what the pattern took.
_LINES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (regex(pattern, re.I), words)
    for pattern, words in (
        (r"\brestart-service\s+(?:-name\s+)?['\"]?([\w.$ -]+?)['\"]?(?:\s+-|\s*$|;)", ("restart-service", r"\1")),
        (r"\bstop-service\s+(?:-name\s+)?['\"]?([\w.$ -]+?)['\"]?(?:\s+-|\s*$|;)", ("stop-service", r"\1")),
        (r"\bstart-service\s+(?:-name\s+)?['\"]?([\w.$ -]+?)['\"]?(?:\s+-|\s*$|;)", ("start-service", r"\1")),
        (r"^\s*@?(?:call\s+)?(?:net|sc(?:\.exe)?)\s+stop\s+\"?([\w.$ -]+?)\"?\s*$", ("stop-service", r"\1")),
        (r"^\s*@?(?:call\s+)?(?:net|sc(?:\.exe)?)\s+start\s+\"?([\w.$ -]+?)\"?\s*$", ("start-service", r"\1")),
        (r"\brestart-computer\b|^\s*@?shutdown(?:\.exe)?\s+[/-][rs]\b|\bwin32shutdown\b", ("restart-computer",)),
        (r"\bread-host\b|^\s*@?(?:pause|set\s+/p)\b|<STDIN>|\binputbox\s*\(|(?<![\w.])(?:raw_input|input)\s*\(", ("read", "-p", "an answer")),
        (r"\binvoke-expression\b.*\b(?:downloadstring|invoke-webrequest|iwr)\b|\b(?:iwr|irm)\b.*\|\s*iex\b", ("sh", "\ue000$(curl …)\ue001")),
        (r"\bnew-localuser\s+(?:-name\s+)?['\"]?([\w.-]+)", ("new-localuser", r"\1")),
        (r"\bconvertto-securestring\s+(?:-string\s+)?['\"]([^'\"$]{4,})['\"].*-asplaintext", ("convertto-securestring", r"\1")),
        (r"\bdeletefolder\s*\(?\s*\"([^\"]+)\"", ("remove-item", r"\1", "-Recurse")),
    )
)  # fmt: skip
_URL = regex(r"(?i)\b(?:https?|ftps?|sftp|ldaps?|amqps?|wss?)://[^\s'\"<>|)]+")
#: A call that starts a program with a text in the line: Perl, PHP, Ruby, VBScript, and Python of an older version.
_SYSTEM = regex(
    r"""(?<![\w.>$])(?:os\.(?:system|popen)|subprocess\.\w+|commands\.\w+|system|exec|qx|shell_exec|passthru|popen|proc_open|`)"""
    r"""\s*\(?\s*(["'])((?:(?!\1).)+?)\1|\.(?:run|exec)\s*\(?\s*(")((?:[^"]|"")+?)"(?!")""",
    re.I,
)
#: Tcl's own, and expect's: ``spawn ssh host``, ``system "…"``, ``exec cmd &``, ``[exec cmd]``.
_TCL = regex(
    r"(?:^|[\[;{])\s*(?:spawn|system|exec)\s+(?:-(?:noecho|ignore\w+|keepnewline|open)\s+|--\s+)*[\"{]?([^\"\n]+?)[\"]?\s*$"
)
_TICKS = regex(r"(?<!\\)`([^`\n]+)`")
#: What of a line in these languages reaches the network: a URL alone is a constant.
_CALLS = regex(
    r"(?i)\b(?:urlopen|urlretrieve|request|requests|get|post|put|fetch|open|connect|download\w*|curl\w*|http\w*|wget|iwr|irm|"
    r"invoke-\w+|file_get_contents|fsockopen|soapclient|lwp|ftp_connect|net)\b"
)


def read(package: Package, member: Member, emit: Emit) -> None:
    """Events of a script in a language without a grammar here, and a :class:`~.events.Gap` over all of it."""
    language = member.kind
    if member.kind == "text" and re.search(r"(?i)\.(vbs|wsf)$", member.path):
        language = "vbscript"
    rows = clean(member.text).split("\n")
    lines(package, member, language, rows, 1, emit)
    problem = f"{language}: read line by line with plain rules; variables and branches were not followed"
    begin = next((at for at, row in enumerate(rows, 1) if row.strip()), 1)
    emit(Gap(member=member, line=begin, text="", last=len(rows) or 1, problem=problem, needed=language == "tcl"))


def lines(package: Package, member: Member, language: str, rows: list[str], first: int, emit: Emit) -> None:
    """Events of ``rows``, of which the first is line ``first``, by what each of them says alone."""
    inside = False
    comment = _COMMENT.get(language, r"\s*#")
    for number, row in enumerate(rows, first):
        if language == "powershell":
            inside = (inside or "<#" in row) and "#>" not in row
        elif language == "perl":
            inside = (inside or bool(re.match(r"=[a-z]", row))) and not row.startswith("=cut")
        elif language == "ruby":
            inside = (inside or row.startswith("=begin")) and not row.startswith("=end")
        row = row[:2000]
        if inside or not row.strip() or re.match(comment, row) or _TALK.match(row):
            continue
        if language == "tcl" and (found := _TCL.search(row)):
            _nested(package, member, language, found[1].rstrip(" ]}"), number, emit)
        elif language not in ("powershell", "batch"):
            for found in _SYSTEM.finditer(row):
                text = found[2] or (found[4] or "").replace('""', '"')
                _nested(package, member, language, text, number, emit)
            if language in ("perl", "ruby", "php"):
                for found in _TICKS.finditer(row):
                    _nested(package, member, language, found[1], number, emit)
        for pattern, words in _LINES:
            if match := pattern.search(row):
                filled = tuple(match.expand(word) if "\\" in word else word for word in words)
                emit(Call(member=member, line=number, text=row.strip(), words=filled))
        if _CALLS.search(_URL.sub(" ", row)):
            for url in _URL.finditer(row):
                emit(Call(member=member, line=number, text=row.strip(), words=("curl", url[0].rstrip(".,;"))))


def _nested(package: Package, member: Member, language: str, text: str, line: int, emit: Emit) -> None:
    if language == "vbscript" or re.match(r"(?i)(cmd|net|sc|reg|powershell|msiexec)\b|[a-z]:\\", text):
        from fulldress.package.scripts import batch
        from fulldress.package.scripts.follower import Trail

        batch.follow(Trail(package, emit), member, text.strip('"'), line - 1)
        return
    Shell(package, member, lambda event: None if isinstance(event, Gap) else emit(event)).text(
        text.replace("$", "\\$"), line
    )
