"""What a statement does to PostgreSQL's tables, judged on libpg_query's tree of it.

Sources: PostgreSQL's manual, ALTER TABLE ("Notes"), "Explicit Locking", CREATE INDEX ("Building Indexes Concurrently"),
and ``ATColumnChangeRequiresRewrite`` in its source. One statement is parsed at a time, so that one which the grammar does
not know blinds nobody to the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from fulldress.package.migrations import columntypes, preflight
from fulldress.package.migrations.columntypes import Type

LONGEST = 20_000  #: characters of a statement; libpg_query walks its tree by recursion and has no limit of its own
DEEPEST = 60  #: parentheses in one another
MOST_SIGNS = 800  #: operators: ``1+1+1…`` nests as deep as it is long
_SIGN = re.compile(r"[:\-+*/<>=~!@#%^&|?]+|\b(?:AND|OR|NOT|IN|LIKE|UNION|CASE|JOIN)\b", re.I)
_PLACEHOLDER = re.compile(r"\$\{[\w.\-]+\}|\{\{\s*[\w.\-]+\s*\}\}|@[\w.\-]+@|(?<![:\w]):[\"']?[A-Za-z_]\w*[\"']?")

_VOLATILE = frozenset(
    [
        "random",
        "gen_random_uuid",
        "uuid_generate_v1",
        "uuid_generate_v1mc",
        "uuid_generate_v4",
        "clock_timestamp",
        "nextval",
        "timeofday",
        "uuidv7",
        "uuidv4",
        "txid_current",
        "gen_random_bytes",
        "pg_backend_pid",
    ]
)


@dataclass
class State:
    """What is known when a statement is reached: of this script, and of those before it."""

    created: set[str] = field(default_factory=set)  #: tables of this script: empty, nobody waits for them
    types: dict[tuple[str, str], Type] = field(default_factory=dict)  #: (table, column), over all scripts
    checks: dict[tuple[str, str], str] = field(default_factory=dict)  #: (table, constraint) -> column IS NOT NULL
    proven: set[tuple[str, str]] = field(default_factory=set)  #: columns of which a valid CHECK says NOT NULL
    wrapped: bool | None = None  #: whether a transaction is around the statement
    values: set[str] = field(default_factory=set)  #: enum values added in this transaction


@dataclass
class Said:
    """One consequence. ``kind`` as in :class:`fulldress.facts.database.Effect`."""

    kind: str
    table: str
    says: str


@dataclass
class Judged:
    said: list[Said] = field(default_factory=list)
    preflight: list[str] = field(default_factory=list)

    def add(self, kind: str, table: str, says: str) -> None:
        self.said.append(Said(kind, table, says))


@cache
def library() -> Any:
    """libpg_query. A tenth of a second, and only packages with migrations need it."""
    return import_module("postgast")


@cache
def nodes() -> Any:
    return import_module("postgast.pg_query_pb2")


def parse(text: str) -> Any | None:
    """The tree of one statement, or None: beyond the grammar, or too large to be parsed safely."""
    if len(text) > LONGEST or _deepest(text) > DEEPEST or len(_SIGN.findall(text)) > MOST_SIGNS or "\0" in text:
        return None
    postgast = library()
    from google.protobuf.message import DecodeError

    for attempt in (text, _PLACEHOLDER.sub(lambda m: re.sub(r"\W", "", m[0]) or "x", text)):
        try:
            found = postgast.parse(attempt)
        except (postgast.PgQueryError, DecodeError, UnicodeEncodeError):
            continue
        if found.stmts:
            return found.stmts[0].stmt
    return None


def _deepest(text: str) -> int:
    depth = deepest = 0
    for sign in re.findall(r"[()\[\]]", text):
        depth += 1 if sign in "([" else -1
        deepest = max(deepest, depth)
    return deepest


def judge(tree: Any, state: State) -> Judged:
    """What the statement does; ``state`` is brought up to date."""
    found = Judged()
    kind = tree.WhichOneof("node")
    handler = _HANDLERS.get(kind or "")
    if handler is not None:
        handler(getattr(tree, kind), state, found)
    return found


def _table(relation: Any) -> str:
    return str(relation.relname)


def _names(items: Any) -> list[str]:
    return [part.string.sval for part in items if part.HasField("string")]


def _create(node: Any, state: State, found: Judged) -> None:
    table = _table(node.relation)
    if not node.if_not_exists or node.relation.relpersistence == "t":
        state.created.add(table)
    else:
        state.created.add(table)  # where it exists already, the rest of the script was made for it as well
    for element in node.table_elts:
        if element.HasField("column_def"):
            column = element.column_def
            state.types[table, column.colname] = columntypes.of(column.type_name)


def _create_as(node: Any, state: State, found: Judged) -> None:
    if node.into.HasField("rel"):
        state.created.add(_table(node.into.rel))


def _index(node: Any, state: State, found: Judged) -> None:
    table = _table(node.relation)
    if table in state.created:
        return
    if node.concurrent:
        if state.wrapped:
            found.add("fails", table, "CREATE INDEX CONCURRENTLY cannot run inside a transaction block")
    else:
        found.add("index", table, "nobody can write to it until the index is built (no CONCURRENTLY)")
    if node.unique:
        columns = [e.index_elem.name for e in node.index_params if e.HasField("index_elem")]
        if all(columns):
            found.preflight.append(preflight.unique(table, columns, partial=node.HasField("where_clause")))


def _drop(node: Any, state: State, found: Judged) -> None:
    pb = nodes()

    what = pb.ObjectType.Name(node.remove_type).removeprefix("OBJECT_").lower().replace("matview", "materialized view")
    cascade = " and all that hangs on it (CASCADE)" if node.behavior == pb.DROP_CASCADE else ""
    for item in node.objects:
        name = ".".join(_names(item.list.items)) if item.HasField("list") else item.string.sval
        plain = name.rpartition(".")[2]
        if what == "table" and plain not in state.created:
            found.add("lost", plain, f"the table and its rows are gone{cascade}")
        elif what in ("schema",):
            found.add("lost", "", f"everything in schema {name} is gone{cascade}")
        elif what == "materialized view":
            found.add("lost", plain, "the rows it holds are gone; they can be computed again")
        elif what == "sequence":
            found.add("lost", plain, "where it had counted to is gone")
        elif what == "index":
            if not node.concurrent:
                found.add("drop index", plain, "readers and writers wait for its lock")
            elif state.wrapped:
                found.add("fails", plain, "DROP INDEX CONCURRENTLY cannot run inside a transaction block")
        elif what in ("type", "domain") and cascade:
            found.add("lost", plain, "every column of that type is dropped with it (CASCADE)")
        elif what == "extension" and cascade:
            found.add("lost", plain, "every column and index that uses the extension goes with it (CASCADE)")


def _truncate(node: Any, state: State, found: Judged) -> None:
    pb = nodes()

    for relation in node.relations:
        table = _table(relation.range_var)
        if table not in state.created:
            cascade = node.behavior == pb.DROP_CASCADE
            found.add("lost", table, "all rows are gone" + (", and those of tables that refer to it" * cascade))


def _delete(node: Any, state: State, found: Judged) -> None:
    table = _table(node.relation)
    if table in state.created:
        return
    if not node.HasField("where_clause") and not node.using_clause:
        found.add("lost", table, "all rows are gone")
    else:
        found.add("rows", table, "rows are deleted; no statement brings them back")


def _update(node: Any, state: State, found: Judged) -> None:
    table = _table(node.relation)
    if table in state.created:
        return
    if not node.HasField("where_clause") and not node.from_clause:
        found.add("every row", table, "every row is written anew and stays locked until the end of the transaction")
    else:
        found.add("rows", table, "rows are overwritten; their old values are kept nowhere")


def _insert(node: Any, state: State, found: Judged) -> None:
    if not node.HasField("select_stmt"):
        return
    select = node.select_stmt.select_stmt
    sources = [f.range_var for f in select.from_clause if f.HasField("range_var")]
    if not sources or select.HasField("where_clause") or select.HasField("limit_count") or select.group_clause:
        return
    whole = [s.relname for s in sources if s.relname not in state.created]
    if whole:
        found.add("copies", _table(node.relation), f"copies every row of {whole[0]}")


_WAS = re.compile(r"/\* was (?P<type>[\w ]+(?:\([\d,]+\))?) \*/$")


def told_old_type(text: str, tree: Any, state: State) -> None:
    """A translated change of type names the old one in a comment; what earlier scripts told counts for more."""
    match = _WAS.search(text)
    was = parse(f"SELECT NULL::{match['type']}") if match else None
    if was is None or not tree.HasField("alter_table_stmt"):
        return
    node = tree.alter_table_stmt
    for command in node.cmds:
        place = node.relation.relname, command.alter_table_cmd.name
        cast = was.select_stmt.target_list[0].res_target.val.type_cast
        state.types.setdefault(place, columntypes.of(cast.type_name))


def _alter(node: Any, state: State, found: Judged) -> None:
    pb = nodes()

    if node.objtype not in (pb.OBJECT_TABLE, pb.OBJECT_FOREIGN_TABLE, pb.OBJECT_MATVIEW):
        return
    table = _table(node.relation)
    for command in node.cmds:
        _alter_one(
            command.alter_table_cmd, pb.AlterTableType.Name(command.alter_table_cmd.subtype), table, state, found
        )


def _alter_one(command: Any, what: str, table: str, state: State, found: Judged) -> None:
    pb = nodes()

    fresh = table in state.created
    definition = command.__getattribute__("def")
    if what == "AT_AddColumn":
        _add_column(definition.column_def, table, fresh, state, found)
    elif what == "AT_AddConstraint":
        _constraint(definition.constraint, "", table, fresh, state, found)
    elif what == "AT_DropConstraint":
        state.proven -= {(table, state.checks.pop((table, command.name), ""))}
    elif what == "AT_ValidateConstraint":
        if (column := state.checks.get((table, command.name))) is not None:
            state.proven.add((table, column))
        found.add("reads all", table, "reads every row, without keeping others out")
    elif fresh:
        if what == "AT_AlterColumnType":
            state.types[table, command.name] = columntypes.of(definition.column_def.type_name)
        return
    elif what == "AT_DropColumn":
        cascade = ", and all that hangs on it (CASCADE)" * (command.behavior == pb.DROP_CASCADE)
        found.add("lost", table, f"what column {command.name} holds is gone{cascade}")
        state.types.pop((table, command.name), None)
    elif what == "AT_AlterColumnType":
        _change_type(command.name, definition.column_def, table, state, found)
    elif what == "AT_SetNotNull":
        found.preflight.append(preflight.not_null(table, command.name))
        if (table, command.name) in state.proven:
            return
        found.add("scan", table, "every row is read while nobody can read or write it (no valid CHECK proves it)")
    elif what in _REWRITES:
        found.add("rewrite", table, _REWRITES[what])
    elif what == "AT_AttachPartition":
        part = definition.partition_cmd.name.relname
        if part not in state.created:
            found.add("scan", table, f"reads every row of {part} under a lock unless a CHECK proves its bounds")
    elif what == "AT_DetachPartition":
        if not definition.partition_cmd.concurrent:
            found.add("lock", table, "nobody can read or write it meanwhile (no CONCURRENTLY)")
    elif what in ("AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser"):
        found.add("trigger", table, f"trigger {command.name or 'ALL'} is switched off")
    elif what in ("AT_EnableTrig", "AT_EnableTrigAll", "AT_EnableTrigUser"):
        found.add("trigger on", table, command.name or "ALL")


_REWRITES = {
    "AT_SetLogged": "the whole table is written anew, and to the log",
    "AT_SetUnLogged": "the whole table is written anew, and empty after a crash from then on",
    "AT_SetTableSpace": "the whole table is copied to another place while nobody can read or write it",
    "AT_SetAccessMethod": "the whole table is written anew",
    "AT_SetExpression": "the whole table is written anew",
}


def _add_column(column: Any, table: str, fresh: bool, state: State, found: Judged) -> None:
    pb = nodes()

    kind = columntypes.of(column.type_name)
    state.types[table, column.colname] = kind
    kinds = {c.constraint.contype: c.constraint for c in column.constraints}
    if fresh:
        return
    if (
        kind.name in ("serial", "bigserial", "smallserial", "serial4", "serial8", "serial2")
        or pb.CONSTR_IDENTITY in kinds
    ):
        found.add("rewrite", table, f"every row is given a number for {column.colname}")
    elif pb.CONSTR_GENERATED in kinds and "STORED" in _generated(kinds[pb.CONSTR_GENERATED]):
        found.add("rewrite", table, f"{column.colname} is computed for every row")
    elif pb.CONSTR_DEFAULT in kinds:
        called = _volatile(kinds[pb.CONSTR_DEFAULT].raw_expr)
        if called:
            found.add("rewrite", table, f"{called}() is called for every row")
    elif pb.CONSTR_NOTNULL in kinds and pb.CONSTR_GENERATED not in kinds:
        found.add(
            "fails on rows", table, f"NOT NULL without a default for {column.colname}: fails on a table with rows"
        )
    for contype, constraint in kinds.items():
        if contype in (pb.CONSTR_FOREIGN, pb.CONSTR_CHECK, pb.CONSTR_UNIQUE, pb.CONSTR_PRIMARY):
            empty = contype == pb.CONSTR_FOREIGN and pb.CONSTR_DEFAULT not in kinds
            _constraint(constraint, column.colname, table, fresh, state, found, empty=empty)


def _generated(constraint: Any) -> str:
    return "VIRTUAL" if getattr(constraint, "generated_kind", "s") == "v" else "STORED"


def _volatile(node: Any) -> str:
    """The volatile function that a default calls, at any depth. Functions of the vendor's own are volatile unless told
    otherwise; their volatility does not stand here, so they are not taken for it."""
    postgast = library()
    pb = nodes()

    for call in postgast.find_nodes(node, pb.FuncCall):
        name = (_names(call.funcname) or [""])[-1]
        if name in _VOLATILE:
            return name
    return ""


def _constraint(
    constraint: Any, column: str, table: str, fresh: bool, state: State, found: Judged, *, empty: bool = False
) -> None:
    """A constraint that is added; ``empty``: of a new column in which every row has NULL."""
    pb = nodes()

    kind = constraint.contype
    if kind == pb.CONSTR_CHECK:
        proves = _proves_not_null(constraint.raw_expr)
        if proves:
            state.checks[table, constraint.conname] = proves
            if not constraint.skip_validation:
                state.proven.add((table, proves))
        if fresh:
            return
        found.preflight.append(preflight.check(table, constraint.raw_expr))
        if not constraint.skip_validation:
            found.add("scan", table, "every row is read while nobody can read or write it (no NOT VALID)")
    elif fresh:
        if kind == pb.CONSTR_FOREIGN and constraint.pktable.relname not in state.created:
            found.add(
                "both tables", constraint.pktable.relname, "writers to it wait, too, while the foreign key is made"
            )
    elif kind == pb.CONSTR_FOREIGN:
        columns = _names(constraint.fk_attrs) or ([column] if column else [])
        other = constraint.pktable.relname
        if not empty:
            found.preflight.append(preflight.foreign(table, columns, other, _names(constraint.pk_attrs)))
        if not constraint.skip_validation and not empty:
            says = f"every row is checked against {other} while nobody can write to either (no NOT VALID)"
            found.add("scan", table, says)
    elif kind in (pb.CONSTR_UNIQUE, pb.CONSTR_PRIMARY):
        if constraint.indexname:
            return
        columns = _names(constraint.keys) or ([column] if column else [])
        found.preflight.append(preflight.unique(table, columns))
        found.add("index", table, "nobody can read or write it until its index is built (no USING INDEX)")
    elif kind == pb.CONSTR_EXCLUSION:
        found.add("index", table, "nobody can read or write it until its index is built; there is no way around")
    elif kind == pb.CONSTR_NOTNULL:
        columns = _names(constraint.keys)
        found.preflight.extend(preflight.not_null(table, name) for name in columns)
        if not constraint.skip_validation and not any((table, name) in state.proven for name in columns):
            found.add("scan", table, "every row is read while nobody can read or write it (no NOT VALID)")


def _proves_not_null(expression: Any) -> str:
    pb = nodes()

    test = expression.null_test
    if expression.WhichOneof("node") == "null_test" and test.nulltesttype == pb.IS_NOT_NULL:
        names = _names(test.arg.column_ref.fields)
        return names[-1] if names else ""
    return ""


def _change_type(name: str, definition: Any, table: str, state: State, found: Judged) -> None:
    old = state.types.get((table, name))
    new = columntypes.of(definition.type_name)
    state.types[table, name] = new
    converts = definition.HasField("raw_default") and not _is_plain_cast(definition.raw_default)
    verdict = columntypes.change(old, new, converts=converts)
    if verdict.narrows:
        found.add(
            "lost",
            table,
            f"{name} becomes {new.shown()} from {old.shown() if old else '?'}: what does not fit is cut or refused",
        )
        found.preflight.extend(preflight.narrow(table, name, new))
    if verdict.rewrites:
        says = "the whole table and its indexes are written anew while nobody can read or write it"
        unless = (
            "the session's time zone is UTC"
            if old and old.name.startswith("timestamp")
            else f"{name} only becomes wider"
        )
        found.add("rewrite", table, says if verdict.rewrites == "yes" else f"{says}, unless {unless}")


def _is_plain_cast(node: Any) -> bool:
    """``USING col::type``: says no more than TYPE does."""
    which = node.WhichOneof("node")
    if which == "type_cast":
        return bool(node.type_cast.arg.WhichOneof("node") == "column_ref")
    return bool(which == "column_ref")


def _rename(node: Any, state: State, found: Judged) -> None:
    pb = nodes()

    table = _table(node.relation)
    if node.rename_type == pb.OBJECT_TABLE:
        if table in state.created:
            state.created.add(node.newname)
        else:
            found.add("rename", table, f"the running version still asks for {table}, which is {node.newname} now")
        for place in [place for place in state.types if place[0] == table]:
            state.types[node.newname, place[1]] = state.types.pop(place)
    elif node.rename_type == pb.OBJECT_COLUMN and node.relation_type == pb.OBJECT_TABLE:
        if table not in state.created:
            found.add(
                "rename", table, f"the running version still asks for {node.subname}, which is {node.newname} now"
            )
        if (table, node.subname) in state.types:
            state.types[table, node.newname] = state.types.pop((table, node.subname))


def _vacuum(node: Any, state: State, found: Judged) -> None:
    options = {o.def_elem.defname.lower() for o in node.options}
    tables = [r.vacuum_relation.relation.relname for r in node.rels]
    if node.is_vacuumcmd and state.wrapped:
        found.add("fails", ", ".join(tables), "VACUUM cannot run inside a transaction block")
    if "full" in options:
        found.add("rewrite", ", ".join(tables) or "every table", "written anew while nobody can read or write it")


def _refresh(node: Any, state: State, found: Judged) -> None:
    if not node.concurrent and node.relation.relname not in state.created:
        found.add("lock", node.relation.relname, "nobody can read it until it is filled (no CONCURRENTLY)")


def _reindex(node: Any, state: State, found: Judged) -> None:
    concurrently = any(p.def_elem.defname == "concurrently" for p in node.params)
    if not concurrently:
        found.add("index", node.relation.relname or node.name, "nobody can write to it meanwhile (no CONCURRENTLY)")
    elif state.wrapped:
        found.add("fails", node.relation.relname, "REINDEX CONCURRENTLY cannot run inside a transaction block")


def _cluster(node: Any, state: State, found: Judged) -> None:
    found.add(
        "rewrite", node.relation.relname or "every clustered table", "written anew while nobody can read or write it"
    )


def _lock(node: Any, state: State, found: Judged) -> None:
    for relation in node.relations:
        table = _table(relation.range_var)
        if table not in state.created and node.mode >= 5:  # ShareLock and stronger: writers wait
            who = "read or write" if node.mode == 8 else "write to"
            found.add("lock", table, f"nobody can {who} it until the transaction ends")


def _trigger(node: Any, state: State, found: Judged) -> None:
    table = _table(node.relation)
    if table not in state.created:
        found.add("brief", table, "waits for all writers, and they for it")


def _enum(node: Any, state: State, found: Judged) -> None:
    if node.new_val and not node.old_val:
        state.values.add(node.new_val)
        if state.wrapped:
            found.add("added value", _names(node.type_name)[-1], node.new_val)
    elif node.old_val:
        found.add("rename", "", f"the running version still writes {node.old_val!r}, which is {node.new_val!r} now")


def _rights(says: str) -> Any:
    def handler(node: Any, state: State, found: Judged) -> None:
        found.add("rights", getattr(node, "extname", "") or getattr(node, "role", ""), says)

    return handler


def _extension(node: Any, state: State, found: Judged) -> None:
    if node.extname in columntypes.TRUSTED_EXTENSIONS:
        says = f"extension {node.extname} has to be installed on the server; the role needs CREATE on the database"
    else:
        says = f"extension {node.extname} has to be installed on the server, and only a superuser may create it"
    found.add("rights", node.extname, says)


def _system(node: Any, state: State, found: Judged) -> None:
    found.add("rights", "", "ALTER SYSTEM changes the whole server, and only a superuser may")


def _drop_database(node: Any, state: State, found: Judged) -> None:
    found.add("lost", node.dbname, "the whole database is gone")


def _set(node: Any, state: State, found: Judged) -> None:
    if node.name == "session_replication_role" and any(a.a_const.sval.sval == "replica" for a in node.args):
        found.add(
            "trigger", "", "triggers and foreign keys are switched off for the session (session_replication_role)"
        )
        found.add("rights", "", "session_replication_role may be set by a superuser only")


_HANDLERS: dict[str, Any] = {
    "create_stmt": _create,
    "create_table_as_stmt": _create_as,
    "index_stmt": _index,
    "drop_stmt": _drop,
    "truncate_stmt": _truncate,
    "delete_stmt": _delete,
    "update_stmt": _update,
    "insert_stmt": _insert,
    "alter_table_stmt": _alter,
    "rename_stmt": _rename,
    "vacuum_stmt": _vacuum,
    "refresh_mat_view_stmt": _refresh,
    "reindex_stmt": _reindex,
    "cluster_stmt": _cluster,
    "lock_stmt": _lock,
    "create_trig_stmt": _trigger,
    "alter_enum_stmt": _enum,
    "create_extension_stmt": _extension,
    "create_role_stmt": _rights("creates a role: the one that runs it needs CREATEROLE"),
    "alter_system_stmt": _system,
    "dropdb_stmt": _drop_database,
    "variable_set_stmt": _set,
}
