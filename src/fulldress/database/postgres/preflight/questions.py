"""From a statement to the questions whose answers name the rows on which it would fail.

Each question is a SELECT of two columns: rows by their key, as text, and how many they are. It is asked at the state right
before the statement. Where a value has to survive a conversion, a function of the session tries it row by row, with the
server's own assignment cast: no rule of ours about lengths, ranges or formats can then differ from the server's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fulldress.database.postgres.clone import literal, quote
from fulldress.database.postgres.preflight.catalog import Catalog, Column, Table
from fulldress.database.postgres.preflight.partitions import bound
from fulldress.package.migrations.pgtree import library, names_of, nodes, parse

_SERIALS = {"serial", "serial2", "serial4", "serial8", "bigserial", "smallserial"}
_WIDER = {
    "smallint": {"integer", "bigint", "numeric", "real", "double precision", "text"},
    "integer": {"bigint", "numeric", "double precision", "text"},
    "bigint": {"numeric", "text"},
    "character varying": {"text", "character varying"},
    "text": {"text", "character varying"},
    "character": {"text"},
    "date": {"text"},
    "uuid": {"text"},
    "boolean": {"text"},
}
_BTREE_MOST = 2704  #: bytes of one entry of a btree (nbtree.h, BTMaxItemSize, pages of 8 kB)


class Question(NamedTuple):
    """``select``: rows by their key and their number. ``tries``: body of the function ``pg_temp.fulldress_try``."""

    kind: str
    table: str
    columns: tuple[str, ...]
    select: str
    constraint: str = ""
    tries: str = ""
    plain: str = ""  #: a shorter query for people, where ``select`` is long
    needs: str = ""  #: kind of a question that has to be answered with none before this one means anything


@dataclass
class Source:
    """Rows of a table with the columns that the same statement adds to it."""

    table: Table
    added: dict[str, tuple[str, str]] = field(default_factory=dict)  #: column -> default, type

    @property
    def rows(self) -> str:
        name = quote(self.table.bare)
        if not self.added:
            return f"{self.table.sql} AS {name}"
        more = ", ".join(f"CAST({value} AS {kind}) AS {quote(column)}" for column, (value, kind) in self.added.items())
        return f"(SELECT tableoid, ctid, *, {more} FROM {self.table.sql} AS {name}) AS {name}"

    @property
    def key(self) -> str:
        """Text that names a row: its primary key, else its place."""
        name = quote(self.table.bare)
        keys = self.table.keys
        if not keys:
            return f"{name}.tableoid::regclass::text || ' ' || {name}.ctid::text"
        return " || ', ' || ".join(f"{literal(key + '=')} || {name}.{quote(key)}::text" for key in keys)

    @property
    def order(self) -> str:
        name = quote(self.table.bare)
        return ", ".join(f"{name}.{quote(key)}" for key in self.table.keys) or f"{name}.tableoid, {name}.ctid"

    def where(self, condition: str, note: str = "") -> str:
        shown = f"{self.key} || {note}" if note else self.key
        return f"SELECT {shown} AS row, 1::int8 AS n FROM {self.rows} WHERE {condition} ORDER BY {self.order}"


def asked(tree: Any) -> bool:
    """Whether a statement is of a kind that questions are asked about; no catalogue needed."""
    if tree.HasField("alter_table_stmt"):
        pb = nodes()
        telling = {
            pb.AT_AddColumn, pb.AT_AddConstraint, pb.AT_SetNotNull, pb.AT_ValidateConstraint, pb.AT_AlterColumnType,
            pb.AT_AttachPartition,
        }  # fmt: skip
        return any(command.alter_table_cmd.subtype in telling for command in tree.alter_table_stmt.cmds)
    if tree.HasField("index_stmt"):
        return True
    if tree.HasField("create_stmt"):
        return bool(tree.create_stmt.HasField("partbound"))
    return bool(tree.HasField("alter_domain_stmt"))


def questions(tree: Any, catalog: Catalog) -> Iterator[Question]:
    if tree.HasField("alter_table_stmt"):
        yield from _alter(tree.alter_table_stmt, catalog)
    elif tree.HasField("index_stmt"):
        yield from _index(tree.index_stmt, catalog)
    elif tree.HasField("alter_domain_stmt"):
        yield from _domain(tree.alter_domain_stmt, catalog)
    elif tree.HasField("create_stmt") and tree.create_stmt.HasField("partbound"):
        for parent in tree.create_stmt.inh_relations:
            yield from _beside_default(parent.range_var, tree.create_stmt.partbound, catalog)


def text_of(expression: Any) -> str:
    """libpg_query's own text of an expression; empty where it has none."""
    from google.protobuf.message import DecodeError

    postgast = library()
    tree = postgast.parse("SELECT 1 WHERE true")
    tree.stmts[0].stmt.select_stmt.where_clause.CopyFrom(expression)
    try:
        return str(postgast.deparse(tree)).removeprefix("SELECT 1 WHERE ")
    except (postgast.PgQueryError, DecodeError):
        return ""


