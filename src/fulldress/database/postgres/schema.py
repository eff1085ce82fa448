"""The schema of a database as comparable text: one line of meaning per object, order and names of no meaning left out."""

from __future__ import annotations

import re

from fulldress.database.postgres.wire import Connection

_OURS = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'"
    " AND NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.objid = {oid} AND x.classid = '{catalog}'::regclass AND x.deptype = 'e')"
)


def _ours(alias: str, catalog: str) -> str:
    return _OURS.format(oid=f"{alias}.oid", catalog=catalog)


#: One query per kind of object; each gives a name and a definition.
_QUERIES: tuple[tuple[str, str], ...] = (
    ("schema", f"SELECT quote_ident(n.nspname), '' FROM pg_namespace n WHERE {_ours('n', 'pg_namespace')}"),
    ("extension", "SELECT extname, extversion FROM pg_extension"),
    (
        "table",
        f"""SELECT c.oid::regclass::text, concat_ws(' ', c.relkind, c.relpersistence, pg_get_partkeydef(c.oid),
             pg_get_expr(c.relpartbound, c.oid), array_to_string(c.reloptions, ','),
             CASE WHEN c.relrowsecurity THEN 'row security' END)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('r', 'p', 'f') AND {_ours("c", "pg_class")}""",
    ),
    (
        "column",
        f"""SELECT c.oid::regclass || '.' || quote_ident(a.attname),
             concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
               nullif(a.attidentity::text, ''), nullif(a.attgenerated::text, ''),
               CASE WHEN a.attcollation <> t.typcollation THEN (SELECT collname FROM pg_collation o WHERE o.oid = a.attcollation) END,
               'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))
           FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_type t ON t.oid = a.atttypid
             LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
           WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'c') AND {_ours("c", "pg_class")}""",
    ),
    (
        "constraint",
        f"""SELECT coalesce(nullif(k.conrelid, 0)::regclass::text, 'domain ' || k.contypid::regtype) || ' ' || quote_ident(k.conname),
             pg_get_constraintdef(k.oid)
           FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
           WHERE k.contype <> 'n' AND {_ours("k", "pg_constraint")}""",
    ),
    (
        "index",
        f"""SELECT c.oid::regclass::text, pg_get_indexdef(c.oid) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
           FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE {_ours("c", "pg_class")}""",
    ),
    (
        "view",
        f"""SELECT c.oid::regclass::text, c.relkind::text || ' ' || pg_get_viewdef(c.oid)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('v', 'm') AND {_ours("c", "pg_class")}""",
    ),
    (
        "function",
        f"""SELECT p.oid::regprocedure::text, CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END
           FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_ours("p", "pg_proc")}""",
    ),
    (
        "trigger",
        f"""SELECT c.oid::regclass || ' ' || quote_ident(t.tgname), pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
           FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE NOT t.tgisinternal AND {_ours("c", "pg_class")}""",
    ),
    (
        "type",
        f"""SELECT t.oid::regtype::text, concat_ws(' ', t.typtype, nullif(t.typbasetype, 0)::regtype::text, t.typdefault,
             (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
           FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
           WHERE t.typtype IN ('e', 'd', 'r') AND {_ours("t", "pg_type")}""",
    ),
    (
        "rule",
        f"""SELECT c.oid::regclass || ' ' || quote_ident(r.rulename), pg_get_ruledef(r.oid)
           FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE r.rulename <> '_RETURN' AND {_ours("c", "pg_class")}""",
    ),
    (
        "policy",
        f"""SELECT c.oid::regclass || ' ' || quote_ident(p.polname), concat_ws(' ', p.polcmd, p.polpermissive,
             pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
           FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE {_ours("c", "pg_class")}""",
    ),
    (
        "owner and privileges",
        f"""SELECT c.oid::regclass::text, concat_ws(' ', pg_get_userbyid(c.relowner),
             (SELECT string_agg(x::text, ',' ORDER BY x::text) FROM unnest(c.relacl) x))
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {_ours("c", "pg_class")}""",
    ),
    (
        "comment",
        f"""SELECT c.oid::regclass || coalesce('.' || a.attname, ''), d.description
           FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
             JOIN pg_namespace n ON n.oid = c.relnamespace
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
           WHERE {_ours("c", "pg_class")}""",
    ),
)  # fmt: skip


def read(line: Connection) -> dict[tuple[str, str], str]:
    """``{("column", "orders.total"): "bigint NOT NULL"}``: everything but rows and the values of sequences.

    Names come qualified, as nothing is on the search path; runs of white space count as one blank."""
    line.query("SET search_path = ''")
    found: dict[tuple[str, str], str] = {}
    for kind, sql in _QUERIES:
        for name, definition in line.rows(sql):
            found[kind, str(name)] = re.sub(r"\s+", " ", str(definition or "")).strip()
    return found


def sequences(line: Connection) -> dict[str, tuple[str, int | None]]:
    """Parameters and last value of every sequence."""
    rows = line.rows(
        "SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename),"
        " concat_ws(' ', data_type::text, start_value, min_value, max_value, increment_by, cycle, cache_size), last_value"
        " FROM pg_sequences"
    )
    return {str(name): (str(words), None if value is None else int(str(value))) for name, words, value in rows}
