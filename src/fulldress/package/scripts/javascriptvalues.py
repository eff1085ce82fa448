"""Values of JavaScript's expressions: texts, templates, objects, lists, and what is assigned."""

from __future__ import annotations

import re

from tree_sitter import Node

from fulldress.package.reader import Member
from fulldress.package.scripts.follower import Follower, Trail, Value, text_of
from fulldress.package.scripts.values import HERE, clean, hole, is_constant

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "", "b": "", "f": "", "v": ""}
FUNCTIONS = (
    "function_declaration",
    "generator_function_declaration",
    "function_expression",
    "arrow_function",
    "method_definition",
)


class Values(Follower):
    """A follower that knows what JavaScript's expressions come to; statements and calls are :class:`.javascript.Script`'s."""

    def __init__(self, trail: Trail, member: Member, offset: int) -> None:
        super().__init__(trail, member, offset)
        self.functions: dict[str, Node] = {}
        self.called: set[str] = set()
        self.bare = -1  #: the node of a call whose result nobody looks at
        self.quiet = 0  #: inside how many try blocks whose catch does nothing
        self.rows: list[str] = []
        self.modules: dict[str, str] = {}  #: name -> what it was imported as: ``child_process.execSync``

    @staticmethod
    def raw(node: Node) -> str:
        return (node.text or b"").decode("utf-8", "replace")

    def line(self, node: Node) -> int:
        return node.start_point.row + 1 + self.offset

    def follow(self, node: Node) -> None:
        raise NotImplementedError

    def body(self, node: Node, name: str, given: list[Value] | None) -> Value:
        raise NotImplementedError

    def called_value(self, node: Node) -> Value:
        raise NotImplementedError

    def bind(self, node: Node, name: str, value: Value) -> None:
        """A name gets a value; tables give their constants."""
        self.names[name] = hole(name) if value is None else value
        if isinstance(value, str):
            self.assign(self.line(node), self.raw(node), name.rsplit(".", 1)[-1], value)
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, str) and is_constant(item) and not key.startswith("@"):
                    self.assign(self.line(node), self.raw(node), key, item)

    def value(self, node: Node | None) -> Value:
        if node is None:
            return None
        self.trail.step()
        kind = node.type
        if kind in ("string", "template_string"):
            return self._string(node)
        if kind in ("number", "true", "false", "property_identifier", "regex"):
            return self.raw(node)
        if kind == "identifier":
            name = self.raw(node)
            return HERE if name == "__dirname" else self.names.get(name, hole(name))
        if kind == "member_expression":
            return self._member(node)
        if kind == "subscript_expression":
            return self._element(node)
        if kind == "binary_expression":
            return self._binary(node)
        if kind == "array":
            return [self.value(child) for child in node.named_children]
        if kind == "object":
            return self._object(node)
        if kind in ("call_expression", "new_expression"):
            return self.called_value(node)
        if kind in ("assignment_expression", "augmented_assignment_expression"):
            return self._assigned(node)
        if kind == "ternary_expression":
            values = [self.value(child) for child in node.named_children[1:]]
            return next((v for v in values if isinstance(v, str) and is_constant(v)), None)
        if kind in ("arrow_function", "function_expression"):
            self.body(node, "", None)
            return None
        found: Value = None
        for child in node.named_children:
            if child.type.endswith(("_statement", "_declaration", "_block")):
                self.follow(child)
            elif child.type != "comment":
                found = self.value(child)
        return found if kind in ("parenthesized_expression", "await_expression") else None

    def _string(self, node: Node) -> str:
        found = []
        for child in node.named_children:
            if child.type == "string_fragment":
                found.append(self.raw(child))
            elif child.type == "escape_sequence":
                mark = self.raw(child)[1:]
                number = re.fullmatch(r"(?:x|u\{?)([0-9a-fA-F]{1,5})\}?", mark)
                found.append(clean(chr(int(number[1], 16))) if number else _ESCAPES.get(mark, mark))
            elif child.type == "template_substitution":
                inner = child.named_children[0] if child.named_children else None
                found.append(text_of(self.value(inner), self.raw(child)[2:-1][:40]))
        return "".join(found)

    def _member(self, node: Node) -> Value:
        text = re.sub(r"\s+", "", self.raw(node))
        if match := re.fullmatch(r"process\.env\.(\w+)", text):
            return hole(match[1])
        if text in self.names:
            return self.names[text]
        owner = self.value(node.child_by_field_name("object"))
        key = node.child_by_field_name("property")
        if isinstance(owner, dict) and key is not None and self.raw(key) in owner:
            return owner[self.raw(key)]
        return hole(text[:40])

    def _element(self, node: Node) -> Value:
        owner, key = self.value(node.child_by_field_name("object")), self.value(node.child_by_field_name("index"))
        if isinstance(owner, dict) and isinstance(key, str) and key in owner:
            return owner[key]
        if isinstance(owner, list) and isinstance(key, str) and key.isdecimal() and int(key[:6]) < len(owner):
            return owner[int(key[:6])]
        return hole(self.raw(node)[:40])

    def _binary(self, node: Node) -> Value:
        left, right = self.value(node.child_by_field_name("left")), self.value(node.child_by_field_name("right"))
        operator = node.child_by_field_name("operator")
        sign = self.raw(operator) if operator is not None else ""
        if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
            return text_of(left) + text_of(right)
        if sign in ("||", "??"):
            return left if isinstance(left, str) and is_constant(left) and left else right
        return None

    def _object(self, node: Node) -> Value:
        found: dict[str, Value] = {}
        for pair in node.named_children:
            if pair.type == "pair":
                key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
                name = self.raw(key).strip("\"'`") if key is not None else ""
                found[name] = self.value(value)
            elif pair.type == "shorthand_property_identifier":
                found[self.raw(pair)] = self.names.get(self.raw(pair), hole(self.raw(pair)))
            elif pair.type == "spread_element" and pair.named_children:
                spread = self.value(pair.named_children[0])
                found.update(spread if isinstance(spread, dict) else {})
        return found

    def _assigned(self, node: Node) -> Value:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return None
        if right.type in FUNCTIONS:
            self.functions[self.raw(left).rsplit(".", 1)[-1]] = right
            return None
        value, name = self.value(right), re.sub(r"\s+", "", self.raw(left))
        if (
            node.type.startswith("augmented")
            and isinstance(old := self.names.get(name), str)
            and "+=" in self.raw(node)
        ):
            value = old + text_of(value)
        if match := re.fullmatch(r"process\.env(?:\.(\w+)|\[['\"](\w+)['\"]\])", name):
            self.assign(self.line(node), self.raw(node), match[1] or match[2], text_of(value))
            return value
        self.bind(node, name, value)
        return value
