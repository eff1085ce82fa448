"""What a function of Python sends to the database: texts given to a cursor, and rows changed through Django's models.

Branches count both, save those that ask for SQLite: servers run the other one. What a call does that is not known here is noted.
"""

# ruff: noqa: S608 - statements to be judged, never sent anywhere
from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from fulldress.package.migrations.programs.pysource import Source
from fulldress.package.migrations.script import embedded, translated
from fulldress.package.migrations.sql import Statement
from fulldress.package.pythontree import calls

_DEEPEST = 4  #: functions inside each other
_EXECUTES = frozenset(["execute", "executemany", "executescript", "execute_script", "execute_batch", "execute_values"])
#: Calls that ask, or work upon values alone.
_HARMLESS = frozenset(
    """get_model all filter exclude get values values_list count exists first last order_by iterator using annotate only defer
    select_related prefetch_related distinct aggregate fetchall fetchone fetchmany cursor connect close getLogger debug info warning
    warn error exception print len range str int bool list dict set tuple sorted zip enumerate isinstance getattr hasattr append extend
    update_progress join format strip split lower upper replace startswith endswith items keys get_table_list now Q F Value atomic
    earliest latest reversed min max sum any all map next iter none chunked fromtimestamp loads dumps Exists OuterRef Subquery Count
    Coalesce Lower Upper Concat Case When create bulk_create get_or_create dedent decode bytes time cast StringIO splitlines
    get_statements""".split()  # noqa: SIM905 - a table of words is read as words
)
_NARROWS = frozenset({"filter", "exclude", "get", "first", "last", "none"})


@dataclass
class Executed:
    """``unread``: line and words of what is not known."""

    statements: list[Statement] = field(default_factory=list)
    unread: list[tuple[int, str]] = field(default_factory=list)


def of(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef, table: Callable[[str], str]) -> Executed:
    """``table``: the table of a model by its name."""
    reading = _Reading(source, table)
    reading.block(function.body, 0)
    return reading.found


class _Reading:
    def __init__(self, source: Source, table: Callable[[str], str]) -> None:
        self.source, self.table = source, table
        self.found = Executed()
        self.models: dict[str, str] = {}  #: name -> table of the rows that it stands for
        self.done: set[str] = set()

    def block(self, body: list[ast.stmt], depth: int) -> None:
        for node in body:
            self._statement(node, depth)
            if (
                isinstance(node, ast.If)
                and node.body
                and isinstance(node.body[-1], ast.Return)
                and _asks(node.test) == "server"
            ):
                return  # what follows is for SQLite

    def _statement(self, node: ast.stmt, depth: int) -> None:
        if isinstance(node, ast.If):
            self._calls(node.test, depth)
            if _asks(node.test) != "file":
                self.block(node.body, depth)
            if _asks(node.test) != "server":
                self.block(node.orelse, depth)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._calls(node.iter, depth)
            if isinstance(node.target, ast.Name):
                self._bind(node.target.id, node.iter)
                if (held := self._held(node.iter)) is not None:  # for statement in get_statements(TEXT.splitlines())
                    self.source.local(node.target.id, held)
            self.block([*node.body, *node.orelse], depth)
        elif isinstance(node, ast.While):
            self.block(node.body, depth)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                self._calls(item.context_expr, depth)
            self.block(node.body, depth)
        elif isinstance(node, ast.Try):
            handled = [one for handler in node.handlers for one in handler.body]
            self.block([*node.body, *handled, *node.orelse, *node.finalbody], depth)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            self._calls(node.value, depth)
            if isinstance(node.targets[0], ast.Name):
                self._bind(node.targets[0].id, node.value)
                self.source.local(node.targets[0].id, node.value)
        elif not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Raise | ast.Import | ast.ImportFrom
        ):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self._calls(child, depth)
        elif isinstance(node, ast.FunctionDef):
            self.source.functions.setdefault(node.name, node)

    def _bind(self, name: str, value: ast.expr) -> None:
        for call in ast.walk(value):
            if isinstance(call, ast.Call) and _last(call) == "get_model" and call.args:
                self.models[name] = self.table((self.source.text(call.args[-1]) or "unnamed").rpartition(".")[2])
                return
        if (known := self.models.get(_base(value))) is not None:
            self.models[name] = known

    def _calls(self, value: ast.expr, depth: int) -> None:
        for call in calls(value):
            self._call(call, depth)

    def _call(self, call: ast.Call, depth: int) -> None:
        last, base = _last(call), _base(call.func)
        if isinstance(call.func, ast.Name) and last in self.source.functions:
            if depth < _DEEPEST and last not in self.done:
                self.done.add(last)
                self.block(self.source.functions[last].body, depth + 1)
        elif last in _EXECUTES or last.startswith("execute_"):
            self._executes(call, last)
        elif last in ("delete", "update", "save", "bulk_update", "update_or_create", "clear") and base in self.models:
            self._rows(call, last, self.models[base])
        elif last not in _HARMLESS:
            self.found.unread.append((call.lineno, f"{last or 'a call'}()"))

    def _executes(self, call: ast.Call, last: str) -> None:
        for argument in call.args:
            text = self.source.text(argument)
            if text is None and (held := self._held(argument)) is not None:
                argument, text = held, self.source.text(held)
            if text is not None:
                known = self.source.assigned.get(argument.id) if isinstance(argument, ast.Name) else None
                self.found.statements += embedded(text, (known or argument).lineno)
                return
        self.found.unread.append((call.lineno, f"{last}() of something built at run time"))

    def _held(self, node: ast.expr) -> ast.expr | None:
        """The text inside a call that only hands it on: ``StringIO(TEXT)``, ``get_statements(TEXT.splitlines())``."""
        if not isinstance(node, ast.Call):
            return None
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name | ast.Constant) and " " in (self.source.text(inner) or ""):
                known = self.source.assigned.get(inner.id) if isinstance(inner, ast.Name) else None
                return known or inner
        return None

    def _rows(self, call: ast.Call, last: str, table: str) -> None:
        narrow = last in ("save", "update_or_create") or any(
            isinstance(node, ast.Call) and _last(node) in _NARROWS for node in ast.walk(call.func)
        )
        where = " WHERE id = 1" if narrow else ""
        text = (
            f"DELETE FROM {table}{where}"
            if last in ("delete", "clear")
            else f"UPDATE {table} SET x = 1{where or ' WHERE true'}"
        )
        self.found.statements += translated(text, call.lineno, self.source.segment(call))


def _asks(test: ast.expr) -> str:
    """``file`` where the branch is for SQLite, ``server`` where it is for PostgreSQL or MySQL; empty for another question."""
    text = ast.unparse(test).lower()
    negated = text.startswith("not ")
    if "sqlite" in text:
        return "server" if negated else "file"
    return ("file" if negated else "server") if "postgres" in text else ""


def _last(call: ast.Call) -> str:
    target = call.func
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""


def _base(node: ast.expr) -> str:
    """The name at the beginning of a chain of calls and attributes."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
