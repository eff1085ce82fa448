"""Django: the list of operations, both ways. What an operation's own reverse does is generated as Django would."""

# ruff: noqa: S608 - statements to be judged, never sent anywhere
from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fulldress.package.migrations.programs.pysource import Source, called
from fulldress.package.migrations.script import PASSED_OVER, Script, embedded, listed, quoted, translated
from fulldress.package.migrations.sql import Statement
from fulldress.package.reader import Member

_FIELDS = {
    "charfield": "varchar", "emailfield": "varchar", "slugfield": "varchar", "urlfield": "varchar", "filefield": "varchar",
    "imagefield": "varchar", "filepathfield": "varchar", "textfield": "text", "integerfield": "integer",
    "positiveintegerfield": "integer", "smallintegerfield": "smallint", "positivesmallintegerfield": "smallint",
    "bigintegerfield": "bigint", "positivebigintegerfield": "bigint", "autofield": "serial", "bigautofield": "bigserial",
    "smallautofield": "smallserial", "booleanfield": "boolean", "nullbooleanfield": "boolean", "datefield": "date",
    "datetimefield": "timestamptz", "timefield": "time", "durationfield": "interval", "floatfield": "double precision",
    "decimalfield": "numeric", "jsonfield": "jsonb", "uuidfield": "uuid", "binaryfield": "bytea",
    "genericipaddressfield": "inet", "foreignkey": "bigint", "onetoonefield": "bigint",
}  # fmt: skip
_LENGTHS = {
    "charfield": 0,
    "emailfield": 254,
    "slugfield": 50,
    "urlfield": 200,
    "filefield": 100,
    "imagefield": 100,
    "filepathfield": 100,
}
_SILENT = frozenset(
    "altermodeloptions altermodelmanagers alterordeRwithrespectto alterfieldoptions runnoop".lower().split()
)


@dataclass
class _Both:
    """One operation in both directions. ``back`` None: the operation cannot be reversed."""

    forth: list[str] = field(default_factory=list)
    back: list[str] | None = field(default_factory=list)
    forth_sql: list[Statement] = field(default_factory=list)
    back_sql: list[Statement] = field(default_factory=list)
    unread: str = ""


def read(member: Member, memory: dict[str, object]) -> Iterator[Script]:
    """Two scripts a module; the way back is missing where one operation has none."""
    source = Source.of(member)
    found = next((c for c in source.classes if c.name == "Migration"), None) if source else None
    if source is None or found is None:
        return
    body = {
        t.id: n.value for n in found.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)
    }
    if "operations" not in body and "dependencies" not in body:
        return
    if _stands_for_others(body.get("replaces"), source, member, memory):
        yield Script(member=member, direction=PASSED_OVER)
        return
    app = (member.inner.rsplit("/", 3)[-3:] or [""])[0] if member.inner.count("/") >= 2 else member.inner.split("/")[0]
    name = member.name.removesuffix(".py")
    reading = _Reading(source, app.lower(), memory)
    operations = body.get("operations")
    both = reading.operations(operations)
    possible = all(one.back is not None for _, one in both) and both != []
    atomic = not (isinstance(body.get("atomic"), ast.Constant) and body["atomic"].value is False)  # type: ignore[attr-defined]
    common: dict[str, Any] = {
        "member": member, "name": name, "wrapped": atomic, "tool": "django", "language": "python", "version": name,
        "parents": tuple(_parents(body.get("dependencies"), source, app)),
    }  # fmt: skip
    forth = [s for node, one in both for s in (*_said(one.forth, node, source), *one.forth_sql)]
    unread = [(node.lineno, one.unread) for node, one in both if one.unread]
    line = operations.lineno if operations is not None else found.lineno
    yield Script(
        direction="up", statements=forth, other=member.path if possible else "", unread=unread, line=line, **common
    )
    if possible:
        back = [s for node, one in reversed(both) for s in (*_said(one.back or [], node, source), *one.back_sql)]
        yield Script(direction="down", statements=back, other=member.path, unread=unread, line=line, **common)


