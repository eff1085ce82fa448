"""x"""
from alembic import op
import sqlalchemy as sa

revision = "b1"
down_revision = None


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("i", "t", ["a"], postgresql_concurrently=True)
    op.create_index("j", "t", ["b"], postgresql_concurrently=True)


def downgrade():
    op.drop_index("i")
