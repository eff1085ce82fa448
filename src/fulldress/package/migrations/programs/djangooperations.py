"""Django's operations, each in both directions, as the statements that Django would make of them."""

# ruff: noqa: S608 - statements to be judged, never sent anywhere
from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from fulldress.package.migrations.programs import pyexecuted
from fulldress.package.migrations.programs.djangofields import argument, false, has, true, type_of
from fulldress.package.migrations.programs.pysource import Source, called
from fulldress.package.migrations.script import embedded, listed, quoted
from fulldress.package.migrations.sql import Statement

_SILENT = frozenset(
    "altermodeloptions altermodelmanagers alterordeRwithrespectto alterfieldoptions runnoop".lower().split()
)


@dataclass
class Both:
    """One operation in both directions. ``back`` None: the operation cannot be reversed."""

    forth: list[str] = field(default_factory=list)
    back: list[str] | None = field(default_factory=list)
    forth_sql: list[Statement] = field(default_factory=list)
    back_sql: list[Statement] = field(default_factory=list)
    unread: str = ""


class Reading:
    def __init__(self, source: Source, app: str, memory: dict[str, object]) -> None:
        self.source, self.app, self.memory = source, app, memory

    def operations(self, node: ast.expr | None) -> list[tuple[ast.Call, Both]]:
        found: list[tuple[ast.Call, Both]] = []
        for call in node.elts if isinstance(node, ast.List | ast.Tuple) else []:
            if not isinstance(call, ast.Call):
                continue
            name = called(call)
            if name == "separatedatabaseandstate":
                database = argument(call, 0, "database_operations")
                found += self.operations(database)
                self.operations(argument(call, 1, "state_operations"))  # only remembered
                if not isinstance(database, ast.List | ast.Tuple):
                    found.append((call, Both()))
                continue
            handler = _OPERATIONS.get(name)
            if handler is not None:
                found.append((call, handler(self, call)))
            elif name in _SILENT:
                found.append((call, Both()))
            else:
                found.append((call, Both(unread=f"{name}()")))
        return found

    def table(self, call: ast.Call, place: int = 0, name: str = "model_name") -> str:
        return self.model(self.source.name(argument(call, place, name)))

    def model(self, name: str) -> str:
        known = self.memory.get(f"table {self.app}.{name.lower()}")
        return quoted(str(known)) if known else quoted(f"{self.app}_{name.lower()}")

    def column(self, name: str, node: ast.expr | None) -> tuple[str, str]:
        """Name and definition of a column. Django sets defaults itself: a constant one is filled in without a rewrite."""
        kind = called(node) if node is not None else ""
        if kind == "manytomanyfield":
            return "", ""
        column = quoted(f"{name}_id" if kind in ("foreignkey", "onetoonefield") else name)
        words = [type_of(node)]
        if not true(node, "null"):
            words.append(
                "DEFAULT 0 NOT NULL"
                if has(node, "default") or has(node, "db_default") or kind.endswith("autofield")
                else "NOT NULL"
            )
        if true(node, "unique") or kind == "onetoonefield":
            words.append("UNIQUE")
        return column, " ".join(words)


def _create_model(r: Reading, call: ast.Call) -> Both:
    model = r.source.name(argument(call, 0, "name"))
    options = argument(call, 2, "options")
    if isinstance(options, ast.Dict):
        given = {r.source.text(k): v for k, v in zip(options.keys, options.values, strict=True) if k is not None}
        if isinstance(given.get("managed"), ast.Constant) and given["managed"].value is False:  # type: ignore[attr-defined]
            return Both()
        if isinstance(given.get("proxy"), ast.Constant) and given["proxy"].value is True:  # type: ignore[attr-defined]
            return Both()
        if "db_table" in given and (named := r.source.text(given["db_table"])):
            r.memory[f"table {r.app}.{model.lower()}"] = named
    table = r.model(model)
    columns = []
    fields = argument(call, 1, "fields")
    for pair in fields.elts if isinstance(fields, ast.List | ast.Tuple) else []:
        if isinstance(pair, ast.Tuple) and len(pair.elts) == 2:
            name = r.source.name(pair.elts[0])
            r.memory[f"field {table}.{name.lower()}"] = pair.elts[1]
            column, definition = r.column(name, pair.elts[1])
            if column:
                columns.append(f"{column} {definition}")
    return Both([f"CREATE TABLE {table} ({', '.join(columns)})"], [f"DROP TABLE {table}"])