def _stands_for_others(node: ast.expr | None, source: Source, member: Member, memory: dict[str, object]) -> bool:
    """A squashed migration beside those that it replaces: the same changes a second time, for new installations."""
    paths, folder = memory.get("paths"), member.path.rpartition("/")[0]
    if not isinstance(paths, frozenset) or not isinstance(node, ast.List | ast.Tuple):
        return False
    names = [source.text(pair.elts[1]) for pair in node.elts if isinstance(pair, ast.Tuple) and len(pair.elts) == 2]
    return any(f"{folder}/{name}.py" in paths for name in names)


def _said(texts: list[str], node: ast.Call, source: Source) -> list[Statement]:
    return [s for text in texts for s in translated(text, node.lineno, source.segment(node))]


def _parents(node: ast.expr | None, source: Source, app: str) -> Iterator[str]:
    """Those of the same app; the others' order is Django's business."""
    for pair in node.elts if isinstance(node, ast.List | ast.Tuple) else []:
        if isinstance(pair, ast.Tuple) and len(pair.elts) == 2:
            theirs, name = (source.text(element) for element in pair.elts)
            if name and theirs and (theirs.lower() == app.lower()):
                yield name


class _Reading:
    def __init__(self, source: Source, app: str, memory: dict[str, object]) -> None:
        self.source, self.app, self.memory = source, app, memory

    def operations(self, node: ast.expr | None) -> list[tuple[ast.Call, _Both]]:
        found: list[tuple[ast.Call, _Both]] = []
        for call in node.elts if isinstance(node, ast.List | ast.Tuple) else []:
            if not isinstance(call, ast.Call):
                continue
            name = called(call)
            if name == "separatedatabaseandstate":
                database = _argument(call, 0, "database_operations")
                found += self.operations(database)
                self.operations(_argument(call, 1, "state_operations"))  # only remembered
                if not isinstance(database, ast.List | ast.Tuple):
                    found.append((call, _Both()))
                continue
            handler = _OPERATIONS.get(name)
            if handler is not None:
                found.append((call, handler(self, call)))
            elif name in _SILENT:
                found.append((call, _Both()))
            else:
                found.append((call, _Both(unread=f"{name}()")))
        return found

    def table(self, call: ast.Call, place: int = 0, name: str = "model_name") -> str:
        return self.model(self.source.name(_argument(call, place, name)))

    def model(self, name: str) -> str:
        known = self.memory.get(f"table {self.app}.{name.lower()}")
        return quoted(str(known)) if known else quoted(f"{self.app}_{name.lower()}")

    def column(self, name: str, node: ast.expr | None) -> tuple[str, str]:
        """Name and definition of a column. Django sets defaults itself: a constant one is filled in without a rewrite."""
        kind = called(node) if node is not None else ""
        if kind == "manytomanyfield":
            return "", ""
        column = quoted(f"{name}_id" if kind in ("foreignkey", "onetoonefield") else name)
        words = [_type(node)]
        if not _true(node, "null"):
            words.append(
                "DEFAULT 0 NOT NULL"
                if _has(node, "default") or _has(node, "db_default") or kind.endswith("autofield")
                else "NOT NULL"
            )
        if _true(node, "unique") or kind == "onetoonefield":
            words.append("UNIQUE")
        return column, " ".join(words)


def _type(node: ast.expr | None) -> str:
    kind = called(node) if node is not None else ""
    known = _FIELDS.get(kind)
    if known is None:
        return f"kind_{kind or 'unknown'}"
    if known == "varchar":
        length = _number(node, "max_length") or _LENGTHS.get(kind, 0)
        return f"varchar({length})" if length else "varchar"
    if known == "numeric":
        digits, places = _number(node, "max_digits"), _number(node, "decimal_places")
        return f"numeric({digits},{places})" if digits else "numeric"
    return known


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    found = next((k.value for k in call.keywords if k.arg == name), None)
    return found if found is not None else call.args[place] if len(call.args) > place else None


def _has(node: ast.expr | None, name: str) -> bool:
    return isinstance(node, ast.Call) and any(k.arg == name for k in node.keywords)


def _true(node: ast.expr | None, name: str) -> bool:
    return isinstance(node, ast.Call) and any(
        k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is True for k in node.keywords
    )


