"""pg8000: everything in the extended protocol, its own SCRAM and COPY; prints what it saw."""

from __future__ import annotations

import io
import os

import pg8000.dbapi
import pg8000.native

where = {"user": os.environ["PGUSER"], "database": os.environ["PGDATABASE"]}
where |= {"host": os.environ["PGHOST"], "port": int(os.environ["PGPORT"])}
line = pg8000.native.Connection(**where)


def said(what: str, text: str, **values: object) -> None:
    try:
        rows = line.run(text, **values)
        print(what, rows, line.row_count)
    except pg8000.native.DatabaseError as error:
        print(what, "refused", {key: error.args[0][key] for key in "SCMP" if key in error.args[0]})


said("table", "CREATE TABLE t (id int PRIMARY KEY, v text)")
said("insert", "INSERT INTO t VALUES (:id, :v)", id=1, v="é")
said("several", "ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ADD COLUMN b int")
said("begin", "BEGIN")
said("alter", "ALTER TABLE t ADD COLUMN c int")
said("fails", "SELECT 1/0")
said("still", "SELECT 1")
said("rollback", "ROLLBACK")
said("index", "CREATE INDEX CONCURRENTLY tv ON t (v)")
line.run("COPY t (id, v) FROM STDIN", stream=io.BytesIO(b"".join(b"%d\tx\n" % n for n in range(10, 4000))))
out = io.BytesIO()
line.run("COPY (SELECT id FROM t ORDER BY id) TO STDOUT", stream=out)
print("copied", len(out.getvalue()))
said("bad", "SELECT nope FROM t")
line.close()
other = pg8000.dbapi.connect(**where)
cursor = other.cursor()
cursor.execute("ALTER TABLE t ADD COLUMN d int")
cursor.executemany("INSERT INTO t (id, v) VALUES (%s, %s)", [(n, "m") for n in range(5000, 5100)])
other.commit()
cursor.execute("SELECT count(*) FROM t")
print(cursor.fetchone())
other.close()
