"""PowerShell, by its syntax tree. Statements in order, both branches, every pass of a loop over constants.

What a cmdlet does is said by :mod:`.cmdlets`, in the words of the command that does the same; values of expressions come
from :mod:`.powershellvalues`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from fulldress.package.reader import Member, Package
from fulldress.package.scripts import cmdlets, plain, powershellrepair
from fulldress.package.scripts.events import AnyEvent
from fulldress.package.scripts.follower import Trail, Value, text_of
from fulldress.package.scripts.powershellvalues import Values, variable_name
from fulldress.package.scripts.values import clean, hole, is_constant
from fulldress.patterns import regex

_LANGUAGE = Language(tree_sitter_powershell.language())
_PASSES = 32  #: passes of a loop over constants that are followed
_STATEMENTS = ("_statement", "statement_list", "pipeline", "statement_block", "pipeline_chain")
_BRANCHES = ("if_statement", "elseif_clause", "switch_statement", "try_statement")
#: Steps of which a later one surely wants to know whether they worked.
_STEPS = regex(
    r"(?i)\b(?:(?:stop|start|restart|set)-service|start-process|msiexec|install-\w+|(?:copy|move|remove)-item|invoke-(?:sqlcmd|webrequest|restmethod|command)|"
    r"expand-archive|sqlcmd|sc\.exe|net\s+(?:stop|start))\b"
)
#: What a catch block does when it does not tell anybody: it is empty, or only prints.
_QUIET = regex(
    r"(?is)\{?\s*((write-(host|verbose|debug|output|warning|information)|#|echo)[^\n;]*[\n;]?\s*|\$null\s*=?[^\n;]*[\n;]?\s*)*\}?\s*"
)


def read(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Events of one script, and of what it starts. Raises :class:`~.shell.Exhausted`."""
    follow(Trail(package, emit), member, clean(member.text), 0)


def follow(trail: Trail, member: Member, text: str, offset: int, arguments: tuple[str, ...] | None = None) -> None:
    """Follows ``text``, which begins at line ``offset`` + 1 of ``member``."""
    script = _Script(trail, member, offset)
    script.script(_tree(text), text, arguments)


def _tree(text: str) -> Node:
    return Parser(_LANGUAGE).parse(powershellrepair.repaired(text).encode("utf-8", "replace")).root_node


