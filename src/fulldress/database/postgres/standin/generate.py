"""A database of made-up rows from a captured file: schema without indexes, rows, then indexes, keys and triggers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from fulldress.database.postgres import compared, dumps, restored
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.server import Server
from fulldress.database.postgres.standin import plan as plans
from fulldress.database.postgres.standin.filled import Filler
from fulldress.database.postgres.standin.form import StandIn, Table
from fulldress.database.postgres.wire import Connection
from fulldress.errors import QueryFailed
from fulldress.facts import Reason, Unread, excerpt

_MEBI = 1 << 20


def share(captured: StandIn, scale: float, rows: int) -> float:
    """Which part of production's rows is made, under a limit of ``rows`` in all."""
    every = sum(table.rows or 0 for table in captured.tables if table.kind == "r")
    return min(scale, rows / every) if every else scale


def bytes_needed(captured: StandIn, scale: float, rows: int) -> int:
    """Tables, as much again for their indexes, and room to sort them."""
    part = share(captured, scale, rows)
    return int(sum(table.bytes + table.toast for table in captured.tables) * part * 3) + 64 * _MEBI


def clone(
    server: Server, name: str, captured: StandIn, *, scale: float = 1.0, rows: int, seed: int = 1, role: str = ""
) -> Clone:
    """See :class:`fulldress.database.postgres.origin.Origin`."""
    restored.check_room(server, bytes_needed(captured, scale, rows))
    part = share(captured, scale, rows)
    unread = _said(captured, part, scale, rows, seed)
    with server.session("postgres") as line:
        for one in sorted(dumps.roles_in(captured.pre_data + captured.post_data)):
            restored.make_role(line, one)
        restored.make_database(line, name, captured.encoding, captured.collation, unread)
    errors = _play(server, name, captured.pre_data)
    with server.session(name) as line:
        for setting in ("jit = off", "max_parallel_workers_per_gather = 0", "enable_mergejoin = off",
                        "enable_nestloop = off", "search_path = pg_catalog", "synchronous_commit = off",
                        "work_mem = '256MB'"):  # fmt: skip
            line.query(f"SET {setting}")
        _fill(line, captured, part, seed, unread)
    errors += _play(server, name, captured.post_data)
    with server.session(name) as line:
        _advance_sequences(line)
        for table in captured.tables:
            if table.kind == "m" and table.populated:
                try:
                    line.query(f"REFRESH MATERIALIZED VIEW {table.name}")
                except QueryFailed as error:
                    unread.append(compared.gap(f"materialised view {table.name}", excerpt(str(error), 200)))
    return restored.finish(
        server, name, role or "postgres", major=captured.major, settings=captured.settings,
        extensions=captured.extensions, unread=unread, errors=errors,
    )  # fmt: skip


def _said(captured: StandIn, part: float, scale: float, rows: int, seed: int) -> list[Unread]:
    """What a stand-in does not show, whatever comes of it."""
    found = [
        compared.gap(
            f"production's own rows in database {captured.database}",
            f"rows are made up (seed {seed}) by the statistics of {captured.captured}: how often which value occurs, what "
            "values look like, and references that are missing are not production's",
            reason=Reason.CANNOT,
        )
    ]
    every = sum(table.rows or 0 for table in captured.tables if table.kind == "r")
    if part < 1:
        limit = f"the limit of {rows:,} rows (--rows)" if part < scale else "--scale"
        found.append(
            compared.gap(
                f"durations at the size of database {captured.database}",
                f"{part:.3%} of production's {every:,} rows are made, by {limit}",
            )
        )
    unknown = [table.name for table in captured.tables if table.kind == "r" and table.rows is None]
    if unknown:
        found.append(
            compared.gap(
                f"row counts of {len(unknown)} tables: {', '.join(unknown[:20])}{' …' if len(unknown) > 20 else ''}",
                "never analysed, so production's catalogue does not tell; they are left empty. Run ANALYZE there and capture anew",
                needed=True,
            )
        )
    return found