def _number(node: ast.expr | None, name: str) -> int:
    for keyword in node.keywords if isinstance(node, ast.Call) else []:
        if keyword.arg == name and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, int):
            return keyword.value.value
    return 0


def _create_model(r: _Reading, call: ast.Call) -> _Both:
    model = r.source.name(_argument(call, 0, "name"))
    options = _argument(call, 2, "options")
    if isinstance(options, ast.Dict):
        given = {r.source.text(k): v for k, v in zip(options.keys, options.values, strict=True) if k is not None}
        if isinstance(given.get("managed"), ast.Constant) and given["managed"].value is False:  # type: ignore[attr-defined]
            return _Both()
        if isinstance(given.get("proxy"), ast.Constant) and given["proxy"].value is True:  # type: ignore[attr-defined]
            return _Both()
        if "db_table" in given and (named := r.source.text(given["db_table"])):
            r.memory[f"table {r.app}.{model.lower()}"] = named
    table = r.model(model)
    columns = []
    fields = _argument(call, 1, "fields")
    for pair in fields.elts if isinstance(fields, ast.List | ast.Tuple) else []:
        if isinstance(pair, ast.Tuple) and len(pair.elts) == 2:
            name = r.source.name(pair.elts[0])
            r.memory[f"field {table}.{name.lower()}"] = pair.elts[1]
            column, definition = r.column(name, pair.elts[1])
            if column:
                columns.append(f"{column} {definition}")
    return _Both([f"CREATE TABLE {table} ({', '.join(columns)})"], [f"DROP TABLE {table}"])


def _delete_model(r: _Reading, call: ast.Call) -> _Both:
    table = r.table(call, 0, "name")
    return _Both([f"DROP TABLE {table} CASCADE"], [f"CREATE TABLE {table} ()"])


def _add_field(r: _Reading, call: ast.Call) -> _Both:
    table, name, node = r.table(call), r.source.name(_argument(call, 1, "name")), _argument(call, 2, "field")
    r.memory[f"field {table}.{name.lower()}"] = node
    column, definition = r.column(name, node)
    if not column:
        other = quoted(f"{table.strip(chr(34))}_{name}")
        return _Both([f"CREATE TABLE {other} (id bigint)"], [f"DROP TABLE {other}"])
    forth = [f"ALTER TABLE {table} ADD COLUMN {column} {definition}"]
    if (called(node) == "foreignkey" and not _false(node, "db_index")) or _true(node, "db_index"):  # type: ignore[arg-type]
        forth.append(f"CREATE INDEX {quoted(name + '_idx')} ON {table} ({column})")
    return _Both(forth, [f"ALTER TABLE {table} DROP COLUMN {column}"])


def _false(node: ast.expr | None, name: str) -> bool:
    return isinstance(node, ast.Call) and any(
        k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is False for k in node.keywords
    )


def _remove_field(r: _Reading, call: ast.Call) -> _Both:
    table, name = r.table(call), r.source.name(_argument(call, 1, "name"))
    node = r.memory.pop(f"field {table}.{name.lower()}", None)
    column, definition = r.column(name, node) if isinstance(node, ast.expr) else (quoted(name), "text")
    if not column:
        other = quoted(f"{table.strip(chr(34))}_{name}")
        return _Both([f"DROP TABLE {other}"], [f"CREATE TABLE {other} (id bigint)"])
    return _Both(
        [f"ALTER TABLE {table} DROP COLUMN {column}"], [f"ALTER TABLE {table} ADD COLUMN {column} {definition}"]
    )


