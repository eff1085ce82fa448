"""Names of Python that are put together: ``getattr(os, "sys" + "tem")``, ``__import__("o" + "s")``, ``os.__dict__["system"]``.

What only a run would know is told of modules that start programs; of others it is how Python is written.
"""

from __future__ import annotations

import ast

from fulldress.package.scripts.pythonvalues import Values, dotted
from fulldress.package.scripts.values import is_constant

#: Modules whose functions, given another name, are looked for under it.
ACTING = frozenset({"os", "subprocess", "builtins", "shutil", "importlib", "pty", "commands", "posix"})
_IMPORTS = frozenset({"__import__", "importlib.import_module", "builtins.__import__", "importlib.__import__"})
_TABLES = frozenset({"globals()", "__builtins__", "builtins", "vars(builtins)"})


def computed(script: Values, node: ast.expr) -> str:
    """The dotted name that an expression comes to, as it was imported; empty where it is written out, or where nobody knows."""
    if not _is_put_together(script, node):
        return ""
    return _name(script, node)


def _is_put_together(script: Values, node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    if isinstance(node, ast.Call):
        called = script.resolved(dotted(node.func))
        return called in ("getattr", "builtins.getattr") or called in _IMPORTS
    return isinstance(node, ast.Subscript)


def _name(script: Values, node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return script.resolved(node.id)
    if isinstance(node, ast.Attribute):
        owner = _name(script, node.value)
        return f"{owner}.{node.attr}" if owner else ""
    if isinstance(node, ast.Call):
        return _of_call(script, node)
    if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
        return _of_table(script, node)
    return ""


def _of_call(script: Values, node: ast.Call) -> str:
    called = script.resolved(dotted(node.func))
    if called in _IMPORTS and node.args:
        module = script.text(node.args[0]) or ""
        return module if is_constant(module) else ""
    if called in ("getattr", "builtins.getattr") and len(node.args) > 1:
        owner, name = _name(script, node.args[0]), script.text(node.args[1]) or ""
        if owner and name and is_constant(name):
            return owner.removeprefix("builtins.") + "." + name if owner != "builtins" else name
        if owner in ACTING:
            line = script.line(node)
            script.gap(
                line, line, f"its line {line} takes a function of {owner} that only a run would know", needed=True
            )
    return ""


def _of_table(script: Values, node: ast.Subscript) -> str:
    key = script.text(node.slice) or ""
    if not key or not is_constant(key):
        return ""
    table = node.value
    if isinstance(table, ast.Attribute) and table.attr == "__dict__":
        owner = _name(script, table.value)
        return f"{owner}.{key}" if owner else ""
    if isinstance(table, ast.Call) and script.resolved(dotted(table.func)) == "vars" and table.args:
        owner = _name(script, table.args[0])
        return f"{owner}.{key}" if owner else ""
    if isinstance(table, ast.Call) and dotted(table.func) == "globals":
        return "builtins" if key == "__builtins__" else script.resolved(key)
    if isinstance(table, ast.Attribute | ast.Name) and script.resolved(dotted(table)) == "sys.modules":
        return key
    return ""
