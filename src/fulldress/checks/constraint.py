"""Whether a plain dotted version lies within a constraint. Anything that is not plain is *unknown*, never a guess.

The catalogue knows schemes; checks see facts alone, so this reads only what is the same in every scheme: dotted
numbers, and clauses joined by a comma or a space. Pre-releases, epochs and editions give None.
"""

from __future__ import annotations

import re

from fulldress.patterns import regex

_CLAUSE = regex(r"\s*(>=|<=|==|!=|=|>>|<<|>|<|\^|~=|~>|~)?\s*v?([0-9][0-9A-Za-z.+:~*-]*)\s*")
#: A version with a distribution's revision or a pre-release's name behind its numbers.
_SUFFIXED = regex(r"v?(\d+(?:\.\d+)*)[-+~]\S*")
_PLAIN = regex(r"v?(\d+(?:\.\d+)*)")


def plain(version: str) -> tuple[int, ...] | None:
    """``4.2.0`` as numbers without trailing zeros (4.2 and 4.2.0 are one version); None for what is not plain."""
    match = _PLAIN.fullmatch(version.strip())
    if not match:
        return None
    numbers = [int(part) for part in match[1].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def within(version: str, constraint: str) -> bool | None:
    """Whether ``version`` satisfies ``constraint``; None when either cannot be read for certain."""
    number, exact = plain(version), True
    if number is None and (match := _SUFFIXED.fullmatch(version.strip())):
        number, exact = plain(match[1]), False
    text = constraint.strip().strip("()[]")
    if number is None or not text:
        return None
    if text in ("*", "any"):
        return True
    if "||" in text or "|" in text:
        answers = [within(version, part) for part in re.split(r"\|+", text)]
        return True if True in answers else (None if None in answers else False)
    position, answers = 0, []
    text = text.replace(",", " ")
    while position < len(text.rstrip()):
        match = _CLAUSE.match(text, position)
        if not match or match.end() == position:
            return None
        # with the same numbers, schemes disagree on what the suffix means
        doubtful = not exact and plain(match[2]) == number
        answers.append(None if doubtful else _clause(number, match[1] or "=", match[2]))
        position = match.end()
    if False in answers:
        return False
    return None if None in answers else True


def _clause(number: tuple[int, ...], operator: str, bound_text: str) -> bool | None:
    bound = plain(bound_text)
    if bound is None:
        return None
    width = bound_text.count(".") + 1
    match operator:
        case ">=":
            return number >= bound
        case "<=" | "=<":
            return number <= bound
        case ">" | ">>":
            return number > bound
        case "<" | "<<":
            return number < bound
        case "=" | "==":
            return number == bound
        case "!=":
            return number != bound
        case "^":
            # npm: the left-most part that is not zero stays as it is
            keep = next((i for i, part in enumerate(bound) if part), 0) + 1
            return number >= bound and _head(number, keep) == _head(bound, keep)
        case "~":
            keep = max(1, min(width, 2))
            return number >= bound and _head(number, keep) == _head(bound, keep)
        case "~=" | "~>":
            keep = max(1, width - 1)
            return number >= bound and _head(number, keep) == _head(bound, keep)
    return None


def _head(number: tuple[int, ...], length: int) -> tuple[int, ...]:
    return (number + (0,) * length)[:length]
