"""A Python module as far as its literals go: constants followed through names, types of columns told."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from fulldress.package.migrations.script import quoted
from fulldress.package.reader import Member

_DEEPEST = 40
#: Classes of SQLAlchemy, Django and their dialects -> PostgreSQL's type; the length is added where they take one.
TYPES = {
    "string": "varchar", "unicode": "varchar", "varchar": "varchar", "char": "char", "text": "text", "unicodetext": "text",
    "integer": "integer", "int": "integer", "biginteger": "bigint", "bigint": "bigint", "smallinteger": "smallint",
    "smallint": "smallint", "boolean": "boolean", "date": "date", "datetime": "timestamp", "timestamp": "timestamp",
    "time": "time", "interval": "interval", "float": "double precision", "double": "double precision", "real": "real",
    "numeric": "numeric", "decimal": "numeric", "json": "json", "jsonb": "jsonb", "uuid": "uuid", "largebinary": "bytea",
    "bytea": "bytea", "enum": "unknown_kind", "pickletype": "bytea",
}  # fmt: skip


@dataclass
class Source:
    """``assigned`` are the module's own constants, ``functions`` its functions by name."""

    code: str
    assigned: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = field(default_factory=dict)
    classes: list[ast.ClassDef] = field(default_factory=list)
    imported: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, member: Member) -> Source | None:
        """None where it is no Python, or nested deeper than Python's own parser goes."""
        try:
            tree = ast.parse(member.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        found = cls(member.text, lines=member.text.splitlines())
        for node in tree.body:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found.assigned[target.id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                found.assigned[node.target.id] = node.value
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.functions[node.name] = node
            elif isinstance(node, ast.ClassDef):
                found.classes.append(node)
            elif isinstance(node, ast.ImportFrom):
                found.imported |= {alias.asname or alias.name: node.module or "" for alias in node.names}
        return found

    def bind(self, name: str, values: ast.expr) -> None:
        """A loop's variable: its first value stands for all."""
        if isinstance(values, ast.List | ast.Tuple) and values.elts:
            self.assigned[name] = values.elts[0]
        else:
            self.assigned.pop(name, None)

    def local(self, name: str, value: ast.expr) -> None:
        self.assigned[name] = value

    def segment(self, node: ast.AST) -> str:
        """The text of a call, at most its first lines."""
        first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1) or 1
        return " ".join(line.strip() for line in self.lines[first - 1 : min(last, first + 5)])[:400]

    def lead(self, node: ast.expr) -> int:
        """Nothing but what a triple-quoted literal needs: its first character stands in its own line."""
        return 0

    def text(self, node: ast.expr | None, depth: int = 0) -> str | None:
        """A text literal followed through names, ``+``, f-strings, ``text()``, ``dedent()`` and ``format``."""
        if node is None or depth > _DEEPEST:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            known = self.assigned.get(node.id)
            return self.text(known, depth + 1) if known is not None and known is not node else None
        if isinstance(node, ast.Attribute) and node.attr == "__tablename__" and isinstance(node.value, ast.Name):
            model = next((c for c in self.classes if c.name == node.value.id), None)
            told = [
                s.value
                for s in (model.body if model else [])
                if isinstance(s, ast.Assign) and ast.unparse(s.targets[0]) == "__tablename__"
            ]
            return self.text(told[0], depth + 1) if told else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.text(node.left, depth + 1), self.text(node.right, depth + 1)
            return None if left is None or right is None else left + right
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            left = self.text(node.left, depth + 1)
            return None if left is None else re.sub(r"%(?:\(\w+\))?[sd]", "x", left)
        if isinstance(node, ast.JoinedStr):
            parts = [
                self.text(part.value, depth + 1) or _shown(part.value)
                if isinstance(part, ast.FormattedValue)
                else self.text(part)
                for part in node.values
            ]
            return "".join(part or "" for part in parts)
        if isinstance(node, ast.Call):
            method = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else node.func.id
                if isinstance(node.func, ast.Name)
                else ""
            )
            if method in ("text", "dedent", "DDL", "SQL", "f") and node.args:
                return self.text(node.args[0], depth + 1)
            if method in ("strip", "lower", "bindparams", "execution_options", "columns") and isinstance(
                node.func, ast.Attribute
            ):
                return self.text(node.func.value, depth + 1)
            if method == "format" and isinstance(node.func, ast.Attribute):
                inner = self.text(node.func.value, depth + 1)
                return None if inner is None else re.sub(r"\{[\w.]*\}", "x", inner)
        return None

    def texts(self, node: ast.expr | None) -> list[str]:
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return [text for element in node.elts if (text := self.text(element)) is not None]
        text = self.text(node)
        return [] if text is None else [text]

    def name(self, node: ast.expr | None) -> str:
        """A name given as literal; else what the program calls it."""
        if node is None:
            return "unnamed"
        return self.text(node) or _shown(node)

    def names(self, node: ast.expr | None) -> list[str]:
        if isinstance(node, ast.Name) and node.id in self.assigned:
            node = self.assigned[node.id]
        if isinstance(node, ast.List | ast.Tuple):
            return [self.name(element) for element in node.elts if not isinstance(element, ast.Starred)]
        return [] if node is None else [self.name(node)]


