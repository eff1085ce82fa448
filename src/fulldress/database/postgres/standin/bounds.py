"""What a CHECK, a domain or a partition's bound asks of one column, where it asks something simple.

Ranges, lists of values, lengths and NOT NULL joined by AND are understood, so that rows can be made to fit. Whatever else a
condition says is not lost: rows that break it are left out when they are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from fulldress.package.migrations.pgtree import names_of, nodes, parse


class Bounds(msgspec.Struct, kw_only=True):
    """Literals are SQL expressions, ready for use."""

    values: list[str] | None = None
    low: tuple[str, bool] | None = None  #: literal, whether it belongs to the range
    high: tuple[str, bool] | None = None
    shortest: int = 0
    longest: int | None = None
    not_null: bool = False


_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}
_LENGTH = {"char_length", "length", "character_length", "octet_length"}


def read(conditions: Iterable[str]) -> dict[str, Bounds]:
    """Bounds by column; a domain's own under ``value``."""
    found: dict[str, Bounds] = {}
    for condition in conditions:
        tree = parse(f"SELECT {condition}")
        if tree is None or not tree.HasField("select_stmt") or not tree.select_stmt.target_list:
            continue
        for atom in _joined(tree.select_stmt.target_list[0].res_target.val):
            _atom(atom, found)
    return found


def _joined(node: Any) -> Iterator[Any]:
    """The conditions that all have to hold."""
    if node.HasField("bool_expr") and node.bool_expr.boolop == nodes().AND_EXPR:
        for one in node.bool_expr.args:
            yield from _joined(one)
    else:
        yield node


def _atom(node: Any, found: dict[str, Bounds]) -> None:
    if node.HasField("null_test") and node.null_test.nulltesttype == nodes().IS_NOT_NULL:
        column = _column(node.null_test.arg)
        if column:
            found.setdefault(column, Bounds()).not_null = True
        return
    if not node.HasField("a_expr"):
        return
    expression = node.a_expr
    operator = (names_of(expression.name) or [""])[-1]
    left, right = expression.lexpr, expression.rexpr
    if expression.kind == nodes().AEXPR_OP_ANY and operator == "=":
        column, values = _column(left), _list(right)
        if column and values:
            bounds = found.setdefault(column, Bounds())
            bounds.values = [one for one in values if bounds.values is None or one in bounds.values]
        return
    if expression.kind != nodes().AEXPR_OP or operator not in _TURNED:
        return
    if _literal(left) is not None:
        left, right, operator = right, left, _TURNED[operator]
    literal = _literal(right)
    if literal is None:
        return
    column = _column(left)
    if column:
        _compare(found.setdefault(column, Bounds()), operator, literal)
        return
    measured = _measured(left)
    if measured and literal.isdigit():
        _length(found.setdefault(measured, Bounds()), operator, int(literal))


def _compare(bounds: Bounds, operator: str, literal: str) -> None:
    if operator == "=":
        bounds.values = [literal]
    elif operator in (">", ">="):
        bounds.low = (literal, operator == ">=")
    else:
        bounds.high = (literal, operator == "<=")


def _length(bounds: Bounds, operator: str, size: int) -> None:
    if operator in (">", ">=", "="):
        bounds.shortest = max(bounds.shortest, size + (operator == ">"))
    if operator in ("<", "<=", "="):
        most = size - (operator == "<")
        bounds.longest = most if bounds.longest is None else min(bounds.longest, most)


def _bare(node: Any) -> Any:
    while node.HasField("type_cast"):
        node = node.type_cast.arg
    return node


def _column(node: Any) -> str:
    node = _bare(node)
    if node.HasField("column_ref"):
        names = names_of(node.column_ref.fields)
        return names[-1] if names else ""
    return ""


def _measured(node: Any) -> str:
    node = _bare(node)
    if (
        node.HasField("func_call")
        and names_of(node.func_call.funcname)[-1] in _LENGTH
        and len(node.func_call.args) == 1
    ):
        return _column(node.func_call.args[0])
    return ""


def _literal(node: Any) -> str | None:
    """Numbers as they are, text quoted; casts go, since the column's own type is put on again."""
    node = _bare(node)
    if node.HasField("a_expr") and names_of(node.a_expr.name) == ["-"] and not node.a_expr.HasField("lexpr"):
        inner = _literal(node.a_expr.rexpr)
        return None if inner is None or inner.startswith("'") else f"-{inner}"
    if not node.HasField("a_const"):
        return None
    constant = node.a_const
    if constant.isnull:
        return None
    if constant.HasField("sval"):
        return "'" + str(constant.sval.sval).replace("'", "''") + "'"
    if constant.HasField("fval"):
        return str(constant.fval.fval)
    if constant.HasField("boolval"):
        return "true" if constant.boolval.boolval else "false"
    return str(constant.ival.ival) if constant.HasField("ival") else None


def _list(node: Any) -> list[str]:
    node = _bare(node)
    if node.HasField("a_const") and node.a_const.HasField("sval"):  # '{a,b}'::text[]
        inside = node.a_const.sval.sval.strip("{}")
        return (
            ["'" + one.strip('"').replace("'", "''") + "'" for one in inside.split(",")] if "\\" not in inside else []
        )
    if not node.HasField("a_array_expr"):
        return []
    values = [_literal(one) for one in node.a_array_expr.elements]
    return [] if any(one is None for one in values) else [one for one in values if one is not None]
