import logging

FILL = """
    UPDATE rooms SET depth = 1
"""


def run_create(cur, database_engine, *args, **kwargs):
    cur.execute("DROP TABLE room_depth")
    if isinstance(database_engine, Sqlite3Engine):
        cur.execute("PRAGMA writable_schema")
    else:
        cur.execute("ALTER TABLE rooms ALTER COLUMN depth TYPE bigint")


def run_upgrade(cur, database_engine, config):
    cur.execute(FILL)
    cur.execute("DELETE FROM queue WHERE done")