def _play(server: Server, name: str, text: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "schema.sql"
        path.write_text(text)
        return dumps.play(server, name, path)


# -- order ----------------------------------------------------------------------------------------------------------


def targets(captured: StandIn) -> list[Table]:
    """Tables that rows are put into: plain ones and partitions; for partitions by hash, the table that spreads them."""
    by_name = {table.name: table for table in captured.tables}
    spread: dict[str, list[Table]] = {}
    found: list[Table] = []
    for table in captured.tables:
        if table.kind != "r":
            continue
        top = _spreading(table, by_name)
        if top:
            spread.setdefault(top, []).append(table)
        else:
            found.append(table)
    for name, leaves in spread.items():
        first = leaves[0]
        found.append(
            msgspec.structs.replace(
                by_name[name], rows=sum(leaf.rows or 0 for leaf in leaves), columns=first.columns,
                bytes=sum(leaf.bytes for leaf in leaves), toast=sum(leaf.toast for leaf in leaves),
            )
        )  # fmt: skip
    return found


def _spreading(table: Table, by_name: Mapping[str, Table]) -> str:
    """The topmost table above that is partitioned by hash."""
    top, one = "", table
    while one.parent and one.parent in by_name:
        one = by_name[one.parent]
        if one.strategy == "h":
            top = one.name
    return top


def _under(captured: StandIn, filled: list[Table]) -> dict[str, set[str]]:
    """For each table's name, the tables to be filled that hold its rows."""
    by_name = {table.name: table for table in captured.tables}
    found: dict[str, set[str]] = {}
    for table in filled:
        name = table.name
        while name:
            found.setdefault(name, set()).add(table.name)
            name = by_name[name].parent if name in by_name else ""
    return found


def ordered(tables: list[Table], under: Mapping[str, set[str]]) -> Iterator[tuple[Table, list[str]]]:
    """Parents before children, each with the references that lead to tables that come later (circles, and itself)."""
    waiting = {table.name: table for table in tables}
    while waiting:
        needs = {
            name: {
                reference.name: set(waiting) & (under.get(reference.table, set()) | {name} & {reference.table})
                for reference in table.references
            }
            for name, table in waiting.items()
        }
        chosen = min(
            waiting,
            key=lambda name: (sum(bool(later - {name}) for later in needs[name].values()), name),
        )
        yield waiting.pop(chosen), [reference for reference, later in needs[chosen].items() if later]


def _fill(line: Connection, captured: StandIn, part: float, seed: int, unread: list[Unread]) -> None:
    filled = targets(captured)
    under = _under(captured, filled)
    rows = {table.name: 0 if not table.rows else max(1, round(table.rows * part)) for table in filled}
    counts = {name: sum(rows[one] for one in tables) for name, tables in under.items()}
    filler = Filler(line=line, types=captured.types, plans={}, seed=seed, unread=unread, keys={})
    order = list(ordered(filled, under))
    for table, early in order:
        filler.plans[table.name] = plans.filling(table, rows[table.name], captured.types, counts, early)
    above = {one: [name for name, tables in under.items() if one in tables] for one in rows}
    for table, early in order:
        # parents may have become fewer than planned
        plan = plans.filling(table, rows[table.name], captured.types, counts, early)
        filler.plans[table.name] = plan
        lost = rows[table.name] - filler.fill(plan)
        for name in above[table.name]:
            counts[name] -= lost
    for table, early in order:
        if early:
            filler.mend(filler.plans[table.name])


def _advance_sequences(line: Connection) -> None:
    """Sequences that belong to a column go on after its largest value."""
    owned = line.rows(
        "SELECT s.oid::regclass::text, quote_ident(n.nspname) || '.' || quote_ident(t.relname), quote_ident(a.attname)"
        " FROM pg_class s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')"
        " AND d.refclassid = 'pg_class'::regclass JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace n ON n.oid = t.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid WHERE s.relkind = 'S'"
    )
    for sequence, table, column in owned:
        line.query(
            f"SELECT setval('{str(sequence).replace(chr(39), chr(39) * 2)}', max({column})) FROM {table} HAVING max({column}) > 0"
        )
