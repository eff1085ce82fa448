"""JavaScript that an installation runs, by its syntax tree: constants, templates, functions, required siblings.

Only the files that a lifecycle script of ``package.json`` or another script starts; modules of the application are no
scripts. A call of ``child_process`` becomes the command it starts, a request the event of ``curl``, so every rule for
shell scripts holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

from fulldress.package.reader import Member, Package
from fulldress.package.scripts import javascriptcalls, plain
from fulldress.package.scripts.events import AnyEvent
from fulldress.package.scripts.follower import Trail, Value, text_of
from fulldress.package.scripts.javascriptvalues import FUNCTIONS, Values
from fulldress.package.scripts.values import clean, hole, is_constant

_LANGUAGE = Language(tree_sitter_javascript.language())
_PASSES = 32
_LARGEST = 600_000  #: characters; what is larger was packed by a machine, and is read line by line


def read(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Events of one script, and of what it starts. Raises :class:`~.shell.Exhausted`."""
    follow(Trail(package, emit), member, clean(member.text), 0)


def follow(trail: Trail, member: Member, text: str, offset: int, arguments: tuple[str, ...] | None = None) -> None:
    """Follows ``text``, which begins at line ``offset`` + 1 of ``member``."""
    script = Script(trail, member, offset)
    script.rows = text.split("\n")
    if len(text) > _LARGEST or max(map(len, text.split("\n"))) > 20_000:
        rows = text.split("\n")
        script.gap(
            1 + offset, len(rows) + offset, "javascript: packed by a machine; read line by line with plain rules"
        )
        plain.lines(trail.package, member, "javascript", rows, 1 + offset, trail.emit)
        return
    script.whole(Parser(_LANGUAGE).parse(text.encode("utf-8", "replace")).root_node)


