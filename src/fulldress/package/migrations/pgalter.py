"""ALTER TABLE in PostgreSQL: columns, their types, constraints, partitions, triggers.

Sources: PostgreSQL's manual, ALTER TABLE ("Notes"), and ``ATColumnChangeRequiresRewrite`` in its source.
"""

from __future__ import annotations

from typing import Any

from fulldress.package.migrations import columntypes, preflight
from fulldress.package.migrations.pgtree import Judged, State, library, names_of, nodes, parse, table_of
from fulldress.patterns import regex

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
_REWRITES = {
    "AT_SetLogged": "the whole table is written anew, and to the log",
    "AT_SetUnLogged": "the whole table is written anew, and empty after a crash from then on",
    "AT_SetTableSpace": "the whole table is copied to another place while nobody can read or write it",
    "AT_SetAccessMethod": "the whole table is written anew",
    "AT_SetExpression": "the whole table is written anew",
}
_WAS = regex(r"/\* was (?P<type>[\w ]+(?:\([\d,]+\))?) \*/$")


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


def alter(node: Any, state: State, found: Judged) -> None:
    pb = nodes()

    if node.objtype not in (pb.OBJECT_TABLE, pb.OBJECT_FOREIGN_TABLE, pb.OBJECT_MATVIEW):
        return
    table = table_of(node.relation)
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
        name = (names_of(call.funcname) or [""])[-1]
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
        columns = names_of(constraint.fk_attrs) or ([column] if column else [])
        other = constraint.pktable.relname
        if not empty:
            found.preflight.append(preflight.foreign(table, columns, other, names_of(constraint.pk_attrs)))
        if not constraint.skip_validation and not empty:
            says = f"every row is checked against {other} while nobody can write to either (no NOT VALID)"
            found.add("scan", table, says)
    elif kind in (pb.CONSTR_UNIQUE, pb.CONSTR_PRIMARY):
        if constraint.indexname:
            return
        columns = names_of(constraint.keys) or ([column] if column else [])
        found.preflight.append(preflight.unique(table, columns))
        found.add("index", table, "nobody can read or write it until its index is built (no USING INDEX)")
    elif kind == pb.CONSTR_EXCLUSION:
        found.add("index", table, "nobody can read or write it until its index is built; there is no way around")
    elif kind == pb.CONSTR_NOTNULL:
        columns = names_of(constraint.keys)
        found.preflight.extend(preflight.not_null(table, name) for name in columns)
        if not constraint.skip_validation and not any((table, name) in state.proven for name in columns):
            found.add("scan", table, "every row is read while nobody can read or write it (no NOT VALID)")


def _proves_not_null(expression: Any) -> str:
    pb = nodes()

    test = expression.null_test
    if expression.WhichOneof("node") == "null_test" and test.nulltesttype == pb.IS_NOT_NULL:
        names = names_of(test.arg.column_ref.fields)
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
