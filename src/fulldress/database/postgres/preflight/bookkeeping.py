"""The records of a migration tool against the schema that is really there, and against the files that are to run."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from fulldress.database.postgres.clone import quote
from fulldress.database.postgres.preflight import migrators, objects
from fulldress.database.postgres.preflight.objects import Known, Object
from fulldress.database.postgres.preflight.reading import Reader
from fulldress.errors import DatabaseError
from fulldress.facts import AnyFact, Evidence, HalfDone, Reason, Unread, Witness
from fulldress.patterns import regex

_NUMBER = regex(r"\d[\d_.\-]*")
_FLYWAY = regex(r"(?i)^[VB]([\d._]+)__")
_TABLES = """SELECT n.nspname::text AS schema, c.relname::text AS name,
       (SELECT json_agg(a.attname::text) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
       AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relname IN ({names}) ORDER BY 1, 2"""


class Records(NamedTuple):
    """One tool's table. ``rows``: version, failed, dirty, recorded, checksum."""

    tool: migrators.Tool
    schema: str
    rows: tuple[dict[str, Any], ...]

    @property
    def table(self) -> str:
        return self.tool.table if self.schema == "public" else f"{self.schema}.{self.tool.table}"


def read(ask: Reader, scripts: Sequence[tuple[str, str]]) -> list[AnyFact]:
    """``scripts``: path and text of the migrations at hand, in order; those that are recorded already may be among them."""
    found: list[AnyFact] = []
    tables, gaps = records(ask)
    found += gaps
    known = objects.there(ask)
    for one in tables:
        found += _state(one)
        found += _locked(ask, one)
        if scripts:
            found += _against(one, scripts, known)
    if scripts and not tables:
        found += _left(scripts, known, set(), None)
    return found


def records(ask: Reader) -> tuple[list[Records], list[Unread]]:
    found: list[Records] = []
    gaps: list[Unread] = []
    names = ", ".join(f"'{name}'" for name in sorted({tool.table for tool in migrators.TOOLS}))
    for row in ask(_TABLES.format(names=names)):
        tool = migrators.of(row["name"], set(row["columns"] or ()))
        if tool is None:
            continue
        select = (
            f"SELECT {tool.version} AS version, {tool.failed} AS failed, {tool.dirty} AS dirty,"
            f" {tool.recorded} AS recorded, {tool.checksum} AS checksum FROM {quote(row['schema'])}.{quote(tool.table)}"
        )
        try:
            found.append(Records(tool, row["schema"], tuple(ask(select))))
        except DatabaseError as error:
            evidence = Evidence(table=f"{row['schema']}.{tool.table}")
            gaps.append(_gap(f"the records of {tool.name}", str(error), evidence))
    return found, gaps


def _state(one: Records) -> Iterator[HalfDone]:
    for row in one.rows:
        version = str(row["version"])
        if row["dirty"]:
            words = "it began and was not seen to end; the tool refuses to go on"
            yield _fact(one, "dirty", f"version {version}", words, version, repair=True)
        elif row["failed"]:
            yield _fact(one, "failed", f"version {version}", "recorded as failed", version, repair=True)


def _locked(ask: Reader, one: Records) -> Iterator[AnyFact]:
    if not one.tool.locked:
        return
    try:
        for row in ask(one.tool.locked.format(schema=quote(one.schema))):
            words = f"held by {row['who']}: every later run waits for it, or gives up"
            yield _fact(one, "locked", f"lock of {one.tool.name}", words, "", repair=True)
    except DatabaseError:
        return  # no such table: this release of the tool keeps its lock elsewhere


def _against(one: Records, scripts: Sequence[tuple[str, str]], known: Known) -> Iterator[AnyFact]:
    rows = [row for row in one.rows if row["recorded"] and not row["failed"]]
    versions = {_plain(str(row["version"])) for row in rows}
    ups = [(path, text) for path, text in scripts if not _is_down(path)]
    files = {path: _candidates(path) for path, _ in ups}
    done, matched = _done(one, versions, files)
    if done:
        for version in sorted(versions - matched):
            words = "recorded in the database, and no file at hand has it: the database may be ahead of this release"
            yield _fact(one, "unknown version", f"version {version}", words, version)
    expected: set[Object] = set()
    where: dict[Object, str] = {}
    for path, text in ups:
        if path in done:
            for change in objects.changes(path, text):
                expected = objects.after(expected, change)
                where[change.object] = f"{path}:{change.line}"
    if done and versions - matched:
        yield _gap(
            f"whether all that {one.tool.name} recorded is there",
            "versions without a file may have taken it away again",
            Evidence(table=one.table),
        )
    else:
        for thing in sorted(expected):
            if not known.has(thing) and not (thing.of and not known.has(Object("table", thing.of))):
                words = f"{one.tool.name} recorded the migration that makes it ({where.get(thing, '')}), and it is not there"
                yield _fact(one, "missing", str(thing), words, "")
    yield from _checksums(one, rows, ups)
    yield from _older(one, files, done)
    yield from _left([(path, text) for path, text in ups if path not in done], known, expected, one)


def _done(one: Records, versions: set[str], files: dict[str, set[str]]) -> tuple[set[str], set[str]]:
    """Files that are recorded, and recorded versions that have a file."""
    if one.tool.last_only:
        last = max((int(version) for version in versions if version.isdigit()), default=-1)
        done = {path for path in files if (number := _number(path)) is not None and number <= last}
        return done, {str(last)} if any(_number(path) == last for path in files) else set()
    done = {path for path, names in files.items() if names & versions}
    return done, {version for version in versions if any(version in names for names in files.values())}


def pending(ask: Reader, scripts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without what a tool's records hold already, and without ways back that lie among the ways there."""
    done: set[str] = set()
    ups = [(path, text) for path, text in scripts if not _is_down(path)] or list(scripts)
    for one in records(ask)[0]:
        rows = [row for row in one.rows if row["recorded"] and not row["failed"]]
        done |= _done(one, {_plain(str(row["version"])) for row in rows}, {path: _candidates(path) for path, _ in ups})[
            0
        ]
    return [(path, text) for path, text in ups if path not in done]


def _checksums(one: Records, rows: list[dict[str, Any]], ups: list[tuple[str, str]]) -> Iterator[AnyFact]:
    with_sum = [row for row in rows if row["checksum"] not in (None, "")]
    if not one.tool.algorithm:
        return
    for row in with_sum:
        version = _plain(str(row["version"]))
        for path, text in ups:
            if "\ufffd" in text:  # not UTF-8: these are not the file's own bytes
                continue
            if version in _candidates(path) and (is_ := _digest(one.tool.algorithm, text)) != str(row["checksum"]):
                words = f"recorded with {_short(str(row['checksum']))}, the file now has {_short(is_)}: it was changed after it ran"
                yield _fact(one, "checksum", path, words, version)


def _older(one: Records, files: dict[str, set[str]], done: set[str]) -> Iterator[HalfDone]:
    newest = max((number for path in done if (number := _number(path)) is not None), default=None)
    if newest is None or one.tool.last_only:
        return
    for path in files:
        number = _number(path)
        if path not in done and number is not None and number < newest:
            words = f"older than the newest one that ran ({newest}), and not recorded: tools skip it, or refuse to run"
            yield _fact(one, "gap", path, words, str(number))


def _left(
    pending: list[tuple[str, str]] | Sequence[tuple[str, str]], known: Known, expected: set[Object], one: Records | None
) -> Iterator[HalfDone]:
    """Objects that a migration still to run makes, and that are there: of an earlier, half upgrade, or made by hand."""
    gone: set[Object] = set()
    for path, text in pending:
        if _is_down(path):
            continue
        for change in objects.changes(path, text):
            thing = change.object
            if not change.made:
                gone.add(thing)
                continue
            if not known.has(thing) or thing in expected or thing in gone:
                continue
            gone.add(thing)  # said once
            lacking = sorted(set(change.columns) - known.columns(thing.name)) if thing.kind == "table" else []
            words = f"{path}:{change.line} makes it, and it is there already, though no such migration is recorded"
            if lacking:
                words += f"; it lacks {', '.join(lacking[:4])}"
            words += "; IF NOT EXISTS hides it" if change.silent else "; the statement will fail"
            tool = one.tool.name if one else ""
            yield HalfDone(
                witness=Witness.OBSERVED,
                evidence=Evidence(path=path, line=change.line, step="preflight"),
                kind="unrecorded",
                object=str(thing),
                tool=tool,
                table=one.table if one else "",
                detail=words,
            )


def _digest(algorithm: str, text: str) -> str:
    if algorithm == "flyway":
        # Flyway's ChecksumCalculator: CRC-32 over the lines without their ends, a BOM before the first left out
        crc = 0
        for line in text.removeprefix("\ufeff").splitlines():
            crc = zlib.crc32(line.encode(), crc)
        return str(crc - (1 << 32) if crc >= 1 << 31 else crc)
    return hashlib.new(algorithm, text.encode()).hexdigest()


def _is_down(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    return name in ("down.sql", "rollback.sql") or ".down." in name or (name.startswith("u") and "__" in name)


def _candidates(path: str) -> set[str]:
    """Every form in which a tool may have recorded a file: its number, its name with and without endings, its folder."""
    place = PurePosixPath(path)
    name, folder = place.name, place.parent.name
    stem = name.split(".")[0]
    found = {name, stem, place.stem, path, folder}
    for word in (stem, folder):
        number = _NUMBER.match(word)
        if number:
            plain = number[0].rstrip("_.-")
            found |= {plain, plain.replace("-", ""), plain.replace("-", "").lstrip("0") or "0"}
    version = _FLYWAY.match(name)
    if version:
        found.add(version[1].replace("_", "."))
    return {_plain(one) for one in found if one}


def _plain(version: str) -> str:
    return version.lstrip("0") or "0" if version.isdigit() else version


def _number(path: str) -> int | None:
    place = PurePosixPath(path)
    for word in (place.name, place.parent.name):
        found = _NUMBER.match(word)
        if found and (digits := found[0].replace("-", "").replace("_", "").split(".")[0]):
            return int(digits)
    return None


def _short(digest: str) -> str:
    return digest if len(digest) <= 14 else f"{digest[:12]}…"


def _fact(one: Records, kind: str, object_: str, detail: str, version: str, *, repair: bool = False) -> HalfDone:
    return HalfDone(
        witness=Witness.OBSERVED,
        evidence=Evidence(table=one.table, step="preflight", excerpt=version),
        kind=kind,
        object=object_,
        tool=one.tool.name,
        table=one.table,
        version=version,
        detail=detail,
        remedy=one.tool.repair if repair else "",
    )


def _gap(what: str, detail: str, evidence: Evidence) -> Unread:
    return Unread(witness=Witness.OBSERVED, evidence=evidence, what=what, reason=Reason.NOT_MEASURED, detail=detail)
