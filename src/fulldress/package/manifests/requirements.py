"""Requirements in the shapes that manifests give them: mappings, lists of strings, lists of objects, nested groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fulldress.package.manifests.document import Leaf, Tree, first_line, word
from fulldress.patterns import regex

#: Keys that hold requirements.
HOLDERS = frozenset(
    [
        "requires",
        "require",
        "required",
        "requirements",
        "dependencies",
        "dependency",
        "depends",
        "dependson",
        "prerequisites",
        "prerequisite",
        "prereqs",
        "needs",
        "runtimedependencies",
        "peerdependencies",
        "systemrequirements",
        "minimumversions",
        "minversions",
        "supportedversions",
        "compatibility",
        "compatiblewith",
        "platforms",
    ]
)
_OPTIONAL = frozenset(["optionaldependencies", "recommends", "suggests", "optional", "recommended", "extras"])
_NAME = ("name", "component", "product", "package", "id", "software", "artifact", "artifactid", "service", "module")
_RANGE = (
    "version",
    "versions",
    "constraint",
    "range",
    "versionrange",
    "requirement",
    "spec",
    "versionconstraint",
    "tag",
)
_LOW = ("min", "minversion", "minimum", "minimumversion", "atleast", "from", "gte", "since")
_HIGH = ("max", "maxversion", "maximum", "maximumversion", "upto", "to", "lte", "until")
_BELOW = ("lt", "below", "before")
_TEXT = regex(
    r"""^\s*(?P<name>@?[A-Za-z][\w.+\-]*(?:/[\w.\-]+)?(?:\s+(?!or\b|and\b|at\b|version\b|from\b|to\b|min\b|v\d)[A-Za-z][\w.+\-]*){0,3}?)
        (?:\[[\w,\s\-]*\])?
        (?:\s*\(\s*(?P<paren>[^)]*)\s*\)|\s*[:@=]\s*(?P<colon>[\d^~<>=*v].*|latest|\*|stable)|\s*(?P<op>[<>=!~^≥≤].*)|\s+(?P<rest>v?\d.*|latest|any|\*|at\ least.*|version\ .*|min.*|x))?\s*$""",
    re.X,
)


class Wanted(msgspec.Struct, frozen=True):
    component: str
    constraint: str
    line: int
    column: int
    optional: bool = False


def find(node: Tree, *, optional: bool = False, depth: int = 0) -> Iterator[Wanted]:
    """Everything that a holder's value asks for."""
    if depth > 6:
        return
    if isinstance(node, Leaf):
        if wanted := _text(node, optional):
            yield wanted
    elif isinstance(node, list):
        for item in node:
            if isinstance(item, dict) and (wanted := _object(item, "", optional)):
                yield wanted
            else:
                yield from find(item, optional=optional, depth=depth + 1)
    else:
        if wanted := _object(node, "", optional):
            yield wanted
            return
        for name, value in node.items():
            yield from _entry(name, value, optional or word(name) in _OPTIONAL, depth)


def _entry(name: str, value: Tree, optional: bool, depth: int) -> Iterator[Wanted]:
    group = word(name) in HOLDERS | _OPTIONAL or word(name) in ("runtime", "services", "software", "packages", "system", "components", "external", "database", "databases", "middleware", "libraries", "tools")  # fmt: skip
    if isinstance(value, Leaf):
        if not (group and not re.match(r"[\d<>=^~*v]", value.value)):
            yield Wanted(name, value.value, value.line, value.column, optional)
    elif isinstance(value, dict) and not group and (wanted := _object(value, name, optional)):
        yield wanted
    elif isinstance(value, list) and not group and all(isinstance(v, Leaf) for v in value):
        leaves = [v for v in value if isinstance(v, Leaf)]
        if all(re.match(r"\s*[\d<>=^~*v]", leaf.value) for leaf in leaves):
            joined = " || ".join(leaf.value for leaf in leaves)
            yield Wanted(name, joined, leaves[0].line, leaves[0].column, optional)
        else:
            yield from find(value, optional=optional, depth=depth + 1)
    else:
        yield from find(value, optional=optional, depth=depth + 1)


def _object(node: dict[str, Tree], name: str, optional: bool) -> Wanted | None:
    """``{name, version}``, ``{name, min, max}`` …; ``name`` is given where the object's key is the component."""
    leaves = {word(key): value for key, value in node.items() if isinstance(value, Leaf)}
    lists = {word(key): value for key, value in node.items() if isinstance(value, list)}
    named = next((leaves[k] for k in _NAME if k in leaves), None)
    component = name or (named.value if named else "")
    parts = [next((leaves[k].value for k in _RANGE if k in leaves), "")]
    if not parts[0]:
        several = next((lists[k] for k in _RANGE if k in lists), [])
        parts = [" || ".join(v.value for v in several if isinstance(v, Leaf))]
    for words, operator in ((_LOW, ">="), (_HIGH, "<="), (_BELOW, "<")):
        bound = next((leaves[k].value for k in words if k in leaves), "")
        if bound:
            parts.append(bound if re.match(r"[<>=]", bound) else f"{operator}{bound}")
    constraint = ", ".join(part for part in parts if part)
    known = bool(constraint) or named is not None
    if not component or not known:
        return None
    may = leaves.get("optional") or leaves.get("required")
    if may is not None:
        truth = may.value.lower() in ("true", "yes", "1")
        optional = truth if "optional" in leaves else not truth
    line = named.line if named else first_line(node)
    return Wanted(component, constraint, line, named.column if named else 0, optional)


def _text(leaf: Leaf, optional: bool) -> Wanted | None:
    """``postgresql >= 13``, ``nginx (>= 1.18)``, ``pkg@^1.2``, ``redis:7``, ``openssl``."""
    match = _TEXT.match(leaf.value) if len(leaf.value) <= 200 else None
    if match is None:
        return None
    constraint = match["paren"] or match["colon"] or match["op"] or match["rest"] or ""
    return Wanted(match["name"].strip(), constraint.strip(), leaf.line, leaf.column, optional)
