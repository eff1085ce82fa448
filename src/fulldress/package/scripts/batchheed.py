"""Whether a batch file looks at the exit code of a step: ``if errorlevel``, ``%ERRORLEVEL%``, ``&&``, ``||``.

The code is kept until the next program or until a command of cmd.exe sets it; ``echo`` and its kin do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fulldress.package.scripts.batchlines import For, Group, If, Label, Simple, Statement
from fulldress.patterns import regex

_ASKS = regex(r"(?i)errorlevel|%\^?=?exitcode%")
_KEEPS = regex(r"(?i)@?(?:echo\b|echo[.:(]|rem\b|title\b|color\b|cls\b|endlocal\b|popd\b|timeout\b)")
_CALLS = regex(r"(?i)@?(?:call\s+|goto\s*):?\s*([\w.-]+)")


def heard(
    statements: Sequence[Statement], index: int, after: Statement | None, sections: Mapping[str, Sequence[Statement]]
) -> bool:
    """Whether what follows the statement looks at its exit code; the last one's is that of the script.

    ``after`` is what comes next outside of the block."""
    for following in (*statements[index + 1 :], after):
        if following is None:
            return True
        if isinstance(following, Simple) and _KEEPS.match(following.text) and following.operator not in ("&&", "||"):
            if _ASKS.search(following.text):
                return True
            continue
        return _asks(following, sections)
    return True


def _asks(statement: Statement, sections: Mapping[str, Sequence[Statement]]) -> bool:
    if isinstance(statement, If):
        return bool(_ASKS.search(statement.condition))
    if isinstance(statement, Simple):
        if statement.operator in ("&&", "||") or _ASKS.search(statement.text):
            return True
        if statement.text.lower().lstrip("@").startswith("exit"):
            return not statement.text.split()[-1].isdecimal()  # without a number, it hands the last code on
        called = _CALLS.match(statement.text)
        section = sections.get(called[1].lower(), ()) if called else ()
        return any(isinstance(s, If | Simple) and _mentions(s) for s in section[:3])
    if isinstance(statement, Group):
        return bool(statement.body) and _asks(statement.body[0], sections)
    return isinstance(statement, Label) and not isinstance(statement, For)


def _mentions(statement: If | Simple) -> bool:
    return bool(_ASKS.search(statement.condition if isinstance(statement, If) else statement.text))
