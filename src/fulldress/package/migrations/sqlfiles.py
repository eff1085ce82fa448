"""SQL files as scripts: one direction a file, or both under the headings of goose, dbmate, sql-migrate and Liquibase."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.package.migrations import naming
from fulldress.package.migrations.script import Script
from fulldress.package.migrations.sql import Statement, statements, without_data
from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

_NO_TRANSACTION = regex(r"(?i)no[ _-]?transaction|transaction\s*:\s*false|notransaction|runInTransaction:false")
_PAYLOAD = regex(r"(?:^|/)data\.tar(?:\.\w+)?!/(?:\./)?usr/")
_LIQUIBASE = regex(r"(?im)\A\s*--\s*liquibase formatted sql")
_CHANGESET = regex(r"(?im)^[ \t]*--[ \t]*changeset[ \t]+(?P<author>[^:\s]+):(?P<id>\S+)(?P<rest>.*)$")
_ROLLBACK = regex(r"(?im)^[ \t]*--[ \t]*rollback\b[ \t]*(?P<sql>.*)$")
_NO_ROLLBACK = regex(r"(?i)^(?:empty|not required|none|)\s*;?$")
_WRAPS = {"goose", "dbmate", "sql-migrate", "diesel"}


def read(member: Member, named: naming.Named, other: str, tools: dict[str, str]) -> Iterator[Script]:
    """The scripts of one file. ``tools``: folder -> tool, where a file of the tool's own says so."""
    text = without_data(member.text)
    if _LIQUIBASE.match(text):
        yield from _liquibase(member, text)
        return
    sections = list(naming.SECTION.finditer(text))
    if sections:
        yield from _sections(member, text, sections)
        return
    every = list(statements(text))
    tool = _tool(member.path, named, tools)
    wrapped = True if tool in _WRAPS else None
    if _NO_TRANSACTION.search(text[:500]):
        wrapped = False
    elif named.style == "suffix" and len([s for s in every if not s.meta]) > 1 and not _has_transaction(every):
        wrapped = True if tool in ("golang-migrate", "sqlx") else None
    yield Script(
        member=member,
        direction="down" if named.direction == "down" else "up",
        statements=every,
        other=other,
        name=name(member.inner),
        wrapped=wrapped,
        locks=tool in ("flyway", "prisma"),
        tool=tool,
        version=version(member.path, named),
        standalone=bool(naming.in_migrations(member.path) or other),
    )


def _has_transaction(every: list[Statement]) -> bool:
    return any(re.match(r"(?:BEGIN|START TRANSACTION)\b", one.bare) for one in every)


def tools(package: Package) -> dict[str, str]:
    """Folders of which a file of a tool says who runs the migrations below them."""
    found: dict[str, str] = {}
    for path, member in package.members.items():
        folder = path.rpartition("/")[0]
        if member.name == "diesel.toml":
            found[folder] = "diesel"
        elif member.name == "migration_lock.toml":
            found[folder] = "prisma"
        elif member.name in ("flyway.conf", "flyway.toml"):
            found[folder] = "flyway"
        elif member.name == "atlas.sum":
            found[folder] = "atlas"
    return found


def _tool(path: str, named: naming.Named, tools: dict[str, str]) -> str:
    folder = path.rpartition("/")[0]
    while folder:
        if folder in tools:
            return tools[folder]
        folder = folder.rpartition("/")[0]
    return tools.get(
        "", "flyway" if named.style == "flyway" else "dbconfig-common" if named.style == "dbconfig-common" else ""
    )


def version(path: str, named: naming.Named) -> str:
    """What orders the file: the number at the beginning of its own name or of its folder's."""
    if named.style == "flyway":
        return named.key.rpartition("/")[2].replace("_", ".") if named.key != path else ""
    if named.style == "dbconfig-common":
        return path.rpartition("/")[2]
    parts = path.split("/")
    for part in (
        parts[-1],
        parts[-2] if len(parts) > 1 and re.match(r"(?i)(?:up|down|migration)\.", parts[-1]) else "",
    ):
        if match := re.match(r"v?(\d[\d.\-]*\d|\d)(?=[_.\-a-z]|$)", part, re.I):
            return match[1].strip(".-")
    return ""


