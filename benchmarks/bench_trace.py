"""What tracing costs per statement: the same statements with and without the trace, in turns, in one run.

Goal (notes: physical limits): at most 1 ms per statement on an idle machine. Prints medians, the difference, and the
ratio; rows of INSERT … in a row are looked at once, so they are measured apart.

    python benchmarks/bench_trace.py [ROUNDS]
"""

from __future__ import annotations

import statistics
import sys
import time

from fulldress.database.postgres import Clone, Server, resolve
from fulldress.database.postgres.clone import RUNNER
from fulldress.database.postgres.runner import Observer, Runner

DDL = "".join(f"ALTER TABLE t ADD COLUMN c{i} int;\nALTER TABLE t DROP COLUMN c{i};\n" for i in range(50))
ROWS = "INSERT INTO t (a) VALUES (1);\n" * 1000


def untraced(clone: Clone, sql: str) -> float:
    with clone.session(RUNNER, clone.role) as line:
        begun = time.perf_counter()
        Runner(line).run(sql, name="x.sql", step="")
        return time.perf_counter() - begun


def held_only(clone: Clone, sql: str) -> float:
    """With the look before each Sync, without the poller."""
    with clone.session() as observer, clone.session(RUNNER, clone.role) as line:
        runner = Runner(line, Observer(observer, clone.names), clone.trace)
        begun = time.perf_counter()
        runner.run(sql, name="x.sql", step="")
        return time.perf_counter() - begun


def traced(clone: Clone, sql: str) -> float:
    return clone.execute(sql, name="x.sql", step="").duration.total_seconds()


def main(rounds: int = 7) -> None:
    with Server(resolve()) as server:
        clone = server.create("bench")
        print(f"PostgreSQL {server.installation.version}, {rounds} rounds, medians per statement")
        for name, sql, count in (("DDL in autocommit", DDL, 100), ("1,000 INSERTs", ROWS, 1000)):
            times: dict[str, list[float]] = {"without": [], "look before Sync": [], "look and poller": []}
            ways = {"without": untraced, "look before Sync": held_only, "look and poller": traced}
            for _ in range(rounds):
                for what, way in ways.items():
                    clone.query("DROP TABLE IF EXISTS t; CREATE TABLE t (a int)")  # dropped columns slow a table down
                    times[what].append(way(clone, sql) / count)
            plain = statistics.median(times["without"])
            for what, values in times.items():
                median = statistics.median(values)
                print(
                    f"{name:<18} {what:<17} {median * 1e6:8.0f} µs   +{(median - plain) * 1e6:6.0f} µs"
                    f"   {median / plain:5.2f} ×"
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
