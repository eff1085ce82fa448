"""What the trade knows, as records of five kinds: release, stop, edge, compat, change.

They stand in TOML files (``[[stop]]`` …) or CSV files (a column ``kind``) below ``matrices/``. Every record says where it
comes from: file and line, and the source that the file's ``[source]`` table or the record itself names.
"""

from __future__ import annotations

import csv
import difflib
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from fulldress import formats
from fulldress.catalog.conditions import Condition
from fulldress.errors import BadRecord, BadSyntax


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a record comes from. ``file`` and ``line`` are filled in when it is loaded."""

    file: str = ""
    line: int = 0
    name: str = ""
    url: str = ""
    repo: str = ""
    path: str = ""
    commit: str = ""
    licence: str = ""
    retrieved: date | None = None

    def words(self) -> str:
        """``matrices/app.toml:12, App upgrade guide, 2026-11-20``."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        parts = (place, self.name or self.url or self.repo, self.retrieved.isoformat() if self.retrieved else "")
        return ", ".join(part for part in parts if part)


class Base(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every record may carry. ``when`` is a condition over facts (see :mod:`fulldress.catalog.conditions`)."""

    source: Source = Source()
    when: str = ""
    reason: str = ""
    url: str = ""

    @property
    def condition(self) -> Condition:
        return Condition.read(self.when)


class Release(Base, tag="release", tag_field="kind", frozen=True, kw_only=True):
    component: str
    version: str = ""
    versions: tuple[str, ...] = ()
    scheme: str = ""
    edition: str = ""
    released: date | None = None
    eol: date | None = None
    channel: tuple[str, ...] = ()
    withdrawn: bool = False

    @property
    def all(self) -> tuple[str, ...]:
        return (*((self.version,) if self.version else ()), *self.versions)


class Stop(Base, tag="stop", tag_field="kind", frozen=True, kw_only=True):
    """A version that may not be skipped. With ``one_way`` there is no way back once it runs."""

    component: str
    version: str
    one_way: bool = False


class Edge(Base, tag="edge", tag_field="kind", frozen=True, kw_only=True):
    """Whether one may go from one range of versions straight to another. Ranges in any dialect.

    Where a component has edges that allow a target, only they lead to it. ``risk`` allows, and is said."""

    component: str
    from_: str = msgspec.field(name="from")
    to: str
    allow: bool = True
    risk: str = ""
    one_way: bool = False
    fixed_in: str = ""


class Compat(Base, tag="compat", tag_field="kind", frozen=True, kw_only=True):
    """Whether two ranges run together: ``left = "app >=4.0"``. With ``skew`` the right one may lag behind the left one."""

    left: str
    right: str
    level: str = "supported"  #: supported, tested, broken
    skew_min: int | None = None  #: right minus left, in numbers of ``unit``
    skew_max: int | None = None
    unit: str = "minor"  #: major, minor

    def side(self, name: str) -> tuple[str, str]:
        """Component and range of ``left`` or ``right``."""
        component, _, range_ = getattr(self, name).strip().partition(" ")
        return component, range_.strip() or "*"


class Change(Base, tag="change", tag_field="kind", frozen=True, kw_only=True):
    """What becomes of a key (or an operation, an option …) at a version."""

    component: str
    at: str
    key: str
    fate: str  #: removed, renamed, default-changed, added, required, value-invalid, deprecated, meaning-changed
    surface: str = "config"  #: config, api, cli, abi, schema
    to: str = ""
    old: str = ""
    new: str = ""
    must_be: str = ""
    otherwise: str = ""
    since: str = ""
    severity: str = ""
    note: str = ""


Record = Release | Stop | Edge | Compat | Change
KINDS: dict[str, type[Base]] = {"release": Release, "stop": Stop, "edge": Edge, "compat": Compat, "change": Change}
_LEVELS = ("supported", "tested", "broken")
_FATES = (
    "added",
    "removed",
    "renamed",
    "default-changed",
    "deprecated",
    "required",
    "value-invalid",
    "meaning-changed",
)


def load(folder: Path) -> list[Record]:
    """Records of every ``*.toml`` and ``*.csv`` below a folder, or of one file. An absent folder holds none.

    Raises :class:`~fulldress.errors.BadRecord` and :class:`~fulldress.errors.BadSyntax` with file and line."""
    if folder.is_file():
        return list(_file(folder, folder.name))
    found: list[Record] = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and not path.name.startswith("."):
            found += _file(path, f"{folder.name}/{path.relative_to(folder)}")
    return found


def _file(path: Path, name: str) -> Iterator[Record]:
    if path.suffix not in (".toml", ".csv"):
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadSyntax(file=name, line=line, problem="not UTF-8", remedy="Save it as UTF-8") from None
    yield from _toml(text, name) if path.suffix == ".toml" else _csv(text, name)


def _toml(text: str, name: str) -> Iterator[Record]:
    keys = formats.parse(name, text, "toml")  # first, for its message with the line
    data = tomllib.loads(text)
    lines = _header_lines(text)
    source = _convert(data.pop("source", {}), Source, name, lines.get(("source", 0), 1))
    for kind, rows in data.items():
        first = next((key.line for key in keys if key.name.startswith(kind)), 1)
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, n=1)
            raise BadRecord(
                file=name, line=lines.get((kind, 0), first), problem=f'unknown kind of record "{kind}"',
                remedy=f"Did you mean [[{near[0]}]]?" if near else f"Known are {', '.join(KINDS)}",
            )  # fmt: skip
        if not isinstance(rows, list):
            raise BadRecord(
                file=name, line=first, problem=f"[{kind}] is a table", remedy=f"Write [[{kind}]], with two brackets"
            )
        for number, row in enumerate(rows):
            yield _record(kind, row, name, lines.get((kind, number), first), source)


def _header_lines(text: str) -> dict[tuple[str, int], int]:
    """Lines of the table headers, by name and count."""
    lines: dict[tuple[str, int], int] = {}
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*\[\[?\s*([\w-]+)\s*\]\]?", line):
            lines[match[1], counts.get(match[1], 0)] = number
            counts[match[1]] = counts.get(match[1], 0) + 1
    return lines


def _csv(text: str, name: str) -> Iterator[Record]:
    """Columns are the fields' names; ``versions`` and ``channel`` separate their values by white space."""
    reader = csv.DictReader(text.splitlines())
    for row in reader:
        kind = (row.pop("kind", "") or "").strip()
        line = reader.line_num
        if None in row:
            raise BadRecord(
                file=name,
                line=line,
                problem="more cells than the first line has",
                remedy="Quote cells that hold a comma",
            )
        if kind not in KINDS:
            raise BadRecord(
                file=name, line=line, problem=f'unknown kind of record "{kind}"', remedy=f"Known are {', '.join(KINDS)}"
            )
        known = {field.encode_name: field.type for field in msgspec.structs.fields(KINDS[kind])}
        values: dict[str, Any] = {}
        for key, cell in row.items():
            if cell and cell.strip() and key:
                values[key] = _cell(cell.strip(), known.get(key))
        yield _record(kind, values, name, line, Source())


def _cell(cell: str, type_: Any) -> Any:
    if type_ is bool and cell.lower() in ("true", "yes", "1", "false", "no", "0"):
        return cell.lower() in ("true", "yes", "1")
    if str(type_).startswith("tuple"):
        return cell.split()
    if "int" in str(type_) and re.fullmatch(r"-?\d+", cell):
        return int(cell)
    return cell


def _record(kind: str, row: Any, file: str, line: int, source: Source) -> Record:
    if not isinstance(row, dict):
        raise BadRecord(file=file, line=line, problem=f"[[{kind}]] holds no keys", remedy="Remove it")
    if kind == "change":  # the fate is a change's kind, and its version is where it is at: both spellings are natural
        row = {{"kind": "fate", "version": "at"}.get(key, key): value for key, value in row.items()}
    own = row.pop("source", {})
    if isinstance(own, str):
        own = {"name": own}
    record: Any = _convert(row, KINDS[kind], file, line)
    merged = {**msgspec.to_builtins(source), **own, "file": file, "line": line}
    record = msgspec.structs.replace(
        record, source=_convert({k: v for k, v in merged.items() if v is not None}, Source, file, line)
    )
    _check(record, file, line)
    return record  # type: ignore[no-any-return]


def _convert(data: Any, type_: type[Any], file: str, line: int) -> Any:
    try:
        return msgspec.convert(data, type_, strict=False)
    except msgspec.ValidationError as error:
        message = str(error)
        unknown = re.search(r"contains unknown field `([^`]+)`", message)
        if unknown:
            known = [field.encode_name for field in msgspec.structs.fields(type_)]
            near = difflib.get_close_matches(unknown[1], known, n=1)
            raise BadRecord(
                file=file, line=line, problem=f'unknown key "{unknown[1]}"',
                remedy=f'Did you mean "{near[0]}"?' if near else f"Known are {', '.join(known)}",
            ) from None  # fmt: skip
        message = re.sub(r"Object missing required field `([^`]+)`", r'"\1" is missing', message)
        message = re.sub(r" - at `\$\.?([^`]*)`", r', in "\1"', message)
        raise BadRecord(
            file=file,
            line=line,
            problem=message[:1].lower() + message[1:],
            remedy="See docs/reference/catalog-records.md",
        ) from None


def _check(record: Record, file: str, line: int) -> None:
    """What the types alone cannot hold."""
    problem = ""
    if isinstance(record, Compat) and record.level not in _LEVELS:
        problem = f'unknown level "{record.level}"; known are {", ".join(_LEVELS)}'
    elif isinstance(record, Change) and record.fate not in _FATES:
        problem = f'unknown fate "{record.fate}"; known are {", ".join(_FATES)}'
    elif isinstance(record, Release) and not record.all:
        problem = "a release without version"
    else:
        problem = Condition.problem(record.when)
        for range_ in _ranges(record):
            if formats.constraint.read(range_, "matrix") is None:
                problem = problem or f'"{range_}" is no range of versions'
    if problem:
        raise BadRecord(file=file, line=line, problem=problem, remedy="See docs/reference/catalog-records.md")


def _ranges(record: Record) -> tuple[str, ...]:
    if isinstance(record, Edge):
        return record.from_, record.to
    if isinstance(record, Compat):
        return record.side("left")[1], record.side("right")[1]
    return ()