def _sections(member: Member, text: str, sections: list[re.Match[str]]) -> Iterator[Script]:
    """A file with both directions. The tool wraps each in a transaction unless the file says otherwise."""
    parts: dict[str, list[tuple[str, int]]] = {"up": [], "down": []}
    tool = ""
    for match, following in zip(sections, [*sections[1:], None], strict=True):
        direction = next(value for value in match.groups()[:4] if value).lower()
        tool = {"goose": "goose", "dbmate": "dbmate", "sqlm": "sql-migrate"}.get(match.lastgroup or "", tool)
        tool = next((t for g, t in _HEADINGS if match[g]), tool)
        body = text[match.end() : following.start() if following else len(text)]
        parts[direction].append((body, text.count("\n", 0, match.end())))
    wrapped = not _NO_TRANSACTION.search("".join(m["rest"] for m in sections) + text[: sections[0].start()])
    for direction, bodies in parts.items():
        if bodies:
            yield Script(
                member=member,
                direction=direction,
                statements=[s._replace(line=s.line + offset) for body, offset in bodies for s in statements(body)],
                other=member.path if parts["down" if direction == "up" else "up"] else "",
                name=name(member.inner),
                line=bodies[0][1] + 1,
                wrapped=wrapped,
                tool=tool,
                version=version(member.path, naming.named(member.path)),
            )


_HEADINGS = (("goose", "goose"), ("dbmate", "dbmate"), ("sqlm", "sql-migrate"), ("rambler", "rambler"))


def _liquibase(member: Member, text: str) -> Iterator[Script]:
    """Liquibase's formatted SQL: change sets with their roll-backs as comments. One migration a file; its way back holds
    only when every change set has one, for the tool stops at the first that has none."""
    marks = list(_CHANGESET.finditer(text))
    up: list[Statement] = []
    down: list[Statement] = []
    without: list[str] = []
    wrapped = True
    for match, following in zip(marks, [*marks[1:], None], strict=True):
        body = text[match.end() : following.start() if following else len(text)]
        line = text.count("\n", 0, match.end())
        up += [one._replace(line=one.line + line) for one in statements(body)]
        backs = list(_ROLLBACK.finditer(body))
        if not backs:
            without.append(match["id"])
        for back in backs:
            if not _NO_ROLLBACK.match(back["sql"].strip()):
                at = line + body.count("\n", 0, back.start()) + 1
                down += [one._replace(line=at) for one in statements(back["sql"])]
        wrapped = wrapped and not _NO_TRANSACTION.search(match["rest"])
    other = member.path if marks and not without else ""
    common = {"member": member, "name": name(member.inner), "wrapped": wrapped, "locks": True, "tool": "liquibase"}
    yield Script(direction="up", statements=up, other=other, **common)  # type: ignore[arg-type]
    if down or (marks and not without):
        yield Script(direction="down", statements=down, other=member.path, **common)  # type: ignore[arg-type]


def name(inner: str) -> str:
    """``0004_total_bigint``: the file's name without its suffixes, or its folder's where the file is just up.sql."""
    folder, _, last = inner.rpartition("/")
    stem = re.sub(r"(?:\.(?:up|down))?\.(?:sql|pgsql|psql|ddl)(?:\.\w+)?$", "", last, flags=re.I)
    if stem.lower() in ("up", "down", "migration") and folder:
        return folder.rpartition("/")[2]
    return stem


def of_application(member: Member) -> bool:
    """Whether a file belongs to an installed application, which has its queries, functions and whole schemas as SQL, too."""
    return member.container in ("wheel", "npm") or bool(_PAYLOAD.search(member.path))
