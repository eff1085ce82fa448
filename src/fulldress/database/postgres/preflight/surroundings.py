"""What stands around the migrations in production: sort orders, limits of time, and who keeps its WAL.

Asked of production itself: a clone has its own settings, no standbys, and freshly sorted indexes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fulldress.database.postgres import compared
from fulldress.database.postgres.preflight.reading import Reader
from fulldress.facts import AnyFact, Collation, Evidence, Keeper, Limit, Reason, Unread, Witness
from fulldress.patterns import regex

_ON = {
    "lock_timeout": "wait",
    "statement_timeout": "statement",
    "transaction_timeout": "whole",
    "idle_in_transaction_session_timeout": "idle",
}
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "": 1e-3}
_LENGTH = regex(r"^\s*([\d.]+)\s*([a-z]*)\s*$")
_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin", "d": "libc"}
_INDEXES = """SELECT k.coll::int8 AS coll, c.collname::text AS name, c.collprovider::text AS provider,
       coalesce(c.collversion, '') AS recorded, coalesce(pg_collation_actual_version(c.oid), '') AS actual,
       json_agg(DISTINCT i.indexrelid::regclass::text) AS indexes,
       json_agg(DISTINCT i.indexrelid::regclass::text) FILTER (WHERE i.indisunique) AS keys
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
  JOIN pg_am m ON m.oid = x.relam,
       unnest(i.indcollation::oid[], i.indclass::oid[]) AS k(coll, class)
  JOIN pg_collation c ON c.oid = k.coll JOIN pg_opclass o ON o.oid = k.class
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND m.amname <> 'hash'
   AND o.opcname !~ '_pattern_ops$' AND x.relkind = 'i'
 GROUP BY 1, 2, 3, 4, 5 ORDER BY 2"""
_SETTINGS = "SELECT name, setting, '' AS who FROM pg_settings WHERE name IN ({names})"
_OF_ROLES = """SELECT split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS setting,
       coalesce(r.rolname::text, '') AS who, s.setdatabase <> 0 AS here
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c
 WHERE (s.setdatabase = 0 OR s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
   AND split_part(c, '=', 1) IN ({names})"""
_SLOTS = """SELECT slot_name::text AS name, slot_type AS kind, active, coalesce(plugin::text, '') AS plugin,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
                       restart_lsn)::int8 AS behind
  FROM pg_replication_slots ORDER BY 1"""
_KEEPS = """SELECT (SELECT setting::int8 * 1048576 FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS most,
       current_setting('archive_mode') AS archive,
       (SELECT last_failed_time IS NOT NULL AND (last_archived_time IS NULL OR last_failed_time > last_archived_time)
          FROM pg_stat_archiver) AS failing,
       (SELECT failed_count FROM pg_stat_archiver) AS failures,
       (SELECT last_failed_wal FROM pg_stat_archiver) AS wal"""


def read(ask: Reader, major: int, role: str = "") -> list[AnyFact]:
    """Collation, Limit and Keeper facts of the server behind ``ask``. ``role``: whom the migrations run as."""
    return [*collations(ask, major), *limits(ask, role), *keepers(ask)]


def collations(ask: Reader, major: int) -> list[AnyFact]:
    """Each sort order that an index of the product uses, with the version recorded and the version there now."""
    found: list[AnyFact] = []
    for row in ask(_INDEXES):
        if row["name"] == "default":
            row |= ask(compared.collation_query(major))[0]
            if row["locale"] in compared.BYTEWISE:
                continue
            if not row["recorded"]:
                found.append(_unknown(row, major))
                continue
        elif row["name"] in ("C", "POSIX", "ucs_basic") or not row["recorded"]:
            continue
        found.append(
            Collation(
                witness=Witness.RUNNING,
                evidence=_place(f"collation {row['name']}"),
                name=row.get("locale") or row["name"],
                provider=_PROVIDERS.get(str(row["provider"]), str(row["provider"])),
                recorded=row["recorded"],
                actual=row["actual"],
                indexes=tuple(row["indexes"]),
                constraints=tuple(row["keys"] or ()),
            )
        )
    return found


def _unknown(row: dict[str, Any], major: int) -> Unread:
    since = "this server keeps no version of its own order before PostgreSQL 15" if major < 15 else "none is recorded"
    return Unread(
        witness=Witness.RUNNING,
        evidence=_place("database"),
        what=f"whether text is still sorted as when {len(row['indexes'])} indexes were built",
        reason=Reason.CANNOT,
        detail=f"{row['locale']}: {since}; now {row['actual'] or 'unknown'}",
    )


def limits(ask: Reader, role: str = "") -> list[AnyFact]:
    """Limits of time that are on for ``role`` in this database: its own here, its own, the database's, the server's."""
    names = ", ".join(f"'{name}'" for name in _ON)
    rows = [row | {"here": False} for row in ask(_SETTINGS.format(names=names))]
    rows += [row for row in ask(_OF_ROLES.format(names=names)) if row["who"] in ("", role)]
    rows.sort(key=lambda row: (bool(row["who"]), bool(row["here"])))
    found: list[AnyFact] = []
    for row in {row["name"]: row for row in rows}.values():
        length = duration(str(row["setting"]))
        if length:
            found.append(
                Limit(
                    witness=Witness.RUNNING,
                    evidence=_place(f"setting {row['name']}" + (f" of role {row['who']}" if row["who"] else "")),
                    name=row["name"],
                    limit=length,
                    on=_ON[row["name"]],
                    who=row["who"],
                )
            )
    return found


def duration(text: str) -> timedelta | None:
    """``5s``, ``5min``; a bare number is milliseconds, as PostgreSQL reads it. None: off, or no length of time."""
    match = _LENGTH.match(text)
    if match is None or match[2] not in _UNITS or not float(match[1]):
        return None
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def keepers(ask: Reader) -> list[AnyFact]:
    """Replication slots, and the archive where it is on."""
    (keeps,) = ask(_KEEPS)
    most = keeps["most"] if keeps["most"] is not None and keeps["most"] >= 0 else None
    found: list[AnyFact] = [
        Keeper(
            witness=Witness.RUNNING,
            evidence=_place(f"replication slot {row['name']}"),
            name=row["name"],
            kind=f"{row['kind']} slot",
            active=bool(row["active"]),
            behind=row["behind"],
            most=most,
            detail=row["plugin"],
        )
        for row in ask(_SLOTS)
    ]
    if keeps["archive"] != "off":
        failing = bool(keeps["failing"])
        words = f"{keeps['failures']} attempts failed, the last of {keeps['wal']}" if failing else ""
        found.append(
            Keeper(
                witness=Witness.RUNNING,
                evidence=_place("archive"),
                name="archive_command",
                kind="archive",
                active=not failing,
                detail=words,
            )
        )
    return found


def _place(table: str) -> Evidence:
    return Evidence(source="production", table=table, step="preflight")
