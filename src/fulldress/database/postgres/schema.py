"""The schema of a database as comparable text: one line of meaning per object, everything but rows."""

from __future__ import annotations

import msgspec

from fulldress.database.postgres.catalogues import CATALOGUES, COLUMNS
from fulldress.database.postgres.wire import Connection


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """One object. ``relation``: the table or view that it is a part of; ``own``: its name where the definition repeats it."""

    kind: str
    name: str
    text: str
    relation: str = ""
    own: str = ""

    @property
    def title(self) -> str:
        """``column public.orders.total``: what it is called in a report."""
        return f"{self.kind} {self.name}"


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """``last``: the last value that was given out; None: none was."""

    text: str
    last: int | None = None
    step: int = 1
    column: str = ""  #: that it belongs to


def read(line: Connection) -> dict[str, Described]:
    """Objects by their title. Names come qualified, as nothing is on the search path."""
    line.query("SET search_path = ''")
    found: dict[str, Described] = {}
    for one in CATALOGUES:
        sql = one.sql
        for mark, (column, since) in COLUMNS.items():
            sql = sql.replace(mark, column if line.major >= since else "''")
        for name, text, relation, own in line.rows(sql):
            described = Described(
                kind=one.kind, name=str(name), text=str(text or ""), relation=str(relation or ""), own=str(own or "")
            )
            found[described.title] = described
    return found


def sequences(line: Connection) -> dict[str, Sequence]:
    """Parameters and last value of every sequence."""
    rows = line.rows(
        """SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname),
             concat_ws(' ', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END, s.seqtypid::regtype, 'start', s.seqstart, 'min', s.seqmin,
               'max', s.seqmax, 'by', s.seqincrement, 'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END),
             pg_sequence_last_value(c.oid), s.seqincrement, coalesce(d.refobjid::regclass || '.' || quote_ident(a.attname), '')
           FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
               AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
             LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
           WHERE c.relpersistence <> 't'"""
    )
    return {
        str(name): Sequence(
            text=str(text), last=None if last is None else int(str(last)), step=int(str(step)), column=str(column)
        )
        for name, text, last, step, column in rows
    }


def order(line: Connection) -> dict[str, list[str]]:
    """Columns of every table in their order, which ``SELECT *`` and ``COPY`` without a list go by."""
    found: dict[str, list[str]] = {}
    for table, column in line.rows(
        """SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped
              AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
            ORDER BY 1, a.attnum"""
    ):
        found.setdefault(str(table), []).append(str(column))
    return found


def roles(line: Connection) -> dict[str, str]:
    """Roles of the whole server with their attributes; they lie beside its databases, and no copy of one holds them."""
    return {
        str(name): str(words)
        for name, words in line.rows(
            """SELECT r.rolname, concat_ws(' ', CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcreaterole THEN 'createrole' END,
                 CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolcanlogin THEN 'login' END, CASE WHEN rolreplication THEN 'replication' END,
                 CASE WHEN rolbypassrls THEN 'bypassrls' END, 'limit ' || nullif(rolconnlimit, -1),
                 'member of ' || (SELECT string_agg(pg_get_userbyid(m.roleid), ',' ORDER BY pg_get_userbyid(m.roleid)) FROM pg_auth_members m WHERE m.member = r.oid))
               FROM pg_roles r WHERE r.rolname !~ '^pg_' """
        )
    }
