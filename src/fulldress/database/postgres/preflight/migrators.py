"""Migration tools' own records in a database: where they stand, what says that a migration failed, and who locks them.

Sources: each tool's documentation or the statement with which it creates its table. Adding a tool is one more row.
"""

from __future__ import annotations

from typing import NamedTuple


class Tool(NamedTuple):
    """``needs``: columns by which tables of one name are told apart. The rest are SQL expressions over its rows."""

    name: str
    table: str
    needs: tuple[str, ...]
    version: str
    failed: str = "false"
    dirty: str = "false"
    checksum: str = "NULL"
    algorithm: str = ""  #: of ``checksum``: flyway, sha256, sha384; empty: not known here
    recorded: str = "true"  #: rows that stand for a migration that ran
    last_only: bool = False  #: one row: the version that the database is at
    locked: str = ""  #: a SELECT of who holds the tool's own lock, of the table beside it
    repair: str = ""


TOOLS = (
    Tool(
        "golang-migrate", "schema_migrations", ("version", "dirty"), "version::text", dirty="dirty", last_only=True,
        repair="migrate … force VERSION, once the schema is what VERSION makes of it",
    ),
    Tool("Rails or dbmate", "schema_migrations", ("version",), "version::text"),
    Tool(
        "Flyway", "flyway_schema_history", ("installed_rank", "checksum", "success"), "coalesce(version, script)::text",
        failed="NOT success", checksum="checksum::text", algorithm="flyway",
        recorded="success AND type NOT IN ('SCHEMA', 'BASELINE', 'DELETE') AND type NOT LIKE 'UNDO%'",
        repair="flyway repair, after what the failed migration left has been removed",
    ),
    Tool("Alembic", "alembic_version", ("version_num",), "version_num::text", last_only=False),
    Tool("Django", "django_migrations", ("app", "name"), "name::text"),
    Tool(
        "Liquibase", "databasechangelog", ("id", "author", "filename", "exectype"), "id::text",
        failed="exectype = 'FAILED'", recorded="exectype <> 'FAILED'",
        locked="SELECT coalesce(lockedby, '?') || ' since ' || coalesce(lockgranted::text, '?') AS who"
        " FROM {schema}.databasechangeloglock WHERE locked",
        repair="liquibase release-locks",
    ),
    Tool("goose", "goose_db_version", ("version_id", "is_applied"), "version_id::text", recorded="is_applied AND version_id > 0"),
    Tool(
        "sqlx", "_sqlx_migrations", ("version", "success", "checksum"), "version::text", dirty="NOT success",
        checksum="encode(checksum, 'hex')", algorithm="sha384", recorded="success",
        repair="DELETE FROM _sqlx_migrations WHERE NOT success, after what it left has been removed",
    ),
    Tool(
        "Prisma", "_prisma_migrations", ("migration_name", "finished_at", "rolled_back_at"), "migration_name::text",
        failed="finished_at IS NULL AND rolled_back_at IS NULL", checksum="checksum::text", algorithm="sha256",
        recorded="finished_at IS NOT NULL AND rolled_back_at IS NULL",
        repair="prisma migrate resolve --rolled-back NAME (or --applied NAME)",
    ),
    Tool(
        "Knex", "knex_migrations", ("name", "batch"), "name::text",
        locked="SELECT 'somebody' AS who FROM {schema}.knex_migrations_lock WHERE is_locked = 1",
        repair="knex migrate:unlock",
    ),
    Tool("Diesel", "__diesel_schema_migrations", ("version", "run_on"), "version::text"),
    Tool("Sequelize", "SequelizeMeta", ("name",), "name::text"),
    Tool("node-pg-migrate", "pgmigrations", ("name", "run_on"), "name::text"),
    Tool("TypeORM", "migrations", ("timestamp", "name"), "name::text"),
    Tool("Laravel", "migrations", ("migration", "batch"), "migration::text"),
    Tool("Entity Framework", "__EFMigrationsHistory", ("MigrationId",), '"MigrationId"::text'),
    Tool("Doctrine", "doctrine_migration_versions", ("version",), "version::text"),
    Tool("Phinx", "phinxlog", ("version", "migration_name"), "version::text"),
    Tool("DbUp", "schemaversions", ("scriptname",), "scriptname::text"),
    Tool("sql-migrate", "gorp_migrations", ("id", "applied_at"), "id::text"),
    Tool("refinery", "refinery_schema_history", ("version", "name", "checksum"), "version::text"),
    Tool("yoyo", "_yoyo_migration", ("migration_id",), "migration_id::text",
         locked="SELECT 'process ' || pid::text AS who FROM {schema}.yoyo_lock WHERE locked = 1", repair="yoyo break-lock"),
    Tool("Atlas", "atlas_schema_revisions", ("version", "error"), "version::text", failed="coalesce(error, '') <> ''",
         recorded="coalesce(error, '') = ''", repair="atlas migrate set, once the schema is what it says"),
    Tool("Ecto", "schema_migrations", ("version", "inserted_at"), "version::text"),
    Tool("Drizzle", "__drizzle_migrations", ("hash", "created_at"), "created_at::text"),
    Tool("MyBatis", "changelog", ("id", "applied_at", "description"), "id::text"),
)  # fmt: skip

#: Records of a tool beside its own table; never the product's data.
BESIDE = {
    "ar_internal_metadata",
    "databasechangeloglock",
    "knex_migrations_lock",
    "yoyo_lock",
    "_yoyo_log",
    "_yoyo_version",
}


def of(table: str, columns: set[str]) -> Tool | None:
    """The tool with most columns that fit."""
    fitting = [tool for tool in TOOLS if tool.table == table and columns >= set(tool.needs)]
    return max(fitting, key=lambda tool: len(tool.needs), default=None)
