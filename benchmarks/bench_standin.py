"""How long made-up rows take, beside a restore of the same database by pg_dump and pg_restore, in one run.

python benchmarks/bench_standin.py [THOUSANDS]
"""

from __future__ import annotations

import sys
import time

from fulldress.database.postgres import Server, resolve
from fulldress.database.postgres.standin import generate
from fulldress.database.postgres.standin.capture import capture

SCHEMA = """
CREATE TABLE person (id bigserial PRIMARY KEY, email varchar(80) UNIQUE NOT NULL, born date CHECK (born > '1900-01-01'), extra jsonb);
CREATE TABLE orders (id bigserial PRIMARY KEY, person_id bigint NOT NULL REFERENCES person, total numeric(10,2) CHECK (total >= 0),
    status text NOT NULL CHECK (status IN ('new', 'paid', 'sent')), at timestamptz NOT NULL);
CREATE INDEX ON orders (person_id);
CREATE TABLE line (order_id bigint REFERENCES orders, nth int, what text, PRIMARY KEY (order_id, nth));
"""


def main(thousands: int = 1000) -> None:
    people, orders, lines = thousands * 100, thousands * 300, thousands * 600
    with Server(resolve(), need=thousands << 20) as server:
        source = server.create("source")
        fill = f"""
            INSERT INTO person (email, born, extra) SELECT 'p' || g || '@example.org', '1980-01-01', '{{"a": 1}}' FROM generate_series(1, {people}) g;
            INSERT INTO orders (person_id, total, status, at) SELECT 1 + g % {people}, g % 1000, 'paid', now() FROM generate_series(1, {orders}) g;
            INSERT INTO line SELECT 1 + g / 2, g % 2, 'thing ' || g FROM generate_series(0, {lines - 1}) g; ANALYZE"""
        for sql in (SCHEMA, fill):
            run = source.execute(sql, name="x.sql", step="")
            assert not run.error, run.error
        url = server.dsn("source", "postgres")
        begun = time.perf_counter()
        captured = capture(server.installation, url)
        took = time.perf_counter() - begun
        begun = time.perf_counter()
        made = generate.clone(server, "made", captured, rows=1 << 40)
        generated = time.perf_counter() - begun
        assert not [gap for gap in made.unread if gap.needed], made.unread
        begun = time.perf_counter()
        server.clone_from(url=url, name="restored")
        restored = time.perf_counter() - begun
        rows = people + orders + lines
        print(
            f"PostgreSQL {server.installation.version}, {rows:,} rows: captured {took:.2f} s; made {generated:.1f} s"
            f" ({rows / generated:,.0f} rows/s); restored by pg_dump {restored:.1f} s; {restored / generated:.2f} of a restore's speed"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
