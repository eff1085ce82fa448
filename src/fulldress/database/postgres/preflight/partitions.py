"""The bounds of a partition as a condition on its rows."""

from __future__ import annotations

from typing import Any

from fulldress.database.postgres.clone import quote
from fulldress.database.postgres.preflight.catalog import Catalog, Table
from fulldress.package.migrations.pgtree import library


def bound(node: Any, parent: Table, catalog: Catalog) -> str:
    """Of libpg_query's PartitionBoundSpec. Empty: it says nothing that can be asked (a default; an expression as key)."""
    how, keys, _ = catalog.partitioning(parent)
    if node.is_default or not keys:
        return ""
    columns = [quote(key) for key in keys]
    if how == "h":
        return f"satisfies_hash_partition({parent.oid}, {node.modulus}, {node.remainder}, {', '.join(columns)})"
    if how == "l":
        values = [_text(one) for one in node.listdatums]
        plain = [value for value in values if value.upper() != "NULL"]
        parts = [f"{columns[0]} IN ({', '.join(plain)})"] if plain else []
        parts += [f"{columns[0]} IS NULL"] if len(plain) < len(values) else []
        return f"({' OR '.join(parts)})"
    lower, upper = ([_edge(one) for one in limits] for limits in (node.lowerdatums, node.upperdatums))
    filled = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    return f"({filled} AND {_beyond(columns, lower, '>')} AND {_beyond(columns, upper, '<')})"


def _beyond(columns: list[str], edges: list[str], sign: str) -> str:
    """Row comparison with MINVALUE and MAXVALUE, which end it where they stand: the key before them decides."""
    first = next((place for place, edge in enumerate(edges) if edge in ("MINVALUE", "MAXVALUE")), len(edges))
    if first == len(edges):
        return f"({', '.join(columns)}) {'>=' if sign == '>' else '<'} ({', '.join(edges)})"
    whole = (edges[first] == "MINVALUE") == (sign == ">")
    if first == 0:
        return "true" if whole else "false"
    return f"({', '.join(columns[:first])}) {sign}{'=' if whole else ''} ({', '.join(edges[:first])})"


def _edge(node: Any) -> str:
    if node.HasField("column_ref"):
        word = node.column_ref.fields[0].string.sval.upper()
        if word in ("MINVALUE", "MAXVALUE"):
            return str(word)
    return _text(node)


def _text(node: Any) -> str:
    tree = library().parse("SELECT 1")
    tree.stmts[0].stmt.select_stmt.target_list[0].res_target.val.CopyFrom(node)
    return str(library().deparse(tree)).removeprefix("SELECT ")
