"""Migrations that a module makes with one call of its product's own: ``module.exports = createDropColumnMigration(…)``.

The name of the function says what it does, in both directions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fulldress.package.migrations.programs.jsbuilder import Reading
from fulldress.package.migrations.programs.jssource import constants, elements, text_of, walk
from fulldress.package.migrations.script import Script, translated
from fulldress.package.migrations.sql import Statement
from fulldress.package.reader import Member
from fulldress.patterns import regex

if TYPE_CHECKING:
    from tree_sitter import Node

#: Functions of a product's own whose names say what they do.
_NAMED = regex(
    r"^create(?P<verb>Add|Drop|Rename|SetNullable|DropNullable)?(?P<what>Column|Table|Index)?Migration$|^(?P<tables>addTable|dropTables?)$"
)
_LOGGING = frozenset({"require", "info", "warn", "error", "debug"})
#: Functions that put rows of a product's own tables in, or take them out.
_DATA = regex(r"^(?:(?P<add>add|insert|create)|remove|delete)(?:Setting|Permission|Role|Fixture)\w*$")
WRAPPERS = regex(r"(?i)^(?:create|combine)(?:non)?(?:transactional|irreversible)?migrations?$")


def number(name: str) -> str:
    match = re.match(r"\d[\d\-]*\d|\d", name)
    return match[0] if match else ""


def read(member: Member, root: Node) -> Iterator[Script]:
    """``module.exports = createDropColumnMigration('posts', 'amp', …)``: both directions by the function's name."""
    forth: list[Statement] = []
    back: list[Statement] = []
    known = constants(root)
    reading = Reading(member, "knex", known)
    understood = True
    calls = 0
    for node in walk(root):
        if node.type != "call_expression":
            continue
        name = text_of(node.child_by_field_name("function")).rpartition(".")[2]
        match = _NAMED.match(name)
        arguments = node.child_by_field_name("arguments")
        given = [a for a in arguments.named_children if a.type != "comment"] if arguments is not None else []
        line, shown = node.start_point[0] + 1, text_of(node)[:400]
        if match is None and _exported(node) and name not in _LOGGING and not WRAPPERS.match(name):
            calls += 1
            data = _DATA.match(name)
            if data is None:
                understood = False
                reading.unread.append((line, f"{name}()"))
            else:
                rows = ("INSERT INTO settings VALUES (1)", "DELETE FROM settings WHERE id = 1")[
                    :: 1 if data["add"] else -1
                ]
                forth += translated(rows[0], line, shown)
                back[:0] = translated(rows[1], line, shown)
        if match is None or not given:
            continue
        calls += 1
        table = reading.name(given[0])
        there, again = _helped(match, table, given, reading)
        forth += translated(there, line, shown)
        back[:0] = translated(again, line, shown)
    if not calls or (not forth and understood):
        return
    never = bool(re.search(r"irreversible\s*:\s*true", member.text))
    common: dict[str, Any] = {
        "member": member, "other": "" if never else member.path, "name": re.sub(r"\.\w+$", "", member.name), "locks": True, "tool": "knex",
        "language": "javascript", "version": number(member.name), "unread": reading.unread,
    }  # fmt: skip
    yield Script(direction="up", statements=forth, **common)
    if not never:
        yield Script(direction="down", statements=back, **common)


def _exported(node: Node) -> bool:
    """Stands in what the module exports, not deeper than in one other call or a list."""
    parent = node.parent
    for _ in range(4):
        if parent is None:
            return False
        if parent.type == "assignment_expression":
            return "exports" in text_of(parent.child_by_field_name("left"))
        parent = parent.parent
    return False


def _helped(match: re.Match[str], table: str, given: list[Node], r: Reading) -> tuple[str, str]:
    column = r.name(given[1]) if len(given) > 1 else "unnamed"
    add, drop = f"ALTER TABLE {table} ADD COLUMN {column} unknown_kind", f"ALTER TABLE {table} DROP COLUMN {column}"
    if match["tables"]:
        names = [r.name(n) for n in elements(given[0])]
        made, gone = "; ".join(f"CREATE TABLE {n} ()" for n in names), "; ".join(f"DROP TABLE {n}" for n in names)
        return (made, gone) if match["tables"] == "addTable" else (gone, made)
    if match["what"] == "Index" and match["verb"] == "Add":
        columns = ", ".join(r.name(n) for n in elements(given[1])) if len(given) > 1 else "unnamed"
        return f"CREATE INDEX ON {table} ({columns})", "DROP INDEX unnamed"
    tight, loose = (f"ALTER TABLE {table} ALTER COLUMN {column} {verb} NOT NULL" for verb in ("SET", "DROP"))
    if match["verb"] == "Rename" and len(given) > 2:
        new = r.name(given[2])
        return (
            f"ALTER TABLE {table} RENAME COLUMN {column} TO {new}",
            f"ALTER TABLE {table} RENAME COLUMN {new} TO {column}",
        )
    return {"Add": (add, drop), "Drop": (drop, add), "SetNullable": (loose, tight), "DropNullable": (tight, loose)}.get(
        match["verb"] or "", ("", "")
    )
