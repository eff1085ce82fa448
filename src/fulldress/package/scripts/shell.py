"""Follows a shell script without running it.

Statements are taken in order, both branches of a decision, every pass of a loop over constants. Variables keep the
values they may have; functions are followed where they are called; sourced and called scripts of the package are
followed, too. What comes out is a stream of events. Nothing is executed, and nothing outside the package is read.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

import tree_sitter_bash
from tree_sitter import Language, Node, Parser, Tree

from fulldress.package.scripts import lines, repair
from fulldress.package.scripts.commands import Commands, Environment, Function
from fulldress.package.scripts.conditions import assigned_once, holds, relied
from fulldress.package.scripts.events import Gap, Risk
from fulldress.package.scripts.guards import leaves, tested
from fulldress.package.scripts.maintainer import ways
from fulldress.package.scripts.values import ALTERNATIVES, clean, hole, is_constant
from fulldress.package.scripts.words import Words, cut_tabs

_LANGUAGE = Language(tree_sitter_bash.language())
#: The grammar's scanner asks C's ``isalnum`` about every code point after ``${``, which reads far outside its table and
#: ends the whole process with a segmentation fault. None of these means anything to a shell.
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_STEPS = 60_000  #: nodes followed for one script, over all its functions and the scripts that it calls
_ROWS = 64  #: rows of a known text that a loop is followed over
_READ = re.compile(r"(?:while|until)\s+(?:IFS=(\S*)\s+)?read\s+(?:-r\s+)?((?:\w+[ \t]*)+)\s*[;\n]")
_IGNORES = re.compile(r"true|:|/bin/true|(?:echo|printf)\b[^;&|]*")
_SKIPPED = ("comment", "heredoc_start", "heredoc_end", "word")

#: Nodes whose children are statements, in order, and nothing else.
_BLOCKS = ("program", "compound_statement", "do_group", "else_clause", "subshell", "command_substitution")


class Exhausted(Exception):
    """The script has too many ways through it."""


class Shell(Commands):
    """One pass over one script."""

    # -- entry points

    def run(self, text: str) -> None:
        """Follows a whole script, then the functions that nothing called. Raises :class:`Exhausted`."""
        called = ways(self.member)
        if not called:
            self.fixed = assigned_once(text)
            self.options(text)
            self._whole(text)
            return
        for way in called:
            with self.told(way.when):
                self.begin(way.arguments)
                self.fixed = assigned_once(text)
                self.options(text)
                self.text(clean(text), 1)
                self.finish()

    def _whole(self, text: str) -> None:
        """A script whose arguments nobody knows; with the functions that nothing called, since others may."""
        self.text(text if self.holed else clean(text), 1)
        for name in sorted(set(self.functions) - self.called):
            if name not in self.called:
                self.ended = ""
                self._function(name, None)
        self.finish()

    def text(self, text: str, line: int) -> str:
        """Follows a piece of script that begins at ``line``; what it prints, where that is known.

        The text may hold holes; text from a file has to be cleaned of their marks first."""
        tree = _tree(_ASTRAL.sub("\ufffd", text).encode("utf-8", "replace"))
        kept, self.offset = self.offset, line - 1
        try:
            return self.follow(tree.root_node)
        finally:
            self.offset = kept

    # -- statements

    def follow(self, node: Node) -> str:
        """Follows a statement and gives what it prints."""
        self.steps += 1
        if self.steps > _STEPS:
            raise Exhausted
        kind = node.type
        if kind == "ERROR":
            return self._error(node)
        if kind in _BLOCKS:
            own = kind in ("subshell", "command_substitution")
            kept = self._copy() if own else None
            ended, printed = self.ended, ""
            for child in node.children:
                if self._is_statement(child) and not self.ended:
                    printed += self.follow(child)
            if kept is not None:
                self.variables, self.ended = kept, ended
            return printed
        handler = _HANDLERS.get(kind)
        return handler(self, node) if handler else ""

    @staticmethod
    def _is_statement(node: Node) -> bool:
        return node.is_named and node.type not in _SKIPPED

    def _list(self, node: Node) -> str:
        left, right = node.children[0], node.children[-1]
        operator = next((child.type for child in node.children if child.type in ("&&", "||")), "")
        value = holds(self, left)
        handled, self.handled = self.handled, "tested"
        if operator == "||" and _IGNORES.fullmatch(self.raw(right)):
            self.handled = "swallowed"
        printed = self.follow(left)
        self.handled = handled
        if self.ended:
            return printed
        if value is not None and value == (operator == "||"):
            self._leave_out(right)
            return printed
        kept = self.sure
        if operator == "&&":
            self.sure |= tested(left, "full")
        elif operator == "||":
            self.sure |= tested(left, "empty")
        self.doubt += value is None
        printed += self.follow(right)
        self.doubt -= value is None
        self.sure = kept
        ends = leaves(right)
        if ends and operator == "&&":
            self.sure |= tested(left, "empty")
        elif ends and operator == "||":
            self.sure |= tested(left, "full")
        return printed

    def _if(self, node: Node) -> str:
        """Every branch that may be taken. Of a condition that is known, only the one that it leads to."""
        printed, before, kept, doubts = "", self._copy(), self.sure, self.doubt
        branches: list[Environment] = []
        section: list[Node] = []
        full: frozenset[str] = frozenset()
        empty: frozenset[str] = frozenset()
        has_else, in_body, body_leaves = False, False, False
        value: bool | None = None  #: of this condition
        settled = False  #: a branch before is surely taken: none of the others is
        for child in node.children:
            if child.type == "then":
                value = holds(self, section[0]) if len(section) == 1 else None
                in_body, self.sure = True, self.sure | full
                self.doubt += value is None
            elif child.type in ("elif_clause", "else_clause"):
                if in_body:
                    in_body = False
                    if value is not False:
                        branches.append(self.variables)
                    settled = value is True
                has_else = has_else or child.type == "else_clause"
                if settled:
                    self._leave_out(child)
                    continue
                self.variables = {name: list(values) for name, values in before.items()}
                self.sure = kept | empty
                if child.type == "elif_clause":
                    printed += self._if(child)
                    settled, taken = self.condition is True, self.condition is not False
                    self.doubt += self.condition is None
                else:
                    printed, taken = printed + self.follow(child), True
                if taken:
                    branches.append(self.variables)
            elif self._is_statement(child):
                if not in_body:
                    full |= tested(child, "full")
                    empty |= tested(child, "empty")
                    section.append(child)
                    kept_alone, self.alone = self.alone, False
                    handled, self.handled = self.handled, "tested"
                    self.follow(child)
                    self.alone, self.handled = kept_alone, handled
                elif value is False:
                    self._leave_out(child)
                elif not self.ended:
                    printed += self.follow(child)
                    body_leaves = body_leaves or leaves(child)
        if in_body and value is not False:
            branches.append(self.variables)
        settled = settled or (in_body and value is True)
        if not has_else and not settled:
            branches.append(before)
        self.doubt = doubts
        self.condition = value
        self.variables = _merge(branches or [before])
        self.sure = kept | empty if body_leaves and len(section) == 1 else kept
        return printed

    def _case(self, node: Node) -> str:
        printed, before, branches = "", self._copy(), []
        subject = node.child_by_field_name("value")
        known = self.expand(subject) if subject is not None and relied(self, subject) else []
        for item in node.children:
            if item.type != "case_item":
                continue
            self.variables = {name: list(values) for name, values in before.items()}
            labels = item.children_by_field_name("value")
            taken = self._takes(labels, known)
            if taken is False:
                self._leave_out(item)
                continue
            values = {child.id for child in labels}
            self.doubt += taken is None
            for child in item.children:
                if self._is_statement(child) and child.id not in values and not self.ended:
                    printed += self.follow(child)
            self.doubt -= taken is None
            branches.append(self.variables)
            if taken:  # the subject is known and this is its branch: no other is taken
                self.variables = _merge(branches)
                return printed
        self.variables = _merge([*branches, before])
        return printed

    def _leave_out(self, node: Node) -> None:
        """Functions that only a branch calls which no upgrade takes are not among those that nothing called."""
        self.called.update(re.findall(r"[\w\-]+", self.raw(node)))

    def _takes(self, labels: list[Node], known: list[str]) -> bool | None:
        """Whether a branch is the one that a subject with known values takes; None where that is open."""
        if not known or not all(map(is_constant, known)):
            return None
        patterns = [text for label in labels for text in self.expand(label)]
        if not all(is_constant(pattern) and "[" not in pattern for pattern in patterns):
            return None
        fits = [any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns) for value in known]
        return True if all(fits) else None if any(fits) else False

    def _for(self, node: Node) -> str:
        variable = node.child_by_field_name("variable")
        body = node.child_by_field_name("body")
        if variable is None or body is None:
            return ""
        name = self.raw(variable)
        values = [word for child in node.children_by_field_name("value") for word in self.split(child)]
        known = [value for value in dict.fromkeys(values) if is_constant(value)]
        if len(known) > ALTERNATIVES * 4 or not known:
            known = [hole(name)]
        printed, kept = "", self.sure
        self.sure |= {name}
        self.doubt += 1
        for value in known:
            self.variables[name] = [value]
            printed += self.follow(body)
        self.doubt -= 1
        self.variables[name] = known[:ALTERNATIVES]
        self.sure = kept
        return printed

    def _while(self, node: Node) -> str:
        """One pass; of ``while read`` over a known text, one a line."""
        before, printed = self._copy(), ""
        self.doubt += 1
        if node.type == "while_statement" and _waits_for_ever(self.raw(node)):
            condition = self.raw(node).split("\n", 1)[0].partition(";")[0]
            self.emit(
                Risk(
                    **self.place(node), kind="endless wait", what=condition, detail="no number of tries, no time limit"
                )
            )
        names = _READ.match(self.raw(node))
        rows = self.stdin.split("\n")[:-1] if names and self.stdin and self.fed and is_constant(self.stdin) else []
        body = node.child_by_field_name("body")
        if names and body is not None and 0 < len(rows) <= _ROWS:
            kept, self.stdin = self.stdin, None
            for row in rows:
                self.fill(names[2].split(), row, names[1] or "")
                printed += self.follow(body)
            self.stdin = kept
        else:
            for child in node.children:
                if self._is_statement(child):
                    printed += self.follow(child)
        self.doubt -= 1
        self.variables = _merge([self.variables, before])
        return printed

    def _pipeline(self, node: Node) -> str:
        kept = self.stdin, self.fed, self.before, self.ended, self.stdin_line
        printed: str = ""
        stages = [child for child in node.children if self._is_statement(child)]
        for index, stage in enumerate(stages):
            if index or node.children[0].type == "|":
                if printed != self.stdin:
                    self.stdin_line = 0
                self.stdin, self.fed = printed, True
            handled = self.handled
            if stage is not stages[-1]:
                self.handled = "piped"
            printed = self.follow(stage)
            self.handled = handled
            self.before = _name_of(stage, self)
        self.stdin, self.fed, self.before, self.ended, self.stdin_line = kept
        return printed

    def _redirected(self, node: Node) -> str:
        body = node.child_by_field_name("body")
        redirects = node.children_by_field_name("redirect")
        return self._with_redirects(node, body, redirects)

    def _with_redirects(self, node: Node, body: Node | None, redirects: list[Node]) -> str:
        kept = self.stdin, self.fed, self.stdin_line
        targets: list[tuple[Node, str]] = []
        later: list[Node] = []
        content_line = 0
        for redirect in redirects:
            if redirect.type == "heredoc_redirect":
                begin = next((child for child in redirect.children if child.type == "heredoc_body"), None)
                self.stdin, self.fed = self._heredoc(redirect), True
                content_line = (begin.start_point.row + 1 + self.offset) if begin else 0
                self.stdin_line = content_line
                for child in redirect.children:
                    if child.type == "file_redirect":
                        targets.append((child, _operator(child)))
                    elif self._is_statement(child) and child.type not in ("heredoc_body", "file_descriptor"):
                        later.append(child)
            elif redirect.type == "herestring_redirect":
                words = [child for child in redirect.children if child.is_named]
                self.stdin = "".join(self.expand(words[-1])[:1]) + "\n" if words else None
                self.fed = True
            elif _operator(redirect) == "<":
                self.stdin, self.fed = None, True
            else:
                targets.append((redirect, _operator(redirect)))
        printed = self.follow(body) if body is not None else ""
        for redirect, operator in targets:
            words = redirect.children_by_field_name("destination")
            if not words or _descriptor(redirect) not in ("", "1") or operator in (">&", "<&"):
                continue
            for path in self.expand(words[0]):
                self._write(node, path, printed, operator == ">>", content_line)
            printed = ""
        self.stdin, self.fed = printed, True
        self.before = _name_of(body, self) if body is not None else ""
        for statement in later:
            printed = self.follow(statement)
        self.before = ""
        self.stdin, self.fed, self.stdin_line = kept
        return printed

    def _heredoc(self, redirect: Node) -> str:
        start = next((child for child in redirect.children if child.type == "heredoc_start"), None)
        body = next((child for child in redirect.children if child.type == "heredoc_body"), None)
        if start is None or body is None:
            return ""
        quoted = any(mark in self.raw(start) for mark in "'\"\\")
        text = self.raw(body) if quoted else self.filled(body, body.start_byte, body.end_byte)[0]
        return cut_tabs(text) if self.raw(redirect).startswith("<<-") else text

    def _function_definition(self, node: Node) -> str:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            self.functions[self.raw(name)] = Function(body, self.member, self.offset)
        return ""

    def _negated(self, node: Node) -> str:
        handled, self.handled = self.handled, "tested"
        printed = "".join(self.follow(child) for child in node.children if self._is_statement(child))
        self.handled = handled
        return printed

    def _test(self, node: Node) -> str:
        kept, self.alone = self.alone, False
        for child in _descend(node, "command_substitution"):
            self.follow(child)
        self.alone = kept
        return ""

    # -- what the grammar doesn't cover

    def _error(self, node: Node) -> str:
        """Statements inside the node are followed as usual; the lines between them are read one by one."""
        first = node.start_point.row
        good = [child for child in node.children if child.type in _HANDLERS and not child.has_error]
        covered = {row for child in good for row in range(child.start_point.row, child.end_point.row + 1)}
        printed = "".join(self.follow(child) for child in good)
        kept = [("" if first + at in covered else text) for at, text in enumerate(self.raw(node).split("\n"))]
        found = list(lines.commands("\n".join(kept)))
        unsure = {row for line in found if line.guessed for row in (line.number,)}
        for begin, end in _spans(kept):
            self.emit(
                Gap(
                    member=self.member,
                    line=first + begin + self.offset,
                    text=kept[begin - 1].strip(),
                    last=first + end + self.offset,
                    needed=any(begin <= row <= end for row in unsure),
                )
            )
        for line in found:
            self._line(line, first + self.offset)
        return printed


def _waits_for_ever(text: str) -> bool:
    """Whether a loop sleeps until something happens, and nothing in it counts or looks at the clock."""
    head, _, body = text.partition("do")
    if not re.search(r"\bsleep\b", text) or len(text) > 2000:
        return False
    if re.match(r"(?:while|until)\s+(?:true|:|\[\s*1\s*\]|read\b)", head) and not re.search(r"\bbreak\b", body):
        return False  # a daemon's own loop, or one over rows
    return not re.search(
        r"\$\(\(|\(\(|\bexpr\b|\blet\b|\btimeout\b|SECONDS|\bdate\b|-(?:lt|le|gt|ge)\b|\b(?:exit|return)\b|\bseq\b|\+=|\bshift\b",
        text,
    )


def _spans(rows: list[str]) -> Iterator[tuple[int, int]]:
    """First and last number, from 1, of each run of rows that say something."""
    begin = end = 0
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        if begin and number > end + 1:
            yield begin, end
            begin = 0
        begin, end = begin or number, number
    if begin:
        yield begin, end


@lru_cache(maxsize=16)
def _tree(text: bytes) -> Tree:
    """A script that is followed in several ways, or called several times, is parsed once."""
    return repair.parsed(Parser(_LANGUAGE), text)


def _descend(node: Node, kind: str) -> Iterator[Node]:
    for child in node.children:
        if child.type == kind:
            yield child
        else:
            yield from _descend(child, kind)


def _operator(redirect: Node) -> str:
    return next(
        (child.type for child in redirect.children if child.type in (">", ">>", "<", ">&", "<&", "&>", "&>>", ">|")), ""
    )


def _descriptor(redirect: Node) -> str:
    node = redirect.child_by_field_name("descriptor")
    return (node.text or b"").decode() if node is not None else ""


def _name_of(node: Node, shell: Words) -> str:
    while node.type in ("redirected_statement", "pipeline", "negated_command") and node.named_children:
        node = node.named_children[0]
    name = node.child_by_field_name("name") if node.type == "command" else None
    return shell.raw(name).rsplit("/", 1)[-1] if name is not None else ""


def _merge(branches: list[Environment]) -> Environment:
    """The values that variables may have after any of the branches."""
    merged: Environment = {}
    for branch in branches:
        for name, values in branch.items():
            held = merged.setdefault(name, [])
            held.extend(value for value in values if value not in held)
    for values in merged.values():
        del values[ALTERNATIVES:]
    return merged


_HANDLERS: dict[str, Callable[[Shell, Node], str]] = {
    "list": Shell._list,
    "if_statement": Shell._if,
    "case_statement": Shell._case,
    "for_statement": Shell._for,
    "c_style_for_statement": Shell._while,
    "while_statement": Shell._while,
    "pipeline": Shell._pipeline,
    "redirected_statement": Shell._redirected,
    "function_definition": Shell._function_definition,
    "negated_command": Shell._negated,
    "test_command": Shell._test,
    "variable_assignment": Shell._assignment,
    "variable_assignments": Shell._assignments,
    "declaration_command": Shell._declaration,
    "command": Shell._command,
    **dict.fromkeys(_BLOCKS, Shell.follow),
}
__all__ = ["Exhausted", "Shell"]
