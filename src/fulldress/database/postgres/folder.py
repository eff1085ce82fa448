"""A folder of migrations, of whatever tool, as steps that go there and back.

Which file is which direction, their order and their pairs are told by :mod:`fulldress.package.migrations`, the same as for
a package: golang-migrate and sqlx (``.up.sql``, ``.down.sql``), diesel (a folder each), goose, dbmate, sql-migrate and
rambler (both in one file, under headings), Liquibase's formatted SQL, Flyway (``V``, ``U``), and plain numbered files with
a ``rollback`` beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fulldress.database.postgres.steps import Script, Step
from fulldress.errors import UsageError
from fulldress.package.migrations import naming, sqlfiles
from fulldress.package.migrations import script as scripts
from fulldress.package.reader import Member
from fulldress.patterns import regex

_SQL = (".sql", ".pgsql", ".psql", ".ddl")
_GREATEST = 64 << 20  #: bytes of a file
_PROGRAM = regex(
    r"(?:\.(?:up|down)\.\w+|^[VUR]\d?.*__.*\.(?:java|class|py)|^\d{3,}\w*\.(?:go|py|rb|js|ts|php|java|kt))$"
)
_OTHER_SERVERS = regex(r"(?:^|[./_-])(?:mysql|mariadb|sqlite3?|mssql|oracle)(?:[./_-]|$)", re.I)
_BEGINS = regex(r"(?:BEGIN|START TRANSACTION)\b")
_NOT_WRAPPED = regex(r"(?i)run_in_transaction\s*=\s*false")
#: How each form is run by the tools that know it: as one transaction, or as one query, which is one, too.
_WRAPS = {"suffix", "folder", "flyway"}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """``unread``: files that belong to the folder's migrations and are none that SQL alone can run."""

    steps: tuple[Step, ...]
    unread: tuple[str, ...] = ()


def read(top: Path) -> Reading:
    """The steps of ``top`` in the order in which they run. Raises :class:`UsageError` where there are none."""
    members: dict[str, Member] = {}
    unread: list[str] = []
    for path in sorted(top.rglob("*")):
        inner = path.relative_to(top).as_posix()
        if not path.is_file() or "/." in f"/{inner}":
            continue
        if path.suffix.lower() not in _SQL:
            if _PROGRAM.search(path.name):
                unread.append(inner)
            continue
        if _OTHER_SERVERS.search(inner) or (naming.is_baseline(inner) and not re.match(r"\d", path.name)):
            continue
        data = path.read_bytes() if path.stat().st_size <= _GREATEST else None
        if data is None:
            unread.append(f"{inner} (more than {_GREATEST >> 20} MiB)")
            continue
        members[inner] = Member(source=str(top), path=inner, kind="sql", size=len(data), sha256="", data=data)
    steps = tuple(_steps(top, members))
    if not steps:
        raise UsageError(f"{top}: there is no migration in SQL in this folder")
    return Reading(steps=steps, unread=tuple(unread))


def _steps(top: Path, members: dict[str, Member]) -> Iterator[Step]:
    named = naming.pairs(members)
    others = naming.counterparts(named)
    if any(one.strict and one.direction == "down" for one in named.values()):
        # beside pairs, a file that has neither a direction nor a number is something else's
        members = {path: member for path, member in members.items() if named[path].style not in ("plain", "words")}
    tools = _tools(top)
    siblings = {path: member.text for path, member in members.items()}
    every: dict[tuple[str, str], Script] = {}
    order: list[tuple[str, str]] = []
    for path in sorted(members, key=lambda path: (naming.runs_each_time(members[path].name), _order(named[path]))):
        for one in sqlfiles.read(members[path], named[path], others.get(path, ""), tools):
            wrapped = _wrapped(top / path, one, named[path])
            made = Script(name=one.name, path=path, text=_text(one, members[path]), wrapped=wrapped, siblings=siblings)
            every[path, one.direction] = made
            if one.direction == "up":
                order.append((path, one.other))
    for path, other in order:
        yield Step(name=every[path, "up"].name, up=every[path, "up"], down=every.get((other or path, "down")))


def _order(one: naming.Named) -> tuple[str, tuple[tuple[int, int, str], ...]]:
    """diesel's versions are a folder's name up to its first underscore, dashes left out, and compared as text: so is
    ``20170305095748`` before ``2017-08-31-230457`` (diesel_migrations, ``version_from_string``)."""
    if one.style != "folder":
        return "", naming.order(one.path)
    above, _, name = one.path.rpartition("/")[0].rpartition("/")
    return above + "/" + name.partition("_")[0].replace("-", ""), naming.order(one.path)


def _tools(top: Path) -> dict[str, str]:
    """diesel.toml stands beside or above the folder."""
    near = (top, *list(top.resolve().parents)[:2])
    return {"": "diesel"} if any((folder / "diesel.toml").is_file() for folder in near) else {}


def _wrapped(path: Path, one: scripts.Script, named: naming.Named) -> bool:
    if any(_BEGINS.match(statement.bare) for statement in one.statements):
        return False
    settings = path.parent / "metadata.toml"  # diesel's, per migration
    if settings.is_file() and _NOT_WRAPPED.search(settings.read_text(errors="replace")):
        return False
    return one.wrapped if one.wrapped is not None else named.style in _WRAPS


def _text(one: scripts.Script, member: Member) -> str:
    """The direction's own text, its lines where they stand in the file."""
    text = member.text
    sections = list(naming.SECTION.finditer(text))
    if one.tool == "liquibase":
        return "\n".join(statement.text.rstrip(";") + ";" for statement in one.statements)
    if not sections:
        return text
    parts = []
    for match, following in zip(sections, [*sections[1:], None], strict=True):
        direction = next(value for value in match.groups()[:4] if value).lower()
        body = text[match.end() : following.start() if following else len(text)]
        parts.append(body if direction == one.direction else "\n" * body.count("\n"))
    return "\n" * text.count("\n", 0, sections[0].end()) + "".join(parts)
