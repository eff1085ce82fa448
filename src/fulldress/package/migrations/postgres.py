"""What a statement does to PostgreSQL's tables, judged on libpg_query's tree of it (:mod:`.pgtree`).

ALTER TABLE is judged in :mod:`.pgalter`. Sources: PostgreSQL's manual, "Explicit Locking", CREATE INDEX ("Building Indexes
Concurrently").
"""

from __future__ import annotations

from typing import Any

from fulldress.package.migrations import columntypes, pgalter, preflight
from fulldress.package.migrations.pgtree import Judged, State, names_of, nodes, table_of


def judge(tree: Any, state: State) -> Judged:
    """What the statement does; ``state`` is brought up to date."""
    found = Judged()
    _judge(tree, state, found, 0)
    return found


def _judge(tree: Any, state: State, found: Judged, depth: int) -> None:
    kind = tree.WhichOneof("node")
    if kind is None:
        return
    node: Any = getattr(tree, kind)
    if kind in _CARRIERS and depth < _DEPTH:  # WITH gone AS (DELETE …) does it as well as a DELETE of its own
        for item in node.with_clause.ctes:
            _judge(item.common_table_expr.ctequery, state, found, depth + 1)
    if kind == "explain_stmt" and any(option.def_elem.defname == "analyze" for option in node.options):
        _judge(node.query, state, found, depth + 1)
    handler = _HANDLERS.get(kind)
    if handler is not None:
        handler(node, state, found)


def _holds_always(condition: Any) -> bool:
    """``WHERE true``, ``WHERE 1 = 1``: as good as none."""
    if condition.HasField("a_const"):
        return bool(condition.a_const.boolval.boolval)
    if not condition.HasField("a_expr"):
        return False
    expression = condition.a_expr
    left, right = expression.lexpr, expression.rexpr
    names = [name.string.sval for name in expression.name]
    if names != ["="] or not (left.HasField("a_const") and right.HasField("a_const")):
        return False
    kind = left.a_const.WhichOneof("val")
    return bool(
        kind and kind == right.a_const.WhichOneof("val") and getattr(left.a_const, kind) == getattr(right.a_const, kind)
    )


def _create(node: Any, state: State, found: Judged) -> None:
    table = table_of(node.relation)
    state.created.add(table)  # IF NOT EXISTS, too: where it exists, the rest of the script was made for it as well
    for element in node.table_elts:
        if element.HasField("column_def"):
            column = element.column_def
            state.types[table, column.colname] = columntypes.of(column.type_name)


def _create_as(node: Any, state: State, found: Judged) -> None:
    if node.into.HasField("rel"):
        state.created.add(table_of(node.into.rel))


def _index(node: Any, state: State, found: Judged) -> None:
    table = table_of(node.relation)
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


#: What is gone with an object that is dropped; tables, schemas and indexes are judged one by one.
_DROPPED = {
    "materialized view": "the rows it holds are gone; they can be computed again",
    "sequence": "where it had counted to is gone",
}
#: The same of those that lose something with CASCADE only: without it, PostgreSQL refuses while they are used.
_DROPPED_WITH_CASCADE = {
    "type": "every column of that type is dropped with it (CASCADE)",
    "domain": "every column of that type is dropped with it (CASCADE)",
    "extension": "every column and index that uses the extension goes with it (CASCADE)",
}


def _drop(node: Any, state: State, found: Judged) -> None:
    pb = nodes()

    what = pb.ObjectType.Name(node.remove_type).removeprefix("OBJECT_").lower().replace("matview", "materialized view")
    cascade = " and all that hangs on it (CASCADE)" if node.behavior == pb.DROP_CASCADE else ""
    says = _DROPPED.get(what) or (_DROPPED_WITH_CASCADE.get(what) if cascade else None)
    for item in node.objects:
        name = ".".join(names_of(item.list.items)) if item.HasField("list") else item.string.sval
        plain = name.rpartition(".")[2]
        if what == "table" and plain not in state.created:
            found.add("lost", plain, f"the table and its rows are gone{cascade}")
        elif what == "schema":
            found.add("lost", "", f"everything in schema {name} is gone{cascade}")
        elif what == "index":
            if not node.concurrent:
                found.add("drop index", plain, "readers and writers wait for its lock")
            elif state.wrapped:
                found.add("fails", plain, "DROP INDEX CONCURRENTLY cannot run inside a transaction block")
        elif says:
            found.add("lost", plain, says)