def _alter_field(r: _Reading, call: ast.Call) -> _Both:
    """Only what differs from the field that an earlier migration told; most changes are of texts for people."""
    table, name, node = r.table(call), r.source.name(_argument(call, 1, "name")), _argument(call, 2, "field")
    old = r.memory.get(f"field {table}.{name.lower()}")
    r.memory[f"field {table}.{name.lower()}"] = node
    if not isinstance(old, ast.expr) or node is None:
        return _Both()
    column, _ = r.column(name, node)
    both = _Both()
    if not column or both.back is None:
        return both
    was, now = _type(old), _type(node)
    if was != now and not {was, now} & {"varchar"}:
        both.forth.append(
            f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {now.replace('serial', 'integer')} /* was {was} */"
        )
        both.back.append(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {was.replace('serial', 'integer')}")
    if _true(old, "null") and not _true(node, "null"):
        if _has(node, "default"):
            both.forth.append(f"UPDATE {table} SET {column} = 0 WHERE {column} IS NULL")
        both.forth.append(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
        both.back.append(f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")
    if not _true(old, "unique") and _true(node, "unique"):
        both.forth.append(f"ALTER TABLE {table} ADD CONSTRAINT {quoted(name + '_uniq')} UNIQUE ({column})")
        both.back.append(f"ALTER TABLE {table} DROP CONSTRAINT {quoted(name + '_uniq')}")
    elif not _true(old, "db_index") and _true(node, "db_index"):
        both.forth.append(f"CREATE INDEX {quoted(name + '_idx')} ON {table} ({column})")
    return both


def _rename_field(r: _Reading, call: ast.Call) -> _Both:
    table = r.table(call)
    old, new = r.source.name(_argument(call, 1, "old_name")), r.source.name(_argument(call, 2, "new_name"))
    r.memory[f"field {table}.{new.lower()}"] = r.memory.pop(f"field {table}.{old.lower()}", None)
    text = "ALTER TABLE {} RENAME COLUMN {} TO {}"
    return _Both([text.format(table, quoted(old), quoted(new))], [text.format(table, quoted(new), quoted(old))])


def _rename_model(r: _Reading, call: ast.Call) -> _Both:
    old, new = r.table(call, 0, "old_name"), r.table(call, 1, "new_name")
    if old == new:
        return _Both()
    for key in [key for key in r.memory if key.startswith(f"field {old}.")]:
        r.memory[key.replace(f"field {old}.", f"field {new}.", 1)] = r.memory.pop(key)
    return _Both([f"ALTER TABLE {old} RENAME TO {new}"], [f"ALTER TABLE {new} RENAME TO {old}"])


def _alter_table_name(r: _Reading, call: ast.Call) -> _Both:
    model = r.source.name(_argument(call, 0, "name"))
    old, new = r.model(model), r.source.text(_argument(call, 1, "table"))
    if not new:
        return _Both()
    r.memory[f"table {r.app}.{model.lower()}"] = new
    return _Both([f"ALTER TABLE {old} RENAME TO {quoted(new)}"], [f"ALTER TABLE {quoted(new)} RENAME TO {old}"])


def _add_index(concurrently: str) -> Any:
    def handler(r: _Reading, call: ast.Call) -> _Both:
        index = _argument(call, 1, "index")
        fields = (
            next((k.value for k in index.keywords if k.arg == "fields"), None) if isinstance(index, ast.Call) else None
        )
        name = next((k.value for k in index.keywords if k.arg == "name"), None) if isinstance(index, ast.Call) else None
        columns = listed(n.lstrip("-") for n in r.source.names(fields)) or "unnamed"
        named = quoted(r.source.name(name))
        return _Both(
            [f"CREATE INDEX {concurrently}{named} ON {r.table(call)} ({columns})"],
            [f"DROP INDEX {concurrently}{named}"],
        )

    return handler


def _remove_index(concurrently: str) -> Any:
    def handler(r: _Reading, call: ast.Call) -> _Both:
        named = quoted(r.source.name(_argument(call, 1, "name")))
        return _Both(
            [f"DROP INDEX {concurrently}{named}"], [f"CREATE INDEX {concurrently}{named} ON {r.table(call)} (unnamed)"]
        )

    return handler


def _add_constraint(r: _Reading, call: ast.Call) -> _Both:
    constraint = _argument(call, 1, "constraint")
    name = (
        quoted(r.source.name(next((k.value for k in constraint.keywords if k.arg == "name"), None)))
        if isinstance(constraint, ast.Call)
        else "unnamed"
    )
    table = r.table(call)
    if constraint is not None and called(constraint) == "uniqueconstraint" and not _has(constraint, "condition"):
        fields = next((k.value for k in constraint.keywords if k.arg == "fields"), None)  # type: ignore[attr-defined]
        kind = f"UNIQUE ({listed(r.source.names(fields)) or 'unnamed'})"
    elif constraint is not None and called(constraint) == "uniqueconstraint":
        return _Both([f"CREATE UNIQUE INDEX {name} ON {table} (unnamed) WHERE true"], [f"DROP INDEX {name}"])
    elif constraint is not None and called(constraint) == "exclusionconstraint":
        kind = "EXCLUDE USING gist (unnamed WITH =)"
    else:
        kind = "CHECK (condition_of_the_model)"
    valid = " NOT VALID" if called(call).endswith("notvalid") else ""
    return _Both(
        [f"ALTER TABLE {table} ADD CONSTRAINT {name} {kind}{valid}"], [f"ALTER TABLE {table} DROP CONSTRAINT {name}"]
    )


def _remove_constraint(r: _Reading, call: ast.Call) -> _Both:
    return _Both(
        [f"ALTER TABLE {r.table(call)} DROP CONSTRAINT {quoted(r.source.name(_argument(call, 1, 'name')))}"], []
    )


def _together(kind: str) -> Any:
    def handler(r: _Reading, call: ast.Call) -> _Both:
        model, value = r.table(call, 0, "name"), _argument(call, 1, f"{kind}_together")
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
        return _Both(found, [])

    return handler


def _run_sql(r: _Reading, call: ast.Call) -> _Both:
    both = _Both(forth_sql=_sql(r, _argument(call, 0, "sql")))
    if not both.forth_sql:
        both.unread = "RunSQL() of something built at run time"
    back = _argument(call, 1, "reverse_sql")
    if back is None or (isinstance(back, ast.Constant) and back.value is None):
        both.back = None
    elif "noop" not in ast.unparse(back):
        both.back_sql = _sql(r, back)
    return both


def _sql(r: _Reading, node: ast.expr | None) -> list[Statement]:
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else [node] if node is not None else []
    found: list[Statement] = []
    for part in parts:
        if isinstance(part, ast.Tuple) and part.elts:
            part = part.elts[0]
        text = r.source.text(part)
        if text is not None:
            found += embedded(text, part.lineno)
    return found


def _run_python(r: _Reading, call: ast.Call) -> _Both:
    code, back = _argument(call, 0, "code"), _argument(call, 1, "reverse_code")
    none = back is None or (isinstance(back, ast.Constant) and back.value is None)
    harmless = code is None or "noop" in ast.unparse(code)
    return _Both(back=None if none else [], unread="" if harmless else f"RunPython({ast.unparse(code)[:40]})")  # type: ignore[arg-type]


def _extension(name: str) -> Any:
    def handler(r: _Reading, call: ast.Call) -> _Both:
        named = name or r.source.name(_argument(call, 0, "name"))
        return _Both([f'CREATE EXTENSION IF NOT EXISTS "{named}"'], [])

    return handler


_OPERATIONS: dict[str, Any] = {
    "createmodel": _create_model, "deletemodel": _delete_model, "addfield": _add_field, "removefield": _remove_field,
    "alterfield": _alter_field, "renamefield": _rename_field, "renamemodel": _rename_model,
    "altermodeltable": _alter_table_name, "addindex": _add_index(""), "addindexconcurrently": _add_index("CONCURRENTLY "),
    "removeindex": _remove_index(""), "removeindexconcurrently": _remove_index("CONCURRENTLY "),
    "renameindex": lambda r, c: _Both(), "addconstraint": _add_constraint, "addconstraintnotvalid": _add_constraint,
    "validateconstraint": lambda r, c: _Both(), "removeconstraint": _remove_constraint,
    "alteruniquetogether": _together("unique"), "alterindextogether": _together("index"), "runsql": _run_sql,
    "runpython": _run_python, "createextension": _extension(""), "trigramextension": _extension("pg_trgm"),
    "btreeginextension": _extension("btree_gin"), "btreegistextension": _extension("btree_gist"),
    "citextextension": _extension("citext"), "hstoreextension": _extension("hstore"),
    "unaccentextension": _extension("unaccent"), "cryptoextension": _extension("pgcrypto"),
}  # fmt: skip
