"""Constants of a Python module as a schedule's reader needs them: names followed, arithmetic of numbers, keyword arguments."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from datetime import timedelta

_UNITS = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds")
Constants = Mapping[str, ast.expr]


def last(node: ast.AST) -> str:
    """``app.conf.beat_schedule`` as ``beat_schedule``; the key of ``config["beat_schedule"]``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return text(node.slice, {})
    return node.id if isinstance(node, ast.Name) else ""


def value(node: ast.AST | None, constants: Constants) -> ast.AST | None:
    """A name of the module's own constants as what it stands for."""
    for _ in range(8):
        if not isinstance(node, ast.Name) or node.id not in constants:
            break
        node = constants[node.id]
    return node


def text(node: ast.AST | None, constants: Constants) -> str:
    node = value(node, constants)
    return str(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, (str, int)) and not isinstance(node.value, bool) else ""  # fmt: skip


def number(node: ast.AST | None, constants: Constants, depth: int = 0) -> float | None:
    node = value(node, constants)
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return float(node.value) if abs(node.value) < 1e12 else None
    if isinstance(node, ast.BinOp) and depth < 20 and isinstance(node.op, (ast.Mult, ast.Add, ast.Div)):
        left, right = number(node.left, constants, depth + 1), number(node.right, constants, depth + 1)
        if left is None or right is None:
            return None
        if isinstance(node.op, ast.Div):
            return left / right if right else None
        return left * right if isinstance(node.op, ast.Mult) else left + right
    return None


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def delta(given: Mapping[str, ast.expr], constants: Constants) -> timedelta | None:
    """``hours=1, minutes=30``; None where a part is not known or none is given."""
    parts = {name: number(given[name], constants) for name in _UNITS if name in given}
    known = {name: amount for name, amount in parts.items() if amount is not None}
    if not parts or len(known) != len(parts):
        return None
    try:
        found = timedelta(**known)
    except OverflowError:
        return None
    return found if found > timedelta(0) else None
