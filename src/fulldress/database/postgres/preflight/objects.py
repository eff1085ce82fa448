"""What a file of SQL creates and takes away, and whether it is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fulldress.database.postgres.preflight.reading import Reader
from fulldress.database.postgres.split import split
from fulldress.package.migrations.pgtree import nodes, parse


class Object(NamedTuple):
    """``kind``: table, column, index, type, view, constraint. A column's or constraint's ``of`` is its table."""

    kind: str
    name: str
    of: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.of}.{self.name}" if self.of else f"{self.kind} {self.name}"


class Change(NamedTuple):
    made: bool  #: False: taken away
    object: Object
    line: int
    silent: bool = False  #: IF NOT EXISTS: one that is there already goes unnoticed
    columns: tuple[str, ...] = ()  #: of a table that is made
    renamed: str = ""  #: its new name


@dataclass
class Known:
    """What is there, by the catalogue."""

    objects: set[Object] = field(default_factory=set)

    def has(self, one: Object) -> bool:
        return one in self.objects

    def columns(self, table: str) -> set[str]:
        return {one.name for one in self.objects if one.kind == "column" and one.of == table}


_THERE = """
SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'table' WHEN 'i' THEN 'index'
            WHEN 'I' THEN 'index' ELSE 'view' END AS kind, c.relname::text AS name, '' AS of
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'i', 'I', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'column', a.attname::text, c.relname::text
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f')
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'constraint', o.conname::text, c.relname::text FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
UNION ALL
SELECT 'type', t.typname::text, '' FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typtype IN ('e', 'd') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"""


def there(read: Reader) -> Known:
    return Known({Object(row["kind"], row["name"], row["of"]) for row in read(_THERE)})


def changes(name: str, text: str) -> list[Change]:
    """In order; what is built at run time is not among them."""
    found: list[Change] = []
    for piece in split(text, name):
        tree = parse(piece.text) if piece.bare and not piece.control else None
        if tree is not None:
            found += _of(tree, piece.line)
    return found


def _of(tree: Any, line: int) -> Iterator[Change]:
    pb = nodes()
    if tree.HasField("create_stmt"):
        node = tree.create_stmt
        if node.relation.relpersistence != "t":
            columns = tuple(part.column_def.colname for part in node.table_elts if part.HasField("column_def"))
            yield Change(True, Object("table", node.relation.relname), line, node.if_not_exists, columns)
    elif tree.HasField("index_stmt") and tree.index_stmt.idxname:
        yield Change(True, Object("index", tree.index_stmt.idxname), line, tree.index_stmt.if_not_exists)
    elif tree.HasField("create_enum_stmt"):
        yield Change(True, Object("type", tree.create_enum_stmt.type_name[-1].string.sval), line)
    elif tree.HasField("create_domain_stmt"):
        yield Change(True, Object("type", tree.create_domain_stmt.domainname[-1].string.sval), line)
    elif tree.HasField("view_stmt") and not tree.view_stmt.replace:
        yield Change(True, Object("view", tree.view_stmt.view.relname), line)
    elif tree.HasField("create_table_as_stmt"):
        into = tree.create_table_as_stmt
        kind = "view" if into.objtype == pb.OBJECT_MATVIEW else "table"
        if into.into.rel.relpersistence != "t":
            yield Change(True, Object(kind, into.into.rel.relname), line, into.if_not_exists)
    elif tree.HasField("alter_table_stmt"):
        yield from _altered(tree.alter_table_stmt, line)
    elif tree.HasField("drop_stmt"):
        yield from _dropped(tree.drop_stmt, line)
    elif tree.HasField("rename_stmt"):
        yield from _renamed(tree.rename_stmt, line)


def _altered(node: Any, line: int) -> Iterator[Change]:
    pb = nodes()
    table = node.relation.relname
    for part in node.cmds:
        command = part.alter_table_cmd
        definition = command.__getattribute__("def")
        if command.subtype == pb.AT_AddColumn:
            yield Change(True, Object("column", definition.column_def.colname, table), line, command.missing_ok)
        elif command.subtype == pb.AT_DropColumn:
            yield Change(False, Object("column", command.name, table), line)
        elif command.subtype == pb.AT_AddConstraint and definition.constraint.conname:
            yield Change(True, Object("constraint", definition.constraint.conname, table), line)
        elif command.subtype == pb.AT_DropConstraint:
            yield Change(False, Object("constraint", command.name, table), line)


def _dropped(node: Any, line: int) -> Iterator[Change]:
    pb = nodes()
    kinds = {
        pb.OBJECT_TABLE: "table", pb.OBJECT_INDEX: "index", pb.OBJECT_VIEW: "view", pb.OBJECT_MATVIEW: "view",
        pb.OBJECT_TYPE: "type", pb.OBJECT_DOMAIN: "type",
    }  # fmt: skip
    kind = kinds.get(node.remove_type)
    for part in node.objects if kind else ():
        names = part.list.items if part.HasField("list") else part.type_name.names
        if names:
            yield Change(False, Object(str(kind), names[-1].string.sval), line)


def _renamed(node: Any, line: int) -> Iterator[Change]:
    pb = nodes()
    old = node.relation.relname
    kinds = {pb.OBJECT_TABLE: "table", pb.OBJECT_INDEX: "index", pb.OBJECT_VIEW: "view", pb.OBJECT_MATVIEW: "view"}
    if node.rename_type in kinds:
        kind = kinds[node.rename_type]
        yield Change(False, Object(kind, old), line, renamed=node.newname)
        yield Change(True, Object(kind, node.newname), line)
    elif node.rename_type == pb.OBJECT_COLUMN and node.relation_type == pb.OBJECT_TABLE:
        yield Change(False, Object("column", node.subname, old), line)
        yield Change(True, Object("column", node.newname, old), line)
    elif node.rename_type == pb.OBJECT_TABCONSTRAINT:
        yield Change(False, Object("constraint", node.subname, old), line)
        yield Change(True, Object("constraint", node.newname, old), line)
    elif node.rename_type == pb.OBJECT_TYPE and node.object.list.items:
        yield Change(False, Object("type", node.object.list.items[-1].string.sval), line)
        yield Change(True, Object("type", node.newname), line)


def after(expected: set[Object], change: Change) -> set[Object]:
    """What is expected to be there once ``change`` is made too. What hangs on a table goes and is renamed with it."""
    one = change.object
    if change.made:
        return expected | {one} | {Object("column", column, one.name) for column in change.columns}
    kept = {other for other in expected if other != one}
    if one.kind == "table":
        hanging = {other for other in kept if other.of == one.name}
        kept -= hanging
        if change.renamed:
            kept |= {other._replace(of=change.renamed) for other in hanging}
        else:  # indexes and constraints of a dropped table are gone with it, and which they are is not tracked
            kept = {other for other in kept if other.kind != "index"}
    if one.kind == "column":  # an index or a constraint over it is gone, too
        kept = {other for other in kept if other.kind not in ("index", "constraint") or other.of not in ("", one.of)}
        kept = {other for other in kept if other.kind != "index"}
    return kept
