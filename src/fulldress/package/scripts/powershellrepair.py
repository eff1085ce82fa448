"""Writings of PowerShell that its grammar lacks, put into others that mean the same; rows stay where they are.

Left out: attributes and ``using``, which do nothing. Quoted: words that a program gets (``-url=jdbc:x``, ``-Xmx512m``) and lists
of bare words (``Stop-Service A, B``).
"""

from __future__ import annotations

import re

from fulldress.patterns import regex

_ATTRIBUTES = regex(
    r"(?im)\[(?:Parameter|CmdletBinding|Validate\w+|Alias|OutputType|AllowNull|AllowEmpty\w+|SuppressMessage\w*|Diagnostics\.\w+[\w.]*|"
    r"SupportsWildcards|ArgumentCompleter|PSDefaultValue)\s*\((?:[^()'\"]|'[^']*'|\"[^\"]*\"|\((?:[^()])*\))*\)\]|^[ \t]*using[ \t]+(?:namespace|assembly|module)[^\n]*"
)
_LABEL = regex(r"(?im)^([ \t]*):\w+[ \t]+(?=(?:while|for|foreach|do|switch)\b)")
#: Strings, here-strings and remarks, which stay as they are; then an option of a program; then a list of bare words.
_ITEM = r"""(?:[\w*.\\][\w.*:\\/-]*|'[^'\n]*'|"[^"\n]*"|\$[\w:]+)"""
_PIECES = regex(
    rf"""(?<=[ \t])(?<!,[ \t])(?P<list>{_ITEM}(?:[ \t]*,[ \t]*{_ITEM}){{1,64}})(?=[\s;|)}}]|$)
    |(?P<kept>@'\n(?:.*?\n'@|.*\Z)|@"\n(?:.*?\n"@|.*\Z)|'(?:[^']|'')*'|"(?:[^"`]|`.|"")*"|<\#.*?\#>|(?<![\w`])\#[^\n]*)
    |(?P<generic>`\d+(?=\[))
    |\[(?P<nested>\w[\w.]*\+\w+)\]
    |(?<=[ \t])(?P<path>\$[\w:]+[\\/][\w.\\/$:*-]*)(?=[\s;|)}}]|$)
    |(?P<jump>\b(?:break|continue)[ \t]+[A-Za-z]\w*)
    |(?P<null>\?\?=?|(?<=[\w)\]}}])\?[.\[](?=[\w$'"]))
    |(?<=[ \t])(?P<option>--?[A-Za-z][A-Za-z-]*(?:[=.\d])(?:"[^"\n]*"|'[^'\n]*'|[^\s;|&(){{}}'",`])*)""",
    re.S | re.X,
)
#: Operators, which are no options: ``-lt10``, ``-f1``.
_OPERATORS = regex(
    r"(?i)-[ci]?(?:eq|ne|lt|le|gt|ge|like|notlike|match|notmatch|and|or|xor|not|f|in|is|as|join|split|replace|band|bor)[.\d=]"
)


def repaired(text: str) -> str:
    """``text`` as the grammar takes it, with as many rows."""
    text = _ATTRIBUTES.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return _PIECES.sub(_put, _LABEL.sub(r"\1", text))


def _put(match: re.Match[str]) -> str:
    if match["kept"] is not None:
        return match[0]
    if match["generic"]:
        return ""
    if match["nested"]:
        return f"[{match['nested'].replace('+', '.')}]"
    if match["path"]:
        return f'"{match["path"]}"'
    if match["jump"]:
        return match["jump"].split()[0]
    if match["null"]:
        return {"??=": "=", "??": "-or", "?.": ".", "?[": "["}[match["null"]]
    if match["list"]:
        items = re.findall(r"'[^'\n]*'|\"[^\"\n]*\"|[^\s,]+", match["list"])
        if all(item[0] in "'\"$" for item in items):
            return match[0]
        return ", ".join(item if item[0] in "'\"$" else f"'{item}'" for item in items)
    option = match["option"]
    if _OPERATORS.match(option):
        return match[0]
    if "'" in option and "$" not in option:
        option = option.replace("'", '"')
    bare = option.replace('"', "")
    return f'"{bare}"' if "$" in option else "'" + bare.replace("'", "''") + "'"
