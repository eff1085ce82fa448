"""x"""
from alembic import op
import sqlalchemy as sa

revision = "b1"
down_revision = None


def upgrade():
    with op.batch_alter_table("t") as batch_op:
        batch_op.alter_column("a", existing_type=sa.String(50), type_=sa.String(80))
        batch_op.alter_column("b", existing_type=sa.Integer(), type_=sa.BigInteger())


def downgrade():
    pass
