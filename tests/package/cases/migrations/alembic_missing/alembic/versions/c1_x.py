"""x"""
from alembic import op
import sqlalchemy as sa

revision = "c1"
down_revision = 'b1'


def upgrade():
    op.drop_table('t')
