"""A table with rows."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "a1", None


def upgrade() -> None:
    table = op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.Text))
    op.create_index("tv", "t", ["v"])
    op.bulk_insert(table, [{"id": n, "v": f"v{n}"} for n in range(700)])
    op.execute("CREATE TYPE mood AS ENUM ('sad'); COMMENT ON TYPE mood IS 'a string of two'")


def downgrade() -> None:
    op.drop_table("t")
    op.execute("DROP TYPE mood")
