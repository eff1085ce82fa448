"""Schema, sizes and statistics of a production database, collected by reading its catalogues alone.

No table of the user's is opened: the queries name ``pg_catalog`` only, and pg_dump runs with ``--schema-only``. From
``pg_stats`` neither most common values nor histograms are asked for. What pg_dump would add of people is left out: comments,
subscriptions (connection strings), user mappings (passwords), and, of pg_dump 18, statistics.
"""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime

import msgspec

from fulldress.database.postgres import restored, source
from fulldress.database.postgres.resolve import Installation
from fulldress.database.postgres.standin import form
from fulldress.errors import Unreachable
from fulldress.facts import mask
from fulldress.patterns import regex

_MAPPING = regex(r"^CREATE USER MAPPING .*?;\n", re.MULTILINE | re.DOTALL)
_OWN = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_NAMES = "SET search_path = pg_catalog; "  # whatever is elsewhere is told with its schema
#: One JSON document. Members of extensions come with their extension.
_QUERY = f"""
WITH t AS (
  SELECT c.*, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS called, n.nspname
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND {_OWN}
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                    AND d.objid = c.oid AND d.deptype = 'e')),
named AS (
  SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS called
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace),
col AS (
  SELECT a.attrelid, a.attnum, a.atttypid, json_build_object(
    'name', a.attname, 'type', a.atttypid::text, 'full', format_type(a.atttypid, a.atttypmod), 'not_null', a.attnotnull,
    'generated', a.attgenerated <> '', 'null_fraction', s.null_frac, 'distinct', s.n_distinct, 'width', s.avg_width,
    'correlation', s.correlation) AS says
  FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN (SELECT schemaname, tablename, attname, null_frac, n_distinct, avg_width, correlation
             FROM pg_catalog.pg_stats WHERE NOT inherited) s
    ON s.schemaname = t.nspname AND s.tablename = t.relname AND s.attname = a.attname),
con AS (
  SELECT k.*, (SELECT json_agg(a.attname ORDER BY u.n) FROM unnest(k.conkey) WITH ORDINALITY u (num, n)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num) AS names,
              (SELECT json_agg(a.attname ORDER BY u.n) FROM unnest(k.confkey) WITH ORDINALITY u (num, n)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num) AS targets
  FROM pg_catalog.pg_constraint k),
ind AS (
  SELECT i.indrelid, json_build_object('name', c.relname, 'parts',
      (SELECT json_agg(pg_get_indexdef(i.indexrelid, p, true) ORDER BY p) FROM generate_series(1, i.indnkeyatts) p),
    'columns', CASE WHEN i.indexprs IS NULL THEN
      (SELECT json_agg(a.attname ORDER BY u.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY u (num, n)
       JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.num WHERE u.n <= i.indnkeyatts)
      ELSE '[]'::json END,
    'where', coalesce(pg_get_expr(i.indpred, i.indrelid), '')) AS says
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indisunique AND i.indislive)
SELECT json_build_object(
  'types', (SELECT json_object_agg(y.oid::text, json_build_object(
      'name', format_type(y.oid, NULL), 'kind', y.typtype, 'base', CASE WHEN y.typtype = 'd' THEN y.typbasetype::text ELSE '' END,
      'modifier', y.typtypmod, 'element', CASE WHEN y.typcategory = 'A' THEN y.typelem::text ELSE '' END,
      'labels', coalesce((SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = y.oid), '[]'),
      'checks', coalesce((SELECT json_agg(pg_get_expr(k.conbin, 0)) FROM pg_catalog.pg_constraint k
                          WHERE k.contypid = y.oid AND k.contype = 'c'), '[]')))
    FROM pg_catalog.pg_type y WHERE y.typtype IN ('d', 'e') OR y.oid IN (SELECT atttypid FROM col)
      OR y.oid IN (SELECT z.typelem FROM pg_catalog.pg_type z JOIN col ON col.atttypid = z.oid)
      OR y.oid IN (SELECT z.typbasetype FROM pg_catalog.pg_type z WHERE z.typtype = 'd')),
  'tables', coalesce((SELECT json_agg(json_build_object(
      'name', t.called, 'kind', t.relkind,
      'rows', CASE WHEN t.relkind = 'p' THEN 0 WHEN t.reltuples > 0 THEN t.reltuples::bigint
                   WHEN u.n_live_tup > 0 THEN u.n_live_tup
                   WHEN pg_relation_size(t.oid) = 0 THEN 0
                   WHEN t.reltuples = 0 AND t.relpages > 0 THEN 0 END,
      'bytes', CASE WHEN t.relkind = 'p' THEN 0 ELSE pg_relation_size(t.oid) END,
      'toast', CASE WHEN t.reltoastrelid = 0 THEN 0 ELSE pg_relation_size(t.reltoastrelid) END,
      'columns', coalesce((SELECT json_agg(col.says ORDER BY col.attnum) FROM col WHERE col.attrelid = t.oid), '[]'),
      'checks', coalesce((SELECT json_agg(pg_get_expr(k.conbin, k.conrelid) ORDER BY k.conname) FROM con k
                          WHERE k.conrelid = t.oid AND k.contype = 'c' AND k.convalidated), '[]'),
      'keys', coalesce((SELECT json_agg(ind.says) FROM ind WHERE ind.indrelid = t.oid), '[]'),
      'references', coalesce((SELECT json_agg(json_build_object('name', k.conname, 'columns', k.names, 'table', f.called,
                              'to', k.targets) ORDER BY k.conname) FROM con k JOIN named f ON f.oid = k.confrelid
                              WHERE k.conrelid = t.oid AND k.contype = 'f'), '[]'),
      'parent', CASE WHEN t.relispartition THEN (SELECT p.called FROM pg_catalog.pg_inherits h JOIN named p ON p.oid = h.inhparent
                              WHERE h.inhrelid = t.oid) ELSE '' END,
      'bound', CASE WHEN t.relispartition THEN coalesce(pg_get_partition_constraintdef(t.oid), '') ELSE '' END,
      'strategy', coalesce((SELECT p.partstrat::text FROM pg_catalog.pg_partitioned_table p WHERE p.partrelid = t.oid), ''),
      'populated', t.relispopulated) ORDER BY t.called)
    FROM t LEFT JOIN pg_catalog.pg_stat_user_tables u ON u.relid = t.oid), '[]'))
"""


