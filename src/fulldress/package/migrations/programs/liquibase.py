"""Liquibase's change logs in XML, YAML and JSON: change sets, their changes and their roll-backs.

Files that a log includes are read where they stand, in the order of their names; Liquibase's own order is the log's.
"""

# ruff: noqa: S608 - statements to be judged, never sent anywhere
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fulldress.package.migrations.script import Script, listed, quoted, translated
from fulldress.package.migrations.sql import Statement, statements
from fulldress.package.reader import Member
from fulldress.patterns import regex

_TYPES = regex(r"^\$\{.*\}$|^java\.sql\.Types\.")
_BLANK = regex(r"(?i)^\s*(\w+)\s+is\s+null\s*$")
_MOST = 50_000  #: nodes of one log
#: Changes that Liquibase undoes by itself (its documentation, "Auto rollback").
_AUTOMATIC = frozenset(
    [
        "createTable",
        "addColumn",
        "createIndex",
        "addForeignKeyConstraint",
        "addNotNullConstraint",
        "addUniqueConstraint",
        "addPrimaryKey",
        "renameColumn",
        "renameTable",
        "renameView",
        "createView",
        "createSequence",
        "addLookupTable",
        "addDefaultValue",
        "dropNotNullConstraint",
    ]
)

Change = tuple[str, dict[str, Any], int]


def read(member: Member, memory: dict[str, object]) -> Iterator[Script]:
    """Two scripts a log; the way back is missing where one change set has none."""
    sets = _sets(member)
    if sets is None:
        yield Script(
            member=member,
            direction="up",
            name=member.name,
            tool="liquibase",
            language=member.kind,
            unread=[(1, "the whole log")],
        )
        return
    forth: list[Statement] = []
    back: list[Statement] = []
    without: list[str] = []
    unread: list[tuple[int, str]] = []
    for identity, changes, rollback in sets:
        automatic: list[Statement] = []
        for change in changes:
            there, again = _said(change)
            if there is None:
                unread.append((change[2], f"{change[0]} in change set {identity}"))
                continue
            forth += there
            automatic[:0] = again
        if rollback is not None:
            given: list[Statement] = []
            for change in rollback:
                given += _said(change)[0] or []
            back[:0] = given
        elif all(name in _AUTOMATIC for name, _, _ in changes):
            back[:0] = automatic
        else:
            without.append(identity)
    if not sets:
        return
    other = "" if without else member.path
    common: dict[str, Any] = {"member": member, "other": other, "name": re.sub(r"\.\w+$", "", member.name), "wrapped": None,
                              "locks": True, "tool": "liquibase", "language": member.kind, "unread": unread}  # fmt: skip
    yield Script(direction="up", statements=forth, **common)
    if not without:
        yield Script(direction="down", statements=back, **common)


