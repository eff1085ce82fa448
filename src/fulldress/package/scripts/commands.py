"""Commands of a followed shell script: their words, what they run in turn, what they write and print.

The part of the follower between the expansion of words and the order of statements
(:mod:`fulldress.package.scripts.shell`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice, product
from typing import Any

import msgspec
from tree_sitter import Node

from fulldress.package.reader import Member, Package
from fulldress.package.scripts import lines, wrappers
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Gap, Write
from fulldress.package.scripts.sourced import member_of
from fulldress.package.scripts.values import ALTERNATIVES, clean, hole, is_constant
from fulldress.package.scripts.words import Words

_DEPTH = 12  #: functions and scripts inside each other
_CALLS = 8  #: times that one script is followed for others that call it, each time with other values

Environment = dict[str, list[str]]


class Function(msgspec.Struct, frozen=True):
    body: Node
    member: Member
    offset: int


class Commands(Words):
    """What the follower knows while it goes through a script, and what it does with one command."""

    def __init__(self, package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
        self.package = package
        self.member = member
        self.emit = emit
        self.variables: Environment = {}
        self.arguments: tuple[str, ...] | None = None  # None: not known
        self.functions: dict[str, Function] = {}
        self.called: set[str] = set()
        self.active: list[str] = []
        self.scripts: dict[str, set[str]] = {}  # path -> the values with which it was followed
        self.sure: frozenset[str] = frozenset()
        self.nounset = False
        self.offset = 0
        self.steps = 0
        self.stdin: str | None = None
        self.fed = False
        self.before = ""  # the command before this one in a pipeline
        self.alone = True

    def text(self, text: str, line: int) -> str:
        raise NotImplementedError

    # -- assignments

    def _assignment(self, node: Node) -> str:
        name_node, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name_node is None:
            return ""
        name = self.raw(name_node)
        values = self.expand(value) if value is not None else [""]
        if any(child.type == "+=" for child in node.children):
            values = [old + new for old, new in product(self.variables.get(name, [""]), values)]
        values = [self.own_hole(name, text) for text in values][:ALTERNATIVES]
        for text in values:
            self.emit(Assign(**self.place(node), name=name, value=text))
        self.variables[name] = values
        return ""

    def _declaration(self, node: Node) -> str:
        for child in node.children:
            if child.type in ("variable_assignment", "variable_assignments"):
                self.follow(child)
        return ""

    def _assignments(self, node: Node) -> str:
        for child in node.children:
            if child.type == "variable_assignment":
                self._assignment(child)
        return ""

    # -- commands

    def _command(self, node: Node) -> str:
        environment: list[tuple[str, str]] = []
        words: list[list[list[str]]] = []
        redirects: list[Node] = []
        for child in node.children:
            if child.type == "variable_assignment":
                name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if name is not None:
                    text = self.expand(value)[0] if value is not None else ""
                    environment.append((self.raw(name), text))
            elif child.type in ("file_redirect", "herestring_redirect", "heredoc_redirect"):
                redirects.append(child)
            elif child.type == "command_name":
                words.append([[word] for word in self.split(child.children[0])] if child.children else [])
            elif child.is_named and child.type != "comment":
                words.append(self._choices(child))
        if redirects:
            kept = self.stdin, self.fed
            for redirect in redirects:
                if redirect.type == "herestring_redirect":
                    last = [child for child in redirect.children if child.is_named]
                    self.stdin, self.fed = ("".join(self.expand(last[-1])[:1]) + "\n" if last else None), True
            printed = self._calls(node, words, environment)
            self.stdin, self.fed = kept
            return printed
        return self._calls(node, words, environment)

    def _choices(self, node: Node) -> list[list[str]]:
        """The words that one node becomes, each with its alternatives."""
        if not self.splits(node):
            return [self.expand(node)]
        known = [text for text in self.expand(node) if text] if node.type != "string" else []
        return [known] if len(known) > 1 else [[word] for word in self.split(node)]

    def _calls(self, node: Node, words: list[list[list[str]]], environment: list[tuple[str, str]]) -> str:
        flat = [choices for word in words for choices in word]
        printed = ""
        for number, choice in enumerate(islice(product(*flat), ALTERNATIVES)):
            line = tuple(choice)
            if line and line[0]:
                output = self.call(node, line, tuple(environment))
                printed = printed if number else output
        return printed

    def call(self, node: Node, words: tuple[str, ...], environment: tuple[tuple[str, str], ...] = ()) -> str:
        """Follows one command whose words are expanded; what it prints."""
        name = words[0].rsplit("/", 1)[-1]
        if name in self.functions and "/" not in words[0]:
            return self._function(name, words[1:])
        if name == "set":
            self._set(words[1:])
            return ""
        self.emit(
            Call(
                **self.place(node),
                words=words,
                environment=environment,
                stdin=self.stdin,
                fed=self.fed,
                piped_from=self.before,
                alone=self.alone,
            )
        )
        if name in ("read", "mapfile", "readarray", "getopts"):
            for variable in words[1:]:
                if variable.isidentifier():
                    self.variables[variable] = [hole(variable)]
            return ""
        if name == "shift" and self.arguments:
            self.arguments = self.arguments[int(words[1]) if words[1:] and words[1].isdigit() else 1 :]
        if name in ("shift", "exit", "return", "true", "false", ":"):
            return ""
        if name == "tee":
            for path in words[1:]:
                if not path.startswith("-"):
                    self._write(node, path, self.stdin, "-a" in words, 0)
            return self.stdin or ""
        text = wrappers.text(words)
        if text:
            return self.nested(text, node)
        if name in wrappers.SHELLS and self.stdin and self.fed and is_constant(self.stdin):
            return self.nested(self.stdin, node)
        run = wrappers.inner(words)
        if run and run != words:
            return self.call(node, run)
        self._script(words)
        return self.printed(name, words)

    def nested(self, text: str, node: Node) -> str:
        """Follows text that is itself a script, such as that of ``sh -c``."""
        if len(self.active) >= _DEPTH:
            return ""
        self.active.append("-c")
        try:
            return self.text(text, node.start_point.row + 1 + self.offset)
        finally:
            self.active.pop()

    def _set(self, words: tuple[str, ...]) -> None:
        for index, word in enumerate(words):
            if (re.match(r"-[a-z]*u", word)) or (word == "-o" and words[index + 1 : index + 2] == ("nounset",)):
                self.nounset = True
        if words[:1] == ("--",):
            self.arguments = words[1:]

    def _function(self, name: str, arguments: tuple[str, ...] | None) -> str:
        self.called.add(name)
        if name in self.active or len(self.active) >= _DEPTH:
            return ""
        function = self.functions[name]
        kept = self.member, self.offset, self.arguments
        self.member, self.offset, self.arguments = function.member, function.offset, arguments
        self.active.append(name)
        try:
            return self.follow(function.body)
        finally:
            self.active.pop()
            self.member, self.offset, self.arguments = kept

    def _script(self, words: tuple[str, ...]) -> None:
        """Follows a shell script of the package that the command sources or starts."""
        file, arguments = wrappers.script_file(words)
        sources = words[0] in (".", "source")
        found = member_of(self.package, self.member, file) if file else None
        if found is None or found.kind != "shell" or f"{found.path} {arguments}" in self.active:
            return
        if len(self.active) >= _DEPTH:
            return
        if not sources and not self._is_new(found, arguments):
            return
        kept = self.member, self.offset, self.arguments, self._copy(), dict(self.functions)
        self.member, self.offset = found, 0
        if arguments or not sources:
            self.arguments = arguments
        self.active.append(f"{found.path} {arguments}")
        try:
            self.text(clean(found.text), 1)
        finally:
            self.active.pop()
            self.member, self.offset, self.arguments = kept[:3]
            if not sources:
                self.variables, self.functions = kept[3], kept[4]

    def _is_new(self, script: Member, arguments: tuple[str, ...]) -> bool:
        """Whether a called script may tell something new: with the same values it did already.

        Scripts that call each other are as many ways through them as there are calls to the power of calls."""
        values = self.scripts.setdefault(script.path, set())
        values_now = repr((arguments, sorted(self.variables.items())))
        if values_now in values:
            return False
        if len(values) >= _CALLS:
            problem = f"called more than {_CALLS} times with other values; the first {_CALLS} were followed"
            self.emit(Gap(member=script, line=1, text="", last=1, problem=problem))
            return False
        values.add(values_now)
        return True

    def _write(self, node: Node, path: str, content: str | None, append: bool, first_line: int) -> None:
        if path.startswith(("/dev/", "&")) and not path.startswith(("/dev/tcp/", "/dev/udp/")):
            return
        self.emit(Write(**self.place(node), path=path, content=content, append=append, first_line=first_line))

    def _line(self, line: lines.Line, shift: int) -> None:
        words = tuple(self.substituted(word) for word in line.words)
        place: dict[str, Any] = {
            "member": self.member,
            "line": line.number + shift,
            "text": line.text,
            "sure": self.sure,
            "nounset": self.nounset,
        }
        for name, value in line.assignments:
            self.variables[name] = [self.own_hole(name, self.substituted(value))]
            self.emit(Assign(**place, name=name, value=self.variables[name][0]))
        for path, append in line.writes:
            self.emit(Write(**place, path=self.substituted(path), content=line.stdin, append=append))
        while words:
            self.emit(Call(**place, words=words, stdin=line.stdin, fed=line.fed, piped_from=line.piped_from))
            words = wrappers.inner(words)

    # -- small things

    def place(self, node: Node) -> dict[str, Any]:
        """What every event of this node says of its place."""
        return {
            "member": self.member,
            "line": node.start_point.row + 1 + self.offset,
            "text": first_line(node),
            "sure": self.sure,
            "nounset": self.nounset,
        }

    def _copy(self) -> Environment:
        return {name: list(values) for name, values in self.variables.items()}


def first_line(node: Node) -> str:
    text = (node.text or b"").decode("utf-8", "replace")
    return text.split("\n", 1)[0] if not text.startswith("\n") else text.strip().split("\n", 1)[0]
