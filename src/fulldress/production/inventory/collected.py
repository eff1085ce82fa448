"""What ``fulldress inventory collect --json`` wrote on a host."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fulldress.errors import InventoryUnreadable
from fulldress.production.inventory.row import Row, line_of

KIND = "fulldress inventory 1"


class Item(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A package, and whether a program of it runs. ``replaced``: its running file was replaced or deleted since."""

    component: str
    version: str
    scheme: str = "deb"
    running: bool = False
    replaced: bool = False
    programs: tuple[str, ...] = ()


class Stray(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A running program that belongs to no package."""

    program: str
    processes: int = 1
    replaced: bool = False


class Inventory(msgspec.Struct, kw_only=True):
    kind: str
    host: str
    taken: str
    items: tuple[Item, ...] = ()
    strays: tuple[Stray, ...] = ()
    unread: tuple[str, ...] = ()


def recognise(name: str, text: str) -> bool:
    return f'"{KIND}"' in text[:400]


def read(text: str) -> Iterator[Row]:
    """A program that was replaced since it started runs a version that nothing tells."""
    try:
        inventory = msgspec.json.decode(text, type=Inventory)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise InventoryUnreadable(str(error)) from None
    at = 0
    for item in inventory.items:
        line, at = line_of(text, f'"{item.component}"', at)
        runs = item.running and not item.replaced
        problem = (
            "it runs from a file that was replaced since; restart it, or find its version" if item.replaced else ""
        )
        yield Row(
            component=item.component, version=item.version, running=item.version if runs else "", scheme=item.scheme,
            host=inventory.host, line=line, note=" ".join(item.programs), problem=problem,
        )  # fmt: skip