def _shown(node: ast.expr) -> str:
    try:
        return re.sub(r"\W+", "_", ast.unparse(node)).strip("_")[:60] or "unnamed"
    except (RecursionError, ValueError):
        return "unnamed"


def identifier(node: ast.expr, source: Source) -> str:
    return quoted(source.name(node))


def called(node: ast.expr) -> str:
    """``sa.String(50)`` and ``sa.String`` are ``string``."""
    target = node.func if isinstance(node, ast.Call) else node
    return (
        target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""
    ).lower()


def kind_of(node: ast.expr | None, source: Source) -> str:
    """The SQL type of an SQLAlchemy type; a type of the product's own becomes its name."""
    if isinstance(node, ast.Name) and isinstance(source.assigned.get(node.id), ast.Call):
        node = source.assigned[node.id]
    if node is None:
        return "unknown_kind"
    name = called(node)
    kind = TYPES.get(name)
    if kind is None:
        return f"kind_{name}" if name else "unknown_kind"
    if isinstance(node, ast.Call):
        if name in ("datetime", "timestamp") and any(
            k.arg == "timezone" and isinstance(k.value, ast.Constant) and k.value.value for k in node.keywords
        ):
            return "timestamptz"
        given = [*node.args, *(k.value for k in node.keywords if k.arg in ("length", "precision", "scale"))]
        sizes = [
            str(g.value)
            for g in given
            if isinstance(g, ast.Constant) and isinstance(g.value, int) and not isinstance(g.value, bool)
        ]
        if sizes and kind in ("varchar", "char", "numeric"):
            return f"{kind}({','.join(sizes[:2])})"
    return kind


def columns_of(call: ast.Call, source: Source) -> list[str]:
    """``sa.Column(…)`` arguments of a call as column definitions."""
    return [_column(node, source) for node in call.args if isinstance(node, ast.Call) and called(node) == "column"]


def _column(node: ast.Call, source: Source) -> str:
    name = quoted(source.name(node.args[0])) if node.args else "unnamed"
    rest = node.args[1:]
    types = [a for a in rest if called(a) not in ("foreignkey", "identity", "computed", "sequence", "checkconstraint")]
    given = next((k.value for k in node.keywords if k.arg == "type_"), types[0] if types else None)
    words = [name, kind_of(given, source)]
    flags = {k.arg: k.value for k in node.keywords}
    default = flags.get("server_default")
    if default is not None and not (isinstance(default, ast.Constant) and default.value is None):
        text = source.text(default)
        call = text if text and re.match(r"\w+\(\)$", text) else "0"
        words.append(f"DEFAULT {call}")
    if isinstance(flags.get("nullable"), ast.Constant) and flags["nullable"].value is False:  # type: ignore[attr-defined]
        words.append("NOT NULL")
    if isinstance(flags.get("unique"), ast.Constant) and flags["unique"].value is True:  # type: ignore[attr-defined]
        words.append("UNIQUE")
    for argument in rest:
        if called(argument) == "foreignkey" and isinstance(argument, ast.Call) and argument.args:
            other, _, key = source.name(argument.args[0]).rpartition(".")
            words.append(f"REFERENCES {quoted(other or 'other')} ({quoted(key or 'id')})")
        elif called(argument) == "computed" and "persisted=True" in ast.unparse(argument).replace(" ", ""):
            words.append("GENERATED ALWAYS AS (1) STORED")
        elif called(argument) == "identity":
            words.append("GENERATED ALWAYS AS IDENTITY")
    return " ".join(words)
