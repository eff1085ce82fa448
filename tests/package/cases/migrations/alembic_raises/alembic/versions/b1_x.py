"""x"""
from alembic import op
import sqlalchemy as sa

revision = "b1"
down_revision = None


def upgrade():
    op.execute("""
        UPDATE t
        SET a = 1
    """)


def downgrade():
    raise NotImplementedError("no way back")
