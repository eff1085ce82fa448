"""x"""
from alembic import op
import sqlalchemy as sa
from shop.migrations import tools
revision = "b2"
down_revision = None


def upgrade():
    op.create_table("orders", sa.Column("id", sa.Integer()))


def downgrade():
    tools.drop_all_of(op, "orders")
