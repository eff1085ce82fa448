"""What stands half done in the catalogue itself: invalid indexes, constraints never validated, prepared transactions.

A dump leaves invalid indexes out, so production is asked where it can be.
"""

from __future__ import annotations

from fulldress.database.postgres.clone import quote
from fulldress.database.postgres.preflight.reading import Reader
from fulldress.facts import AnyFact, Evidence, HalfDone, Witness

_INDEXES = """SELECT c.relname::text AS name, n.nspname::text AS schema, i.indrelid::regclass::text AS "table",
       i.indisunique AS is_unique, i.indisready AS ready, c.relname ~ '_ccnew\\d*$|_ccold\\d*$' AS reindexed
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname !~ '^pg_t'
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) ORDER BY 1"""
_CONSTRAINTS = """SELECT conname::text AS name, conrelid::regclass::text AS "table", pg_get_constraintdef(oid) AS said
  FROM pg_constraint WHERE NOT convalidated AND contype IN ('c', 'f', 'n') AND conrelid <> 0 ORDER BY 2, 1"""
_PREPARED = """SELECT gid::text AS name, owner::text AS owner, prepared::text AS since,
       extract(epoch FROM now() - prepared)::int8 AS seconds FROM pg_prepared_xacts WHERE database = current_database()"""


def read(ask: Reader, origin: str) -> list[AnyFact]:
    """``origin``: whom ``ask`` asks, e.g. production."""
    found: list[AnyFact] = []
    for row in ask(_INDEXES):
        kind = "a rest of REINDEX CONCURRENTLY" if row["reindexed"] else "a rest of CREATE INDEX CONCURRENTLY"
        costs = "written at every change" if row["ready"] else "in the way of its name"
        unique = "; its key is not kept unique for rows before it" if row["is_unique"] and not row["reindexed"] else ""
        name = row["name"] if row["schema"] == "public" else f"{row['schema']}.{row['name']}"
        found.append(
            _fact(
                "invalid index", name, row["table"], f"{kind} on {row['table']}: never used, {costs}{unique}", origin,
                f"DROP INDEX CONCURRENTLY {quote(row['schema'])}.{quote(row['name'])};",
            )
        )  # fmt: skip
    for row in ask(_CONSTRAINTS):
        words = f"{row['said']}: older rows were never looked at"
        remedy = f"ALTER TABLE {row['table']} VALIDATE CONSTRAINT {quote(row['name'])};"
        found.append(_fact("not valid", f"{row['table']}.{row['name']}", row["table"], words, origin, remedy))
    for row in ask(_PREPARED):
        words = f"prepared by {row['owner']} since {row['since']}: its locks are held until somebody ends it"
        found.append(
            _fact("prepared transaction", row["name"], "", words, origin, f"ROLLBACK PREPARED '{row['name']}';")
        )
    return found


def _fact(kind: str, name: str, table: str, detail: str, origin: str, remedy: str) -> HalfDone:
    return HalfDone(
        witness=Witness.RUNNING if origin == "production" else Witness.OBSERVED,
        evidence=Evidence(source=origin, table=table, step="preflight"),
        kind=kind,
        object=name,
        detail=detail,
        remedy=remedy,
    )