class _Read(msgspec.Struct, kw_only=True):
    types: dict[str, form.Type] | None
    tables: list[form.Table]


def capture(installation: Installation, url: str) -> form.StandIn:
    """Everything a stand-in needs of the database at ``url``. Raises :class:`Unreachable` or :class:`TooNew`."""
    described = source.describe(installation, url)
    dumper = source.dumper_for(installation, described.major, url)
    said = msgspec.json.decode(source.ask(installation, url, _NAMES + _QUERY), type=_Read)
    address = source.Address.parse(url)
    version = source.ask(installation, url, "SELECT current_setting('server_version')").strip()
    return form.StandIn(
        format=form.FORMAT,
        captured=datetime.now(UTC).isoformat(timespec="seconds"),
        major=described.major,
        version=version,
        database=address.database,
        encoding=described.encoding,
        collation=described.collation,
        sorting=described.sorting,
        extensions=dict(described.extensions),
        settings=[one for one in described.settings if not one[0]],
        types=said.types or {},
        tables=said.tables,
        pre_data=_schema(dumper, url, "pre-data"),
        post_data=_schema(dumper, url, "post-data"),
    )


def _schema(dumper: Installation, url: str, section: str) -> str:
    address = source.Address.parse(url)
    words = [
        dumper.program("pg_dump"), "--schema-only", f"--section={section}", "--no-tablespaces", "--no-comments",
        "--no-publications", "--no-subscriptions", "--no-security-labels", "-d", address.url,
    ]  # fmt: skip
    if _dumps_statistics(dumper):
        words.append("--no-statistics")
    done = subprocess.run(
        words, capture_output=True, text=True, errors="replace", check=False, env=address.environment(),
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        raise Unreachable(mask(url), restored.words(done.stderr))
    return _MAPPING.sub("", done.stdout)


def _dumps_statistics(dumper: Installation) -> bool:
    """From 18 on pg_dump knows statistics, most common values among them."""
    done = subprocess.run([dumper.program("pg_dump"), "--help"], capture_output=True, text=True, check=False)
    return "--no-statistics" in done.stdout
