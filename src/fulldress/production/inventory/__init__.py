"""Inventories -> what is installed and what runs. One module a format; installed is not running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fulldress.errors import InventoryUnreadable
from fulldress.facts import AnyFact, Evidence, Installed, Reason, Running, Unread, Witness, excerpt, mask
from fulldress.production.description import Description
from fulldress.production.inventory import collected, cyclonedx, dpkg, npm, pip, processes, table
from fulldress.production.inventory.row import Format, Row

#: Formats in the order in which they are asked whether a file is theirs. A new one is a module and a line here.
FORMATS: dict[str, Format] = {
    "fulldress inventory": Format(collected.recognise, collected.read, ""),
    "CycloneDX": Format(cyclonedx.recognise, cyclonedx.read, ""),
    "pip list": Format(pip.recognise, pip.read, "pep440"),
    "npm ls": Format(npm.recognise, npm.read, "npm"),
    "dpkg status": Format(dpkg.recognise, dpkg.read, "deb"),
    "process list": Format(processes.recognise, processes.read, ""),
    "table": Format(table.recognise, table.read, ""),
}
_LARGEST = 64 << 20


def detect(name: str, text: str) -> str:
    """The format's name, or an empty string."""
    return next((words for words, format in FORMATS.items() if format.recognise(name, text)), "")


def read(folder: Path, description: Description, base: Path) -> Iterator[AnyFact]:
    """Installed and Running facts of every file below ``folder``, Unread for what was not understood.

    A ``*.running.*`` file lists what runs. A folder below ``folder`` names the host. A component's own name is used
    where ``production.toml`` lists the package for it."""
    if not folder.is_dir():
        return
    names = {package: name for name, component in description.components.items() for package in component.packages}
    names |= {name: name for name in description.components}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name[0] not in "._"):
        place = str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
        below = path.relative_to(folder).parts[:-1]
        yield from _file(path, place, below[0] if below else "", names, description)


def _gap(place: str, line: int, reason: Reason, detail: str, *, needed: bool = True) -> Unread:
    evidence = Evidence(source=place, path=place, line=line)
    what = f"inventory {place}"
    return Unread(
        witness=Witness.RUNNING, evidence=evidence, what=what, reason=reason, detail=mask(detail), needed=needed
    )


def _file(path: Path, place: str, host: str, names: dict[str, str], description: Description) -> Iterator[AnyFact]:
    try:
        if path.stat().st_size > _LARGEST:
            yield _gap(place, 0, Reason.BUDGET, f"larger than {_LARGEST >> 20} MiB")
            return
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        yield _gap(place, 0, Reason.FORMAT, "not UTF-8 text")
        return
    except OSError as error:
        yield _gap(place, 0, Reason.MISSING, str(error.strerror))
        return
    words = detect(path.name, text)
    if not words:
        yield _gap(place, 0, Reason.FORMAT, f"none of {', '.join(FORMATS)}; it begins {excerpt(text[:60])!r}")
        return
    runs = ".running." in path.name or path.name.endswith(".running")
    count = 0
    try:
        for row in FORMATS[words].read(text):
            count += 1
            yield from _facts(row, words, place, host, names, description, runs)
    except InventoryUnreadable as error:
        yield _gap(place, error.line, Reason.GRAMMAR, f"as {words}: {error}")
        return
    if not count:
        yield _gap(place, 0, Reason.NO_DATA, f"read as {words}, it lists nothing")


def _facts(
    row: Row, words: str, place: str, host: str, names: dict[str, str], description: Description, runs: bool
) -> Iterator[AnyFact]:
    component = names.get(row.component, row.component)
    if words == "process list" and component not in description.components:
        return  # every other process of a host is no component
    known = description.components.get(component)
    scheme = (known.scheme if known else "") or row.scheme or FORMATS[words].scheme
    evidence = Evidence(source=place, path=place, line=row.line, host=row.host or host, excerpt=excerpt(row.note))
    if row.problem:
        yield _gap(place, row.line, Reason.NO_DATA, f"{row.component}: {row.problem}", needed=known is not None)
    if row.installed and row.version and not runs:
        yield Installed(
            witness=Witness.RUNNING, evidence=evidence, component=component, scheme=scheme, version=row.version,
            host=evidence.host,
        )  # fmt: skip
    running = row.running or (row.version if runs else "")
    if running:
        yield Running(
            witness=Witness.RUNNING, evidence=evidence, component=component, scheme=scheme, version=running,
            host=evidence.host,
        )  # fmt: skip


__all__ = ["FORMATS", "detect", "read"]
