"""``npm ls --json`` (any depth)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fulldress.errors import InventoryUnreadable
from fulldress.production.inventory.row import Row, line_of

_DEEPEST = 200


class _Node(msgspec.Struct):
    version: str = ""
    name: str = ""
    missing: bool = False
    dependencies: dict[str, _Node] = {}


def recognise(name: str, text: str) -> bool:
    head = text.lstrip()[:65536]
    return head.startswith("{") and '"dependencies"' in head and '"bomFormat"' not in head


def read(text: str) -> Iterator[Row]:
    """The project itself and every dependency, each name and version once."""
    try:
        root = msgspec.json.decode(text, type=_Node)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise InventoryUnreadable(str(error)) from None
    if root.name and root.version:
        yield Row(component=root.name, version=root.version, line=line_of(text, '"version"')[0])
    seen: set[tuple[str, str]] = set()
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > _DEEPEST:
            raise InventoryUnreadable(f"dependencies nested deeper than {_DEEPEST}")
        for name, child in node.dependencies.items():
            if child.version and not child.missing and (name, child.version) not in seen:
                seen.add((name, child.version))
                yield Row(component=name, version=child.version, line=line_of(text, f'"{name}"')[0])
            waiting.append((child, depth + 1))
