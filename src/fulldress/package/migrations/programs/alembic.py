"""Alembic: ``upgrade`` and ``downgrade`` by Python's own syntax tree. Both branches of an ``if`` count."""

# ruff: noqa: S608 - statements to be judged, never sent anywhere
from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from fulldress.package.migrations.programs.pysource import Source, columns_of, identifier, kind_of
from fulldress.package.migrations.script import Script, embedded, listed, quoted, translated
from fulldress.package.pythontree import calls
from fulldress.package.reader import Member

#: Methods of ``op`` and of connections that ask, and change nothing.
_ASKING = frozenset(["get_bind", "get_context", "f", "inline_literal", "invoke", "implementation_for", "register_operation", "fetchall", "fetchone", "fetchmany", "scalar", "scalars", "all", "first", "one", "mappings", "close", "commit", "has_table", "get_columns", "get_indexes"])  # fmt: skip
_MESSAGES = frozenset(["print", "debug", "info", "warning", "warn", "error", "getLogger"])
_NO_CHANGES = ("sqlalchemy", "alembic", "typing", "contextlib", "datetime", "textwrap")


def read(member: Member, memory: dict[str, object]) -> Iterator[Script]:
    """Two scripts a module with a revision; the way back is missing where it only raises."""
    source = Source.of(member)
    if source is None or "revision" not in source.assigned or "upgrade" not in source.functions:
        return
    revision = source.text(source.assigned["revision"]) or member.name.partition("_")[0]
    parents = tuple(source.texts(source.assigned.get("down_revision")))
    down = source.functions.get("downgrade")
    raises = down is not None and any(isinstance(node, ast.Raise) for node in down.body)
    back = down is not None and not raises
    for direction, function in (("up", source.functions["upgrade"]), ("down", down if back else None)):
        if function is None:
            continue
        reading = _Reading(source)
        reading.block(function.body, 0)
        yield Script(
            member=member,
            direction=direction,
            statements=reading.statements,
            other=member.path if back or direction == "down" else "",
            name=member.name.removesuffix(".py"),
            line=function.lineno,
            wrapped=True,  # as its template has it: one transaction a migration, or one around all
            tool="alembic",
            language="python",
            version=revision,
            parents=parents,
            unread=reading.unread,
            acts=_acts(function),
        )


