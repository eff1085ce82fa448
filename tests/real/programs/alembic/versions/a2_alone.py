"""What may not run in a transaction."""

from alembic import op

revision, down_revision = "a2", "a1"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad'")
        op.create_index("tc", "t", ["v", "id"], postgresql_concurrently=True)
    op.execute("ALTER TABLE t ADD COLUMN m mood DEFAULT 'glad'")


def downgrade() -> None:
    op.drop_column("t", "m")
    with op.get_context().autocommit_block():
        op.drop_index("tc", postgresql_concurrently=True)