def _delete_model(r: Reading, call: ast.Call) -> Both:
    table = r.table(call, 0, "name")
    return Both([f"DROP TABLE {table} CASCADE"], [f"CREATE TABLE {table} ()"])


def _add_field(r: Reading, call: ast.Call) -> Both:
    table, name, node = r.table(call), r.source.name(argument(call, 1, "name")), argument(call, 2, "field")
    r.memory[f"field {table}.{name.lower()}"] = node
    column, definition = r.column(name, node)
    if not column:
        other = quoted(f"{table.strip(chr(34))}_{name}")
        return Both([f"CREATE TABLE {other} (id bigint)"], [f"DROP TABLE {other}"])
    forth = [f"ALTER TABLE {table} ADD COLUMN {column} {definition}"]
    if (called(node) == "foreignkey" and not false(node, "db_index")) or true(node, "db_index"):  # type: ignore[arg-type]
        forth.append(f"CREATE INDEX {quoted(name + '_idx')} ON {table} ({column})")
    return Both(forth, [f"ALTER TABLE {table} DROP COLUMN {column}"])


def _remove_field(r: Reading, call: ast.Call) -> Both:
    table, name = r.table(call), r.source.name(argument(call, 1, "name"))
    node = r.memory.pop(f"field {table}.{name.lower()}", None)
    column, definition = r.column(name, node) if isinstance(node, ast.expr) else (quoted(name), "text")
    if not column:
        other = quoted(f"{table.strip(chr(34))}_{name}")
        return Both([f"DROP TABLE {other}"], [f"CREATE TABLE {other} (id bigint)"])
    return Both(
        [f"ALTER TABLE {table} DROP COLUMN {column}"], [f"ALTER TABLE {table} ADD COLUMN {column} {definition}"]
    )


