"""x"""
from alembic import op
import sqlalchemy as sa

revision = "b1"
down_revision = None


def upgrade():
    op.drop_column("t", "note")


def downgrade():
    op.add_column("t", sa.Column("note", sa.Text()))
