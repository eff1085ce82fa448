"""What a cmdlet is given: arguments by their names, those by their places, all of them as words, and redirections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tree_sitter import Node

from fulldress.package.scripts.follower import Value, text_of, words_of
from fulldress.package.scripts.values import hole
from fulldress.package.scripts.windowswords import SWITCHES

if TYPE_CHECKING:
    from fulldress.package.scripts.powershellvalues import Values


def arguments_of(
    script: Values, node: Node | None
) -> tuple[dict[str, Value], list[Value], tuple[str, ...], list[Node]]:
    """Named arguments (names without dash, lower case), the others, all of them as words, and redirections."""
    named: dict[str, Value] = {}
    given: list[Value] = []
    words: list[str] = []
    redirections: list[Node] = []
    pending = ""
    for child in node.named_children if node is not None else ():
        if child.type == "command_argument_sep":
            continue
        if child.type == "redirection":
            redirections.append(child)
        elif child.type == "command_parameter":
            pending = script.raw(child).rstrip(":")
            words.append(pending)
            named[pending.lstrip("-").lower()] = "True"
            if pending.lower() in SWITCHES:
                pending = ""
        else:
            if script.raw(child).startswith("@") and not script.raw(child).startswith(("@(", "@{", "@'", '@"')):
                table = script.value(child)
                if isinstance(table, dict):
                    for key, item in table.items():
                        named[key] = item
                        words += [f"-{key}", *words_of(item)]
                    continue
                if isinstance(table, list):
                    given += table
                    words += list(words_of(table))
                    continue
            value = script.value(child)
            if pending:
                named[pending.lstrip("-").lower()] = value
                pending = ""
            else:
                given.append(value)
            words += list(words_of(value)) if value is not None else [hole("a value")]
    return named, given, tuple(words), redirections


def argument(given: list[Value], named: dict[str, Value], *names: str, place: int = 0) -> str:
    for name in names:
        if name in named:
            return text_of(named[name])
    return text_of(given[place]) if len(given) > place else ""
