"""psycopg 3 through everything it can do with a connection; prints what it saw."""

from __future__ import annotations

import os
import threading

import psycopg
from psycopg import sql


def said(what: str, job: object) -> None:
    try:
        print(what, job())  # type: ignore[operator]
    except psycopg.Error as error:
        where = error.diag.statement_position
        print(what, "refused", type(error).__name__, error.sqlstate, where, error.diag.message_primary)


line = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
line.add_notice_handler(lambda one: print("notice", one.sqlstate, one.message_primary))
print("prepare", line.prepare_threshold, line.info.server_version // 10000, line.pgconn.ssl_in_use)

line.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
line.execute("INSERT INTO t VALUES (%s, %s)", (1, "é"))
for number in range(2, 20):  # the fifth is prepared by name
    line.execute("INSERT INTO t VALUES (%s, %s)", (number, f"v{number}"))
with line.cursor() as cursor:
    cursor.executemany("INSERT INTO t VALUES (%s, %s)", [(n, str(n)) for n in range(20, 400)])
    print("executemany", cursor.rowcount)
    cursor.executemany(
        "INSERT INTO t VALUES (%s, %s) RETURNING id", [(n, "r") for n in range(400, 405)], returning=True
    )
    print("returning", cursor.fetchall())
said("index", lambda: line.execute("CREATE INDEX CONCURRENTLY tv ON t (v)").statusmessage)
said("vacuum", lambda: line.execute("VACUUM ANALYZE t").statusmessage)
said(
    "do",
    lambda: (
        line.execute(
            "DO $$ BEGIN UPDATE t SET v = 'x' WHERE id = 1; COMMIT; UPDATE t SET v = 'y' WHERE id = 2; END $$"
        ).statusmessage
    ),
)
said(
    "string",
    lambda: line.execute("ALTER TABLE t ADD COLUMN a int; UPDATE t SET a = id; SELECT sum(a) FROM t").statusmessage,
)
said("bad string", lambda: line.execute("ALTER TABLE t ADD COLUMN b int; SELECT nope FROM t; SELECT 1"))
said("bad", lambda: line.execute("SELECT ö, nope FROM t"))
said("syntax", lambda: line.execute("SELECT 1; SELEC 2; SELECT 3"))
said("enum", lambda: line.execute("CREATE TYPE mood AS ENUM ('sad')").statusmessage)
said("enum more", lambda: line.execute("ALTER TYPE mood ADD VALUE 'glad'").statusmessage)
said("enum use", lambda: line.execute("SELECT 'glad'::mood").fetchall())

with line.transaction():
    line.execute("ALTER TABLE t ADD COLUMN c int")
    try:
        with line.transaction():
            line.execute("ALTER TABLE t ADD COLUMN gone int")
            line.execute("SELECT 1/0")
    except psycopg.Error as error:
        print("inner", error.sqlstate)
    with line.transaction():
        line.execute("ALTER TABLE t ADD COLUMN d int")
print("columns", [one.name for one in line.execute("SELECT * FROM t LIMIT 0").description])

with line.pipeline() as pipe:
    line.execute("ALTER TABLE t ADD COLUMN p int")
    cursor = line.execute("SELECT count(*) FROM t")
    pipe.sync()
    print("pipelined", cursor.fetchall())
try:
    with line.pipeline():
        line.execute("INSERT INTO t VALUES (900, 'p')")
        line.execute("INSERT INTO t VALUES (900, 'twice')")
        line.execute("INSERT INTO t VALUES (901, 'never')")
except psycopg.Error as error:
    print("pipeline", error.sqlstate)
print("after", line.execute("SELECT count(*) FROM t WHERE id >= 900").fetchall())

with line.transaction(), line.cursor("server_side") as cursor:
    cursor.itersize = 50
    cursor.execute("SELECT id FROM t ORDER BY id")
    print("named", sum(row[0] for row in cursor))

with line.cursor() as cursor, cursor.copy("COPY t (id, v) FROM STDIN (FORMAT binary)") as copy:
    copy.set_types(["int4", "text"])
    for number in range(1000, 3000):
        copy.write_row((number, "b" * 50))
with line.cursor() as cursor, cursor.copy("COPY (SELECT id, v FROM t ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
    copy.set_types(["int4", "text"])
    print("binary out", sum(1 for _ in copy.rows()))


def gives_up() -> None:
    with line.cursor() as cursor, cursor.copy("COPY t (id, v) FROM STDIN") as copy:
        copy.write_row((5000, "x"))
        raise psycopg.DataError("given up")


def bad_data() -> None:
    with line.cursor() as cursor, cursor.copy("COPY t (id, v) FROM STDIN") as copy:
        copy.write("5001\tx\nnot a number\ty\n")


said("copy given up", gives_up)
said("copy of bad data", bad_data)
with line.transaction(), line.cursor() as cursor:
    cursor.execute(sql.SQL("CREATE TABLE {} (LIKE t)").format(sql.Identifier("Odd name")))
    with cursor.copy('COPY "Odd name" (id, v) FROM STDIN') as copy:
        copy.write_row((1, "in a transaction"))
said("timed out", lambda: line.execute("SET statement_timeout = '150ms'; SELECT pg_sleep(5)"))
line.execute("SET statement_timeout = 0")
threading.Timer(0.4, line.cancel).start()
said("cancelled", lambda: line.execute("SELECT pg_sleep(20)"))
said("two phases", lambda: line.execute("PREPARE TRANSACTION 'x'"))
line.close()

other = psycopg.connect(os.environ["DATABASE_URL"])
other.execute("INSERT INTO t VALUES (6000, 'lost')")
other.rollback()
other.execute("CREATE TABLE r (i int REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
other.commit()
other.execute("INSERT INTO r VALUES (-1)")
said("deferred", other.commit)
other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
other.commit()
other.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
print("level", other.execute("SHOW transaction_isolation").fetchall())
other.close()
