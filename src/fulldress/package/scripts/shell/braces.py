"""Brace expansion: ``{a,b}``, ``{1..5}``, ``{a..e..2}``, inside each other. It comes before all other expansions.

What is quoted or expanded is kept together; what has no comma and no dots stays as it stands (``{}``, ``{a}``).
"""

from __future__ import annotations

import re

from tree_sitter import Node

from fulldress.package.scripts.values import combine
from fulldress.package.scripts.words import Words
from fulldress.patterns import regex

#: A character that means something to braces, or a part that does not: its alternatives.
_Token = str | list[str]

_OPEN, _COMMA, _CLOSE = "{,}"
_MOST = 256  #: words that one word may become; beyond, it stays as it stands
_TOKENS, _NESTED = 1000, 12
_NUMBERS = regex(r"(-?\d{1,9})\.\.(-?\d{1,9})(?:\.\.(-?\d{1,9}))?")
_LETTERS = regex(r"([A-Za-z])\.\.([A-Za-z])(?:\.\.(-?\d{1,3}))?")


class _TooMany(Exception):
    pass


def words(shell: Words, node: Node) -> list[list[str]] | None:
    """The words that ``node`` becomes, each with its alternatives; None where its braces make no difference."""
    if node.type not in ("concatenation", "brace_expression") or b"{" not in (node.text or b""):
        return None
    tokens = _tokens(shell, node)
    if len(tokens) > _TOKENS:
        return None
    try:
        spread = _spread(tokens, 0)
    except _TooMany:
        return None
    return [_joined(word) for word in spread] if len(spread) > 1 or spread[0] != tokens else None


def _tokens(shell: Words, node: Node) -> list[_Token]:
    tokens: list[_Token] = []
    for child in node.children if node.type == "concatenation" else [node]:
        if child.type in ("word", "brace_expression", "number") or not child.is_named:
            tokens += [[part[1]] if len(part) == 2 else part for part in re.findall(r"\\.|.", shell.raw(child), re.S)]
        else:
            tokens.append(shell.expand(child))
    return tokens


def _spread(tokens: list[_Token], depth: int) -> list[list[_Token]]:
    if depth > _NESTED:
        raise _TooMany
    for begin, token in enumerate(tokens):
        if token != _OPEN:
            continue
        parts, end = _parts(tokens, begin)
        if end < 0:
            continue
        choices = [word for part in parts for word in _spread(part, depth + 1)] if len(parts) > 1 else _row(parts[0])
        if not choices:
            continue
        rest = _spread(tokens[end + 1 :], depth + 1)
        if len(choices) * len(rest) > _MOST:
            raise _TooMany
        return [[*tokens[:begin], *choice, *after] for choice in choices for after in rest]
    return [tokens]


def _parts(tokens: list[_Token], begin: int) -> tuple[list[list[_Token]], int]:
    """What stands between the brace at ``begin`` and its partner, cut at the commas; -1 where it has none."""
    parts: list[list[_Token]] = [[]]
    depth = 0
    for index in range(begin + 1, len(tokens)):
        token = tokens[index]
        if token == _CLOSE and not depth:
            return parts, index
        depth += (token == _OPEN) - (token == _CLOSE)
        if token == _COMMA and not depth:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts, -1


def _row(part: list[_Token]) -> list[list[_Token]]:
    """``1..5``, ``01..10..3``, ``a..e``; empty for anything else."""
    if not all(isinstance(token, str) for token in part):
        return []
    text = "".join(token for token in part if isinstance(token, str))
    if match := _NUMBERS.fullmatch(text):
        first, last, step = int(match[1]), int(match[2]), abs(int(match[3] or 1)) or 1
        padded = any(re.match(r"-?0\d", end) for end in (match[1], match[2]))
        width = max(len(match[1]), len(match[2])) if padded else 0
    elif match := _LETTERS.fullmatch(text):
        first, last, step, width = ord(match[1]), ord(match[2]), abs(int(match[3] or 1)) or 1, -1
    else:
        return []
    row = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
    if len(row) > _MOST:
        raise _TooMany
    return [list(chr(number) if width < 0 else str(number).zfill(width)) for number in row]


def _joined(word: list[_Token]) -> list[str]:
    return combine([[token] if isinstance(token, str) else token for token in word])