class Script(Values):
    def whole(self, root: Node) -> None:
        for node in root.named_children:
            inner = node.named_children[0] if node.type == "export_statement" and node.named_children else node
            if inner.type in FUNCTIONS[:2] and (name := inner.child_by_field_name("name")) is not None:
                self.functions[self.raw(name)] = inner
        self.follow(root)
        for own in sorted(set(self.functions) - self.called):
            self.function(own, None)

    def follow(self, node: Node) -> None:
        """Follows a statement."""
        self.trail.step()
        kind = node.type
        if kind in ("comment", *FUNCTIONS[:2]):
            return
        if kind == "ERROR":
            self._error(node)
        elif kind == "import_statement":
            self._import(node)
        elif kind in ("lexical_declaration", "variable_declaration"):
            for child in node.named_children:
                if child.type == "variable_declarator":
                    self._declared(child)
        elif kind == "for_in_statement":
            self._each(node)
        elif kind == "if_statement":
            self._if(node)
        elif kind == "try_statement":
            self._try(node)
        elif kind in ("expression_statement", "return_statement", "throw_statement", "export_statement"):
            for child in node.named_children:
                self.bare = child.id if kind == "expression_statement" else -1
                self.follow(child) if child.type.endswith(("_statement", "_declaration")) else self.value(child)
        elif kind.endswith("_expression") or kind in ("call_expression", "parenthesized_expression"):
            self.value(node)
        else:
            for child in node.named_children:
                self.follow(child)

    def _import(self, node: Node) -> None:
        source = node.child_by_field_name("source")
        module = text_of(self.value(source)).removeprefix("node:") if source is not None else ""
        for name in re.findall(r"(?:\*\s+as\s+|import\s+)(\w+)", self.raw(node)):
            self.modules[name] = module
        for block in re.findall(r"\{([^}]*)\}", self.raw(node)):
            for part in block.split(","):
                words = part.split()
                if words:
                    self.modules[words[-1]] = f"{module}.{words[0]}"
        self.required(module)

    def required(self, module: str) -> Value:
        """``require('./x')``: the file beside the script is run, too."""
        if not module.startswith("."):
            return {"@module": module.removeprefix("node:")}
        found = next(
            (
                m
                for end in ("", ".js", ".cjs", ".mjs", "/index.js")
                if (m := self.sibling(f"./{module.removeprefix('./')}{end}"))
            ),
            None,
        )
        key = f"require {found.path}" if found else ""
        if found is not None and found.kept and found.kind == "javascript" and key not in self.trail.done:
            self.trail.done.add(key)
            follow(self.trail, found, clean(found.text), 0)
        if found is not None and found.kept and found.kind == "json":
            return {}
        return None

    def _declared(self, node: Node) -> None:
        target, right = node.child_by_field_name("name"), node.child_by_field_name("value")
        if target is None or right is None:
            return
        if right.type in FUNCTIONS and target.type == "identifier":
            self.functions[self.raw(target)] = right
            return
        self.bare = right.id if self._forgotten(node, target) else -1
        value = self.value(right)
        module = value.get("@module") if isinstance(value, dict) else None
        if target.type == "object_pattern":
            for part in target.named_children:
                name = self.raw(part).split(":")[-1].split("=")[0].strip()
                key = self.raw(part).split(":")[0].split("=")[0].strip()
                if isinstance(module, str):
                    self.modules[name] = f"{module}.{key}"
                elif isinstance(value, dict) and value.get(key) is not None:
                    self.names[name] = value[key]
                else:
                    self.names[name] = hole(name)
            return
        name = self.raw(target)
        if isinstance(module, str):
            self.modules[name] = module
            return
        self.bind(node, name, value)

    def _forgotten(self, node: Node, target: Node) -> bool:
        """Whether the result of a program is kept under a name that is not asked how it ended."""
        if target.type != "identifier":
            return False
        rest = "\n".join(self.rows[node.end_point.row + 1 :])
        return not re.search(rf"\b{re.escape(self.raw(target))}\b(?!\s*\.\s*(?:stdout|stderr)\b)", rest)

    def _each(self, node: Node) -> None:
        left, right, body = (node.child_by_field_name(field) for field in ("left", "right", "body"))
        items = self.value(right) if right is not None else None
        known = [item for item in items if item is not None][:_PASSES] if isinstance(items, list) else []
        name = self.raw(left) if left is not None else "_"
        passes: list[Value] = [*known] or [hole(name)]
        for item in passes:
            self.names[name] = item
            if body is not None:
                self.follow(body)

    def _if(self, node: Node) -> None:
        condition, then, other = (
            node.child_by_field_name(field) for field in ("condition", "consequence", "alternative")
        )
        if condition is not None:
            self.value(condition)
        before = dict(self.names)
        if then is not None:
            self.follow(then)
        left, self.names = self.names, dict(before)
        if other is not None:
            self.follow(other)
        for name in {*left, *self.names}:
            texts = [t for side in (left, self.names) if isinstance(t := side.get(name), str) and is_constant(t) and t]
            if len(set(texts)) > 1:
                self.names[name] = hole(name)
            elif texts:
                self.names[name] = texts[0]
            else:
                self.names.setdefault(name, left.get(name))

    def _try(self, node: Node) -> None:
        body, handler = node.child_by_field_name("body"), node.child_by_field_name("handler")
        caught = handler.child_by_field_name("body") if handler is not None else None
        quiet = caught is not None and not [c for c in caught.named_children if c.type != "comment"]
        for child in node.named_children:
            self.quiet += quiet and child == body
            self.follow(child)
            self.quiet -= quiet and child == body

    def _error(self, node: Node) -> None:
        first, last = self.line(node), node.end_point.row + 1 + self.offset
        self.gap(first, last)
        good = [c for c in node.named_children if c.type.endswith(("_statement", "_declaration")) and not c.has_error]
        covered = {row for c in good for row in range(c.start_point.row, c.end_point.row + 1)}
        for child in good:
            self.follow(child)
        rows = self.raw(node).split("\n")
        kept = [("" if node.start_point.row + index in covered else row) for index, row in enumerate(rows)]
        plain.lines(self.package, self.member, "javascript", kept, first, self.trail.emit)

    def function(self, name: str, given: list[Value] | None) -> Value:
        self.called.add(name)
        return self.body(self.functions[name], name, given)

    def body(self, node: Node, name: str, given: list[Value] | None) -> Value:
        """Follows the body of a function with its arguments."""
        key = f"{self.member.path}:{node.start_byte}:{given!r}"
        if key in self.trail.results or len(self.trail.active) > 10:
            return hole(f"{name}()")
        self.trail.results[key] = None
        kept = dict(self.names)
        parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        listed = (
            parameters.named_children
            if parameters is not None and parameters.type == "formal_parameters"
            else [parameters]
            if parameters is not None
            else []
        )
        for place, parameter in enumerate(listed):
            left = parameter.child_by_field_name("left") if parameter.type == "assignment_pattern" else parameter
            right = parameter.child_by_field_name("right") if parameter.type == "assignment_pattern" else None
            value = given[place] if given is not None and place < len(given) else None
            if value is None and right is not None:
                value = self.value(right)
            if left is not None:
                self.names[self.raw(left)] = value if value is not None else hole(self.raw(left)[:40])
        self.trail.active.append(key)
        try:
            inner = node.child_by_field_name("body")
            if inner is not None:
                self.follow(inner) if inner.type == "statement_block" else self.value(inner)
        finally:
            self.trail.active.pop()
            self.names = kept
        return hole(f"{name}()")

    def called_value(self, node: Node) -> Value:
        return javascriptcalls.follow(self, node)
