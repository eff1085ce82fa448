"""Templates of a Helm chart as the YAML they most likely become: plain values are filled in, the rest is said to be open.

Not an engine of templates: ``{{ .Values.a.b }}`` with ``default``, ``quote`` and the like is resolved from the chart's
``values.yaml``; everything else becomes the word :data:`OPEN`.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from fulldress.package.reader import Member, Package
from fulldress.package.schedules import yamlnodes
from fulldress.patterns import regex

OPEN = "helm-value"
_HOLE = regex(r"\{\{-?\s*(.{0,400}?)\s*-?\}\}", re.S)
_VALUE = regex(r"\$?\.Values((?:\.[\w-]+)+)")


class Rendered(msgspec.Struct, frozen=True):
    text: str
    #: (line, path of a value) of every ``if .Values.x``, and the line where its ``end`` stands
    conditions: tuple[tuple[int, int, str], ...]


def is_template(member: Member) -> bool:
    """Whether a file is to be rendered first."""
    return b"{{" in member.data and "/templates/" in f"/{member.path}"


def values(package: Package, member: Member) -> Any:
    """The root node of the chart's ``values.yaml``, None where there is none that can be read."""
    import yaml

    root = f"/{member.path}".rsplit("/templates/", 1)[0].lstrip("/")
    found = package.members.get(f"{root}/values.yaml" if root else "values.yaml")
    if found is None or not found.kept:
        return None
    try:
        nodes = yamlnodes.documents(found.text)
    except (yaml.YAMLError, yamlnodes.TooDeep, RecursionError):
        return None
    return nodes[0] if nodes else None


def render(text: str, given: Any) -> Rendered:
    """``text`` with its holes filled; lines keep their numbers."""
    rows: list[str] = []
    open_: list[tuple[int, str]] = []
    conditions: list[tuple[int, int, str]] = []
    text = re.sub(r"\{\{-?\s*/\*.*?(?:\*/\s*-?\}\}|\Z)", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
    for number, row in enumerate(text.splitlines(), 1):
        for hole in _HOLE.finditer(row):
            if match := re.match(r"(if|with|range|define|block)\b\s*(.*)", hole[1]):
                asked = _VALUE.fullmatch(match[2].strip()) if match[1] == "if" else None
                open_.append((number, asked[1][1:] if asked else ""))
            elif re.match(r"end\b", hole[1]) and open_:
                begun, asked_for = open_.pop()
                if asked_for:
                    conditions.append((begun, number, asked_for))
        rows.append(_row(row, given))
    return Rendered("\n".join(rows) + "\n", tuple(conditions))


def _row(row: str, given: Any) -> str:
    if "{{" not in row:
        return row
    match = re.match(r"(\s*(?:-\s+)?(?:[\w./-]+|\"[^\"]+\"):\s+|\s*-\s+)(\S.*)$", row)
    if not match or re.fullmatch(
        r"\{\{-?\s*(?:if|else|end|with|range|define|template|toYaml|block|\$\w+\s*:?=)[^{}]*\}\}", match[2]
    ):
        bare = _HOLE.sub("", row)
        return row[: len(row) - len(row.lstrip())] + (bare.strip() if match and bare.strip() else "")
    value = _HOLE.sub(lambda hole: _fill(hole[1], given), match[2]).strip()
    if "{{" in value:
        value = OPEN
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    if value.startswith("[") and value.endswith("]"):
        return match[1] + value
    return match[1] + json.dumps(value)


def _fill(expression: str, given: Any) -> str:
    pieces = [piece.strip() for piece in expression.split("|")]
    first = pieces[0]
    default = next((m[1] for p in pieces[1:] if (m := re.fullmatch(r"default\s+\"?([^\"]*)\"?", p))), None)
    if match := re.match(r"(?:quote|toString|default\s+\"?([^\"]*?)\"?)\s+(\S+)$", first):
        default, first = match[1] or default, match[2]
    found = _VALUE.fullmatch(first)
    if found:
        value = yamlnodes.text(given, *found[1][1:].split(".")) if given is not None else ""
        if value:
            return value
        return default if default is not None else OPEN
    if match := re.fullmatch(r"[\"`](.*)[\"`]", first):
        return match[1]
    return ".".join(first.strip("$.").split(".")[-2:]) if first == ".Release.Name" else OPEN


def switched_off(rendered: Rendered, line: int, given: Any) -> tuple[bool, str]:
    """Whether a line stands under an ``if`` that ``values.yaml`` makes false, and which value decides."""
    for first, last, path in rendered.conditions:
        if first <= line <= last:
            value = yamlnodes.text(given, *path.split(".")) if given is not None else ""
            node = yamlnodes.get(given, *path.split(".")) if given is not None else None
            filled = node is not None and bool(list(yamlnodes.pairs(node)) or yamlnodes.items(node))
            if not filled and value.lower() in ("false", "no", "off", "", "0", "null", "~"):
                return True, path
    return False, ""