def _acts(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Calls something beside a message, or what only asks."""
    for call in calls(function):
        target = call.func
        name = target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""
        if name not in _MESSAGES and name not in _ASKING:
            return True
    return False


class _Reading:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.statements: list[Any] = []
        self.unread: list[tuple[int, str]] = []
        self.tables: dict[str, str] = {}  #: name of the batch -> table

    def block(self, body: list[ast.stmt], depth: int) -> None:
        for node in body:
            self._statement(node, depth)

    def _statement(self, node: ast.stmt, depth: int) -> None:
        if isinstance(node, ast.With):
            alone = False
            for item in node.items:
                call = item.context_expr
                name = _method(call)
                if (
                    isinstance(call, ast.Call)
                    and name == "batch_alter_table"
                    and isinstance(item.optional_vars, ast.Name)
                ):
                    self.tables[item.optional_vars.id] = self.source.name(
                        call.args[0] if call.args else _keyword(call, "table_name")
                    )
                elif name == "autocommit_block":
                    alone = True
                    self._say("COMMIT", node)
            self.block(node.body, depth)
            if alone:
                self._say("BEGIN", node)
        elif isinstance(node, ast.If):
            if not _offline(node.test):
                self.block(node.body, depth)
            self.block(node.orelse, depth)
        elif isinstance(node, ast.For | ast.While):
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name):
                self.source.bind(node.target.id, node.iter)
            self.block(node.body, depth)
        elif isinstance(node, ast.Try):
            self.block([*node.body, *node.orelse, *node.finalbody], depth)
        elif isinstance(node, ast.Assign):
            if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.source.local(node.targets[0].id, node.value)
            self._calls(node.value, depth)
        elif isinstance(node, ast.Expr | ast.Return | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            self._calls(node.value, depth)

    def _calls(self, value: ast.expr, depth: int) -> None:
        for call in calls(value):
            self._call(call, depth)

    def _call(self, call: ast.Call, depth: int) -> None:
        target = call.func
        if isinstance(target, ast.Name):
            local = self.source.functions.get(target.id)
            origin = self.source.imported.get(target.id, "")
            if local is not None and depth < 4:
                self.block(local.body, depth + 1)
            elif local is None and origin and not target.id[:1].isupper() and not origin.startswith(_NO_CHANGES):
                self.unread.append((call.lineno, f"{target.id}()"))
            return
        if not isinstance(target, ast.Attribute):
            return
        owner = target.value.id if isinstance(target.value, ast.Name) else ""
        if owner == "op" or owner in self.tables:
            self._operation(target.attr, call, self.tables.get(owner, ""))
        elif target.attr in ("execute", "exec_driver_sql", "execute_many", "executemany") and call.args:
            self._execute(call.args[0], call)
        elif target.attr in ("add", "add_all", "bulk_insert_mappings", "merge", "bulk_update_mappings") and owner in (
            "session",
            "sess",
            "db",
        ):
            self._say("INSERT INTO rows_of_the_session VALUES (1)", call)
        elif target.attr in ("create_all", "drop_all") or self._hands_over(owner, target.attr, call):
            self.unread.append((call.lineno, f"{owner + '.' if owner else ''}{target.attr}()"))

    def _hands_over(self, owner: str, method: str, call: ast.Call) -> bool:
        """``helpers.drop_constraint(op, …)``, ``Migrator.upgrade(session)``: code elsewhere that gets the database."""
        origin = self.source.imported.get(owner, "")
        if not origin or origin.startswith(_NO_CHANGES) or method in ("Session", "sessionmaker", "query"):
            return False
        given = {a.id for a in (*call.args, *(k.value for k in call.keywords)) if isinstance(a, ast.Name)}
        return bool(given & {"op", "session", "bind", "conn", "connection", "engine"})

    def _execute(self, value: ast.expr, call: ast.Call) -> None:
        text = self.source.text(value)
        if text is not None:
            at = value.lineno + (self.source.lead(value))
            self.statements += embedded(text, at)
            return
        built = _expression(value, self.source)
        if built:
            self._say(built, call)
        elif built is None:
            self.unread.append((call.lineno, "execute() of something built at run time"))

    def _say(self, text: str, node: ast.AST) -> None:
        line = getattr(node, "lineno", 1)
        self.statements += translated(text, line, self.source.segment(node))

    def _operation(self, name: str, call: ast.Call, table: str) -> None:
        handler = _OPERATIONS.get(name)
        if name == "execute" and call.args:
            self._execute(call.args[0], call)
        elif handler is not None:
            arguments = _Arguments(call, self.source, table)
            for text in handler(arguments):
                self._say(text, call)
        elif name not in _ASKING and name not in ("batch_alter_table", "run_async"):
            self.unread.append((call.lineno, f"op.{name}()"))


class _Arguments:
    """Arguments of an operation by place or name. In a batch the table is the batch's own."""

    def __init__(self, call: ast.Call, source: Source, table: str) -> None:
        self.call, self.source, self.batch = call, source, table

    def node(self, place: int, name: str) -> ast.expr | None:
        found = _keyword(self.call, name)
        return found if found is not None else self.call.args[place] if 0 <= place < len(self.call.args) else None

    def name(self, place: int, name: str) -> str:
        return quoted(self.source.name(self.node(place, name)))

    def flag(self, name: str) -> bool:
        value = _keyword(self.call, name)
        return isinstance(value, ast.Constant) and value.value is True

    def names(self, place: int, name: str) -> str:
        return listed(self.source.names(self.node(place, name)))

    def table(self, place: int, name: str = "table_name") -> tuple[str, int]:
        """The table, and how many places the batch saves."""
        return (quoted(self.batch), 1) if self.batch else (self.name(place, name), 0)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def _method(call: ast.expr) -> str:
    return call.func.attr if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""


def _offline(test: ast.expr) -> bool:
    """A branch for ``--sql`` mode only."""
    return (not isinstance(test, ast.UnaryOp) and "as_sql" in ast.dump(test)) or "is_offline_mode" in ast.dump(test)


def _expression(value: ast.expr, source: Source) -> str | None:
    """``table.update().where(…)`` of SQLAlchemy's expression language; empty: it only asks."""
    names = [call.func for call in calls(value)]
    methods = {
        f.attr if isinstance(f, ast.Attribute) else f.id for f in names if isinstance(f, ast.Attribute | ast.Name)
    }
    where = " WHERE chosen" if "where" in methods else ""
    # .where(t.c.x.is_(None)).values(x=…) gives a value where there was none
    blank = re.search(r"\.(\w+)(?:\.is_\(None\)| == None)\)\.values\((\w+)=[^,=]*\)+$", ast.unparse(value))
    if blank and blank[1] == blank[2] and "update" in methods:
        where, column = f" WHERE {quoted(blank[1])} IS NULL", quoted(blank[1])
    else:
        column = "changed"
    root: ast.expr = value
    while isinstance(root, ast.Call | ast.Attribute):
        if (
            isinstance(root, ast.Call)
            and isinstance(root.func, ast.Name)
            and root.func.id in ("update", "delete", "insert")
            and root.args
        ):
            root = root.args[0]
            break
        root = root.func if isinstance(root, ast.Call) else root.value
    table = quoted(source.name(root)) if isinstance(root, ast.Name | ast.Constant) else "rows"
    if "update" in methods:
        return f"UPDATE {table} SET {column} = 1{where}"
    if "delete" in methods:
        return f"DELETE FROM {table}{where}"
    if "insert" in methods:
        return f"INSERT INTO {table} VALUES (1)"
    return "" if "select" in methods else None


def _create_table(a: _Arguments) -> list[str]:
    table = a.name(0, "table_name")
    return [f"CREATE TABLE {table} ({', '.join(columns_of(a.call, a.source))})"]


def _add_column(a: _Arguments) -> list[str]:
    table = a.table(0)[0]
    columns = columns_of(a.call, a.source)
    return (
        [f"ALTER TABLE {table} ADD COLUMN {columns[0]}"]
        if columns
        else [f"ALTER TABLE {table} ADD COLUMN unnamed text"]
    )


def _drop_column(a: _Arguments) -> list[str]:
    table, saved = a.table(0)
    return [f"ALTER TABLE {table} DROP COLUMN {a.name(1 - saved, 'column_name')}"]


def _alter_column(a: _Arguments) -> list[str]:
    table, saved = a.table(0)
    column = a.name(1 - saved, "column_name")
    found = []
    kind, old = _keyword(a.call, "type_"), _keyword(a.call, "existing_type")
    if kind is not None and (old is None or kind_of(kind, a.source) != kind_of(old, a.source)):
        was = f" /* was {kind_of(old, a.source)} */" if old is not None else ""
        found.append(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind_of(kind, a.source)}{was}")
    nullable = _keyword(a.call, "nullable")
    before = _keyword(a.call, "existing_nullable")
    if isinstance(nullable, ast.Constant) and not (isinstance(before, ast.Constant) and before.value == nullable.value):
        found.append(f"ALTER TABLE {table} ALTER COLUMN {column} {'DROP' if nullable.value else 'SET'} NOT NULL")
    renamed = _keyword(a.call, "new_column_name")
    if renamed is not None:
        found.append(f"ALTER TABLE {table} RENAME COLUMN {column} TO {quoted(a.source.name(renamed))}")
    return found or [f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT 0"]


def _create_index(a: _Arguments) -> list[str]:
    saved = 1 if a.batch else 0
    table = quoted(a.batch) if a.batch else a.name(1, "table_name")
    unique = "UNIQUE " if a.flag("unique") else ""
    concurrently = "CONCURRENTLY " if a.flag("postgresql_concurrently") else ""
    columns = a.names(2 - saved, "columns") or "unnamed"
    where = " WHERE true" if _keyword(a.call, "postgresql_where") is not None else ""
    return [f"CREATE {unique}INDEX {concurrently}{a.name(0, 'index_name')} ON {table} ({columns}){where}"]


def _drop_index(a: _Arguments) -> list[str]:
    return [f"DROP INDEX {'CONCURRENTLY ' if a.flag('postgresql_concurrently') else ''}{a.name(0, 'index_name')}"]


def _foreign(a: _Arguments) -> list[str]:
    saved = 1 if a.batch else 0
    table = quoted(a.batch) if a.batch else a.name(1, "source_table")
    other, local, remote = (
        a.name(2 - saved, "referent_table"),
        a.names(3 - saved, "local_cols"),
        a.names(4 - saved, "remote_cols"),
    )
    valid = " NOT VALID" if a.flag("postgresql_not_valid") else ""
    return [
        f"ALTER TABLE {table} ADD CONSTRAINT {a.name(0, 'constraint_name')} FOREIGN KEY ({local or 'unnamed'}) REFERENCES {other} ({remote or 'id'}){valid}"
    ]


def _keyed(kind: str) -> Any:
    def handler(a: _Arguments) -> list[str]:
        saved = 1 if a.batch else 0
        table = quoted(a.batch) if a.batch else a.name(1, "table_name")
        return [
            f"ALTER TABLE {table} ADD CONSTRAINT {a.name(0, 'constraint_name')} {kind} ({a.names(2 - saved, 'columns') or 'unnamed'})"
        ]

    return handler


def _check(a: _Arguments) -> list[str]:
    saved = 1 if a.batch else 0
    table = quoted(a.batch) if a.batch else a.name(1, "table_name")
    node = a.node(2 - saved, "condition")
    condition = a.source.text(node) if node is not None else None
    return [f"ALTER TABLE {table} ADD CONSTRAINT {a.name(0, 'constraint_name')} CHECK ({condition or 'true'})"]


def _drop_constraint(a: _Arguments) -> list[str]:
    table = quoted(a.batch) if a.batch else a.name(1, "table_name")
    return [f"ALTER TABLE {table} DROP CONSTRAINT {a.name(0, 'constraint_name')}"]


_OPERATIONS: dict[str, Any] = {
    "create_table": _create_table,
    "drop_table": lambda a: [f"DROP TABLE {a.name(0, 'table_name')}"],
    "add_column": _add_column,
    "drop_column": _drop_column,
    "alter_column": _alter_column,
    "rename_table": lambda a: [f"ALTER TABLE {a.name(0, 'old_table_name')} RENAME TO {a.name(1, 'new_table_name')}"],
    "create_index": _create_index,
    "drop_index": _drop_index,
    "create_foreign_key": _foreign,
    "create_unique_constraint": _keyed("UNIQUE"),
    "create_primary_key": _keyed("PRIMARY KEY"),
    "create_check_constraint": _check,
    "create_exclude_constraint": lambda a: [
        f"ALTER TABLE {a.name(1, 'table_name')} ADD EXCLUDE USING gist (unnamed WITH =)"
    ],
    "drop_constraint": _drop_constraint,
    "bulk_insert": lambda a: [
        f"INSERT INTO {identifier(a.call.args[0], a.source) if a.call.args else 'rows'} VALUES (1)"
    ],
    "create_table_comment": lambda a: [f"COMMENT ON TABLE {a.name(0, 'table_name')} IS ''"],
    "drop_table_comment": lambda a: [f"COMMENT ON TABLE {a.name(0, 'table_name')} IS NULL"],
}
