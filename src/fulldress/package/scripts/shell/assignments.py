"""Assignments: of variables, arrays and tables, by a declaration, by ``read`` from a known text."""

from __future__ import annotations

import re

from tree_sitter import Node

from fulldress.package.scripts import preloads
from fulldress.package.scripts.events import Assign
from fulldress.package.scripts.shell.known import Known
from fulldress.package.scripts.values import ALTERNATIVES, combine, hole, is_constant

_LONG = 500  #: characters; no address is looked for in a longer value
_ELEMENTS = 256  #: elements kept of an array


class Assignments(Known):
    """How a variable comes to its values."""

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
            values = combine([self.variables.get(name, [""]), values])
        values = [self.own_hole(name, text) for text in values][:ALTERNATIVES]
        before = self.variables.get(name, [])
        for text in values:
            added = _added(text, before)
            self.step(len(added))
            self.emit(Assign(**self.place(node), name=name, value=added))
        self.variables[name] = values
        if name in preloads.SOURCED and name != "ENV":
            self.preloaded(name, values[0], node)
        return ""

    def preloaded(self, name: str, value: str, node: Node) -> None:
        raise NotImplementedError

    def _array(self, node: Node, name: str, value: Node | None) -> None:
        """``A=(…)``, ``A+=(…)``, ``A[k]=v``; of an element with alternatives, the first."""
        adds = any(child.type == "+=" for child in node.children)
        if value is None or value.type != "array":
            name, _, key = name.partition("[")
            text = self.expand(value)[0] if value is not None else ""
            key = key.rstrip("]").strip("\"'")
            if name in self.maps or not key.isdecimal():
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
        handled, self.handled = self.handled, "declared"
        for child in node.children:
            if child.type in ("variable_assignment", "variable_assignments", "variable_name"):
                if kind in ("local", "declare", "typeset") and self.locals:
                    self._hide(self.raw(child).partition("=")[0].rstrip("+"), child.type == "variable_name")
                if child.type != "variable_name":
                    self.follow(child)
        self.handled = handled
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

    def reads(self, name: str, words: tuple[str, ...], separator: str) -> None:
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


def _added(text: str, before: list[str]) -> str:
    """What of a long value is new: a text that is built piece by piece is not told again with each piece."""
    if len(text) > _LONG:
        old = next((old for old in before if len(old) > _LONG // 2 and text.startswith(old)), "")
        return text[len(old) :]
    return text