def _alter_field(r: Reading, call: ast.Call) -> Both:
    """Only what differs from the field that an earlier migration told; most changes are of texts for people."""
    table, name, node = r.table(call), r.source.name(argument(call, 1, "name")), argument(call, 2, "field")
    old = r.memory.get(f"field {table}.{name.lower()}")
    r.memory[f"field {table}.{name.lower()}"] = node
    if not isinstance(old, ast.expr) or node is None:
        return Both()
    column, _ = r.column(name, node)
    both = Both()
    if not column or both.back is None:
        return both
    was, now = type_of(old), type_of(node)
    if was != now and not {was, now} & {"varchar"}:
        both.forth.append(
            f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {now.replace('serial', 'integer')} /* was {was} */"
        )
        both.back.append(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {was.replace('serial', 'integer')}")
    if true(old, "null") and not true(node, "null"):
        if has(node, "default"):
            both.forth.append(f"UPDATE {table} SET {column} = 0 WHERE {column} IS NULL")
        both.forth.append(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
        both.back.append(f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")
    elif not true(old, "null") and true(node, "null"):
        both.forth.append(f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")
        both.back.append(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
    if not true(old, "unique") and true(node, "unique"):
        both.forth.append(f"ALTER TABLE {table} ADD CONSTRAINT {quoted(name + '_uniq')} UNIQUE ({column})")
        both.back.append(f"ALTER TABLE {table} DROP CONSTRAINT {quoted(name + '_uniq')}")
    elif not true(old, "db_index") and true(node, "db_index"):
        both.forth.append(f"CREATE INDEX {quoted(name + '_idx')} ON {table} ({column})")
        both.back.append(f"DROP INDEX {quoted(name + '_idx')}")
    return both


def _rename_field(r: Reading, call: ast.Call) -> Both:
    table = r.table(call)
    old, new = r.source.name(argument(call, 1, "old_name")), r.source.name(argument(call, 2, "new_name"))
    r.memory[f"field {table}.{new.lower()}"] = r.memory.pop(f"field {table}.{old.lower()}", None)
    text = "ALTER TABLE {} RENAME COLUMN {} TO {}"
    return Both([text.format(table, quoted(old), quoted(new))], [text.format(table, quoted(new), quoted(old))])


def _rename_model(r: Reading, call: ast.Call) -> Both:
    old, new = r.table(call, 0, "old_name"), r.table(call, 1, "new_name")
    if old == new:
        return Both()
    for key in [key for key in r.memory if key.startswith(f"field {old}.")]:
        r.memory[key.replace(f"field {old}.", f"field {new}.", 1)] = r.memory.pop(key)
    return Both([f"ALTER TABLE {old} RENAME TO {new}"], [f"ALTER TABLE {new} RENAME TO {old}"])


def _alter_table_name(r: Reading, call: ast.Call) -> Both:
    model = r.source.name(argument(call, 0, "name"))
    old, new = r.model(model), r.source.text(argument(call, 1, "table"))
    if not new:
        return Both()
    r.memory[f"table {r.app}.{model.lower()}"] = new
    return Both([f"ALTER TABLE {old} RENAME TO {quoted(new)}"], [f"ALTER TABLE {quoted(new)} RENAME TO {old}"])


def _add_index(concurrently: str) -> Any:
    def handler(r: Reading, call: ast.Call) -> Both:
        index = argument(call, 1, "index")
        fields = (
            next((k.value for k in index.keywords if k.arg == "fields"), None) if isinstance(index, ast.Call) else None
        )
        name = next((k.value for k in index.keywords if k.arg == "name"), None) if isinstance(index, ast.Call) else None
        columns = listed(n.lstrip("-") for n in r.source.names(fields)) or "unnamed"
        named = quoted(r.source.name(name))
        return Both(
            [f"CREATE INDEX {concurrently}{named} ON {r.table(call)} ({columns})"],
            [f"DROP INDEX {concurrently}{named}"],
        )

    return handler


def _remove_index(concurrently: str) -> Any:
    def handler(r: Reading, call: ast.Call) -> Both:
        named = quoted(r.source.name(argument(call, 1, "name")))
        return Both(
            [f"DROP INDEX {concurrently}{named}"], [f"CREATE INDEX {concurrently}{named} ON {r.table(call)} (unnamed)"]
        )

    return handler


def _add_constraint(r: Reading, call: ast.Call) -> Both:
    constraint = argument(call, 1, "constraint")
    name = (
        quoted(r.source.name(next((k.value for k in constraint.keywords if k.arg == "name"), None)))
        if isinstance(constraint, ast.Call)
        else "unnamed"
    )
    table = r.table(call)
    if constraint is not None and called(constraint) == "uniqueconstraint" and not has(constraint, "condition"):
        fields = next((k.value for k in constraint.keywords if k.arg == "fields"), None)  # type: ignore[attr-defined]
        kind = f"UNIQUE ({listed(r.source.names(fields)) or 'unnamed'})"
    elif constraint is not None and called(constraint) == "uniqueconstraint":
        return Both([f"CREATE UNIQUE INDEX {name} ON {table} (unnamed) WHERE true"], [f"DROP INDEX {name}"])
    elif constraint is not None and called(constraint) == "exclusionconstraint":
        kind = "EXCLUDE USING gist (unnamed WITH =)"
    else:
        kind = "CHECK (condition_of_the_model)"
    valid = " NOT VALID" if called(call).endswith("notvalid") else ""
    return Both(
        [f"ALTER TABLE {table} ADD CONSTRAINT {name} {kind}{valid}"], [f"ALTER TABLE {table} DROP CONSTRAINT {name}"]
    )


def _remove_constraint(r: Reading, call: ast.Call) -> Both:
    return Both([f"ALTER TABLE {r.table(call)} DROP CONSTRAINT {quoted(r.source.name(argument(call, 1, 'name')))}"], [])


def _together(kind: str) -> Any:
    def handler(r: Reading, call: ast.Call) -> Both:
        model, value = r.table(call, 0, "name"), argument(call, 1, f"{kind}_together")
        groups = value.elts if isinstance(value, ast.Set | ast.List | ast.Tuple) else []
        found = []
        for group in groups:
            columns = listed(r.source.names(group))
            if columns and isinstance(group, ast.Tuple | ast.List):
                found.append(
                    f"ALTER TABLE {model} ADD UNIQUE ({columns})"
                    if kind == "unique"
                    else f"CREATE INDEX together ON {model} ({columns})"
                )
        return Both(found, [])

    return handler


def _run_sql(r: Reading, call: ast.Call) -> Both:
    both = Both(forth_sql=_sql(r, argument(call, 0, "sql")))
    if not both.forth_sql:
        both.unread = "RunSQL() of something built at run time"
    back = argument(call, 1, "reverse_sql")
    if back is None or (isinstance(back, ast.Constant) and back.value is None):
        both.back = None
    elif "noop" not in ast.unparse(back):
        both.back_sql = _sql(r, back)
    return both


def _sql(r: Reading, node: ast.expr | None) -> list[Statement]:
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else [node] if node is not None else []
    found: list[Statement] = []
    for part in parts:
        if isinstance(part, ast.Tuple) and part.elts:
            part = part.elts[0]
        text = r.source.text(part)
        if text is not None:
            found += embedded(text, part.lineno)
    return found


def _run_python(r: Reading, call: ast.Call) -> Both:
    code, back = argument(call, 0, "code"), argument(call, 1, "reverse_code")
    forth_sql, unread = _function(r, code)
    back_sql, unread_back = _function(r, back)
    none = back is None or (isinstance(back, ast.Constant) and back.value is None)
    return Both(
        back=None if none else [],
        forth_sql=forth_sql,
        back_sql=back_sql,
        unread=unread or ("" if none else unread_back),
    )


def _function(r: Reading, code: ast.expr | None) -> tuple[list[Statement], str]:
    """The statements of a function of the module, and what of it is not known, in words."""
    if code is None or isinstance(code, ast.Constant) or "noop" in ast.unparse(code):
        return [], ""
    said = f"RunPython({ast.unparse(code)[:40]})"
    function = r.source.functions.get(code.id) if isinstance(code, ast.Name) else None
    if function is None:
        return [], said
    found = pyexecuted.of(r.source, function, r.model)
    calls = ", ".join(dict.fromkeys(words for _, words in found.unread[:3]))
    return found.statements, f"{said}, which calls {calls}" if calls else ""


def _extension(name: str) -> Any:
    def handler(r: Reading, call: ast.Call) -> Both:
        named = name or r.source.name(argument(call, 0, "name"))
        return Both([f'CREATE EXTENSION IF NOT EXISTS "{named}"'], [f'DROP EXTENSION IF EXISTS "{named}"'])

    return handler


_OPERATIONS: dict[str, Any] = {
    "createmodel": _create_model, "deletemodel": _delete_model, "addfield": _add_field, "removefield": _remove_field,
    "alterfield": _alter_field, "renamefield": _rename_field, "renamemodel": _rename_model,
    "altermodeltable": _alter_table_name, "addindex": _add_index(""), "addindexconcurrently": _add_index("CONCURRENTLY "),
    "removeindex": _remove_index(""), "removeindexconcurrently": _remove_index("CONCURRENTLY "),
    "renameindex": lambda r, c: Both(), "addconstraint": _add_constraint, "addconstraintnotvalid": _add_constraint,
    "validateconstraint": lambda r, c: Both(), "removeconstraint": _remove_constraint,
    "alteruniquetogether": _together("unique"), "alterindextogether": _together("index"), "runsql": _run_sql,
    "runpython": _run_python, "createextension": _extension(""), "trigramextension": _extension("pg_trgm"),
    "btreeginextension": _extension("btree_gin"), "btreegistextension": _extension("btree_gist"),
    "citextextension": _extension("citext"), "hstoreextension": _extension("hstore"),
    "unaccentextension": _extension("unaccent"), "cryptoextension": _extension("pgcrypto"),
}  # fmt: skip
