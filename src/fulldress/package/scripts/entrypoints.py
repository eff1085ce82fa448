"""Commands that a Python package of the package brings: ``console_scripts`` of its entry points, and ``python -m NAME``.

Formats: "Entry points specification" of the Python packaging guide; ``runpy`` for ``__main__``.
"""

from __future__ import annotations

import re
from weakref import WeakKeyDictionary

from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

_TABLE = regex(r"(?ms)^\[(?:console|gui)_scripts\][ \t]*\n(.*?)(?=^\[|\Z)")
_ROW = regex(r"(?m)^[ \t]*([\w.-]+)[ \t]*=[ \t]*([\w.]+)[ \t]*(?::|$)")

_known: WeakKeyDictionary[Package, dict[str, str]] = WeakKeyDictionary()


def command(package: Package, name: str) -> Member | None:
    """The file that the command ``name`` runs first, where an entry point of the package says so."""
    table = _known.get(package)
    if table is None:
        table = {}
        for member in package.members.values():
            if member.name == "entry_points.txt" and member.kept:
                root = re.sub(r"[^/]+\.(?:dist|egg)-info/entry_points\.txt$", "", member.path)
                for block in _TABLE.findall(member.text):
                    table.update((key, f"{root}{module.replace('.', '/')}") for key, module in _ROW.findall(block))
        _known[package] = table
    return _file(package, table[name]) if name in table else None


def module(package: Package, near: Member, name: str) -> Member | None:
    """The file that ``python -m NAME`` runs, of a Python package that lies beside ``near`` or at a root of a container."""
    if not re.fullmatch(r"[\w.]+", name):
        return None
    path = name.replace(".", "/")
    folder = near.path.rpartition("/")[0]
    roots = dict.fromkeys(
        [
            f"{folder}/" if folder else "",
            near.prefix,
            *(m.prefix for m in package.members.values() if m.container == "wheel"),
        ]
    )
    for root in roots:
        found = package.members.get(f"{root}{path}/__main__.py") or _file(package, f"{root}{path}")
        if found is not None:
            return found
    return None


def _file(package: Package, path: str) -> Member | None:
    return package.members.get(f"{path}.py") or package.members.get(f"{path}/__init__.py")
