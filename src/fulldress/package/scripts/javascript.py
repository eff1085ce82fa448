"""JavaScript that an installation runs: its constant commands and addresses, without following variables.

Only the files that a lifecycle script of ``package.json`` starts; modules of the application are no scripts. A call of
``child_process`` becomes the command it starts, a request the event of ``curl``, so every rule for shell scripts holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fulldress.package.reader import Member, Package
from fulldress.package.scripts.events import AnyEvent, Call, Gap
from fulldress.package.scripts.shell import Shell
from fulldress.package.scripts.values import clean, hole

_TEXT = r"""(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)"""
#: Comments and strings, of which only the comments are blanked: what is quoted may hold ``//``.
_COMMENT = re.compile(rf"{_TEXT}|(//[^\n]*|/\*.*?\*/)", re.S)
_SHELL = re.compile(rf"\b(?:exec|execSync)\s*\(\s*{_TEXT}")
_PROGRAM = re.compile(
    rf"\b(?:spawn|spawnSync|execFile|execFileSync|execa|execaSync|fork)\s*\(\s*{_TEXT}\s*(?:,\s*\[(.*?)\])?", re.S
)
_REQUEST = re.compile(rf"\b(?:get|post|put|patch|delete|head|request|fetch|axios|got|download)\s*\(\s*{_TEXT}")
_DELETES = re.compile(rf"\b(?:rmSync|rm|rmdirSync|rmdir|unlinkSync|unlink|removeSync)\s*\(\s*{_TEXT}")
_NAMED = re.compile(
    r"""\b(?:const|let|var)\s+\w+\s*=\s*["'`]((?:https?|ftps?|sftp|wss?)://[^"'`\s]+)["'`]|\b(?:url|uri|href|host|hostname)\s*:\s*["'`]([^"'`\s]+)["'`]"""
)


def read(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Events of the calls that are written out in the file, and a :class:`~.events.Gap` over all of it."""
    text = _COMMENT.sub(lambda m: m[0] if m[4] is None else re.sub(r"[^\n]", " ", m[4]), clean(member.text))
    rows = text.split("\n")

    def place(match: re.Match[str]) -> tuple[int, str]:
        line = text.count("\n", 0, match.start()) + 1
        return line, rows[line - 1].strip()

    def call(match: re.Match[str], words: tuple[str, ...]) -> None:
        line, row = place(match)
        emit(Call(member=member, line=line, text=row, words=words))

    for match in _SHELL.finditer(text):
        Shell(package, member, lambda event: None if isinstance(event, Gap) else emit(event)).text(
            _value(match), place(match)[0]
        )
    for match in _PROGRAM.finditer(text):
        words = [found[1] or found[2] or found[3] or "" for found in re.finditer(_TEXT, match[4] or "")]
        call(match, (_value(match), *words))
    for match in _REQUEST.finditer(text):
        if "://" in _value(match):
            call(match, ("curl", _value(match)))
    for match in _DELETES.finditer(text):
        call(match, ("rm", "-rf", _value(match)))
    for match in _NAMED.finditer(text):
        value = match[1] or match[2]
        if "://" in value or "." in value:
            call(match, ("curl", value))
    problem = "javascript: calls that are written out were read; variables and branches were not followed"
    emit(Gap(member=member, line=1, text="", last=max(1, len(rows)), problem=problem))


def _value(match: re.Match[str]) -> str:
    """The text of the first string; ``${…}`` of a template is a hole."""
    if match[3] is not None:
        return re.sub(r"\$\{([^}]*)\}", lambda inner: hole(inner[1]), match[3])
    return re.sub(r"\\(.)", r"\1", match[1] or match[2] or "")
