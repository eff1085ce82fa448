"""Decisions: lists of ``&&`` and ``||``, ``if``, ``case``. Both ways are followed unless it is known which one is taken."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator

from tree_sitter import Node

from fulldress.package.scripts.shell.commands import Commands
from fulldress.package.scripts.shell.conditions import holds, relied
from fulldress.package.scripts.shell.guards import leaves, tested
from fulldress.package.scripts.shell.known import Environment, is_statement, merge
from fulldress.package.scripts.values import is_constant
from fulldress.patterns import regex

_IGNORES = regex(r"true|:|/bin/true|(?:echo|printf)\b[^;&|]*")


class Branches(Commands):
    """Which of several ways a script may take."""

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
                self.variables = dict(before)
                self.sure = kept | empty
                if child.type == "elif_clause":
                    printed += self._if(child)
                    settled, taken = self.condition is True, self.condition is not False
                    self.doubt += self.condition is None
                else:
                    printed, taken = printed + self.follow(child), True
                if taken:
                    branches.append(self.variables)
            elif is_statement(child):
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
            branches.append(_filled(before, empty))
        self.doubt = doubts
        self.condition = value
        self.variables = merge(branches or [before])
        self.sure = kept | empty if body_leaves and len(section) == 1 else kept
        return printed

    def _case(self, node: Node) -> str:
        printed, before, branches = "", self._copy(), []
        subject = node.child_by_field_name("value")
        known = self.expand(subject) if subject is not None and relied(self, subject) else []
        for item in node.children:
            if item.type != "case_item":
                continue
            self.variables = dict(before)
            labels = item.children_by_field_name("value")
            taken = self._takes(labels, known)
            if taken is False:
                self._leave_out(item)
                continue
            values = {child.id for child in labels}
            self.doubt += taken is None
            for child in item.children:
                if is_statement(child) and child.id not in values and not self.ended:
                    printed += self.follow(child)
            self.doubt -= taken is None
            branches.append(self.variables)
            if taken:  # the subject is known and this is its branch: no other is taken
                self.variables = merge(branches)
                return printed
        self.variables = merge([*branches, before])
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

    def _negated(self, node: Node) -> str:
        handled = self.handled
        self.handled = "piped" if handled == "piped" else "tested"
        printed = "".join(self.follow(child) for child in node.children if is_statement(child))
        self.handled = handled
        return printed

    def _test(self, node: Node) -> str:
        kept, self.alone = self.alone, False
        for child in _descend(node, "command_substitution"):
            self.follow(child)
        self.alone = kept
        return ""


def _filled(variables: Environment, names: frozenset[str]) -> Environment:
    """Without the empty value of variables that were tested not to be empty: ``[ -z "$X" ] && X=…`` leaves none."""
    narrowed = dict(variables)
    for name in names:
        full = [value for value in variables.get(name, ()) if value]
        if full:
            narrowed[name] = full
        else:
            narrowed.pop(name, None)
    return narrowed


def _descend(node: Node, kind: str) -> Iterator[Node]:
    for child in node.children:
        if child.type == kind:
            yield child
        else:
            yield from _descend(child, kind)
