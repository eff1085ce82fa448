"""psycopg2: multi-statement strings, COPY, named cursors, transactions, a cancel; prints what it saw."""

from __future__ import annotations

import io
import os
import threading

import psycopg2
from psycopg2 import extras

line = psycopg2.connect(os.environ["DATABASE_URL"])
cursor = line.cursor()


def said(what: str, text: str, *values: object) -> None:
    try:
        cursor.execute(text, values or None)
        print(what, cursor.statusmessage, cursor.fetchall() if cursor.description else "")
    except psycopg2.Error as error:
        print(what, "refused", error.pgcode, error.diag.statement_position, str(error).splitlines())
        if not line.autocommit:
            line.rollback()


said(
    "table",
    "CREATE TABLE t (id serial PRIMARY KEY, v text); CREATE INDEX tv ON t (v); INSERT INTO t (v) VALUES ('a'), ('b')",
)
line.commit()
said("bad", "ALTER TABLE t ADD COLUMN x int; SELECT nope; ALTER TABLE t ADD COLUMN y int")
said("savepoint", "SAVEPOINT s; ALTER TABLE t ADD COLUMN gone int; ROLLBACK TO s; ALTER TABLE t ADD COLUMN kept int")
line.commit()
extras.execute_values(cursor, "INSERT INTO t (v) VALUES %s", [(str(n),) for n in range(2500)])
extras.execute_batch(cursor, "INSERT INTO t (v) VALUES (%s)", [(str(n),) for n in range(500)], page_size=100)
line.commit()
cursor.copy_expert("COPY t (v) FROM STDIN", io.StringIO("".join(f"c{n}\n" for n in range(3000))))
out = io.StringIO()
cursor.copy_expert("COPY (SELECT v FROM t ORDER BY id) TO STDOUT", out)
print("copied", len(out.getvalue()))
try:
    cursor.copy_expert("COPY t (id, v) FROM STDIN", io.StringIO("x\ty\n"))
except psycopg2.Error as error:
    print("copy refused", error.pgcode, error.diag.context)
line.rollback()
named = line.cursor("big")
named.itersize = 700
named.execute("SELECT id FROM t ORDER BY id")
print("named", sum(row[0] for row in named))
named.close()
line.commit()
line.autocommit = True
said("index", "CREATE INDEX CONCURRENTLY tk ON t (kept)")
said("string of several", "ALTER TABLE t ADD COLUMN s1 int; ALTER TABLE t ADD COLUMN s2 int")
said("own transaction", "BEGIN; ALTER TABLE t ADD COLUMN o int; COMMIT; SELECT count(*) FROM t")
said("fails behind its commit", "BEGIN; ALTER TABLE t ADD COLUMN o2 int; COMMIT; SELECT 1/0")
said("notices", "DROP TABLE IF EXISTS n1; DROP TABLE IF EXISTS n2")
print(line.notices)
said("concurrently in a string", "SELECT 1; DROP INDEX CONCURRENTLY tk")
said("vacuum", "VACUUM FULL t")
said("lock", "LOCK TABLE t")
threading.Timer(0.4, line.cancel).start()
said("cancelled", "SELECT 1; SELECT pg_sleep(20)")
said("timed out", "SET lock_timeout = '50ms'; ALTER TABLE t ADD COLUMN l int; SHOW lock_timeout")
said("encoding", "SET client_encoding = 'LATIN1'")
said("latin", "SELECT 'naïve' AS é; SELECT octet_length('é')")
said(
    "columns",
    "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0",
)
