"""A column of another type, a constraint, a change of data that reads first."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "a3", "a2"


def upgrade() -> None:
    op.alter_column("t", "id", type_=sa.BigInteger)
    op.create_check_constraint("positive", "t", "id >= 0")
    line = op.get_bind()
    for (number,) in line.execute(sa.text("SELECT id FROM t WHERE id < 20")).fetchall():
        line.execute(sa.text("UPDATE t SET v = :v WHERE id = :id"), {"v": "changed", "id": number})


def downgrade() -> None:
    op.drop_constraint("positive", "t")
    op.alter_column("t", "id", type_=sa.Integer)
