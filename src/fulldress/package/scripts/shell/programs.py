"""Programs that a command of the shell starts in another language or by another tool: interpreters with a text, commands of
a Python package, recipes of make, and what variables make others run first."""

from __future__ import annotations

import importlib
import re

from tree_sitter import Node

from fulldress.package.scripts import entrypoints, makefile, preloads
from fulldress.package.scripts.events import Gap
from fulldress.package.scripts.rule import option
from fulldress.package.scripts.shell.nested import DEPTH, Nested
from fulldress.package.scripts.sourced import member_of
from fulldress.package.scripts.values import clean, is_constant, show
from fulldress.patterns import regex

_LANGUAGES = {
    "python": "python", "perl": "perl", "node": "javascript", "ruby": "ruby", "php": "php", "expect": "tcl", "tclsh": "tcl",
}  # fmt: skip
#: Options that are followed by a program, alone or as the last of several letters: ``python3 -Ic``, ``perl -we``.
_CODE = {
    "python": regex(r"-[A-Za-z]*c"), "php": regex(r"-[a-z]*r|--run"), "tcl": regex(r"-c"), "ruby": regex(r"-[A-Za-z]*e"),
    "perl": regex(r"-[A-Za-z0]*[eE]"), "javascript": regex(r"-(?:e|p|pe|ep)|--eval|--print"),
}  # fmt: skip
_VALUED = frozenset(
    {"-W", "-X", "-I", "-r", "--require", "--import", "-d"}
)  #: options of interpreters with a word of their own
#: What a filter of texts has no need of.
_ACTS = regex(r"\b(?:system|exec|qx|eval|unlink|fork)\b|`|\|\s*['\"]")


def _code(kind: str, words: tuple[str, ...]) -> str:
    """The program that an interpreter gets in a word; several of them are lines of one."""
    found: list[str] = []
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        word = words[at]
        if _CODE[kind].fullmatch(word) and at + 1 < len(words):
            found.append(words[at + 1])
            if kind != "perl":
                break
            at += 2
        elif kind in ("python", "javascript") and (match := re.match(r"-c(?=.)|--(?:eval|print)=", word)):
            return word[match.end() :]
        else:
            at += 2 if word in _VALUED else 1
    return "\n".join(found)


class Programs(Nested):
    """What is started and is no shell script."""

    def _embedded(self, name: str, words: tuple[str, ...], node: Node) -> bool:
        """Whether it is a script in another language, given as a word or as input; it is read by that language's reader."""
        kind = next((k for prefix, k in _LANGUAGES.items() if re.fullmatch(rf"{prefix}[\d.]*", name)), "")
        if not kind:
            return False
        code, line = _code(kind, words[1:]), node.start_point.row + 1 + self.offset
        plain = [word for word in words[1:] if not word.startswith("-") or word == "-"]
        if not code and self.fed and self.stdin and plain[:1] in ([], ["-"]):
            code, line = self.stdin, self.stdin_line or line
        filters = kind == "perl" and re.search(r"(?:^|\s)-\w*[pin]", " ".join(words[1:]))
        if not code or (filters and not _ACTS.search(code)):
            return False
        self._read(kind, show(code), line)
        return True

    def python_of_the_package(self, name: str, words: tuple[str, ...], node: Node) -> bool:
        """Whether it is a command that a Python package of the package brings, or ``python -m`` one; its module is read."""
        if re.fullmatch(r"python[\d.]*", name):
            found = entrypoints.module(self.package, self.member, option(words[1:], "-m"))
        else:
            found = entrypoints.command(self.package, name)
        if found is None or found.kind != "python":
            return False
        if not found.kept or len(self.active) >= DEPTH:
            line = node.start_point.row + 1 + self.offset
            problem = f"its line {line} runs {found.name}, which was not read"
            self.emit(Gap(member=self.member, line=line, text="", last=line, problem=problem, needed=True))
        elif self._is_new(found, words[1:]):
            importlib.import_module("fulldress.package.scripts.python").read(self.package, found, self.emit)
        return True

    def makes(self, words: tuple[str, ...], node: Node) -> None:
        """Follows the recipes that ``make`` runs; ``words`` begins behind its name."""
        asked = makefile.asked(words)
        folder = asked.folder or self.folder
        names = (asked.file,) if asked.file else makefile.NAMES
        paths = [
            f"{folder.rstrip('/')}/{name}" if folder and not name.startswith("/") else f"./{name}" for name in names
        ]
        found = next((member for path in paths if (member := member_of(self.package, self.member, path))), None)
        line = node.start_point.row + 1 + self.offset
        if found is None or not found.kept:
            problem = (
                f"its line {line} runs make, and the package does not hold the {asked.file or 'Makefile'} that it reads"
            )
            self.emit(Gap(member=self.member, line=line, text="", last=line, problem=problem, needed=True))
            return
        key = f"make {found.path} {asked.targets}"
        if key in self.active or len(self.active) >= DEPTH:
            return
        rows = list(makefile.recipes(clean(found.text), asked.targets, asked.variables))
        if len(rows) >= makefile.MOST:
            problem = f"more than {makefile.MOST} lines of recipes; the first were followed"
            self.emit(Gap(member=found, line=1, text="", last=1, problem=problem, needed=True))
        kept = self.member, self.offset, self.arguments, self._copy(), dict(self.functions), self.ended
        self.member, self.arguments = found, ()
        self.active.append(key)
        try:
            for row in rows:
                self.ended = ""
                self.text(row.text, row.line)
        finally:
            self.active.pop()
            self.member, self.offset, self.arguments, self.variables, self.functions, self.ended = kept

    def preloaded(self, name: str, value: str, node: Node) -> None:
        """What a variable makes other programs run first (:mod:`..preloads`)."""
        line = node.start_point.row + 1 + self.offset
        if name in preloads.SOURCED and value not in ("", "/dev/null"):
            before = len(self.active)
            known = member_of(self.package, self.member, value) if is_constant(value) else None
            if known is None and value not in self.written:
                problem = f"its line {line} has every shell read {show(value)[:60]} first, which is not in the package"
                self.emit(Gap(member=self.member, line=line, text="", last=line, problem=problem, needed=True))
            elif before < DEPTH:
                self._script((".", value), node)
        elif name in preloads.COMMANDS and value:
            self.nested(value, node)
        elif preloads.unread(name, value):
            problem = f"its line {line} has {name} load code that was not read: {show(value)[:60]}"
            self.emit(Gap(member=self.member, line=line, text="", last=line, problem=problem, needed=True))
