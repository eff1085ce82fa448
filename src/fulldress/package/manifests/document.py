"""A JSON, YAML or TOML text as a tree whose leaves know their line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from fulldress import formats


class Leaf(msgspec.Struct, frozen=True):
    """A value as it is written, without quotes."""

    value: str
    line: int
    column: int


Tree = dict[str, Any] | list[Any] | Leaf


def load(name: str, text: str, format: str) -> Tree:
    """Raises :class:`~fulldress.errors.BadSyntax`. Several YAML documents give a list of them."""
    keys = {key.name: key for key in formats.parse(name, text, format)}
    if format == "json":
        try:
            data: Any = json.loads(text.removeprefix("\ufeff"))
        except ValueError:  # with comments or trailing commas: libyaml reads most of these
            data = _yaml(re.sub(r"(?m)^\s*//.*$", "", text))
    elif format == "toml":
        import tomllib

        data = tomllib.loads(text)
    else:
        data = _yaml(text)
    return _tree(data, "", keys)


def _yaml(text: str) -> Any:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        documents = [document for document in yaml.load_all(text, Loader=loader) if document is not None]
    except yaml.YAMLError:
        return {}
    return documents[0] if len(documents) == 1 else documents


def _tree(data: Any, name: str, keys: dict[str, formats.Key]) -> Tree:
    if isinstance(data, dict) and data:
        return {str(k): _tree(v, f"{name}.{k}" if name else str(k), keys) for k, v in data.items()}
    if isinstance(data, list) and data:
        return [_tree(v, f"{name}[{i}]", keys) for i, v in enumerate(data)]
    key = keys.get(name)
    if key is None:
        return Leaf(str(data) if data not in ({}, []) else "", 0, 0)
    return Leaf(key.value, key.line, key.column)


def walk(tree: Tree, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Tree]]:
    """Every node with the keys that lead to it (elements of lists as their number), outermost first."""
    open_: list[tuple[tuple[str, ...], Tree]] = [(path, tree)]
    while open_:
        at, node = open_.pop(0)
        yield at, node
        if isinstance(node, dict):
            open_ += [((*at, key), value) for key, value in node.items()]
        elif isinstance(node, list):
            open_ += [((*at, str(index)), value) for index, value in enumerate(node)]


@lru_cache(maxsize=4096)
def word(key: str) -> str:
    """A key as vocabulary: ``releaseDate``, ``release-date`` and ``RELEASE_DATE`` are one."""
    return re.sub(r"[^a-z0-9]+", "", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower())


def first_line(tree: Tree) -> int:
    """The line of the first leaf."""
    return min((node.line for _, node in walk(tree) if isinstance(node, Leaf) and node.line), default=0)