def type_of(type_name: Any) -> str:
    """``varchar(40)``, as it can stand in a declaration."""
    tree = library().parse("SELECT NULL::int")
    tree.stmts[0].stmt.select_stmt.target_list[0].res_target.val.type_cast.type_name.CopyFrom(type_name)
    return str(library().deparse(tree)).partition("::")[2]


def _alter(node: Any, catalog: Catalog) -> Iterator[Question]:
    pb = nodes()
    table = catalog.table(node.relation)
    if table is None or node.objtype not in (pb.OBJECT_TABLE, pb.OBJECT_FOREIGN_TABLE):
        return
    source = Source(table)
    commands = [command.alter_table_cmd for command in node.cmds]
    definitions = [command.__getattribute__("def") for command in commands]
    for command, definition in zip(commands, definitions, strict=True):
        if command.subtype == pb.AT_AddColumn and table.column(definition.column_def.colname) is None:
            _note_added(definition.column_def, source)
    for command, definition in zip(commands, definitions, strict=True):
        what = command.subtype
        if what == pb.AT_AddColumn:
            if table.column(definition.column_def.colname) is None:
                yield from _added(definition.column_def, source, catalog)
        elif what == pb.AT_AddConstraint:
            yield from _constraint(definition.constraint, source, catalog)
        elif what == pb.AT_SetNotNull:
            if (column := table.column(command.name)) is not None and not column.not_null:
                yield _not_null(source, command.name)
        elif what == pb.AT_ValidateConstraint:
            if text := catalog.constraint(table, command.name):
                again = parse(f"ALTER TABLE {table.sql} ADD CONSTRAINT {quote(command.name)} {text}")
                if again is not None:
                    constraint = again.alter_table_stmt.cmds[0].alter_table_cmd.__getattribute__("def").constraint
                    yield from _constraint(constraint, source, catalog)
        elif what == pb.AT_AlterColumnType:
            if (column := table.column(command.name)) is not None:
                yield from _type(column, definition.column_def, source, catalog)
        elif what == pb.AT_AttachPartition:
            yield from _attached(node.relation, definition.partition_cmd, catalog)


def _note_added(column: Any, source: Source) -> None:
    kind = type_of(column.type_name)
    if kind.lower() in _SERIALS:
        return
    default = next((c.constraint for c in column.constraints if c.constraint.contype == nodes().CONSTR_DEFAULT), None)
    source.added[column.colname] = (text_of(default.raw_expr) if default is not None else "NULL", kind)


def _added(column: Any, source: Source, catalog: Catalog) -> Iterator[Question]:
    """A new column: NOT NULL without a default, a computed value that cannot be computed, a constraint of its own."""
    pb = nodes()
    name = column.colname
    kinds = {c.constraint.contype: c.constraint for c in column.constraints}
    filled = {pb.CONSTR_DEFAULT, pb.CONSTR_IDENTITY, pb.CONSTR_GENERATED} & set(kinds) or name not in source.added
    if pb.CONSTR_GENERATED in kinds:
        source.added.pop(name, None)
        yield _tried(
            "generated", source, (name,), text_of(kinds[pb.CONSTR_GENERATED].raw_expr), type_of(column.type_name)
        )
        return
    if name not in source.added:  # numbered by a sequence: neither empty nor twice
        return
    if (pb.CONSTR_NOTNULL in kinds or pb.CONSTR_PRIMARY in kinds) and not filled:
        yield Question("not null", source.table.name, (name,), Source(source.table).where("true"))
    for kind, constraint in kinds.items():
        if kind in (pb.CONSTR_UNIQUE, pb.CONSTR_PRIMARY) and filled:
            yield unique(source, [quote(name)], (name,), constraint.conname)
        elif (kind == pb.CONSTR_FOREIGN and filled) or kind == pb.CONSTR_CHECK:
            yield from _constraint(constraint, source, catalog, column=name)


