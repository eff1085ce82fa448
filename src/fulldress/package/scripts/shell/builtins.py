"""Commands of the shell itself, by what they change of what is known: options, folder, variables, arguments, the way on.

A built-in is a function and a line in :data:`BUILTINS`. It gets the follower, the words and the assignments before them,
and gives what the command prints; None where the command is to be looked at further like any other.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from fulldress.package.scripts.shell.assignments import Assignments
from fulldress.package.scripts.values import hole, is_constant

Builtin = Callable[[Assignments, tuple[str, ...], tuple[tuple[str, str], ...]], str | None]
_Given = tuple[tuple[str, str], ...]


def shebang(shell: Assignments, text: str) -> None:
    """Options in a script's first line: ``#!/bin/sh -e``."""
    first = text[:200].split("\n", 1)[0]
    if first.startswith("#!"):
        set_options(shell, ("set", *(word for word in first.split()[1:] if word.startswith("-"))))


def set_options(shell: Assignments, words: tuple[str, ...]) -> None:
    """``set -euo pipefail``, ``set +e``, ``set -- A B``."""
    words = words[1:]
    for index, word in enumerate(words):
        option_name = words[index + 1] if word in ("-o", "+o") and index + 1 < len(words) else ""
        if word[:1] in "-+" and word[:2] not in ("--", "-o", "+o") and "e" in word[1:]:
            shell.errexit = word.startswith("-")
        elif option_name == "errexit":
            shell.errexit = word == "-o"
        if option_name == "pipefail" or (
            word.startswith("-") and word.endswith("o") and "pipefail" in words[index + 1 : index + 2]
        ):
            shell.pipefail = not word.startswith("+")
        if (re.match(r"-[a-z]*u", word)) or (word == "-o" and words[index + 1 : index + 2] == ("nounset",)):
            shell.nounset = True
    if words[:1] == ("--",):
        shell.arguments = words[1:]


def _read(shell: Assignments, words: tuple[str, ...], given: _Given) -> str:
    shell.reads(words[0].rsplit("/", 1)[-1], words, dict(given).get("IFS", ""))
    return ""


def _printf(shell: Assignments, words: tuple[str, ...], given: _Given) -> str | None:
    if words[1:2] != ("-v",) or len(words) < 4:
        return None
    shell.variables[words[2]] = [shell.printed("printf", ("printf", *words[3:]))]
    return ""


def _cd(shell: Assignments, words: tuple[str, ...], given: _Given) -> None:
    plain = [word for word in words[1:] if not word.startswith("-")]
    path = plain[0] if plain else ""
    if not path.startswith("/") and is_constant(path) and path and shell.folder:
        path = posixpath.normpath(f"{shell.folder}/{path}")
    known = path.startswith("/") or path.startswith("\ue000@here")
    shell.variables["PWD"] = [path if known else hole("PWD")]


def _popd(shell: Assignments, words: tuple[str, ...], given: _Given) -> None:
    shell.variables["PWD"] = [hole("PWD")]


def _unset(shell: Assignments, words: tuple[str, ...], given: _Given) -> str:
    for variable in words[1:]:
        shell.variables.pop(variable, None)
        shell.arrays.pop(variable, None)
    return ""


def _shift(shell: Assignments, words: tuple[str, ...], given: _Given) -> str:
    if shell.arguments:
        shell.arguments = shell.arguments[int(words[1]) if words[1:] and re.fullmatch("[0-9]{1,4}", words[1]) else 1 :]
    return ""


def _leave(shell: Assignments, words: tuple[str, ...], given: _Given) -> str:
    if not shell.doubt:
        shell.ended = words[0]
    return ""


def _alias(shell: Assignments, words: tuple[str, ...], given: _Given) -> str:
    for word in words[1:]:
        name, equals, text = word.partition("=")
        if equals:
            shell.aliases[name] = text
    return ""


def _nothing(shell: Assignments, words: tuple[str, ...], given: _Given) -> str:
    return ""


BUILTINS: dict[str, Builtin] = {
    **dict.fromkeys(("read", "mapfile", "readarray", "getopts"), _read),
    "printf": _printf,
    **dict.fromkeys(("cd", "pushd"), _cd),
    "popd": _popd,
    "alias": _alias,
    "unset": _unset,
    "shift": _shift,
    **dict.fromkeys(("exit", "return"), _leave),
    **dict.fromkeys(("true", "false", ":"), _nothing),
}
