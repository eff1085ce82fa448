"""Names of column types in Knex, Sequelize and TypeORM, in lower case, and PostgreSQL's of the same width."""

TYPES = {"string": "varchar", "integer": "integer", "bigint": "bigint", "biginteger": "bigint", "text": "text", "boolean": "boolean",
          "datetime": "timestamp", "timestamp": "timestamp", "date": "date", "float": "real", "decimal": "numeric", "json": "json",
          "jsonb": "jsonb", "uuid": "uuid", "binary": "bytea", "specifictype": "unknown_kind", "increments": "serial", "bigincrements": "bigserial",
          "enum": "unknown_kind", "enu": "unknown_kind", "tinyint": "smallint", "smallint": "smallint", "double": "double precision", "number": "integer"}  # fmt: skip
