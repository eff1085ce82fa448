"""A plain table with a header: ``component,version[,running][,host][,scheme]``; commas, tabs, semicolons or blanks."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from fulldress.errors import InventoryUnreadable
from fulldress.production.inventory.row import Row

#: header -> our column
_COLUMNS = {
    "component": "component", "name": "component", "package": "component", "product": "component",
    "version": "version", "installed": "version", "running": "running", "running version": "running",
    "running_version": "running", "host": "host", "hostname": "host", "scheme": "scheme",
}  # fmt: skip
_YES, _NO = frozenset(("yes", "true", "y", "1", "running")), frozenset(("no", "false", "n", "0", "-", "", "stopped"))


def _header(text: str) -> tuple[int, str, list[str]] | None:
    """(line, separator, our columns) of the first line that is neither blank nor a comment."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            separator = next((mark for mark in "\t,;|" if mark in line), "")
            cells = _split(line, separator)
            columns = [_COLUMNS.get(cell.strip().lower(), "") for cell in cells]
            return (number, separator, columns) if {"component", "version"} <= set(columns) else None
    return None


def _split(line: str, separator: str) -> list[str]:
    if not separator:
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]


def recognise(name: str, text: str) -> bool:
    return _header(text[:65536]) is not None


def read(text: str) -> Iterator[Row]:
    """``running`` holds the version that runs, or yes / no. Raises for a row that has fewer cells than it needs."""
    header = _header(text)
    if header is None:
        raise InventoryUnreadable("no header with component and version")
    begins, separator, columns = header
    for number, line in enumerate(text.split("\n"), start=1):
        if number <= begins or not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = dict(zip((c or f"?{n}" for n, c in enumerate(columns)), _split(line, separator), strict=False))
        component, version, runs = cells.get("component", ""), cells.get("version", ""), cells.get("running", "")
        if not component or "version" not in cells:
            raise InventoryUnreadable("a row without component or version", line=number)
        running = version if runs.lower() in _YES else "" if runs.lower() in _NO else runs
        absent = version in ("", "-")
        yield Row(
            component=component, version="" if absent else version, installed=not absent, running=running,
            host=cells.get("host", ""), scheme=cells.get("scheme", ""), line=number,
            problem="neither installed nor running version is given" if absent and not running else "",
        )  # fmt: skip
