"""Commands of a followed shell script: their words, what they run in turn, what they write and print.

The part of the follower between the expansion of words and the order of statements
(:mod:`fulldress.package.scripts.shell`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice, product
from typing import Any

import msgspec
from tree_sitter import Node

from fulldress.package.reader import Member, Package
from fulldress.package.scripts import lines, wrappers
from fulldress.package.scripts.conditions import assigned_once
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Gap, Write
from fulldress.package.scripts.rule import option
from fulldress.package.scripts.sourced import member_of
from fulldress.package.scripts.values import ALTERNATIVES, clean, hole, is_constant, show
from fulldress.package.scripts.words import Words
from fulldress.package.scripts.written import Row, Written

_DEPTH = 12  #: functions and scripts inside each other
_ELEMENTS = 256  #: elements kept of an array
_SMALL = 64 * 1024  #: a larger file is not taken into a variable
_LANGUAGES = {"python": "python", "perl": "perl", "node": "javascript"}
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
        self.arrays: dict[str, list[str]] = {}
        self.maps: dict[str, dict[str, str]] = {}
        self.fixed: frozenset[str] = frozenset()
        self.written: dict[str, Written] = {}
        self.traps: dict[str, tuple[Node, Member, int]] = {}  # text that runs at the end -> where it stands
        self.locals: list[Environment] = []  # what the variables of a running function hid
        self.doubt = 0  # conditions around this place that are not known
        self.ended = ""  # "exit" or "return" was surely reached
        self.condition: bool | None = None  # of the last if
        self.stdin_line = 0  # where the here-document begins that is read
        self.holed = False  # its text is from another script, and may hold holes
        self.active: list[str] = []
        self.scripts: dict[str, set[str]] = {}  # path -> the values with which it was followed
        self.sure: frozenset[str] = frozenset()
        self.nounset = False
        self.errexit = self.pipefail = False
        self.handled = ""
        self.offset = 0
        self.steps = 0
        self.stdin: str | None = None
        self.fed = False
        self.before = ""  # the command before this one in a pipeline
        self.alone = True

    def text(self, text: str, line: int) -> str:
        raise NotImplementedError

    def begin(self, arguments: tuple[str, ...] | None) -> None:
        """Starts over for a further way in which the script is called."""
        self.arguments = arguments
        self.variables, self.functions, self.arrays, self.maps = {}, {}, {}, {}
        self.called, self.scripts, self.written, self.traps = set(), {}, {}, {}
        self.sure, self.nounset, self.doubt, self.ended = frozenset(), False, 0, ""
        self.errexit = self.pipefail = False

    @contextmanager
    def told(self, when: str) -> Iterator[None]:
        """All that happens inside is said to happen only then or there."""
        if not when:
            yield
            return
        kept = self.emit

        def emit(event: AnyEvent) -> None:
            kept(msgspec.structs.replace(event, when=f"{event.when}, {when}" if event.when else when))

        self.emit = emit
        try:
            yield
        finally:
            self.emit = kept

    # -- assignments

    def _assignment(self, node: Node) -> str:
        name_node, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name_node is None:
            return ""
        name = self.raw(name_node)
        if name_node.type == "subscript" or (value is not None and value.type == "array"):
            self._array(node, name, value)
            return ""
        values = self.expand(value) if value is not None else [""]
        if any(child.type == "+=" for child in node.children):
            values = [old + new for old, new in product(self.variables.get(name, [""]), values)]
        values = [self.own_hole(name, text) for text in values][:ALTERNATIVES]
        for text in values:
            self.emit(Assign(**self.place(node), name=name, value=text))
        self.variables[name] = values
        return ""

    def _array(self, node: Node, name: str, value: Node | None) -> None:
        """``A=(…)``, ``A+=(…)``, ``A[k]=v``; of an element with alternatives, the first."""
        adds = any(child.type == "+=" for child in node.children)
        if value is None or value.type != "array":
            name, _, key = name.partition("[")
            text = self.expand(value)[0] if value is not None else ""
            key = key.rstrip("]").strip("\"'")
            if name in self.maps or not key.isdigit():
                self.maps.setdefault(name, {})[key] = text
            elif int(key) <= len(self.arrays.get(name, ())) < _ELEMENTS:
                elements = self.arrays.setdefault(name, [])
                elements[int(key) : int(key) + 1] = [text]
            self.emit(Assign(**self.place(node), name=name, value=text))
            return
        elements = [word for child in value.named_children if child.type != "comment" for word in self.split(child)]
        pairs = [re.fullmatch(r"\[([^\]]*)\]=(.*)", text, re.S) for text in elements]
        if elements and all(pairs):
            self.maps.setdefault(name, {}).update({match[1]: match[2] for match in pairs if match})
        else:
            self.arrays[name] = [*(self.arrays.get(name, []) if adds else []), *elements][:_ELEMENTS]
        for text in elements[:_ELEMENTS]:
            self.emit(Assign(**self.place(node), name=name, value=text))
        self.variables[name] = elements[:1] or [""]

    def _declaration(self, node: Node) -> str:
        kind = self.raw(node.children[0]) if node.children else ""
        for child in node.children:
            if child.type in ("variable_assignment", "variable_assignments", "variable_name"):
                if kind in ("local", "declare", "typeset") and self.locals:
                    self._hide(self.raw(child).partition("=")[0].rstrip("+"), child.type == "variable_name")
                if child.type != "variable_name":
                    self.follow(child)
        return ""

    def _hide(self, name: str, unset: bool) -> None:
        """A local variable: what it hides comes back when the function ends."""
        self.locals[-1].setdefault(name, self.variables.get(name, []))
        if unset:
            self.variables.pop(name, None)

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
        if not words:  # ``A=1 B=2`` alone
            for variable, text in environment:
                self.variables[variable] = [self.own_hole(variable, text)]
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
            self._reads(name, words, dict(environment).get("IFS", ""))
            return ""
        if name == "printf" and words[1:2] == ("-v",) and len(words) > 3:
            self.variables[words[2]] = [self.printed(name, ("printf", *words[3:]))]
            return ""
        if name in ("cd", "pushd"):
            self._enter(words)
        elif name == "popd":
            self.variables["PWD"] = [hole("PWD")]
        if name == "unset":
            for variable in words[1:]:
                self.variables.pop(variable, None)
                self.arrays.pop(variable, None)
            return ""
        if name == "shift" and self.arguments:
            self.arguments = self.arguments[int(words[1]) if words[1:] and words[1].isdigit() else 1 :]
        if name in ("exit", "return") and not self.doubt:
            self.ended = name
        if name in ("shift", "exit", "return", "true", "false", ":"):
            return ""
        if name == "tee":
            for path in words[1:]:
                if not path.startswith("-"):
                    self._write(node, path, self.stdin, "-a" in words, self.stdin_line)
            return self.stdin or ""
        elsewhere = wrappers.elsewhere(words)
        if elsewhere is not None:
            place, script = elsewhere
            with self.told(place):
                text = script or (self.stdin if self.fed and self.stdin else "")
                return self._apart(text, node) if text else ""
        text = wrappers.text(words)
        if text and name == "trap" and {"EXIT", "0"} & set(words[2:]):
            self.traps.setdefault(text, (node, self.member, self.offset))
            return ""
        if text:
            return self.nested(text, node)
        if name in ("at", "batch") and self.fed and self.stdin and words[1:2] not in (("-l",), ("-d",), ("-c",)):
            with self.told(f"{name} {show(' '.join(words[1:]))}".strip()):
                return self._apart(self.stdin, node)
        if self._embedded(name, words, node):
            return ""
        if name in wrappers.SHELLS and self.stdin and self.fed and is_constant(self.stdin):
            return self.nested(self.stdin, node)
        run = wrappers.inner(words)
        if run and run != words:
            if name == "xargs" and self.stdin and is_constant(self.stdin):
                run = wrappers.with_input(words, run, self.stdin)
            printed = self.call(node, run, environment if name in ("sudo", "env", "nohup", "exec") else ())
            if name == "exec" and not self.doubt:
                self.ended = "exit"
            return printed
        self._script(words, node)
        return self._file(words) if name == "cat" and len(words) == 2 else self.printed(name, words)

    @property
    def folder(self) -> str:
        """The working folder, where it is known for sure."""
        known = self.variables.get("PWD", [])
        return known[0] if len(known) == 1 and known[0].startswith("/") else ""

    def _enter(self, words: tuple[str, ...]) -> None:
        plain = [word for word in words[1:] if not word.startswith("-")]
        path = plain[0] if plain else ""
        if not path.startswith("/") and is_constant(path) and path and self.folder:
            path = posixpath.normpath(f"{self.folder}/{path}")
        known = path.startswith("/") or path.startswith("\ue000@here")
        self.variables["PWD"] = [path if known else hole("PWD")]

    def _reads(self, name: str, words: tuple[str, ...], separator: str) -> None:
        known = self.stdin if self.fed and self.stdin and is_constant(self.stdin) else None
        names = [word for word in words[1:] if word.isidentifier()]
        if name in ("mapfile", "readarray") and names and known is not None:
            self.arrays[names[-1]] = known.split("\n")[:-1][:_ELEMENTS]
        elif name == "read" and known is not None and names and "-a" not in words:
            self.fill(names, known.split("\n", 1)[0], separator)
        elif name == "read" and known is not None and names and "-a" in words:
            row = known.split("\n", 1)[0]
            self.arrays[names[-1]] = (row.split(separator) if separator else row.split())[:_ELEMENTS]
        else:
            for variable in names:
                self.variables[variable] = [hole(variable)]

    def fill(self, names: list[str], row: str, separator: str = "") -> None:
        """What ``read NAMES`` makes of a row; the last name gets the rest."""
        signs = separator.strip("\"'").replace("\\t", "\t") or None
        parts = row.strip().split(signs, len(names) - 1) if names else []
        for index, name in enumerate(names):
            self.variables[name] = [parts[index].strip() if index < len(parts) else ""]

    def _file(self, words: tuple[str, ...]) -> str:
        """What ``cat FILE`` prints: of a file that the script wrote before, or that the package brings."""
        wrote = self.written.get(words[1])
        if wrote is not None and wrote.known:
            return wrote.text
        found = member_of(self.package, self.member, words[1]) if words[1] and words[1] != "-" else None
        if found is not None and found.kept and found.size <= _SMALL and b"\0" not in found.data:
            return clean(found.text)
        return self.printed("cat", words)

    def _apart(self, text: str, node: Node) -> str:
        """Follows a script that runs in a shell of its own, with nothing of this one's variables and functions."""
        kept = self.variables, self.functions, self.arguments, self.ended
        self.variables, self.functions, self.arguments = {}, {}, None
        try:
            return self.nested(text, node)
        finally:
            self.variables, self.functions, self.arguments, self.ended = kept

    def _embedded(self, name: str, words: tuple[str, ...], node: Node) -> bool:
        """Whether it is a script in another language, given as a word or as input; it is read by that language's reader."""
        kind = next((k for prefix, k in _LANGUAGES.items() if re.fullmatch(rf"{prefix}[\d.]*", name)), "")
        if not kind:
            return False
        flag = "-c" if kind == "python" else "-e"
        code, line = option(words[1:], flag), node.start_point.row + 1 + self.offset
        plain = [word for word in words[1:] if not word.startswith("-") or word == "-"]
        if not code and self.fed and self.stdin and plain[:1] in ([], ["-"]):
            code, line = self.stdin, self.stdin_line or line
        if not code or (kind == "perl" and re.search(r"(?:^|\s)-\w*[pin]", " ".join(words[1:]))):
            return False
        self._read(kind, show(code), line)
        return True

    def _read(self, kind: str, code: str, line: int) -> None:
        """Hands a text to the reader of its language; its lines are those of the script that holds it."""
        from fulldress.package.scripts import javascript, perl, python

        data = ("\n" * (line - 1) + code).encode("utf-8", "replace")
        text = msgspec.structs.replace(self.member, data=data, kind=kind, kept=True)
        own = self.member

        def emit(event: AnyEvent) -> None:
            self.emit(msgspec.structs.replace(event, member=own))

        {"python": python.read, "javascript": javascript.read, "perl": perl.read}.get(kind, perl.read)(
            self.package, text, emit
        )

    def nested(self, text: str, node: Node) -> str:
        """Follows text that is itself a script, such as that of ``sh -c``."""
        if len(self.active) >= _DEPTH:
            return ""
        self.active.append("-c")
        ended = self.ended
        line = node.start_point.row + 1 + self.offset
        if self.stdin_line and text == self.stdin:
            line = self.stdin_line
        try:
            return self.text(text, line)
        finally:
            self.active.pop()
            self.ended = ended

    def options(self, text: str) -> None:
        """Options in a script's first line: ``#!/bin/sh -e``."""
        first = text[:200].split("\n", 1)[0]
        if first.startswith("#!"):
            self._set(tuple(word for word in first.split()[1:] if word.startswith("-")))

    def _set(self, words: tuple[str, ...]) -> None:
        for index, word in enumerate(words):
            option_name = words[index + 1] if word in ("-o", "+o") and index + 1 < len(words) else ""
            if word[:1] in "-+" and word[:2] not in ("--", "-o", "+o") and "e" in word[1:]:
                self.errexit = word.startswith("-")
            elif option_name == "errexit":
                self.errexit = word == "-o"
            if option_name == "pipefail" or (
                word.startswith("-") and word.endswith("o") and "pipefail" in words[index + 1 : index + 2]
            ):
                self.pipefail = not word.startswith("+")
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
        self.locals.append({})
        try:
            return self.follow(function.body)
        finally:
            self.active.pop()
            for hidden, values in self.locals.pop().items():
                self.variables[hidden] = values
                if not values:
                    del self.variables[hidden]
            self.ended = "exit" if self.ended == "exit" else ""
            self.member, self.offset, self.arguments = kept

    def _script(self, words: tuple[str, ...], node: Node) -> None:
        """Follows a shell script of the package that the command sources or starts."""
        file, arguments = wrappers.script_file(words)
        sources = words[0] in (".", "source")
        wrote = self.written.get(file) if file else None
        if wrote is not None and wrote.known:
            self._wrote(file, wrote, arguments, sources)
            return
        if sources and not file.endswith("/debconf/confmodule"):
            self.fixed = frozenset()  # it may set anything
        found = member_of(self.package, self.member, file) if file else None
        if found is None or found.kind != "shell" or f"{found.path} {arguments}" in self.active:
            return
        if len(self.active) >= _DEPTH:
            return
        if not sources and not self._is_new(found, arguments):
            return
        kept = self.member, self.offset, self.arguments, self._copy(), dict(self.functions)
        fixed, ended, self.fixed = self.fixed, self.ended, assigned_once(found.text)
        self.member, self.offset = found, 0
        if arguments or not sources:
            self.arguments = arguments
        self.active.append(f"{found.path} {arguments}")
        try:
            self.text(clean(found.text), 1)
        finally:
            self.active.pop()
            self.member, self.offset, self.arguments = kept[:3]
            self.fixed = fixed
            if not sources:
                self.variables, self.functions, self.ended = kept[3], kept[4], ended

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
        if not append or path not in self.written:
            self.written[path] = Written()
            self.written[path].known = not append
        here = node.start_point.row + 1 + self.offset
        self.written[path].add(self.member, content, here, first_line)

    def _wrote(self, path: str, wrote: Written, arguments: tuple[str, ...] | None, sources: bool = False) -> None:
        """Follows a file that was written before as the script that it is."""
        kind = wrote.kind(path) if not sources else "shell"
        if len(self.active) >= _DEPTH or f"written {path}" in self.active or kind == "unit":
            return
        wrote.read = True
        kept, emit = self._copy(), self.emit
        state = self.functions, self.arguments, self.offset, self.ended, self.member, self.fixed
        self.active.append(f"written {path}")
        self.emit = _places(wrote, emit)
        self.offset = 0
        try:
            if kind not in ("", "shell"):
                self._read(kind, show(wrote.text), 1)
                return
            if not sources:
                self.functions, self.arguments = {}, arguments
                self.fixed = assigned_once(wrote.text)
            self.text(wrote.text, 1)
        finally:
            self.active.pop()
            self.emit = emit
            if not sources:
                self.variables, self.functions = kept, state[0]
            self.arguments, self.offset, self.ended, self.member, self.fixed = state[1:]

    def finish(self) -> None:
        """What runs at the end, with what is known then; and the scripts and units that were written and not run here."""
        self.ended = ""
        for text, (node, member, offset) in list(self.traps.items()):
            kept_place = self.member, self.offset
            self.member, self.offset = member, offset
            self.nested(text, node)
            self.member, self.offset = kept_place
        for path, wrote in list(self.written.items()):
            kind = wrote.kind(path) if wrote.known and not wrote.read else ""
            if not kind or not wrote.rows:
                continue
            self.variables, self.doubt = {}, 0
            with self.told(f"when {show(path)} runs"):
                if kind != "unit":
                    self._wrote(path, wrote, None)
                    continue
                for row in wrote.rows:
                    match = re.match(r"\s*Exec\w+\s*=\s*[@:+!-]*(.*)", row.text)
                    if match and match[1]:
                        kept, self.emit = self.emit, _places(Written(), self.emit, row)
                        self.text(match[1], 1)
                        self.emit = kept

    def _line(self, line: lines.Line, shift: int) -> None:
        words = tuple(self.substituted(word) for word in line.words)
        place: dict[str, Any] = {
            "member": self.member,
            "line": line.number + shift,
            "text": line.text,
            "sure": self.sure,
            "nounset": self.nounset,
            "errexit": self.errexit,
            "handled": "tested",  # not known: nothing is concluded from it
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
            "errexit": self.errexit,
            "pipefail": self.pipefail,
            "handled": self.handled,
            "folder": self.folder,
        }

    def _copy(self) -> Environment:
        return {name: list(values) for name, values in self.variables.items()}


def _places(wrote: Written, emit: Callable[[AnyEvent], None], only: Row | None = None) -> Callable[[AnyEvent], None]:
    """Events of a written text, each at the place where its row is written."""

    def placed(event: AnyEvent) -> None:
        row = only or (wrote.rows[event.line - 1] if 0 < event.line <= len(wrote.rows) else None)
        if row is None:
            emit(event)
        elif isinstance(event, Gap):
            last = wrote.rows[min(event.last, len(wrote.rows)) - 1].line if wrote.rows else row.line
            emit(msgspec.structs.replace(event, member=row.member, line=row.line, last=max(last, row.line)))
        else:
            emit(msgspec.structs.replace(event, member=row.member, line=row.line))

    return placed


def first_line(node: Node) -> str:
    text = (node.text or b"").decode("utf-8", "replace")
    return text.split("\n", 1)[0] if not text.startswith("\n") else text.strip().split("\n", 1)[0]