def _constraint(node: Any, source: Source, catalog: Catalog, column: str = "") -> Iterator[Question]:
    pb = nodes()
    name = node.conname
    if node.skip_validation or node.indexname:
        if node.contype == pb.CONSTR_PRIMARY and node.indexname:
            found = catalog.line.rows(
                "SELECT a.attname::text FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid"
                f" WHERE i.indexrelid = to_regclass({literal(quote(node.indexname))}) AND a.attnum = ANY (i.indkey)"
                " AND NOT a.attnotnull"
            )
            for row in found:
                yield _not_null(source, str(row[0]))
        return
    if node.contype in (pb.CONSTR_UNIQUE, pb.CONSTR_PRIMARY):
        keys = [part.string.sval for part in node.keys]
        yield unique(source, [quote(key) for key in keys], tuple(keys), name, distinct=not node.nulls_not_distinct)
        if node.contype == pb.CONSTR_PRIMARY:
            for key in keys:
                known = source.table.column(key)
                if known is not None and not known.not_null:
                    yield _not_null(source, key)
    elif node.contype == pb.CONSTR_FOREIGN:
        keys = [column] if column else names_of(node.fk_attrs)
        other = catalog.table(node.pktable)
        if other is not None:
            yield _foreign(source, keys, other, names_of(node.pk_attrs) or other.keys, node)
    elif node.contype == pb.CONSTR_CHECK:
        text = text_of(node.raw_expr)
        if text:
            columns = tuple(one.name for one in source.table.columns if _names(node.raw_expr, one.name))
            yield Question("check", source.table.name, columns, source.where(f"({text}) IS FALSE"), name)
    elif node.contype == pb.CONSTR_NOTNULL:
        for key in names_of(node.keys):
            yield _not_null(source, key)
    elif node.contype == pb.CONSTR_EXCLUSION:
        yield from _exclusion(node, source)


def _names(expression: Any, column: str) -> bool:
    return f'sval: "{column}"' in str(expression)


def _not_null(source: Source, column: str) -> Question:
    condition = f"{quote(source.table.bare)}.{quote(column)} IS NULL"
    return Question("not null", source.table.name, (column,), source.where(condition))


def unique(
    source: Source,
    expressions: list[str],
    columns: tuple[str, ...],
    constraint: str = "",
    predicate: str = "",
    *,
    distinct: bool = True,
    needs: str = "",
) -> Question:
    """Rows that share a key, in groups. ``distinct``: one NULL is not another."""
    listed = ", ".join(expressions)
    conditions = [f"({predicate})"] if predicate else []
    if distinct:
        conditions += [f"{one} IS NOT NULL" for one in expressions]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    filled = where
    if distinct:  # a hash of the keys first: only rows that share one are then sorted
        shared = f"SELECT {listed} FROM {source.rows}{where} GROUP BY {listed} HAVING count(*) > 1"
        where += f" AND ({listed}) IN ({shared})"
    more = "CASE WHEN count(*) > 4 THEN ' and ' || (count(*) - 4)::text || ' more' ELSE '' END"
    group = (
        f"SELECT array_to_string((array_agg(fulldress_key))[1:4], ' and ') || {more} AS row, count(*) AS n FROM"
        f" (SELECT {source.key} AS fulldress_key, count(*) OVER fulldress AS fulldress_n,"
        f" rank() OVER (ORDER BY {listed}) AS fulldress_group FROM {source.rows}{where}"
        f" WINDOW fulldress AS (PARTITION BY {listed}) ORDER BY {source.order}) AS fulldress_rows"
        " WHERE fulldress_n > 1 GROUP BY fulldress_group ORDER BY min(fulldress_key)"
    )
    plain = f"SELECT {listed}, count(*) FROM {source.rows}{filled} GROUP BY {listed} HAVING count(*) > 1"
    return Question("unique", source.table.name, columns, group, constraint, plain=plain, needs=needs)


