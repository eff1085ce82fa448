"""``pip list --format json``."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fulldress.errors import InventoryUnreadable
from fulldress.production.inventory.row import Row, line_of


class _Package(msgspec.Struct):
    name: str
    version: str


def recognise(name: str, text: str) -> bool:
    head = text.lstrip()[:400]
    return head.startswith("[") and '"name"' in head and '"version"' in head


def read(text: str) -> Iterator[Row]:
    try:
        packages = msgspec.json.decode(text, type=list[_Package])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise InventoryUnreadable(str(error)) from None
    at = 0
    for package in packages:
        line, at = line_of(text, f'"{package.name}"', at)
        yield Row(component=package.name, version=package.version, line=line)