def _sets(member: Member) -> list[tuple[str, list[Change], list[Change] | None]] | None:
    try:
        if member.kind == "xml":
            return list(_of_xml(member.text))
        return list(_of_tree(_loaded(member)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _loaded(member: Member) -> Any:
    if member.kind == "json":
        return json.loads(member.text)
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(member.text, Loader=loader)  # noqa: S506 - the safe one
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _of_xml(text: str) -> Iterator[tuple[str, list[Change], list[Change] | None]]:
    from xml.parsers import expat

    if re.search(r"<!ENTITY", text):
        raise ValueError("declares entities")
    parser = expat.ParserCreate()
    stack: list[dict[str, Any]] = [{"name": "", "children": [], "text": "", "attributes": {}, "line": 1}]

    def start(name: str, attributes: dict[str, str]) -> None:
        node = {
            "name": name.rpartition(":")[2],
            "attributes": attributes,
            "children": [],
            "text": "",
            "line": parser.CurrentLineNumber,
        }
        stack[-1]["children"].append(node)
        stack.append(node)
        if len(stack) > 100:
            raise ValueError("nested too deep")

    def end(name: str) -> None:
        stack.pop()

    def data(text: str) -> None:
        stack[-1]["text"] += text

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from None
    log = stack[0]["children"][0]
    for node in log["children"]:
        if node["name"] != "changeSet":
            continue
        changes = [
            _xml_change(c)
            for c in node["children"]
            if c["name"] not in ("rollback", "preConditions", "comment", "validCheckSum", "modifySql")
        ]
        backs = [c for c in node["children"] if c["name"] == "rollback"]
        rollback = (
            [_xml_change(c) for b in backs for c in ([*b["children"]] or [{**b, "name": "sql"}])] if backs else None
        )
        yield str(node["attributes"].get("id", "?")), changes, rollback


def _xml_change(node: dict[str, Any]) -> Change:
    fields: dict[str, Any] = dict(node["attributes"])
    columns = []
    for child in node["children"]:
        if child["name"] == "column":
            constraints: dict[str, Any] = next(
                (c["attributes"] for c in child["children"] if c["name"] == "constraints"), {}
            )
            columns.append({**child["attributes"], "constraints": constraints})
        elif child["text"].strip():
            fields[child["name"]] = child["text"].strip()
    return (
        node["name"],
        {**fields, "columns": columns, "sql": node["text"].strip() or fields.get("sql", "")},
        node["line"],
    )


def _of_tree(tree: Any) -> Iterator[tuple[str, list[Change], list[Change] | None]]:
    for item in tree["databaseChangeLog"][:_MOST]:
        given = item.get("changeSet") if isinstance(item, dict) else None
        if not isinstance(given, dict):
            continue
        changes = [_tree_change(change) for change in given.get("changes") or []]
        rollback = given.get("rollback")
        if isinstance(rollback, str):
            back: list[Change] | None = [("sql", {"sql": rollback, "columns": []}, 1)]
        else:
            back = (
                [_tree_change(c) for c in (rollback if isinstance(rollback, list) else [rollback])]
                if rollback
                else []
                if "rollback" in given
                else None
            )
        yield str(given.get("id", "?")), changes, back


def _tree_change(change: Any) -> Change:
    if isinstance(change, str):
        return "sql", {"sql": change, "columns": []}, 1
    name, fields = next(iter(change.items()))
    fields = dict(fields) if isinstance(fields, dict) else {"sql": str(fields or "")}
    fields["columns"] = [c.get("column", c) for c in fields.get("columns") or [] if isinstance(c, dict)]
    return str(name), fields, 1


def _said(change: Change) -> tuple[list[Statement] | None, list[Statement]]:
    name, fields, line = change
    shown = f"{name} {' '.join(str(v) for v in (fields.get('tableName'), fields.get('columnName')) if v)}"
    if name == "sql":
        return [
            one._replace(line=one.line + line - 1 if line > 1 else line)
            for one in statements(str(fields.get("sql") or ""))
        ], []
    if name in ("tagDatabase", "output", "empty", "stop", "setTableRemarks", "setColumnRemarks"):
        return [], []
    handler = _CHANGES.get(name)
    if handler is None:
        return None, []
    there, again = handler(fields)
    return (
        [s for text in there for s in translated(text, line, shown)],
        [s for text in again for s in translated(text, line, shown)],
    )


def _table(f: dict[str, Any], key: str = "tableName") -> str:
    return quoted(str(f.get(key) or "unnamed"))


def _names(value: Any) -> str:
    return listed(part.strip() for part in str(value or "unnamed").split(","))


def _kind(value: Any) -> str:
    text = str(value or "unknown_kind")
    return (
        "unknown_kind" if _TYPES.match(text) or not re.fullmatch(r"[\w ]+(?:\([\d, ]+\))?(?: [\w ]+)?", text) else text
    )


def _column(c: dict[str, Any]) -> str:
    words = [quoted(str(c.get("name") or "unnamed")), _kind(c.get("type"))]
    given = c.get("constraints")
    constraints: dict[str, Any] = given if isinstance(given, dict) else {}
    if any(key.startswith("defaultValue") for key in c):
        words.append("DEFAULT 0")
    if str(constraints.get("nullable", "true")).lower() == "false":
        words.append("NOT NULL")
    if str(constraints.get("unique", "false")).lower() == "true":
        words.append("UNIQUE")
    return " ".join(words)


def _create_table(f: dict[str, Any]) -> tuple[list[str], list[str]]:
    return [f"CREATE TABLE {_table(f)} ({', '.join(_column(c) for c in f['columns'])})"], [f"DROP TABLE {_table(f)}"]


def _add_column(f: dict[str, Any]) -> tuple[list[str], list[str]]:
    head = f"ALTER TABLE {_table(f)}"
    return [f"{head} ADD COLUMN {_column(c)}" for c in f["columns"]], [
        f"{head} DROP COLUMN {quoted(str(c.get('name') or 'unnamed'))}" for c in f["columns"]
    ]


def _drop_column(f: dict[str, Any]) -> tuple[list[str], list[str]]:
    names = [str(c.get("name")) for c in f["columns"]] or [str(f.get("columnName") or "unnamed")]
    return [f"ALTER TABLE {_table(f)} DROP COLUMN {quoted(n)}" for n in names], []


def _index(f: dict[str, Any]) -> tuple[list[str], list[str]]:
    unique = "UNIQUE " if str(f.get("unique")).lower() == "true" else ""
    columns = listed(str(c.get("name")) for c in f["columns"]) or "unnamed"
    named = quoted(str(f.get("indexName") or "unnamed"))
    return [f"CREATE {unique}INDEX {named} ON {_table(f)} ({columns})"], [f"DROP INDEX {named}"]


def _pair(text: str, back: str) -> Any:
    def handler(f: dict[str, Any]) -> tuple[list[str], list[str]]:
        words = {key: quoted(str(value)) for key, value in f.items() if isinstance(value, str) and value}
        filled = _Defaults(words)
        filled["type"] = _kind(f.get("newDataType"))
        filled["columns_"] = _names(f.get("columnNames") or f.get("baseColumnNames"))
        return [text.format_map(filled)], [back.format_map(filled)] if back else []

    return handler


class _Defaults(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "unnamed"


def _rows(text: str) -> Any:
    def handler(f: dict[str, Any]) -> tuple[list[str], list[str]]:
        where = " WHERE chosen" if f.get("where") else ""
        blank = _BLANK.match(str(f.get("where") or "")) if text.startswith("UPDATE") else None
        if blank and {str(c.get("name", "")).lower() for c in f.get("columns") or []} == {blank[1].lower()}:
            return [f"UPDATE {_table(f)} SET {quoted(blank[1])} = 1 WHERE {quoted(blank[1])} IS NULL"], []
        return [text.format(_table(f)) + (where if "INSERT" not in text else "")], []

    return handler


_CHANGES: dict[str, Any] = {
    "createTable": _create_table, "addColumn": _add_column, "dropColumn": _drop_column, "createIndex": _index,
    "dropTable": _pair("DROP TABLE {tableName}", ""),
    "dropAllForeignKeyConstraints": _pair("ALTER TABLE {baseTableName} DROP CONSTRAINT every", ""),
    "dropIndex": _pair("DROP INDEX {indexName}", ""),
    "renameTable": _pair("ALTER TABLE {oldTableName} RENAME TO {newTableName}", "ALTER TABLE {newTableName} RENAME TO {oldTableName}"),
    "renameColumn": _pair("ALTER TABLE {tableName} RENAME COLUMN {oldColumnName} TO {newColumnName}",
                          "ALTER TABLE {tableName} RENAME COLUMN {newColumnName} TO {oldColumnName}"),
    "modifyDataType": _pair("ALTER TABLE {tableName} ALTER COLUMN {columnName} TYPE {type}", ""),
    "addNotNullConstraint": _pair("ALTER TABLE {tableName} ALTER COLUMN {columnName} SET NOT NULL",
                                  "ALTER TABLE {tableName} ALTER COLUMN {columnName} DROP NOT NULL"),
    "dropNotNullConstraint": _pair("ALTER TABLE {tableName} ALTER COLUMN {columnName} DROP NOT NULL",
                                   "ALTER TABLE {tableName} ALTER COLUMN {columnName} SET NOT NULL"),
    "addUniqueConstraint": _pair("ALTER TABLE {tableName} ADD CONSTRAINT {constraintName} UNIQUE ({columns_})",
                                 "ALTER TABLE {tableName} DROP CONSTRAINT {constraintName}"),
    "addPrimaryKey": _pair("ALTER TABLE {tableName} ADD CONSTRAINT {constraintName} PRIMARY KEY ({columns_})",
                           "ALTER TABLE {tableName} DROP CONSTRAINT {constraintName}"),
    "addForeignKeyConstraint": _pair(
        "ALTER TABLE {baseTableName} ADD CONSTRAINT {constraintName} FOREIGN KEY ({columns_}) REFERENCES {referencedTableName} ({referencedColumnNames})",
        "ALTER TABLE {baseTableName} DROP CONSTRAINT {constraintName}"),
    "dropForeignKeyConstraint": _pair("ALTER TABLE {baseTableName} DROP CONSTRAINT {constraintName}", ""),
    "dropUniqueConstraint": _pair("ALTER TABLE {tableName} DROP CONSTRAINT {constraintName}", ""),
    "dropPrimaryKey": _pair("ALTER TABLE {tableName} DROP CONSTRAINT {constraintName}", ""),
    "addDefaultValue": _pair("ALTER TABLE {tableName} ALTER COLUMN {columnName} SET DEFAULT 0", "ALTER TABLE {tableName} ALTER COLUMN {columnName} DROP DEFAULT"),
    "dropDefaultValue": _pair("ALTER TABLE {tableName} ALTER COLUMN {columnName} DROP DEFAULT", ""),
    "createView": _pair("CREATE VIEW {viewName} AS SELECT 1", "DROP VIEW {viewName}"), "dropView": _pair("DROP VIEW {viewName}", ""),
    "createSequence": _pair("CREATE SEQUENCE {sequenceName}", "DROP SEQUENCE {sequenceName}"),
    "dropSequence": _pair("DROP SEQUENCE {sequenceName}", ""),
    "addAutoIncrement": _pair("ALTER TABLE {tableName} ALTER COLUMN {columnName} ADD GENERATED BY DEFAULT AS IDENTITY", ""),
    "insert": _rows("INSERT INTO {} VALUES (1)"), "loadData": _rows("INSERT INTO {} VALUES (1)"),
    "update": _rows("UPDATE {} SET changed = 1"), "delete": _rows("DELETE FROM {}"),
}  # fmt: skip