def _foreign(source: Source, columns: list[str], other: Table, keys: list[str], node: Any) -> Question:
    mine = quote(source.table.bare)
    filled = " AND ".join(f"{mine}.{quote(column)} IS NOT NULL" for column in columns)
    joined = " AND ".join(f"fulldress_o.{quote(k)} = {mine}.{quote(c)}" for k, c in zip(keys, columns, strict=False))
    condition = f"{filled} AND NOT EXISTS (SELECT FROM {other.sql} AS fulldress_o WHERE {joined})"
    if node.fk_matchtype == "f" and len(columns) > 1:
        some = " OR ".join(f"{mine}.{quote(column)} IS NOT NULL" for column in columns)
        condition = f"({condition}) OR (({some}) AND NOT ({filled}))"
    shown = " || ', ' || ".join(f"{literal(c + '=')} || coalesce({mine}.{quote(c)}::text, 'NULL')" for c in columns)
    note = f"' (' || {shown} || {literal(f' is not in {other.name})')}"
    return Question("foreign key", source.table.name, tuple(columns), source.where(condition, note), node.conname)


def _exclusion(node: Any, source: Source) -> Iterator[Question]:
    mine = quote(source.table.bare)
    pairs, columns = [], []
    for item in node.exclusions:
        element, operator = item.list.items[0].index_elem, item.list.items[1].list.items
        if not element.name or len(operator) != 1:
            return  # by an expression or an operator of a schema: the server itself will say
        columns.append(element.name)
        pairs.append(f"{mine}.{quote(element.name)} {operator[0].string.sval} fulldress_o.{quote(element.name)}")
    filters = ""
    if node.HasField("where_clause"):
        filters = f" WHERE {text_of(node.where_clause)}"
    rows = f"(SELECT tableoid, ctid, * FROM {source.table.sql} AS {mine}{filters})"
    joined = f"{' AND '.join(pairs)} AND {mine}.ctid <> fulldress_o.ctid"
    select = (
        f"SELECT {source.key} AS row, 1::int8 AS n FROM {rows} AS {mine} WHERE EXISTS"
        f" (SELECT FROM {rows} AS fulldress_o WHERE {joined}) ORDER BY {source.order}"
    )
    yield Question("exclusion", source.table.name, tuple(columns), select, node.conname)


def _type(column: Column, definition: Any, source: Source, catalog: Catalog) -> Iterator[Question]:
    new = type_of(definition.type_name)
    using = text_of(definition.raw_default) if definition.HasField("raw_default") else ""
    if not using and _cannot_fail(column, new, catalog):
        return
    own = Source(source.table)
    expression = using or f"{quote(source.table.bare)}.{quote(column.name)}"
    kind = "enum" if _is_enum(new, catalog) else "type"
    yield _tried(kind, own, (column.name,), expression, new)
    for name, columns in catalog.unique_indexes(source.table, column):
        expressions = [f"CAST({expression} AS {new})" if one == column.name else quote(one) for one in columns]
        yield unique(own, expressions, tuple(columns), name, needs=kind)


def _cannot_fail(column: Column, new: str, catalog: Catalog) -> bool:
    rows = catalog.line.rows(f"SELECT to_regtype({literal(new)})::text")
    plain = str(rows[0][0]) if rows and rows[0][0] is not None else ""
    if "(" not in new:
        return plain in _WIDER.get(column.plain, set()) or new.lower() == column.type
    if column.plain == plain == "character varying" and "(" in column.type:
        return int(new.partition("(")[2].rstrip(")")) >= int(column.type.partition("(")[2].rstrip(")"))
    return False


def _is_enum(new: str, catalog: Catalog) -> bool:
    return bool(catalog.line.rows(f"SELECT 1 FROM pg_type WHERE oid = to_regtype({literal(new)}) AND typtype = 'e'"))


