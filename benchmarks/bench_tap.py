"""What the tap costs a program, against a direct connection in the same run.

Goals, on an idle machine: at most 1 ms a statement in the median; 30,000 INSERTs in one string at most 2 × as long; COPY
at 0.8 of the speed and more, both ways; the poller at 100 Hz takes at most 3 % of pgbench's throughput. The tap needs a
core beside the program's and the server's: the load average is printed, and the processor time of the tap itself, which
does not depend on who else is there.

    python benchmarks/bench_tap.py [ROUNDS]
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from fulldress.database.postgres import Clone, Server, resolve
from fulldress.database.postgres.poller import Pace, Poller
from fulldress.database.postgres.wire import Connection

COUNT = 400
ROWS = 1_000_000
STATEMENTS: dict[str, Callable[[int], str]] = {
    "ALTER TABLE": lambda n: f"ALTER TABLE t ALTER v SET STATISTICS {n % 90 + 1};\n",
    "INSERT": lambda n: f"INSERT INTO t VALUES ({n}, 'x');\n",
    "SELECT": lambda n: f"SELECT {n};\n",
}


class Ways:
    """A clone reached directly and through its tap; runs a job in turns over both."""

    def __init__(self, clone: Clone, rounds: int) -> None:
        self.clone = clone
        self.rounds = rounds
        self.folders = {"direct": clone.server.socket_folder, "tap": clone.open_tap(always=True).folder}

    def measure(self, job: Callable[[Path], float]) -> tuple[float, float, float]:
        """Seconds directly, through the tap, and of processor time in the tap: medians."""
        times: dict[str, list[float]] = {"direct": [], "tap": []}
        work = []
        for _ in range(self.rounds):
            for way, folder in self.folders.items():
                before = time.process_time()
                times[way].append(job(folder))
                if way == "tap":
                    work.append(time.process_time() - before)
        return statistics.median(times["direct"]), statistics.median(times["tap"]), statistics.median(work)

    def psql(self, folder: Path, sql: str) -> float:
        begun = time.perf_counter()
        subprocess.run(
            [self.clone.server.installation.program("psql"), "-Xq", "-o", os.devnull, "-v", "ON_ERROR_STOP=1"],
            env={**os.environ, "PGHOST": str(folder), "PGUSER": "postgres", "PGDATABASE": self.clone.name},
            input=sql,
            text=True,
            check=True,
        )
        return time.perf_counter() - begun


def string(clone: Clone, folder: Path, sql: str) -> float:
    with Connection(folder, 5432, user="postgres", database=clone.name, application="bench") as line:
        begun = time.perf_counter()
        reply = line.simple(sql)
        took = time.perf_counter() - begun
    assert reply.error is None, reply.error
    return took


def pgbench(clone: Clone, hertz: float) -> float:
    """Transactions per second, with the poller at ``hertz``; 0: without."""
    poller = Poller(
        clone.session,
        clone.server.installation.major,
        clone.names,
        set,
        lambda _: None,
        Pace(1 / hertz if hertz else 1),
    )
    if hertz:
        poller.start()
    done = subprocess.run(
        [clone.server.installation.program("pgbench"), "-n", "-c", "2", "-T", "4", "-M", "prepared"],
        env={**os.environ, "PGHOST": str(clone.server.socket_folder), "PGUSER": "postgres", "PGDATABASE": clone.name},
        capture_output=True,
        text=True,
        check=True,
    )
    if hertz:
        poller.stop()
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])


def main(rounds: int = 5) -> None:
    with Server(resolve(), need=900 << 20) as server:
        clone = server.create("bench")
        clone.query("CREATE TABLE t (id int, v text)")
        load = os.getloadavg()[0]
        print(f"PostgreSQL {server.installation.version}, {rounds} rounds, medians, load average {load:.1f}")
        ways = Ways(clone, rounds)
        clone.start_watch()
        for name, text in STATEMENTS.items():
            sql = "".join(map(text, range(COUNT)))
            for what, whole in ((name, sql), (f"{name}, in a transaction", f"BEGIN;\n{sql}COMMIT;\n")):
                direct, tap, work = ways.measure(lambda folder, whole=whole: ways.psql(folder, whole))  # type: ignore[misc]
                print(
                    f"{what:<32} {direct / COUNT * 1e3:6.3f} ms   tap {tap / COUNT * 1e3:6.3f} ms"
                    f"   +{(tap - direct) / COUNT * 1e3:6.3f} ms (goal 1)   of it processor {work / COUNT * 1e3:6.3f} ms"
                )
        rows = "".join(f"INSERT INTO t VALUES ({n}, 'aaaaaaaaa');" for n in range(30_000))
        direct, tap, work = ways.measure(lambda folder: string(clone, folder, rows))
        print(
            f"{'30,000 INSERTs in one string':<32} {direct:6.3f} s    tap {tap:6.3f} s"
            f"    {tap / direct:6.2f} × (goal 2)     processor {work:6.3f} s"
        )
        clone.query(
            "TRUNCATE t; INSERT INTO t SELECT g, repeat(md5(g::text), 3)"
            f" FROM generate_series(1, {ROWS}) g; CREATE TABLE u (LIKE t)"
        )
        kept = server.base / "copied"
        for what, sql in (
            ("COPY out", f"\\copy t TO '{kept}'\n"),
            ("COPY in", f"TRUNCATE u;\n\\copy u FROM '{kept}'\n"),
        ):
            direct, tap, work = ways.measure(lambda folder, sql=sql: ways.psql(folder, sql))  # type: ignore[misc]
            print(
                f"{what + f', {ROWS:,} rows':<32} {direct:6.3f} s    tap {tap:6.3f} s"
                f"    {direct / tap:6.2f} of the speed (goal 0.8)   processor {work:6.3f} s"
            )
        kept.unlink()
        clone.stop_watch()
        if Path(server.installation.program("pgbench")).exists():
            subprocess.run(
                [server.installation.program("pgbench"), "-i", "-q", "-s", "2"],
                env={**os.environ, "PGHOST": str(server.socket_folder), "PGUSER": "postgres", "PGDATABASE": clone.name},
                capture_output=True,
                check=True,
            )
            pairs = [(pgbench(clone, 0), pgbench(clone, 100)) for _ in range(rounds)]
            lost = statistics.median(1 - polled / plain for plain, polled in pairs)
            spread = f"{min(1 - b / a for a, b in pairs):+.1%} to {max(1 - b / a for a, b in pairs):+.1%}"
            plain = statistics.median(a for a, _ in pairs)
            print(f"{'pgbench, polled at 100 Hz':<32} {plain:6.0f} tps, loses {lost:+.1%} ({spread}; goal 3 %)")
        print(f"load average at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
