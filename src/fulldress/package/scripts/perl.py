"""Perl, by its syntax tree: scalars, lists and tables, formats, subs that are called with constants, required siblings."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable

import msgspec
import tree_sitter_perl
from tree_sitter import Language, Node, Parser

from fulldress.package.reader import Member, Package
from fulldress.package.scripts import perlcalls, plain
from fulldress.package.scripts.events import AnyEvent
from fulldress.package.scripts.follower import Follower, Trail, Value, text_of
from fulldress.package.scripts.values import HERE, clean, hole, is_constant

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the binding hands its grammar over as a number
    _LANGUAGE = Language(tree_sitter_perl.language())
_PASSES = 32
_STRINGS = ("interpolated_string_literal", "string_literal", "string_content", "heredoc_content")
_CALLS = (
    "function_call_expression",
    "ambiguous_function_call_expression",
    "func1op_call_expression",
    "func0op_call_expression",
    "function",
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "", "e": "", "a": ""}


def read(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Events of one script, and of what it starts. Raises :class:`~.shell.Exhausted`."""
    follow(Trail(package, emit), member, clean(member.text), 0)


def follow(trail: Trail, member: Member, text: str, offset: int, arguments: tuple[str, ...] | None = None) -> None:
    """Follows ``text``, which begins at line ``offset`` + 1 of ``member``."""
    script = Script(trail, member, offset)
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


class File(msgspec.Struct):
    """A file that was opened for writing, and what is printed to it."""

    path: str
    append: bool
    line: int
    row: str
    parts: list[str]


class Script(Follower):
    def __init__(self, trail: Trail, member: Member, offset: int) -> None:
        super().__init__(trail, member, offset)
        self.subs: dict[str, Node] = {}
        self.called: set[str] = set()
        self.files: dict[str, File] = {}  #: by file handle

    @staticmethod
    def raw(node: Node) -> str:
        return (node.text or b"").decode("utf-8", "replace")

    def line(self, node: Node) -> int:
        return node.start_point.row + 1 + self.offset

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

    def close(self, handle: str) -> None:
        file = self.files.pop(handle, None)
        if file is not None:
            self.write(file.line, file.row, file.path, "".join(file.parts) if file.parts else None, append=file.append)

    # -- statements

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
                self.value(child)
        elif (
            kind in _CALLS
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
        name = f"${self._name(variable)}" if variable is not None else "$_"
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
        other.names = self.names
        other.follow(root)
        other.finish()
        self.names = other.names
        for name, node in other.subs.items():
            self.subs.setdefault(name, node)

    # -- values

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
            name = mark + self._name(node)
            return self.names.get(name, hole(self._name(node)) if mark == "$" else None)
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
        if kind in _CALLS:
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

    def _name(self, node: Node | None) -> str:
        if node is None:
            return ""
        if node.type == "variable_declaration" and node.named_children:
            return self._name(node.named_children[0])
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
                name = self._name(variable)
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
        name = f"${self._name(inner)}"
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
        name = self._name(owner)
        table = self.names.get(f"%{name}", self.names.get(f"${name}"))
        if isinstance(table, dict) and key in table:
            return table[key]
        items = self.names.get(f"@{name}")
        if isinstance(items, list) and key.isdigit() and int(key) < len(items):
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
            self.follow(child) if child.type == "block" else self.value(child)
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
