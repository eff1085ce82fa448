"""What Perl's expressions come to: strings with variables in them, lists, tables, assignments, here-documents."""

from __future__ import annotations

import re

import msgspec
from tree_sitter import Node

from fulldress.package.reader import Member
from fulldress.package.scripts import perlcalls
from fulldress.package.scripts.follower import Follower, Trail, Value, text_of
from fulldress.package.scripts.values import HERE, clean, hole, is_constant

_STRINGS = ("interpolated_string_literal", "string_literal", "string_content", "heredoc_content")
CALLS = (
    "function_call_expression",
    "ambiguous_function_call_expression",
    "func1op_call_expression",
    "func0op_call_expression",
    "function",
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "", "e": "", "a": ""}


class File(msgspec.Struct):
    """A file that was opened for writing, and what is printed to it."""

    path: str
    append: bool
    line: int
    row: str
    parts: list[str]


class Values(Follower):
    """A follower that knows what Perl's expressions come to."""

    def __init__(self, trail: Trail, member: Member, offset: int) -> None:
        super().__init__(trail, member, offset)
        self.subs: dict[str, Node] = {}
        self.called: set[str] = set()
        self.files: dict[str, File] = {}  #: by file handle
        self.rows: list[str] = []
        self.bare = -1  #: the node of a call whose result nobody looks at

    def heeded(self, node: Node, *, opens: bool = False) -> bool:
        """Whether somebody looks whether a call worked: its result is used, ``$?`` after it, or autodie does."""
        if node.id != self.bare:
            return True
        whole = "\n".join(self.rows)
        if re.search(r"(?m)^\s*use\s+autodie\b" + ("" if opens else r"[^;]*:(?:all|system)"), whole):
            return True
        row = node.end_point.row
        return not opens and bool(re.search(r"\$\?|\$CHILD_ERROR", "\n".join(self.rows[row : row + 4])))

    def follow(self, node: Node) -> None:
        raise NotImplementedError

    def sub(self, name: str, arguments: list[Value] | None) -> Value:
        raise NotImplementedError

    def require(self, path: str, line: int) -> None:
        raise NotImplementedError

    @staticmethod
    def raw(node: Node) -> str:
        return (node.text or b"").decode("utf-8", "replace")

    def line(self, node: Node) -> int:
        return node.start_point.row + 1 + self.offset

    def close(self, handle: str) -> None:
        file = self.files.pop(handle, None)
        if file is not None:
            self.write(file.line, file.row, file.path, "".join(file.parts) if file.parts else None, append=file.append)

    def value(self, node: Node | None) -> Value:
        if node is None:
            return None
        self.trail.step()
        kind = node.type
        if kind in _STRINGS:
            return self._string(node)
        if kind in ("number", "autoquoted_bareword", "bareword"):
            return self.raw(node)
        if kind in ("scalar", "array", "hash"):
            mark = {"scalar": "$", "array": "@", "hash": "%"}[kind]
            name = mark + self.name_of(node)
            return self.names.get(name, hole(self.name_of(node)) if mark == "$" else None)
        if kind == "variable_declaration":
            return None
        if kind == "quoted_word_list":
            content = next((c for c in node.named_children if c.type == "string_content"), None)
            return list(self.raw(content).split()) if content is not None else []
        if kind in ("list_expression", "parenthesized_expression", "anonymous_array_expression"):
            return self.items(node)
        if kind == "anonymous_hash_expression":
            return _table(self.items(node))
        if kind == "assignment_expression":
            return self._assignment(node)
        if kind == "binary_expression":
            return self._binary(node)
        if kind == "lowprec_logical_expression":
            return self._or(node)
        if kind == "conditional_expression":
            parts = [self.value(child) for child in node.named_children[1:]]
            return next(
                (part for part in parts if isinstance(part, str) and is_constant(part)), parts[0] if parts else None
            )
        if kind in ("hash_element_expression", "array_element_expression"):
            return self._element(node)
        if kind == "command_string":
            content = next((c for c in node.named_children if c.type == "string_content"), None)
            text = self._string(content) if content is not None else ""
            self.command_line(text, self.line(node))
            return hole(f"$({text})"[:80])
        if kind in CALLS:
            return perlcalls.function(self, node)
        if kind == "method_call_expression":
            return perlcalls.method(self, node)
        if kind in ("require_expression", "eval_expression"):
            return self._required(node)
        if kind == "heredoc_token":
            body = _heredoc(node)
            return self._string(body) if body is not None else hole("a text")
        if kind in ("block", "anonymous_subroutine_expression"):
            for child in node.named_children:
                self.follow(child)
            return None
        found: Value = None
        for child in node.named_children:
            if child.type.endswith("_statement"):
                self.follow(child)
            else:
                found = self.value(child)
        return found if node.named_child_count == 1 else None

    def items(self, node: Node | None) -> list[Value]:
        """The items of a list, nested lists in their places."""
        found: list[Value] = []
        if node is None:
            return found
        if node.type not in (
            "list_expression",
            "parenthesized_expression",
            "anonymous_array_expression",
            "anonymous_hash_expression",
        ):
            value = self.value(node)
            return value if isinstance(value, list) else [value]
        for child in node.named_children:
            nested = child.type in ("list_expression", "parenthesized_expression", "array", "quoted_word_list")
            value = (
                self.items(child)
                if child.type in ("list_expression", "parenthesized_expression")
                else self.value(child)
            )
            found += value if nested and isinstance(value, list) else [value]
        return found

    def name_of(self, node: Node | None) -> str:
        if node is None:
            return ""
        if node.type == "variable_declaration" and node.named_children:
            return self.name_of(node.named_children[0])
        name = next((c for c in node.named_children if c.type == "varname"), None)
        return self.raw(name) if name is not None else self.raw(node).lstrip("$@%{").rstrip("}")

    def _string(self, node: Node) -> str:
        if node.type in ("interpolated_string_literal", "string_literal"):
            content = next((c for c in node.named_children if c.type == "string_content"), None)
            if content is None:
                return ""
            if node.type == "string_literal":
                return re.sub(r"\\([\\'])", r"\1", self.raw(content))
            node = content
        found, last = [], node.start_byte
        whole = node.text or b""
        base = node.start_byte
        for child in node.named_children:
            if child.type == "heredoc_end":
                found.append(whole[last - base : child.start_byte - base].decode("utf-8", "replace"))
                last = node.end_byte
                break
            found.append(whole[last - base : child.start_byte - base].decode("utf-8", "replace"))
            if child.type == "escape_sequence":
                found.append(_unescaped(self.raw(child)[1:]))
            else:
                value = self.value(child)
                found.append(
                    " ".join(text_of(v) for v in value)
                    if isinstance(value, list)
                    else text_of(value, self.raw(child).lstrip("$@"))
                )
            last = child.end_byte
        found.append(whole[last - base :].decode("utf-8", "replace"))
        return "".join(found)

    def _assignment(self, node: Node) -> Value:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = next((self.raw(c) for c in node.children if not c.is_named and self.raw(c).endswith("=")), "=")
        if left is None or right is None:
            return None
        inner = left
        while inner.type == "parenthesized_expression" and inner.named_child_count == 1:
            inner = inner.named_children[0]
        variables = [
            c
            for c in (inner.named_children if inner.type in ("variable_declaration", "list_expression") else [inner])
            if c.type in ("scalar", "array", "hash")
        ]
        if "(" in self.raw(left)[:8] or (variables and variables[0].type != "scalar"):
            values = self.items(right)
            known = self.raw(right).strip() != "@_" or self.names.get("@_") is not None
            for variable in variables:
                name = self.name_of(variable)
                if variable.type == "array":
                    self.names[f"@{name}"] = [v for v in values if v is not None] if known else None
                    values = []
                elif variable.type == "hash":
                    self.names[f"%{name}"] = _table(values)
                    for key, item in (_table(values) or {}).items():
                        if isinstance(item, str):
                            self.assign(self.line(node), self.raw(node), key, item)
                else:
                    item = values.pop(0) if values and known else None
                    self.names[f"${name}"] = item if item is not None else hole(name)
            return None
        value = self.value(right)
        if left.type in ("hash_element_expression",):
            place = left.child_by_field_name("key")
            name = text_of(self.value(place)) if place is not None else ""
            if isinstance(value, str):
                self.assign(self.line(node), self.raw(node), name, value)
            return value
        name = f"${self.name_of(inner)}"
        old = self.names.get(name)
        if operator == ".=" and isinstance(old, str) and isinstance(value, str):
            value = old + value
        elif operator in ("||=", "//=") and isinstance(old, str) and is_constant(old) and old:
            value = old
        self.names[name] = hole(name[1:]) if value is None else value
        if isinstance(value, str):
            self.assign(self.line(node), self.raw(node), name[1:], value)
        return value

    def _binary(self, node: Node) -> Value:
        left, right = self.value(node.child_by_field_name("left")), self.value(node.child_by_field_name("right"))
        operator = next((self.raw(c) for c in node.children if not c.is_named), "")
        if operator == ".":
            return text_of(left) + text_of(right)
        if operator in ("||", "//"):
            return left if isinstance(left, str) and is_constant(left) and left else right
        return None

    def _or(self, node: Node) -> Value:
        left = self.value(node.child_by_field_name("left"))
        self.value(node.child_by_field_name("right"))
        return left

    def _element(self, node: Node) -> Value:
        owner = node.named_children[0] if node.named_children else None
        key = text_of(self.value(node.named_children[-1])) if node.named_child_count > 1 else ""
        name = self.name_of(owner)
        table = self.names.get(f"%{name}", self.names.get(f"${name}"))
        if isinstance(table, dict) and key in table:
            return table[key]
        items = self.names.get(f"@{name}")
        if isinstance(items, list) and key.isdecimal() and len(key) < 9 and int(key) < len(items):
            return items[int(key)]
        return hole(f"{name}{{{key}}}" if name != "ENV" else key)

    def _required(self, node: Node) -> Value:
        strings = [c for c in _descend(node) if c.type in ("interpolated_string_literal", "string_literal")]
        text = self.raw(node)
        if text.startswith(("require", "do")) and strings and "{" not in text[:4]:
            path = self._string(strings[0])
            self.require(path.replace("$FindBin::Bin", HERE), self.line(node))
            return None
        for child in node.named_children:
            if child.type == "block":
                self.follow(child)
                continue
            value = self.value(child)
            if node.type == "eval_expression" and isinstance(value, str):
                perlcalls.evaluated(self, value, self.line(node), self.raw(node))
        return None


def _unescaped(mark: str) -> str:
    if number := re.fullmatch(r"x\{?([0-9a-fA-F]{1,4})\}?|([0-7]{2,3})", mark):
        return clean(chr(int(number[1], 16) if number[1] else int(number[2], 8)))
    return _ESCAPES.get(mark, mark)


def _table(values: list[Value]) -> dict[str, Value]:
    return {text_of(values[i]): values[i + 1] for i in range(0, len(values) - 1, 2)}


def _descend(node: Node) -> list[Node]:
    found = []
    for child in node.named_children:
        if child.type != "block":
            found.append(child)
            found += _descend(child) if child.type == "filename" else []
    return found


def _heredoc(node: Node) -> Node | None:
    """The body of a here-document, which follows the statement."""
    place: Node | None = node
    while place is not None:
        after = place.next_named_sibling
        if after is not None and after.type == "heredoc_content":
            return after
        place = place.parent
    return None
