"""Follows a shell script without running it.

Statements are taken in order, both branches of a decision, every pass of a loop over constants. Variables keep the
values they may have; functions are followed where they are called; sourced and called scripts of the package are
followed, too. What comes out is a stream of events. Nothing is executed, and nothing outside the package is read.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from fulldress.package.scripts import lines
from fulldress.package.scripts.commands import Commands, Environment, Function, first_line
from fulldress.package.scripts.events import Gap
from fulldress.package.scripts.guards import leaves, tested, unused, unused_test
from fulldress.package.scripts.values import ALTERNATIVES, clean, hole, is_constant
from fulldress.package.scripts.words import Words, cut_tabs

_LANGUAGE = Language(tree_sitter_bash.language())
#: The grammar's scanner asks C's ``isalnum`` about every code point after ``${``, which reads far outside its table and
#: ends the whole process with a segmentation fault. None of these means anything to a shell.
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_STEPS = 60_000  #: nodes followed for one script, over all its functions and the scripts that it calls
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
        self.text(clean(text), 1)
        for name in sorted(set(self.functions) - self.called):
            if name not in self.called:
                self._function(name, None)

    def text(self, text: str, line: int) -> str:
        """Follows a piece of script that begins at ``line``; what it prints, where that is known.

        The text may hold holes; text from a file has to be cleaned of their marks first."""
        tree = Parser(_LANGUAGE).parse(_ASTRAL.sub("\ufffd", text).encode("utf-8", "replace"))
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
            kept = {name: list(values) for name, values in self.variables.items()} if kind == "subshell" else None
            printed = "".join(self.follow(child) for child in node.children if self._is_statement(child))
            if kept is not None:
                self.variables = kept
            return printed
        handler = _HANDLERS.get(kind)
        return handler(self, node) if handler else ""

    @staticmethod
    def _is_statement(node: Node) -> bool:
        return node.is_named and node.type not in _SKIPPED

    def _list(self, node: Node) -> str:
        left, right = node.children[0], node.children[-1]
        operator = next((child.type for child in node.children if child.type in ("&&", "||")), "")
        printed = self.follow(left)
        kept = self.sure
        if operator == "&&":
            self.sure |= tested(left, "full")
        elif operator == "||":
            self.sure |= tested(left, "empty")
        printed += self.follow(right)
        self.sure = kept
        ends = leaves(right)
        if ends and operator == "&&":
            self.sure |= tested(left, "empty")
        elif ends and operator == "||":
            self.sure |= tested(left, "full")
        return printed

    def _if(self, node: Node) -> str:
        printed, before, kept = "", self._copy(), self.sure
        branches: list[Environment] = []
        section: list[Node] = []
        full: frozenset[str] = frozenset()
        empty: frozenset[str] = frozenset()
        has_else, in_body, body_leaves, skipped = False, False, False, False
        for child in node.children:
            if child.type == "then":
                in_body, self.sure = True, self.sure | full
            elif child.type in ("elif_clause", "else_clause"):
                if in_body:
                    branches.append(self.variables)
                    in_body = False
                self.variables = {name: list(values) for name, values in before.items()}
                self.sure = kept | empty
                printed += self._if(child) if child.type == "elif_clause" else self.follow(child)
                branches.append(self.variables)
                has_else = has_else or child.type == "else_clause"
            elif self._is_statement(child):
                if not in_body:
                    skipped = skipped or unused_test(self.member, self.raw(child))
                    full |= tested(child, "full")
                    empty |= tested(child, "empty")
                    section.append(child)
                    kept_alone, self.alone = self.alone, False
                    self.follow(child)
                    self.alone = kept_alone
                elif skipped:
                    self._leave_out(child)
                else:
                    printed += self.follow(child)
                    body_leaves = body_leaves or leaves(child)
        if in_body:
            branches.append(self.variables)
        if not has_else:
            branches.append(before)
        self.variables = _merge(branches)
        self.sure = kept | empty if body_leaves and len(section) == 1 else kept
        return printed

    def _case(self, node: Node) -> str:
        printed, before, branches = "", self._copy(), []
        subject = node.child_by_field_name("value")
        known = self.expand(subject) if subject is not None else []
        for item in node.children:
            if item.type != "case_item":
                continue
            self.variables = {name: list(values) for name, values in before.items()}
            labels = item.children_by_field_name("value")
            if unused(self.member, [self.raw(label) for label in labels]):
                self._leave_out(item)
                continue
            taken = self._takes(labels, known)
            if taken is False:
                continue
            values = {child.id for child in labels}
            printed += "".join(
                self.follow(child) for child in item.children if self._is_statement(child) and child.id not in values
            )
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
        for value in known:
            self.variables[name] = [value]
            printed += self.follow(body)
        self.variables[name] = known[:ALTERNATIVES]
        self.sure = kept
        return printed

    def _while(self, node: Node) -> str:
        printed = ""
        for child in node.children:
            if self._is_statement(child):
                printed += self.follow(child)
        return printed

    def _pipeline(self, node: Node) -> str:
        kept = self.stdin, self.fed, self.before
        printed: str = ""
        stages = [child for child in node.children if self._is_statement(child)]
        for index, stage in enumerate(stages):
            if index or node.children[0].type == "|":
                self.stdin, self.fed = printed, True
            printed = self.follow(stage)
            self.before = _name_of(stage, self)
        self.stdin, self.fed, self.before = kept
        return printed

    def _redirected(self, node: Node) -> str:
        body = node.child_by_field_name("body")
        redirects = node.children_by_field_name("redirect")
        return self._with_redirects(node, body, redirects)

    def _with_redirects(self, node: Node, body: Node | None, redirects: list[Node]) -> str:
        kept = self.stdin, self.fed
        targets: list[tuple[Node, str]] = []
        later: list[Node] = []
        content_line = 0
        for redirect in redirects:
            if redirect.type == "heredoc_redirect":
                begin = next((child for child in redirect.children if child.type == "heredoc_body"), None)
                self.stdin, self.fed = self._heredoc(redirect), True
                content_line = (begin.start_point.row + 1 + self.offset) if begin else 0
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
        self.stdin, self.fed = kept
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
        return "".join(self.follow(child) for child in node.children if self._is_statement(child))

    def _test(self, node: Node) -> str:
        kept, self.alone = self.alone, False
        for child in _descend(node, "command_substitution"):
            self.follow(child)
        self.alone = kept
        return ""

    # -- what the grammar doesn't cover

    def _error(self, node: Node) -> str:
        """Statements inside the node are followed as usual; the lines between them are read one by one."""
        first, last = node.start_point.row, node.end_point.row
        good = [child for child in node.children if child.type in _HANDLERS and not child.has_error]
        covered = {row for child in good for row in range(child.start_point.row, child.end_point.row + 1)}
        self.emit(
            Gap(member=self.member, line=first + 1 + self.offset, text=first_line(node), last=last + 1 + self.offset)
        )
        printed = "".join(self.follow(child) for child in good)
        rest = self.raw(node).split("\n")
        kept = [("" if first + index in covered else text) for index, text in enumerate(rest)]
        for line in lines.commands("\n".join(kept)):
            self._line(line, first + self.offset)
        return printed


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
