"""Alembic's own surroundings: DRIVER names the driver, PER=1 asks for a transaction for every migration."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import create_engine, pool

url = os.environ["DATABASE_URL"].replace("postgresql://", f"postgresql+{os.environ['DRIVER']}://")
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=os.environ["PER"] == "1")
    with context.begin_transaction():
        context.run_migrations()
