"""Calls of Sequelize's ``queryInterface`` and TypeORM's ``queryRunner``, and the statements that they stand for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fulldress.package.migrations.programs.jssource import literal, text_of
from fulldress.package.migrations.programs.jstypes import TYPES
from fulldress.package.migrations.script import REPEATED, listed, quoted

if TYPE_CHECKING:
    from tree_sitter import Node

    from fulldress.package.migrations.programs.jsbuilder import Reading


def _interface(text: str) -> Any:
    """``{0}`` … are the call's arguments as names."""

    def handler(r: Reading, node: Node, given: list[Node]) -> None:
        names = [r.name(argument) for argument in given] + ["unnamed"] * 3
        r.say(text.format(*names), node)

    return handler


def _definition(node: Node | None) -> str:
    """The type and the flags of a column as Sequelize and TypeORM give it, by words."""
    text = text_of(node)
    match = re.search(r"(?:Sequelize|DataTypes|type)\s*[.:]\s*(?:\w+\.)?['\"]?(\w+)(?:\((\d+)\))?", text)
    name = TYPES.get(match[1].lower(), "unknown_kind") if match else "unknown_kind"
    size = f"({match[2] or 255})" if match and name == "varchar" else ""  # Sequelize's STRING is VARCHAR(255)
    words = " DEFAULT 0" if re.search(r"default(?:Value)?\s*:", text) else ""
    if re.search(r"allowNull\s*:\s*false|isNullable\s*:\s*false", text):
        words += " NOT NULL"
    if re.search(r"references\s*:", text):
        words += " REFERENCES other (id)"
    return f"{name}{size}{words}"


def _column(r: Reading, node: Node, given: list[Node]) -> None:
    if len(given) > 2:
        r.say(f"ALTER TABLE {r.name(given[0])} ADD COLUMN {r.name(given[1])} {_definition(given[2])}", node)
    elif len(given) == 2:
        named = re.search(r"name\s*:\s*['\"](\w+)", text_of(given[1]))
        r.say(
            f"ALTER TABLE {r.name(given[0])} ADD COLUMN {quoted(named[1]) if named else 'unnamed'} {_definition(given[1])}",
            node,
        )


def _change(r: Reading, node: Node, given: list[Node]) -> None:
    if len(given) > 2:
        kind = _definition(given[2]).split(" ")[0]
        r.say(f"ALTER TABLE {r.name(given[0])} ALTER COLUMN {r.name(given[1])} TYPE {kind} {REPEATED}", node)


def _index(r: Reading, node: Node, given: list[Node]) -> None:
    text = " ".join(text_of(argument) for argument in given[1:])
    unique = "UNIQUE " if re.search(r"unique\s*:\s*true|isUnique\s*:\s*true|type\s*:\s*['\"]UNIQUE", text, re.I) else ""
    concurrently = "CONCURRENTLY " if re.search(r"concurrently\s*:\s*true", text) else ""
    array = next((a for a in given[1:] if a.type == "array"), None)
    columns = listed(literal(n, r.known) or "unnamed" for n in array.named_children) if array is not None else "unnamed"
    if given:
        r.say(f"CREATE {unique}INDEX {concurrently}ON {r.name(given[0])} ({columns or 'unnamed'})", node)


def _constraint(r: Reading, node: Node, given: list[Node]) -> None:
    text = text_of(given[1]) if len(given) > 1 else ""
    table = r.name(given[0]) if given else "unnamed"
    kind = (re.search(r"type\s*:\s*['\"](\w+(?: \w+)?)", text) or ["", "check"])[1].lower()
    fields = re.search(r"fields\s*:\s*\[([^\]]*)\]", text)
    columns = listed(re.findall(r"['\"](\w+)['\"]", fields[1])) if fields else "unnamed"
    shape = {
        "unique": f"UNIQUE ({columns})",
        "primary key": f"PRIMARY KEY ({columns})",
        "foreign key": f"FOREIGN KEY ({columns}) REFERENCES other (id)",
    }
    r.say(f"ALTER TABLE {table} ADD CONSTRAINT added {shape.get(kind, 'CHECK (condition)')}", node)


def _foreign(r: Reading, node: Node, given: list[Node]) -> None:
    if given:
        r.say(f"ALTER TABLE {r.name(given[0])} ADD FOREIGN KEY (unnamed) REFERENCES other (id)", node)


def _create_by_options(r: Reading, node: Node, given: list[Node]) -> None:
    named = re.search(r"name\s*:\s*['\"](\w+)", text_of(given[0])) if given else None
    table = quoted(named[1]) if named and given[0].type != "string" else r.name(given[0] if given else None)
    r.say(f"CREATE TABLE {table} ({', '.join(_columns_of(given[1]) if len(given) > 1 else [])})", node)


def _columns_of(options: Node) -> list[str]:
    """``{id: {type: Sequelize.UUID}, name: Sequelize.STRING}``: the columns of a new table."""
    found = []
    for pair in options.named_children if options.type == "object" else []:
        value = pair.child_by_field_name("value") if pair.type == "pair" else None
        if value is not None:
            name = text_of(pair.child_by_field_name("key")).strip("'\"")
            found.append(f"{quoted(name)} {_definition(value)}")
    return found


CALLS: dict[str, Any] = {
    "createTable": _create_by_options, "dropTable": _interface("DROP TABLE {0}"), "addColumn": _column,
    "removeColumn": _interface("ALTER TABLE {0} DROP COLUMN {1}"), "dropColumn": _interface("ALTER TABLE {0} DROP COLUMN {1}"),
    "changeColumn": _change, "renameColumn": _interface("ALTER TABLE {0} RENAME COLUMN {1} TO {2}"),
    "renameTable": _interface("ALTER TABLE {0} RENAME TO {1}"), "addIndex": _index, "createIndex": _index,
    "removeIndex": _interface("DROP INDEX {1}"), "dropIndex": _interface("DROP INDEX {1}"), "addConstraint": _constraint,
    "removeConstraint": _interface("ALTER TABLE {0} DROP CONSTRAINT {1}"), "createForeignKey": _foreign,
    "dropForeignKey": _interface("ALTER TABLE {0} DROP CONSTRAINT {1}"),
    "bulkInsert": _interface("INSERT INTO {0} VALUES (1)"), "bulkUpdate": _interface("UPDATE {0} SET changed = 1 WHERE id = 1"),
    "bulkDelete": _interface("DELETE FROM {0} WHERE id = 1"), "clearTable": _interface("TRUNCATE {0}"),
}  # fmt: skip