class _Script(Values):
    def script(self, root: Node, text: str, arguments: tuple[str, ...] | None) -> None:
        for match in re.finditer(r"(?im)^[ \t]*#requires[ \t]+.*-RunAsAdministrator", text):
            line = text.count("\n", 0, match.start()) + 1 + self.offset
            self.emit(line, match[0], ("#requires", "-RunAsAdministrator"))
        self.rows = text.split("\n")
        self.stops = bool(re.search(r"(?i)\$ErrorActionPreference\s*=\s*['\"]?Stop", text))
        self.follow_block(root, arguments)
        for name in sorted(set(self.functions) - self.called):
            self.function(name, [], {}, unknown=True)

    # -- statements

    def follow_block(self, node: Node, arguments: tuple[str, ...] | None = None) -> None:
        """The statements of a program or a script block, its parameters bound first."""
        for child in node.named_children:
            if child.type == "param_block":
                given, named = _passed(arguments or ())
                self.bind(child, given, named, unknown=arguments is None)
            else:
                self.follow(child)

    def follow(self, node: Node) -> None:
        self.trail.step()
        kind = node.type
        if kind in ("comment", "param_block", "attribute_list"):
            return
        if kind == "ERROR":
            self._error(node)
        elif kind == "function_statement":
            name = next((c for c in node.named_children if c.type == "function_name"), None)
            if name is not None:
                self.functions[self.raw(name).rsplit(":", 1)[-1].lower()] = node
        elif kind == "pipeline":
            self.value(node)
        elif kind == "foreach_statement":
            self._foreach(node)
        elif kind in _BRANCHES:
            self._branches(node)
        elif kind == "flow_control_statement":
            self._leaves(node)
        else:
            for child in node.named_children:
                self.follow(child)

    def _leaves(self, node: Node) -> None:
        word = self.raw(node).split(None, 1)
        if word and word[0].lower() == "exit":
            status = next((text_of(self.value(child)) for child in node.named_children), "0")
            self.emit(self.line(node), self.raw(node), ("exit", status))
            return
        for child in node.named_children:
            self.follow(child)

    def _branches(self, node: Node) -> None:
        """Every branch from the same start; what they leave in a variable, where they agree or one alone knows it."""
        before = dict(self.names)
        ends: list[dict[str, Value]] = []
        for child in node.named_children:
            if child.type in ("statement_block", "elseif_clauses", "elseif_clause", "else_clause", "switch_body"):
                self.names = dict(before)
                self.tried += node.type == "try_statement"
                for part in child.named_children if child.type in ("elseif_clauses", "switch_body") else (child,):
                    self.names = dict(before)
                    self.follow(part)
                    ends.append(self.names)
                self.tried -= node.type == "try_statement"
            elif child.type == "catch_clauses":
                self._caught(node, child)
                self.names = dict(before)
                self.follow(child)
            elif child.type == "switch_clauses":
                for part in child.named_children:
                    self.names = dict(before)
                    self.follow(part)
                    ends.append(self.names)
            else:
                self.names = before
                self.follow(child)
                before = dict(self.names)
        self.names = _merged([before, *ends])

    def _caught(self, node: Node, clauses: Node) -> None:
        tried = next((c for c in node.named_children if c.type == "statement_block"), None)
        blocks = [b for c in clauses.named_children for b in c.named_children if b.type == "statement_block"]
        if (
            tried is not None
            and blocks
            and _STEPS.search(self.raw(tried))
            and all(_QUIET.fullmatch(self.raw(block)) for block in blocks)
        ):
            self.swallowed(
                self.line(node), self.raw(node), self.raw(tried).strip("{} \r\n\t"), "catch { } that only prints"
            )

    def _foreach(self, node: Node) -> None:
        variable = next((c for c in node.named_children if c.type == "variable"), None)
        body = next((c for c in node.named_children if c.type == "statement_block"), None)
        source = next((c for c in node.named_children if c.type == "pipeline"), None)
        if variable is None or body is None:
            return
        name, items = variable_name(self.raw(variable)), self.value(source) if source is not None else None
        known = [item for item in (items if isinstance(items, list) else [items]) if item is not None][:_PASSES]
        for item in known or [hole(name)]:
            self.names[name] = item
            self.follow(body)

    def _error(self, node: Node) -> None:
        """Statements inside the node are followed as usual; the lines between them are read one by one."""
        first, last = self.line(node), node.end_point.row + 1 + self.offset
        self.gap(first, last)
        good = [c for c in node.named_children if c.type.endswith(_STATEMENTS) and not c.has_error]
        covered = {row for c in good for row in range(c.start_point.row, c.end_point.row + 1)}
        for child in good:
            self.follow(child)
        rows = self.raw(node).split("\n")
        kept = [("" if node.start_point.row + index in covered else row) for index, row in enumerate(rows)]
        plain.lines(self.package, self.member, "powershell", kept, first, self.trail.emit)

    # -- functions

    def function(self, name: str, given: list[Value], named: dict[str, Value], *, unknown: bool = False) -> Value:
        """Follows a function with its arguments; what it gives is not followed."""
        self.called.add(name)
        node = self.functions[name]
        key = f"{self.member.path}:{name}:{given!r}:{named!r}"
        if name in self.trail.active or len(self.trail.active) > 10 or key in self.trail.results:
            return hole(f"$({name})")
        self.trail.results[key] = None
        kept = dict(self.names)
        self.trail.active.append(name)
        try:
            for child in node.named_children:
                if child.type == "function_parameter_declaration":
                    self.bind(child, given, named, unknown=unknown)
                elif child.type == "script_block":
                    for part in child.named_children:
                        if part.type == "param_block":
                            self.bind(part, given, named, unknown=unknown)
                        else:
                            self.follow(part)
        finally:
            self.trail.active.pop()
            self.names = kept
        return hole(f"$({name})")

    def bind(self, node: Node, given: list[Value], named: dict[str, Value], *, unknown: bool) -> None:
        queue = list(given)
        for parameter in _descend(node, "script_parameter"):
            variable = next((c for c in parameter.named_children if c.type == "variable"), None)
            if variable is None:
                continue
            name = variable_name(self.raw(variable))
            default = next((c for c in parameter.named_children if c.type == "script_parameter_default"), None)
            value: Value = (
                self.value(default.named_children[-1]) if default is not None and default.named_children else None
            )
            if isinstance(value, str) and is_constant(value):
                self.assign(self.line(parameter), self.raw(parameter), name, value)
            match = next((key for key in named if name == key or (len(key) > 1 and name.startswith(key))), "")
            if match:
                value = named[match]
            elif queue and not unknown:
                value = queue.pop(0)
            self.names[name] = value if value is not None else hole(self.raw(variable).strip("${}"))

    # -- commands

    def command(self, node: Node, fed: Value, before: str) -> Value:
        """Follows one command; what it gives to the next of the pipeline."""
        self.trail.step()
        return cmdlets.follow(self, node, fed, before)

    def source(self, path: str, line: int) -> None:
        """``. .\\lib.ps1``: its functions and variables are this script's own from here on."""
        found = self.sibling(path)
        key = f". {found.path}" if found else ""
        if found is None or not found.kept or found.kind != "powershell" or key in self.trail.active:
            return
        kept = self.member, self.offset, self.rows
        text = clean(found.text)
        self.member, self.offset, self.rows = found, 0, text.split("\n")
        self.trail.active.append(key)
        try:
            self.follow_block(_tree(text))
        finally:
            self.trail.active.pop()
            self.member, self.offset, self.rows = kept


def _passed(words: tuple[str, ...]) -> tuple[list[Value], dict[str, Value]]:
    """Words of a command line as arguments of a script: those by place, those by name; a name alone is a switch."""
    given: list[Value] = []
    named: dict[str, Value] = {}
    pending = ""
    for word in words:
        if re.fullmatch(r"-[A-Za-z]\w*:?", word):
            pending = word.strip("-:").lower()
            named[pending] = "True"
        elif pending:
            named[pending], pending = word, ""
        else:
            given.append(word)
    return given, named


def _merged(ends: list[dict[str, Value]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name in dict.fromkeys(name for end in ends for name in end):
        values = [end[name] for end in ends if name in end]
        texts = list(dict.fromkeys(v for v in values if isinstance(v, str) and is_constant(v) and v))
        if len(texts) == 1:
            found[name] = texts[0]
        elif len(texts) > 1:
            found[name] = hole(name)
        else:
            found[name] = values[-1]
    return found


def _descend(node: Node, kind: str) -> list[Node]:
    found: list[Node] = []
    for child in node.named_children:
        if child.type == kind:
            found.append(child)
        elif child.type in ("parameter_list", "function_parameter_declaration"):
            found += _descend(child, kind)
    return found
