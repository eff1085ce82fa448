"""Loops: over constants every pass is followed, over rows of a known text, too; of the others one pass."""

from __future__ import annotations

import re

from tree_sitter import Node

from fulldress.package.scripts.events import Call, Risk
from fulldress.package.scripts.shell.branches import Branches
from fulldress.package.scripts.shell.known import is_statement, merge
from fulldress.package.scripts.values import ALTERNATIVES, hole, is_constant
from fulldress.patterns import regex

_ROWS = 64  #: rows of a known text that a loop is followed over
_READ = regex(r"(?:while|until)\s+(?:IFS=(\S*)\s+)?read\s+(?:-r\s+)?((?:\w+[ \t]*)+)\s*[;\n]")


class Loops(Branches):
    """What is done more than once."""

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
        if node.children[0].type == "select":
            self.emit(Call(**self.place(node), words=("select", *values[:8]), fed=self.fed, alone=self.alone))
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
                if is_statement(child):
                    printed += self.follow(child)
        self.doubt -= 1
        self.variables = merge([self.variables, before])
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
