"""x"""
from alembic import op
import sqlalchemy as sa


def _room():
    return sa.Column("room", sa.String(63))

revision = "b2"
down_revision = None


def upgrade():
    with op.batch_alter_table("orders") as batch:
        batch.add_column(_room())


def downgrade():
    with op.batch_alter_table("orders") as batch:
        batch.drop_column("room")
