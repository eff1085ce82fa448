"""Follows a shell script without running it: statements in their order, and what the grammar does not cover.

Both branches of a decision are followed, every pass of a loop over constants. Variables keep the values they may have;
functions are followed where they are called; sourced and called scripts of the package are followed, too. What comes out
is a stream of events. Nothing is executed, and nothing outside the package is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import tree_sitter_bash
from tree_sitter import Language, Node, Parser, Tree

from fulldress.package.scripts.events import Gap
from fulldress.package.scripts.maintainer import ways
from fulldress.package.scripts.shell import builtins, handover, lines, repair
from fulldress.package.scripts.shell.conditions import assigned_once
from fulldress.package.scripts.shell.known import Exhausted, Function, is_statement
from fulldress.package.scripts.shell.redirects import Redirects
from fulldress.package.scripts.values import clean
from fulldress.patterns import regex

_LANGUAGE = Language(tree_sitter_bash.language())
#: The grammar's scanner asks C's ``isalnum`` about every code point after ``${``, which reads far outside its table and
#: ends the whole process with a segmentation fault. None of these means anything to a shell.
_ASTRAL = regex("[\U00010000-\U0010ffff]")

#: Nodes whose children are statements, in order, and nothing else.
_BLOCKS = ("program", "compound_statement", "do_group", "else_clause", "subshell", "command_substitution")


class Shell(Redirects):
    """One pass over one script."""

    # -- entry points

    def run(self, text: str) -> None:
        """Follows a whole script, then the functions that nothing called. Raises :class:`Exhausted`."""
        other, row = handover.language(text)
        if other:
            self.run(handover.head(text, row))
            self._read(other, text, 1)
            return
        called = ways(self.member)
        if not called:
            self.fixed = assigned_once(text)
            builtins.shebang(self, text)
            self._whole(text)
            return
        for way in called:
            with self.told(way.when):
                self.begin(way.arguments)
                self.fixed = assigned_once(text)
                builtins.shebang(self, text)
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
        self.step()
        kind = node.type
        if kind == "ERROR":
            return self._error(node)
        if kind in _BLOCKS:
            own = kind in ("subshell", "command_substitution")
            kept = self._copy() if own else None
            ended, printed = self.ended, ""
            for child in node.children:
                if is_statement(child) and not self.ended:
                    printed += self.follow(child)
            if kept is not None:
                self.variables, self.ended = kept, ended
            return printed
        handler = _HANDLERS.get(kind)
        return handler(self, node) if handler else ""

    def _function_definition(self, node: Node) -> str:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            self.functions[self.raw(name)] = Function(body, self.member, self.offset)
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
