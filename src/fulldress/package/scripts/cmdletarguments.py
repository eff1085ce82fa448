"""What a cmdlet is given: arguments by their names, those by their places, all of them as words, and redirections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tree_sitter import Node

from fulldress.package.scripts import powershellmethods
from fulldress.package.scripts.follower import Value, text_of, words_of
from fulldress.package.scripts.values import hole
from fulldress.package.scripts.windowswords import SWITCHES

if TYPE_CHECKING:
    from fulldress.package.scripts.powershellvalues import Values


def arguments_of(
    script: Values, node: Node | None, *, joined: bool
) -> tuple[dict[str, Value], list[Value], tuple[str, ...], list[Node]]:
    """Named arguments (names without dash, lower case), the others, all of them as words, and redirections.

    ``joined``: a list is one word for a cmdlet (``A,B``); to a program, it is as many words."""
    named: dict[str, Value] = {}
    given: list[Value] = []
    words: list[str] = []
    redirections: list[Node] = []
    pending, taken = "", False  #: a parameter that waits for its value; the list of arguments belongs to a method
    children = [c for c in node.children if c.is_named] if node is not None else []
    for place, child in enumerate(children):
        after = children[place + 1] if place + 1 < len(children) else None
        if child.type == "argument_list" and not taken:  # New-Object X(a, b)
            for part in child.named_children:
                found = script.value(part)
                given += found if isinstance(found, list) else [found]
            continue
        taken = False
        if child.type in ("command_argument_sep", "argument_list"):
            if script.raw(child).strip() == ":" and words and words[-1].startswith("-"):
                pending = words[-1]  # -Confirm:$false
            continue
        if child.type == "redirection":
            redirections.append(child)
        elif child.type == "command_parameter":
            pending = script.raw(child)
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
                        words += [f"-{key}", *_words(item, joined)]
                    continue
                if isinstance(table, list):
                    given += table
                    words += list(words_of(table))
                    continue
            if (
                after is not None and after.type == "argument_list" and powershellmethods.access(child) is not None
            ):  # (New-Object X).Method(…)
                value = powershellmethods.of_argument(script, child, after)
                taken = True
            else:
                value = script.value(child)
            if pending.lower() in SWITCHES:
                named[pending.lstrip("-").lower()] = value
                words[-1] = f"{pending}:{text_of(value)}"
                pending = ""
                continue
            if pending:
                named[pending.lstrip("-").lower()] = value
                pending = ""
            else:
                given.append(value)
            words += _words(value, joined) if value is not None else [hole("a value")]
    return named, given, tuple(words), redirections


def _words(value: Value, joined: bool) -> list[str]:
    return [text_of(value)] if joined else list(words_of(value))


def argument(given: list[Value], named: dict[str, Value], *names: str, place: int = 0) -> str:
    for name in names:
        if name in named:
            return text_of(named[name])
    return text_of(given[place]) if len(given) > place else ""
