"""x"""
from alembic import op
import sqlalchemy as sa
orders = sa.table("orders", sa.column("state"))
revision = "b2"
down_revision = None


def upgrade():
    op.get_bind().execute(
        orders.update().where(orders.c.state.is_(None)).values(state="new")
    )
    op.get_bind().execute(orders.update().where(orders.c.state == "x").values(state="new"))


def downgrade():
    pass
