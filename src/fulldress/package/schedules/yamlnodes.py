"""YAML whose nodes know their lines, read without building objects, and safe to read from a stranger.

Aliases share one node, so a document of aliases of aliases costs what it is long; what nests too deep is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

#: Beyond this a text is no configuration; libyaml builds nodes by recursion in C.
MAX_DEPTH = 200
MAX_SIZE = 2 << 20


class TooDeep(ValueError):
    """The text nests deeper, or is longer, than anything that a person configures."""


def documents(text: str) -> list[Any]:
    """The root nodes of a YAML text. Raises :class:`TooDeep`, and ``yaml.YAMLError`` for what is no YAML."""
    import yaml

    if len(text) > MAX_SIZE or _depth(text) > MAX_DEPTH:
        raise TooDeep("it nests too deep or is too long for a configuration")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [node for node in yaml.compose_all(text, Loader=loader) if node is not None]


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in re.finditer(r"[\[{\]}]", text):
        depth += 1 if match[0] in "[{" else -1
        deepest, depth = max(deepest, depth), max(depth, 0)
    blocks = max((len(m[0]) // 2 for m in re.finditer(r"(?m)^ *(?:[-?:] +)+", text)), default=0)
    return max(deepest, blocks)


def pairs(node: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values of a mapping; nothing for another node."""
    if type(node).__name__ == "MappingNode":
        for key, value in node.value:
            yield (str(key.value) if type(key).__name__ == "ScalarNode" else ""), value


def items(node: Any) -> list[Any]:
    """Elements of a sequence; nothing for another node."""
    return list(node.value) if type(node).__name__ == "SequenceNode" else []


def get(node: Any, *path: str) -> Any:
    """The node at the end of a path of keys, or None."""
    for key in path:
        node = next((value for name, value in pairs(node) if name == key), None)
    return node


def text(node: Any, *path: str) -> str:
    """The scalar at the end of a path, empty where there is none."""
    node = get(node, *path)
    return str(node.value) if type(node).__name__ == "ScalarNode" else ""


def words(node: Any) -> list[str]:
    """A scalar, or the scalars of a sequence."""
    if type(node).__name__ == "ScalarNode":
        return [str(node.value)]
    return [str(item.value) for item in items(node) if type(item).__name__ == "ScalarNode"]


def line(node: Any) -> int:
    """Where a node begins, from 1; 0 for None."""
    return node.start_mark.line + 1 if node is not None else 0


def walk(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every node once, with the keys that lead to it."""
    seen: set[int] = set()
    open_: list[tuple[tuple[str, ...], Any]] = [(path, node)]
    while open_:
        at, here = open_.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        yield at, here
        open_ += [((*at, name), value) for name, value in reversed(list(pairs(here)))]
        open_ += [((*at, str(index)), value) for index, value in reversed(list(enumerate(items(here))))]