def _truncate(node: Any, state: State, found: Judged) -> None:
    pb = nodes()

    for relation in node.relations:
        table = table_of(relation.range_var)
        if table not in state.created:
            cascade = node.behavior == pb.DROP_CASCADE
            found.add("lost", table, "all rows are gone" + (", and those of tables that refer to it" * cascade))


def _rows(joined: str, whole: tuple[str, str], some: str) -> Any:
    """DELETE and UPDATE: ``joined`` is the field with the other tables, ``whole`` kind and text where all rows are meant,
    ``some`` the text where a condition or another table chooses them."""

    def handler(node: Any, state: State, found: Judged) -> None:
        table = table_of(node.relation)
        if table in state.created:
            return
        chosen = node.HasField("where_clause") and not _holds_always(node.where_clause)
        if not chosen and not getattr(node, joined):
            found.add(whole[0], table, whole[1])
        else:
            found.add("rows", table, some)

    return handler


def _insert(node: Any, state: State, found: Judged) -> None:
    if not node.HasField("select_stmt"):
        return
    select = node.select_stmt.select_stmt
    sources = [f.range_var for f in select.from_clause if f.HasField("range_var")]
    if not sources or select.HasField("where_clause") or select.HasField("limit_count") or select.group_clause:
        return
    whole = [s.relname for s in sources if s.relname not in state.created]
    if whole:
        found.add("copies", table_of(node.relation), f"copies every row of {whole[0]}")


def _rename(node: Any, state: State, found: Judged) -> None:
    pb = nodes()

    table = table_of(node.relation)
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
        table = table_of(relation.range_var)
        if table not in state.created and node.mode >= 5:  # ShareLock and stronger: writers wait
            who = "read or write" if node.mode == 8 else "write to"
            found.add("lock", table, f"nobody can {who} it until the transaction ends")


def _trigger(node: Any, state: State, found: Judged) -> None:
    table = table_of(node.relation)
    if table not in state.created:
        found.add("brief", table, "waits for all writers, and they for it")


def _enum(node: Any, state: State, found: Judged) -> None:
    if node.new_val and not node.old_val:
        state.values.add(node.new_val)
        if state.wrapped:
            found.add("added value", names_of(node.type_name)[-1], node.new_val)
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


def _owned(node: Any, state: State, found: Judged) -> None:
    names = ", ".join(item.role_spec.rolename or "the current role" for item in node.roles)
    found.add("lost", "", f"all that {names} owns in this database is gone")


#: Statements that may begin with WITH.
_CARRIERS = frozenset({"select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"})
_DEPTH = 20  #: of WITH inside WITH

_HANDLERS: dict[str, Any] = {
    "create_stmt": _create,
    "create_table_as_stmt": _create_as,
    "index_stmt": _index,
    "drop_stmt": _drop,
    "truncate_stmt": _truncate,
    "delete_stmt": _rows(
        "using_clause", ("lost", "all rows are gone"), "rows are deleted; no statement brings them back"
    ),
    "update_stmt": _rows(
        "from_clause",
        ("every row", "every row is written anew and stays locked until the end of the transaction"),
        "rows are overwritten; their old values are kept nowhere",
    ),
    "insert_stmt": _insert,
    "alter_table_stmt": pgalter.alter,
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
    "drop_owned_stmt": _owned,
    "variable_set_stmt": _set,
}
