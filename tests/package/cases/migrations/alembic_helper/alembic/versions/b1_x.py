"""x"""
from alembic import op
import sqlalchemy as sa

revision = "b1"
down_revision = None


from product.tools import move_rows


def _drop():
    op.drop_table("old")


def upgrade():
    _drop()
    move_rows()


def downgrade():
    op.create_table("old", sa.Column("id", sa.Integer()))
