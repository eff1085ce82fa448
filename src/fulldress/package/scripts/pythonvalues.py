"""Values of Python's expressions: texts with holes, lists, tables; names as they were imported."""

from __future__ import annotations

import ast
import re

import msgspec

from fulldress.package.reader import Member
from fulldress.package.scripts.follower import Follower, Trail, Value, text_of
from fulldress.package.scripts.values import HERE, hole, is_constant


class Function(msgspec.Struct, frozen=True):
    """A function and where its lines are."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    member: Member
    offset: int
    rows: list[str]


class File(msgspec.Struct):
    """A file that was opened for writing, and what it gets."""

    path: str
    append: bool
    line: int
    row: str
    member: Member
    parts: list[str | None]


class Values(Follower):
    """A follower that knows what Python's expressions come to."""

    def __init__(self, trail: Trail, member: Member, offset: int = 0) -> None:
        super().__init__(trail, member, offset)
        self.rows: list[str] = []
        self.aliases: dict[str, str] = {}
        self.functions: dict[str, Function] = {}
        self.called: set[str] = set()
        self.files: list[File] = []
        self.given: list[Value] = []
        self.scope = ""
        self.imported = False
        self.quiet = 0  #: inside how many try blocks whose handler goes on as if nothing had been
        self.bare: ast.AST | None = None  #: a call whose result nobody looks at

    def called_value(self, node: ast.Call) -> Value:
        raise NotImplementedError

    def line(self, node: ast.AST) -> int:
        return int(getattr(node, "lineno", 1)) + self.offset

    def row(self, node: ast.AST) -> str:
        number = int(getattr(node, "lineno", 1))
        return self.rows[number - 1].strip() if number <= len(self.rows) else ""

    def resolved(self, name: str) -> str:
        """A dotted name with what its first part was imported as."""
        head, dot, rest = name.partition(".")
        return self.aliases.get(head, head) + dot + rest

    def finish(self) -> None:
        """Files that were opened, with all that was written to them."""
        for file in self.files:
            known = [part for part in file.parts if part is not None]
            content = "".join(known) if known and len(known) == len(file.parts) else None
            kept, self.member = self.member, file.member
            self.write(file.line, file.row, file.path, content, append=file.append)
            self.member = kept

    def text(self, node: ast.expr | None) -> str | None:
        """The text of an expression; None for what is no text."""
        value = self.value(node) if node is not None else None
        return value if isinstance(value, str) else None

    def value(self, node: ast.expr | None) -> Value:
        """What an expression comes to; the calls in it are followed."""
        self.trail.step()
        if node is None:
            return None
        if isinstance(node, ast.Constant):
            if isinstance(node.value, bytes):
                return node.value.decode("utf-8", "replace").replace("\ue000", "").replace("\ue001", "")
            if isinstance(node.value, bool) or node.value is None or node.value is Ellipsis:
                return None
            return str(node.value)
        if isinstance(node, ast.Name):
            return HERE + "/" + self.member.name if node.id == "__file__" else self.names.get(node.id, hole(node.id))
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.JoinedStr):
            parts = [self.value(v.value if isinstance(v, ast.FormattedValue) else v) for v in node.values]
            return "".join(text_of(part) for part in parts)
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.Call):
            return self.called_value(node)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            found: list[Value] = []
            for item in node.elts:
                value = self.value(item.value if isinstance(item, ast.Starred) else item)
                found += value if isinstance(item, ast.Starred) and isinstance(value, list) else [value]
            return found
        if isinstance(node, ast.Dict):
            return self._table(node)
        if isinstance(node, ast.Subscript):
            return self._element(node)
        if isinstance(node, ast.BoolOp):
            return self._either([self.value(item) for item in node.values], isinstance(node.op, ast.Or))
        if isinstance(node, ast.IfExp):
            self.value(node.test)
            return self._either([self.value(node.body), self.value(node.orelse)], True)
        if isinstance(node, ast.Await | ast.NamedExpr | ast.Starred):
            value = self.value(node.value)
            if isinstance(node, ast.NamedExpr) and value is not None:
                self.names[node.target.id] = value
            return value
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and not isinstance(node, ast.Lambda):
                self.value(child)
            elif isinstance(child, ast.comprehension):
                self.value(child.iter)
        return None

    def _attribute(self, node: ast.Attribute) -> Value:
        name = dotted(node)
        if name in self.names:
            return self.names[name]
        owner = self.value(node.value) if not isinstance(node.value, ast.Name) else self.names.get(node.value.id)
        if isinstance(owner, dict) and node.attr in owner:
            return owner[node.attr]
        if node.attr in ("text", "content", "stdout") and isinstance(owner, str):
            return owner
        if node.attr == "parent" and isinstance(owner, str):
            return owner.rsplit("/", 1)[0] if "/" in owner else owner
        return hole(name or node.attr)

    def _operation(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Add):
            if isinstance(left, list) or isinstance(right, list):
                return [*(left if isinstance(left, list) else [left]), *(right if isinstance(right, list) else [right])]
            return None if left is None and right is None else text_of(left) + text_of(right)
        if isinstance(node.op, ast.Div) and isinstance(left, str) and isinstance(right, str):
            return f"{left}/{right}"
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            return percent(left, right)
        return None

    def _table(self, node: ast.Dict) -> Value:
        found: dict[str, Value] = {}
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.value(item)
            if key is None:
                found.update(value if isinstance(value, dict) else {})
                continue
            name = self.value(key)
            if isinstance(item, ast.Constant) and (item.value is None or isinstance(item.value, bool)):
                value = {True: "true", False: "false", None: "null"}[item.value]
            found[text_of(name)] = value
        return found

    def _element(self, node: ast.Subscript) -> Value:
        owner, key = self.value(node.value), self.value(node.slice) if not isinstance(node.slice, ast.Slice) else None
        if isinstance(owner, dict) and isinstance(key, str) and key in owner:
            return owner[key]
        if (
            isinstance(owner, list)
            and isinstance(key, str)
            and re.fullmatch(r"-?\d{1,4}", key)
            and -len(owner) <= int(key) < len(owner)
        ):
            return owner[int(key)]
        if self.resolved(dotted(node.value)).endswith("environ") and isinstance(key, str):
            return hole(key)
        return hole(dotted(node.value) or "a value")

    @staticmethod
    def _either(values: list[Value], alternatives: bool) -> Value:
        """``X or default``: the constant of the two."""
        known = [value for value in values if isinstance(value, str) and is_constant(value) and value]
        if alternatives and len(set(known)) == 1:
            return known[0]
        return next((value for value in values if value is not None), None)


