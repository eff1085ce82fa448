"""x"""
from alembic import op
import sqlalchemy as sa

revision = "b2"
down_revision = None


def upgrade():
    op.drop_column("orders", "note")


def downgrade():
    print("done")
