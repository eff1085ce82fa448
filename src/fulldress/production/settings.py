"""Configuration files of production -> one :class:`Setting` per key, with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fulldress import formats
from fulldress.errors import FulldressError
from fulldress.facts import MASK, AnyFact, Evidence, Reason, Setting, Unread, Witness, is_secret_name, mask
from fulldress.production.description import Description

_LARGEST = 16 << 20


def read(folder: Path, description: Description, base: Path) -> Iterator[AnyFact]:
    """Settings below ``folder``; paths in evidence are relative to ``base``.

    A file belongs to the component that names it in ``settings``, else to the one that its name or folder names, else to
    none. A file that a component names and that is not there is an :class:`Unread`."""
    named = {folder / file: name for name, component in description.components.items() for file in component.settings}
    for path, component in named.items():
        if not path.is_file():
            yield _gap(path, base, Reason.MISSING, f"components.{component} names it", needed=True)
    if not folder.is_dir():
        return
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name[0] not in "._"):
        yield from _file(path, named.get(path) or _owner(path.relative_to(folder), description), base)


def _owner(path: Path, description: Description) -> str:
    """The component whose name starts the file's name, or is one of its folders; the longest wins."""
    for name in sorted(description.components, key=len, reverse=True):
        stem = path.name.lower()
        if name.lower() in (part.lower() for part in path.parts[:-1]):
            return name
        if stem == name.lower() or (stem.startswith(name.lower()) and stem[len(name)] in "._-"):
            return name
    return ""


def _file(path: Path, component: str, base: Path) -> Iterator[AnyFact]:
    place = str(path.relative_to(base))
    if path.stat().st_size > _LARGEST:
        yield _gap(path, base, Reason.BUDGET, f"larger than {_LARGEST >> 20} MiB", needed=bool(component))
        return
    try:
        keys = formats.parse(path.name, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        yield _gap(path, base, Reason.FORMAT, "not UTF-8 text", needed=bool(component))
        return
    except OSError as error:
        yield _gap(path, base, Reason.MISSING, str(error.strerror), needed=bool(component))
        return
    except FulldressError as error:
        yield _gap(path, base, Reason.GRAMMAR, str(error), needed=bool(component))
        return
    for key in keys:
        value = MASK if key.value and is_secret_name(key.name) else mask(key.value)
        evidence = Evidence(source=place, path=place, line=key.line, column=key.column)
        yield Setting(
            witness=Witness.RUNNING, evidence=evidence, component=component, key=key.name, value=value, file=place
        )


def _gap(path: Path, base: Path, reason: Reason, detail: str, *, needed: bool) -> Unread:
    place = str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
    return Unread(
        witness=Witness.RUNNING, evidence=Evidence(source=place, path=place), what=f"settings {place}", reason=reason,
        detail=mask(detail), needed=needed,
    )  # fmt: skip