def dotted(node: ast.AST | None) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    elif isinstance(node, ast.Call):
        called = dotted(node.func).rsplit(".", 1)[-1]
        module = node.args[0] if node.args and called in ("__import__", "import_module") else None
        named = module.value if isinstance(module, ast.Constant) and isinstance(module.value, str) else called
        parts.append(named)
    return ".".join(reversed(parts))


def percent(text: str, given: Value) -> str:
    """``'%s:%d' % (a, b)``, ``'%(name)s' % table``."""
    rest = list(given) if isinstance(given, list) else [given]

    def filled(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if match[1]:
            return text_of(given.get(match[1]) if isinstance(given, dict) else None, match[1])
        return text_of(rest.pop(0)) if rest else hole("a value")

    return re.sub(r"%(?:%|(?:\((\w+)\))?[-#0+ ]*(?:\d+|\*)?(?:\.\d+)?[a-zA-Z])", filled, text)


def formatted(text: str, given: list[Value], named: dict[str, Value]) -> str:
    """``'{}:{port}'.format(a, port=b)``."""
    rest = list(given)

    def filled(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        name = re.split(r"[.\[!:]", match[1])[0]
        if not name:
            return text_of(rest.pop(0)) if rest else hole("a value")
        if name.isdecimal() and len(name) < 9:
            return text_of(given[int(name)]) if int(name) < len(given) else hole("a value")
        return text_of(named.get(name), name)

    return re.sub(r"\{\{|\}\}|\{([^{}]*)\}", filled, text)
