"""How many rows the proof hashes per second and core: fast path, byte equality where types demand text, all as text.

Counted is the processor time of the server process itself (``/proc``), one process, so that a busy machine does not show;
beside it count(*) and COPY to nowhere, the limits. Goals: 0.6 M rows/s/core on the fast path, 0.2 M rows/s/core as text.

    python benchmarks/bench_proof.py [ROWS]
"""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path

from fulldress.database.postgres import Clone, Server, resolve, rows
from fulldress.database.postgres.wire import Connection

TABLES = {
    "orders (7 columns, numeric and jsonb)": """CREATE TABLE t AS SELECT g AS id, g % 5000 AS customer, 'reference ' || g AS ref,
        (g * 1.37)::numeric(12,2) AS total, now() + g * interval '1 s' AS created, jsonb_build_object('a', g, 'b', 'x') AS extra,
        g % 3 = 0 AS paid FROM generate_series(1, {n}) g""",
    "lines (8 columns, none needs text)": """CREATE TABLE t AS SELECT g AS id, g / 3 AS parent, g % 100 AS position, 'sku-' || g % 9000 AS sku,
        g % 7 AS n, now() AS made, md5(g::text) AS digest, md5(g::text)::uuid AS uid FROM generate_series(1, {n}) g""",
}  # fmt: skip
_TICKS = os.sysconf("SC_CLK_TCK")


def spent(pid: int) -> float:
    """Seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def cost(line: Connection, sql: str) -> float:
    found = []
    for _ in range(5):
        before = spent(line.pid)
        line.rows(sql)
        found.append(spent(line.pid) - before)
    return statistics.median(found)


def hashed(columns: list[rows.Column], equality: rows.Equality, major: int) -> str:
    return f"SELECT count(*), sum({rows.row_hash(columns, major, equality)})::text FROM ONLY t t"


def measure(clone: Clone, name: str, make: str, number: int) -> None:
    with clone.silent() as line:
        line.query(f"DROP TABLE IF EXISTS t; {make.format(n=number)}")
        line.query("VACUUM ANALYZE t")
        line.query("SET max_parallel_workers_per_gather = 0")
        columns = rows.tables(line, "public.t")["public.t"]
        text = [column._replace(form="text") for column in columns]
        ways = {
            "count(*)": "SELECT count(*) FROM t",
            "fast path (--equality semantic)": hashed(columns, "semantic", line.major),
            "bytes (the default)": hashed(columns, "byte", line.major),
            "every column as text": hashed(text, "byte", line.major),
        }
        print(f"{name}, {number:,} rows, {clone_size(line) / 1e6:.0f} MB")
        for way, sql in ways.items():
            took = cost(line, sql)
            proves = "" if way == "count(*)" else f"  {number / took / 1e6:5.2f} M rows/s/core"
            print(f"  {way:<34} {took:6.2f} s of processor{proves}")


def clone_size(line: Connection) -> int:
    return int(str(line.rows("SELECT pg_table_size('t')")[0][0]))


def main(number: int = 1_000_000) -> None:
    with Server(resolve(), need=2 << 30) as server:
        clone = server.create("bench")
        print(f"PostgreSQL {server.installation.version}")
        for name, make in TABLES.items():
            measure(clone, name, make, number)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
