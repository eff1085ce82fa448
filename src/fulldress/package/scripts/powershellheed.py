"""Whether a PowerShell script looks how a step ended.

``$ErrorActionPreference`` and ``try`` hear of cmdlets that fail, and of no program: there ``$LASTEXITCODE`` has to be asked, or
``ExitCode`` of what ``Start-Process -PassThru`` gives. A program with windows (msiexec) is not even waited for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tree_sitter import Node

from fulldress.package.scripts.follower import Value, text_of
from fulldress.patterns import regex

if TYPE_CHECKING:
    from fulldress.package.scripts.powershellvalues import Values

#: Cmdlets of which a later step surely wants to know whether they worked.
_MATTERS = regex(
    r"(?i)^(stop-service|start-service|restart-service|start-process|install-\w+|copy-item|move-item|invoke-sqlcmd|expand-archive|"
    r"backup-\w+|restore-\w+|invoke-webrequest|set-service|invoke-command)$"
)
#: Cmdlets whose loss no later look at the host tells.
_LASTING = regex(r"^(?:invoke-sqlcmd|backup-\w+|restore-\w+)$")
_QUIET = frozenset({"silentlycontinue", "ignore", "0"})
_ASKED = regex(r"(?i)\$LASTEXITCODE|\$\?|\bExitCode\b")
_WINDOWED = regex(r"(?i)(?:^|[\\/])(?:msiexec|wusa)(?:\.exe)?$")
_AHEAD = 8  #: rows after a program in which its exit code may be asked for


def silenced(script: Values, line: int, row: str, cmdlet: str, named: dict[str, Value]) -> None:
    """A cmdlet that matters and whose failure is told to be no matter."""
    if not _MATTERS.match(cmdlet):
        return
    said = text_of(named.get("erroraction", named.get("ea", ""))).lower()
    step = row.split("\n", 1)[0]
    if said in _QUIET and cmdlet != "stop-service":  # of a service that may not be there
        script.swallowed(line, row, step, f"-ErrorAction {said}")
    elif script.silenced is not None and said != "stop":
        where, text = script.silenced
        script.silenced = None  # once for all that follow
        script.swallowed(where, text, step, text.split("\n", 1)[0])


def of_cmdlet(script: Values, cmdlet: str, named: dict[str, Value]) -> dict[str, bool]:
    """For a cmdlet whose failure is lost where nothing stops the script."""
    said = text_of(named.get("erroraction", named.get("ea", ""))).lower()
    heard = script.stops or script.tried or said == "stop" or "errorvariable" in named or "abortonerror" in named
    return {"unheard": bool(_LASTING.match(cmdlet)) and not heard}


def of_program(script: Values, node: Node, name: str) -> dict[str, bool]:
    """For a program that is called by its name."""
    chain = node.parent
    piped = chain is not None and chain.named_child_count > 1  # to whatever: then PowerShell waits
    if _WINDOWED.search(name) and not piped:
        return {"apart": True}
    first = node.end_point.row
    rows = script.rows[node.start_point.row : first + _AHEAD]
    whole = "\n".join(script.rows)
    return {"unheard": not _ASKED.search("\n".join(rows)) and "PSNativeCommandUseErrorActionPreference" not in whole}


def of_process(script: Values, node: Node, named: dict[str, Value]) -> dict[str, bool]:
    """For ``Start-Process``."""
    rest = "\n".join(script.rows[node.start_point.row :])
    if "wait" not in named:
        return {"apart": not re.search(r"(?i)\bWaitForExit\b|\bWait-Process\b|\bHasExited\b|\bWait-Job\b", rest)}
    return {"unheard": not _ASKED.search(rest)}
