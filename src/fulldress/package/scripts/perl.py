"""Perl, by its syntax tree: statements, subs that are called with constants, required siblings.

What an expression comes to is said by :mod:`.perlvalues`, what a call does by :mod:`.perlcalls`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable

import tree_sitter_perl
from tree_sitter import Language, Node, Parser

from fulldress.package.reader import Member, Package
from fulldress.package.scripts import plain
from fulldress.package.scripts.events import AnyEvent
from fulldress.package.scripts.follower import Trail, Value
from fulldress.package.scripts.perlvalues import CALLS, Values
from fulldress.package.scripts.values import clean, hole, is_constant

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the binding hands its grammar over as a number
    _LANGUAGE = Language(tree_sitter_perl.language())
_PASSES = 32


def read(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Events of one script, and of what it starts. Raises :class:`~.shell.Exhausted`."""
    follow(Trail(package, emit), member, clean(member.text), 0)


def follow(trail: Trail, member: Member, text: str, offset: int, arguments: tuple[str, ...] | None = None) -> None:
    """Follows ``text``, which begins at line ``offset`` + 1 of ``member``."""
    script = Script(trail, member, offset)
    script.rows = text.split("\n")
    script.names["@ARGV"] = list(arguments) if arguments is not None else None
    root = Parser(_LANGUAGE).parse(_without_end(text).encode("utf-8", "replace")).root_node
    script.collect(root)
    script.follow(root)
    for name in sorted(set(script.subs) - script.called):
        script.sub(name, None)
    script.finish()


def _without_end(text: str) -> str:
    """The program without ``__END__`` and documentation, lines kept."""
    text = re.split(r"(?m)^__(?:END|DATA)__[ \t]*$", text, maxsplit=1)[0]
    return re.sub(r"(?ms)^=[a-zA-Z].*?^=cut[^\n]*$", lambda m: "\n" * m[0].count("\n"), text)


class Script(Values):
    def collect(self, root: Node) -> None:
        """The subs of the file, wherever they stand: Perl knows them from the start."""
        for node in root.named_children:
            if (
                node.type == "subroutine_declaration_statement"
                and (name := node.child_by_field_name("name")) is not None
            ):
                self.subs[self.raw(name)] = node
            elif node.type in ("block", "block_statement", "package_statement"):
                self.collect(node)

    def finish(self) -> None:
        """Files that were opened, with what was printed to them."""
        for handle in list(self.files):
            self.close(handle)

    def follow(self, node: Node) -> None:
        self.trail.step()
        kind = node.type
        if kind in ("comment", "pod", "subroutine_declaration_statement", "use_statement"):
            return
        if kind == "ERROR":
            self._error(node)
        elif kind in ("for_statement", "foreach_statement"):
            self._foreach(node)
        elif kind in ("conditional_statement", "if_statement", "unless_statement"):
            self._branches(node)
        elif kind == "expression_statement":
            for child in node.named_children:
                whole = child.type == "postfix_conditional_expression" and child.named_children
                self.bare = (child.named_children[0] if whole else child).id
                self.value(child)
        elif (
            kind in CALLS
            or kind.endswith("_expression")
            or kind in ("command_string", "postfix_conditional_expression")
        ):
            self.value(node)
        else:
            for child in node.named_children:
                self.follow(child)

    def _foreach(self, node: Node) -> None:
        variable, body, source = (node.child_by_field_name(name) for name in ("variable", "block", "list"))
        if body is None:
            for child in node.named_children:
                self.follow(child)
            return
        name = f"${self.name_of(variable)}" if variable is not None else "$_"
        items = self.value(source) if source is not None else None
        known = [item for item in (items if isinstance(items, list) else [items]) if item is not None][:_PASSES]
        for item in known or [hole(name.lstrip("$"))]:
            self.names[name] = item
            self.follow(body)

    def _branches(self, node: Node) -> None:
        before, ends = dict(self.names), []
        for child in node.named_children:
            if child.type in ("block", "else", "elsif", "else_clause", "elsif_clause"):
                self.names = dict(before)
                self.follow(child)
                ends.append(self.names)
            else:
                self.names = before
                self.value(child)
                before = dict(self.names)
        merged = dict(before)
        for name in {name for end in ends for name in end}:
            texts = list(
                dict.fromkeys(t for end in (before, *ends) if isinstance(t := end.get(name), str) and is_constant(t))
            )
            merged[name] = texts[0] if len(texts) == 1 else hole(name.lstrip("$@%")) if texts else ends[-1].get(name)
        self.names = merged

    def _error(self, node: Node) -> None:
        first, last = self.line(node), node.end_point.row + 1 + self.offset
        self.gap(first, last)
        good = [c for c in node.named_children if c.type.endswith("_statement") and not c.has_error]
        covered = {row for c in good for row in range(c.start_point.row, c.end_point.row + 1)}
        for child in good:
            self.follow(child)
        rows = self.raw(node).split("\n")
        kept = [("" if node.start_point.row + index in covered else row) for index, row in enumerate(rows)]
        plain.lines(self.package, self.member, "perl", kept, first, self.trail.emit)

    def sub(self, name: str, arguments: list[Value] | None) -> Value:
        self.called.add(name)
        key = f"{self.member.path}:{name}:{arguments!r}"
        if name in self.trail.active or len(self.trail.active) > 10 or key in self.trail.results:
            return hole(f"{name}()")
        self.trail.results[key] = None
        body = self.subs[name].child_by_field_name("body")
        kept = dict(self.names)
        self.names["@_"] = list(arguments) if arguments is not None else None
        self.trail.active.append(name)
        try:
            if body is not None:
                self.follow(body)
        finally:
            self.trail.active.pop()
            self.names = kept
        return hole(f"{name}()")

    def require(self, path: str, line: int) -> None:
        """``require './lib.pl'``, ``do './lib.pl'``: its subs are this script's own from here on."""
        found = self.sibling(path)
        key = f"do {found.path}" if found else ""
        if (
            found is None
            or not found.kept
            or found.kind != "perl"
            or key in self.trail.done
            or found.path == self.member.path
        ):
            return
        self.trail.done.add(key)
        other = Script(self.trail, found, 0)
        root = Parser(_LANGUAGE).parse(_without_end(clean(found.text)).encode("utf-8", "replace")).root_node
        other.collect(root)
        other.names, other.rows = self.names, clean(found.text).split("\n")
        other.follow(root)
        other.finish()
        self.names = other.names
        for name, node in other.subs.items():
            self.subs.setdefault(name, node)