def _tried(kind: str, source: Source, columns: tuple[str, ...], expression: str, new: str) -> Question:
    """Each row's value is converted as the server would; what it says of those that fail is shown without the value."""
    name = quote(source.table.bare)
    body = (
        f"CREATE FUNCTION pg_temp.fulldress_try(fulldress_row {source.table.sql}) RETURNS text LANGUAGE plpgsql AS"
        f" $fulldress$#variable_conflict use_column\nDECLARE fulldress_value {new};\nBEGIN\n"
        f" SELECT {expression} INTO fulldress_value FROM (SELECT (fulldress_row).*) AS {name}; RETURN NULL;\n"
        "EXCEPTION WHEN OTHERS THEN RETURN regexp_replace(SQLERRM, ':?\\s*\".*', '');\nEND $fulldress$"
    )
    select = (
        f"SELECT {source.key} || ' (' || fulldress_said || ')' AS row, 1::int8 AS n FROM {source.rows},"
        f" LATERAL pg_temp.fulldress_try({name}) AS fulldress_said WHERE fulldress_said IS NOT NULL"
        f" ORDER BY {source.order}"
    )
    return Question(kind, source.table.name, columns, select, tries=body)


def _index(node: Any, catalog: Catalog) -> Iterator[Question]:
    table = catalog.table(node.relation)
    if table is None:
        return
    source = Source(table)
    elements = [part.index_elem for part in node.index_params]
    expressions = [quote(one.name) if one.name else f"({text_of(one.expr)})" for one in elements]
    names = tuple(one.name or text_of(one.expr) for one in elements)
    predicate = text_of(node.where_clause) if node.HasField("where_clause") else ""
    computed = [text for one, text in zip(elements, expressions, strict=True) if not one.name]
    if computed:
        tried = _tried("index expression", source, names, f"ROW({', '.join(computed)})::text", "text")
        yield tried
    if node.unique:
        needs = "index expression" if computed else ""
        distinct = not node.nulls_not_distinct
        yield unique(source, expressions, names, node.idxname, predicate, distinct=distinct, needs=needs)
    long = [one for one in elements if one.name and (known := table.column(one.name)) and known.length < 0]
    if long and node.access_method in ("", "btree"):
        size = " + ".join(f"coalesce(pg_column_size({quote(table.bare)}.{quote(one.name)}), 0)" for one in long)
        condition = f"{size} > {_BTREE_MOST}" + (f" AND ({predicate})" if predicate else "")
        note = f"' (' || ({size})::text || ' bytes)'"
        yield Question("index row", table.name, names, source.where(condition, note), node.idxname)


def _domain(node: Any, catalog: Catalog) -> Iterator[Question]:
    """A constraint on a domain is one on every column of it."""
    domain = ".".join(quote(name) for name in names_of(node.type_name))
    constraint = node.__getattribute__("def").constraint if node.HasField("def") else None
    checked = constraint is not None and constraint.contype == nodes().CONSTR_CHECK and not constraint.skip_validation
    if not (checked or node.subtype in ("O",)):
        return
    for name, column in catalog.domain_columns(domain):
        table = catalog.named(name)
        if table is None:
            continue
        source = Source(table)
        if node.subtype == "O":
            yield _not_null(source, column)
        elif constraint is not None and (text := text_of(constraint.raw_expr)):
            value = f"SELECT {quote(table.bare)}.{quote(column)} AS value"
            condition = f"(SELECT ({text}) IS FALSE FROM ({value}) AS fulldress_value)"
            yield Question("check", table.name, (column,), source.where(condition), constraint.conname)


def _attached(parent: Any, command: Any, catalog: Catalog) -> Iterator[Question]:
    table, above = catalog.table(command.name), catalog.table(parent)
    if table is None or above is None:
        return
    condition = bound(command.bound, above, catalog)
    if condition:
        _, keys, _ = catalog.partitioning(above)
        yield Question("partition", table.name, tuple(keys), Source(table).where(f"({condition}) IS NOT TRUE"))
    yield from _beside_default(parent, command.bound, catalog)


def _beside_default(parent: Any, limits: Any, catalog: Catalog) -> Iterator[Question]:
    """Rows of the default partition that would have to be in the new one."""
    above = catalog.table(parent)
    if above is None or limits.is_default:
        return
    _, keys, default = catalog.partitioning(above)
    table = catalog.named(default) if default else None
    condition = bound(limits, above, catalog)
    if table is not None and condition:
        yield Question("partition", table.name, tuple(keys), Source(table).where(condition))
