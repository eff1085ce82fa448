"""Django's fields: the column type of a field, and what its call says in so many words."""

from __future__ import annotations

import ast

from fulldress.package.migrations.programs.pysource import called

_FIELDS = {
    "charfield": "varchar", "emailfield": "varchar", "slugfield": "varchar", "urlfield": "varchar", "filefield": "varchar",
    "imagefield": "varchar", "filepathfield": "varchar", "textfield": "text", "integerfield": "integer",
    "positiveintegerfield": "integer", "smallintegerfield": "smallint", "positivesmallintegerfield": "smallint",
    "bigintegerfield": "bigint", "positivebigintegerfield": "bigint", "autofield": "serial", "bigautofield": "bigserial",
    "smallautofield": "smallserial", "booleanfield": "boolean", "nullbooleanfield": "boolean", "datefield": "date",
    "datetimefield": "timestamptz", "timefield": "time", "durationfield": "interval", "floatfield": "double precision",
    "decimalfield": "numeric", "jsonfield": "jsonb", "uuidfield": "uuid", "binaryfield": "bytea",
    "genericipaddressfield": "inet", "foreignkey": "bigint", "onetoonefield": "bigint",
}  # fmt: skip
_LENGTHS = {
    "charfield": 0,
    "emailfield": 254,
    "slugfield": 50,
    "urlfield": 200,
    "filefield": 100,
    "imagefield": 100,
    "filepathfield": 100,
}


def type_of(node: ast.expr | None) -> str:
    """The column type of a field; ``kind_…`` for a field that is not Django's own."""
    kind = called(node) if node is not None else ""
    known = _FIELDS.get(kind)
    if known is None:
        return f"kind_{kind or 'unknown'}"
    if known == "varchar":
        length = _number(node, "max_length") or _LENGTHS.get(kind, 0)
        return f"varchar({length})" if length else "varchar"
    if known == "numeric":
        digits, places = _number(node, "max_digits"), _number(node, "decimal_places")
        return f"numeric({digits},{places})" if digits else "numeric"
    return known


def argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    """An argument of a call, by its name or its place."""
    found = next((k.value for k in call.keywords if k.arg == name), None)
    return found if found is not None else call.args[place] if len(call.args) > place else None


def has(node: ast.expr | None, name: str) -> bool:
    """Whether the field's call has a keyword ``name``."""
    return isinstance(node, ast.Call) and any(k.arg == name for k in node.keywords)


def true(node: ast.expr | None, name: str) -> bool:
    """Whether it says ``name=True`` in so many words."""
    return isinstance(node, ast.Call) and any(
        k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is True for k in node.keywords
    )


def false(node: ast.expr | None, name: str) -> bool:
    """Whether it says ``name=False`` in so many words."""
    return isinstance(node, ast.Call) and any(
        k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is False for k in node.keywords
    )


def _number(node: ast.expr | None, name: str) -> int:
    for keyword in node.keywords if isinstance(node, ast.Call) else []:
        if keyword.arg == name and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, int):
            return keyword.value.value
    return 0
